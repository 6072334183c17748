/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making candidates of what the queries found, and remembering them until they
 * are released. */
#include "gatherer-private.h"

#include <string.h>

#include "../purity.h"

void
ice_gather_entry_clear (IceGatherEntry *self)
{
  ice_candidate_unref (self->candidate);
}

static IceGatherEntry *
entry_at (const IceGatherer *self, guint index)
{
  return &g_array_index (self->candidates, IceGatherEntry, index);
}

/* RFC 8445 5.1.1.3: same kind, IP address of the base, IP address of the server
 * and protocol make the same foundation, for all streams of the agent. */
static void
set_foundation (IceGatherer *self, IceCandidate *candidate,
    const IceAddress *server, IceTransportKind kind)
{
  gchar base_ip[ICE_ADDRESS_STRLEN], server_ip[ICE_ADDRESS_STRLEN];
  g_autofree gchar *key = NULL;
  guint index;

  /* RFC 6544 4.5's examples have one for each type. */
  key = g_strdup_printf ("%s %s %s %u %u",
      ice_candidate_kind_to_string (candidate->kind),
      ice_address_ip_to_string (&candidate->base, base_ip),
      server ? ice_address_ip_to_string (server, server_ip) : "-",
      candidate->tcp_type, kind);
  if (!g_ptr_array_find_with_equal_func (
          self->foundations, key, g_str_equal, &index)) {
    index = self->foundations->len;
    g_ptr_array_add (self->foundations, g_steal_pointer (&key));
  }
  g_snprintf (
      candidate->foundation, sizeof candidate->foundation, "%u", index + 1);
}

/* RFC 8445 5.1.3: same address and same base as one that is reported. It came
 * first, and cannot be taken back; it is the better one nearly always. */
static gboolean
is_redundant (const IceGatherer *self, const IceGatherSocket *socket,
    const IceCandidate *candidate)
{
  for (guint i = 0; i < self->candidates->len; i++) {
    const IceGatherEntry *entry = entry_at (self, i);

    if (ice_gather_is_hidden_twin (entry->candidate, candidate))
      continue;
    if (entry->candidate->stream == socket->stream->id &&
        entry->candidate->component == socket->component &&
        entry->generation == socket->stream->generation &&
        entry->candidate->tcp_type == candidate->tcp_type &&
        ice_address_equal (&entry->candidate->address, &candidate->address) &&
        ice_address_equal (&entry->candidate->base, &candidate->base))
      return TRUE;
  }
  return FALSE;
}

/* The same candidate of an earlier generation is replaced: it is not ours to
 * release any more, and neither is what it stands for. */
static void
forget_earlier (IceGatherer *self, const IceCandidate *candidate)
{
  for (guint i = self->candidates->len; i-- > 0;) {
    const IceGatherEntry *entry = entry_at (self, i);

    if (entry->candidate->kind == candidate->kind &&
        entry->candidate->socket == candidate->socket &&
        ice_address_equal (&entry->candidate->address, &candidate->address) &&
        ice_address_equal (&entry->candidate->base, &candidate->base))
      g_array_remove_index (self->candidates, i);
  }
}

static void
report (
    IceGatherer *self, const IceGatherSocket *socket, IceCandidate *candidate)
{
  IceGatherEntry entry = { .candidate = candidate,
    .generation = socket->stream->generation };
  gchar text[ICE_ADDRESS_STRLEN];

  if (is_redundant (self, socket, candidate)) {
    ice_log (self->context, ICE_LOG_DEBUG, ICE_LOG_GATHER,
        "%s candidate %s is redundant",
        ice_candidate_kind_to_string (candidate->kind),
        ice_address_to_string (&candidate->address, text));
    return;
  }
  ice_log (self->context, ICE_LOG_INFO, ICE_LOG_GATHER,
      "stream %u component %u: %s candidate %s", candidate->stream,
      candidate->component, ice_candidate_kind_to_string (candidate->kind),
      ice_address_to_string (&candidate->address, text));
  forget_earlier (self, candidate);
  ice_candidate_ref (candidate);
  g_array_append_val (self->candidates, entry);
  ice_gather_push_event (
      self, ICE_GATHER_CANDIDATE, candidate->stream, candidate, NULL, 0);
}

