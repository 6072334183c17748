/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wshub.h"

#include <json-glib/json-glib.h>

#include "gst/signallers/json.h"

G_BEGIN_DECLS

typedef struct _GstIceWsRoom GstIceWsRoom;
typedef struct _GstIceWsPeer GstIceWsPeer;

/* What may come, as tokens that fill again. */
typedef struct
{
  gdouble messages, bytes;
  gint64 at;
} GstIceWsBucket;

struct _GstIceWsPeer
{
  GstIceWsHub *hub; /* (unowned) */
  guint id;
  GstIceWsDialectKind dialect; /* ANY until it has said something */
  gchar *path;                 /* (owned) the room it asked for */
  GstIceWsRoom *room;          /* (unowned) (nullable) */
  GstIceWsBucket bucket;
  gint64 joined_at;
  gboolean guessed; /* its dialect, because it was silent */
  gboolean greeted; /* it has said who it is */
  gboolean closing; /* what it says is not heard any more */
  guint n_malformed;

  gchar *name; /* (owned) (nullable) as others know it */

  /* lines */
  GstIceSignallerRole role;
  gchar *claim; /* (owned) (nullable) with whom it says it is in a session */

  /* simple */
  guint partner;      /* with whom it is in a session; 0: nobody */
  GstIceWsRoom *hall; /* (unowned) (nullable) the ROOM it is in */

  /* gst-webrtc */
  gboolean producer, consumer, listener, v1_1;
  gchar *meta; /* (owned) (nullable) JSON */
};

/* lines: one of the two places of a room */
typedef struct
{
  gchar *name; /* (owned) (nullable) NULL: free */
  guint peer;  /* 0: its connection is lost */
  GstIceSignallerRole role;
  gchar *claim;      /* (owned) (nullable) with whom it is in a session */
  guint64 order;     /* who came first offers */
  gint64 kept_until; /* for the same, when its connection is lost */
} GstIceWsSeat;

struct _GstIceWsRoom
{
  gchar *key;       /* (owned) in the table of rooms */
  GPtrArray *peers; /* (unowned) GstIceWsPeer */
  GstIceWsSeat seats[2];
  GHashTable *sessions; /* (owned) (nullable) gst-webrtc: id -> Session */
};

/* The server's side of a dialect. */
typedef struct
{
  /* Once, when it is known that the peer speaks it. */
  void (*join) (GstIceWsPeer *peer, gint64 now);
  void (*receive) (
      GstIceWsPeer *peer, const gchar *text, gsize size, gint64 now);
  void (*leave) (GstIceWsPeer *peer, gboolean clean, gint64 now);
} GstIceWsHubFuncs;

extern const GstIceWsHubFuncs gst_ice_ws_hub_lines;
extern const GstIceWsHubFuncs gst_ice_ws_hub_simple;
extern const GstIceWsHubFuncs gst_ice_ws_hub_webrtc;

struct _GstIceWsHub
{
  GstIceWsLimits limits;
  GHashTable *peers;    /* (owned) id -> GstIceWsPeer (owned) */
  GHashTable *rooms;    /* (owned) key -> GstIceWsRoom (owned) */
  GPtrArray *strangers; /* (unowned) peers that were not greeted yet */
  GPtrArray *lost;      /* (unowned) rooms with a seat whose peer is away */
  GQueue outputs;       /* (owned) GstIceWsHubOutput */
  guint last_id;
  guint64 last_order;
  GstIceWsHubStats stats;
};

GstIceWsPeer *gst_ice_ws_hub_find (GstIceWsHub *self, guint id);
/* @text: (transfer full) */
void gst_ice_ws_hub_send (GstIceWsHub *self, guint id, gchar *text);
void gst_ice_ws_hub_close (GstIceWsPeer *peer, guint code, const gchar *reason);
/* (nullable) the room @name among those of a @kind; NULL: it is full. */
GstIceWsRoom *
gst_ice_ws_hub_enter (GstIceWsPeer *peer, const gchar *kind, const gchar *name);
void gst_ice_ws_hub_quit (GstIceWsPeer *peer, GstIceWsRoom *room);
/* It has said who it is. */
void gst_ice_ws_hub_greet (GstIceWsPeer *peer);
/* One more of what nobody understands. FALSE: that was the last. */
gboolean gst_ice_ws_hub_malformed (GstIceWsPeer *peer);
/* lines: seats that nobody came back to */
void gst_ice_ws_hub_lines_timeout (
    GstIceWsRoom *room, GstIceWsHub *hub, gint64 now, gint64 *deadline);

G_END_DECLS
