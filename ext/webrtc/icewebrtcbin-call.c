/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtcbin-private.h"

#include <glib/gi18n-lib.h>
#include <gst/sdp/sdp.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_ice_webrtc_bin_debug

/* With "uri" or "signaller" set the element calls by itself: offer and answer
 * travel by a GstIceSignaller. Its signals come in the service thread, where
 * nothing may wait: each step follows from the promise of the one before.
 *
 * An offer is made before there is a peer: webrtcbin takes 0.2 to 0.5 s for its
 * first one (1.22 makes an RSA key), which is most of what a page would wait
 * for its first picture. One that is not sent does no harm to the answer that
 * is given in its place. */

/* A step that a promise ends. */
typedef struct
{
  GstIceWebRTCBin *bin; /* (owned) */
  /* (owned) (nullable) whose step it is: it may have been replaced */
  GstElement *inner;
  const gchar *type; /* (unowned) static: "offer", "answer" */
} Step;

static void
step_free (gpointer data)
{
  Step *step = data;

  gst_object_unref (step->bin);
  g_clear_object (&step->inner);
  g_free (step);
}

static GstPromise *
promise_step (
    GstIceWebRTCBin *self, const gchar *type, GstPromiseChangeFunc func)
{
  Step *step = g_new (Step, 1);

  *step = (Step){ gst_object_ref (self), gst_ice_webrtc_bin_ref_inner (self),
    type };
  return gst_promise_new_with_change_func (func, step, step_free);
}

/* (transfer full) (nullable) */
static GstIceSignaller *
ref_signaller (GstIceWebRTCBin *self)
{
  GstIceSignaller *signaller;

  g_mutex_lock (&self->lock);
  signaller = self->meeting ? g_object_ref (self->meeting) : NULL;
  g_mutex_unlock (&self->lock);
  return signaller;
}

/* webrtcbin's answer to a call: what it thinks is wrong. TRUE: nothing */
static gboolean
check_reply (const Step *step, GstPromise *promise)
{
  GstIceWebRTCBin *self = step->bin;
  g_autoptr (GstElement) inner = gst_ice_webrtc_bin_ref_inner (self);
  const GstStructure *reply;
  g_autoptr (GError) error = NULL;

  if (gst_promise_wait (promise) != GST_PROMISE_RESULT_REPLIED || !inner ||
      step->inner != inner)
    return FALSE;
  reply = gst_promise_get_reply (promise);
  if (!reply || !gst_structure_get (reply, "error", G_TYPE_ERROR, &error, NULL))
    return TRUE;
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      (_ ("The peers do not agree: %s"), error->message), (NULL));
  return FALSE;
}

static void
send (GstIceWebRTCBin *self, const gchar *type,
    GstWebRTCSessionDescription *description)
{
  g_autoptr (GstIceSignaller) signaller = ref_signaller (self);
  g_autofree gchar *text = gst_sdp_message_as_text (description->sdp);

  if (!signaller)
    return;
  g_signal_emit_by_name (self, "set-local-description", description, NULL);
  gst_ice_signaller_send_description (signaller, type, text);
}

/* Once there is somebody to send it to. */
static void
send_prepared (GstIceWebRTCBin *self)
{
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;

  g_mutex_lock (&self->lock);
  if (self->may_offer)
    offer = g_steal_pointer (&self->prepared);
  g_mutex_unlock (&self->lock);
  if (offer)
    send (self, "offer", offer);
}

static void
on_created (GstPromise *promise, gpointer data)
{
  const Step *step = data;
  GstIceWebRTCBin *self = step->bin;
  g_autoptr (GstWebRTCSessionDescription) description = NULL;

  if (!check_reply (step, promise))
    return;
  gst_structure_get (gst_promise_get_reply (promise), step->type,
      GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, NULL);
  if (!description)
    return;
  if (g_str_equal (step->type, "answer")) {
    send (self, step->type, description);
    return;
  }
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->prepared, gst_webrtc_session_description_free);
  self->prepared = g_steal_pointer (&description);
  g_mutex_unlock (&self->lock);
  send_prepared (self);
}

static void
create (GstIceWebRTCBin *self, const gchar *type)
{
  g_autoptr (GstPromise) promise = promise_step (self, type, on_created);

  g_signal_emit_by_name (self,
      g_str_equal (type, "offer") ? "create-offer" : "create-answer", NULL,
      promise);
}

/* Every pad knows what it will send: an offer says so. webrtcbin 1.22 never
 * comes back from create-offer when a payloader has only told what it might. */
static gboolean
has_all_caps (GstIceWebRTCBin *self)
{
  gboolean all = TRUE;

  GST_OBJECT_LOCK (self);
  for (GList *l = GST_ELEMENT (self)->sinkpads; l && all; l = l->next) {
    g_autoptr (GstPad) inner = gst_ice_webrtc_bin_inner_pad (l->data);

    all = inner && gst_pad_has_current_caps (inner);
  }
  GST_OBJECT_UNLOCK (self);
  return all;
}

