/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticetypes.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_SIGNALLER (gst_ice_signaller_get_type ())
GST_ICE_API
G_DECLARE_INTERFACE (
    GstIceSignaller, gst_ice_signaller, GST, ICE_SIGNALLER, GObject)

/* How descriptions and candidates travel. Every method returns at once and may
 * be called from any thread; signals leave from the service thread, with no
 * lock held. Properties that each implementation has: "uri" (string). One that
 * meets peers without ICE has "allow-non-ice" (boolean): the session sets it on
 * its agent. */
struct _GstIceSignallerInterface
{
  GTypeInterface parent;

  gboolean (*start) (
      GstIceSignaller *self, GstIceSignallerRole role, GError **error);
  void (*send_description) (
      GstIceSignaller *self, const gchar *type, const gchar *sdp);
  /* candidate "" ends the candidates of that section */
  void (*send_candidate) (GstIceSignaller *self, const gchar *mid,
      guint mline_index, const gchar *candidate, const gchar *ufrag);
  void (*send_bye) (GstIceSignaller *self, const gchar *reason);
  /* No signal after this. Leaves no file or connection behind. */
  void (*stop) (GstIceSignaller *self);
  /* Optional: is the uri one that start could use? Touches nothing. */
  gboolean (*check) (GstIceSignaller *self, GError **error);
  /* Optional: the peer's offer is declined, and the session stays as it was
   * before. Without it the peer is told bye. */
  void (*send_reject) (
      GstIceSignaller *self, const gchar *reason, const gchar *text);
  /* Optional: what the peer said was of no use. Without it nothing is said. */
  void (*send_error) (GstIceSignaller *self, const gchar *text);
  /* Optional: may candidates follow a description? Without it they may. */
  gboolean (*can_trickle) (GstIceSignaller *self);

  /*< private >*/
  gpointer padding[4];
};

/* (transfer full) by the scheme of @uri: ice+file, ice+stdio, and what modules
 * registered. Errors: GST_ICE_ERROR_INVALID_URI, _NOT_SUPPORTED. */
GST_ICE_API
GstIceSignaller *
gst_ice_signaller_new_from_uri (const gchar *uri, GError **error);
/* (transfer full) by nick: "file", "stdio". */
GST_ICE_API
GstIceSignaller *
gst_ice_signaller_new_from_nick (const gchar *nick, GError **error);
/* For modules: @schemes is NULL-terminated. */
GST_ICE_API
void gst_ice_signaller_register (
    const gchar *nick, const gchar *const *schemes, GType type);

GST_ICE_API
gboolean gst_ice_signaller_check (GstIceSignaller *self, GError **error);
GST_ICE_API
gboolean gst_ice_signaller_start (
    GstIceSignaller *self, GstIceSignallerRole role, GError **error);
GST_ICE_API
void gst_ice_signaller_send_description (
    GstIceSignaller *self, const gchar *type, const gchar *sdp);
GST_ICE_API
void gst_ice_signaller_send_candidate (GstIceSignaller *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag);
GST_ICE_API
void gst_ice_signaller_send_bye (GstIceSignaller *self, const gchar *reason);
GST_ICE_API
void gst_ice_signaller_send_reject (
    GstIceSignaller *self, const gchar *reason, const gchar *text);
GST_ICE_API
void gst_ice_signaller_send_error (GstIceSignaller *self, const gchar *text);
GST_ICE_API
gboolean gst_ice_signaller_can_trickle (GstIceSignaller *self);
GST_ICE_API
void gst_ice_signaller_stop (GstIceSignaller *self);

/* (transfer none) of the service thread, where implementations attach their
 * sources. */
GST_ICE_API
GMainContext *gst_ice_signaller_get_main_context (void);
/* For implementations: emit "ready" (offerer, again when the next peer may be
 * met), "description" (type, sdp),
 * "candidate" (mid, mline-index, candidate, ufrag), "bye" (reason), "rejected"
 * (reason, text), "peer-error" (text), "peer" (joined), "error" (GError). From
 * another thread they are queued for the service thread, in order. What people
 * may come to read, reasons and texts, is cut to GST_ICE_SIGNALLER_MAX_TEXT
 * bytes of one line of UTF-8. */
#define GST_ICE_SIGNALLER_MAX_TEXT 200

GST_ICE_API
void gst_ice_signaller_emit_ready (GstIceSignaller *self, gboolean offerer);
GST_ICE_API
void gst_ice_signaller_emit_description (
    GstIceSignaller *self, const gchar *type, const gchar *sdp);
GST_ICE_API
void gst_ice_signaller_emit_candidate (GstIceSignaller *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag);
GST_ICE_API
void gst_ice_signaller_emit_bye (GstIceSignaller *self, const gchar *reason);
GST_ICE_API
void gst_ice_signaller_emit_rejected (
    GstIceSignaller *self, const gchar *reason, const gchar *text);
GST_ICE_API
void
gst_ice_signaller_emit_peer_error (GstIceSignaller *self, const gchar *text);
GST_ICE_API
void gst_ice_signaller_emit_peer (GstIceSignaller *self, gboolean joined);
GST_ICE_API
void gst_ice_signaller_emit_error (GstIceSignaller *self, const GError *error);

G_END_DECLS
