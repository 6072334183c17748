/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A gatherer on virtual time: sockets open at once, names resolve as scripted,
 * and servers answer one round trip later. */
#pragma once

#include "fake-turn.h"

#include "gst/ice/core/ice/gatherer.h"

#define LAB_STREAM 7

typedef struct
{
  IceAddress address;
  IceTime delay; /* one way */
  gboolean dead;
  const gchar *refuses;   /* (nullable) connections, with this reason */
  gboolean fixed_relayed; /* FALSE: an own port for each socket */
  gboolean is_translated; /* has only IPv4, and so sees us there */
  FakeTurn turn;
  guint n_packets; /* that reached it */
  IcePacket *last; /* (owned) (nullable) that reached it */
} LabServer;

typedef struct
{
  guint id;
  IceAddress address;
  gboolean open;
  /* A connection, and what was asked for. */
  LabServer *server; /* (unowned) (nullable) */
  gboolean connected;
  IceTransportKind kind;
  gchar name[64];
} LabSocket;

/* A name with a fate of its own; others resolve as the lab says. */
typedef struct
{
  const gchar *host;
  IceTime delay;   /* ICE_TIME_NEVER: no answer */
  const gchar *ip; /* (nullable) NULL: there is no such name */
  guint16 port;    /* of its service, or 0: that of the question */
  guint n_questions;
  gboolean asked_for_service;
} LabName;

typedef struct
{
  IceTime at;
  guint socket; /* 0: an answer of the resolver */
  guint request;
  LabName *name; /* (unowned) (nullable) */
  guint16 port;
  LabServer *server; /* (unowned) */
  gboolean inbound;  /* without packet: the end of a handshake */
  IcePacket *packet; /* (owned) (nullable) */
} LabFlight;

typedef struct
{
  IceContext context;
  IceGatherer *gatherer;
  IceTime start, now;
  guint8 dice;
  gboolean nat;      /* between us and the servers */
  guint16 nat_shift; /* of its ports, since it forgot those it gave */
  guint next_port;
  gboolean refuse_sockets;
  gboolean slow_sockets; /* answered by the test itself */
  IceTime resolve_delay; /* ICE_TIME_NEVER: no answer */
  IceAddress resolved[12];
  guint n_resolved, n_resolves;
  LabName names[4];
  LabServer servers[8];
  guint n_servers;
  GArray *sockets; /* (element-type LabSocket) */
  GQueue flights;  /* (element-type LabFlight) by time */
  GArray *asked;   /* (element-type IceTime) new gathering transactions */
  guint8 last_id[ICE_STUN_ID_SIZE];

  GPtrArray *candidates; /* (element-type IceCandidate) as reported */
  IceGatherEvent event;  /* the last; its candidate is not referenced */
  guint n_events[ICE_GATHER_PEER_UNREACHABLE + 1];
  IceTime done_at, ended_at; /* since the start, -1: not */
  guint n_errors, n_ok, n_credentials_needed, error_code;
  gchar *error_text; /* (owned) (nullable) */
  IceTime error_at;
  guint n_closed, n_connects;
  guint n_maps, map_socket; /* ports that the router should map */
  gboolean map_tcp;
  IceAddress map_local;
  guint n_direct; /* packets to addresses that are no server */
} Lab;

static inline void
lab_random (gpointer user, guint8 *ret_bytes, gsize size)
{
  Lab *lab = user;
  guint8 seed[2] = { ++lab->dice, 0 };

  for (gsize i = 0; i < size; i++)
    ret_bytes[i] = seed[i & 1] + (i > 1 ? lab->asked->len : 0);
}