void
gst_ice_webrtc_bin_try_offer (GstIceWebRTCBin *self)
{
  gboolean offer;

  if (!has_all_caps (self))
    return;
  g_mutex_lock (&self->lock);
  offer = self->meeting && self->needs_offer && !self->offering;
  if (offer) {
    self->needs_offer = FALSE;
    self->offering = TRUE;
  }
  g_mutex_unlock (&self->lock);
  GST_DEBUG_OBJECT (self, "offer: %s", offer ? "now" : "not now");
  if (offer)
    create (self, "offer");
}

void
gst_ice_webrtc_bin_forget_offer (GstIceWebRTCBin *self, gboolean hold)
{
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->prepared, gst_webrtc_session_description_free);
  self->offering = hold;
  g_mutex_unlock (&self->lock);
}

void
gst_ice_webrtc_bin_need_offer (GstIceWebRTCBin *self)
{
  g_mutex_lock (&self->lock);
  self->needs_offer = TRUE;
  g_mutex_unlock (&self->lock);
  gst_ice_webrtc_bin_try_offer (self);
}

/* (transfer full) (nullable) */
static gchar *
dup_mid (GstIceWebRTCBin *self, guint mline)
{
  g_autoptr (GstWebRTCSessionDescription) local = NULL;

  g_object_get (self, "local-description", &local, NULL);
  if (!local || mline >= gst_sdp_message_medias_len (local->sdp))
    return NULL;
  return g_strdup (gst_sdp_media_get_attribute_val (
      gst_sdp_message_get_media (local->sdp, mline), "mid"));
}

void
gst_ice_webrtc_bin_send_candidate (
    GstIceWebRTCBin *self, guint mline, const gchar *candidate)
{
  g_autoptr (GstIceSignaller) signaller = ref_signaller (self);
  g_autofree gchar *mid = NULL;

  if (!signaller || !candidate)
    return;
  mid = dup_mid (self, mline);
  gst_ice_signaller_send_candidate (signaller, mid, mline, candidate, NULL);
}

/* What the signaller tells, in the service thread */

static void
on_offer_taken (GstPromise *promise, gpointer data)
{
  const Step *step = data;

  if (check_reply (step, promise))
    create (step->bin, "answer");
}

static void
on_answer_taken (GstPromise *promise, gpointer data)
{
  const Step *step = data;
  GstIceWebRTCBin *self = step->bin;

  if (!check_reply (step, promise))
    return;
  g_mutex_lock (&self->lock);
  self->offering = FALSE;
  g_mutex_unlock (&self->lock);
  /* What came up meanwhile. */
  gst_ice_webrtc_bin_try_offer (self);
}

static void
on_description (GstIceSignaller *signaller, const gchar *type,
    const gchar *text, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);
  const gboolean is_offer = g_str_equal (type, "offer");
  g_autoptr (GstWebRTCSessionDescription) description = NULL;
  g_autoptr (GstPromise) promise = NULL;
  GstSDPMessage *sdp;

  if (!self)
    return;
  GST_DEBUG_OBJECT (self, "the peer's %s", type);
  if (gst_sdp_message_new_from_text (text, &sdp) != GST_SDP_OK) {
    GST_WARNING_OBJECT (self, "the peer's %s is no SDP", type);
    return;
  }
  if (is_offer)
    gst_ice_webrtc_bin_forget_offer (self, FALSE);
  description =
      gst_webrtc_session_description_new (is_offer ? GST_WEBRTC_SDP_TYPE_OFFER
              : g_str_equal (type, "pranswer") ? GST_WEBRTC_SDP_TYPE_PRANSWER
                                               : GST_WEBRTC_SDP_TYPE_ANSWER,
          sdp);
  promise = promise_step (self, is_offer ? "offer" : "answer",
      is_offer ? on_offer_taken : on_answer_taken);
  g_signal_emit_by_name (self, "set-remote-description", description, promise);
}

static guint
find_mline (GstIceWebRTCBin *self, const gchar *mid)
{
  g_autoptr (GstWebRTCSessionDescription) remote = NULL;

  g_object_get (self, "remote-description", &remote, NULL);
  for (guint i = 0;
       remote && mid && i < gst_sdp_message_medias_len (remote->sdp); i++) {
    if (g_strcmp0 (gst_sdp_media_get_attribute_val (
                       gst_sdp_message_get_media (remote->sdp, i), "mid"),
            mid) == 0)
      return i;
  }
  return 0;
}

static void
on_candidate (GstIceSignaller *signaller, const gchar *mid, guint mline,
    const gchar *candidate, const gchar *ufrag, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);

  if (self && *candidate)
    g_signal_emit_by_name (self, "add-ice-candidate",
        mline == G_MAXUINT ? find_mline (self, mid) : mline, candidate);
}

static void
post_peer (GstIceWebRTCBin *self, const gchar *event)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new (
              "GstIcePeer", "event", G_TYPE_STRING, event, NULL)));
}

static void
on_bye (GstIceSignaller *signaller, const gchar *reason, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);

  if (self)
    post_peer (self, "bye");
}

