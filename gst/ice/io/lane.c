/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <poll.h>
#include <unistd.h>
#ifdef HAVE_UDP_BATCH_LINUX
#include <sys/eventfd.h>
#endif

#include "bind.h"
#include "io-log.h"
#include "lane.h"
#include "loop-private.h"
#include "socket-private.h"

/* Of one port. Kernels before Linux 6.13 walk through all sockets of a port for
 * each packet; and of two lanes to one address the newest takes all. */
#define MAX_LANES 16

/* Control packets that a reader found and the loop has not seen yet: consent
 * and checks are a few a second, all else is somebody's flood. */
#define MAX_STRAYS 256

/* As in socket.c: one datagram, or what UDP_GRO made of many. */
#define RX_ROOM (64 * 1024)

/* What a full receive buffer holds is less. */
#define MAX_DRAIN_READS 8

/* What the loop needs for it, in us. */
#define ERROR_PAUSE 50

/* How long a reader may stay away before the loop reads again: long enough for
 * a frame to be pushed downstream, and short for a check that waits. */
#define MAX_AWAY (50 * ICE_MSEC)
/* As little as that where much comes, for what waits is in the kernel's buffer:
 * of 208 KiB, as systems come, this many bytes are a safe part. */
#define MIN_AWAY (4 * ICE_MSEC)
#define AWAY_BYTES (32 * 1024)

typedef enum
{
  LANE_LOOP,   /* the loop reads */
  LANE_WANTED, /* likewise; at the next packet the reader takes over */
  LANE_FREE,   /* the reader's, who is elsewhere */
  LANE_BUSY,   /* the reader's, who is inside */
  LANE_CLOSED,
} LaneState;

struct _IceLane
{
  gatomicrefcount ref_count;
  IceSocket *socket; /* (owned) */
  gint wake_fd;      /* (owned) */

  gint state;      /* (atomic) LaneState */
  guint n_visits;  /* (atomic) */
  guint n_bytes;   /* (atomic) since the loop looked */
  gint has_errors; /* (atomic) the loop is going to take them */
  gint unwatched;  /* (atomic) the loop does not look: who leaves has it look */

  /* The loop's. */
  IceTimer *timer; /* (owned) (nullable) closed: none */
  guint n_visits_before;
  IceLoopFunc handed_over;
  gpointer user_data; /* (unowned) */

  /* Whose state it is. */
  IceRxPool *pool; /* (owned) (nullable) made on first use */
  gsize n_used;    /* of it, by what was read last */
};

static gboolean
lane_change (IceLane *self, LaneState from, LaneState to)
{
  return g_atomic_int_compare_and_exchange (&self->state, from, to);
}

/* Opening */

/* What is not Linux has no lanes. */
static gint
wake_fd_new (void)
{
#ifdef HAVE_UDP_BATCH_LINUX
  return eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
#else
  return -1;
#endif
}

static void
set_reuse_port (IceSocket *socket, gboolean on)
{
#ifdef SO_REUSEPORT
  g_socket_set_option (socket->gsocket, SOL_SOCKET, SO_REUSEPORT, on, NULL);
#endif
}

/* Only while the new one is bound: no other process is to join. */
static void
set_reuse_port_of_all (IceSocket *base, gboolean on)
{
  guint i;

  set_reuse_port (base, on);
  for (i = 0; base->lanes != NULL && i < base->lanes->len; i++)
    set_reuse_port (g_ptr_array_index (base->lanes, i), on);
}

static gboolean
connect_to (IceSocket *self, const IceAddress *to, GError **error)
{
  IceNativeAddress native;
  socklen_t native_size = ice_address_to_native (to, &native);

  if (connect (self->fd, &native.any, native_size) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "connect: %s",
      g_strerror (errno));
  return FALSE;
}

static gboolean
open_second (
    IceSocket *self, IceSocket *base, const IceAddress *to, GError **error)
{
  const IceSocketOptions any = { 0 };
  gboolean bound;

  if (!ice_socket_create (self, &base->local, error))
    return FALSE;
  set_reuse_port_of_all (base, TRUE);
  bound = ice_bind (self->gsocket, &base->local, &any, TRUE, error) &&
      connect_to (self, to, error);
  set_reuse_port (self, FALSE);
  set_reuse_port_of_all (base, FALSE);
  return bound;
}

