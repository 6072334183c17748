/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an attacker needs on top of the harness: datagrams made by hand, byte by
 * byte, and a snapshot of all that a core can be asked, to show that they
 * changed nothing. */
#pragma once

#include "harness.h"

#define ATTACKER_IP "203.0.113.66"

/* Everything visible but the verdict counters, as text: two snapshots are
 * compared with g_assert_cmpstr, and the difference shows. */
static inline void
snapshot_candidates (GString *text, GPtrArray *candidates)
{
  gchar address[ICE_ADDRESS_STRLEN];

  for (guint i = 0; i < candidates->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (candidates, i);

    g_string_append_printf (text, "%u %s %s %u\n", candidate->id,
        ice_candidate_kind_to_string (candidate->kind),
        ice_address_to_string (&candidate->address, address),
        candidate->priority);
  }
  g_ptr_array_unref (candidates);
}

static inline void
snapshot_pairs (GString *text, IceCore *core)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, TRUE, sizeof (IcePairStats));

  ice_core_get_pair_stats (core, pairs);
  for (guint i = 0; i < pairs->len; i++) {
    const IcePairStats *pair = &g_array_index (pairs, IcePairStats, i);

    g_string_append_printf (text,
        "pair %u %u-%u %s %d %d %" G_GUINT64_FORMAT " %u %u %u %u %u %u\n",
        pair->id, pair->local, pair->remote, pair->state, pair->nominated,
        pair->selected, pair->priority, pair->requests_sent,
        pair->requests_received, pair->responses_sent, pair->responses_received,
        pair->retransmissions_sent, pair->consent_requests_sent);
  }
}

static inline void
snapshot_transports (GString *text, IceCore *core)
{
  g_autoptr (GArray) transports =
      g_array_new (FALSE, TRUE, sizeof (IceTransportStats));

  ice_core_get_transport_stats (core, transports);
  for (guint i = 0; i < transports->len; i++) {
    const IceTransportStats *transport =
        &g_array_index (transports, IceTransportStats, i);

    g_string_append_printf (text, "transport %u %s %u %u\n",
        transport->transport, ice_state_to_string (transport->state),
        transport->selected_pair, transport->selected_pair_changes);
  }
}

static inline void
snapshot_servers (GString *text, IceCore *core)
{
  g_autoptr (GArray) servers =
      g_array_new (FALSE, TRUE, sizeof (IceServerStats));

  ice_core_get_server_stats (core, servers);
  for (guint i = 0; i < servers->len; i++) {
    const IceServerStats *server = &g_array_index (servers, IceServerStats, i);

    g_string_append_printf (text, "server %u %u %u\n", server->server,
        server->errors, server->allocation_lifetime);
  }
}

/* (transfer full) */
static inline gchar *
harness_snapshot (Harness *self)
{
  GString *text = g_string_new (NULL);
  gchar route[ICE_ADDRESS_STRLEN];

  g_string_append_printf (text, "%s %s %s %d %" G_GINT64_FORMAT "\n",
      ice_core_get_local_ufrag (self->core, self->stream),
      ice_core_get_local_pwd (self->core, self->stream),
      ice_core_get_remote_ufrag (self->core, self->stream),
      ice_core_get_controlling (self->core), self->deadline);
  g_string_append_printf (text, "%d %u %u %u %d %u %u %u %u %u\n", self->state,
      self->n_selected, self->n_roles, self->n_accepts, self->nominated,
      self->n_consent_lost, self->n_remote, self->n_local, self->n_first_check,
      self->n_delivered);
  g_string_append_printf (text, "route %u %s\n", self->route_socket,
      ice_address_to_string (&self->route_to, route));
  snapshot_candidates (
      text, ice_core_get_local_candidates (self->core, self->stream));
  snapshot_candidates (
      text, ice_core_get_remote_candidates (self->core, self->stream));
  snapshot_pairs (text, self->core);
  snapshot_transports (text, self->core);
  snapshot_servers (text, self->core);
  return g_string_free (text, FALSE);
}

static inline guint
harness_count_pairs (Harness *self)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, TRUE, sizeof (IcePairStats));

  ice_core_get_pair_stats (self->core, pairs);
  return pairs->len;
}

static inline guint
harness_count_verdicts (Harness *self, IceVerdict verdict)
{
  IceCoreCounters counters;

  ice_core_get_counters (self->core, &counters);
  return counters.verdicts[verdict];
}

/* At every alignment in turn, and with nothing readable behind the last byte.
 */
static inline IceVerdict
harness_receive_bytes (
    Harness *self, const IceAddress *from, const guint8 *data, gsize size)
{
  static guint turn;
  guint offset = turn++ % 8;
  g_autofree guint8 *copy = g_malloc (size + offset);
  IceDatagram in = { .socket = self->socket,
    .from = *from,
    .data = ICE_BYTES (copy + offset, size) };
  IceVerdict verdict;

  if (size > 0)
    memcpy (copy + offset, data, size);
  verdict = ice_core_receive (self->core, &in, self->now);
  harness_pump (self);
  return verdict;
}

static inline gsize
sent_size (const Harness *self)
{
  gsize size = 0;

  for (GList *l = self->sent.head; l; l = l->next)
    size += ((Sent *) l->data)->packet->size;
  return size;
}

/* Datagrams by hand. */

/* (transfer full) */
static inline GByteArray *
raw_from_packet (const IcePacket *packet)
{
  GByteArray *raw = g_byte_array_new ();

  return g_byte_array_append (raw, packet->data, packet->size);
}

static inline void
raw_set_length (GByteArray *raw, gsize length)
{
  raw->data[2] = (guint8) (length >> 8);
  raw->data[3] = (guint8) length;
}

/* The length field follows. */
static inline void
raw_append (GByteArray *raw, guint16 type, const guint8 *value, guint16 size)
{
  const guint8 header[4] = { type >> 8, type & 0xff, size >> 8, size & 0xff };
  static const guint8 padding[3] = { 0 };

  g_byte_array_append (raw, header, sizeof header);
  g_byte_array_append (raw, value, size);
  g_byte_array_append (raw, padding, -size & 3);
  raw_set_length (raw, raw->len - ICE_STUN_HEADER_SIZE);
}

/* The first @size bytes of the right MAC, as if that were all of it. */
static inline void
raw_append_mac (GByteArray *raw, const gchar *password,
    IceStunIntegrity integrity, guint16 size)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (password);
  guint8 mac[32] = { 0 };
  IceBytes part;

  raw_set_length (raw, raw->len + 4 + size - ICE_STUN_HEADER_SIZE);
  part = ICE_BYTES (raw->data, raw->len);
  ice_stun_key_sign (key, integrity, &part, 1, mac);
  raw_append (raw,
      integrity == ICE_STUN_INTEGRITY_SHA1 ? ICE_STUN_MESSAGE_INTEGRITY
                                           : ICE_STUN_MESSAGE_INTEGRITY_SHA256,
      mac, size);
}

/* (transfer full) a check without integrity and fingerprint: their place is
 * the attacker's choice. */
static inline GByteArray *
raw_check (Harness *self, Check check)
{
  g_autoptr (IcePacket) packet = NULL;

  check.no_integrity = check.no_fingerprint = TRUE;
  packet = harness_build_check (self, &check);
  return raw_from_packet (packet);
}

static inline IceVerdict
raw_receive (Harness *self, const IceAddress *from, const GByteArray *raw)
{
  return harness_receive_bytes (self, from, raw->data, raw->len);
}
