/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include "gsticecandidate-private.h"
#include "gsticestream-private.h"
#include "io/loop.h"

/* Names of objects: these and the core's ids, which are unique in an agent. */
#define TRANSPORT "transport"
#define CANDIDATE "candidate"
#define PAIR "candidate-pair"
#define SERVER "ice-server"
#define AGENT "ice-agent"

/* All that is asked of the core, in one go under its lock. */
typedef struct
{
  GArray *transports;          /* (owned) IceTransportStats */
  GArray *pairs;               /* (owned) IcePairStats */
  GArray *servers;             /* (owned) IceServerStats */
  GPtrArray *locals, *remotes; /* (owned) (element-type IceCandidate) */
  IceCoreCounters counters;
  gboolean controlling;
} Snapshot;

static void
extend (GPtrArray *self, GPtrArray *more)
{
  for (guint i = 0; i < more->len; i++)
    g_ptr_array_add (self, ice_candidate_ref (more->pdata[i]));
  g_ptr_array_unref (more);
}

static void
snapshot_take (Snapshot *self, GstIceAgent *agent, const GArray *streams)
{
  IceCore *core;

  self->transports = g_array_new (FALSE, FALSE, sizeof (IceTransportStats));
  self->pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  self->servers = g_array_new (FALSE, FALSE, sizeof (IceServerStats));
  self->locals =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);
  self->remotes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);

  core = gst_ice_agent_lock_core (agent);
  self->controlling = ice_core_get_controlling (core);
  ice_core_get_transport_stats (core, self->transports);
  ice_core_get_pair_stats (core, self->pairs);
  ice_core_get_server_stats (core, self->servers);
  ice_core_get_counters (core, &self->counters);
  for (guint i = 0; i < streams->len; i++) {
    guint id = g_array_index (streams, guint, i);

    extend (self->locals,
        gst_ice_candidates_set_ufrag (ice_core_get_local_candidates (core, id),
            ice_core_get_local_ufrag (core, id)));
    extend (self->remotes,
        gst_ice_candidates_set_ufrag (ice_core_get_remote_candidates (core, id),
            ice_core_get_remote_ufrag (core, id)));
  }
  gst_ice_pump_unlock (agent->pump);
}

static void
snapshot_clear (Snapshot *self)
{
  g_array_unref (self->transports);
  g_array_unref (self->pairs);
  g_array_unref (self->servers);
  g_ptr_array_unref (self->locals);
  g_ptr_array_unref (self->remotes);
}

static gdouble
milliseconds (IceTime time)
{
  return (gdouble) time / ICE_MSEC;
}

static GstStructure *
make_object (const gchar *type, const gchar *prefix, guint id)
{
  g_autofree gchar *name = g_strdup_printf ("%s-%u", prefix, id);

  return gst_structure_new ("application/x-gst-ice-stats", "type",
      G_TYPE_STRING, type, "id", G_TYPE_STRING, name, "timestamp",
      G_TYPE_DOUBLE, milliseconds (ice_loop_now ()), NULL);
}

/* (transfer full) for @object */
static void
put_object (GstStructure *stats, GstStructure *object)
{
  gst_structure_set (stats, gst_structure_get_string (object, "id"),
      GST_TYPE_STRUCTURE, object, NULL);
  gst_structure_free (object);
}

/* What is not there (yet) is left out, as W3C has it. */
static void
set_reference (
    GstStructure *object, const gchar *field, const gchar *prefix, guint id)
{
  g_autofree gchar *name = g_strdup_printf ("%s-%u", prefix, id);

  if (id != 0)
    gst_structure_set (object, field, G_TYPE_STRING, name, NULL);
}

static void
set_string (GstStructure *object, const gchar *field, const gchar *value)
{
  if (value)
    gst_structure_set (object, field, G_TYPE_STRING, value, NULL);
}

static void
set_timestamp (GstStructure *object, const gchar *field, IceTime time)
{
  if (time != 0)
    gst_structure_set (object, field, G_TYPE_DOUBLE, milliseconds (time), NULL);
}

/* From the start of gathering to @time. */
static void
set_since (
    GstStructure *object, const gchar *field, IceTime start, IceTime time)
{
  if (start != 0 && time != 0)
    gst_structure_set (object, field, G_TYPE_UINT64,
        (guint64) MAX (time - start, 0) * GST_USECOND, NULL);
}

/* One object each */

