/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

#include <gst/sdp/sdp.h>
#include <string.h>

#include "caps.h"
#include "endpoint.h"

#define GST_CAT_DEFAULT gst_ice_rtp_bin_debug

/* Which pad is sent by which m-line. An offer of ours has the pads in their
 * order; of the peer's m-lines each gets the first pad that has what is asked
 * for, and the others, for which there is none, are only received. */

/* (transfer full) (nullable) */
static GstIceStream *
find_stream (GstIceAgent *agent, const gchar *name)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  guint i;

  for (i = 0; i < streams->len; i++) {
    GstIceStream *stream = g_ptr_array_index (streams, i);
    g_autofree gchar *its = gst_object_get_name (GST_OBJECT (stream));

    if (g_str_equal (its, name))
      return gst_object_ref (stream);
  }
  return NULL;
}

static void
make_secure (GstIceRtpBin *self, GstIceStream *stream)
{
  g_mutex_lock (&self->lock);
  if (self->fingerprint != NULL)
    g_object_set (stream, "fingerprint", self->fingerprint, NULL);
  g_mutex_unlock (&self->lock);
}

/* Senders */

static GstIceRtpSender *
find_sender_of (GstIceRtpBin *self, GstIceStream *stream)
{
  guint i;

  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);

    if (!sender->released && sender->member.stream == stream)
      return sender;
  }
  return NULL;
}

static void
give (GstIceRtpBin *self, GstIceRtpSender *sender, GstIceStream *stream,
    const GstCaps *caps)
{
  g_autoptr (GstCaps) any = gst_caps_new_any ();

  GST_INFO_OBJECT (sender->pad, "is sent by stream %s: %" GST_PTR_FORMAT,
      GST_OBJECT_NAME (stream), caps);
  GST_OBJECT_LOCK (self);
  gst_object_replace (
      (GstObject **) &sender->member.stream, GST_OBJECT (stream));
  GST_OBJECT_UNLOCK (self);
  gst_ice_stream_set_caps (stream, caps, any);
}

/* (transfer full) (nullable) "VP8/90000" of a=rtpmap (RFC 8866 6.6). */
static gchar *
find_map (const GstSDPMedia *media, const gchar *format)
{
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    g_auto (GStrv) words = NULL;

    if (!g_str_equal (attribute->key, "rtpmap"))
      continue;
    words = g_strsplit (attribute->value, " ", 2);
    if (words[0] != NULL && words[1] != NULL && g_str_equal (words[0], format))
      return g_strdup (words[1]);
  }
  return NULL;
}

/* "VP8/90000" of caps */
static gchar *
describe (const GstStructure *rtp)
{
  gint rate = 0;

  gst_structure_get_int (rtp, "clock-rate", &rate);
  return g_strdup_printf (
      "%s/%d", gst_structure_get_string (rtp, "encoding-name"), rate);
}

/* Whether one of the formats of @media is what @caps are. Without a=rtpmap it
 * is one of the numbers that always mean the same (RFC 3551 6). */
static gboolean
takes (const GstSDPMedia *media, const GstCaps *caps)
{
  const GstStructure *rtp = gst_caps_get_structure (caps, 0);
  g_autofree gchar *ours = describe (rtp);
  g_autofree gchar *number = NULL;
  gint payload = -1;
  guint i;

  if (gst_structure_get_int (rtp, "payload", &payload))
    number = g_strdup_printf ("%d", payload);
  for (i = 0; i < gst_sdp_media_formats_len (media); i++) {
    const gchar *format = gst_sdp_media_get_format (media, i);
    g_autofree gchar *theirs = find_map (media, format);
    const gsize length = strlen (ours);

    if (theirs == NULL && g_strcmp0 (format, number) == 0)
      return TRUE;
    /* "opus/48000/2" has the number of channels, which caps have elsewhere. */
    if (theirs != NULL && g_ascii_strncasecmp (theirs, ours, length) == 0 &&
        (theirs[length] == '\0' || theirs[length] == '/'))
      return TRUE;
  }
  return FALSE;
}

/* (transfer none) (nullable) @ret_caps: (transfer full) */
static GstIceRtpSender *
find_sender_for (GstIceRtpBin *self, GstIceEndpoint *endpoint,
    const GstSDPMedia *media, GstCaps **ret_caps)
{
  guint i;

  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);
    g_autoptr (GstCaps) caps = NULL;

    if (sender->released || sender->member.stream != NULL)
      continue;
    caps = gst_ice_endpoint_dup_caps (endpoint, &sender->member);
    if (!gst_ice_caps_is_rtp (caps) ||
        g_strcmp0 (gst_structure_get_string (
                       gst_caps_get_structure (caps, 0), "media"),
            gst_sdp_media_get_media (media)) != 0 ||
        !takes (media, caps))
      continue;
    *ret_caps = g_steal_pointer (&caps);
    return sender;
  }
  return NULL;
}

/* Theirs */

static gchar *
name_of (const GstSDPMedia *media, guint index)
{
  const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");

  return mid != NULL && *mid != '\0' ? g_strdup (mid)
                                     : g_strdup_printf ("%u", index);
}

static gboolean
is_wanted (const GstSDPMedia *media)
{
  const gchar *proto = gst_sdp_media_get_proto (media);

  return proto != NULL && strstr (proto, "RTP/") != NULL &&
      (gst_sdp_media_get_port (media) != 0 ||
          gst_sdp_media_get_attribute_val (media, "bundle-only") != NULL);
}

