/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icesink-private.h"

#include <glib/gi18n-lib.h>

#define GST_CAT_DEFAULT gst_ice_sink_debug

/* From the pad to the transport: waiting for a path, for room, and what becomes
 * of packets when neither comes. */

/* A datagram socket is full for as long as its interface takes to send what is
 * in it: 200 kB at 20 Mbit/s. What waits longer is late. */
#define MAX_WAIT (100 * G_TIME_SPAN_MILLISECOND)
gboolean
gst_ice_sink_unlock (GstBaseSink *sink)
{
  GstIceSink *self = GST_ICE_SINK (sink);

  g_mutex_lock (&self->lock);
  self->flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

gboolean
gst_ice_sink_unlock_stop (GstBaseSink *sink)
{
  GstIceSink *self = GST_ICE_SINK (sink);

  g_mutex_lock (&self->lock);
  self->flushing = FALSE;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

void
gst_ice_sink_on_writable (GstIceTransport *transport, GstIceSink *self)
{
  g_mutex_lock (&self->lock);
  self->writable = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* TRUE: there is room, or nobody waits for it any more. */
static gboolean
wait_for_room (GstIceSink *self, gint64 deadline)
{
  gboolean room;

  g_mutex_lock (&self->lock);
  while (!self->writable && !self->flushing &&
      g_cond_wait_until (&self->cond, &self->lock, deadline))
    ;
  room = self->writable;
  g_mutex_unlock (&self->lock);
  return room;
}

static gboolean
has_path (GstIceSink *self)
{
  return gst_ice_member_is_connected (&self->member) &&
      !g_atomic_int_get (&self->member.parted);
}

/* With the lock. */
static void
wait_for_path (GstIceSink *self)
{
  while (!has_path (self) && !self->flushing && !self->over &&
      g_atomic_int_get (&self->member.state) != GST_ICE_STATE_CLOSED)
    g_cond_wait (&self->cond, &self->lock);
}

/* Sending */

static GstBufferList *
rest_of (GstBufferList *list, guint first)
{
  const guint n = gst_buffer_list_length (list);
  GstBufferList *rest = gst_buffer_list_new_sized (n - first);
  guint i;

  for (i = first; i < n; i++)
    gst_buffer_list_add (rest, gst_buffer_ref (gst_buffer_list_get (list, i)));
  return rest;
}

static void
tell_size (GstIceSink *self, GstIceTransport *transport, GstBuffer *packet)
{
  gboolean first;
  guint max_payload;

  g_mutex_lock (&self->lock);
  first = !self->told_size;
  self->told_size = TRUE;
  g_mutex_unlock (&self->lock);
  if (!first)
    return;
  g_object_get (transport, "max-payload", &max_payload, NULL);
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      (_ ("A packet of %u bytes does not fit the path, which takes %u; set "
          "“mtu” of the payloader to that."),
          (guint) gst_buffer_get_size (packet), max_payload),
      (NULL));
}

/* What to do with the packet that was not taken. */
typedef enum
{
  SEND_AGAIN,
  SEND_SKIP_ONE,
  SEND_DROP_ALL,
  SEND_OVER,
} SendVerdict;

static SendVerdict
judge (GstIceSink *self, const GError *error, gint64 deadline)
{
  if (g_error_matches (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED))
    return SEND_OVER;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    return SEND_SKIP_ONE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) &&
      wait_for_room (self, deadline))
    return SEND_AGAIN;
  return SEND_DROP_ALL;
}

/* Of @list, of which @n_sent are gone. (transfer full) what is still to be
 * sent */
static GstBufferList *
drop_refused (GstIceSink *self, GstIceTransport *transport, GstBufferList *list,
    guint n_sent, SendVerdict verdict)
{
  const guint n = gst_buffer_list_length (list);
  guint n_dropped = n - n_sent;

  if (verdict == SEND_AGAIN)
    n_dropped = 0;
  else if (verdict == SEND_SKIP_ONE)
    n_dropped = MIN (n_dropped, 1);
  if (verdict == SEND_SKIP_ONE && n_dropped > 0)
    tell_size (self, transport, gst_buffer_list_get (list, n_sent));
  g_mutex_lock (&self->lock);
  self->n_discarded += n_dropped;
  g_mutex_unlock (&self->lock);
  return rest_of (list, n_sent + n_dropped);
}

/* @list: (transfer full). @max_wait: for room, 0 where none is allowed */
static GstFlowReturn
send_list (GstIceSink *self, GstBufferList *list, gint64 max_wait)
{
  const gint64 deadline = g_get_monotonic_time () + max_wait;
  g_autoptr (GstIceTransport) transport =
      gst_ice_member_ref_transport (&self->member);
  SendVerdict verdict = SEND_AGAIN;

  while (transport != NULL && gst_buffer_list_length (list) > 0) {
    g_autoptr (GError) error = NULL;
    GstBufferList *rest;
    guint n_sent = 0;

    g_mutex_lock (&self->lock);
    self->writable = FALSE;
    g_mutex_unlock (&self->lock);
    if (gst_ice_transport_send_list (transport, list, &n_sent, &error))
      break;
    verdict = judge (self, error, deadline);
    rest = drop_refused (self, transport, list, n_sent, verdict);
    gst_buffer_list_unref (list);
    list = rest;
  }
  gst_buffer_list_unref (list);
  return verdict == SEND_OVER ? GST_FLOW_EOS : GST_FLOW_OK;
}

