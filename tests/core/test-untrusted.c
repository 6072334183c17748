/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server that does not show who it is (TLS): what is told, and as what. */
#include "harness.h"

#define URL "turns:turn.example.org:5349?transport=tcp"
#define REASON "The certificate of turn.example.org:5349 expired"

typedef struct
{
  guint socket, n_connects; /* of CONNECT */
  guint n_server_errors, code;
  IceCause server_cause, cause;
  gchar *server_text, *text; /* (owned) (nullable) */
} Heard;

static void
watch (gpointer user, const IceOutput *output)
{
  Heard *self = user;

  if (output->type == ICE_OUTPUT_CONNECT) {
    self->n_connects++;
    self->socket = output->connect.socket;
    g_assert_cmpint (output->connect.kind, ==, ICE_TRANSPORT_TLS);
    g_assert_cmpstr (output->connect.server, ==, "192.0.2.9");
    g_assert_true (output->connect.relay);
  } else if (output->type == ICE_OUTPUT_SERVER_ERROR) {
    self->n_server_errors++;
    self->code = output->server.code;
    self->server_cause = output->server.cause;
    g_free (self->server_text);
    self->server_text = g_strdup (output->server.text);
  } else if (output->type == ICE_OUTPUT_ERROR) {
    self->cause = output->error.cause;
    g_free (self->text);
    self->text = g_strdup (output->error.text);
  }
}

static void
start (Harness *h, Heard *heard)
{
  IceGathererConfig config = { .relay_only = TRUE };
  const IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_TURN,
    .transport = ICE_TRANSPORT_TLS,
    .host = "192.0.2.9",
    .port = 5349,
    .username = "alice",
    .password = "wonderland",
    .url = URL };

  *heard = (Heard){ 0 };
  harness_init (h, TRUE);
  h->watch = watch;
  h->watch_user = heard;
  ice_core_set_gather_config (h->core, &config);
  ice_core_add_server (h->core, &server);
  harness_gather (h);
  harness_run_for (h, 20 * ICE_MSEC);
  g_assert_cmpuint (heard->n_connects, ==, 1);
}

static void
stop (Harness *h, Heard *heard)
{
  harness_clear (h);
  g_free (heard->server_text);
  g_free (heard->text);
}

static void
test_untrusted (void)
{
  Harness h;
  Heard heard;

  start (&h, &heard);
  ice_core_socket_untrusted (h.core, heard.socket, REASON, h.now);
  harness_pump (&h);
  g_assert_cmpuint (heard.n_server_errors, ==, 1);
  g_assert_cmpuint (heard.code, ==, 701);
  g_assert_cmpint (heard.server_cause, ==, ICE_CAUSE_TLS_UNTRUSTED);
  g_assert_cmpstr (heard.server_text, ==, URL ": " REASON);
  /* Relayed only, and there is nobody to relay. */
  g_assert_cmpint (heard.cause, ==, ICE_CAUSE_TLS_UNTRUSTED);
  g_assert_nonnull (strstr (heard.text, URL ": " REASON));
  /* It is not asked over and over, and nothing was sent. */
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_cmpuint (heard.n_connects, ==, 1);
  g_assert_cmpuint (heard.n_server_errors, ==, 1);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 0);
  stop (&h, &heard);
}

static void
test_refused (void)
{
  Harness h;
  Heard heard;

  start (&h, &heard);
  ice_core_socket_failed (h.core, heard.socket, "Connection refused", h.now);
  harness_pump (&h);
  g_assert_cmpuint (heard.n_server_errors, ==, 1);
  g_assert_cmpint (heard.server_cause, ==, ICE_CAUSE_NONE);
  g_assert_cmpint (heard.cause, !=, ICE_CAUSE_TLS_UNTRUSTED);
  g_assert_nonnull (strstr (heard.server_text, "check host and port"));
  stop (&h, &heard);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8489/6.2.3/cause", test_untrusted);
  g_test_add_func ("/rfc8489/6.2.3/refused-is-another-cause", test_refused);
  return g_test_run ();
}
