/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtc-stream.h"

#include <string.h>

#include "icewebrtc-private.h"
#include "icewebrtc-transport.h"

#define GST_CAT_DEFAULT gst_ice_webrtc_debug

/* webrtcbin makes the credentials, and sets those of a description again with
 * each description that follows. Others than before are an ICE restart (RFC
 * 8445 9). When the peer restarts, our credentials for its answer come later,
 * with the answer; until then what the peer sent waits here, so that the new
 * generation starts with both and no candidate of it is signalled with a
 * username fragment that is in no description. */

/* RFC 8839 5.4: ice-ufrag = ufrag, 4*256ice-char; 22*256ice-char. */
#define MIN_UFRAG 4
#define MIN_PWD 22
#define MAX_CREDENTIAL 256
/* As many as the core keeps of one component (core/README.md). */
#define MAX_EARLY 100

struct _GstIceWebRTCStream
{
  GstWebRTCICEStream parent;

  GWeakRef ice;         /* GstIceWebRTC: it has us */
  GstIceStream *stream; /* (owned) */

  /* Under the object lock. */
  GstIceWebRTCTransport *transports[2]; /* (owned) (nullable) */
  gchar *local_ufrag, *local_pwd;       /* (owned) (nullable) as set */
  gchar *remote_ufrag, *remote_pwd;     /* (owned) (nullable) as set */
  gboolean gathering;
  gboolean restarted; /* our offer restarts: its answer is applied at once */
  gboolean remote_restarts; /* what it sends waits for our answer */
  GPtrArray *early;         /* (owned) (element-type utf8): "" ends */
};

G_DEFINE_FINAL_TYPE (
    GstIceWebRTCStream, gst_ice_webrtc_stream, GST_TYPE_WEBRTC_ICE_STREAM)

GstIceWebRTCStream *
gst_ice_webrtc_stream_new (GstIceWebRTC *ice, guint session_id)
{
  g_autoptr (GstIceAgent) agent = gst_ice_webrtc_ref_agent (ice);
  g_autofree gchar *name = g_strdup_printf ("%u", session_id);
  GstIceWebRTCStream *self =
      g_object_new (GST_TYPE_ICE_WEBRTC_STREAM, "stream-id", session_id, NULL);

  gst_object_ref_sink (self);
  g_weak_ref_set (&self->ice, ice);
  self->stream = gst_ice_agent_request_stream (agent, name);
  return self;
}

GstIceStream *
gst_ice_webrtc_stream_get_stream (GstIceWebRTCStream *self)
{
  return self->stream;
}

GstWebRTCICETransport *
gst_ice_webrtc_stream_ref_transport (
    GstIceWebRTCStream *self, GstWebRTCICEComponent component)
{
  GstIceWebRTCTransport **where = &self->transports[component != 0];
  GstIceWebRTCTransport *made = NULL;
  g_autoptr (GstIceWebRTC) ice = g_weak_ref_get (&self->ice);

  GST_OBJECT_LOCK (self);
  if (*where) {
    gst_object_ref (*where);
    GST_OBJECT_UNLOCK (self);
    return GST_WEBRTC_ICE_TRANSPORT (*where);
  }
  GST_OBJECT_UNLOCK (self);

  if (!ice)
    return NULL;
  made = gst_ice_webrtc_transport_new (
      ice, self->stream, GST_WEBRTC_ICE_STREAM (self)->stream_id, component);
  GST_OBJECT_LOCK (self);
  if (!*where)
    *where = gst_object_ref (made);
  GST_OBJECT_UNLOCK (self);
  return GST_WEBRTC_ICE_TRANSPORT (made);
}

/* Credentials */

