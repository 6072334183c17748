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

typedef enum
{
  SCRIPT_SEND,
  SCRIPT_RECEIVE,
} ScriptKind;

typedef struct
{
  ScriptKind kind;
  gint errors[MAX_FAULTS]; /* errno of the next calls; 0: the real call */
  guint next;
  gboolean only_segmented; /* applies to UDP_SEGMENT messages alone */
  guint n_calls;
  guint n_messages; /* that were sent, each a packet or a run of them */
} Script;

/* Under io_lock. */
static Script script;

static void
script_set (ScriptKind kind, const gint *errors, gboolean only_segmented)
{
  io_lock ();
  memset (&script, 0, sizeof script);
  script.kind = kind;
  memcpy (script.errors, errors, sizeof script.errors);
  script.only_segmented = only_segmented;
  io_unlock ();
}

static gint
script_take (ScriptKind kind, gboolean segmented)
{
  gint error = 0;

  io_lock ();
  if (script.kind == kind) {
    script.n_calls++;
    if (script.next < MAX_FAULTS && (segmented || !script.only_segmented))
      error = script.errors[script.next++];
  }
  io_unlock ();
  return error;
}

int __real_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags);
int __wrap_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags);
ssize_t __real_sendmsg (int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg (int fd, const struct msghdr *message, int flags);
int __real_recvmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags,
    struct timespec *timeout);
int __wrap_recvmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags,
    struct timespec *timeout);
gint __real_g_socket_send_messages (GSocket *socket, GOutputMessage *messages,
    guint n, gint flags, GCancellable *cancellable, GError **error);
gint __wrap_g_socket_send_messages (GSocket *socket, GOutputMessage *messages,
    guint n, gint flags, GCancellable *cancellable, GError **error);

int
__wrap_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags)
{
  gint error =
      script_take (SCRIPT_SEND, messages[0].msg_hdr.msg_controllen > 0);

  io_lock ();
  script.n_messages += n;
  io_unlock ();
  if (error == 0)
    return __real_sendmmsg (fd, messages, n, flags);
  errno = error;
  return -1;
}

ssize_t
__wrap_sendmsg (int fd, const struct msghdr *message, int flags)
{
  gint error = script_take (SCRIPT_SEND, FALSE);

  io_lock ();
  script.n_messages++;
  io_unlock ();
  if (error == 0)
    return __real_sendmsg (fd, message, flags);
  errno = error;
  return -1;
}

int
__wrap_recvmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags,
    struct timespec *timeout)
{
  gint error = script_take (SCRIPT_RECEIVE, FALSE);

  if (error == 0)
    return __real_recvmmsg (fd, messages, n, flags, timeout);
  errno = error;
  return -1;
}

