/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions with peers that do less than we do, as telephones. */
#include "pair.h"

#include <string.h>

/* As baresip has it: two components, no trickle, no mid. */
#define OFFER                                                                  \
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"  \
  "a=ice-ufrag:nkXHFmn\r\na=ice-pwd:4DFjSBD3b8shX4j00k4o5ruBQBgHKwS\r\n"       \
  "m=audio 25188 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"          \
  "a=candidate:1 1 UDP 2113929471 127.0.0.1 25188 typ host\r\n"                \
  "a=candidate:1 2 UDP 2113929470 127.0.0.1 25189 typ host\r\n"

static void
test_components (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "application/x-rtp, media=audio, encoding-name=PCMU, clock-rate=8000, "
      "payload=(int)0");
  g_autoptr (GstIceStream) stream = NULL;
  g_autofree gchar *answer = NULL;
  Side b;

  g_test_summary ("An offer brings a second component: the answer waits for "
                  "its candidates, too (RFC 8839 4.2.1.2)");
  side_init (&b);
  b.signaller->no_trickle = TRUE;
  stream = gst_ice_agent_request_stream (b.agent, "0");
  gst_ice_stream_set_caps (stream, caps, caps);
  gst_ice_agent_gather (b.agent);
  wait_until (({
    GstIceGatheringState state;
    g_object_get (b.agent, "gathering-state", &state, NULL);
    state == GST_ICE_GATHERING_STATE_COMPLETE;
  }));
  gst_ice_session_set_ready (b.session);
  ready (&b, FALSE);
  gst_ice_signaller_emit_description (
      GST_ICE_SIGNALLER (b.signaller), "offer", OFFER);
  answer = next_sent (&b, "answer");
  g_assert_null (strstr (answer, "0.0.0.0"));
  g_assert_nonnull (strstr (answer, " 1 UDP "));
  g_assert_nonnull (strstr (answer, " 2 UDP "));
  side_clear (&b);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8839/4.2.1.2/both-components", test_components);
  return g_test_run ();
}
