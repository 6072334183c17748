/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an Allocate request asks for beside a relayed address: both families,
 * the next port too, what a server is known to refuse left out. */
#include "gatherer-private.h"

#include <string.h>

#include "../purity.h"

/* RFC 8656 7.2: a reservation is held for at least 30 s. The Allocate that uses
 * it is repeated with credentials first. */
#define RESERVATION_LIFETIME (25 * ICE_SECOND)
/* The second component goes on without a token when the first one takes longer:
 * three requests and their answers (RFC 8489 6.2.1: 0, 0.5, 1.5 s). */
#define RESERVATION_PATIENCE (2 * ICE_SECOND)
/* RFC 8656 7.3: 508 for one family: at least a minute. */
#define FAMILY_BARRED_DELAY (60 * ICE_SECOND)

static gboolean
has_socket_of (
    const IceGatherer *self, const IceGatherStream *stream, IceFamily family)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream == stream && socket->wanted &&
        socket->address.family == family)
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_address_of (const IceGatherServer *server, IceFamily family)
{
  for (guint i = 0; i < server->n_used; i++) {
    if (server->addresses[i].family == family)
      return TRUE;
  }
  return FALSE;
}

/* Where both families reach the server each gets its own relay, and asks for
 * its own family only. */
static gboolean
is_asked_by_other_family (const IceGatherer *self, const IceGatherQuery *query)
{
  IceFamily other = query->address.family == ICE_FAMILY_IPV4 ? ICE_FAMILY_IPV6
                                                             : ICE_FAMILY_IPV4;

  return has_socket_of (self, query->socket->stream, other) &&
      has_address_of (query->server, other);
}

static gboolean
has_second_component (const IceGatherStream *stream)
{
  return stream->transports->len > 1 &&
      g_array_index (stream->transports, guint, 1) != 0;
}

void
ice_gather_query_set_options (
    IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  const IceGathererConfig *config = &self->config;
  const IceGatherServer *server = query->server;
  IceTurnOptions options = {
    .both_families = config->both_families && !query->any_family &&
        config->only_family == ICE_FAMILY_NONE &&
        now >= server->family_barred_till &&
        !is_asked_by_other_family (self, query),
    .reserve = config->even_port && !server->refuses.reserve &&
        query->socket->component == 1 && !query->socket->spare &&
        has_second_component (query->socket->stream),
    .dont_fragment = config->dont_fragment && !server->refuses.dont_fragment,
    /* A ticket moves to another UDP socket, and nowhere else. */
    .mobility = config->mobility && !server->refuses.mobility &&
        query->socket->kind == ICE_TRANSPORT_UDP,
  };

  if (query->has_token) {
    options.has_token = TRUE;
    memcpy (options.token, query->token, sizeof options.token);
    query->has_token = FALSE;
  }
  query->wanted = options;
  ice_allocation_set_options (query->allocation, &options);
}

/* RFC 8656 7.4: what it refused once is not asked for again. */
static void
note_refusals (IceGatherServer *server, const IceGatherQuery *query)
{
  const IceTurnOptions *wanted = &query->wanted;
  const IceTurnOptions *got = &query->allocation->options;

  server->refuses.reserve |= wanted->reserve && !got->reserve;
  server->refuses.dont_fragment |= wanted->dont_fragment && !got->dont_fragment;
  server->refuses.mobility |= wanted->mobility && !got->mobility;
}

/* RFC 8656 7.3: ADDRESS-ERROR-CODE. */
static void
note_missing_family (
    IceGatherer *self, const IceGatherQuery *query, IceTime now)
{
  IceGatherServer *server = query->server;
  guint code = query->allocation->additional_error;
  gboolean refused =
      query->wanted.both_families && !query->allocation->options.both_families;

  if (code == 0 && !refused)
    return;
  server->errors++;
  ice_log (self->context, ICE_LOG_INFO, ICE_LOG_TURN,
      "%s relays one address family only (%u)", server->url, code);
  server->family_barred_till =
      code == 508 ? now + FAMILY_BARRED_DELAY : ICE_TIME_NEVER;
}

void
ice_gather_query_note_options (
    IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  note_refusals (query->server, query);
  note_missing_family (self, query, now);
  query->reserved_at = query->allocation->reserved ? now : ICE_TIME_NEVER;
}

/* EVEN-PORT. */

/* The Allocate of component 1 from the same interface to the same server. */
static const IceGatherQuery *
find_first_component (const IceGatherer *self, const IceGatherQuery *query)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream != query->socket->stream || socket->component != 1 ||
        socket->spare ||
        !ice_address_equal (&socket->address, &query->socket->address))
      continue;
    for (guint j = 0; j < socket->queries->len; j++) {
      const IceGatherQuery *first = g_ptr_array_index (socket->queries, j);

      if (first->kind == ICE_GATHER_ALLOCATE &&
          ice_address_equal (&first->address, &query->address))
        return first;
    }
  }
  return NULL;
}

gboolean
ice_gather_query_awaits_token (
    IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  const IceGatherQuery *first;

  if (!self->config.even_port || query->socket->component != 2 ||
      query->socket->spare || query->asked_for_token ||
      query->server->refuses.reserve)
    return FALSE;
  first = find_first_component (self, query);
  if (!first)
    return FALSE;
  if (ice_gather_query_is_pending (first)) {
    if (query->patience_till == 0)
      query->patience_till = now + RESERVATION_PATIENCE;
    query->retry_at = query->patience_till;
    return now < query->patience_till;
  }
  query->asked_for_token = TRUE;
  if (first->state != ICE_GATHER_QUERY_ANSWERED ||
      first->reserved_at == ICE_TIME_NEVER ||
      now >= first->reserved_at + RESERVATION_LIFETIME)
    return FALSE;
  query->has_token = TRUE;
  memcpy (query->token, first->allocation->reservation, sizeof query->token);
  return FALSE;
}

void
ice_gather_wake_second_component (
    IceGatherer *self, const IceGatherQuery *first)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream != first->socket->stream || socket->component != 2)
      continue;
    for (guint j = 0; j < socket->queries->len; j++) {
      IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->state == ICE_GATHER_QUERY_DELAYED &&
          query->patience_till != 0 && !query->asked_for_token)
        ice_gather_query_wait (self, query);
    }
  }
}