static gboolean
is_credential (const gchar *text, gsize min)
{
  gsize size = text ? strlen (text) : 0;

  if (size < min || size > MAX_CREDENTIAL)
    return FALSE;
  for (; *text; text++) {
    if (!g_ascii_isalnum (*text) && *text != '+' && *text != '/')
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_valid (GstIceWebRTCStream *self, const gchar *whose, const gchar *ufrag,
    const gchar *pwd)
{
  if (is_credential (ufrag, MIN_UFRAG) && is_credential (pwd, MIN_PWD))
    return TRUE;
  GST_WARNING_OBJECT (self,
      "%s credentials of m-line %u are not those of RFC 8839 5.4: ice-ufrag is "
      "4 to 256 and ice-pwd 22 to 256 ice-chars",
      whose, GST_WEBRTC_ICE_STREAM (self)->stream_id);
  return FALSE;
}

/* With the lock. TRUE: they are others. */
static gboolean
keep (gchar **ufrag, gchar **pwd, const gchar *new_ufrag, const gchar *new_pwd)
{
  if (g_strcmp0 (*ufrag, new_ufrag) == 0 && g_strcmp0 (*pwd, new_pwd) == 0)
    return FALSE;
  g_free (*ufrag);
  g_free (*pwd);
  *ufrag = g_strdup (new_ufrag);
  *pwd = g_strdup (new_pwd);
  return TRUE;
}

static void
add_line (GstIceWebRTCStream *self, const gchar *line)
{
  g_autoptr (GError) error = NULL;

  if (*line == '\0')
    gst_ice_stream_end_remote_candidates (self->stream);
  else if (!gst_ice_stream_add_remote_sdp (self->stream, line, &error))
    GST_WARNING_OBJECT (self, "%s", error->message);
}

/* What waited for our answer. */
static void
apply_remote (GstIceWebRTCStream *self, const gchar *ufrag, const gchar *pwd,
    GPtrArray *early)
{
  gst_ice_stream_set_remote_credentials (self->stream, ufrag, pwd);
  for (guint i = 0; early && i < early->len; i++)
    add_line (self, early->pdata[i]);
}

gboolean
gst_ice_webrtc_stream_set_local (
    GstIceWebRTCStream *self, const gchar *ufrag, const gchar *pwd)
{
  g_autofree gchar *remote_ufrag = NULL, *remote_pwd = NULL;
  g_autoptr (GPtrArray) early = NULL;
  gboolean first, changed, remote_restarts;

  if (!is_valid (self, "local", ufrag, pwd))
    return FALSE;
  GST_OBJECT_LOCK (self);
  first = self->local_ufrag == NULL;
  changed = keep (&self->local_ufrag, &self->local_pwd, ufrag, pwd);
  remote_restarts = self->remote_restarts;
  self->remote_restarts = FALSE;
  self->restarted = !first && changed && !remote_restarts;
  if (remote_restarts) {
    remote_ufrag = g_strdup (self->remote_ufrag);
    remote_pwd = g_strdup (self->remote_pwd);
    early = g_steal_pointer (&self->early);
    self->early = g_ptr_array_new_with_free_func (g_free);
  }
  GST_OBJECT_UNLOCK (self);

  if (first) {
    gst_ice_stream_set_local_credentials (self->stream, ufrag, pwd);
    return TRUE;
  }
  /* An answer to a restart should have new credentials (RFC 8839 4.4.1.1.1);
   * that of a webrtcbin has the old ones, which the generation then has too. */
  if (changed || remote_restarts) {
    GST_INFO_OBJECT (self, "m-line %u: ICE restart",
        GST_WEBRTC_ICE_STREAM (self)->stream_id);
    gst_ice_stream_restart_with_credentials (self->stream, ufrag, pwd);
  }
  if (remote_restarts)
    apply_remote (self, remote_ufrag, remote_pwd, early);
  return TRUE;
}

gboolean
gst_ice_webrtc_stream_set_remote (
    GstIceWebRTCStream *self, const gchar *ufrag, const gchar *pwd)
{
  gboolean first, waits;

  if (!is_valid (self, "remote", ufrag, pwd))
    return FALSE;
  GST_OBJECT_LOCK (self);
  first = self->remote_ufrag == NULL;
  if (!keep (&self->remote_ufrag, &self->remote_pwd, ufrag, pwd)) {
    GST_OBJECT_UNLOCK (self);
    return TRUE;
  }
  waits = !first && !self->restarted;
  self->restarted = FALSE;
  self->remote_restarts = waits;
  g_ptr_array_set_size (self->early, 0);
  GST_OBJECT_UNLOCK (self);

  if (!waits)
    gst_ice_stream_set_remote_credentials (self->stream, ufrag, pwd);
  return TRUE;
}

/* Candidates */

gboolean
gst_ice_webrtc_stream_add_candidate (
    GstIceWebRTCStream *self, const gchar *candidate, GError **error)
{
  gboolean waits;

  GST_OBJECT_LOCK (self);
  waits = self->remote_restarts;
  if (waits && self->early->len < MAX_EARLY)
    g_ptr_array_add (self->early, g_strdup (candidate ? candidate : ""));
  GST_OBJECT_UNLOCK (self);

  if (waits)
    return TRUE;
  if (candidate)
    return gst_ice_stream_add_remote_sdp (self->stream, candidate, error);
  gst_ice_stream_end_remote_candidates (self->stream);
  return TRUE;
}

static void
set_gathering_state (GstIceWebRTCStream *self, GstWebRTCICEGatheringState state)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->transports); i++) {
    g_autoptr (GstWebRTCICETransport) transport = NULL;

    GST_OBJECT_LOCK (self);
    if (self->transports[i])
      transport =
          gst_object_ref (GST_WEBRTC_ICE_TRANSPORT (self->transports[i]));
    GST_OBJECT_UNLOCK (self);
    if (transport)
      gst_webrtc_ice_transport_gathering_state_change (transport, state);
  }
}

