/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another server in place of one: where a 300 points to, the next address of a
 * name, and the same one when it is back. */
#include "gatherer-private.h"

#include "../purity.h"

/* Each server takes two requests, for the first one is challenged: with one hop
 * that is four, and servers that send us on for ever get no more. */
#define REDIRECTS_MAX 1
/* A server that was restarted is there in a moment, or in a minute; one that
 * grants allocations and denies them afterwards has so many tries. */
static const IceTime remake_delays[] = { ICE_SECOND, 10 * ICE_SECOND,
  60 * ICE_SECOND };

/* RFC 8489 10: the same transport and family; never back to "a server to which
 * it has already sent this request", which the queries of the socket remember
 * for longer than the five minutes asked for. */
gboolean
ice_gather_follow_redirection (
    IceGatherer *self, IceGatherQuery *query, const IceAddress *alternate)
{
  IceGatherQuery *next;

  if (query->n_redirects >= REDIRECTS_MAX ||
      !ice_address_is_usable (alternate) ||
      alternate->family != query->address.family)
    return FALSE;
  next = ice_gather_query_new (
      self, query->socket, query->server, ICE_GATHER_ALLOCATE, alternate);
  if (!next)
    return FALSE;
  next->n_redirects = query->n_redirects + 1;
  return TRUE;
}

/* RFC 8489 8: "the client ... tries the next address". */
static gboolean
try_next_address (IceGatherer *self, const IceGatherQuery *query)
{
  const IceGatherServer *server = query->server;

  for (guint i = 0; i < server->n_addresses; i++) {
    IceGatherQuery *next;

    if (server->addresses[i].family != query->address.family)
      continue;
    next = ice_gather_query_new (self, query->socket, query->server,
        ICE_GATHER_ALLOCATE, &server->addresses[i]);
    if (!next)
      continue;
    next->n_remade = query->n_remade;
    return TRUE;
  }
  return FALSE;
}

static gboolean
is_wanted (const IceGatherQuery *query)
{
  return query->socket->wanted && !query->server->refused &&
      ice_gather_server_is_useful (query->server, query->socket->stream);
}

/* While candidates are gathered the ordinary ways are enough. Afterwards the
 * next gathering finds it made already. */
gboolean
ice_gather_remake (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (!is_wanted (query) ||
      query->socket->stream->state != ICE_GATHER_STATE_ENDED ||
      query->n_remade >= G_N_ELEMENTS (remake_delays))
    return FALSE;
  query->state = ICE_GATHER_QUERY_DELAYED;
  query->retry_at = now + remake_delays[query->n_remade++];
  return TRUE;
}

gboolean
ice_gather_remake_failed (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (query->n_remade == 0 || !is_wanted (query))
    return FALSE;
  return try_next_address (self, query) || ice_gather_remake (self, query, now);
}
