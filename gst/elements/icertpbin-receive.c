/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

#include <stdio.h>

#include "caps.h"
#include "endpoint.h"

#define GST_CAT_DEFAULT gst_ice_rtp_bin_debug

/* The pads src_%u: one for each m-line by which something arrives. */

/* Playback waits until all pads are there; who offers sound and never sends any
 * must not hold up the picture. */
#define MORE_PADS_MS 1000
/* A handler of pads that takes longer waits for somebody. */
#define TELLING_MAX (1 * G_TIME_SPAN_SECOND)
/* What a jitterbuffer holds when the sender has said RTCP BYE, and a bit. */
#define LAST_PACKETS_MS 100

/* Which stream */

/* (transfer full) (nullable) of @session */
static GstIceTransport *
ref_transport (GstIceRtpBin *self, guint session)
{
  GstIceTransport *transport = NULL;

  g_mutex_lock (&self->lock);
  if (session < self->legs->len) {
    const GstIceRtpLeg *leg = g_ptr_array_index (self->legs, session);

    transport = gst_object_ref (leg->transport);
  }
  g_mutex_unlock (&self->lock);
  return transport;
}

/* (transfer full) (nullable) In a bundle payload types tell the m-lines apart
 * (RFC 8843 9.2); ours have different ones. */
static GstIceStream *
find_stream (GstIceRtpBin *self, guint session, guint payload,
    GstCaps *(*get_caps) (GstIceStream *stream),
    gint (*get_payload) (const GstCaps *caps))
{
  g_autoptr (GstIceAgent) agent = gst_ice_rtp_bin_ref_agent (self);
  g_autoptr (GstIceTransport) transport = ref_transport (self, session);
  g_autoptr (GPtrArray) streams = NULL;
  guint i;

  if (agent == NULL || transport == NULL)
    return NULL;
  streams = gst_ice_agent_get_streams (agent);
  for (i = 0; i < streams->len; i++) {
    GstIceStream *stream = g_ptr_array_index (streams, i);
    g_autoptr (GstIceTransport) its = gst_ice_stream_get_transport (stream, 1);
    g_autoptr (GstCaps) caps = get_caps (stream);

    if (its == transport && get_payload (caps) == (gint) payload)
      return gst_object_ref (stream);
  }
  return NULL;
}

static GstCaps *
find_caps (GstIceRtpBin *self, guint session, guint payload,
    gint (*get_payload) (const GstCaps *caps))
{
  g_autoptr (GstIceStream) stream = find_stream (
      self, session, payload, gst_ice_stream_get_remote_caps, get_payload);

  if (stream != NULL)
    return gst_ice_stream_get_remote_caps (stream);
  stream = find_stream (
      self, session, payload, gst_ice_stream_get_local_caps, get_payload);
  return stream != NULL ? gst_ice_stream_get_local_caps (stream) : NULL;
}

static GstCaps *
on_request_pt_map (
    GstElement *rtpbin, guint session, guint payload, GstIceRtpBin *self)
{
  GstCaps *caps = find_caps (self, session, payload, gst_ice_caps_get_payload);

  /* A retransmission has the clock of its media (RFC 4588 8.6). */
  return caps != NULL
      ? caps
      : find_caps (self, session, payload, gst_ice_caps_get_rtx_payload);
}

/* Pads */

static void
receiver_free (gpointer data)
{
  GstIceRtpReceiver *self = data;

  gst_object_unref (self->bin);
  g_free (self);
}

/* An application that only sends links nothing, and that is no error. */
static GstPadProbeReturn
on_data (GstPad *target, GstPadProbeInfo *info, gpointer user_data)
{
  GstPad *pad = user_data;
  GstIceRtpReceiver *self = gst_pad_get_element_private (pad);

  if (gst_pad_is_linked (pad))
    return GST_PAD_PROBE_OK;
  g_atomic_int_set (&self->dropped, TRUE);
  return GST_PAD_PROBE_DROP;
}

/* Who links late has missed the keyframe. */
static void
on_linked (GstPad *pad, GstPad *peer, GstIceRtpReceiver *self)
{
  if (g_atomic_int_get (&self->dropped))
    gst_pad_send_event (pad,
        gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
            gst_structure_new ("GstForceKeyUnit", "running-time",
                GST_TYPE_CLOCK_TIME, GST_CLOCK_TIME_NONE, "all-headers",
                G_TYPE_BOOLEAN, TRUE, "count", G_TYPE_UINT, 0, NULL)));
}

/* (transfer full): src_MLINE, and where there is one already src_MLINE_SSRC. */
static GstPad *
make_ghost (
    GstIceRtpBin *self, GstPad *target, const GstIceRtpReceiver *receiver)
{
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (self);
  g_autofree gchar *name = g_strdup_printf ("src_%u", receiver->mline);
  const gchar *template = "src_%u";
  g_autoptr (GstPad) taken =
      gst_element_get_static_pad (GST_ELEMENT (self), name);

  if (taken != NULL) {
    g_free (name);
    name = g_strdup_printf ("src_%u_%u", receiver->mline, receiver->ssrc);
    template = "src_%u_%u";
  }
  return gst_ghost_pad_new_from_template (
      name, target, gst_element_class_get_pad_template (klass, template));
}

