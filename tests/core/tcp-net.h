/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two cores and a network of TCP between them (tcp-lab.h sets them up), all in
 * virtual time: listening, refusing, hanging, simultaneous open, RST and NAT.
 * UDP is blocked unless a test says otherwise. Candidates go as SDP lines, the
 * moment they are found.
 */
#pragma once

#include "gst/ice/core/core.h"
#include "gst/ice/core/ice/connection.h"
#include "gst/ice/core/stun/builder.h"
#include "gst/ice/core/stun/message.h"

#include <string.h>

#define LAB_LATENCY (10 * ICE_MSEC)
/* RFC 6298 2.1: the first SYN is repeated after a second. */
#define LAB_SYN_GAP (1 * ICE_SECOND)
#define LAB_SYNS 5

typedef struct _Lab Lab;
typedef struct _LabHost LabHost;
typedef struct _LabConnection LabConnection;

struct _LabConnection
{
  guint id; /* of the core's; 0: closed */
  LabHost *host;
  IceAddress local, remote; /* as this host sees them */
  LabConnection *peer;      /* (unowned) (nullable) NULL until it opened */
  gboolean opened, listens;
  guint n_syns, n_received;
};

typedef enum
{
  LAB_SYN,
  LAB_OPENED,
  LAB_FAILED,
  LAB_FRAME,
  LAB_END,
  LAB_DATAGRAM,
} LabEventType;

typedef struct
{
  LabEventType type;
  IceTime at;
  guint64 order;
  LabConnection *connection; /* (unowned) whose SYN, or who is told */
  LabHost *host;             /* DATAGRAM */
  IceAddress from, to;
  IcePacket *packet; /* (owned) (nullable) */
} LabEvent;

typedef struct
{
  guint socket;
  IceAddress from;
} LabAccept;

struct _LabHost
{
  Lab *lab;
  const gchar *name;
  IceCore *core; /* (owned) */
  guint64 dice;
  IceAddress ip;
  IceAddress nat; /* the outside address, family NONE: none */
  gboolean nat_filters;
  gboolean silent; /* its candidates are not told */
  IceTime deadline;
  guint stream, transport;
  guint16 next_port;
  GPtrArray *sockets; /* (owned) LabConnection: listeners and connections */
  GArray *accepts;    /* LabAccept */
  GArray *permitted;  /* IceAddress: where the NAT saw SYNs go */

  IceState state;
  guint route_socket;
  IceAddress route_to;
  gboolean nominated;
  IceCandidate *local, *remote; /* (owned) (nullable) of the selected pair */
  IceTime connected_at[8];      /* of the first CONNECTs */
  guint n_frames, n_connects, n_udp, n_closed, n_lost_consent, n_learnt,
      n_restarts_needed, n_hasty;
  GPtrArray *candidates; /* (owned) gchar: lines told to the peer */
};

struct _Lab
{
  IceTime now;
  guint64 order;
  LabHost hosts[2];
  GSequence *events;    /* (owned) LabEvent */
  gboolean udp;         /* works */
  gboolean hang;        /* SYNs are lost */
  IceTcpType only;      /* not NONE: candidates of other types are not told */
  guint n_refuse;       /* so many next ones are answered with RST */
  guint n_reset;        /* so many connections are reset by their first frame */
  gboolean spare;       /* ... but by none before the one that nominates */
  gboolean mute;        /* who is connected to is no core, and says nothing */
  IceAddress blackhole; /* SYNs to this IP are lost */
  IceAddress stun;      /* a STUN server that takes TCP; family NONE: none */
};

static inline IceAddress
lab_address (const gchar *ip, guint16 port)
{
  IceAddress result;

  g_assert_true (ice_address_parse (&result, ip, port));
  return result;
}

static inline void
lab_random (gpointer user, guint8 *ret_bytes, gsize size)
{
  LabHost *self = user;

  for (gsize i = 0; i < size; i++) {
    self->dice = self->dice * 6364136223846793005u + 1442695040888963407u;
    ret_bytes[i] = self->dice >> 56;
  }
}

static inline void
lab_event_free (gpointer data)
{
  LabEvent *event = data;

  if (event->packet)
    ice_packet_unref (event->packet);
  g_free (event);
}

