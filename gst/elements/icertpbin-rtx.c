/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

#include "caps.h"

#define GST_CAT_DEFAULT gst_ice_rtp_bin_debug

/* Retransmission (RFC 4588): jitterbuffers ask again for what is missing, by
 * NACK (RFC 4585 6.2.1), and rtprtxsend sends it again under an SSRC and a
 * payload type of its own; rtprtxreceive makes of it what it was. Both stand in
 * rtpbin, before a session and behind it:
 *
 *   funnel -> rtprtxsend -> session -> icesink
 *   jitterbuffer <- rtprtxreceive <- session <- icesrc
 */

/* Of each SSRC. Who asks gives up when the jitterbuffer does: a second of 10
 * Mbit/s in packets of 1,200 bytes is some 1,000. */
#define HELD_PACKETS 1000

static void
add_ghost (GstElement *bin, GstElement *element, const gchar *of, guint session)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, of);
  g_autofree gchar *name = g_strdup_printf ("%s_%u", of, session);

  gst_element_add_pad (bin, gst_ghost_pad_new (name, pad));
}

/* (transfer full) as rtpbin wants it: sink_%u and src_%u by session. */
static GstElement *
wrap (GstElement *element, guint session)
{
  GstElement *bin = gst_bin_new (NULL);

  gst_bin_add (GST_BIN (bin), element);
  add_ghost (bin, element, "sink", session);
  add_ghost (bin, element, "src", session);
  return bin;
}

/* With building, as all that requests pads of rtpbin. */
static GstIceRtpLeg *
leg_of (GstIceRtpBin *self, guint session)
{
  GstIceRtpLeg *leg = NULL;

  g_mutex_lock (&self->lock);
  if (session < self->legs->len)
    leg = g_ptr_array_index (self->legs, session);
  g_mutex_unlock (&self->lock);
  return leg;
}

static GstElement *
on_request_sender (GstElement *rtpbin, guint session, GstIceRtpBin *self)
{
  GstIceRtpLeg *leg = leg_of (self, session);
  GstElement *element = gst_element_factory_make ("rtprtxsend", NULL);

  if (leg == NULL || element == NULL)
    return NULL;
  g_object_set (element, "max-size-packets", HELD_PACKETS, NULL);
  gst_object_replace ((GstObject **) &leg->rtx_send, GST_OBJECT (element));
  return wrap (element, session);
}

static GstElement *
on_request_receiver (GstElement *rtpbin, guint session, GstIceRtpBin *self)
{
  GstIceRtpLeg *leg = leg_of (self, session);
  GstElement *element = gst_element_factory_make ("rtprtxreceive", NULL);

  if (leg == NULL || element == NULL)
    return NULL;
  gst_object_replace ((GstObject **) &leg->rtx_receive, GST_OBJECT (element));
  return wrap (element, session);
}

/* RFC 4585 4.2: feedback that was not agreed on is not sent. */
static void
on_new_jitterbuffer (GstElement *rtpbin, GstElement *jitterbuffer,
    guint session, guint ssrc, GstIceRtpBin *self)
{
  gboolean asks_again = FALSE;

  g_mutex_lock (&self->lock);
  if (session < self->legs->len) {
    GstIceRtpLeg *leg = g_ptr_array_index (self->legs, session);

    asks_again = g_atomic_int_get (&leg->asks_again);
  }
  g_mutex_unlock (&self->lock);
  g_object_set (jitterbuffer, "do-retransmission", asks_again, NULL);
}

void
gst_ice_rtp_bin_watch_losses (GstIceRtpBin *self)
{
  g_signal_connect (
      self->rtpbin, "request-aux-sender", G_CALLBACK (on_request_sender), self);
  g_signal_connect (self->rtpbin, "request-aux-receiver",
      G_CALLBACK (on_request_receiver), self);
  g_signal_connect (
      self->rtpbin, "new-jitterbuffer", G_CALLBACK (on_new_jitterbuffer), self);
}

/* TRUE: there is one. */
static gboolean
add_to_map (GstStructure *map, const GstCaps *caps)
{
  const gint payload = gst_ice_caps_get_payload (caps);
  const gint rtx = gst_ice_caps_get_rtx_payload (caps);
  g_autofree gchar *name = g_strdup_printf ("%d", payload);

  if (payload < 0 || rtx < 0)
    return FALSE;
  gst_structure_set (map, name, G_TYPE_UINT, (guint) rtx, NULL);
  return TRUE;
}

void
gst_ice_rtp_leg_update_rtx (GstIceRtpLeg *self)
{
  g_autoptr (GstIceAgent) agent = gst_ice_rtp_bin_ref_agent (self->bin);
  g_autoptr (GPtrArray) streams = NULL;
  g_autoptr (GstStructure) sent =
      gst_structure_new_empty ("application/x-rtp-pt-map");
  g_autoptr (GstStructure) received = gst_structure_copy (sent);
  gboolean asks_again = FALSE;
  guint i;

  if (!self->bin->retransmits || agent == NULL)
    return;
  streams = gst_ice_agent_get_streams (agent);
  for (i = 0; i < streams->len; i++) {
    GstIceStream *stream = g_ptr_array_index (streams, i);
    g_autoptr (GstIceTransport) its = gst_ice_stream_get_transport (stream, 1);
    g_autoptr (GstCaps) local = gst_ice_stream_get_local_caps (stream);
    g_autoptr (GstCaps) remote = gst_ice_stream_get_remote_caps (stream);

    if (its != self->transport)
      continue;
    add_to_map (sent, local);
    asks_again |= add_to_map (received, remote);
  }
  GST_DEBUG_OBJECT (self->bin,
      "session %u sends again %" GST_PTR_FORMAT ", asks for %" GST_PTR_FORMAT,
      self->session, sent, received);
  if (self->rtx_send != NULL)
    g_object_set (self->rtx_send, "payload-type-map", sent, NULL);
  if (self->rtx_receive != NULL)
    g_object_set (self->rtx_receive, "payload-type-map", received, NULL);
  g_atomic_int_set (&self->asks_again, asks_again);
}