static guint
count_mlines (GstIceRtpBin *self)
{
  guint n = 0;
  GList *l, *m;

  for (l = self->receivers; l != NULL; l = l->next) {
    for (m = self->receivers; m != l; m = m->next)
      if (((GstIceRtpReceiver *) m->data)->mline ==
          ((GstIceRtpReceiver *) l->data)->mline)
        break;
    n += m == l;
  }
  return n;
}

/* A link of gst-launch's that waits for a pad takes its own handlers off and is
 * freed when one fits (1.22), without a lock: another pad, or the end of pads,
 * in another thread at that moment meets what is half gone. So they are told of
 * one after the other; unless a handler waits for such a thread. TRUE: call
 * end_telling(). */
static gboolean
begin_telling (GstIceRtpBin *self)
{
  const gint64 end = g_get_monotonic_time () + TELLING_MAX;
  gboolean mine;

  g_mutex_lock (&self->lock);
  while (self->telling != NULL && self->telling != g_thread_self () &&
      g_cond_wait_until (&self->told, &self->lock, end))
    ;
  mine = self->telling == NULL;
  if (mine)
    self->telling = g_thread_self ();
  g_mutex_unlock (&self->lock);
  return mine;
}

static void
end_telling (GstIceRtpBin *self)
{
  g_mutex_lock (&self->lock);
  self->telling = NULL;
  g_cond_broadcast (&self->told);
  g_mutex_unlock (&self->lock);
}

static void
tell_no_more_pads (GstIceRtpBin *self)
{
  const gboolean telling = begin_telling (self);
  gboolean told;

  g_mutex_lock (&self->lock);
  told = self->told_pads || self->receivers == NULL;
  self->told_pads = self->told_pads || !told;
  g_mutex_unlock (&self->lock);
  if (!told)
    gst_element_no_more_pads (GST_ELEMENT (self));
  if (telling)
    end_telling (self);
}

static void
no_more_pads (GstElement *element, gpointer unused)
{
  tell_no_more_pads (GST_ICE_RTP_BIN (element));
}

static gboolean
on_pads_timer (gpointer user_data)
{
  gst_element_call_async (user_data, no_more_pads, NULL, NULL);
  return G_SOURCE_REMOVE;
}

static void
stop_pads_timer (GstIceRtpBin *self)
{
  GSource *timer;

  g_mutex_lock (&self->lock);
  timer = g_steal_pointer (&self->pads_timer);
  g_mutex_unlock (&self->lock);
  if (timer == NULL)
    return;
  g_source_destroy (timer);
  g_source_unref (timer);
}

static void
check_pads (GstIceRtpBin *self)
{
  gboolean complete;

  g_mutex_lock (&self->lock);
  /* Who sends may be offered more in return. */
  complete = self->senders->len == 0 && count_mlines (self) >= self->n_expected;
  if (!complete && self->pads_timer == NULL && !self->told_pads) {
    self->pads_timer = g_timeout_source_new (MORE_PADS_MS);
    g_source_set_callback (self->pads_timer, on_pads_timer,
        gst_object_ref (self), gst_object_unref);
    g_source_attach (self->pads_timer, gst_ice_signaller_get_main_context ());
  }
  g_mutex_unlock (&self->lock);
  if (complete)
    tell_no_more_pads (self);
}

static void
add_receiver (GstIceRtpBin *self, GstPad *target, GstIceRtpReceiver *receiver)
{
  GstPad *pad = make_ghost (self, target, receiver);
  gboolean telling;

  receiver->bin = gst_object_ref (self);
  receiver->pad = pad;
  receiver->target = target;
  gst_pad_set_element_private (pad, receiver);
  g_object_set_data_full (
      G_OBJECT (pad), "gst-ice-receiver", receiver, receiver_free);
  g_signal_connect (pad, "linked", G_CALLBACK (on_linked), receiver);
  gst_pad_add_probe (target,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_data,
      gst_object_ref (pad), gst_object_unref);

  gst_pad_set_active (pad, TRUE);
  telling = begin_telling (self);
  /* Only now, lest another thread counts it before anybody was told of it. */
  g_mutex_lock (&self->lock);
  self->receivers = g_list_prepend (self->receivers, receiver);
  g_mutex_unlock (&self->lock);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  check_pads (self);
  if (telling)
    end_telling (self);
}

static void
on_pad_added (GstElement *rtpbin, GstPad *target, GstIceRtpBin *self)
{
  g_autoptr (GstIceStream) stream = NULL;
  g_autofree gchar *name = gst_pad_get_name (target);
  GstIceRtpReceiver *receiver;
  guint session, ssrc, payload, mline;

  if (sscanf (name, "recv_rtp_src_%u_%u_%u", &session, &ssrc, &payload) != 3)
    return;
  stream = find_stream (self, session, payload, gst_ice_stream_get_remote_caps,
      gst_ice_caps_get_payload);
  if (stream == NULL) {
    GST_INFO_OBJECT (self, "payload type %u is of no m-line", payload);
    return;
  }
  g_object_get (stream, "mline-index", &mline, NULL);
  receiver = g_new0 (GstIceRtpReceiver, 1);
  receiver->session = session;
  receiver->ssrc = ssrc;
  receiver->mline = mline;
  add_receiver (self, target, receiver);
}

