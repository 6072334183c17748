/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-watch.h"

#include <string.h>

/* Requests for one thing before its server has to be believed: the first, and
 * one more for each of a 401 and two stale nonces. */
#define MAX_ROUNDS 4
/* One a second, averaged over a minute. Each branch of forks has peers of its
 * own, and permissions for them. */
#define WINDOW (60 * ICE_SECOND)
#define MAX_IN_WINDOW 60
/* Checks, permissions and channels of the beginning have calmed down. */
#define CALM (5 * ICE_SECOND)

/* A request that has no answer yet. */
typedef struct
{
  guint8 id[ICE_STUN_ID_SIZE];
  guint socket;
  IceAddress server;
  guint16 method;
  IceAddress peer;
  gboolean release; /* Refresh with a lifetime of 0 */
} Request;

/* What a client asks for: refusals in a row that a new key might cure. */
typedef struct
{
  guint socket;
  IceAddress server;
  guint16 method;
  IceAddress peer;
  guint n_refused;
} Subject;

/* The allocation of one socket at one server. */
typedef struct
{
  guint socket;
  IceAddress server;
  gboolean granted;
  guint n_releases;
} Grant;

struct _SimLeases
{
  SimNet *net;        /* (unowned) */
  SimHost *host;      /* (unowned) */
  GArray *requests;   /* (owned) Request */
  GArray *subjects;   /* (owned) Subject */
  GArray *grants;     /* (owned) Grant */
  GArray *times;      /* (owned) IceTime: of requests while all is calm */
  IceTime calm_since; /* 0: not all is connected */
};

SimLeases *
sim_leases_new (SimNet *net, SimHost *host)
{
  SimLeases *self = g_new0 (SimLeases, 1);

  self->net = net;
  self->host = host;
  self->requests = g_array_new (FALSE, FALSE, sizeof (Request));
  self->subjects = g_array_new (FALSE, TRUE, sizeof (Subject));
  self->grants = g_array_new (FALSE, TRUE, sizeof (Grant));
  self->times = g_array_new (FALSE, FALSE, sizeof (IceTime));
  return self;
}

void
sim_leases_free (SimLeases *self)
{
  g_array_unref (self->requests);
  g_array_unref (self->subjects);
  g_array_unref (self->grants);
  g_array_unref (self->times);
  g_free (self);
}

static Subject *
get_subject (SimLeases *self, const Request *request)
{
  Subject fresh = { request->socket, request->server, request->method,
    request->peer, 0 };

  for (guint i = 0; i < self->subjects->len; i++) {
    Subject *subject = &g_array_index (self->subjects, Subject, i);

    if (subject->socket == request->socket &&
        subject->method == request->method &&
        ice_address_equal (&subject->server, &request->server) &&
        ice_address_equal (&subject->peer, &request->peer))
      return subject;
  }
  g_array_append_val (self->subjects, fresh);
  return &g_array_index (self->subjects, Subject, self->subjects->len - 1);
}

static Grant *
get_grant (SimLeases *self, const Request *request)
{
  Grant fresh = { .socket = request->socket, .server = request->server };

  for (guint i = 0; i < self->grants->len; i++) {
    Grant *grant = &g_array_index (self->grants, Grant, i);

    if (grant->socket == request->socket &&
        ice_address_equal (&grant->server, &request->server))
      return grant;
  }
  g_array_append_val (self->grants, fresh);
  return &g_array_index (self->grants, Grant, self->grants->len - 1);
}

static gboolean
is_calm (SimLeases *self)
{
  const SimTransport *transport;

  for (guint i = 0; (transport = sim_host_any_transport (self->host, i)); i++) {
    if (transport->state != ICE_STATE_CONNECTED &&
        transport->state != ICE_STATE_COMPLETED)
      return FALSE;
  }
  return TRUE;
}

/* That granted something; there are two at most. */
static guint
count_servers (SimLeases *self)
{
  for (guint i = 1; i < self->grants->len; i++)
    if (!ice_address_equal (&g_array_index (self->grants, Grant, 0).server,
            &g_array_index (self->grants, Grant, i).server))
      return 2;
  return 1;
}

/* Each component of a relayed call that is in doubt asks for itself whether the
 * relay is still there, once in a second and more. */
static guint
count_askers (SimLeases *self)
{
  guint n = 0;

  while (sim_host_any_transport (self->host, n))
    n++;
  return MAX (n, count_servers (self) * sim_host_n_branches (self->host));
}

