/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why there is no path, and what to do about it: one sentence built from what
 * the core has seen (design 9.2). */
#include "core-private.h"

#include "purity.h"

#define N_KINDS (ICE_CANDIDATE_RELAYED + 1)

typedef struct
{
  guint local[N_KINDS], remote[N_KINDS];
  guint n_local, n_remote;
  guint n_pairs, n_answered, n_failed;
} Facts;

static void
collect (const IceStream *stream, Facts *facts)
{
  *facts = (Facts){ 0 };
  facts->n_local = stream->locals->len;
  facts->n_remote = stream->remotes->len;
  facts->n_pairs = stream->pairs->len;
  for (guint i = 0; i < stream->locals->len; i++) {
    IceCandidate *candidate = g_ptr_array_index (stream->locals, i);

    facts->local[candidate->kind]++;
  }
  for (guint i = 0; i < stream->remotes->len; i++) {
    IceCandidate *candidate = g_ptr_array_index (stream->remotes, i);

    facts->remote[candidate->kind]++;
  }
  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);

    facts->n_answered += pair->succeeded_at != 0;
    facts->n_failed += pair->state == ICE_PAIR_FAILED;
  }
}

static void
append_kinds (GString *text, const gchar *whose, const guint *kinds)
{
  const gchar *separator = " ";

  g_string_append (text, whose);
  for (guint i = 0; i < N_KINDS; i++) {
    if (kinds[i] == 0)
      continue;
    g_string_append_printf (text, "%s%u %s", separator, kinds[i],
        ice_candidate_kind_to_string ((IceCandidateKind) i));
    separator = ", ";
  }
  if (*separator == ' ')
    g_string_append (text, " none");
}

/* The last word of the servers may still wait among the outputs. */
static guint
last_server_error (IceCore *self, const gchar **ret_untrusted)
{
  guint code = self->server_error;

  *ret_untrusted = self->untrusted;
  for (IceOutput *output = self->context.out->first; output;
       output = output->next) {
    if (output->type != ICE_OUTPUT_SERVER_ERROR)
      continue;
    code = output->server.code;
    *ret_untrusted = output->server.cause == ICE_CAUSE_TLS_UNTRUSTED
        ? output->server.text
        : NULL;
  }
  return code;
}

static const gchar *
cure_local (IceCore *self, IceCause *ret_cause)
{
  const gchar *untrusted;
  const guint error = last_server_error (self, &untrusted);

  if (self->socket_error) {
    *ret_cause = ICE_CAUSE_RESOURCE;
    return self->socket_error;
  }
  *ret_cause = ICE_CAUSE_NO_LOCAL_CANDIDATES;
  if (!self->config.gather.relay_only)
    return "no network interface could be used: the network is down, or the "
           "interfaces, ip-family or port settings leave none";
  if (!self->has_turn_server)
    return "only relayed candidates are allowed and no TURN server is "
           "configured: add one, or set the policy to all";
  if (error == 401 || error == 403) {
    *ret_cause = ICE_CAUSE_TURN_AUTH;
    return "only relayed candidates are allowed and the TURN server refused "
           "the username or the password: correct them";
  }
  if (untrusted) {
    *ret_cause = ICE_CAUSE_TLS_UNTRUSTED;
    return untrusted;
  }
  return "only relayed candidates are allowed and no TURN server gave one: "
         "check its address and that it is running";
}

static const gchar *
cure_checks (IceCore *self, const IceStream *stream, const Facts *facts)
{
  if (stream->n_unauthorized > 0)
    return "the peer refuses our checks (401): each side has credentials of "
           "another session; exchange the descriptions anew";
  if (stream->n_requests > 0)
    return "the peer's checks arrive but ours are not answered: a firewall "
           "lets packets through one way only; a TURN server helps";
  if (!self->has_turn_server)
    return "no packet of the peer arrived: a firewall or NAT blocks UDP "
           "between you; configure a TURN server on either side";
  if (facts->local[ICE_CANDIDATE_RELAYED] == 0)
    return "no packet of the peer arrived, and the TURN server gave no relayed "
           "candidate: check its address, username and password";
  return "no packet of the peer arrived, not even through the relay: the peer "
         "is gone, or the TURN server does not forward UDP to it";
}

gchar *
ice_core_explain (
    IceCore *self, IceStream *stream, IceTime now, IceCause *ret_cause)
{
  GString *text = g_string_new (NULL);
  const gchar *cure;
  Facts facts;

  collect (stream, &facts);
  if (facts.n_local == 0) {
    cure = cure_local (self, ret_cause);
  } else if (facts.n_remote == 0) {
    *ret_cause = ICE_CAUSE_NO_REMOTE_CANDIDATES;
    cure = "the peer sent no candidates that could be used: check that the "
           "signalling carries them both ways";
  } else {
    *ret_cause = ICE_CAUSE_ALL_CHECKS_FAILED;
    cure = cure_checks (self, stream, &facts);
  }
  if (stream->started_at)
    g_string_append_printf (text, "No path to the peer after %.1f s: ",
        (gdouble) (now - stream->started_at) / ICE_SECOND);
  else
    g_string_append (text, "No local candidates: ");
  if (facts.n_local > 0) {
    g_string_append_printf (text,
        "of %u pairs %u were answered and %u failed (", facts.n_pairs,
        facts.n_answered, facts.n_failed);
    append_kinds (text, "ours:", facts.local);
    append_kinds (text, "; the peer's:", facts.remote);
    g_string_append (text, "); ");
  }
  g_string_append (text, cure);
  if (stream->set->connect_timeout && stream->started_at &&
      now - stream->started_at >= stream->set->connect_timeout)
    g_string_append (text, " (given up because of connect-timeout)");
  g_string_append_c (text, '.');
  return g_string_free (text, FALSE);
}