static void
describe_transport (GstStructure *stats, const IceTransportStats *transport,
    gboolean controlling, const GstIceLinkCounters *counters,
    IceTime gathered_at)
{
  GstStructure *object =
      make_object ("transport", TRANSPORT, transport->transport);
  const IceTime start = transport->gather_started;

  gst_structure_set (object, "ice-role", G_TYPE_STRING,
      controlling ? "controlling" : "controlled", "ice-state", G_TYPE_STRING,
      ice_state_to_string (transport->state), "component", G_TYPE_UINT,
      transport->component, "selected-candidate-pair-changes", G_TYPE_UINT64,
      (guint64) transport->selected_pair_changes, "packets-sent", G_TYPE_UINT64,
      counters->packets_sent, "bytes-sent", G_TYPE_UINT64, counters->bytes_sent,
      "packets-received", G_TYPE_UINT64, counters->packets_received,
      "bytes-received", G_TYPE_UINT64, counters->bytes_received,
      "packets-dropped", G_TYPE_UINT64, counters->packets_dropped,
      "packets-discarded-on-send", G_TYPE_UINT64,
      counters->packets_discarded_on_send, "early-data-dropped", G_TYPE_UINT64,
      counters->early_data_dropped, NULL);
  set_reference (
      object, "selected-candidate-pair-id", PAIR, transport->selected_pair);
  if (transport->channel)
    gst_structure_set (
        object, "relay-channel", G_TYPE_UINT, (guint) transport->channel, NULL);
  set_since (object, "gather-ns", start, gathered_at);
  set_since (object, "first-check-ns", start, transport->first_check);
  set_since (object, "connected-ns", start, transport->connected);
  set_since (object, "first-packet-ns", start, counters->first_received);
  put_object (stats, object);
}

static void
describe_candidate (
    GstStructure *stats, const gchar *type, const IceCandidate *candidate)
{
  GstStructure *object = make_object (type, CANDIDATE, candidate->id);
  const gboolean tcp = candidate->protocol == ICE_PROTOCOL_TCP;
  gchar ip[ICE_ADDRESS_STRLEN];

  gst_structure_set (object, "address", G_TYPE_STRING,
      candidate->host_name ? candidate->host_name
                           : ice_address_ip_to_string (&candidate->address, ip),
      "port", G_TYPE_UINT, (guint) candidate->address.port, "protocol",
      G_TYPE_STRING, tcp ? "tcp" : "udp", "candidate-type", G_TYPE_STRING,
      ice_candidate_kind_to_string (candidate->kind), "priority", G_TYPE_UINT,
      candidate->priority, "foundation", G_TYPE_STRING, candidate->foundation,
      "component", G_TYPE_UINT, candidate->component, NULL);
  if (candidate->related.family != ICE_FAMILY_NONE)
    gst_structure_set (object, "related-address", G_TYPE_STRING,
        ice_address_ip_to_string (&candidate->related, ip), "related-port",
        G_TYPE_UINT, (guint) candidate->related.port, NULL);
  set_string (object, "relay-protocol", candidate->relay_protocol);
  set_string (object, "url", candidate->url);
  set_string (object, "username-fragment", candidate->ufrag);
  put_object (stats, object);
}

/* @counters (nullable): of the transport, when the pair is the selected one. */
static void
describe_pair (GstStructure *stats, const IcePairStats *pair,
    const GstIceLinkCounters *counters)
{
  GstStructure *object = make_object ("candidate-pair", PAIR, pair->id);

  set_reference (object, "transport-id", TRANSPORT, pair->transport);
  set_reference (object, "local-candidate-id", CANDIDATE, pair->local);
  set_reference (object, "remote-candidate-id", CANDIDATE, pair->remote);
  gst_structure_set (object, "state", G_TYPE_STRING, pair->state, "nominated",
      G_TYPE_BOOLEAN, pair->nominated, "selected", G_TYPE_BOOLEAN,
      pair->selected, "priority", G_TYPE_UINT64, pair->priority,
      "total-round-trip-time", G_TYPE_DOUBLE,
      (gdouble) pair->total_rtt / ICE_SECOND, "requests-sent", G_TYPE_UINT64,
      (guint64) pair->requests_sent, "requests-received", G_TYPE_UINT64,
      (guint64) pair->requests_received, "responses-sent", G_TYPE_UINT64,
      (guint64) pair->responses_sent, "responses-received", G_TYPE_UINT64,
      (guint64) pair->responses_received, "retransmissions-sent", G_TYPE_UINT64,
      (guint64) pair->retransmissions_sent, "consent-requests-sent",
      G_TYPE_UINT64, (guint64) pair->consent_requests_sent, NULL);
  if (pair->responses_received > 0)
    gst_structure_set (object, "current-round-trip-time", G_TYPE_DOUBLE,
        (gdouble) pair->rtt / ICE_SECOND, NULL);
  if (counters) {
    set_timestamp (object, "last-packet-sent-timestamp", counters->last_sent);
    set_timestamp (
        object, "last-packet-received-timestamp", counters->last_received);
  }
  put_object (stats, object);
}

