/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "endpoint.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_ice_endpoint_debug);

/* gst-launch holds PLAYING from START to COMPLETE; one of each a session. */
typedef enum
{
  GST_ICE_PROGRESS_NONE,
  GST_ICE_PROGRESS_RUNNING,
  GST_ICE_PROGRESS_OVER,
} GstIceProgress;

struct _GstIceEndpoint
{
  GObject parent;

  GstIceAgent *agent; /* (owned) */
  gboolean element_made;

  GMutex lock;
  GList *members;       /* (element-type GstIceMember) (unowned) they leave */
  GHashTable *settings; /* (owned) name -> who set it to what */
  GstIceSignaller *signaller; /* (owned) (nullable) */
  GstIceSession *session;     /* (owned) (nullable) */
  gboolean started;           /* a member was in PAUSED */
  gboolean ready;             /* every member's m-line is known */
  gboolean changed;           /* an m-line came or went since it was told */
  gboolean connected;         /* at least once */
  gboolean consent_lost;      /* as the next state may tell */
  gboolean over;              /* bye was said or heard */
  gboolean keyframe_due;      /* once the new caps are known over there */
  GstIceProgress progress;
  gint64 started_at, restarted_at;
  GError *failure;          /* (owned) (nullable) why it never connects */
  GError *lost;             /* (owned) (nullable) why there is a restart */
  GSource *patience;        /* (owned) (nullable) with that restart */
  GSource *settle;          /* (owned) (nullable) */
  GHashTable *warned_about; /* (owned) servers, by url */
};

/* (transfer full) (element-type GstIceMember) each with its element held */
GPtrArray *gst_ice_endpoint_ref_members (GstIceEndpoint *self);
/* (transfer full) (nullable) who speaks for all on the bus */
GstElement *gst_ice_endpoint_ref_speaker (GstIceEndpoint *self);
/* A path was lost, or never found: @error says which. */
void gst_ice_endpoint_fail (GstIceEndpoint *self, const GError *error);
void gst_ice_endpoint_handle_bye (GstIceEndpoint *self, const gchar *reason);
void gst_ice_endpoint_request_keyframes (GstIceEndpoint *self);

/* endpoint-settings.c */
GHashTable *gst_ice_endpoint_settings_new (void);
gboolean gst_ice_endpoint_apply_settings (
    GstIceEndpoint *self, GstIceMember *member, GError **error);

/* endpoint-negotiate.c */
gboolean gst_ice_endpoint_meet (GstIceEndpoint *self, GError **error);
void gst_ice_endpoint_ask (GstIceEndpoint *self, GstIceMember *member);
void gst_ice_endpoint_check_ready (GstIceEndpoint *self);
void gst_ice_endpoint_stop_asking (GstIceEndpoint *self);

/* endpoint-restart.c */
/* Restarts, or does what on-disconnect says. */
void gst_ice_endpoint_lose_path (GstIceEndpoint *self, const GError *error);
/* Only a restart brings it back, or would bring a better one. */
void gst_ice_endpoint_mend_path (GstIceEndpoint *self, const gchar *reason);
/* There is a path again, or the end. */
void gst_ice_endpoint_end_restart (GstIceEndpoint *self);
void
gst_ice_endpoint_disconnect_member (GstIceMember *member, const GError *error);

/* endpoint-bus.c */
void gst_ice_endpoint_start_progress (GstIceEndpoint *self);
void gst_ice_endpoint_progress (GstIceEndpoint *self, const gchar *code,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);
void gst_ice_endpoint_complete_progress (GstIceEndpoint *self);
/* @type: CANCELED or ERROR */
void gst_ice_endpoint_abort_progress (
    GstIceEndpoint *self, GstProgressType type, const gchar *text);
/* (transfer full): @structure */
void gst_ice_endpoint_post (GstIceEndpoint *self, GstStructure *structure);
void gst_ice_endpoint_post_error (GstIceEndpoint *self, const GError *error);
void gst_ice_endpoint_post_warning (GstIceEndpoint *self, const GError *error);
/* @cause (nullable) as in GstIceAgent::candidate-error. */
void gst_ice_endpoint_post_server_error (GstIceEndpoint *self, const gchar *url,
    guint code, const gchar *cause, const gchar *text);

G_END_DECLS