static void
set_tcp_priority (
    IceCandidate *candidate, const IceGatherSocket *socket, guint slot)
{
  candidate->protocol = ICE_PROTOCOL_TCP;
  candidate->tcp_type = socket->tcp_type;
  candidate->local_preference = ice_candidate_tcp_preference (candidate->kind,
      socket->tcp_type, ice_gather_other_preference (socket->rank, slot));
  candidate->priority = ice_candidate_compute_tcp_priority (
      candidate->kind, candidate->local_preference, socket->component);
}

static IceCandidate *
make (IceGatherer *self, const IceGatherSocket *socket, IceCandidateKind kind,
    guint slot)
{
  IceCandidate *candidate = ice_candidate_new (kind, socket->component);

  candidate->id = ice_context_new_id (self->context);
  candidate->stream = socket->stream->id;
  candidate->protocol = ICE_PROTOCOL_UDP;
  candidate->socket = socket->id;
  if (socket->tcp_type != ICE_TCP_TYPE_NONE) {
    set_tcp_priority (candidate, socket, slot);
    return candidate;
  }
  candidate->local_preference =
      ice_gather_local_preference (socket->rank, slot);
  candidate->detour = socket->detour;
  candidate->priority = socket->detour
      ? ice_candidate_compute_detour_priority (
            kind, candidate->local_preference, socket->component)
      : ice_candidate_compute_priority (
            kind, candidate->local_preference, socket->component);
  return candidate;
}

void
ice_gather_make_host (IceGatherer *self, IceGatherSocket *socket)
{
  if (socket->host && socket->generation == socket->stream->generation)
    return;
  socket->generation = socket->stream->generation;
  g_clear_pointer (&socket->host, ice_candidate_unref);
  socket->host = make (self, socket, ICE_CANDIDATE_HOST, socket->beside);
  socket->host->address = socket->host->base = socket->bound;
  ice_gather_map_external (self, &socket->host->address);
  if (!socket->stream->relay_only)
    ice_gather_hide (self, socket->host);
  set_foundation (self, socket->host, NULL, ICE_TRANSPORT_UDP);
}

void
ice_gather_report_host (IceGatherer *self, IceGatherSocket *socket)
{
  if (socket->stream->relay_only || (socket->spare && !socket->beside))
    return;
  socket->direct = TRUE;
  report (self, socket, socket->host);
}

/* The mDNS draft, 3.1.2.2: what a name hides is not told as related, either. */
static void
set_base (const IceGatherer *self, IceCandidate *candidate,
    const IceGatherSocket *socket)
{
  candidate->base = socket->bound;
  if (!self->config.hide_hosts)
    candidate->related = socket->bound;
}

/* Behind a NAT64 (RFC 6146) we are seen at an IPv4 address: who has only IPv4
 * reaches us there. No translator gives IPv4 an address of IPv6. */
static gboolean
can_be_mapped (const IceGatherSocket *socket, const IceAddress *mapped)
{
  return mapped->family == socket->bound.family ||
      (mapped->family == ICE_FAMILY_IPV4 &&
          socket->bound.family == ICE_FAMILY_IPV6);
}

void
ice_gather_report_mapped (IceGatherer *self, IceGatherQuery *query)
{
  IceGatherSocket *socket = query->socket;
  g_autoptr (IceCandidate) candidate = NULL;
  guint slot = query->slot;

  /* RFC 8445 5.1.2.1: "each candidate ... MUST have a unique priority", and one
   * that a NAT has forgotten cannot be taken back. */
  if (query->n_mappings > 0)
    slot = ICE_GATHER_SLOTS - query->n_mappings;
  if (socket->stream->relay_only || socket->spare ||
      !can_be_mapped (socket, &query->mapped) ||
      query->n_mappings >= ICE_GATHER_MAPPINGS_MAX)
    return;
  query->n_mappings++;
  candidate = make (self, socket, ICE_CANDIDATE_SERVER_REFLEXIVE, slot);
  candidate->address = query->mapped;
  set_base (self, candidate, socket);
  candidate->server = query->server->id;
  candidate->url = g_strdup (query->server->url);
  set_foundation (self, candidate, &query->address, socket->kind);
  report (self, socket, candidate);
}

/* Behind those of STUN servers, which know the way to the world and not only
 * to the next router; the same address is redundant. */
