/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

#include "caps.h"
#include "endpoint.h"

#define GST_CAT_DEFAULT gst_ice_rtp_bin_debug

/* The pads sink_%u: what comes in is held until there is a path, numbered as it
 * was agreed, and handed to the funnel of its leg. */

/* A new path is often followed by a better one. */
#define KEYFRAME_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

/* Data */

gboolean
gst_ice_rtp_sender_is_live (GstIceRtpSender *self)
{
  g_autoptr (GstQuery) query = NULL;
  gboolean live = TRUE;

  if (g_atomic_int_get (&self->live) >= 0)
    return g_atomic_int_get (&self->live);
  query = gst_query_new_latency ();
  if (gst_pad_peer_query (self->pad, query)) {
    gst_query_parse_latency (query, &live, NULL, NULL);
    g_atomic_int_set (&self->live, live);
  }
  return live;
}

/* What is live is late when a path comes; a file waits. */
static GstPadProbeReturn
on_blocked (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstIceRtpSender *self = user_data;

  if (g_atomic_int_get (&self->gate) == GST_ICE_RTP_GATE_REFUSED)
    return GST_PAD_PROBE_DROP;
  return gst_ice_rtp_sender_is_live (self) ? GST_PAD_PROBE_DROP
                                           : GST_PAD_PROBE_OK;
}

/* RFC 3550 5.1: the payload type has the seven lower bits of the second byte.
 */
static GstBuffer *
number_buffer (GstBuffer *buffer, guint8 payload)
{
  guint8 byte;

  if (gst_buffer_extract (buffer, 1, &byte, 1) != 1 || (byte & 0x7f) == payload)
    return buffer;
  byte = (byte & 0x80) | payload;
  buffer = gst_buffer_make_writable (buffer);
  gst_buffer_fill (buffer, 1, &byte, 1);
  return buffer;
}

static gboolean
number_in_list (GstBuffer **buffer, guint index, gpointer payload)
{
  *buffer = number_buffer (*buffer, GPOINTER_TO_UINT (payload));
  return TRUE;
}

/* A payloader takes the number that it is asked to take, but what it made
 * before is on its way; and not everything is a payloader. */
static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstIceRtpSender *self = user_data;
  const gint payload = g_atomic_int_get (&self->payload);

  if (g_atomic_int_get (&self->gate) == GST_ICE_RTP_GATE_REFUSED)
    return GST_PAD_PROBE_DROP;
  if (payload < 0)
    return GST_PAD_PROBE_OK;
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    info->data = number_buffer (info->data, (guint8) payload);
  } else {
    GstBufferList *list = gst_buffer_list_make_writable (info->data);

    gst_buffer_list_foreach (
        list, number_in_list, GUINT_TO_POINTER ((guint) payload));
    info->data = list;
  }
  return GST_PAD_PROBE_OK;
}

static GstIceEndpoint *
ref_endpoint (GstIceRtpSender *self)
{
  GstIceEndpoint *endpoint;

  g_mutex_lock (&self->bin->lock);
  endpoint = self->endpoint != NULL ? g_object_ref (self->endpoint) : NULL;
  g_mutex_unlock (&self->bin->lock);
  return endpoint;
}

/* A funnel ends with the first pad that does, so all end with the last.
 * (transfer full) (nullable) (element-type GstPad) what ends now beside it */
static GPtrArray *
end (GstIceRtpSender *self)
{
  GstIceRtpBin *bin = self->bin;
  g_autoptr (GPtrArray) others =
      g_ptr_array_new_with_free_func (gst_object_unref);
  gboolean last = TRUE;
  guint i;

  g_mutex_lock (&bin->lock);
  self->ended = TRUE;
  for (i = 0; i < bin->senders->len; i++) {
    GstIceRtpSender *other = g_ptr_array_index (bin->senders, i);

    last = last && (other->ended || other->released);
    if (other != self && other->target != NULL)
      g_ptr_array_add (others, gst_object_ref (other->target));
  }
  /* An encoder of DTLS has no end: what else it might send it can at any time.
   */
  for (i = 0; i < bin->legs->len; i++) {
    const GstIceRtpLeg *leg = g_ptr_array_index (bin->legs, i);

    if (leg->encoder != NULL && leg->funnel != NULL)
      g_ptr_array_add (others, gst_element_get_static_pad (leg->sink, "sink"));
  }
  g_mutex_unlock (&bin->lock);
  return last ? g_steal_pointer (&others) : NULL;
}