gint
__wrap_g_socket_send_messages (GSocket *socket, GOutputMessage *messages,
    guint n, gint flags, GCancellable *cancellable, GError **error)
{
  gint fault = script_take (SCRIPT_SEND, FALSE);

  if (fault == 0)
    return __real_g_socket_send_messages (
        socket, messages, n, flags, cancellable, error);
  g_set_error_literal (error, G_IO_ERROR, (gint) g_io_error_from_errno (fault),
      g_strerror (fault));
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

/* GSocket knows no runs: what is refused is one packet. */
static const Case generic_cases[] = {
  { "nothing", { 0 }, FALSE, 1200, 10, 0, -1, -1 },
  { "EPERM", { EPERM }, FALSE, 1200, 10, 1, -1, -1 },
  { "ENOBUFS twice", { ENOBUFS, ENOBUFS }, FALSE, 1200, 10, 2, -1, -1 },
  { "full", { EAGAIN }, FALSE, 1200, 0, 0, G_IO_ERROR_WOULD_BLOCK, -1 },
  { "too large", { EMSGSIZE }, FALSE, 1200, 0, 0, G_IO_ERROR_MESSAGE_TOO_LARGE,
      -1 },
  { "shut down", { EPIPE }, FALSE, 1200, 0, 0, G_IO_ERROR_CLOSED, -1 },
};

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

/* Who was told that the socket is full hears when it is not. */
static void
case_assert_writable (const Case *self, IoPeer *from)
{
  if (self->error != G_IO_ERROR_WOULD_BLOCK)
    return;
  io_lock ();
  io_wait_for (from->n_writable == 1);
  io_unlock ();
}

static void
case_run (const Case *self, IceUdpBatch udp_batch)
{
  IceSocketOptions options = { .dscp = -1, .batch = udp_batch };
  g_autoptr (GPtrArray) buffers = case_buffers (self);
  IceSendBatch batch = { buffers->pdata, buffers->len, 0 };
  g_autoptr (GError) error = NULL;
  guint n_discarded, n_taken;
  gint limit;
  IoPeer from, to;

  g_test_message ("%s", self->name);
  io_peer_init (&from, "127.0.0.1", &options);
  io_peer_init (&to, "127.0.0.1", NULL);
  limit = ice_socket_get_segment_limit (from.socket);
  script_set (SCRIPT_SEND, self->errors, self->only_segmented);
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
  case_assert_writable (self, &from);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static void
test_send_batch (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    case_run (&cases[i], ICE_UDP_BATCH_LINUX);
}

static void
test_send_batch_generic (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (generic_cases); i++)
    case_run (&generic_cases[i], ICE_UDP_BATCH_GENERIC);
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
  script_set (SCRIPT_SEND, no_offload->errors, TRUE);
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

#define N_MARKED 32

static gint
mark_by_offset (GstBuffer *buffer, guint8 dscp)
{
  return (gint) GST_BUFFER_OFFSET (buffer) - 1;
}

/* A run of packets ends where the mark changes, and only there (RFC 3168 5). */
static void
test_marks (void)
{
  static const struct
  {
    guint run; /* packets of one mark */
    gint first, second;
    guint n_messages;
  } rows[] = { { N_MARKED, -1, -1, 1 }, { N_MARKED, 0xb9, 0xb9, 1 },
    { N_MARKED / 2, 0xb9, 0x03, 2 }, { N_MARKED / 4, -1, 0x01, 4 },
    { 1, 0x02, 0x01, N_MARKED } };

  for (guint ipv6 = 0; ipv6 < 2; ipv6++) {
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
      static const gint no_errors[MAX_FAULTS] = { 0 };
      g_autoptr (GPtrArray) buffers =
          g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
      IceSendBatch batch = { .mark = mark_by_offset };
      IoPeer from, to;

      for (guint j = 0; j < N_MARKED; j++) {
        GstBuffer *buffer = io_buffer_new (j, 300, 1);
        const gint mark =
            j / rows[i].run % 2 == 0 ? rows[i].first : rows[i].second;

        GST_BUFFER_OFFSET (buffer) = (guint64) (mark + 1);
        g_ptr_array_add (buffers, buffer);
      }
      batch.buffers = buffers->pdata;
      batch.n_buffers = buffers->len;
      io_peer_init (&from, ipv6 ? "::1" : "127.0.0.1", NULL);
      io_peer_init (&to, ipv6 ? "::1" : "127.0.0.1", NULL);
      script_set (SCRIPT_SEND, no_errors, FALSE);
      g_assert_cmpuint (
          ice_socket_send_batch (from.socket, &to.address, &batch, NULL, NULL),
          ==, N_MARKED);
      io_lock ();
      g_assert_cmpuint (script.n_messages, ==, rows[i].n_messages);
      io_wait_for (to.received->len == N_MARKED);
      for (guint j = 0; j < N_MARKED; j++) {
        const gint mark =
            j / rows[i].run % 2 == 0 ? rows[i].first : rows[i].second;

        g_assert_cmpuint (
            g_array_index (to.packets, IceRxPacket, j).traffic_class, ==,
            (guint) MAX (mark, 0));
      }
      io_unlock ();
      io_peer_clear (&from);
      io_peer_clear (&to);
    }
  }
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
    script_set (SCRIPT_SEND, sends[i].errors, FALSE);
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

/* Errors of receiving pass; the packets behind them do not get lost. */
static void
test_receive (void)
{
  static const gint errors[MAX_FAULTS] = { ECONNREFUSED, EINTR, EHOSTUNREACH,
    ECONNREFUSED, ENOMEM, ECONNREFUSED, EINTR, ECONNREFUSED };
  IoPeer from, to;
  guint i;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  script_set (SCRIPT_RECEIVE, errors, FALSE);
  for (i = 0; i < 20; i++)
    g_assert_true (
        ice_socket_send (from.socket, &to.address, ICE_BYTES ("check", 5)));
  io_lock ();
  io_wait_for (to.received->len == 20);
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
  g_test_add_func (
      "/socket-faults/send-batch-generic", test_send_batch_generic);
  g_test_add_func ("/socket-faults/remembers", test_remembers);
  g_test_add_func ("/socket-faults/marks", test_marks);
  g_test_add_func ("/socket-faults/send", test_send);
  g_test_add_func ("/socket-faults/receive", test_receive);
  return g_test_run ();
}