static inline gint
lab_event_compare (gconstpointer a, gconstpointer b, gpointer user)
{
  const LabEvent *x = a, *y = b;

  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

static inline LabEvent *
lab_schedule (
    Lab *self, LabEventType type, LabConnection *connection, IceTime delay)
{
  LabEvent *event = g_new0 (LabEvent, 1);

  event->type = type;
  event->at = self->now + delay;
  event->order = self->order++;
  event->connection = connection;
  g_sequence_insert_sorted (self->events, event, lab_event_compare, NULL);
  return event;
}

static inline LabHost *
lab_other (LabHost *host)
{
  return &host->lab->hosts[host == &host->lab->hosts[0]];
}

static inline LabConnection *
lab_find (LabHost *host, guint id)
{
  for (guint i = 0; id && i < host->sockets->len; i++) {
    LabConnection *connection = g_ptr_array_index (host->sockets, i);

    if (connection->id == id)
      return connection;
  }
  return NULL;
}

static inline LabConnection *
lab_add (LabHost *host, guint id, const IceAddress *local)
{
  LabConnection *connection = g_new0 (LabConnection, 1);

  connection->id = id;
  connection->host = host;
  connection->local = *local;
  if (local->port == 0)
    connection->local.port = host->next_port++;
  g_ptr_array_add (host->sockets, connection);
  return connection;
}

/* What the other side sees: the NAT keeps ports. */
static inline IceAddress
lab_outside (const LabHost *host, const IceAddress *address)
{
  IceAddress outside = *address;

  if (host->nat.family != ICE_FAMILY_NONE) {
    outside = host->nat;
    outside.port = address->port;
  }
  return outside;
}

static inline void
lab_send_syn (LabConnection *self)
{
  LabHost *host = self->host;

  g_array_append_val (host->permitted, self->remote);
  self->n_syns++;
  if (!host->lab->hang &&
      !ice_address_same_ip (&self->remote, &host->lab->blackhole))
    lab_schedule (host->lab, LAB_SYN, self, LAB_LATENCY);
}

static inline void
lab_unlink (LabConnection *self)
{
  LabConnection *peer = self->peer;

  self->id = 0;
  self->peer = NULL;
  if (peer == NULL)
    return;
  peer->peer = NULL;
  lab_schedule (self->host->lab, LAB_END, peer, LAB_LATENCY);
}

/* Outputs. */

static inline void
lab_open (LabHost *self, const IceOutput *output)
{
  LabConnection *socket;

  g_assert_cmpuint (output->open_socket.local.port, ==, 0);
  socket =
      lab_add (self, output->open_socket.socket, &output->open_socket.local);
  socket->listens = output->open_socket.kind == ICE_SOCKET_TCP_LISTEN;
  ice_core_socket_opened (
      self->core, socket->id, &socket->local, self->lab->now);
}

static inline void
lab_connect (LabHost *self, const IceOutput *output)
{
  LabConnection *connection;

  g_assert_cmpint (output->connect.framing, ==,
      output->connect.remote.port == 3478 ? ICE_FRAMING_TURN
                                          : ICE_FRAMING_RFC4571);
  g_assert_cmpuint (output->connect.transport, ==, self->transport);
  if (self->n_connects < G_N_ELEMENTS (self->connected_at))
    self->connected_at[self->n_connects] = self->lab->now;
  self->n_connects++;
  connection = lab_add (self, output->connect.socket, &output->connect.local);
  connection->remote = output->connect.remote;
  lab_send_syn (connection);
}

/* The STUN server's answer to what came over a connection. */
static inline void
lab_answer_stun (LabConnection *self, const IcePacket *request)
{
  IceAddress mapped = lab_outside (self->host, &self->local);
  IceStunBuilder builder;
  LabEvent *event;

  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, request->data + 8);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
  event = lab_schedule (self->host->lab, LAB_FRAME, self, 2 * LAB_LATENCY);
  event->packet = ice_stun_builder_end (&builder);
}

static inline gboolean
lab_nominates (const IcePacket *packet)
{
  IceStunMessage message;

  return ice_stun_message_parse (
             &message, (IceBytes){ packet->data, packet->size }) &&
      ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE);
}