static void
send_eos (gpointer pad, gpointer unused)
{
  gst_pad_send_event (pad, gst_event_new_eos ());
}

static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstIceRtpSender *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  g_autoptr (GstIceEndpoint) endpoint = ref_endpoint (self);
  GstCaps *caps;

  if (endpoint == NULL)
    return GST_PAD_PROBE_OK;
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    if (gst_ice_caps_is_rtp (caps))
      gst_ice_endpoint_set_caps (endpoint, &self->member, caps);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    g_autoptr (GPtrArray) others = end (self);

    if (others != NULL)
      g_ptr_array_foreach (others, send_eos, NULL);
    gst_ice_endpoint_end (endpoint, &self->member);
    if (others != NULL)
      gst_ice_endpoint_renegotiate (endpoint);
    return others != NULL ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  }
  return GST_PAD_PROBE_OK;
}

/* (transfer full) */
static GstCaps *
allowed_caps (GstIceRtpSender *self)
{
  const gint payload = g_atomic_int_get (&self->payload);
  GstCaps *caps = gst_caps_new_empty_simple ("application/x-rtp");

  if (payload >= 0)
    gst_caps_set_simple (caps, "payload", G_TYPE_INT, payload, NULL);
  return caps;
}

static gboolean
on_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstIceRtpSender *self = gst_pad_get_element_private (pad);
  g_autoptr (GstCaps) allowed = NULL;
  GstCaps *filter;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return gst_pad_query_default (pad, parent, query);
  allowed = allowed_caps (self);
  gst_query_parse_caps (query, &filter);
  if (filter != NULL) {
    g_autoptr (GstCaps) both =
        gst_caps_intersect_full (filter, allowed, GST_CAPS_INTERSECT_FIRST);

    gst_query_set_caps_result (query, both);
  } else {
    gst_query_set_caps_result (query, allowed);
  }
  return TRUE;
}

/* From the other side */

void
gst_ice_rtp_sender_set_gate (GstIceRtpSender *self, GstIceRtpGate gate)
{
  gulong block = 0;

  if (g_atomic_int_exchange (&self->gate, gate) == (gint) gate)
    return;
  GST_DEBUG_OBJECT (self->pad, "%s",
      gate == GST_ICE_RTP_GATE_OPEN         ? "is sent"
          : gate == GST_ICE_RTP_GATE_CLOSED ? "waits for a path"
                                            : "is not taken by the peer");
  g_mutex_lock (&self->bin->lock);
  if (gate == GST_ICE_RTP_GATE_CLOSED) {
    if (self->block == 0)
      self->block = gst_pad_add_probe (self->pad,
          GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER |
              GST_PAD_PROBE_TYPE_BUFFER_LIST,
          on_blocked, self, NULL);
  } else {
    block = self->block;
    self->block = 0;
  }
  g_mutex_unlock (&self->bin->lock);
  if (block != 0)
    gst_pad_remove_probe (self->pad, block);
}

void
gst_ice_rtp_sender_update (GstIceRtpSender *self)
{
  g_autoptr (GstCaps) told = NULL;
  g_autoptr (GstCaps) present = gst_pad_get_current_caps (self->pad);
  gint payload;

  if (self->member.stream != NULL)
    told = gst_ice_stream_get_local_caps (self->member.stream);
  if (!gst_ice_caps_is_rtp (told))
    return;
  gst_structure_get_int (gst_caps_get_structure (told, 0), "payload", &payload);
  g_atomic_int_set (&self->payload, payload);
  if (gst_ice_caps_get_payload (present) != payload)
    gst_pad_push_event (self->pad, gst_event_new_reconfigure ());
}