static inline void
lab_init (Lab *lab, gboolean relay_only)
{
  IceGathererConfig config = { .relay_only = relay_only };
  IceWorld world = { .random = lab_random, .user = lab };

  memset (lab, 0, sizeof *lab);
  lab->start = lab->now = 1000 * ICE_SECOND;
  lab->next_port = 50000;
  lab->done_at = lab->ended_at = lab->error_at = -1;
  lab->sockets = g_array_new (FALSE, FALSE, sizeof (LabSocket));
  lab->asked = g_array_new (FALSE, FALSE, sizeof (IceTime));
  lab->candidates =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);
  g_queue_init (&lab->flights);
  ice_context_init (&lab->context, &world);
  lab->context.ta = 5 * ICE_MSEC;
  lab->gatherer = ice_gatherer_new (&lab->context, &config);
}

static inline void
lab_flight_free (LabFlight *flight)
{
  ice_packet_unref (flight->packet);
  g_free (flight);
}

static inline void
lab_clear (Lab *lab)
{
  ice_gatherer_free (lab->gatherer);
  ice_context_clear (&lab->context);
  g_queue_clear_full (&lab->flights, (GDestroyNotify) lab_flight_free);
  g_ptr_array_unref (lab->candidates);
  g_array_unref (lab->sockets);
  g_array_unref (lab->asked);
  for (guint i = 0; i < lab->n_servers; i++)
    ice_packet_unref (lab->servers[i].last);
  g_free (lab->error_text);
}

static inline void
lab_set_addresses (Lab *lab, const gchar *const *ips)
{
  g_autoptr (GArray) list =
      g_array_new (FALSE, TRUE, sizeof (IceInterfaceAddress));

  for (guint i = 0; ips[i]; i++) {
    IceInterfaceAddress entry = { .address = address (ips[i], 0),
      .interface_index = i + 1 };

    g_array_append_val (list, entry);
  }
  ice_gatherer_set_interfaces (
      lab->gatherer, (IceInterfaceAddress *) (gpointer) list->data, list->len);
}

/* A server that is there, 20 ms away. */
static inline LabServer *
lab_add_host (Lab *lab, const gchar *ip)
{
  LabServer *server = &lab->servers[lab->n_servers++];

  server->address = address (ip, 3478);
  server->delay = 10 * ICE_MSEC;
  fake_turn_init (&server->turn);
  if (server->address.family == ICE_FAMILY_IPV6)
    server->turn.relayed = address ("2001:db8:1::1", 49152);
  return server;
}

/* A server the gatherer is told of; with id 1 and so on. */
static inline void
lab_configure (Lab *lab, guint id, IceServerKind kind, const gchar *host,
    const gchar *password)
{
  g_autofree gchar *url = g_strdup_printf (
      "%s:%s:3478", kind == ICE_SERVER_TURN ? "turn" : "stun", host);
  IceServerConfig config = { .id = id,
    .kind = kind,
    .host = host,
    .port = 3478,
    .username = password ? FAKE_USER : NULL,
    .password = password,
    .url = url };

  ice_gatherer_add_server (lab->gatherer, &config);
}

static inline LabServer *
lab_add_server (Lab *lab, guint id, IceServerKind kind, const gchar *ip)
{
  lab_configure (
      lab, id, kind, ip, kind == ICE_SERVER_TURN ? FAKE_PASSWORD : NULL);
  return lab_add_host (lab, ip);
}

static inline LabSocket *
lab_find_socket (Lab *lab, guint id)
{
  for (guint i = 0; i < lab->sockets->len; i++) {
    LabSocket *socket = &g_array_index (lab->sockets, LabSocket, i);

    if (socket->id == id)
      return socket;
  }
  return NULL;
}

static inline gint
lab_compare_flights (gconstpointer a, gconstpointer b, gpointer user)
{
  const LabFlight *first = a, *second = b;

  return first->at < second->at ? -1 : first->at > second->at;
}

static inline void
lab_fly (Lab *lab, LabFlight flight)
{
  g_queue_insert_sorted (&lab->flights, g_memdup2 (&flight, sizeof flight),
      lab_compare_flights, NULL);
}