static GstPad *
take_receiver (GstIceRtpBin *self, GstPad *target)
{
  GstPad *pad = NULL;
  GList *l;

  g_mutex_lock (&self->lock);
  for (l = self->receivers; l != NULL; l = l->next) {
    GstIceRtpReceiver *receiver = l->data;

    if (receiver->target == target || target == NULL) {
      pad = gst_object_ref (receiver->pad);
      self->receivers = g_list_delete_link (self->receivers, l);
      break;
    }
  }
  g_mutex_unlock (&self->lock);
  return pad;
}

static void
remove_pad (GstIceRtpBin *self, GstPad *pad)
{
  gst_pad_set_active (pad, FALSE);
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), NULL);
  gst_element_remove_pad (GST_ELEMENT (self), pad);
  gst_object_unref (pad);
}

static void
on_pad_removed (GstElement *rtpbin, GstPad *target, GstIceRtpBin *self)
{
  GstPad *pad = take_receiver (self, target);

  if (pad != NULL)
    remove_pad (self, pad);
}

/* The end of one sender, said by RTCP BYE (RFC 3550 6.6) */

static gboolean
all_ended (GstIceRtpBin *self)
{
  gboolean all = TRUE;
  GList *l;

  g_mutex_lock (&self->lock);
  for (l = self->receivers; l != NULL; l = l->next)
    all = all && ((GstIceRtpReceiver *) l->data)->ended;
  all = all && count_mlines (self) >= self->n_expected;
  g_mutex_unlock (&self->lock);
  return all;
}

static void
end_pad (GstElement *element, gpointer user_data)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (element);
  g_autoptr (GstIceEndpoint) endpoint = gst_ice_rtp_bin_ref_endpoint (self);

  gst_pad_push_event (user_data, gst_event_new_eos ());
  if (endpoint != NULL && all_ended (self))
    gst_ice_endpoint_end (endpoint, &self->member);
}

static gboolean
on_drained (gpointer user_data)
{
  GstPad *pad = user_data;
  g_autoptr (GstElement) element = gst_pad_get_parent_element (pad);

  if (element != NULL)
    gst_element_call_async (
        element, end_pad, gst_object_ref (pad), gst_object_unref);
  return G_SOURCE_REMOVE;
}

/* With the lock. What is on its way, and in the jitterbuffer, is played. */
static void
end_receiver (GstIceRtpReceiver *self, guint latency)
{
  g_autoptr (GSource) timer = NULL;

  if (self->ended)
    return;
  GST_DEBUG_OBJECT (self->pad, "the peer ends it");
  self->ended = TRUE;
  timer = g_timeout_source_new (latency + LAST_PACKETS_MS);
  g_source_set_callback (
      timer, on_drained, gst_object_ref (self->pad), gst_object_unref);
  g_source_attach (timer, gst_ice_signaller_get_main_context ());
}

static guint
get_latency (GstIceRtpBin *self)
{
  guint latency;

  GST_OBJECT_LOCK (self);
  latency = self->latency;
  GST_OBJECT_UNLOCK (self);
  return latency;
}

static void
on_bye_ssrc (GstElement *rtpbin, guint session, guint ssrc, GstIceRtpBin *self)
{
  const guint latency = get_latency (self);
  GList *l;

  g_mutex_lock (&self->lock);
  for (l = self->receivers; l != NULL; l = l->next) {
    GstIceRtpReceiver *receiver = l->data;

    if (receiver->session == session && receiver->ssrc == ssrc)
      end_receiver (receiver, latency);
  }
  g_mutex_unlock (&self->lock);
}

void
gst_ice_rtp_bin_expect (GstIceRtpBin *self, guint n_mlines)
{
  g_mutex_lock (&self->lock);
  self->n_expected = n_mlines;
  g_mutex_unlock (&self->lock);
}

void
gst_ice_rtp_bin_watch_rtpbin (GstIceRtpBin *self)
{
  g_signal_connect (
      self->rtpbin, "request-pt-map", G_CALLBACK (on_request_pt_map), self);
  g_signal_connect (self->rtpbin, "pad-added", G_CALLBACK (on_pad_added), self);
  g_signal_connect (
      self->rtpbin, "pad-removed", G_CALLBACK (on_pad_removed), self);
  g_signal_connect (
      self->rtpbin, "on-bye-ssrc", G_CALLBACK (on_bye_ssrc), self);
}

void
gst_ice_rtp_bin_forget_receivers (GstIceRtpBin *self)
{
  GstPad *pad;

  stop_pads_timer (self);
  while ((pad = take_receiver (self, NULL)) != NULL)
    remove_pad (self, pad);
  g_mutex_lock (&self->lock);
  self->told_pads = FALSE;
  self->n_expected = 0;
  g_mutex_unlock (&self->lock);
}
