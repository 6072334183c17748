/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-net-private.h"

#include <string.h>

/* RFC 6298 2.1: the first SYN is repeated after a second, then after twice as
 * much. */
#define SYN_GAP (1 * ICE_SECOND)
#define MAX_SYNS 5
/* What is lost is sent again after so long, then after twice as much. */
#define RTO (200 * ICE_MSEC)
#define MAX_RESENDS 6
#define LATE_MAX (1 * ICE_SECOND)
/* While nothing passes it is tried again and again, until the kernel gives up.
 */
#define STUCK_GAP (500 * ICE_MSEC)
#define MAX_STUCK 80

/* One end, or a listener. It stays until the net goes. */
struct _SimStream
{
  SimNode *node; /* (unowned) */
  const SimStreamOwner *owner;
  gpointer user;
  guint id;
  IceAddress local, remote; /* as this end sees them */
  SimStream *peer;          /* (unowned) (nullable) of a connection */
  gboolean listens, opened, closed;
  guint n_syns, n_stuck;
  GQueue frames;   /* (owned) Frame: on their way from here */
  IceTime last_at; /* when the last one arrives */
};

typedef struct
{
  IceTime at;
  gboolean end; /* FIN, behind all that was sent */
  gsize size;
  guint8 data[];
} Frame;

/* A SYN that arrives. */
typedef struct
{
  SimStream *stream; /* (unowned) whose */
  SimNode *node;     /* (unowned) where */
  IceAddress source, target;
} Syn;

const gchar *
sim_stream_fault_to_string (SimStreamFault fault)
{
  static const gchar *const names[SIM_STREAM_N_FAULTS] = { "works", "refused",
    "lost", "mute" };

  return names[fault];
}

void
sim_node_set_stream_fault (SimNode *self, SimStreamFault fault)
{
  self->stream_fault = fault;
}

void
sim_node_set_udp (SimNode *self, gboolean works)
{
  self->no_udp = !works;
}

void
sim_stream_free (SimStream *self)
{
  g_queue_clear_full (&self->frames, g_free);
  g_free (self);
}

static SimStream *
stream_new (SimNode *node, const IceAddress *local, const SimStreamOwner *owner,
    gpointer user, guint id)
{
  SimStream *self = g_new0 (SimStream, 1);

  self->node = node;
  self->owner = owner;
  self->user = user;
  self->id = id;
  self->local = *local;
  g_queue_init (&self->frames);
  g_ptr_array_add (node->net->streams, self);
  return self;
}

static SimStream *
find_stream (SimNet *net, gpointer user, guint id)
{
  for (guint i = net->streams->len; i-- > 0;) {
    SimStream *stream = g_ptr_array_index (net->streams, i);

    if (stream->user == user && stream->id == id && !stream->closed)
      return stream;
  }
  return NULL;
}

static void
trace_stream (const SimStream *self, const gchar *what)
{
  gchar local[ICE_ADDRESS_STRLEN], remote[ICE_ADDRESS_STRLEN];

  sim_net_trace (self->node->net, "stream  %s %s -> %s: %s", self->node->name,
      ice_address_to_string (&self->local, local),
      ice_address_to_string (&self->remote, remote), what);
}

/* Opening. */

void
sim_stream_listen (SimNode *node, guint16 port, const SimStreamOwner *owner,
    gpointer user, guint id)
{
  IceAddress local = node->ip;

  local.port = port;
  stream_new (node, &local, owner, user, id)->listens = TRUE;
}

static void
fail (SimStream *self, const gchar *reason)
{
  if (self->closed || self->opened)
    return;
  trace_stream (self, reason);
  self->closed = TRUE;
  self->owner->failed (self->user, self->id, reason);
}

static void
refused (gpointer user)
{
  fail (user, "refused");
}

static void
opened (gpointer user)
{
  SimStream *self = user;

  if (self->closed || self->opened)
    return;
  trace_stream (self, "opened");
  self->opened = TRUE;
  self->owner->opened (self->user, self->id, &self->local);
}

static void
link_ends (SimStream *a, SimStream *b)
{
  a->peer = b;
  b->peer = a;
}