/* Gathering transactions are paced; retransmissions keep their id. */
static inline void
lab_note_request (Lab *lab, const IcePacket *packet)
{
  IceStunMessage message;

  if (!ice_stun_message_parse (
          &message, ICE_BYTES (packet->data, packet->size)) ||
      message.klass != ICE_STUN_REQUEST ||
      (message.method != ICE_STUN_ALLOCATE &&
          message.method != ICE_STUN_BINDING) ||
      ice_stun_id_equal (message.id, lab->last_id))
    return;
  memcpy (lab->last_id, message.id, ICE_STUN_ID_SIZE);
  g_array_append_val (lab->asked, lab->now);
}

static inline void
lab_transmit (Lab *lab, const IceOutput *output)
{
  const LabSocket *socket = lab_find_socket (lab, output->transmit.socket);

  g_assert_nonnull (socket);
  g_assert_true (socket->open && (!socket->server || socket->connected));
  for (guint i = 0; i < lab->n_servers; i++) {
    LabServer *server = &lab->servers[i];

    if (!ice_address_equal (&server->address, &output->transmit.to))
      continue;
    lab_note_request (lab, output->transmit.packet);
    lab_fly (lab,
        (LabFlight){ .at = lab->now + server->delay,
            .socket = socket->id,
            .server = server,
            .packet = ice_packet_ref (output->transmit.packet) });
    return;
  }
  lab->n_direct++;
}

static inline void
lab_open (Lab *lab, const IceOutput *output)
{
  LabSocket socket = { .id = output->open_socket.socket,
    .address = output->open_socket.local,
    .open = TRUE };

  socket.address.port = lab->next_port++;
  g_array_append_val (lab->sockets, socket);
  if (lab->slow_sockets)
    return;
  if (lab->refuse_sockets)
    ice_gatherer_socket_failed (
        lab->gatherer, socket.id, "address in use", lab->now);
  else
    ice_gatherer_socket_opened (
        lab->gatherer, socket.id, &socket.address, lab->now);
}

/* A round trip for TCP, and one more for what is secure. */
static inline void
lab_connect (Lab *lab, const IceOutput *output)
{
  LabSocket socket = { .id = output->connect.socket,
    .address = output->connect.local,
    .open = TRUE,
    .kind = output->connect.kind };

  g_assert_cmpint (output->connect.framing, ==, ICE_FRAMING_TURN);
  g_assert_cmpuint (output->connect.local.port, ==, 0);
  g_strlcpy (socket.name, output->connect.server, sizeof socket.name);
  socket.address.port = lab->next_port++;
  lab->n_connects++;
  for (guint i = 0; i < lab->n_servers; i++)
    if (ice_address_equal (&lab->servers[i].address, &output->connect.remote))
      socket.server = &lab->servers[i];
  g_assert_nonnull (socket.server);
  g_array_append_val (lab->sockets, socket);
  lab_fly (lab,
      (LabFlight){ .at = lab->now +
              socket.server->delay * (socket.kind == ICE_TRANSPORT_TCP ? 2 : 4),
          .socket = socket.id,
          .server = socket.server,
          .inbound = TRUE });
}

static inline void
lab_connected (Lab *lab, LabSocket *socket)
{
  LabSocket copy = *socket;

  if (!socket->open || socket->server->dead)
    return;
  socket->connected = socket->server->refuses == NULL;
  socket->open = socket->connected;
  if (copy.server->refuses)
    ice_gatherer_socket_failed (
        lab->gatherer, copy.id, copy.server->refuses, lab->now);
  else
    ice_gatherer_socket_opened (
        lab->gatherer, copy.id, &copy.address, lab->now);
}

