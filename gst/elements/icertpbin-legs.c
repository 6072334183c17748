/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

#include <glib/gi18n-lib.h>

#include "caps.h"
#include "endpoint.h"

#define GST_CAT_DEFAULT gst_ice_rtp_bin_debug

/* A leg for each transport. M-lines of a bundle share one, and so one session
 * of rtpbin (RFC 8843 9.1). RTCP comes and goes with RTP (RFC 5761). */

void
gst_ice_rtp_leg_free (gpointer data)
{
  GstIceRtpLeg *self = data;

  gst_object_unref (self->transport);
  gst_object_unref (self->stream);
  gst_clear_object (&self->rtx_send);
  gst_clear_object (&self->rtx_receive);
  g_free (self);
}

static gboolean
link_pads (GstPad *from, GstPad *to)
{
  const gboolean ok = from != NULL && to != NULL &&
      gst_pad_link_full (from, to, GST_PAD_LINK_CHECK_NOTHING) ==
          GST_PAD_LINK_OK;

  gst_clear_object (&from);
  gst_clear_object (&to);
  return ok;
}

/* (transfer full) (nullable) a pad of rtpbin, by "recv_rtp_sink_%u" */
static GstPad *
request (GstIceRtpLeg *self, const gchar *format)
{
  g_autofree gchar *number = g_strdup_printf ("%u", self->session);
  g_auto (GStrv) parts = g_strsplit (format, "%u", 2);
  g_autofree gchar *name = g_strconcat (parts[0], number, NULL);

  return gst_element_request_pad_simple (self->bin->rtpbin, name);
}

static GstPad *
request_of (GstElement *element, const gchar *prefix, guint number)
{
  g_autofree gchar *name = g_strdup_printf ("%s%u", prefix, number);

  return gst_element_request_pad_simple (element, name);
}

/* icesrc and icesink: the bin is the one who speaks for them. It is a sink, the
 * end of which the pipeline waits for, when it has something to send. */
static GstElement *
make_carrier (GstIceRtpLeg *self, const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);
  const gboolean is_sink =
      GST_OBJECT_FLAG_IS_SET (element, GST_ELEMENT_FLAG_SINK);
  g_autoptr (GstIceAgent) agent = gst_ice_rtp_bin_ref_agent (self->bin);
  g_autofree gchar *name = NULL;

  GST_OBJECT_FLAG_UNSET (element, GST_ELEMENT_FLAG_SINK);
  gst_element_set_locked_state (element, TRUE);
  gst_bin_add (GST_BIN (self->bin), element);
  name = gst_object_get_name (GST_OBJECT (self->stream));
  gst_ice_member_of (element)->kind = GST_ICE_MEMBER_CARRIER;
  g_object_set (element, "agent", agent, "stream", name, "wait-for-connection",
      FALSE, "auto-restart", FALSE, NULL);
  if (is_sink)
    g_object_set (element, "keyframe-on-connect", FALSE, NULL);
  return element;
}

/* Building */

static gboolean
link_plain (GstIceRtpLeg *self)
{
  self->rtcp_sink = make_carrier (self, "icesink");
  g_object_set (self->rtcp_sink, "sync", FALSE, NULL);
  return link_pads (request (self, "send_rtcp_src_%u"),
             gst_element_get_static_pad (self->rtcp_sink, "sink")) &&
      link_pads (gst_element_get_static_pad (self->src, "src"),
          request (self, "recv_rtp_sink_%u"));
}

static GstPadProbeReturn
on_rtcp (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstIceRtpLeg *self = user_data;

  /* Before there are keys the encoder would take any. */
  return g_atomic_int_get (&self->keyed) && g_atomic_int_get (&self->verified)
      ? GST_PAD_PROBE_OK
      : GST_PAD_PROBE_DROP;
}

static gboolean
link_dtls (GstIceRtpLeg *self)
{
  GstPad *rtcp;

  if (!gst_ice_rtp_leg_add_dtls (self))
    return FALSE;
  rtcp = request (self, "send_rtcp_src_%u");
  if (rtcp == NULL)
    return FALSE;
  gst_pad_add_probe (rtcp,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_rtcp, self,
      NULL);
  return link_pads (
             rtcp, request_of (self->encoder, "rtcp_sink_", self->session)) &&
      gst_element_link_pads (self->encoder, "src", self->sink, "sink") &&
      link_pads (gst_element_get_static_pad (self->decoder, "rtp_src"),
          request (self, "recv_rtp_sink_%u")) &&
      link_pads (gst_element_get_static_pad (self->decoder, "rtcp_src"),
          request (self, "recv_rtcp_sink_%u")) &&
      gst_element_link_pads (self->src, "src", self->decoder, "sink");
}

