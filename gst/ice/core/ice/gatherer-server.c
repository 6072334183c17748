/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STUN and TURN servers: their addresses, and what is told about them. */
#include "gatherer-private.h"

#include "../../base/crypto.h"

#include "../purity.h"

/* RFC 7635 6.2: a token is as long as the authorization server likes; this is
 * what leaves the rest of a request room in one packet. */
#define TOKEN_MAX 1024
/* Time enough to ask a web service for others (draft-uberti-rtcweb-turn-rest
 * 2). */
#define EXPIRY_WARNING (60 * ICE_SECOND)

/* A first answer takes one round trip, 1.2 s over a satellite. By now the
 * request was sent three times (RFC 8489 6.2.1: 0, 0.5, 1.5 s), and what is
 * said now is on the bus before two seconds are over. */
#define SILENCE_TIMEOUT (1800 * ICE_MSEC)
/* Addresses of a name are asked for again at the first gathering after this;
 * within it the streams of an agent share one question. */
#define RESOLUTION_LIFETIME (300 * ICE_SECOND)
/* W3C webrtc 4.8.3: the code for a server that could not be reached. */
#define CODE_UNREACHABLE 701

static void
clear_credentials (IceGatherServer *self)
{
  g_free (self->username);
  ice_secret_free (self->password);
  g_clear_pointer (&self->token, g_bytes_unref);
  if (self->mac_key)
    ice_secret_clear (self->mac_key, self->mac_key_size);
  g_clear_pointer (&self->mac_key, g_free);
  g_clear_pointer (&self->authority, g_free);
}

void
ice_gather_server_free (IceGatherServer *self)
{
  clear_credentials (self);
  g_free (self->host);
  g_free (self->reason);
  g_free (self->name_trouble);
  g_free (self->url);
  g_free (self);
}

static IceGatherServer *
find_server (const IceGatherer *self, guint id)
{
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (server->id == id)
      return server;
  }
  return NULL;
}

static void
set_credentials (IceGatherServer *self, const IceServerConfig *config)
{
  clear_credentials (self);
  self->username = g_strdup (config->username);
  self->password = g_strdup (config->password);
  if (config->token.size > 0 && config->token.size <= TOKEN_MAX) {
    self->token = g_bytes_new (config->token.data, config->token.size);
    self->mac_key = g_memdup2 (config->mac_key.data, config->mac_key.size);
    self->mac_key_size = config->mac_key.size;
  }
  self->expires_at =
      config->expires_at != 0 ? config->expires_at : ICE_TIME_NEVER;
  self->expiry_told = FALSE;
  self->refused = FALSE;
  self->reported_code = 0;
}

void
ice_gather_server_lend_credentials (
    const IceGatherServer *self, IceAllocation *allocation)
{
  gsize size;
  gconstpointer token;

  if (!self->token) {
    ice_allocation_set_password (allocation, self->username, self->password);
    return;
  }
  token = g_bytes_get_data (self->token, &size);
  ice_allocation_set_token (allocation, self->username, ICE_BYTES (token, size),
      ICE_BYTES (self->mac_key, self->mac_key_size));
}

/* For want of credentials it was not made again. */
static gboolean
is_lost (const IceGatherQuery *query)
{
  return query->replaces && query->state == ICE_GATHER_QUERY_FAILED;
}

/* Allocations that are there go on with the new credentials; those that were
 * refused the old ones, or lost by them, are asked for again while candidates
 * are wanted. */
static void
roll_over (IceGatherer *self, const IceGatherServer *server)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->server != server || !query->allocation)
        continue;
      if ((query->was_refused || is_lost (query)) &&
          ice_gather_is_told (query) && !ice_gather_has_successor (self, query))
        ice_gather_query_wait (self, query);
      else
        ice_gather_server_lend_credentials (server, query->allocation);
    }
  }
}

