/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another server in place of one: where a 300 points to, the next address of a
 * name, and the same one when it is back. */
#include "gatherer-private.h"

#include "../purity.h"

/* Each server takes two requests, for the first one is challenged: with one hop
 * that is four, and servers that send us on for ever get no more. */
#define REDIRECTS_MAX 1
/* A server that was restarted and says so is asked at once, and then after a
 * moment and a minute, each time for as long as a request lasts; one that
 * grants allocations and denies them afterwards has so many tries. */
static const IceTime remake_delays[] = { 0, ICE_SECOND, 10 * ICE_SECOND,
  60 * ICE_SECOND };
/* Over a connection its end is known at once, and so is that there is nobody:
 * media is to flow again within five seconds after the server is back. */
static const IceTime redial_delays[] = { 100 * ICE_MSEC, 400 * ICE_MSEC,
  500 * ICE_MSEC, ICE_SECOND, ICE_SECOND, ICE_SECOND, 2 * ICE_SECOND,
  2 * ICE_SECOND, 2 * ICE_SECOND, 2 * ICE_SECOND, 2 * ICE_SECOND,
  2 * ICE_SECOND, 2 * ICE_SECOND, 2 * ICE_SECOND, 2 * ICE_SECOND,
  5 * ICE_SECOND, 10 * ICE_SECOND, 30 * ICE_SECOND, 60 * ICE_SECOND };

/* (unowned) (nullable) NULL when that address was asked. */
static IceGatherQuery *
ask_elsewhere (IceGatherer *self, const IceGatherQuery *query,
    const IceAddress *address, const gchar *domain)
{
  if (query->socket->kind != ICE_TRANSPORT_UDP)
    return ice_gather_dial_server (
        self, query->socket, query->server, address, domain);
  return ice_gather_query_new (
      self, query->socket, query->server, ICE_GATHER_ALLOCATE, address);
}

/* RFC 8489 10: the same transport and family; never back to "a server to which
 * it has already sent this request", which the queries of the socket remember
 * for longer than the five minutes asked for. */
gboolean
ice_gather_follow_redirection (IceGatherer *self, IceGatherQuery *query)
{
  const IceAddress *alternate = &query->allocation->alternate;
  IceGatherQuery *next;

  if (query->n_redirects >= REDIRECTS_MAX ||
      !ice_address_is_usable (alternate) ||
      alternate->family != query->address.family)
    return FALSE;
  next = ask_elsewhere (
      self, query, alternate, query->allocation->alternate_domain);
  if (!next)
    return FALSE;
  next->n_redirects = query->n_redirects + 1;
  return TRUE;
}

/* RFC 8489 8: "the client ... tries the next address". */
gboolean
ice_gather_try_next_address (IceGatherer *self, const IceGatherQuery *query)
{
  const IceGatherServer *server = query->server;

  for (guint i = 0; i < server->n_addresses; i++) {
    IceGatherQuery *next;

    if (server->addresses[i].family != query->address.family)
      continue;
    next = ask_elsewhere (
        self, query, &server->addresses[i], query->socket->domain);
    if (!next)
      continue;
    next->n_remade = query->n_remade;
    next->replaces = query->replaces;
    return TRUE;
  }
  return FALSE;
}

static gboolean
is_wanted (IceGatherer *self, const IceGatherQuery *query)
{
  return query->socket->wanted && !query->server->refused &&
      ice_gather_server_is_useful (query->server, query->socket->stream) &&
      !ice_gather_has_successor (self, query);
}

/* After the end of candidates, with a peer that does not renominate, the next
 * gathering finds it made already. */
gboolean
ice_gather_remake (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  gboolean dialled = query->socket->kind != ICE_TRANSPORT_UDP;
  const IceTime *delays = dialled ? redial_delays : remake_delays;
  guint n_delays =
      dialled ? G_N_ELEMENTS (redial_delays) : G_N_ELEMENTS (remake_delays);

  if (!is_wanted (self, query) || query->n_remade >= n_delays)
    return FALSE;
  query->state = ICE_GATHER_QUERY_DELAYED;
  query->retry_at = now + delays[query->n_remade++];
  if (query->retry_at == now)
    ice_gather_query_wait (self, query);
  return TRUE;
}

gboolean
ice_gather_remake_failed (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (query->n_remade == 0 || !is_wanted (self, query))
    return FALSE;
  return ice_gather_try_next_address (self, query) ||
      ice_gather_remake (self, query, now);
}
