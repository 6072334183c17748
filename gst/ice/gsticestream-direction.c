/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticestream-private.h"

#include <gst/ice/gsticeenumtypes.h>

#include "gsticeagent-private.h"

/* Where the media of a stream goes (RFC 3264 5.1, 6.1, 8.4). */

void
gst_ice_stream_install_direction (GObjectClass *klass, guint first)
{
  /**
   * GstIceStream:direction:
   *
   * What the next description may say at most; caps may say less. Set it and
   * call gst_ice_session_renegotiate() to put this stream on hold, or to stop
   * sending.
   */
  g_object_class_install_property (klass, first,
      g_param_spec_enum ("direction", "Direction",
          "Where media may go, as the next description will say",
          GST_TYPE_ICE_DIRECTION, GST_ICE_DIRECTION_SENDRECV,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  /**
   * GstIceStream:current-direction:
   *
   * What was agreed: `icesink` sends no media when the peer takes none
   * (RFC 3264 8.4), only RTCP and DTLS. Before a description it is `sendrecv`.
   */
  g_object_class_install_property (klass, first + 1,
      g_param_spec_enum ("current-direction", "Current direction",
          "Where media goes, as was agreed", GST_TYPE_ICE_DIRECTION,
          GST_ICE_DIRECTION_SENDRECV,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY));
}

static GstIceDirection
direction_of (gboolean sends, gboolean receives)
{
  return (sends ? GST_ICE_DIRECTION_SENDONLY : 0) |
      (receives ? GST_ICE_DIRECTION_RECVONLY : 0);
}

void
gst_ice_stream_set_direction (GstIceStream *self, GstIceDirection direction)
{
  GST_OBJECT_LOCK (self);
  self->direction = direction;
  GST_OBJECT_UNLOCK (self);
}

GstIceDirection
gst_ice_stream_allowed_direction (const GstIceStream *self)
{
  return self->holding ? self->direction & GST_ICE_DIRECTION_SENDONLY
                       : self->direction;
}

void
gst_ice_stream_get_directions (GstIceStream *self, GstIceDirection *ret_wanted,
    GstIceDirection *ret_current)
{
  GST_OBJECT_LOCK (self);
  *ret_wanted = self->direction &
      direction_of (self->send_caps || !self->receive_caps,
          self->receive_caps || !self->send_caps);
  *ret_current = self->current;
  GST_OBJECT_UNLOCK (self);
}

void
gst_ice_stream_set_holding (GstIceStream *self, gboolean holding)
{
  GST_OBJECT_LOCK (self);
  self->holding = holding;
  GST_OBJECT_UNLOCK (self);
}

void
gst_ice_stream_set_offered_direction (
    GstIceStream *self, gboolean sends, gboolean receives)
{
  GST_OBJECT_LOCK (self);
  self->offered = direction_of (sends, receives);
  GST_OBJECT_UNLOCK (self);
}

void
gst_ice_stream_answer_direction (
    GstIceStream *self, gboolean peer_sends, gboolean peer_receives)
{
  GstIceDirection offered;

  GST_OBJECT_LOCK (self);
  offered = self->offered;
  GST_OBJECT_UNLOCK (self);
  gst_ice_stream_set_current_direction (self,
      (offered & GST_ICE_DIRECTION_SENDONLY) && peer_receives,
      (offered & GST_ICE_DIRECTION_RECVONLY) && peer_sends);
}

void
gst_ice_stream_set_current_direction (
    GstIceStream *self, gboolean sends, gboolean receives)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  const GstIceDirection direction = direction_of (sends, receives);
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->current != direction;
  self->current = direction;
  GST_OBJECT_UNLOCK (self);
  if (changed && agent)
    gst_ice_agent_queue_notify (agent, G_OBJECT (self), "current-direction");
}