void
ice_gatherer_add_server (IceGatherer *self, const IceServerConfig *config)
{
  IceGatherServer *server = find_server (self, config->id);

  if (server) {
    set_credentials (server, config);
    server->removed = FALSE;
    roll_over (self, server);
    return;
  }
  server = g_new0 (IceGatherServer, 1);
  server->id = config->id;
  server->kind = config->kind;
  server->transport = config->transport;
  server->host = g_strdup (config->host);
  server->port = config->port;
  server->srv = config->srv;
  server->url = g_strdup (config->url ? config->url : config->host);
  server->asked_at = ICE_TIME_NEVER;
  server->barred_till = server->family_barred_till = G_MININT64;
  set_credentials (server, config);
  if (ice_address_parse (&server->addresses[0], server->host, server->port)) {
    server->n_addresses = server->n_used = 1;
    server->resolution = ICE_GATHER_RESOLVE_LITERAL;
  }
  g_ptr_array_add (self->servers, server);
}

static gboolean
is_in_use (const IceGatherer *self, const IceGatherServer *server)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      const IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->server == server)
        return TRUE;
    }
  }
  return FALSE;
}

void
ice_gatherer_remove_servers (IceGatherer *self)
{
  for (guint i = self->servers->len; i-- > 0;) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    server->removed = TRUE;
    if (!is_in_use (self, server))
      g_ptr_array_remove_index (self->servers, i);
  }
}

gboolean
ice_gather_server_is_useful (
    const IceGatherServer *self, const IceGatherStream *stream)
{
  return !self->removed && !stream->lite &&
      (self->kind == ICE_SERVER_TURN || !stream->relay_only);
}

/* RFC 8489 8, RFC 5928 3 with RFC 8489 18.6: by scheme and transport. */
static void
set_service (const IceGatherServer *self, IceOutput *output)
{
  static const gchar *const services[][2] = {
    [ICE_SERVER_STUN] = { "stun", "stuns" },
    [ICE_SERVER_TURN] = { "turn", "turns" },
  };
  gboolean stream = self->transport == ICE_TRANSPORT_TCP ||
      self->transport == ICE_TRANSPORT_TLS;
  gboolean secure = self->transport == ICE_TRANSPORT_TLS ||
      self->transport == ICE_TRANSPORT_DTLS;

  output->resolve.service = services[self->kind][secure];
  output->resolve.protocol = stream ? "tcp" : "udp";
}

void
ice_gather_server_resolve (
    IceGatherer *self, IceGatherServer *server, IceTime now)
{
  IceOutput *output;

  if (server->resolution == ICE_GATHER_RESOLVE_LITERAL ||
      server->resolution == ICE_GATHER_RESOLVE_ASKED ||
      (server->resolution == ICE_GATHER_RESOLVE_KNOWN &&
          now < server->resolved_at + RESOLUTION_LIFETIME))
    return;
  server->resolution = ICE_GATHER_RESOLVE_ASKED;
  server->request = ice_context_new_id (self->context);
  server->name_asked_at = now;
  g_clear_pointer (&server->name_trouble, g_free);
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_RESOLVE);
  output->resolve.request = server->request;
  output->resolve.host = g_strdup (server->host);
  output->resolve.port = server->port;
  output->resolve.kind = server->transport;
  if (server->srv)
    set_service (server, output);
}

static gboolean
has_address (const IceGatherServer *self, const IceAddress *address)
{
  for (guint i = 0; i < self->n_addresses; i++) {
    if (ice_address_equal (&self->addresses[i], address))
      return TRUE;
  }
  return FALSE;
}