/* Downstream first: nothing is pushed to what does not run. */
static void
start (GstIceRtpLeg *self)
{
  GstElement *elements[] = { self->rtcp_sink, self->sink, self->encoder,
    self->decoder, self->src };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (elements); i++)
    if (elements[i] != NULL)
      gst_ice_rtp_bin_start (elements[i]);
}

static GstIceRtpLeg *
make_leg (GstIceRtpBin *bin, GstIceStream *stream, GstIceTransport *transport)
{
  GstIceRtpLeg *self = g_new0 (GstIceRtpLeg, 1);
  gboolean ok;

  self->bin = bin;
  self->stream = gst_object_ref (stream);
  self->transport = gst_object_ref (transport);
  g_mutex_lock (&bin->lock);
  self->session = bin->legs->len;
  g_ptr_array_add (bin->legs, self);
  g_mutex_unlock (&bin->lock);

  self->sink = make_carrier (self, "icesink");
  self->src = make_carrier (self, "icesrc");
  ok = bin->fingerprint != NULL ? link_dtls (self) : link_plain (self);
  if (!ok)
    return NULL;
  /* A jitterbuffer is what it is made as. */
  gst_ice_rtp_leg_update_rtx (self);
  start (self);
  return self;
}

static GstIceRtpLeg *
find_leg (GstIceRtpBin *bin, GstIceTransport *transport)
{
  guint i;

  for (i = 0; i < bin->legs->len; i++) {
    GstIceRtpLeg *leg = g_ptr_array_index (bin->legs, i);

    if (leg->transport == transport)
      return leg;
  }
  return NULL;
}

/* (transfer none) (nullable) */
static GstIceRtpLeg *
ensure_leg (GstIceRtpBin *bin, GstIceStream *stream)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);
  GstIceRtpLeg *leg = find_leg (bin, transport);

  return leg != NULL ? leg : make_leg (bin, stream, transport);
}

/* Sending */

static gboolean
ensure_funnel (GstIceRtpLeg *self)
{
  GstPad *sink, *from, *to;
  g_autofree gchar *name = g_strdup_printf ("send_rtp_src_%u", self->session);

  if (self->funnel != NULL)
    return TRUE;
  self->funnel = gst_ice_rtp_bin_make (self->bin, "rtpfunnel");
  sink = self->funnel != NULL ? request (self, "send_rtp_sink_%u") : NULL;
  if (sink == NULL)
    return FALSE;
  from = gst_element_get_static_pad (self->bin->rtpbin, name);
  to = self->encoder != NULL
      ? request_of (self->encoder, "rtp_sink_", self->session)
      : gst_element_get_static_pad (self->sink, "sink");
  GST_OBJECT_FLAG_SET (self->sink, GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self->bin, GST_ELEMENT_FLAG_SINK);
  return link_pads (from, to) &&
      link_pads (gst_element_get_static_pad (self->funnel, "src"), sink) &&
      gst_ice_rtp_bin_start (self->funnel);
}

static gboolean
link_sender (GstIceRtpLeg *self, GstIceRtpSender *sender)
{
  GstPad *target;

  if (sender->target != NULL)
    return TRUE;
  if (!ensure_funnel (self))
    return FALSE;
  target = gst_element_request_pad_simple (self->funnel, "sink_%u");
  g_mutex_lock (&self->bin->lock);
  sender->target = target;
  g_mutex_unlock (&self->bin->lock);
  return target != NULL &&
      gst_ghost_pad_set_target (GST_GHOST_PAD (sender->pad), target);
}

/* The leg has what it takes to send. */
static gboolean
is_open (GstIceRtpBin *bin, GstIceRtpLeg *leg)
{
  return leg != NULL && gst_ice_member_is_connected (&bin->member) &&
      (bin->fingerprint == NULL ||
          (g_atomic_int_get (&leg->keyed) &&
              g_atomic_int_get (&leg->verified)));
}