static void
check_rate (SimLeases *self)
{
  IceTime now = sim_net_now (self->net);

  if (!is_calm (self)) {
    self->calm_since = 0;
    g_array_set_size (self->times, 0);
    return;
  }
  if (self->calm_since == 0) {
    self->calm_since = now;
    g_array_set_size (self->times, 0);
  }
  if (now < self->calm_since + CALM)
    return;
  g_array_append_val (self->times, now);
  while (g_array_index (self->times, IceTime, 0) <= now - WINDOW)
    g_array_remove_index (self->times, 0);
  if (self->times->len > MAX_IN_WINDOW * count_askers (self))
    sim_net_violate (self->net, "I12: %s sent %u requests in a minute",
        sim_host_name (self->host), self->times->len);
}

static gint
find_request (SimLeases *self, const guint8 *id)
{
  for (guint i = self->requests->len; i-- > 0;)
    if (ice_stun_id_equal (g_array_index (self->requests, Request, i).id, id))
      return i;
  return -1;
}

void
sim_leases_sent (SimLeases *self, guint socket, const IceAddress *to,
    const IceStunMessage *message)
{
  Request request = {
    .socket = socket, .server = *to, .method = message->method
  };
  guint32 lifetime;

  if (message->klass != ICE_STUN_REQUEST || message->method == ICE_STUN_BINDING)
    return;
  /* A restart gathers anew: that is not calm. */
  if (message->method == ICE_STUN_ALLOCATE)
    self->calm_since = 0;
  check_rate (self);
  if (find_request (self, message->id) >= 0)
    return;
  memcpy (request.id, message->id, ICE_STUN_ID_SIZE);
  if (!ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_PEER_ADDRESS, &request.peer))
    request.peer = *to;
  request.release = message->method == ICE_STUN_REFRESH &&
      ice_stun_message_get_u32 (message, ICE_STUN_LIFETIME, &lifetime) &&
      lifetime == 0;
  /* What is asked for anew, and perhaps granted, may be given back anew; what
   * was given back is nobody's. */
  if (message->method == ICE_STUN_ALLOCATE &&
      get_grant (self, &request)->n_releases > 0)
    *get_grant (self, &request) =
        (Grant){ .socket = socket, .server = request.server };
  if (request.release && ++get_grant (self, &request)->n_releases > 1)
    sim_net_violate (self->net, "I12: %s gave an allocation back twice",
        sim_host_name (self->host));
  if (get_subject (self, &request)->n_refused >= MAX_ROUNDS)
    sim_net_violate (self->net, "I12: %s authenticated more than %u times",
        sim_host_name (self->host), MAX_ROUNDS);
  g_array_append_val (self->requests, request);
}

static void
take_error (SimLeases *self, const Request *request, guint code)
{
  Grant *grant = get_grant (self, request);

  if (code == 401 || code == 438) {
    get_subject (self, request)->n_refused++;
    if (request->release)
      grant->n_releases--;
  } else if (code == 437) {
    *grant = (Grant){ .socket = request->socket, .server = request->server };
  }
}

void
sim_leases_received (
    SimLeases *self, guint socket, const IceStunMessage *message)
{
  gint index = find_request (self, message->id);
  guint code = 0;
  IceBytes reason;
  Request request;

  if (index < 0 || message->klass == ICE_STUN_REQUEST)
    return;
  request = g_array_index (self->requests, Request, index);
  g_array_remove_index_fast (self->requests, index);
  if (message->klass == ICE_STUN_ERROR &&
      ice_stun_message_get_error (message, &code, &reason)) {
    take_error (self, &request, code);
    return;
  }
  get_subject (self, &request)->n_refused = 0;
  if (request.method == ICE_STUN_ALLOCATE)
    *get_grant (self, &request) =
        (Grant){ .socket = socket, .server = request.server, .granted = TRUE };
}

void
sim_leases_restart (SimLeases *self)
{
  g_array_set_size (self->subjects, 0);
}

void
sim_leases_end (SimLeases *self)
{
  for (guint i = 0; i < self->grants->len; i++) {
    const Grant *grant = &g_array_index (self->grants, Grant, i);

    if (grant->granted && grant->n_releases != 1)
      sim_net_violate (self->net, "I12: %s did not give an allocation back",
          sim_host_name (self->host));
  }
}
