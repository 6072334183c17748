/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "member.h"

/* What the elements have in common to be set. */

GType
gst_ice_on_disconnect_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ICE_ON_DISCONNECT_WAIT, "Wait for the peer to come back", "wait" },
    { GST_ICE_ON_DISCONNECT_EOS, "End the stream", "eos" },
    { GST_ICE_ON_DISCONNECT_ERROR, "Post an error", "error" },
    { 0, NULL, NULL },
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstIceOnDisconnect", values));
  return type;
}

static void
install_stream_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_STREAM,
      g_param_spec_string ("stream", "Stream",
          "The stream of the agent, the SDP mid", "0", flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_COMPONENT,
      g_param_spec_uint ("component", "Component",
          "1: RTP, or everything with rtcp-mux; 2: RTCP", 1, 256, 1, flags));
}

static void
install_meeting_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_AGENT,
      g_param_spec_object ("agent", "Agent",
          "The ICE agent; from text its name. Unset: one for the pipeline, or "
          "of the bin",
          GST_TYPE_ICE_AGENT, flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_URI,
      g_param_spec_string ("uri", "URI",
          "Where to meet the peer: ice+file:///tmp/call, ice+stdio:, ...", NULL,
          flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_SIGNALLER,
      g_param_spec_object ("signaller", "Signaller",
          "How to meet the peer; from text file, stdio or the name of a module",
          GST_TYPE_ICE_SIGNALLER, flags));
}

static void
install_agent_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_STUN_SERVER,
      g_param_spec_string ("stun-server", "STUN server",
          "stun:HOST[:PORT], given to the agent", NULL, flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_TURN_SERVERS,
      g_param_spec_string ("turn-servers", "TURN servers",
          "turn:USER:PASSWORD@HOST[:PORT], comma separated, given to the "
          "agent; "
          "reads back without users and passwords",
          NULL, flags));
  g_object_class_install_property (klass,
      GST_ICE_MEMBER_PROP_ICE_TRANSPORT_POLICY,
      g_param_spec_enum ("ice-transport-policy", "ICE transport policy",
          "Which candidates are used", GST_TYPE_ICE_POLICY, GST_ICE_POLICY_ALL,
          flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_CONNECT_TIMEOUT,
      g_param_spec_uint ("connect-timeout", "Connect timeout",
          "Milliseconds to connect in, 0: as long as ICE takes", 0, G_MAXUINT,
          0, flags));
}

void
gst_ice_member_install_properties (GObjectClass *klass)
{
  install_stream_properties (klass);
  gst_ice_member_install_bin_properties (klass);
}

void
gst_ice_member_install_bin_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  install_meeting_properties (klass);
  install_agent_properties (klass);
  g_object_class_install_property (klass,
      GST_ICE_MEMBER_PROP_WAIT_FOR_CONNECTION,
      g_param_spec_boolean ("wait-for-connection", "Wait for connection",
          "Hold PLAYING with progress messages until connected", TRUE, flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_ON_DISCONNECT,
      g_param_spec_enum ("on-disconnect", "On disconnect",
          "What to do when the peer is lost", gst_ice_on_disconnect_get_type (),
          GST_ICE_ON_DISCONNECT_WAIT, flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_AUTO_RESTART,
      g_param_spec_boolean ("auto-restart", "Auto restart",
          "Restart ICE when the path is lost", TRUE, flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_REPORT_FAILURE,
      g_param_spec_boolean ("report-failure", "Report failure",
          "Whether it is an error of the pipeline when no path is found; "
          "FALSE where the session is one of many and its owner watches",
          TRUE, flags));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "Statistics of the session",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (klass, GST_ICE_MEMBER_PROP_STATE,
      g_param_spec_enum ("state", "State", "State of the connection",
          GST_TYPE_ICE_STATE, GST_ICE_STATE_NEW,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