void
ice_gather_report_mapping (IceGatherer *self, IceGatherSocket *socket)
{
  g_autoptr (IceCandidate) candidate = NULL;

  if (socket->mapped.family == ICE_FAMILY_NONE || socket->stream->relay_only)
    return;
  candidate =
      make (self, socket, ICE_CANDIDATE_SERVER_REFLEXIVE, ICE_GATHER_SLOTS - 1);
  candidate->address = socket->mapped;
  set_base (self, candidate, socket);
  set_foundation (self, candidate, NULL, ICE_TRANSPORT_UDP);
  report (self, socket, candidate);
}

/* RFC 8445 5.1.1.2: identical to a host candidate MUST be discarded; so is what
 * another allocation has got already. */
static gboolean
is_taken (const IceGatherer *self, const IceGatherQuery *query,
    const IceAddress *relayed)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);
    const IceGatherQuery *other = ice_gather_find_relay (socket, relayed);

    if (ice_address_equal (&socket->bound, relayed) ||
        (other && other != query))
      return TRUE;
  }
  return FALSE;
}

static IceAddress
hidden_address (IceFamily family)
{
  IceAddress address = ICE_ADDRESS_NONE;

  address.family = family;
  return address;
}

/* The last resort: what is relayed over a stream waits for what was lost, and
 * comes after all that is relayed over datagrams. The range of the latter and
 * of what is learnt by it (ice_candidate_learnt_priority) ends above it, for
 * the first 256 addresses. */
static void
set_stream_priority (IceCandidate *candidate)
{
  candidate->local_preference -= MIN (candidate->local_preference, 0x8000);
  candidate->priority = candidate->detour
      ? ice_candidate_compute_detour_priority (
            candidate->kind, candidate->local_preference, candidate->component)
      : ice_candidate_compute_priority (
            candidate->kind, candidate->local_preference, candidate->component);
}

/* W3C webrtc, RTCIceServerTransportProtocol: udp, tcp, tls. It has no DTLS,
 * which is as lossy as UDP. */
static const gchar *
relay_protocol (IceTransportKind kind)
{
  return kind == ICE_TRANSPORT_DTLS ? "udp"
                                    : ice_transport_kind_to_string (kind);
}

/* (transfer full) */
static IceCandidate *
make_relayed (IceGatherer *self, const IceGatherQuery *query,
    const IceAddress *relayed, guint slot)
{
  IceGatherSocket *socket = query->socket;
  IceCandidate *candidate = make (self, socket, ICE_CANDIDATE_RELAYED, slot);

  if (socket->kind == ICE_TRANSPORT_TCP || socket->kind == ICE_TRANSPORT_TLS)
    set_stream_priority (candidate);
  candidate->address = candidate->base = *relayed;
  /* Where the server is on our side of the NAT, that is an interface's. */
  if (!self->config.hide_hosts)
    candidate->related = query->mapped;
  /* W3C webrtc 4.8.1.1: who relays to hide does not tell the related one. One
   * of another family says nothing that a peer could use. */
  if (socket->stream->relay_only || query->mapped.family != relayed->family)
    candidate->related = hidden_address (relayed->family);
  candidate->server = query->server->id;
  candidate->url = g_strdup (query->server->url);
  candidate->relay_protocol = relay_protocol (socket->kind);
  set_foundation (self, candidate, &query->address, socket->kind);
  return candidate;
}

gboolean
ice_gather_report_relayed (IceGatherer *self, IceGatherQuery *query)
{
  const IceAddress *relayed = &query->allocation->relayed;
  const IceAddress *additional = &query->allocation->additional;

  if (is_taken (self, query, relayed))
    return FALSE;
  g_clear_pointer (&query->relayed, ice_candidate_unref);
  query->relayed = make_relayed (self, query, relayed, query->relay_slot);
  report (self, query->socket, query->relayed);

  g_clear_pointer (&query->additional, ice_candidate_unref);
  if (additional->family == ICE_FAMILY_NONE ||
      is_taken (self, query, additional))
    return TRUE;
  /* Behind all that came first: there are as many slots as queries. */
  query->additional = make_relayed (
      self, query, additional, ICE_GATHER_SLOTS - 1 - query->relay_slot);
  report (self, query->socket, query->additional);
  return TRUE;
}

gboolean
ice_gather_has_relayed (const IceGatherer *self, const IceGatherQuery *query)
{
  for (guint i = 0; i < self->candidates->len; i++) {
    const IceCandidate *candidate = entry_at (self, i)->candidate;
    const IceCandidate *own =
        ice_gather_query_candidate (query, candidate->address.family);

    if (own && candidate->kind == ICE_CANDIDATE_RELAYED &&
        candidate->socket == query->socket->id &&
        ice_address_equal (&own->address, &candidate->address))
      return TRUE;
  }
  return FALSE;
}

