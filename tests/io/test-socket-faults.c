/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "io-socket-support.h"

/* The kernel's refusals, from a script: the linker puts these functions in
 * front of the real ones (--wrap). */

#define MAX_FAULTS 16

typedef struct
{
  gint errors[MAX_FAULTS]; /* errno of the next calls; 0: the real call */
  guint n, next;
  gboolean only_segmented; /* applies to UDP_SEGMENT messages alone */
  guint n_calls;
} Script;

/* Under io_lock. */
static Script script;

static void
script_set (const gint *errors, guint n, gboolean only_segmented)
{
  io_lock ();
  memset (&script, 0, sizeof script);
  memcpy (script.errors, errors, n * sizeof (gint));
  script.n = n;
  script.only_segmented = only_segmented;
  io_unlock ();
}

static gint
script_take (gboolean segmented)
{
  gint error = 0;

  io_lock ();
  script.n_calls++;
  if (script.next < script.n && (segmented || !script.only_segmented))
    error = script.errors[script.next++];
  io_unlock ();
  return error;
}

int __real_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags);
int __wrap_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags);
ssize_t __real_sendto (int fd, const void *data, size_t size, int flags,
    const struct sockaddr *to, socklen_t to_size);
ssize_t __wrap_sendto (int fd, const void *data, size_t size, int flags,
    const struct sockaddr *to, socklen_t to_size);

int
__wrap_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags)
{
  gint error = script_take (messages[0].msg_hdr.msg_controllen > 0);

  if (error == 0)
    return __real_sendmmsg (fd, messages, n, flags);
  errno = error;
  return -1;
}

ssize_t
__wrap_sendto (int fd, const void *data, size_t size, int flags,
    const struct sockaddr *to, socklen_t to_size)
{
  gint error = script_take (FALSE);

  if (error == 0)
    return __real_sendto (fd, data, size, flags, to, to_size);
  errno = error;
  return -1;
}

/* Ten packets: a run of eight, then a larger and a smaller one, which are a
 * run too. */

#define N_PACKETS 10

static gsize
packet_size (guint i, gsize segment)
{
  return i < 8 ? segment : i == 8 ? segment + 1 : 300;
}

typedef struct
{
  const gchar *name;
  gint errors[MAX_FAULTS];
  gboolean only_segmented;
  gsize segment;

  guint n_taken, n_discarded; /* expected */
  gint error;                 /* GIOErrorEnum or -1 */
  gint limit_after;           /* of segments; -1: unchanged */
} Case;

static const Case cases[] = {
  { "nothing", { 0 }, FALSE, 1200, 10, 0, -1, -1 },
  { "interrupted", { EINTR, EINTR }, FALSE, 1200, 10, 0, -1, -1 },
  { "pending ECONNREFUSED", { ECONNREFUSED }, FALSE, 1200, 10, 0, -1, -1 },
  { "two pending errors", { ECONNREFUSED, EHOSTUNREACH }, FALSE, 1200, 10, 0,
      -1, -1 },
  { "pending EMSGSIZE", { EMSGSIZE }, FALSE, 1200, 10, 0, -1, -1 },
  { "EPERM", { EPERM }, FALSE, 1200, 10, 8, -1, -1 },
  { "ENOBUFS", { ENOBUFS }, FALSE, 1200, 10, 8, -1, -1 },
  { "ENETDOWN", { ENETDOWN }, FALSE, 1200, 10, 8, -1, -1 },
  { "no route",
      { ENETUNREACH, ENETUNREACH, ENETUNREACH, ENETUNREACH, ENETUNREACH },
      FALSE, 1200, 10, 8, -1, -1 },
  { "full", { EAGAIN }, FALSE, 1200, 0, 0, G_IO_ERROR_WOULD_BLOCK, -1 },
  { "shut down", { EPIPE }, FALSE, 1200, 0, 0, G_IO_ERROR_CLOSED, -1 },
  { "no checksum offload", { EIO }, TRUE, 1200, 10, 0, -1, 0 },
  { "no segmentation", { EINVAL }, TRUE, 1200, 10, 0, -1, 0 },
  { "segments above the MTU", { EINVAL }, TRUE, 4000, 10, 0, -1, 3999 },
  { "the same, lately", { EMSGSIZE, EMSGSIZE, EMSGSIZE, EMSGSIZE, EMSGSIZE },
      TRUE, 4000, 10, 0, -1, 3999 },
};