/* What waited for a path goes first. */
static void
send_early (GstIceSink *self, gint64 max_wait)
{
  GstBufferList *early;

  g_mutex_lock (&self->lock);
  early = gst_ice_early_take (&self->early);
  g_mutex_unlock (&self->lock);
  if (early != NULL)
    send_list (self, early, max_wait);
}

/* There is no path yet. TRUE: @list may be sent now. */
static gboolean
hold (GstIceSink *self, GstBufferList *list, GstIceEarlyData mode)
{
  const GstClockTime now = g_get_monotonic_time () * GST_USECOND;
  guint i, n = gst_buffer_list_length (list);
  gboolean path;

  g_mutex_lock (&self->lock);
  if (mode == GST_ICE_EARLY_DATA_BLOCK)
    wait_for_path (self);
  path = has_path (self);
  if (!path && mode != GST_ICE_EARLY_DATA_BLOCK)
    for (i = 0; i < n; i++)
      gst_ice_early_push (
          &self->early, gst_buffer_list_get (list, i), mode, now);
  g_mutex_unlock (&self->lock);
  return path;
}

GstIceEarlyData
gst_ice_sink_get_early_mode (GstIceSink *self)
{
  GstIceEarlyData mode;

  GST_OBJECT_LOCK (self);
  mode = self->early_mode;
  GST_OBJECT_UNLOCK (self);
  return mode;
}

static gboolean
is_over (GstIceSink *self)
{
  gboolean over;

  g_mutex_lock (&self->lock);
  over = self->over;
  g_mutex_unlock (&self->lock);
  /* The application closed its agent. */
  return over || g_atomic_int_get (&self->member.state) == GST_ICE_STATE_CLOSED;
}

static gboolean
is_flushing (GstIceSink *self)
{
  gboolean flushing;

  g_mutex_lock (&self->lock);
  flushing = self->flushing;
  g_mutex_unlock (&self->lock);
  return flushing;
}

/* RFC 3264 8.4: of a stream that rests no media is sent; RTCP is (5.1), and
 * DTLS is no media. (transfer full) what of @list may go */
static GstBufferList *
take_out_media (GstIceSink *self, GstBufferList *list)
{
  const guint n = gst_buffer_list_length (list);
  GstBufferList *rest = gst_buffer_list_new ();
  guint i;

  for (i = 0; i < n; i++) {
    GstBuffer *packet = gst_buffer_list_get (list, i);

    if (gst_ice_packet_is_rtcp (packet) || gst_ice_packet_is_dtls (packet))
      gst_buffer_list_add (rest, gst_buffer_ref (packet));
  }
  g_mutex_lock (&self->lock);
  self->n_discarded += n - gst_buffer_list_length (rest);
  g_mutex_unlock (&self->lock);
  return rest;
}

void
gst_ice_sink_on_direction (
    GstIceStream *stream, GParamSpec *pspec, GstIceSink *self)
{
  GstIceDirection direction;
  gboolean rests, did;

  g_object_get (stream, "current-direction", &direction, NULL);
  rests = !(direction & GST_ICE_DIRECTION_SENDONLY);
  did = g_atomic_int_get (&self->resting);
  g_atomic_int_set (&self->resting, rests);
  if (did == rests)
    return;
  GST_INFO_OBJECT (
      self, "%s", rests ? "the peer takes no media" : "it goes on");
  /* The picture over there is old. */
  if (!rests)
    self->member.funcs->path_changed (&self->member);
}

static GstFlowReturn
render (GstBaseSink *sink, GstBufferList *list)
{
  GstIceSink *self = GST_ICE_SINK (sink);
  const GstIceEarlyData mode = gst_ice_sink_get_early_mode (self);

  for (;;) {
    if (is_over (self))
      return GST_FLOW_EOS;
    if (has_path (self) || hold (self, list, mode)) {
      send_early (self, MAX_WAIT);
      return send_list (self, gst_buffer_list_ref (list), MAX_WAIT);
    }
    if (mode != GST_ICE_EARLY_DATA_BLOCK)
      return GST_FLOW_OK;
    /* Interrupted by a flush, or by PAUSED, after which it goes on. */
    if (is_flushing (self)) {
      const GstFlowReturn ret = gst_base_sink_wait_preroll (sink);

      if (ret != GST_FLOW_OK)
        return ret;
    }
  }
}

GstFlowReturn
gst_ice_sink_render_list (GstBaseSink *sink, GstBufferList *list)
{
  GstIceSink *self = GST_ICE_SINK (sink);
  g_autoptr (GstBufferList) rest = NULL;

  if (!g_atomic_int_get (&self->resting))
    return render (sink, list);
  rest = take_out_media (self, list);
  return render (sink, rest);
}

GstFlowReturn
gst_ice_sink_render (GstBaseSink *sink, GstBuffer *buffer)
{
  g_autoptr (GstBufferList) list = gst_buffer_list_new_sized (1);

  gst_buffer_list_add (list, gst_buffer_ref (buffer));
  return gst_ice_sink_render_list (sink, list);
}

void
gst_ice_sink_path_changed (GstIceSink *self)
{
  /* The thread that would tell us of room: it does not wait. */
  if (has_path (self))
    send_early (self, 0);
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}