/* With building. As gst_video_event_new_upstream_force_key_unit() makes it. */
void
gst_ice_rtp_bin_request_keyframes (GstIceRtpBin *self)
{
  const gint64 now = g_get_monotonic_time ();
  guint i;

  if (!self->keyframe_on_connect || now - self->keyframe_at < KEYFRAME_INTERVAL)
    return;
  self->keyframe_at = now;
  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);

    if (!sender->released &&
        g_atomic_int_get (&sender->gate) == GST_ICE_RTP_GATE_OPEN)
      gst_pad_push_event (sender->pad,
          gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
              gst_structure_new ("GstForceKeyUnit", "running-time",
                  GST_TYPE_CLOCK_TIME, GST_CLOCK_TIME_NONE, "all-headers",
                  G_TYPE_BOOLEAN, TRUE, "count", G_TYPE_UINT, 0, NULL)));
  }
}

/* Members */

static void
do_nothing (GstIceMember *member)
{
}

static const GstIceMemberFuncs member_funcs = {
  .state_changed = do_nothing,
  .path_changed = do_nothing,
  .ended = do_nothing,
  .joined = do_nothing,
  .left = do_nothing,
};

/* FALSE: an error was posted. */
static gboolean
join (GstIceRtpSender *self, GstIceAgent *agent)
{
  g_autoptr (GstIceEndpoint) before = ref_endpoint (self);
  g_autoptr (GError) error = NULL;
  GstIceEndpoint *endpoint;

  if (before != NULL)
    return TRUE;
  self->member.retransmits = self->bin->retransmits;
  endpoint = gst_ice_endpoint_join (agent, FALSE, &self->member, &error);
  if (endpoint == NULL) {
    gst_ice_post_error (GST_ELEMENT (self->bin), error);
    return FALSE;
  }
  g_mutex_lock (&self->bin->lock);
  self->endpoint = endpoint;
  g_mutex_unlock (&self->bin->lock);
  return TRUE;
}

static gboolean
activate (GstIceRtpSender *self)
{
  g_autoptr (GstIceEndpoint) endpoint = ref_endpoint (self);
  g_autoptr (GError) error = NULL;

  if (endpoint == NULL ||
      gst_ice_endpoint_activate (endpoint, &self->member, &error))
    return TRUE;
  gst_ice_post_error (GST_ELEMENT (self->bin), error);
  return FALSE;
}

static void
leave (GstIceRtpSender *self)
{
  g_autoptr (GstIceEndpoint) endpoint = NULL;

  self->agreed = FALSE;
  g_mutex_lock (&self->bin->lock);
  self->ended = FALSE;
  endpoint = g_steal_pointer (&self->endpoint);
  g_mutex_unlock (&self->bin->lock);
  if (endpoint != NULL)
    gst_ice_endpoint_leave (endpoint, &self->member);
  GST_OBJECT_LOCK (self->bin);
  gst_clear_object (&self->member.stream);
  GST_OBJECT_UNLOCK (self->bin);
  g_atomic_int_set (&self->payload, -1);
  g_atomic_int_set (&self->live, -1);
}

/* (transfer container) those that were not released */
static GPtrArray *
list_senders (GstIceRtpBin *self)
{
  GPtrArray *senders = g_ptr_array_new ();
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);

    if (!sender->released)
      g_ptr_array_add (senders, sender);
  }
  g_mutex_unlock (&self->lock);
  return senders;
}

gboolean
gst_ice_rtp_bin_join_senders (GstIceRtpBin *self)
{
  g_autoptr (GPtrArray) senders = list_senders (self);
  g_autoptr (GstIceAgent) agent = gst_ice_rtp_bin_ref_agent (self);
  guint i;

  for (i = 0; i < senders->len; i++)
    if (!join (g_ptr_array_index (senders, i), agent))
      return FALSE;
  return TRUE;
}

gboolean
gst_ice_rtp_bin_activate_senders (GstIceRtpBin *self)
{
  g_autoptr (GPtrArray) senders = list_senders (self);
  guint i;

  for (i = 0; i < senders->len; i++)
    if (!activate (g_ptr_array_index (senders, i)))
      return FALSE;
  return TRUE;
}