/* Another peer: a webrtcbin has one in its life. */
static void
renew (GstElement *element, gpointer unused)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (element);

  gst_ice_webrtc_bin_renew (self);
}

static void
on_ready (GstIceSignaller *signaller, gboolean offerer, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);
  gboolean again;

  if (!self)
    return;
  GST_DEBUG_OBJECT (
      self, "ready, %s", offerer ? "we offer" : "the peer offers");
  g_mutex_lock (&self->lock);
  again = self->met;
  self->met = TRUE;
  self->may_offer = offerer;
  g_mutex_unlock (&self->lock);
  if (again)
    gst_element_call_async (GST_ELEMENT (self), renew, NULL, NULL);
  else
    send_prepared (self);
}

static void
on_error (GstIceSignaller *signaller, const GError *error, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);

  if (self)
    gst_element_message_full_with_details (GST_ELEMENT (self),
        GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__,
        gst_structure_new (
            "details", "cause", G_TYPE_STRING, "signalling-lost", NULL));
}

/* Beginning and end */

static void
free_weak_ref (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static gulong
listen (GstIceWebRTCBin *self, GstIceSignaller *signaller, const gchar *signal,
    GCallback callback)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);
  return g_signal_connect_data (
      signaller, signal, callback, weak, free_weak_ref, 0);
}

static void
set_meeting (GstIceWebRTCBin *self, GstIceSignaller *signaller)
{
  const gulong handlers[G_N_ELEMENTS (self->handlers)] = {
    listen (self, signaller, "ready", G_CALLBACK (on_ready)),
    listen (self, signaller, "description", G_CALLBACK (on_description)),
    listen (self, signaller, "candidate", G_CALLBACK (on_candidate)),
    listen (self, signaller, "bye", G_CALLBACK (on_bye)),
    listen (self, signaller, "error", G_CALLBACK (on_error)),
  };

  g_mutex_lock (&self->lock);
  g_set_object (&self->meeting, signaller);
  memcpy (self->handlers, handlers, sizeof handlers);
  self->met = self->may_offer = FALSE;
  g_mutex_unlock (&self->lock);
}

/* (transfer full) (nullable) that is none of ours any more: a signaller of the
 * application goes on to the next meeting. */
static GstIceSignaller *
take_meeting (GstIceWebRTCBin *self)
{
  gulong handlers[G_N_ELEMENTS (self->handlers)];
  GstIceSignaller *meeting;

  g_mutex_lock (&self->lock);
  meeting = g_steal_pointer (&self->meeting);
  memcpy (handlers, self->handlers, sizeof handlers);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; meeting && i < G_N_ELEMENTS (handlers); i++)
    g_signal_handler_disconnect (meeting, handlers[i]);
  return meeting;
}

/* (transfer full) (nullable) NULL without error: the application signals. */
static GstIceSignaller *
find_signaller (GstIceWebRTCBin *self, GError **error)
{
  g_autoptr (GstIceSignaller) signaller = NULL;
  g_autofree gchar *uri = NULL;

  GST_OBJECT_LOCK (self);
  uri = g_strdup (self->uri);
  if (self->signaller)
    signaller = g_object_ref (self->signaller);
  GST_OBJECT_UNLOCK (self);
  if (!signaller)
    return uri ? gst_ice_signaller_new_from_uri (uri, error) : NULL;
  if (uri)
    g_object_set (signaller, "uri", uri, NULL);
  return gst_ice_signaller_check (signaller, error)
      ? g_steal_pointer (&signaller)
      : NULL;
}

gboolean
gst_ice_webrtc_bin_begin (GstIceWebRTCBin *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIceSignaller) signaller = find_signaller (self, &error);
  /* Who only receives has nothing to offer. */
  const GstIceSignallerRole role = GST_ELEMENT (self)->sinkpads
      ? GST_ICE_SIGNALLER_ROLE_AUTO
      : GST_ICE_SIGNALLER_ROLE_ANSWER;

  if (signaller) {
    gst_ice_webrtc_bin_forget_offer (self, FALSE);
    set_meeting (self, signaller);
    if (gst_ice_signaller_start (signaller, role, &error))
      gst_ice_webrtc_bin_try_offer (self);
    else
      g_object_unref (take_meeting (self));
  }
  if (!error)
    return TRUE;
  gst_element_message_full_with_details (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__,
      gst_structure_new ("details", "cause", G_TYPE_STRING, "resource", NULL));
  return FALSE;
}

void
gst_ice_webrtc_bin_end (GstIceWebRTCBin *self)
{
  g_autoptr (GstIceSignaller) meeting = take_meeting (self);

  if (!meeting)
    return;
  gst_ice_signaller_send_bye (meeting, "stopped");
  gst_ice_signaller_stop (meeting);
}

gboolean
gst_ice_webrtc_bin_is_calling (GstIceWebRTCBin *self)
{
  gboolean calling;

  g_mutex_lock (&self->lock);
  calling = self->meeting != NULL;
  g_mutex_unlock (&self->lock);
  return calling;
}