static gboolean
may_open (IceSocket *base, const IceAddress *to, GError **error)
{
  guint i;

  if (!base->udp->connects) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "sockets are not connected here");
    return FALSE;
  }
  for (i = 0; base->lanes != NULL && i < base->lanes->len; i++) {
    const IceSocket *lane = g_ptr_array_index (base->lanes, i);

    if (i + 1 < MAX_LANES && !ice_address_equal (&lane->to, to))
      continue;
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
        "the port has a connected socket to there, or enough of them");
    return FALSE;
  }
  return TRUE;
}

static IceSocket *
open_socket (IceSocket *base, const IceAddress *to, GError **error)
{
  g_autoptr (IceSocket) self = NULL;

  if (!may_open (base, to, error))
    return NULL;
  self = ice_socket_alloc (ICE_UDP_BATCH_DEFAULT);
  self->udp = base->udp;
  self->local = base->local;
  self->to = *to;
  self->base = ice_socket_ref (base);
  if (!open_second (self, base, to, error))
    return NULL;
  ice_socket_set_segment_limit (self, ice_socket_get_segment_limit (base));
  ice_socket_set_dscp (self, g_atomic_int_get (&base->dscp));
  self->dont_fragment = base->dont_fragment;
  if (self->dont_fragment)
    self->udp->set_dont_fragment (self, TRUE);
  return g_steal_pointer (&self);
}

static gboolean may_loop_read (gpointer user_data);
static void look (gpointer user_data);

IceLane *
ice_lane_open (IceSocket *base, const IceAddress *to, IceLoopFunc handed_over,
    gpointer user_data, GError **error)
{
  g_autoptr (IceLane) self = NULL;
  g_autoptr (IceSocket) socket = NULL;

  g_return_val_if_fail (ice_loop_is_current (base->loop), NULL);

  socket = open_socket (base, to, error);
  if (socket == NULL)
    return NULL;
  self = g_new0 (IceLane, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->state = LANE_LOOP;
  self->handed_over = handed_over;
  self->user_data = user_data;
  self->socket = ice_socket_ref (socket);
  socket->may_read = may_loop_read;
  socket->may_read_data = self;
  self->wake_fd = wake_fd_new ();
  if (self->wake_fd < 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES,
        "no descriptor left for an event");
    return NULL;
  }
  if (!ice_socket_start (socket, base->loop, error))
    return NULL;

  if (base->lanes == NULL)
    base->lanes = g_ptr_array_new ();
  g_ptr_array_add (base->lanes, socket);
  self->timer = ice_timer_new (base->loop, look, self);
  return g_steal_pointer (&self);
}

void
ice_lane_settle (IceLane *self)
{
  IceSocket *base = self->socket->base;

  if (!ice_socket_is_closed (base))
    ice_socket_receive (base);
}

IceLane *
ice_lane_ref (IceLane *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
ice_lane_unref (IceLane *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->pool, ice_rx_pool_free);
  if (self->wake_fd >= 0)
    close (self->wake_fd);
  ice_socket_unref (self->socket);
  g_free (self);
}

IceSocket *
ice_lane_get_socket (IceLane *self)
{
  return self->socket;
}

/* The loop's side */

static void
look_again (IceLane *self, guint n_bytes)
{
  const IceTime away =
      n_bytes > AWAY_BYTES ? MAX_AWAY * AWAY_BYTES / n_bytes : MAX_AWAY;

  ice_timer_set (self->timer, ice_loop_now () + MAX (away, MIN_AWAY));
}

/* What the loop does with readiness for a reader is to hand over. */
static gboolean
may_loop_read (gpointer user_data)
{
  IceLane *self = user_data;

  if (g_atomic_int_get (&self->state) == LANE_LOOP)
    return TRUE;
  self->socket->paused = TRUE;
  ice_socket_update_watch (self->socket);
  if (lane_change (self, LANE_WANTED, LANE_FREE)) {
    self->n_visits_before = g_atomic_int_get (&self->n_visits);
    look_again (self, 0);
    if (self->handed_over != NULL)
      self->handed_over (self->user_data);
  }
  return FALSE;
}