void
gst_ice_rtp_bin_leave_senders (GstIceRtpBin *self)
{
  g_autoptr (GPtrArray) senders = list_senders (self);
  guint i;

  for (i = 0; i < senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (senders, i);

    leave (sender);
    gst_ghost_pad_set_target (GST_GHOST_PAD (sender->pad), NULL);
    g_mutex_lock (&self->lock);
    gst_clear_object (&sender->target);
    g_mutex_unlock (&self->lock);
    gst_ice_rtp_sender_set_gate (sender, GST_ICE_RTP_GATE_CLOSED);
  }
}

/* Pads */

/* sink_%u, or the first that is free. */
static gchar *
choose_name (GstIceRtpBin *self, const gchar *name)
{
  guint i;

  if (name != NULL)
    return g_strdup (name);
  for (i = 0;; i++) {
    g_autofree gchar *free_name = g_strdup_printf ("sink_%u", i);
    g_autoptr (GstPad) taken =
        gst_element_get_static_pad (GST_ELEMENT (self), free_name);

    if (taken == NULL)
      return g_steal_pointer (&free_name);
  }
}

static GstIceRtpSender *
sender_new (GstIceRtpBin *bin, GstPad *pad)
{
  GstIceRtpSender *self = g_new0 (GstIceRtpSender, 1);

  self->bin = bin;
  self->pad = gst_object_ref (pad);
  self->live = self->payload = -1;
  self->gate = GST_ICE_RTP_GATE_REFUSED;
  gst_ice_member_init_pad (
      &self->member, GST_ELEMENT (bin), pad, &member_funcs);
  gst_pad_set_element_private (pad, self);
  gst_pad_set_query_function (pad, on_query);
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, self, NULL);
  gst_ice_rtp_sender_set_gate (self, GST_ICE_RTP_GATE_CLOSED);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_data, self,
      NULL);
  return self;
}

GstPad *
gst_ice_rtp_bin_request_pad (GstElement *element, GstPadTemplate *template,
    const gchar *name, const GstCaps *caps)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (element);
  g_autoptr (GstIceAgent) agent = gst_ice_rtp_bin_ref_agent (self);
  g_autofree gchar *chosen = choose_name (self, name);
  g_autoptr (GstPad) taken = gst_element_get_static_pad (element, chosen);
  GstIceRtpSender *sender;
  GstPad *pad;

  if (taken != NULL)
    return NULL;
  pad = gst_ghost_pad_new_no_target_from_template (chosen, template);
  sender = sender_new (self, pad);
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (element, pad);
  g_mutex_lock (&self->building);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->senders, sender);
  g_mutex_unlock (&self->lock);
  g_mutex_unlock (&self->building);
  /* In mid-call it is another m-line. */
  if (agent != NULL && join (sender, agent) &&
      GST_STATE (element) >= GST_STATE_PAUSED)
    activate (sender);
  return pad;
}

void
gst_ice_rtp_bin_release_pad (GstElement *element, GstPad *pad)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (element);
  GstIceRtpSender *sender = gst_pad_get_element_private (pad);
  g_autoptr (GstIceEndpoint) endpoint = NULL;
  g_autoptr (GstIceStream) stream = NULL;

  g_mutex_lock (&self->building);
  endpoint = ref_endpoint (sender);
  stream = gst_ice_member_ref_stream (&sender->member);
  leave (sender);
  g_mutex_lock (&self->lock);
  sender->released = TRUE;
  g_mutex_unlock (&self->lock);
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), NULL);
  if (sender->target != NULL) {
    g_autoptr (GstElement) funnel = gst_pad_get_parent_element (sender->target);

    if (funnel != NULL)
      gst_element_release_request_pad (funnel, sender->target);
    gst_clear_object (&sender->target);
  }
  g_mutex_unlock (&self->building);

  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (element, pad);
  if (stream != NULL && endpoint != NULL) {
    g_autoptr (GstCaps) any = gst_caps_new_any ();

    gst_ice_stream_set_caps (stream, NULL, any);
    gst_ice_endpoint_renegotiate (endpoint);
  }
}

void
gst_ice_rtp_sender_free (gpointer data)
{
  GstIceRtpSender *self = data;

  /* The application may still have it. */
  gst_pad_set_query_function (self->pad, gst_pad_query_default);
  gst_ice_member_clear (&self->member);
  g_clear_object (&self->endpoint);
  gst_clear_object (&self->target);
  gst_object_unref (self->pad);
  g_free (self);
}