static GPtrArray *
case_buffers (const Case *self)
{
  GPtrArray *buffers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  guint i;

  for (i = 0; i < N_PACKETS; i++)
    g_ptr_array_add (
        buffers, io_buffer_new (i, packet_size (i, self->segment), 2));
  return buffers;
}

static void
case_assert_received (const Case *self, IoPeer *to)
{
  guint n_lost = self->n_discarded, i;

  io_lock ();
  io_wait_for (to->received->len == self->n_taken - n_lost);
  for (i = 0; i < to->received->len; i++)
    io_buffer_assert (g_ptr_array_index (to->received, i), i + n_lost,
        packet_size (i + n_lost, self->segment));
  io_unlock ();
}

static void
case_run (const Case *self)
{
  g_autoptr (GPtrArray) buffers = case_buffers (self);
  IceSendBatch batch = { buffers->pdata, buffers->len, 0 };
  g_autoptr (GError) error = NULL;
  guint n_discarded, n_taken;
  gint limit;
  IoPeer from, to;

  g_test_message ("%s", self->name);
  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  limit = ice_socket_get_segment_limit (from.socket);
  script_set (self->errors, MAX_FAULTS, self->only_segmented);
  n_taken = ice_socket_send_batch (
      from.socket, &to.address, &batch, &n_discarded, &error);
  g_assert_cmpuint (n_taken, ==, self->n_taken);
  g_assert_cmpuint (n_discarded, ==, self->n_discarded);
  if (self->error < 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, G_IO_ERROR, self->error);
  g_assert_cmpint (ice_socket_get_segment_limit (from.socket), ==,
      self->limit_after >= 0 ? self->limit_after : limit);
  case_assert_received (self, &to);

  if (self->error == G_IO_ERROR_WOULD_BLOCK) {
    io_lock ();
    io_wait_for (from.n_writable == 1);
    io_unlock ();
  }
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static void
test_send_batch (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    case_run (&cases[i]);
}

/* What the device cannot do is asked of it once. */
static void
test_remembers (void)
{
  const Case *no_offload = &cases[11];
  g_autoptr (GPtrArray) buffers = case_buffers (no_offload);
  IceSendBatch batch = { buffers->pdata, buffers->len, 0 };
  IoPeer from, to;
  guint i;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  script_set (no_offload->errors, MAX_FAULTS, TRUE);
  for (i = 0; i < 3; i++)
    g_assert_cmpuint (
        ice_socket_send_batch (from.socket, &to.address, &batch, NULL, NULL),
        ==, N_PACKETS);
  io_lock ();
  /* One refusal and its repetition, then one call a batch. */
  g_assert_cmpuint (script.n_calls, ==, 4);
  io_wait_for (to.received->len == 3 * N_PACKETS);
  io_unlock ();
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static void
test_send (void)
{
  static const struct
  {
    gint errors[MAX_FAULTS];
    gboolean sent;
  } sends[] = {
    { { 0 }, TRUE },
    { { EINTR }, TRUE },
    { { ECONNREFUSED }, TRUE },
    { { EMSGSIZE, ECONNREFUSED }, TRUE },
    { { EPERM }, FALSE },
    { { EAGAIN }, FALSE },
    { { ENOBUFS }, FALSE },
    { { EPIPE }, FALSE },
  };
  guint i, n_sent = 0;
  IoPeer from, to;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  for (i = 0; i < G_N_ELEMENTS (sends); i++) {
    script_set (sends[i].errors, MAX_FAULTS, FALSE);
    g_assert_cmpint (
        ice_socket_send (from.socket, &to.address, ICE_BYTES ("check", 5)), ==,
        sends[i].sent);
    n_sent += sends[i].sent;
  }
  io_lock ();
  io_wait_for (to.received->len == n_sent);
  io_unlock ();
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/socket-faults/send-batch", test_send_batch);
  g_test_add_func ("/socket-faults/remembers", test_remembers);
  g_test_add_func ("/socket-faults/send", test_send);
  return g_test_run ();
}
