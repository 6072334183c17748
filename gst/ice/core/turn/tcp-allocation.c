/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tcp-allocation.h"

#include "allocation-private.h"

#include "../purity.h"

/* The pairs of a checklist are fewer than a hundred, and each may be connected
 * from both ends. */
#define MAX_CONNECTIONS 64
/* RFC 6062 4.3: after a 447 the client "MUST wait at least 10 seconds". */
#define CONNECT_AGAIN_AFTER (10 * ICE_SECOND)
#define MAX_REFUSALS 64

typedef struct
{
  IceAddress peer;
  IceTime until;
} IceTcpRefusal;

IceTcpAllocation *
ice_tcp_allocation_new (const gchar *username, const gchar *password,
    IceFamily family, const IceTurnDice *dice)
{
  IceTcpAllocation *self = g_new0 (IceTcpAllocation, 1);

  /* RFC 6062 4.1: the client MUST reach the server by TCP or TLS. */
  self->allocation =
      ice_allocation_new (username, password, family, dice, ICE_STUN_RTO_MIN);
  self->allocation->relay = ICE_TURN_RELAY_TCP;
  self->allocation->link.reliable = TRUE;
  self->connections =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_tcp_connection_free);
  self->refusals = g_array_new (FALSE, FALSE, sizeof (IceTcpRefusal));
  g_queue_init (&self->events);
  return self;
}

void
ice_tcp_allocation_free (IceTcpAllocation *self)
{
  g_ptr_array_unref (self->connections);
  g_array_unref (self->refusals);
  g_queue_clear_full (&self->events, g_free);
  ice_allocation_free (self->allocation);
  g_free (self);
}

/* Events. */

static IceTcpTurnEvent *
emit (IceTcpAllocation *self, IceTcpTurnEventType type)
{
  IceTcpTurnEvent *event = g_new0 (IceTcpTurnEvent, 1);

  event->type = type;
  g_queue_push_tail (&self->events, event);
  return event;
}

static void
emit_for (IceTcpAllocation *self, IceTcpTurnEventType type,
    const IceTcpConnection *connection, guint code)
{
  IceTcpTurnEvent *event = emit (self, type);

  event->connection = connection->id;
  event->incoming = connection->incoming;
  event->peer = connection->peer;
  event->code = code;
}

static void
end_connection (
    IceTcpAllocation *self, IceTcpConnection *connection, guint code)
{
  emit_for (self, ICE_TCP_TURN_ENDED, connection, code);
  g_ptr_array_remove (self->connections, connection);
}

/* RFC 6062 5.5: with the allocation everything in it ends. */
static void
end_connections (IceTcpAllocation *self, guint code)
{
  while (self->connections->len > 0)
    end_connection (self, g_ptr_array_index (self->connections, 0), code);
}

/* What the allocation has to say goes the same way, in order. */
static void
settle (IceTcpAllocation *self)
{
  IceTurnEvent event;

  while (ice_allocation_next_event (self->allocation, &event)) {
    if (event.type == ICE_TURN_LOST || event.type == ICE_TURN_FAILED)
      end_connections (self, event.code);
    emit (self, ICE_TCP_TURN_ALLOCATION)->allocation = event;
  }
}

gboolean
ice_tcp_allocation_next_event (
    IceTcpAllocation *self, IceTcpTurnEvent *ret_event)
{
  g_autofree IceTcpTurnEvent *event = g_queue_pop_head (&self->events);

  if (!event)
    return FALSE;
  *ret_event = *event;
  return TRUE;
}

IcePacket *
ice_tcp_allocation_take_packet (IceTcpAllocation *self, guint *ret_connection)
{
  IcePacket *packet = ice_allocation_take_packet (self->allocation);

  *ret_connection = 0;
  for (guint i = 0; i < self->connections->len && !packet; i++) {
    IceTcpConnection *connection = g_ptr_array_index (self->connections, i);

    packet = ice_turn_link_take (&connection->link);
    *ret_connection = packet ? connection->id : 0;
  }
  return packet;
}

/* Commands. */

void
ice_tcp_allocation_request (IceTcpAllocation *self, IceTime now)
{
  ice_allocation_request (self->allocation, now);
}

void
ice_tcp_allocation_release (IceTcpAllocation *self, IceTime now)
{
  ice_allocation_release (self->allocation, now);
  end_connections (self, 0);
  settle (self);
}

void
ice_tcp_allocation_permit (
    IceTcpAllocation *self, const IceAddress *peer, IceTime now)
{
  ice_allocation_permit (self->allocation, peer, now);
  settle (self);
}