static void
take_back (IceLane *self)
{
  self->socket->paused = FALSE;
  ice_socket_update_watch (self->socket);
  if (self->socket->watch != NULL)
    return;
  /* The kernel cannot watch it now: later, unless the reader comes back. */
  self->socket->paused = TRUE;
  if (lane_change (self, LANE_LOOP, LANE_FREE) ||
      lane_change (self, LANE_WANTED, LANE_FREE))
    look_again (self, 0);
}

/* Was the reader there since the last time? One that waits inside for long
 * needs no looking after; it says when it leaves. */
static void
look (gpointer user_data)
{
  IceLane *self = user_data;
  const guint n_visits = g_atomic_int_get (&self->n_visits);
  const gboolean visited = n_visits != self->n_visits_before;
  const guint n_bytes = g_atomic_int_and (&self->n_bytes, 0);

  self->n_visits_before = n_visits;
  if (visited) {
    look_again (self, n_bytes);
  } else if (lane_change (self, LANE_FREE, LANE_LOOP)) {
    take_back (self);
  } else if (g_atomic_int_get (&self->state) >= LANE_FREE) {
    g_atomic_int_set (&self->unwatched, TRUE);
    /* It may have left just before. */
    if (g_atomic_int_get (&self->state) == LANE_FREE &&
        g_atomic_int_compare_and_exchange (&self->unwatched, TRUE, FALSE))
      look_again (self, 0);
  }
}

static void
look_now (gpointer user_data)
{
  IceLane *self = user_data;

  if (self->timer != NULL)
    look_again (self, 0);
}

static void
take_errors (gpointer user_data)
{
  IceLane *self = user_data;

  g_atomic_int_set (&self->has_errors, FALSE);
  if (!ice_socket_is_closed (self->socket))
    ice_socket_take_errors (self->socket);
}

static void
unref_lane (gpointer user_data)
{
  ice_lane_unref (user_data);
}

static void
invoke (IceLane *self, IceLoopFunc func)
{
  g_autoptr (IceLoop) loop = ice_socket_dup_loop (self->socket);

  if (loop != NULL)
    ice_loop_invoke (loop, func, ice_lane_ref (self), unref_lane);
}

/* The reader's side */

gboolean
ice_lane_enter (IceLane *self)
{
  if (lane_change (self, LANE_FREE, LANE_BUSY)) {
    g_atomic_int_inc (&self->n_visits);
    return TRUE;
  }
  lane_change (self, LANE_LOOP, LANE_WANTED);
  return FALSE;
}

/* What is left in a closed lane. */
static void
drain (IceLane *self)
{
  IceRxPacket *packets;
  guint i, n, n_reads = 0;

  /* More may come as long as somebody else holds the descriptor. */
  while (
      n_reads++ < MAX_DRAIN_READS && (n = ice_lane_read (self, &packets)) > 0) {
    for (i = 0; i < n; i++)
      ice_lane_pass_on (self, &packets[i]);
    ice_lane_done (self);
  }
}

void
ice_lane_leave (IceLane *self)
{
  if (!lane_change (self, LANE_BUSY, LANE_FREE)) {
    drain (self);
    return;
  }
  if (g_atomic_int_compare_and_exchange (&self->unwatched, TRUE, FALSE))
    invoke (self, look_now);
}

void
ice_lane_close (IceLane *self)
{
  LaneState state;

  if (self->timer == NULL)
    return;
  g_clear_pointer (&self->timer, ice_timer_free);
  do
    state = g_atomic_int_get (&self->state);
  while (!lane_change (self, state, LANE_CLOSED));
  /* Senders and the reader find it closed; the latter drains it. */
  self->socket->may_read = NULL;
  ice_socket_close (self->socket);
  if (state != LANE_BUSY)
    drain (self);
}

/* Reading */

void
ice_lane_wake (IceLane *self)
{
#ifdef HAVE_UDP_BATCH_LINUX
  eventfd_write (self->wake_fd, 1);
#endif
}