static void
open_gate (GstIceRtpLeg *leg, GstIceRtpSender *sender)
{
  /* icesink times a file by itself; what comes from the encoder are bytes. */
  if (leg->encoder != NULL && !gst_ice_rtp_sender_is_live (sender))
    g_object_set (leg->encoder, "rtp-sync", TRUE, NULL);
  gst_ice_rtp_sender_set_gate (sender, GST_ICE_RTP_GATE_OPEN);
}

/* RFC 3264 8.4: an m-line may rest, on hold; one that is refused has no caps.
 */
static gboolean
is_sent (GstIceStream *stream)
{
  g_autoptr (GstCaps) told = gst_ice_stream_get_local_caps (stream);
  GstIceDirection direction;

  g_object_get (stream, "current-direction", &direction, NULL);
  return told != NULL && (direction & GST_ICE_DIRECTION_SENDONLY);
}

static void
update_gate (GstIceRtpBin *self, GstIceRtpSender *sender)
{
  g_autoptr (GstIceTransport) transport = NULL;
  GstIceRtpLeg *leg;

  if (sender->member.stream == NULL || sender->target == NULL)
    return;
  transport = gst_ice_stream_get_transport (sender->member.stream, 1);
  leg = find_leg (self, transport);
  if (!is_sent (sender->member.stream))
    gst_ice_rtp_sender_set_gate (sender, GST_ICE_RTP_GATE_REFUSED);
  else if (is_open (self, leg))
    open_gate (leg, sender);
  else if (g_atomic_int_get (&sender->gate) == GST_ICE_RTP_GATE_REFUSED)
    gst_ice_rtp_sender_set_gate (sender, GST_ICE_RTP_GATE_CLOSED);
}

/* With building. */
static void
update_gates (GstIceRtpBin *self)
{
  guint i;

  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);

    if (!sender->released)
      update_gate (self, sender);
  }
  gst_ice_rtp_bin_request_keyframes (self);
}

static void
update_gates_later (GstElement *element, gpointer unused)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (element);

  g_mutex_lock (&self->building);
  if (!self->stopped)
    update_gates (self);
  g_mutex_unlock (&self->building);
}

void
gst_ice_rtp_bin_update_gates (GstIceRtpBin *self)
{
  gst_element_call_async (GST_ELEMENT (self), update_gates_later, NULL, NULL);
}

/* What was negotiated */

/* What was agreed, not what is offered meanwhile. */
static gboolean
is_agreed (GstIceRtpBin *self, GstIceStream *stream)
{
  guint i;

  for (i = 0; i < self->senders->len; i++) {
    const GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);

    if (!sender->released && sender->member.stream == stream)
      return sender->agreed;
  }
  return FALSE;
}

/* An m-line that neither side refused and one at least sends. */
static gboolean
is_alive (GstIceRtpBin *self, GstIceStream *stream, guint *n_received)
{
  g_autoptr (GstCaps) local = gst_ice_stream_get_local_caps (stream);
  g_autoptr (GstCaps) remote = gst_ice_stream_get_remote_caps (stream);
  GstIceDirection direction;

  g_object_get (stream, "current-direction", &direction, NULL);
  *n_received += remote != NULL && (direction & GST_ICE_DIRECTION_RECVONLY);
  return remote != NULL || (local != NULL && is_agreed (self, stream));
}

/* Both sides encrypt or none does. */
static gboolean
check_security (GstIceRtpBin *self, GstIceStream *stream)
{
  g_autofree gchar *theirs = NULL;

  g_object_get (stream, "remote-fingerprint", &theirs, NULL);
  if ((theirs != NULL) == (self->fingerprint != NULL))
    return TRUE;
  gst_ice_rtp_bin_fail (self, GST_ICE_ERROR_TLS_UNTRUSTED,
      theirs != NULL
          ? _ ("The peer wants DTLS-SRTP; set “dtls-srtp” to TRUE here, too.")
          : _ ("The peer does no DTLS-SRTP; set “dtls-srtp” to TRUE there, or "
               "to FALSE here."));
  return FALSE;
}

