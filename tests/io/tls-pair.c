/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both ends of a TLS connection in memory: no socket, no waiting. */

#include "tls-pair.h"

#include <openssl/err.h>
#include <string.h>

static IceStage *
stage_for (const gchar *host, const gchar *ca, gboolean datagrams)
{
  const IceTlsConfig config = { .host = host,
    .port = 5349,
    .ca_file = ca,
    .alpn = ICE_TLS_ALPN_TURN,
    .datagrams = datagrams };
  g_autoptr (GError) error = NULL;
  IceStage *stage = ice_tls_stage_new (&config, &error);

  g_assert_no_error (error);
  return stage;
}

void
io_pair_init (IoTlsPair *self, const IoIdentity *server, const gchar *host,
    const gchar *ca, gboolean datagrams)
{
  *self = (IoTlsPair){ .datagrams = datagrams };
  self->stages = ice_stages_new ();
  self->stage = stage_for (host, ca, datagrams);
  ice_stages_push (self->stages, self->stage);
  self->heard = g_string_new (NULL);
  self->said = g_string_new (NULL);
  self->context = io_tls_context (server, datagrams);
}

void
io_pair_start_server (IoTlsPair *self)
{
  self->ssl = SSL_new (self->context);
  self->in = BIO_new (BIO_s_mem ());
  self->out = BIO_new (BIO_s_mem ());
  SSL_set_bio (self->ssl, self->in, self->out);
  SSL_set_accept_state (self->ssl);
  if (self->datagrams)
    DTLS_set_link_mtu (self->ssl, 1400);
}

void
io_pair_clear (IoTlsPair *self)
{
  ice_stages_free (self->stages);
  SSL_free (self->ssl);
  SSL_CTX_free (self->context);
  g_string_free (self->heard, TRUE);
  g_string_free (self->said, TRUE);
}

/* To us, in pieces; a datagram behind its length. */
static void
deliver (IoTlsPair *self, const guint8 *data, gsize size)
{
  const gsize step = self->step ? self->step : size;

  if (self->datagrams) {
    const guint8 length[] = { (guint8) (size >> 8), (guint8) size };
    g_autoptr (GByteArray) whole = g_byte_array_new ();

    g_byte_array_append (whole, length, 2);
    g_byte_array_append (whole, data, size);
    ice_stages_receive (self->stages, ICE_BYTES (whole->data, whole->len));
    return;
  }
  for (gsize at = 0; at < size; at += step)
    ice_stages_receive (
        self->stages, ICE_BYTES (data + at, MIN (step, size - at)));
}

gboolean
io_pair_carry_up (IoTlsPair *self)
{
  IceBytes above;
  gchar *data;
  glong size = BIO_get_mem_data (self->out, &data);
  g_autofree guint8 *copy = g_memdup2 (data, size);

  BIO_reset (self->out);
  if (size > 0)
    deliver (self, copy, size);
  above = ice_stages_take_above (self->stages);
  g_string_append_len (self->said, (const gchar *) above.data, above.size);
  return size > 0;
}

static void
run_server (IoTlsPair *self)
{
  gchar plain[4096];
  gint n;

  while ((n = SSL_read (self->ssl, plain, sizeof plain)) > 0)
    g_string_append_len (self->heard, plain, n);
  ERR_clear_error ();
}

static gboolean
carry_down (IoTlsPair *self)
{
  IceBytes below = ice_stages_get_below (self->stages);
  g_autofree guint8 *copy = g_memdup2 (below.data, below.size);
  gsize at = 0;

  ice_stages_skip_below (self->stages, below.size);
  self->sent += below.size;
  while (at < below.size) {
    gsize size =
        self->datagrams ? (gsize) (copy[at] << 8 | copy[at + 1]) : below.size;

    at += self->datagrams ? 2 : 0;
    if (self->lose > 0)
      self->lose--;
    else
      BIO_write (self->in, copy + at, (int) size);
    at += size;
    run_server (self);
  }
  return below.size > 0;
}

/* Until nobody has anything to say. */
void
io_pair_run (IoTlsPair *self)
{
  gboolean moved = TRUE;

  if (self->ssl == NULL) {
    io_pair_start_server (self);
    ice_stages_start (self->stages);
  }
  while (moved) {
    moved = carry_down (self);
    moved |= io_pair_carry_up (self);
  }
}

void
io_pair_assert_open (IoTlsPair *self)
{
  const GError *error = ice_stages_get_error (self->stages);

  g_assert_no_error (error);
  g_assert_cmpint (ice_stages_get_state (self->stages), ==, ICE_STAGE_OPEN);
}

void
io_pair_assert_said (IoTlsPair *self, IceStageError code, const gchar *what)
{
  const GError *error = ice_stages_get_error (self->stages);

  g_assert_cmpint (ice_stages_get_state (self->stages), ==, ICE_STAGE_FAILED);
  g_assert_error (error, ICE_STAGE_ERROR, (gint) code);
  g_test_message ("%s", error->message);
  if (strstr (error->message, what) == NULL)
    g_error ("“%s” does not say “%s”", error->message, what);
}

void
io_pair_talk (IoTlsPair *self)
{
  ice_stages_send (self->stages, ICE_BYTES ("from us", 7));
  SSL_write (self->ssl, "from the server", 15);
  io_pair_run (self);
  g_assert_cmpstr (self->heard->str, ==, "from us");
  g_assert_cmpstr (self->said->str, ==, "from the server");
}

void
io_pair_share (IoTlsPair *self, IoTlsPair *other)
{
  SSL_CTX_free (self->context);
  self->context = other->context;
  SSL_CTX_up_ref (self->context);
}