/* A listener, or one that is being opened just the other way round. */
static SimStream *
find_at (const Syn *syn, gboolean listens)
{
  GPtrArray *streams = syn->node->net->streams;

  for (guint i = 0; i < streams->len; i++) {
    SimStream *stream = g_ptr_array_index (streams, i);

    if (stream->node == syn->node && !stream->closed && !stream->opened &&
        stream->listens == listens && stream->peer == NULL &&
        ice_address_equal (&stream->local, &syn->target) &&
        (listens || ice_address_equal (&stream->remote, &syn->source)))
      return stream;
  }
  return NULL;
}

/* Between two addresses with ports there can be but one connection: who has one
 * with somebody in the middle does not take another. */
static gboolean
is_taken (const Syn *syn)
{
  GPtrArray *streams = syn->node->net->streams;

  for (guint i = 0; i < streams->len; i++) {
    const SimStream *stream = g_ptr_array_index (streams, i);

    if (stream->node == syn->node && !stream->closed && stream->opened &&
        stream->peer == NULL &&
        ice_address_equal (&stream->local, &syn->target) &&
        ice_address_equal (&stream->remote, &syn->source))
      return TRUE;
  }
  return FALSE;
}

static void
accept_syn (const Syn *syn, SimStream *listener)
{
  guint id =
      listener->owner->accept (listener->user, listener->id, &syn->source);
  SimStream *end;

  if (id == 0)
    return;
  end = stream_new (
      syn->node, &listener->local, listener->owner, listener->user, id);
  end->remote = syn->source;
  end->opened = TRUE;
  link_ends (syn->stream, end);
  trace_stream (end, "accepted");
  listener->owner->accepted (listener->user);
}

static void
arrive (gpointer user)
{
  const Syn *syn = user;
  SimNode *node = syn->node;
  SimNet *net = node->net;
  IceTime back = net->now + node->link.delay + syn->stream->node->link.delay;
  SimStream *crossing = find_at (syn, FALSE), *listener = find_at (syn, TRUE);

  if (syn->stream->closed || syn->stream->peer || syn->stream->opened ||
      node->dead || node->stream_fault == SIM_STREAM_LOST || is_taken (syn))
    return;
  if (node->stream_fault == SIM_STREAM_REFUSED || (!crossing && !listener)) {
    sim_net_at (net, back, refused, syn->stream, NULL);
    return;
  }
  if (crossing && node->stream_fault == SIM_STREAM_WORKS) {
    link_ends (syn->stream, crossing);
    opened (crossing);
  } else if (node->stream_fault == SIM_STREAM_WORKS) {
    accept_syn (syn, listener);
  }
  sim_net_at (net, back, opened, syn->stream, NULL);
}

static guint
dice (gpointer user, guint n)
{
  return sim_net_pick (user, n);
}

static gboolean
pass (SimNode *from, SimNode *to, gsize size, IceTime *ret_time)
{
  SimNet *net = from->net;
  IceTime up, down;

  *ret_time = from->link.delay + to->link.delay;
  if (!sim_link_pass (
          &from->link, &from->weather, FALSE, size, net->now, dice, net, &up) ||
      !sim_link_pass (
          &to->link, &to->weather, TRUE, size, net->now, dice, net, &down))
    return FALSE;
  *ret_time = up + down;
  return TRUE;
}

static void
send_syn (gpointer user)
{
  SimStream *self = user;
  SimNet *net = self->node->net;
  Syn syn = { self, NULL, self->local, self->remote };
  IceTime time;

  if (self->closed || self->opened || self->peer)
    return;
  if (++self->n_syns > MAX_SYNS) {
    fail (self, "timed out");
    return;
  }
  sim_net_at (
      net, net->now + (SYN_GAP << (self->n_syns - 1)), send_syn, self, NULL);
  if (self->node->dead || self->node->mute)
    return;
  syn.node = sim_net_route (self->node, &syn.source, &syn.target);
  trace_stream (self, syn.node ? "SYN" : "SYN, to nowhere");
  if (syn.node && pass (self->node, syn.node, 40, &time))
    sim_net_at (
        net, net->now + time, arrive, g_memdup2 (&syn, sizeof syn), g_free);
}

void
sim_stream_connect (SimNode *node, const IceAddress *local,
    const IceAddress *remote, const SimStreamOwner *owner, gpointer user,
    guint id)
{
  SimStream *self = stream_new (node, local, owner, user, id);

  self->remote = *remote;
  sim_net_at (node->net, node->net->now, send_syn, self, NULL);
}