/* The first address of each family stands first: these are used at once. */
static void
take_addresses (IceGatherServer *self, const IceAddress *addresses, guint n)
{
  guint seen_families = 0;

  self->n_addresses = self->n_used = 0;
  for (guint i = 0; i < n && self->n_addresses < ICE_GATHER_ADDRESSES_MAX;
       i++) {
    IceAddress address = addresses[i];

    if (!self->srv)
      address.port = self->port;
    if (!ice_address_is_usable (&address) || has_address (self, &address))
      continue;
    self->addresses[self->n_addresses++] = address;
    if (seen_families & (1u << address.family))
      continue;
    seen_families |= 1u << address.family;
    self->addresses[self->n_addresses - 1] = self->addresses[self->n_used];
    self->addresses[self->n_used++] = address;
  }
}

void
ice_gather_start_queries_everywhere (IceGatherer *self, IceTime now)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream->state != ICE_GATHER_STATE_ENDED)
      ice_gather_start_queries (self, socket, now);
  }
}

void
ice_gather_server_addresses_came (IceGatherer *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now)
{
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (server->resolution != ICE_GATHER_RESOLVE_ASKED ||
        server->request != request)
      continue;
    take_addresses (server, addresses, n_addresses);
    server->resolved_at = now;
    server->resolution = server->n_addresses > 0 ? ICE_GATHER_RESOLVE_KNOWN
                                                 : ICE_GATHER_RESOLVE_NEEDED;
    if (server->n_addresses == 0)
      ice_gather_server_failed (self, server, ICE_GATHER_UNRESOLVED);
    ice_gather_start_queries_everywhere (self, now);
    return;
  }
}

static IceGatherServer *
find_asked (const IceGatherer *self, guint request)
{
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (server->resolution == ICE_GATHER_RESOLVE_ASKED &&
        server->request == request)
      return server;
  }
  return NULL;
}

void
ice_gather_server_no_address (
    IceGatherer *self, guint request, const gchar *reason)
{
  IceGatherServer *server = find_asked (self, request);

  if (server)
    server->name_trouble = g_strdup (reason);
}

void
ice_gather_server_begin (IceGatherServer *self)
{
  if (self->answered)
    self->asked_at = ICE_TIME_NEVER;
  self->answered = FALSE;
}

void
ice_gather_server_asked (IceGatherServer *self, IceTime now)
{
  if (self->asked_at == ICE_TIME_NEVER)
    self->asked_at = now;
}

void
ice_gather_server_answered (IceGatherServer *self, IceTime rtt)
{
  self->answered = TRUE;
  self->rtt = rtt;
}

void
ice_gather_server_succeeded (IceGatherer *self, IceGatherServer *server)
{
  IceOutput *output;

  if (server->reported_code == ICE_GATHER_UNCONNECTED)
    server->reported_code = 0;
  if (server->ok)
    return;
  server->ok = TRUE;
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_SERVER_OK);
  output->server.server = server->id;
  output->server.rtt = server->rtt;
}

static const gchar *
allocate_error (guint code)
{
  switch (code) {
    case 300:
      return "redirects in a circle, or to an address of no use (300); check "
             "its configuration";
    case 403:
      return "forbids to relay (403); ask its administrator";
    case 437:
      return "takes us for an old client on every port (437); try again in "
             "two minutes";
    case 441:
      return "has given our address to another user (441); try again later";
    case 442:
      return "does not relay UDP (442); choose another server";
    case 486:
      return "has too many allocations for this user (486); close some, or "
             "raise its quota";
    case 508:
      return "has no relay ports left (508); try again in a minute, or choose "
             "another server";
    default:
      return NULL;
  }
}

static const gchar *
connection_name (IceTransportKind kind)
{
  static const gchar *const names[] = { "UDP", "TCP", "TLS", "DTLS" };

  return names[kind];
}

/* (transfer full) */
static gchar *
describe_silence (const IceGatherServer *self)
{
  gboolean stream = self->transport == ICE_TRANSPORT_TCP ||
      self->transport == ICE_TRANSPORT_TLS;

  return g_strdup_printf (
      "No answer from %s%s; still trying. Check that the server runs and that "
      "no firewall blocks %s to it",
      self->url, stream ? "" : " to three requests", stream ? "TCP" : "UDP");
}