static void
describe_server (
    GstStructure *stats, GstIceAgent *agent, const IceServerStats *server)
{
  GstStructure *object = make_object ("ice-server", SERVER, server->server);
  g_autofree gchar *url = gst_ice_agent_dup_server_url (agent, server->server);

  set_string (object, "url", url);
  gst_structure_set (object, "errors", G_TYPE_UINT64, (guint64) server->errors,
      "allocation-lifetime", G_TYPE_UINT, server->allocation_lifetime, NULL);
  if (*server->software)
    set_string (object, "software", server->software);
  if (server->rtt != 0)
    gst_structure_set (
        object, "rtt", G_TYPE_DOUBLE, (gdouble) server->rtt / ICE_SECOND, NULL);
  put_object (stats, object);
}

static void
describe_mux (GstStructure *stats, GstIceAgent *agent)
{
  GstStructure *object;
  guint port;

  GST_OBJECT_LOCK (agent);
  port = agent->settings.mux_port;
  GST_OBJECT_UNLOCK (agent);
  if (port == 0)
    return;
  object = make_object ("mux-port", "mux-port", port);
  gst_structure_set (object, "port", G_TYPE_UINT, port, "packets-dropped",
      G_TYPE_UINT64, gst_ice_pump_count_strangers (agent->pump), NULL);
  put_object (stats, object);
}

/* What belongs to no transport. */
static void
describe_agent (GstStructure *stats, const IceCoreCounters *counters)
{
  GstStructure *object = make_object ("ice-agent", AGENT, 0);

  gst_structure_set (object, "icmp-errors", G_TYPE_UINT64,
      (guint64) counters->unreachable, NULL);
  put_object (stats, object);
}

/* All of them */

/* What the data plane has counted, by the core's transport id. */
typedef struct
{
  guint transport;
  GstIceLinkCounters counters;
  IceTime gathered_at;
} Counted;

static GArray *
count_links (GstIceAgent *agent, GArray *ret_streams)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  GArray *counted = g_array_new (FALSE, TRUE, sizeof (Counted));

  for (guint i = 0; i < streams->len; i++) {
    GstIceStream *stream = streams->pdata[i];

    GST_OBJECT_LOCK (stream);
    if (stream->id != 0)
      g_array_append_val (ret_streams, stream->id);
    for (guint j = 0; j < stream->components->len; j++) {
      const GstIceComponent *component = stream->components->pdata[j];
      Counted item = { .transport = component->id,
        .gathered_at = stream->gathered_at };

      gst_ice_link_get_counters (
          gst_ice_transport_get_link (component->transport), &item.counters);
      g_array_append_val (counted, item);
    }
    GST_OBJECT_UNLOCK (stream);
  }
  return counted;
}

static const Counted *
find_counted (const GArray *counted, guint transport)
{
  for (guint i = 0; i < counted->len; i++) {
    const Counted *item = &g_array_index (counted, Counted, i);

    if (item->transport == transport)
      return item;
  }
  return NULL;
}

GstStructure *
gst_ice_agent_make_stats (GstIceAgent *self)
{
  GstStructure *stats = gst_structure_new_empty ("application/x-gst-ice-stats");
  g_autoptr (GArray) streams = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) counted = count_links (self, streams);
  Snapshot snapshot;

  snapshot_take (&snapshot, self, streams);
  for (guint i = 0; i < snapshot.transports->len; i++) {
    const IceTransportStats *transport =
        &g_array_index (snapshot.transports, IceTransportStats, i);
    const Counted *item = find_counted (counted, transport->transport);

    if (item)
      describe_transport (stats, transport, snapshot.controlling,
          &item->counters, item->gathered_at);
  }
  for (guint i = 0; i < snapshot.locals->len; i++)
    describe_candidate (stats, "local-candidate", snapshot.locals->pdata[i]);
  for (guint i = 0; i < snapshot.remotes->len; i++)
    describe_candidate (stats, "remote-candidate", snapshot.remotes->pdata[i]);
  for (guint i = 0; i < snapshot.pairs->len; i++) {
    const IcePairStats *pair = &g_array_index (snapshot.pairs, IcePairStats, i);
    const Counted *item =
        pair->selected ? find_counted (counted, pair->transport) : NULL;

    describe_pair (stats, pair, item ? &item->counters : NULL);
  }
  for (guint i = 0; i < snapshot.servers->len; i++)
    describe_server (
        stats, self, &g_array_index (snapshot.servers, IceServerStats, i));
  describe_mux (stats, self);
  describe_agent (stats, &snapshot.counters);
  snapshot_clear (&snapshot);
  return stats;
}
