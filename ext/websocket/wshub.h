/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wsplace.h"

G_BEGIN_DECLS

/* The rooms of a signalling server: who is in them and what they tell each
 * other. Messages and time come in, outputs go out; it owns no connection, so
 * that the fuzzer is a server, too. Nothing is forwarded across rooms, and
 * rooms of different dialects never meet. */
typedef struct _GstIceWsHub GstIceWsHub;

typedef struct
{
  guint max_peers;
  guint max_room_peers; /* of rooms that are not for two */
  /* For each peer; twenty seconds' worth may come at once. */
  guint messages_per_second;
  guint bytes_per_second;
} GstIceWsLimits;

extern const GstIceWsLimits gst_ice_ws_default_limits;

typedef struct
{
  guint n_peers, n_rooms;
  guint64 n_joined, n_refused, n_sessions, n_messages, n_bytes, n_forwarded,
      n_malformed, n_flooded;
} GstIceWsHubStats;

typedef struct
{
  guint peer;
  gchar *text;      /* (owned) (nullable) a frame; NULL: close it */
  guint close_code; /* RFC 6455 7.4.1 */
  gchar *reason;    /* (owned) (nullable) of closing */
} GstIceWsHubOutput;

void gst_ice_ws_hub_output_free (GstIceWsHubOutput *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceWsHubOutput, gst_ice_ws_hub_output_free)

GstIceWsHub *gst_ice_ws_hub_new (const GstIceWsLimits *limits);
void gst_ice_ws_hub_free (GstIceWsHub *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceWsHub, gst_ice_ws_hub_free)

/* After any of these: take the outputs, in order. @now is monotonic, in
 * microseconds. */

/* An id that is never used again; 0: there is no place for another peer. */
guint gst_ice_ws_hub_join (GstIceWsHub *self, const gchar *room,
    GstIceWsDialectKind dialect, gint64 now);
/* @text: valid UTF-8 with a NUL behind it. */
void gst_ice_ws_hub_receive (
    GstIceWsHub *self, guint peer, const gchar *text, gsize size, gint64 now);
/* @clean: it said goodbye. Otherwise its place is kept for a moment. */
void gst_ice_ws_hub_leave (
    GstIceWsHub *self, guint peer, gboolean clean, gint64 now);
/* At any time after the deadline, which is -1 when there is none. */
void gst_ice_ws_hub_timeout (GstIceWsHub *self, gint64 now);
gint64 gst_ice_ws_hub_get_deadline (GstIceWsHub *self);

/* (transfer full) (nullable) Outputs to peers that are gone may be among them.
 */
GstIceWsHubOutput *gst_ice_ws_hub_take (GstIceWsHub *self);
void gst_ice_ws_hub_get_stats (GstIceWsHub *self, GstIceWsHubStats *ret_stats);

G_END_DECLS