gboolean
ice_gather_has_mapped (const IceGatherer *self, const IceGatherQuery *query)
{
  for (guint i = 0; i < self->candidates->len; i++) {
    const IceCandidate *candidate = entry_at (self, i)->candidate;

    if (candidate->kind == ICE_CANDIDATE_SERVER_REFLEXIVE &&
        candidate->socket == query->socket->id &&
        candidate->server == query->server->id)
      return TRUE;
  }
  return FALSE;
}

gboolean
ice_gather_lose (
    IceGatherer *self, const IceGatherSocket *socket, const IceAddress *base)
{
  gboolean found = FALSE;

  for (guint i = self->candidates->len; i-- > 0;) {
    IceCandidate *candidate = entry_at (self, i)->candidate;

    if (candidate->socket != socket->id ||
        (base && !ice_address_equal (&candidate->base, base)))
      continue;
    ice_gather_push_event (
        self, ICE_GATHER_CANDIDATE_LOST, candidate->stream, candidate, NULL, 0);
    g_array_remove_index (self->candidates, i);
    found = TRUE;
  }
  return found;
}

void
ice_gather_forget_stream (IceGatherer *self, guint stream)
{
  for (guint i = self->candidates->len; i-- > 0;) {
    if (entry_at (self, i)->candidate->stream == stream)
      g_array_remove_index (self->candidates, i);
  }
}

void
ice_gather_forget_older (IceGatherer *self, const IceGatherStream *stream)
{
  for (guint i = self->candidates->len; i-- > 0;) {
    const IceGatherEntry *entry = entry_at (self, i);

    if (entry->candidate->stream == stream->id &&
        entry->generation != stream->generation)
      g_array_remove_index (self->candidates, i);
  }
}

gboolean
ice_gather_is_in_use (const IceGatherer *self, const IceGatherSocket *socket)
{
  for (guint i = 0; i < self->candidates->len; i++) {
    if (entry_at (self, i)->candidate->socket == socket->id)
      return TRUE;
  }
  return FALSE;
}

/* RFC 8445 8.3.1: what no candidate stands for any more is given up. */
static void
release_resources (IceGatherer *self, const IceCandidate *released, IceTime now)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, released->socket);

  if (!socket)
    return;
  if (!ice_gather_is_in_use (self, socket)) {
    ice_gather_close_socket (self, socket, now);
    return;
  }
  for (guint i = 0; i < socket->queries->len; i++) {
    IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (released->server == query->server->id)
      ice_gather_query_release (self, query, released, now);
  }
}

void
ice_gatherer_release_candidate (
    IceGatherer *self, IceCandidate *local, IceTime now)
{
  for (guint i = 0; i < self->candidates->len; i++) {
    IceCandidate *candidate = entry_at (self, i)->candidate;

    if (candidate->id != local->id)
      continue;
    ice_candidate_ref (candidate);
    g_array_remove_index (self->candidates, i);
    release_resources (self, candidate, now);
    ice_candidate_unref (candidate);
    return;
  }
}

static gint
compare_priority (gconstpointer a, gconstpointer b)
{
  const IceCandidate *first = *(IceCandidate *const *) a;
  const IceCandidate *second = *(IceCandidate *const *) b;

  return (first->priority < second->priority) -
      (first->priority > second->priority);
}

guint
ice_gatherer_get_generation (IceGatherer *self, guint stream)
{
  const IceGatherStream *found = ice_gather_find_stream (self, stream);

  return found ? found->generation : 0;
}

void
ice_gatherer_get_candidates (
    IceGatherer *self, guint stream, guint component, GPtrArray *ret)
{
  const IceGatherStream *found = ice_gather_find_stream (self, stream);
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (guint i = 0; found && i < self->candidates->len; i++) {
    const IceGatherEntry *entry = entry_at (self, i);

    if (entry->candidate->stream == stream &&
        entry->candidate->component == component &&
        entry->generation == found->generation)
      g_ptr_array_add (list, entry->candidate);
  }
  g_ptr_array_sort (list, compare_priority);
  g_ptr_array_extend (ret, list, NULL, NULL);
}