static inline void
lab_resolve (Lab *lab, const IceOutput *output)
{
  LabFlight flight = { .request = output->resolve.request,
    .port = output->resolve.port };
  IceTime delay = lab->resolve_delay;

  lab->n_resolves++;
  for (guint i = 0; i < G_N_ELEMENTS (lab->names); i++) {
    if (g_strcmp0 (lab->names[i].host, output->resolve.host) != 0)
      continue;
    flight.name = &lab->names[i];
    flight.name->n_questions++;
    flight.name->asked_for_service = output->resolve.service != NULL;
    delay = flight.name->delay;
  }
  if (delay == ICE_TIME_NEVER)
    return;
  flight.at = lab->now + delay;
  lab_fly (lab, flight);
}

static inline void
lab_resolved (Lab *lab, const LabFlight *flight)
{
  const LabName *name = flight->name;
  IceAddress found;

  if (!name) {
    ice_gatherer_resolved (lab->gatherer, flight->request, lab->resolved,
        lab->n_resolved, lab->now);
  } else if (!name->ip) {
    ice_gatherer_resolve_failed (
        lab->gatherer, flight->request, "no such name", lab->now);
  } else {
    found = address (name->ip, name->port ? name->port : flight->port);
    ice_gatherer_resolved (lab->gatherer, flight->request, &found, 1, lab->now);
  }
}

static inline void
lab_perform (Lab *lab, const IceOutput *output)
{
  switch (output->type) {
    case ICE_OUTPUT_TRANSMIT:
      lab_transmit (lab, output);
      break;
    case ICE_OUTPUT_OPEN_SOCKET:
      lab_open (lab, output);
      break;
    case ICE_OUTPUT_CONNECT:
      lab_connect (lab, output);
      break;
    case ICE_OUTPUT_CLOSE_SOCKET:
      g_assert_true (lab_find_socket (lab, output->close_socket.socket)->open);
      lab_find_socket (lab, output->close_socket.socket)->open = FALSE;
      lab->n_closed++;
      break;
    case ICE_OUTPUT_RESOLVE:
      lab_resolve (lab, output);
      break;
    case ICE_OUTPUT_MAP_PORT:
      lab->n_maps++;
      lab->map_socket = output->map_port.socket;
      lab->map_tcp = output->map_port.tcp;
      lab->map_local = output->map_port.local;
      break;
    case ICE_OUTPUT_SERVER_ERROR:
      lab->n_errors++;
      lab->error_code = output->server.code;
      g_free (lab->error_text);
      lab->error_text = g_strdup (output->server.text);
      lab->error_at = lab->now - lab->start;
      g_assert_null (strstr (output->server.text, FAKE_PASSWORD));
      break;
    case ICE_OUTPUT_SERVER_OK:
      lab->n_ok++;
      break;
    case ICE_OUTPUT_CREDENTIALS_NEEDED:
      lab->n_credentials_needed++;
      break;
    case ICE_OUTPUT_PUBLISH:
      break;
    default:
      g_assert_not_reached ();
  }
}

static inline void
lab_drain_events (Lab *lab)
{
  while (ice_gatherer_next_event (lab->gatherer, &lab->event)) {
    lab->n_events[lab->event.type]++;
    if (lab->event.type == ICE_GATHER_CANDIDATE)
      g_ptr_array_add (
          lab->candidates, ice_candidate_ref (lab->event.candidate));
    else if (lab->event.type == ICE_GATHER_DONE)
      lab->done_at = lab->now - lab->start;
    else if (lab->event.type == ICE_GATHER_END)
      lab->ended_at = lab->now - lab->start;
    ice_candidate_unref (lab->event.candidate);
  }
}

static inline void
lab_settle (Lab *lab)
{
  IceOutput *outputs;

  while ((outputs = ice_outputs_steal (lab->context.out))) {
    for (IceOutput *output = outputs; output; output = output->next)
      lab_perform (lab, output);
    ice_output_free (outputs);
  }
  lab_drain_events (lab);
}