static gboolean
build_streams (GstIceRtpBin *self, GstIceAgent *agent, guint *n_received)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  guint i;

  for (i = 0; i < streams->len; i++) {
    GstIceStream *stream = g_ptr_array_index (streams, i);
    GstIceRtpLeg *leg;

    if (!is_alive (self, stream, n_received))
      continue;
    GST_DEBUG_OBJECT (self, "stream %s lives", GST_OBJECT_NAME (stream));
    if (!check_security (self, stream))
      return FALSE;
    leg = ensure_leg (self, stream);
    if (leg == NULL)
      return FALSE;
    if (leg->decoder != NULL)
      gst_ice_rtp_leg_verify (leg);
  }
  return TRUE;
}

static void
update_rtx (GstIceRtpBin *self)
{
  guint i;

  for (i = 0; i < self->legs->len; i++)
    gst_ice_rtp_leg_update_rtx (g_ptr_array_index (self->legs, i));
}

static void
build_senders (GstIceRtpBin *self)
{
  guint i;

  for (i = 0; i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);
    g_autoptr (GstIceTransport) transport = NULL;
    g_autoptr (GstCaps) told = NULL;
    GstIceRtpLeg *leg;

    if (sender->released || !sender->agreed)
      continue;
    told = gst_ice_stream_get_local_caps (sender->member.stream);
    if (told == NULL)
      continue;
    transport = gst_ice_stream_get_transport (sender->member.stream, 1);
    leg = find_leg (self, transport);
    if (leg != NULL)
      link_sender (leg, sender);
    gst_ice_rtp_sender_update (sender);
  }
}

/* A pad whose m-line is not told yet: it came later, or the peer's offer had
 * nothing like it. */
static gboolean
is_one_untold (GstIceRtpBin *self)
{
  guint i;

  for (i = 0; i < self->senders->len; i++) {
    const GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);

    if (!sender->released && sender->member.stream == NULL)
      return TRUE;
  }
  return FALSE;
}

static void
build (GstElement *element, gpointer unused)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (element);
  g_autoptr (GstIceAgent) agent = gst_ice_rtp_bin_ref_agent (self);
  g_autoptr (GstIceEndpoint) endpoint = gst_ice_rtp_bin_ref_endpoint (self);
  gboolean untold = FALSE;
  guint n_received = 0;

  g_mutex_lock (&self->building);
  if (!self->stopped && agent != NULL && endpoint != NULL &&
      build_streams (self, agent, &n_received)) {
    build_senders (self);
    update_rtx (self);
    gst_ice_rtp_bin_expect (self, n_received);
    g_signal_emit_by_name (self->rtpbin, "clear-pt-map");
    update_gates (self);
    gst_ice_endpoint_set_receiving (endpoint, &self->member, n_received > 0);
    untold = is_one_untold (self);
  }
  g_mutex_unlock (&self->building);
  if (untold)
    gst_ice_endpoint_renegotiate (endpoint);
}

/* Service thread, which signalling needs: the pipeline is built in another. */
void
gst_ice_rtp_bin_negotiated (GstIceMember *member)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (member->element);
  guint i;

  g_mutex_lock (&self->building);
  self->negotiated = !self->stopped;
  for (i = 0; !self->stopped && i < self->senders->len; i++) {
    GstIceRtpSender *sender = g_ptr_array_index (self->senders, i);

    sender->agreed = sender->member.stream != NULL;
  }
  g_mutex_unlock (&self->building);
  gst_element_call_async (member->element, build, NULL, NULL);
}

/* In NULL. */
void
gst_ice_rtp_bin_remove_legs (GstIceRtpBin *self)
{
  guint i;

  for (i = 0; i < self->legs->len; i++) {
    GstIceRtpLeg *leg = g_ptr_array_index (self->legs, i);
    GstElement *elements[] = { leg->src, leg->decoder, leg->funnel,
      leg->encoder, leg->sink, leg->rtcp_sink };
    guint j;

    for (j = 0; j < G_N_ELEMENTS (elements); j++)
      if (elements[j] != NULL) {
        gst_element_set_state (elements[j], GST_STATE_NULL);
        gst_bin_remove (GST_BIN (self), elements[j]);
      }
  }
  g_mutex_lock (&self->lock);
  g_ptr_array_set_size (self->legs, 0);
  g_mutex_unlock (&self->lock);
}