static void
take_section (GstIceRtpBin *self, GstIceAgent *agent, GstIceEndpoint *endpoint,
    const GstSDPMedia *media, guint index)
{
  g_autofree gchar *name = name_of (media, index);
  g_autoptr (GstIceStream) stream = find_stream (agent, name);
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstCaps) taken = self->retransmits
      ? gst_ice_caps_with_retransmission (
            gst_caps_new_empty_simple ("application/x-rtp"))
      : gst_caps_new_any ();
  GstIceRtpSender *sender;

  if (stream != NULL && find_sender_of (self, stream) != NULL)
    return;
  if (stream == NULL)
    stream = gst_ice_agent_request_stream (agent, name);
  make_secure (self, stream);
  sender = find_sender_for (self, endpoint, media, &caps);
  if (sender != NULL)
    give (self, sender, stream, caps);
  else
    gst_ice_stream_set_caps (stream, NULL, taken);
}

/* An offer of ours that yielded, or that nobody answered, has no meaning. */
static void
start_over (GstIceRtpBin *self, GstIceAgent *agent)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  guint i;

  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);
    g_autoptr (GstIceStream) stream = NULL;

    if (sender->agreed)
      continue;
    GST_OBJECT_LOCK (self);
    stream = g_steal_pointer (&sender->member.stream);
    GST_OBJECT_UNLOCK (self);
    if (stream != NULL && self->negotiated)
      gst_ice_agent_remove_stream (agent, stream);
  }
  for (i = 0; i < streams->len && !self->negotiated; i++)
    gst_ice_agent_remove_stream (agent, g_ptr_array_index (streams, i));
}

static void
prepare_answer (GstIceRtpBin *self, GstIceAgent *agent,
    GstIceEndpoint *endpoint, const gchar *offer)
{
  g_autoptr (GstSDPMessage) message = NULL;
  guint i;

  if (gst_sdp_message_new_from_text (offer, &message) != GST_SDP_OK)
    return;
  start_over (self, agent);
  for (i = 0; i < gst_sdp_message_medias_len (message); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (message, i);

    if (is_wanted (media))
      take_section (self, agent, endpoint, media, i);
  }
}

/* Ours */

/* (transfer full) by a name that no stream has */
static GstIceStream *
make_stream (GstIceAgent *agent)
{
  guint i;

  for (i = 0;; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u", i);
    g_autoptr (GstIceStream) taken = find_stream (agent, name);

    if (taken == NULL)
      return gst_ice_agent_request_stream (agent, name);
  }
}

static gboolean
is_taken (GstIceAgent *agent, gint payload)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  guint i;

  for (i = 0; i < streams->len; i++) {
    GstIceStream *stream = g_ptr_array_index (streams, i);
    g_autoptr (GstCaps) local = gst_ice_stream_get_local_caps (stream);
    g_autoptr (GstCaps) remote = gst_ice_stream_get_remote_caps (stream);

    if (gst_ice_caps_get_payload (local) == payload ||
        gst_ice_caps_get_payload (remote) == payload ||
        gst_ice_caps_get_rtx_payload (local) == payload ||
        gst_ice_caps_get_rtx_payload (remote) == payload)
      return TRUE;
  }
  return FALSE;
}

/* Retransmissions are numbered from the other end. */
static void
number_rtx (GstIceAgent *agent, GstCaps *caps, guint n)
{
  gint payload = GST_ICE_LAST_PAYLOAD;

  while (payload > GST_ICE_FIRST_DYNAMIC_PAYLOAD &&
      (is_taken (agent, payload) || n-- > 0))
    payload--;
  gst_ice_caps_set_rtx_payload (caps, payload);
}

/* RFC 8843 9.2: in a bundle a payload type is of one m-line. @n: how many new
 * ones have theirs already. (transfer full) */
static GstCaps *
number_caps (
    GstIceRtpBin *self, GstIceAgent *agent, const GstCaps *caps, guint n)
{
  GstCaps *numbered = gst_caps_copy (caps);
  gint payload = GST_ICE_FIRST_DYNAMIC_PAYLOAD;

  if (self->retransmits)
    number_rtx (agent, numbered, n);
  if (gst_ice_caps_get_payload (caps) >= 0)
    return numbered;
  while (
      payload < GST_ICE_LAST_PAYLOAD && (is_taken (agent, payload) || n-- > 0))
    payload++;
  gst_caps_set_simple (numbered, "payload", G_TYPE_INT, payload, NULL);
  return numbered;
}

static void
prepare_offer (GstIceRtpBin *self, GstIceAgent *agent, GstIceEndpoint *endpoint)
{
  guint i, n = 0;

  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);
    g_autoptr (GstIceStream) stream = NULL;
    g_autoptr (GstCaps) caps = NULL;
    g_autoptr (GstCaps) numbered = NULL;

    if (sender->released || sender->member.stream != NULL)
      continue;
    caps = gst_ice_endpoint_dup_caps (endpoint, &sender->member);
    if (!gst_ice_caps_is_rtp (caps))
      continue;
    stream = make_stream (agent);
    make_secure (self, stream);
    numbered = number_caps (self, agent, caps, n++);
    give (self, sender, stream, numbered);
  }
}

/* Service thread. */
void
gst_ice_rtp_bin_prepare (GstIceMember *member, const gchar *offer)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (member->element);
  g_autoptr (GstIceAgent) agent = gst_ice_rtp_bin_ref_agent (self);
  g_autoptr (GstIceEndpoint) endpoint = gst_ice_rtp_bin_ref_endpoint (self);

  if (agent == NULL || endpoint == NULL)
    return;
  g_mutex_lock (&self->building);
  if (!self->stopped && offer != NULL)
    prepare_answer (self, agent, endpoint, offer);
  else if (!self->stopped)
    prepare_offer (self, agent, endpoint);
  g_mutex_unlock (&self->building);
}