/* Carrying. */

typedef enum
{
  WAY_OPEN,
  WAY_CLOSED,
  WAY_LOST, /* who is there knows nothing of it */
} Way;

static Way
find_way (const SimStream *self)
{
  const SimStream *peer = self->peer;
  IceAddress source = self->local, target = self->remote;
  SimNode *node;

  if (self->node->dead || self->node->mute || peer->node->dead)
    return WAY_CLOSED;
  if (!peer->opened)
    return peer->closed ? WAY_LOST : WAY_CLOSED;
  node = sim_net_route (self->node, &source, &target);
  if (node == NULL)
    return WAY_CLOSED;
  return peer->closed || node != peer->node ||
          !ice_address_equal (&source, &peer->remote)
      ? WAY_LOST
      : WAY_OPEN;
}

static void
end (SimStream *self)
{
  if (self->closed)
    return;
  trace_stream (self, "ended");
  self->closed = TRUE;
  self->owner->ended (self->user, self->id);
}

static void
deliver (SimStream *self, const Frame *frame)
{
  if (frame->end)
    end (self);
  else
    self->owner->frame (self->user, self->id, &self->remote,
        ICE_BYTES (frame->data, frame->size));
}

static void
flow (gpointer user)
{
  SimStream *self = user, *peer = self->peer;
  SimNet *net = self->node->net;
  Frame *frame;

  switch (find_way (self)) {
    case WAY_OPEN:
      self->n_stuck = 0;
      frame = g_queue_pop_head (&self->frames);
      deliver (peer, frame);
      g_free (frame);
      break;
    case WAY_CLOSED:
      if (++self->n_stuck <= MAX_STUCK) {
        sim_net_at (net, net->now + STUCK_GAP, flow, self, NULL);
        return;
      }
      G_GNUC_FALLTHROUGH;
    case WAY_LOST:
      g_queue_clear_full (&self->frames, g_free);
      end (self);
      break;
  }
  frame = g_queue_peek_head (&self->frames);
  if (frame)
    sim_net_at (net, MAX (frame->at, net->now), flow, self, NULL);
}

static void
push (SimStream *self, IceBytes data, gboolean is_end)
{
  SimNet *net = self->node->net;
  Frame *frame;
  IceTime late = 0, time;

  if (self->peer == NULL)
    return;
  for (guint n = 0; n < MAX_RESENDS; n++) {
    if (pass (self->node, self->peer->node, data.size + 40, &time))
      break;
    late += RTO << n;
  }
  /* What is very late is overtaken by what is sent again. */
  time = MIN (time, LATE_MAX);
  frame = g_malloc (sizeof *frame + data.size);
  self->last_at = MAX (self->last_at, net->now + late + time);
  frame->at = self->last_at;
  frame->end = is_end;
  frame->size = data.size;
  if (data.size)
    memcpy (frame->data, data.data, data.size);
  g_queue_push_tail (&self->frames, frame);
  if (self->frames.length == 1)
    sim_net_at (net, frame->at, flow, self, NULL);
}

void
sim_stream_send (SimNet *net, gpointer user, guint id, IceBytes data)
{
  SimStream *self = find_stream (net, user, id);

  if (self && self->opened)
    push (self, data, FALSE);
}

void
sim_stream_close (SimNet *net, gpointer user, guint id)
{
  SimStream *self = find_stream (net, user, id);

  if (self == NULL)
    return;
  trace_stream (self, "closed");
  self->closed = TRUE;
  push (self, ICE_BYTES_NONE, TRUE);
}

void
sim_stream_reset_all (SimNet *net)
{
  guint n = net->streams->len;

  for (guint i = 0; i < n; i++) {
    SimStream *stream = g_ptr_array_index (net->streams, i);

    if (stream->opened && stream->peer)
      end (stream);
  }
}

guint
sim_stream_count_open (SimNet *net)
{
  guint n = 0;

  for (guint i = 0; i < net->streams->len; i++) {
    const SimStream *stream = g_ptr_array_index (net->streams, i);

    n += stream->opened && !stream->closed;
  }
  return n;
}
