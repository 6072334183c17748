/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A BIO of memory that keeps the bounds of datagrams, which OpenSSL's own does
 * not, and that copies nothing on the way in. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <openssl/bio.h>
#include <string.h>

#include "tls-private.h"

/* RFC 791, RFC 768: what DTLS takes off an MTU of the link. */
#define IP_AND_UDP 28

static int
pipe_write (BIO *bio, const char *data, size_t size, size_t *ret_size)
{
  IceTlsPipe *self = BIO_get_data (bio);
  const guint8 length[] = { (guint8) (size >> 8), (guint8) size };

  BIO_clear_retry_flags (bio);
  if (self->datagrams && size > G_MAXUINT16)
    return 0;
  if (self->datagrams)
    ice_stage_write_below (self->stage, ICE_BYTES (length, sizeof length));
  ice_stage_write_below (self->stage, ICE_BYTES (data, size));
  *ret_size = size;
  return 1;
}

static int
pipe_read (BIO *bio, char *data, size_t size, size_t *ret_size)
{
  IceTlsPipe *self = BIO_get_data (bio);
  gsize n = MIN (size, self->input.size);

  BIO_clear_retry_flags (bio);
  if (n == 0) {
    BIO_set_retry_read (bio);
    return 0;
  }
  memcpy (data, self->input.data, n);
  /* What of a datagram has no room is lost, as from a socket. */
  if (self->datagrams)
    self->input = ICE_BYTES_NONE;
  else
    self->input = ICE_BYTES (self->input.data + n, self->input.size - n);
  *ret_size = n;
  return 1;
}

static long
pipe_control (BIO *bio, int command, long number, void *pointer)
{
  const IceTlsPipe *self = BIO_get_data (bio);

  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_PENDING:
      return (long) self->input.size;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return IP_AND_UDP;
    default:
      return 0;
  }
}

static int
pipe_create (BIO *bio)
{
  BIO_set_init (bio, 1);
  return 1;
}

static const BIO_METHOD *
get_method (void)
{
  static gsize method = 0;

  if (g_once_init_enter (&method)) {
    BIO_METHOD *made = BIO_meth_new (
        BIO_get_new_index () | BIO_TYPE_SOURCE_SINK, "gst-ice stage");

    BIO_meth_set_write_ex (made, pipe_write);
    BIO_meth_set_read_ex (made, pipe_read);
    BIO_meth_set_ctrl (made, pipe_control);
    BIO_meth_set_create (made, pipe_create);
    g_once_init_leave (&method, (gsize) made);
  }
  return (const BIO_METHOD *) method;
}

BIO *
ice_tls_bio_new (IceTlsPipe *pipe)
{
  BIO *bio = BIO_new (get_method ());

  if (bio)
    BIO_set_data (bio, pipe);
  return bio;
}