static inline IceGatherVerdict
lab_receive (Lab *lab, guint socket, const IceAddress *from,
    const IcePacket *packet, IceRelayedDatagram *ret_relayed)
{
  IceBytes bytes = ICE_BYTES (packet->data, packet->size);
  IceStunMessage message;
  gboolean is_stun = ice_stun_message_parse (&message, bytes);
  IceGatherVerdict verdict;

  verdict = ice_gatherer_receive (lab->gatherer, socket, from, bytes,
      is_stun ? &message : NULL, lab->now, ret_relayed);
  return verdict;
}

/* At the server. */
static inline void
lab_serve (Lab *lab, LabFlight *flight)
{
  LabServer *server = flight->server;
  const LabSocket *socket = lab_find_socket (lab, flight->socket);
  IcePacket *answer;

  server->n_packets++;
  ice_packet_unref (server->last);
  server->last = ice_packet_ref (flight->packet);
  if (server->dead)
    return;
  server->turn.mapped = socket->address;
  if (lab->nat &&
      (socket->address.family == ICE_FAMILY_IPV4 || server->is_translated))
    server->turn.mapped =
        address ("203.0.113.5", socket->address.port - 10000 + lab->nat_shift);
  if (!server->fixed_relayed)
    server->turn.relayed.port = socket->address.port;
  answer = fake_turn_answer (&server->turn, flight->packet);
  if (answer)
    lab_fly (lab,
        (LabFlight){ .at = lab->now + server->delay,
            .socket = flight->socket,
            .server = server,
            .inbound = TRUE,
            .packet = answer });
}

static inline void
lab_land (Lab *lab, LabFlight *flight)
{
  IceRelayedDatagram relayed;

  if (flight->socket == 0)
    lab_resolved (lab, flight);
  else if (!flight->packet)
    lab_connected (lab, lab_find_socket (lab, flight->socket));
  else if (!flight->inbound)
    lab_serve (lab, flight);
  else if (lab_find_socket (lab, flight->socket)->open)
    lab_receive (lab, flight->socket, &flight->server->address, flight->packet,
        &relayed);
  lab_settle (lab);
  lab_flight_free (flight);
}

static inline void
lab_run_until (Lab *lab, IceTime end)
{
  lab_settle (lab);
  for (;;) {
    LabFlight *flight = g_queue_peek_head (&lab->flights);
    IceTime deadline = ice_gatherer_deadline (lab->gatherer);

    if (flight && flight->at <= MIN (deadline, end)) {
      lab->now = flight->at;
      lab_land (lab, g_queue_pop_head (&lab->flights));
      continue;
    }
    if (deadline > end)
      break;
    /* New credentials come without a time and may leave a deadline that has
     * passed; none is told twice. */
    lab->now = MAX (lab->now, deadline);
    ice_gatherer_timeout (lab->gatherer, lab->now);
    lab_settle (lab);
    g_assert_cmpint (ice_gatherer_deadline (lab->gatherer), >, lab->now);
  }
  lab->now = end;
}

static inline void
lab_run_for (Lab *lab, IceTime time)
{
  lab_run_until (lab, lab->now + time);
}

static inline void
lab_gather (Lab *lab, guint n_components, guint generation)
{
  static const guint transports[] = { 101, 102 };

  lab->done_at = lab->ended_at = -1;
  ice_gatherer_gather (lab->gatherer, LAB_STREAM, transports, n_components,
      generation, lab->now);
  lab_settle (lab);
}

static inline guint
lab_count (const Lab *lab, IceCandidateKind kind)
{
  guint n = 0;

  for (guint i = 0; i < lab->candidates->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (lab->candidates, i);

    n += candidate->kind == kind;
  }
  return n;
}

/* The last one of a kind. */
static inline IceCandidate *
lab_find (const Lab *lab, IceCandidateKind kind)
{
  for (guint i = lab->candidates->len; i-- > 0;) {
    IceCandidate *candidate = g_ptr_array_index (lab->candidates, i);

    if (candidate->kind == kind)
      return candidate;
  }
  return NULL;
}
