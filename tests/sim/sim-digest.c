/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that can be observed of a host, but verdict counters, as one number. */
#include "sim-host-private.h"

/* FNV-1a, a word at a time. */
static void
mix (guint64 *digest, guint64 value)
{
  *digest = (*digest ^ value) * G_GUINT64_CONSTANT (0x100000001b3);
  *digest ^= *digest >> 32;
}

static void
mix_text (guint64 *digest, const gchar *text)
{
  mix (digest, text ? g_str_hash (text) : 0);
}

static void
mix_pairs (guint64 *digest, IceCore *core)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));

  ice_core_get_pair_stats (core, pairs);
  for (guint i = 0; i < pairs->len; i++) {
    const IcePairStats *pair = &g_array_index (pairs, IcePairStats, i);

    mix (digest, pair->id);
    mix (digest, pair->local);
    mix (digest, pair->remote);
    mix_text (digest, pair->state);
    mix (digest, pair->nominated * 2 + pair->selected);
    mix (digest, pair->priority);
    mix (digest, pair->rtt);
    mix (digest, pair->total_rtt);
    mix (digest, pair->requests_sent);
    mix (digest, pair->requests_received);
    mix (digest, pair->responses_sent);
    mix (digest, pair->responses_received);
    mix (digest, pair->retransmissions_sent);
    mix (digest, pair->consent_requests_sent);
  }
}

static void
mix_transports (guint64 *digest, IceCore *core)
{
  g_autoptr (GArray) transports =
      g_array_new (FALSE, FALSE, sizeof (IceTransportStats));

  ice_core_get_transport_stats (core, transports);
  for (guint i = 0; i < transports->len; i++) {
    const IceTransportStats *transport =
        &g_array_index (transports, IceTransportStats, i);

    mix (digest, transport->transport);
    mix (digest, transport->state);
    mix (digest, transport->selected_pair);
    mix (digest, transport->selected_pair_changes);
    mix (digest, transport->first_check);
    mix (digest, transport->connected);
  }
}

static void
mix_candidates (guint64 *digest, GPtrArray *candidates)
{
  for (guint i = 0; i < candidates->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (candidates, i);

    mix (digest, candidate->id);
    mix (digest, candidate->kind);
    mix (digest, candidate->priority);
    mix (digest, ice_address_hash (&candidate->address));
  }
  mix (digest, candidates->len);
}

static void
mix_stream (guint64 *digest, IceCore *core, guint stream)
{
  g_autoptr (GPtrArray) locals = ice_core_get_local_candidates (core, stream);
  g_autoptr (GPtrArray) remotes = ice_core_get_remote_candidates (core, stream);

  mix_candidates (digest, locals);
  mix_candidates (digest, remotes);
  mix_text (digest, ice_core_get_local_ufrag (core, stream));
  mix_text (digest, ice_core_get_local_pwd (core, stream));
  mix_text (digest, ice_core_get_remote_ufrag (core, stream));
}

guint64
sim_host_digest (SimHost *self)
{
  guint64 digest = G_GUINT64_CONSTANT (0xcbf29ce484222325);
  IceCoreCounters counters;

  mix_pairs (&digest, self->core);
  mix_transports (&digest, self->core);
  for (guint i = 0; i < self->n_streams; i++)
    mix_stream (&digest, self->core, self->streams[i]);
  ice_core_get_counters (self->core, &counters);
  mix (&digest, counters.sent_without_route);
  mix (&digest, ice_core_get_controlling (self->core));
  return digest;
}
