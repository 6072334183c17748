/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates of the peer's that have a name (draft-ietf-mmusic-mdns-
 * ice-candidates 3.2): they wait until somebody has found the address. */
#include "core-private.h"

#include <string.h>

#include "purity.h"

/* A host has a few addresses, and so a few names; who sends more has us ask the
 * network for something else (the draft, 6.1). Of one generation: */
#define MAX_NAMES 32
#define MAX_WAITING 256

static gboolean
has_name (const IceCandidate *candidate, const gchar *name)
{
  return candidate->host_name &&
      g_ascii_strcasecmp (candidate->host_name, name) == 0;
}

/* The same address on another port, or of another stream, has the same name. */
static gboolean
find_known (
    const IceChecklistSet *set, const gchar *name, IceAddress *ret_address)
{
  for (guint i = 0; i < set->streams->len; i++) {
    const IceStream *stream = g_ptr_array_index (set->streams, i);

    for (guint j = 0; j < stream->remotes->len; j++) {
      const IceCandidate *remote = g_ptr_array_index (stream->remotes, j);

      if (has_name (remote, name)) {
        *ret_address = remote->address;
        return TRUE;
      }
    }
  }
  return FALSE;
}

/* 0: nobody asks for it yet. */
static guint
find_request (const IceChecklistSet *set, const gchar *name)
{
  for (guint i = 0; i < set->streams->len; i++) {
    const IceStream *stream = g_ptr_array_index (set->streams, i);

    for (guint j = 0; j < stream->named->len; j++) {
      const IceNamedCandidate *named = g_ptr_array_index (stream->named, j);

      if (has_name (named->candidate, name))
        return named->request;
    }
  }
  return 0;
}

static guint
ask (IceCore *self, const IceCandidate *candidate)
{
  const guint request = ice_context_new_id (&self->context);
  IceOutput *output = ice_outputs_add (self->context.out, ICE_OUTPUT_RESOLVE);

  output->resolve.request = request;
  output->resolve.host = g_strdup (candidate->host_name);
  output->resolve.port = candidate->address.port;
  output->resolve.mdns = TRUE;
  return request;
}

static void
set_address (IceCandidate *candidate, const IceAddress *address)
{
  const guint16 port = candidate->address.port;

  candidate->address = *address;
  candidate->address.port = port;
  candidate->base = candidate->address;
}

IceVerdict
ice_core_take_named (
    IceCore *self, IceStream *stream, IceCandidate *candidate, IceTime now)
{
  IceNamedCandidate *named;
  IceAddress address;
  guint request;

  /* Design 5: then not one packet goes elsewhere; and the draft, 3.3.2: no
   * relayed candidate of ours is paired with it anyway. */
  if (self->config.gather.relay_only)
    return ICE_VERDICT_REFUSED;
  stream->peer_hides = TRUE;
  if (find_known (stream->set, candidate->host_name, &address)) {
    set_address (candidate, &address);
    return ice_core_take_remote (self, stream, candidate, now);
  }
  if (stream->named->len == MAX_WAITING)
    return ICE_VERDICT_REFUSED;
  request = find_request (stream->set, candidate->host_name);
  if (request == 0) {
    if (stream->n_names == MAX_NAMES)
      return ICE_VERDICT_REFUSED;
    stream->n_names++;
    request = ask (self, candidate);
  }
  named = g_new0 (IceNamedCandidate, 1);
  named->request = request;
  named->candidate = ice_candidate_ref (candidate);
  g_ptr_array_add (stream->named, named);
  return ICE_VERDICT_OK;
}

/* The draft, 3.2.2: what has several addresses "SHOULD" be ignored; it is no
 * name that was made up for one. */
static void
name_found (IceCore *self, IceStream *stream, IceCandidate *candidate,
    const IceAddress *addresses, guint n_addresses, IceTime now)
{
  IceVerdict verdict = ICE_VERDICT_REFUSED;

  if (n_addresses == 1) {
    set_address (candidate, &addresses[0]);
    verdict = ice_core_take_remote (self, stream, candidate, now);
  }
  ice_log (&self->context, ICE_LOG_INFO, ICE_LOG_CHECK,
      "remote candidate %s: %u addresses, %s", candidate->host_name,
      n_addresses, ice_verdict_to_string (verdict));
}

static gboolean
stream_resolved (IceCore *self, IceStream *stream, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now)
{
  gboolean found = FALSE;

  for (guint i = 0; i < stream->named->len;) {
    IceNamedCandidate *named = g_ptr_array_index (stream->named, i);

    if (named->request != request) {
      i++;
      continue;
    }
    found = TRUE;
    g_ptr_array_steal_index (stream->named, i);
    name_found (self, stream, named->candidate, addresses, n_addresses, now);
    ice_named_candidate_free (named);
  }
  if (found && stream->named->len == 0 && stream->remote_ending)
    stream->remote_ended = TRUE;
  return found;
}

gboolean
ice_core_name_resolved (IceCore *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now)
{
  gboolean found = FALSE;

  for (guint i = 0; i < self->streams->len; i++)
    found |= stream_resolved (self, g_ptr_array_index (self->streams, i),
        request, addresses, n_addresses, now);
  return found;
}

void
ice_core_end_remote (IceStream *stream)
{
  if (stream->named->len > 0)
    stream->remote_ending = TRUE;
  else
    stream->remote_ended = TRUE;
}