static inline void
lab_transmit (LabHost *self, const IceOutput *output)
{
  LabConnection *socket = lab_find (self, output->transmit.socket);
  gboolean nominates;
  LabEvent *event;

  g_assert_nonnull (socket);
  g_assert_false (socket->listens);
  if (socket->remote.family == ICE_FAMILY_NONE) {
    self->n_udp++;
    if (!self->lab->udp)
      return;
    event = lab_schedule (self->lab, LAB_DATAGRAM, NULL, LAB_LATENCY);
    event->host = lab_other (self);
    event->from = lab_outside (self, &socket->local);
    event->to = output->transmit.to;
  } else {
    g_assert_true (socket->opened);
    g_assert_true (ice_address_equal (&socket->remote, &output->transmit.to));
    if (ice_address_equal (&socket->remote, &self->lab->stun)) {
      lab_answer_stun (socket, output->transmit.packet);
      return;
    }
    nominates = lab_nominates (output->transmit.packet);
    self->n_hasty += nominates && socket->n_received == 0;
    if (self->lab->n_reset > 0 && (nominates || !self->lab->spare)) {
      self->lab->n_reset--;
      lab_schedule (self->lab, LAB_END, socket, LAB_LATENCY);
      if (socket->peer)
        lab_schedule (self->lab, LAB_END, socket->peer, LAB_LATENCY);
      return;
    }
    self->n_frames++;
    if (socket->peer == NULL || socket->peer->id == 0)
      return;
    event = lab_schedule (self->lab, LAB_FRAME, socket->peer, LAB_LATENCY);
  }
  event->packet = ice_packet_ref (output->transmit.packet);
}

static inline void
lab_tell_candidate (LabHost *self, const IceCandidate *candidate)
{
  LabHost *other = lab_other (self);
  g_autofree gchar *line = ice_candidate_to_sdp (candidate);
  g_autoptr (IceCandidate) copy = NULL;
  const gchar *reason;

  g_ptr_array_add (self->candidates, g_strdup (line));
  if (self->silent)
    return;
  if (self->lab->only != ICE_TCP_TYPE_NONE &&
      candidate->tcp_type != self->lab->only)
    return;
  g_assert_cmpint (
      ice_candidate_parse (line, &copy, &reason), ==, ICE_CANDIDATE_PARSE_OK);
  ice_core_add_remote_candidate (
      other->core, other->stream, copy, self->lab->now);
}

static inline void
lab_accept_from (LabHost *self, const IceOutput *output)
{
  LabAccept entry = { output->accept_from.socket, output->accept_from.from };

  if (output->accept_from.add) {
    g_array_append_val (self->accepts, entry);
    return;
  }
  for (guint i = self->accepts->len; i-- > 0;) {
    const LabAccept *old = &g_array_index (self->accepts, LabAccept, i);

    if (old->socket == entry.socket &&
        ice_address_equal (&old->from, &entry.from))
      g_array_remove_index (self->accepts, i);
  }
}

static inline void
lab_perform (LabHost *self, const IceOutput *output)
{
  LabConnection *connection;

  switch (output->type) {
    case ICE_OUTPUT_OPEN_SOCKET:
      lab_open (self, output);
      break;
    case ICE_OUTPUT_CONNECT:
      lab_connect (self, output);
      break;
    case ICE_OUTPUT_CLOSE_SOCKET:
      connection = lab_find (self, output->close_socket.socket);
      g_assert_nonnull (connection);
      self->n_closed++;
      lab_unlink (connection);
      break;
    case ICE_OUTPUT_TRANSMIT:
      lab_transmit (self, output);
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      lab_tell_candidate (self, output->candidate.candidate);
      break;
    case ICE_OUTPUT_REMOTE_CANDIDATE:
      self->n_learnt++;
      break;
    case ICE_OUTPUT_ACCEPT_FROM:
      lab_accept_from (self, output);
      break;
    case ICE_OUTPUT_ROUTE:
      self->route_socket = output->route.socket;
      self->route_to = output->route.to;
      break;
    case ICE_OUTPUT_STATE:
      self->state = output->state.state;
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      self->n_lost_consent++;
      break;
    case ICE_OUTPUT_RESTART_NEEDED:
      self->n_restarts_needed++;
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      self->nominated = output->pair_selected.nominated;
      g_clear_pointer (&self->local, ice_candidate_unref);
      g_clear_pointer (&self->remote, ice_candidate_unref);
      self->local = ice_candidate_ref (output->pair_selected.local);
      self->remote = ice_candidate_ref (output->pair_selected.remote);
      break;
    default:
      break;
  }
}