static IceTcpConnection *
find_connection (const IceTcpAllocation *self, guint id)
{
  for (guint i = 0; i < self->connections->len; i++) {
    IceTcpConnection *connection = g_ptr_array_index (self->connections, i);

    if (connection->id == id)
      return connection;
  }
  return NULL;
}

static gboolean
has_peer (const IceTcpAllocation *self, const IceAddress *peer)
{
  for (guint i = 0; i < self->connections->len; i++) {
    const IceTcpConnection *connection =
        g_ptr_array_index (self->connections, i);

    if (ice_address_equal (&connection->peer, peer))
      return TRUE;
  }
  return FALSE;
}

static gboolean
was_refused (IceTcpAllocation *self, const IceAddress *peer, IceTime now)
{
  gboolean found = FALSE;

  for (guint i = self->refusals->len; i-- > 0;) {
    const IceTcpRefusal *refusal =
        &g_array_index (self->refusals, IceTcpRefusal, i);

    if (now >= refusal->until)
      g_array_remove_index_fast (self->refusals, i);
    else
      found = found || ice_address_equal (&refusal->peer, peer);
  }
  return found || self->refusals->len >= MAX_REFUSALS;
}

static IceTcpConnection *
add_connection (IceTcpAllocation *self, const IceAddress *peer)
{
  IceTcpConnection *connection =
      ice_tcp_connection_new (++self->next_id, peer, &self->allocation->link);

  g_ptr_array_add (self->connections, connection);
  return connection;
}

static gboolean
may_add (const IceTcpAllocation *self, const IceAddress *peer)
{
  return self->allocation->state == ICE_ALLOCATION_ACTIVE &&
      self->connections->len < MAX_CONNECTIONS &&
      ice_address_is_usable (peer) &&
      peer->family == self->allocation->relayed.family;
}

guint
ice_tcp_allocation_connect (
    IceTcpAllocation *self, const IceAddress *peer, IceTime now)
{
  IceTcpConnection *connection;

  /* RFC 6062 4.3: not twice at a time with one peer, or it is 446. */
  if (!may_add (self, peer) || has_peer (self, peer) ||
      was_refused (self, peer, now))
    return 0;
  connection = add_connection (self, peer);
  ice_tcp_connection_connect (connection, &self->allocation->link, now);
  return connection->id;
}

void
ice_tcp_allocation_disconnect (IceTcpAllocation *self, guint id)
{
  IceTcpConnection *connection = find_connection (self, id);

  if (connection)
    g_ptr_array_remove (self->connections, connection);
}

void
ice_tcp_allocation_opened (IceTcpAllocation *self, guint id, IceTime now)
{
  IceTcpConnection *connection = find_connection (self, id);

  if (connection && connection->state == ICE_TCP_CONNECTION_OPENING)
    ice_tcp_connection_bind (connection, now);
}

void
ice_tcp_allocation_closed (IceTcpAllocation *self, guint id)
{
  IceTcpConnection *connection = find_connection (self, id);

  if (id == 0 && self->allocation->state != ICE_ALLOCATION_GONE)
    ice_allocation_end (self->allocation,
        self->allocation->state == ICE_ALLOCATION_ACTIVE ? ICE_TURN_LOST
                                                         : ICE_TURN_FAILED,
        ICE_TURN_NO_ANSWER);
  else if (connection)
    end_connection (self, connection, 0);
  settle (self);
}

/* What came on the control connection. */

static void
refuse (IceTcpAllocation *self, const IceAddress *peer, IceTime now)
{
  const IceTcpRefusal refusal = { *peer, now + CONNECT_AGAIN_AFTER };

  g_array_append_val (self->refusals, refusal);
}

static void
take_connect_error (IceTcpAllocation *self, IceTcpConnection *connection,
    guint code, IceTime now)
{
  if (code == 447)
    refuse (self, &connection->peer, now);
  if (code == 437) /* RFC 6062 5.2: there is no allocation any more */
    ice_allocation_end (self->allocation, ICE_TURN_LOST, code);
  else
    end_connection (self, connection, code);
}

static IceTurnVerdict
receive_connect (
    IceTcpAllocation *self, const IceStunMessage *answer, IceTime now)
{
  for (guint i = 0; i < self->connections->len; i++) {
    IceTcpConnection *connection = g_ptr_array_index (self->connections, i);
    guint32 connection_id = 0;
    IceTurnAnswer what;
    guint code = 0;

    what = ice_tcp_connection_receive_connect (connection,
        &self->allocation->link, answer, now, &connection_id, &code);
    if (what == ICE_TURN_ANSWER_NOT_MINE)
      continue;
    if (what == ICE_TURN_ANSWER_SUCCESS) {
      ice_tcp_connection_offer (connection, connection_id, now);
      emit_for (self, ICE_TCP_TURN_OPEN, connection, 0);
    } else if (what == ICE_TURN_ANSWER_ERROR) {
      take_connect_error (self, connection, code, now);
    }
    return ice_allocation_judge (what);
  }
  return ICE_TURN_NOT_MINE;
}