/* (transfer full) what was tried, and what to do. */
static gchar *
describe (const IceGatherServer *self, guint code)
{
  const gchar *known = allocate_error (code);

  if (code == ICE_GATHER_UNRESOLVED && self->name_trouble)
    return g_strdup_printf (
        "No address found for %s: %s", self->url, self->name_trouble);
  if (code == ICE_GATHER_SLOW_NAME)
    return g_strdup_printf ("No address found for \"%s\" of %s yet; still "
                            "trying. Check the network's name service",
        self->host, self->url);
  if (code == ICE_GATHER_UNRESOLVED)
    return g_strdup_printf ("No address found for \"%s\" of %s; check the "
                            "name and the name service",
        self->host, self->url);
  if (code == ICE_GATHER_SILENT)
    return describe_silence (self);
  if (code == ICE_GATHER_UNCONNECTED && self->untrusted)
    return g_strdup_printf ("%s: %s", self->url, self->reason);
  if (code == ICE_GATHER_UNCONNECTED)
    return g_strdup_printf ("No %s connection to %s: %s; check host and port, "
                            "and that no firewall is between",
        connection_name (self->transport), self->url, self->reason);
  if (code == ICE_GATHER_GIVEN_UP)
    return g_strdup_printf (
        "%s answers no longer, or with forged messages; given up", self->url);
  if (code == ICE_GATHER_USELESS)
    return g_strdup_printf ("%s answers, but with an address or a lifetime of "
                            "no use; check its configuration",
        self->url);
  if (code == 401 && self->authority && !self->token)
    return g_strdup_printf ("%s wants an access token (401): ask the "
                            "authorization server for one for \"%s\"",
        self->url, self->authority);
  if (code == 401 && !self->username)
    return g_strdup_printf ("%s wants a user name and a password (401); add "
                            "them: turn:USER:PASSWORD@HOST",
        self->url);
  if (code == 401)
    return g_strdup_printf (
        "%s refuses user name or password (401); correct them", self->url);
  if (known)
    return g_strdup_printf ("%s %s", self->url, known);
  return g_strdup_printf (
      "%s answers with error %u; check its log", self->url, code);
}

static IceCause
cause_of (const IceGatherServer *self, guint code)
{
  if (code == ICE_GATHER_UNCONNECTED && self->untrusted)
    return ICE_CAUSE_TLS_UNTRUSTED;
  return code == 401 || code == 403 ? ICE_CAUSE_TURN_AUTH : ICE_CAUSE_NONE;
}

void
ice_gather_server_failed (
    IceGatherer *self, IceGatherServer *server, guint code)
{
  IceOutput *output;

  server->errors++;
  if (code == 401 ||
      ice_turn_error_remedy (ICE_STUN_ALLOCATE, code) == ICE_TURN_REFUSED)
    server->refused = TRUE;
  if (server->reported_code == code)
    return;
  server->reported_code = code;
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_SERVER_ERROR);
  output->server.server = server->id;
  output->server.code = code < 300 ? CODE_UNREACHABLE : code;
  output->server.cause = cause_of (server, code);
  output->server.text = describe (server, code);
  ice_log (self->context, ICE_LOG_WARNING, ICE_LOG_GATHER, "%s",
      output->server.text);
}

void
ice_gather_server_given_up (IceGatherer *self, IceGatherServer *server)
{
  if (!server->ok && server->reported_code == 0)
    ice_gather_server_failed (self, server, ICE_GATHER_GIVEN_UP);
}

static gboolean
may_still_work (const IceGatherer *self, const IceGatherServer *server)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      const IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->server == server && query->state != ICE_GATHER_QUERY_FAILED)
        return TRUE;
    }
  }
  return FALSE;
}

void
ice_gather_server_unconnected (
    IceGatherer *self, IceGatherServer *server, const gchar *reason)
{
  if (may_still_work (self, server))
    return;
  server->asked_at = ICE_TIME_NEVER;
  g_free (server->reason);
  server->reason = g_strdup (reason);
  ice_gather_server_failed (self, server, ICE_GATHER_UNCONNECTED);
}