static inline void
lab_pump (Lab *self)
{
  gboolean again = TRUE;

  while (again) {
    again = FALSE;
    for (guint i = 0; i < 2; i++) {
      LabHost *host = &self->hosts[i];
      g_autoptr (IceOutput) outputs =
          ice_core_take_outputs (host->core, &host->deadline);

      for (IceOutput *output = outputs; output; output = output->next)
        lab_perform (host, output);
      again |= outputs != NULL;
    }
  }
}

/* Events. */

static inline LabConnection *
lab_find_listener (LabHost *host, const IceAddress *to)
{
  for (guint i = 0; i < host->sockets->len; i++) {
    LabConnection *socket = g_ptr_array_index (host->sockets, i);
    IceAddress outside = lab_outside (host, &socket->local);

    if (socket->id && socket->listens && ice_address_equal (&outside, to))
      return socket;
  }
  return NULL;
}

/* One that is being opened just the other way round. */
static inline LabConnection *
lab_find_crossing (LabConnection *syn)
{
  LabHost *host = lab_other (syn->host);
  IceAddress from = lab_outside (syn->host, &syn->local);

  for (guint i = 0; i < host->sockets->len; i++) {
    LabConnection *socket = g_ptr_array_index (host->sockets, i);
    IceAddress outside = lab_outside (host, &socket->local);

    if (socket->id && !socket->opened && !socket->listens &&
        ice_address_equal (&outside, &syn->remote) &&
        ice_address_equal (&socket->remote, &from))
      return socket;
  }
  return NULL;
}

static inline void
lab_link (LabConnection *a, LabConnection *b)
{
  a->peer = b;
  b->peer = a;
}

/* RFC 9293 3.10.7.4: a SYN by the ports of an established connection, which is
 * one with somebody in the middle, opens none. */
static inline gboolean
lab_is_taken (LabHost *host, const LabConnection *syn)
{
  IceAddress from = lab_outside (syn->host, &syn->local);

  for (guint i = 0; i < host->sockets->len; i++) {
    const LabConnection *socket = g_ptr_array_index (host->sockets, i);
    IceAddress outside = lab_outside (host, &socket->local);

    if (socket->id && socket->opened && socket->peer && socket->peer->id == 0 &&
        ice_address_equal (&outside, &syn->remote) &&
        ice_address_equal (&socket->remote, &from))
      return TRUE;
  }
  return FALSE;
}

static inline void
lab_arrive_syn (LabConnection *syn)
{
  LabHost *host = lab_other (syn->host);
  Lab *lab = host->lab;
  LabConnection *listener, *crossing = lab_find_crossing (syn);
  IceAddress from = lab_outside (syn->host, &syn->local);
  gboolean permitted =
      !host->nat_filters || ice_address_equal (&syn->remote, &lab->stun);
  guint id;

  for (guint i = 0; i < host->permitted->len; i++)
    permitted |= ice_address_equal (
        &g_array_index (host->permitted, IceAddress, i), &from);
  if (syn->id == 0 || syn->peer || !permitted || lab_is_taken (host, syn))
    return;
  listener = lab_find_listener (host, &syn->remote);
  if (lab->mute || ice_address_equal (&syn->remote, &lab->stun)) {
    lab_link (syn, lab_add (host, 0, &syn->remote));
    lab_schedule (lab, LAB_OPENED, syn, LAB_LATENCY);
  } else if (lab->n_refuse > 0 || (!listener && !crossing)) {
    lab->n_refuse -= lab->n_refuse > 0;
    lab_schedule (lab, LAB_FAILED, syn, LAB_LATENCY);
  } else if (crossing) {
    lab_link (syn, crossing);
    lab_schedule (lab, LAB_OPENED, syn, LAB_LATENCY);
    lab_schedule (lab, LAB_OPENED, crossing, 0);
  } else {
    id = ice_core_socket_accepted (host->core, listener->id, &from, lab->now);
    lab_schedule (lab, LAB_OPENED, syn, LAB_LATENCY);
    if (id == 0) {
      lab_schedule (lab, LAB_END, syn, LAB_LATENCY);
      return;
    }
    crossing = lab_add (host, id, &listener->local);
    crossing->remote = from;
    crossing->opened = TRUE;
    lab_link (syn, crossing);
  }
}