void
gst_ice_webrtc_stream_gather (GstIceWebRTCStream *self)
{
  gboolean first;

  GST_OBJECT_LOCK (self);
  first = !self->gathering;
  self->gathering = TRUE;
  GST_OBJECT_UNLOCK (self);
  /* A restart gathers by itself. */
  if (!first)
    return;
  set_gathering_state (self, GST_WEBRTC_ICE_GATHERING_STATE_GATHERING);
  gst_ice_stream_gather_async (self->stream, NULL, NULL, NULL);
}

void
gst_ice_webrtc_stream_set_gathered (GstIceWebRTCStream *self)
{
  set_gathering_state (self, GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE);
}

/* The class */

static GstWebRTCICETransport *
gst_ice_webrtc_stream_find_transport (
    GstWebRTCICEStream *stream, GstWebRTCICEComponent component)
{
  return gst_ice_webrtc_stream_ref_transport (
      GST_ICE_WEBRTC_STREAM (stream), component);
}

static gboolean
gst_ice_webrtc_stream_gather_candidates (GstWebRTCICEStream *stream)
{
  gst_ice_webrtc_stream_gather (GST_ICE_WEBRTC_STREAM (stream));
  return TRUE;
}

static void
gst_ice_webrtc_stream_finalize (GObject *object)
{
  GstIceWebRTCStream *self = GST_ICE_WEBRTC_STREAM (object);

  gst_clear_object (&self->transports[0]);
  gst_clear_object (&self->transports[1]);
  gst_clear_object (&self->stream);
  g_weak_ref_clear (&self->ice);
  g_free (self->local_ufrag);
  g_free (self->local_pwd);
  g_free (self->remote_ufrag);
  g_free (self->remote_pwd);
  g_ptr_array_unref (self->early);
  G_OBJECT_CLASS (gst_ice_webrtc_stream_parent_class)->finalize (object);
}

static void
gst_ice_webrtc_stream_class_init (GstIceWebRTCStreamClass *klass)
{
  GstWebRTCICEStreamClass *stream_class = GST_WEBRTC_ICE_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_ice_webrtc_stream_finalize;
  stream_class->find_transport = gst_ice_webrtc_stream_find_transport;
  stream_class->gather_candidates = gst_ice_webrtc_stream_gather_candidates;
}

static void
gst_ice_webrtc_stream_init (GstIceWebRTCStream *self)
{
  g_weak_ref_init (&self->ice, NULL);
  self->early = g_ptr_array_new_with_free_func (g_free);
}