static gboolean
has_connection_id (const IceTcpAllocation *self, guint32 connection_id)
{
  for (guint i = 0; i < self->connections->len; i++) {
    const IceTcpConnection *connection =
        g_ptr_array_index (self->connections, i);

    if (connection->state != ICE_TCP_CONNECTION_ASKED &&
        connection->connection_id == connection_id)
      return TRUE;
  }
  return FALSE;
}

/* RFC 6062 4.4. Whom we did not permit cannot have connected; what is not
 * accepted the server closes by itself after 30 s. */
static IceTurnVerdict
receive_attempt (
    IceTcpAllocation *self, const IceStunMessage *message, IceTime now)
{
  IceTcpConnection *connection;
  guint32 connection_id;
  guint16 unknown;
  IceAddress peer;

  if (ice_stun_message_unknown (message, &unknown, 1) > 0 ||
      !ice_stun_message_get_u32 (
          message, ICE_STUN_CONNECTION_ID, &connection_id) ||
      !ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_PEER_ADDRESS, &peer) ||
      !may_add (self, &peer) ||
      !ice_allocation_is_permitted (self->allocation, &peer, now) ||
      has_connection_id (self, connection_id))
    return ICE_TURN_DROPPED;
  connection = add_connection (self, &peer);
  connection->incoming = TRUE;
  ice_tcp_connection_offer (connection, connection_id, now);
  emit_for (self, ICE_TCP_TURN_OPEN, connection, 0);
  return ICE_TURN_HANDLED;
}

static IceTurnVerdict
receive_control (
    IceTcpAllocation *self, const IceStunMessage *message, IceTime now)
{
  IceTurnVerdict verdict;
  IceAddress peer;
  IceBytes payload;

  if (message->klass == ICE_STUN_INDICATION)
    return message->method == ICE_STUN_CONNECTION_ATTEMPT
        ? receive_attempt (self, message, now)
        : ICE_TURN_DROPPED; /* no data comes here (RFC 6062 4.5) */
  verdict = receive_connect (self, message, now);
  if (verdict == ICE_TURN_NOT_MINE)
    verdict = ice_allocation_receive (
        self->allocation, message->raw, message, now, &peer, &payload);
  return verdict;
}

IceTurnVerdict
ice_tcp_allocation_receive (
    IceTcpAllocation *self, const IceStunMessage *message, IceTime now)
{
  const IceTurnVerdict verdict = receive_control (self, message, now);

  settle (self);
  return verdict;
}

/* What came on a data connection. */

IceTcpStream
ice_tcp_allocation_receive_stream (
    IceTcpAllocation *self, guint id, IceReader *in, IceTime now)
{
  IceTcpConnection *connection = find_connection (self, id);
  guint code = 0;

  if (!connection)
    return ICE_TCP_STREAM_END;
  switch (connection->state) {
    case ICE_TCP_CONNECTION_BOUND:
      return ICE_TCP_STREAM_PEER;
    case ICE_TCP_CONNECTION_BINDING:
      break;
    default: /* nothing was asked there yet */
      end_connection (self, connection, 400);
      return ICE_TCP_STREAM_END;
  }
  switch (ice_tcp_connection_receive_bind (connection, in, now, &code)) {
    case ICE_TURN_ANSWER_SUCCESS:
      emit_for (self, ICE_TCP_TURN_BOUND, connection, 0);
      return ICE_TCP_STREAM_PEER;
    case ICE_TURN_ANSWER_ERROR:
      end_connection (self, connection, code);
      return ICE_TCP_STREAM_END;
    default:
      return ICE_TCP_STREAM_MORE;
  }
}

/* Time. */

void
ice_tcp_allocation_timeout (IceTcpAllocation *self, IceTime now)
{
  ice_allocation_timeout (self->allocation, now);
  settle (self);
  for (guint i = self->connections->len; i-- > 0;) {
    IceTcpConnection *connection = g_ptr_array_index (self->connections, i);

    if (!ice_tcp_connection_timeout (connection, &self->allocation->link, now))
      end_connection (self, connection, ICE_TURN_NO_ANSWER);
  }
}

IceTime
ice_tcp_allocation_deadline (const IceTcpAllocation *self)
{
  IceTime deadline = ice_allocation_deadline (self->allocation);

  for (guint i = 0; i < self->connections->len; i++)
    deadline = MIN (deadline,
        ice_tcp_connection_deadline (g_ptr_array_index (self->connections, i)));
  return deadline;
}