static inline void
lab_end (LabConnection *self, const gchar *reason, IceTime now)
{
  LabConnection *peer = self->peer;
  guint id = self->id;

  self->id = 0;
  self->peer = NULL;
  if (peer)
    peer->peer = NULL;
  if (id)
    ice_core_socket_closed (self->host->core, id, reason, now);
}

static inline void
lab_arrive (Lab *self, LabEvent *event)
{
  LabConnection *connection = event->connection;
  IceDatagram in = { .from = event->from };
  guint id;

  if (event->packet)
    in.data = ICE_BYTES (event->packet->data, event->packet->size);
  switch (event->type) {
    case LAB_SYN:
      lab_arrive_syn (connection);
      break;
    case LAB_OPENED:
      if (connection->id == 0 || connection->opened)
        break;
      connection->opened = TRUE;
      ice_core_socket_opened (connection->host->core, connection->id,
          &connection->local, self->now);
      break;
    case LAB_FAILED:
      id = connection->id;
      connection->id = 0;
      if (id)
        ice_core_socket_failed (
            connection->host->core, id, "Connection refused", self->now);
      break;
    case LAB_END:
      lab_end (connection, "Connection reset by peer", self->now);
      break;
    case LAB_FRAME:
      in.socket = connection->id;
      in.from = connection->remote;
      connection->n_received++;
      if (connection->id)
        ice_core_receive (connection->host->core, &in, self->now);
      break;
    case LAB_DATAGRAM:
      for (guint i = 0; i < event->host->sockets->len; i++) {
        LabConnection *socket = g_ptr_array_index (event->host->sockets, i);

        if (socket->id && !socket->listens &&
            socket->remote.family == ICE_FAMILY_NONE &&
            ice_address_equal (&socket->local, &event->to)) {
          in.socket = socket->id;
          ice_core_receive (event->host->core, &in, self->now);
          break;
        }
      }
      break;
  }
}

/* SYNs are repeated as a kernel does. */
static inline void
lab_repeat_syns (Lab *self)
{
  for (guint i = 0; i < 2; i++) {
    for (guint j = 0; j < self->hosts[i].sockets->len; j++) {
      LabConnection *socket = g_ptr_array_index (self->hosts[i].sockets, j);

      if (socket->id && socket->n_syns > 0 && socket->n_syns < LAB_SYNS &&
          socket->peer == NULL && !socket->opened)
        lab_send_syn (socket);
    }
  }
}

static inline IceTime
lab_next (Lab *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->events);
  IceTime at = MIN (self->hosts[0].deadline, self->hosts[1].deadline);

  if (!g_sequence_iter_is_end (first))
    at = MIN (at, ((LabEvent *) g_sequence_get (first))->at);
  return at;
}

static inline void
lab_step (Lab *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->events);

  while (!g_sequence_iter_is_end (first) &&
      ((LabEvent *) g_sequence_get (first))->at <= self->now) {
    lab_arrive (self, g_sequence_get (first));
    g_sequence_remove (first);
    lab_pump (self);
    first = g_sequence_get_begin_iter (self->events);
  }
  for (guint i = 0; i < 2; i++) {
    if (self->hosts[i].deadline <= self->now)
      ice_core_timeout (self->hosts[i].core, self->now);
  }
  lab_pump (self);
}

static inline void
lab_run_for (Lab *self, IceTime duration)
{
  IceTime until = self->now + duration;
  IceTime syns_at = self->now + LAB_SYN_GAP;
  guint n_same = 0;

  while (self->now < until) {
    IceTime next = MIN (MIN (lab_next (self), until), syns_at);

    n_same = next <= self->now ? n_same + 1 : 0;
    g_assert_cmpuint (n_same, <, 20);
    self->now = MAX (self->now, next);
    if (self->now >= syns_at) {
      lab_repeat_syns (self);
      syns_at += LAB_SYN_GAP;
    }
    lab_step (self);
  }
}