static gboolean
is_awaited (const IceGatherServer *self)
{
  return self->asked_at != ICE_TIME_NEVER && !self->answered;
}

/* It was not said yet. */
static IceTime
slow_name_at (const IceGatherServer *self)
{
  return self->resolution == ICE_GATHER_RESOLVE_ASKED &&
          self->reported_code != ICE_GATHER_SLOW_NAME &&
          self->reported_code != ICE_GATHER_UNRESOLVED
      ? self->name_asked_at + SILENCE_TIMEOUT
      : ICE_TIME_NEVER;
}

/* A name may have more addresses, and one of them be alive. */
static void
server_is_silent (IceGatherer *self, IceGatherServer *server, IceTime now)
{
  server->asked_at = ICE_TIME_NEVER;
  ice_gather_server_failed (self, server, ICE_GATHER_SILENT);
  if (server->n_used < server->n_addresses) {
    server->n_used++;
    ice_gather_start_queries_everywhere (self, now);
  }
}

static IceTime
expiry_warning_at (const IceGatherServer *self)
{
  return self->removed || self->expiry_told ||
          self->expires_at == ICE_TIME_NEVER
      ? ICE_TIME_NEVER
      : self->expires_at - EXPIRY_WARNING;
}

static void
ask_for_credentials (IceGatherer *self, IceGatherServer *server)
{
  server->expiry_told = TRUE;
  ice_outputs_add (self->context->out, ICE_OUTPUT_CREDENTIALS_NEEDED)
      ->server.server = server->id;
  ice_log (self->context, ICE_LOG_INFO, ICE_LOG_TURN,
      "the credentials for %s are about to expire", server->url);
}

void
ice_gather_servers_timeout (IceGatherer *self, IceTime now)
{
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (is_awaited (server) && now >= server->asked_at + SILENCE_TIMEOUT)
      server_is_silent (self, server, now);
    if (now >= slow_name_at (server))
      ice_gather_server_failed (self, server, ICE_GATHER_SLOW_NAME);
    if (now >= expiry_warning_at (server))
      ask_for_credentials (self, server);
  }
}

IceTime
ice_gather_servers_deadline (const IceGatherer *self)
{
  IceTime deadline = ICE_TIME_NEVER;

  for (guint i = 0; i < self->servers->len; i++) {
    const IceGatherServer *server = g_ptr_array_index (self->servers, i);

    deadline = MIN (deadline, expiry_warning_at (server));
    deadline = MIN (deadline, slow_name_at (server));
    if (is_awaited (server))
      deadline = MIN (deadline, server->asked_at + SILENCE_TIMEOUT);
  }
  return deadline;
}

static guint
longest_lifetime (const IceGatherSocket *socket, const IceGatherServer *server)
{
  guint lifetime = 0;

  for (guint i = 0; i < socket->queries->len; i++) {
    const IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (query->server == server && query->allocation &&
        query->allocation->state == ICE_ALLOCATION_ACTIVE)
      lifetime = MAX (lifetime, query->allocation->lifetime);
  }
  return lifetime;
}

void
ice_gatherer_get_server_stats (IceGatherer *self, GArray *ret)
{
  for (guint i = 0; i < self->servers->len; i++) {
    const IceGatherServer *server = g_ptr_array_index (self->servers, i);
    IceServerStats stats = {
      .server = server->id, .rtt = server->rtt, .errors = server->errors
    };

    g_strlcpy (stats.software, server->software, sizeof stats.software);
    for (guint j = 0; j < self->sockets->len; j++)
      stats.allocation_lifetime = MAX (stats.allocation_lifetime,
          longest_lifetime (g_ptr_array_index (self->sockets, j), server));
    g_array_append_val (ret, stats);
  }
}