static void
forget_wakes (IceLane *self)
{
#ifdef HAVE_UDP_BATCH_LINUX
  eventfd_t count;

  eventfd_read (self->wake_fd, &count);
#endif
}

/* ICMP's answers are the loop's to judge. Until it has taken them the socket
 * seems to be ready. */
static void
report_errors (IceLane *self)
{
  if (g_atomic_int_compare_and_exchange (&self->has_errors, FALSE, TRUE))
    invoke (self, take_errors);
  g_usleep (ERROR_PAUSE);
}

IceLaneNews
ice_lane_wait (IceLane *self, IceTime timeout)
{
  struct pollfd fds[] = { { self->socket->fd, POLLIN, 0 },
    { self->wake_fd, POLLIN, 0 } };
  IceLaneNews news = ICE_LANE_TIMEOUT;
  /* Rounded up: waking early would only wait again. */
  const gint timeout_ms = timeout == ICE_TIME_NEVER
      ? -1
      : (gint) MIN ((timeout + ICE_MSEC - 1) / ICE_MSEC, G_MAXINT);

  if (poll (fds, 2, timeout_ms) <= 0)
    return news;
  if (fds[1].revents != 0) {
    forget_wakes (self);
    news |= ICE_LANE_WOKEN;
  }
  if (fds[0].revents & POLLERR)
    report_errors (self);
  if (fds[0].revents != 0)
    news |= ICE_LANE_PACKETS;
  return news;
}

void
ice_lane_nap (IceLane *self, IceTime time)
{
#ifdef HAVE_UDP_BATCH_LINUX
  struct pollfd fd = { self->wake_fd, POLLIN, 0 };
  const struct timespec ts = { .tv_sec = time / ICE_SECOND,
    .tv_nsec = time % ICE_SECOND * 1000 };

  ppoll (&fd, 1, &ts, NULL);
#endif
}

guint
ice_lane_read (IceLane *self, IceRxPacket **ret_packets)
{
  IceUdpRx rx = { 0 };

  if (self->pool == NULL)
    self->pool = ice_rx_pool_new ();
  rx.packets = *ret_packets = ice_rx_pool_get_packets (self->pool);
  rx.slab = ice_rx_pool_prepare (self->pool, RX_ROOM, &rx.data, &rx.size);
  self->socket->udp->receive (self->socket, &rx);
  self->n_used = rx.used;
  g_atomic_int_add (&self->n_bytes, (guint) rx.used);
  if (rx.n_packets == 0)
    ice_lane_done (self);
  return rx.n_packets;
}

void
ice_lane_done (IceLane *self)
{
  ice_rx_pool_commit (self->pool, self->n_used);
  self->n_used = 0;
}

/* Strays */

typedef struct
{
  IceSocket *base; /* (owned) */
  IceRxPacket packet;
  guint8 data[];
} Stray;

static void
stray_free (gpointer data)
{
  Stray *self = data;

  ice_socket_unref (self->base);
  g_free (self);
}

static void
stray_arrives (gpointer data)
{
  Stray *self = data;
  IceSocket *base = self->base;

  g_atomic_int_add (&base->n_strays, -1);
  if (!ice_socket_is_closed (base))
    base->events.packets (base, &self->packet, 1, base->user_data);
}

void
ice_lane_pass_on (IceLane *self, const IceRxPacket *packet)
{
  IceSocket *base = self->socket->base;
  g_autoptr (IceLoop) loop = ice_socket_dup_loop (base);
  Stray *stray;

  if (loop == NULL)
    return;
  if (g_atomic_int_add (&base->n_strays, 1) >= MAX_STRAYS) {
    g_atomic_int_add (&base->n_strays, -1);
    GST_LOG ("a packet too many for the loop");
    return;
  }
  stray = g_malloc (sizeof *stray + packet->data.size);
  stray->base = ice_socket_ref (base);
  stray->packet = *packet;
  stray->packet.slab = NULL;
  stray->packet.data.data = stray->data;
  memcpy (stray->data, packet->data.data, packet->data.size);
  ice_loop_invoke (loop, stray_arrives, stray, stray_free);
}
