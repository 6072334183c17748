/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps as payloads of a session description, and back. */
#include "description.h"

static void
test_caps_of_payloads (void)
{
  g_autoptr (GstIceDescription) self =
      parse (HEAD "m=video 9 UDP/TLS/RTP/SAVPF 98 97 99 97 111 200\r\n" ICE
                  "b=AS:500\r\nb=TIAS:400000\r\nb=X-YZ:3\r\n"
                  "a=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n"
                  "a=rtpmap:97 H264/90000\r\n"
                  "a=fmtp:97 level-asymmetry-allowed=1;packetization-mode=1;"
                  "profile-level-id=42e01f;srtp-key=1234;payload=5\r\n"
                  "a=rtcp-fb:97 nack pli\r\na=rtcp-fb:* goog-remb\r\n"
                  "a=rtpmap:99 VP8/90000\r\na=ptime:20\r\n"
                  "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                  "a=extmap:6/recvonly http://example.org/x some more\r\n"
                  "a=extmap:15 urn:reserved\r\na=extmap:/x y\r\n");
  const GstIceSection *section = section_at (self, 0);
  g_autoptr (GstCaps) h264 = gst_caps_from_string (
      "application/x-rtp, "
      "media=video, payload=97, clock-rate=90000, encoding-name=H264, "
      "rtcp-fb-nack-pli=true, rtcp-fb-goog-remb=true, "
      "level-asymmetry-allowed=(string)1, packetization-mode=(string)1, "
      "profile-level-id=(string)42e01f, a-ptime=(string)20, "
      "extmap-3=(string)urn:ietf:params:rtp-hdrext:sdes:mid, "
      "extmap-6=(string)<recvonly, \"http://example.org/x\", \"some more\">, "
      "b-AS=(uint)500, b-TIAS=(uint)400000");

  gst_structure_set_value (gst_caps_get_structure (h264, 0), "extmap-6",
      gst_structure_get_value (
          gst_caps_get_structure (section->caps, 0), "extmap-6"));
  /* The first that is not there for another one. */
  assert_same_caps (section->caps, h264);
  g_assert_cmpuint (gst_caps_get_size (section->all_caps), ==, 3);
  g_assert_cmpstr (section->formats, ==, "98 97 99");
  assert_fixpoint (self);
}

static void
test_caps_round_trip (void)
{
  static const gchar *const table[] = {
    "application/x-rtp, media=audio, payload=0, clock-rate=8000, "
    "encoding-name=PCMU",
    "application/x-rtp, media=audio, payload=96, clock-rate=48000, "
    "encoding-name=OPUS, encoding-params=(string)2, "
    "sprop-stereo=(string)0, useinbandfec=(string)1",
    "application/x-rtp, media=video, payload=97, clock-rate=90000, "
    "encoding-name=VP8, rtcp-fb-nack=true, rtcp-fb-ccm-fir=true, "
    "rtcp-fb-transport-cc=true, a-framerate=(string)30",
    "application/x-rtp, media=video, payload=100, clock-rate=90000, "
    "encoding-name=H264, packetization-mode=(string)1, "
    "profile-level-id=(string)42c01e, "
    "sprop-parameter-sets=(string)\"Z0LAHtoCgL/lnoQAAAMABAAAAwDwPFi6gA\\=\\=\\,"
    "aM4PyA\\=\\=\"",
    "application/x-rtp, media=audio, payload=101, clock-rate=8000, "
    "encoding-name=TELEPHONE-EVENT, events=(string)\"0-15\"",
    "application/x-gst-ice",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (table[i]);
    g_autoptr (GstIceDescription) self = gst_ice_description_new ();
    g_autoptr (GstIceDescription) again = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree gchar *text = NULL;
    GstIceSection *section = gst_ice_description_add_section (self);

    g_assert_nonnull (caps);
    g_assert_true (gst_ice_section_set_caps (section, caps, &error));
    g_assert_no_error (error);
    text = gst_ice_description_to_string (self);
    again = parse (text);
    assert_same_caps (section_at (again, 0)->caps, caps);
    assert_fixpoint (again);
  }
}

static void
test_lines_from_caps (void)
{
  g_autoptr (GstIceDescription) self = gst_ice_description_new ();
  g_autoptr (GstCaps) rtp = gst_caps_from_string (
      "application/x-rtp, "
      "media=audio, payload=101, clock-rate=8000, "
      "encoding-name=TELEPHONE-EVENT, 0-15=(string)1, ssrc=(uint)5, "
      "a-ice-pwd=(string)secret, srtp-key=(string)secret");
  g_autoptr (GstCaps) other = gst_caps_from_string ("video/mpegts");
  g_autofree gchar *text = NULL;

  gst_structure_set (
      gst_caps_get_structure (rtp, 0), "0-15", G_TYPE_STRING, "1", NULL);
  g_assert_true (gst_ice_section_set_caps (
      gst_ice_description_add_section (self), rtp, NULL));
  g_assert_true (gst_ice_section_set_caps (
      gst_ice_description_add_section (self), other, NULL));
  text = gst_ice_description_to_string (self);
  g_assert_nonnull (strstr (text, "m=audio 9 RTP/AVP 101\r\n"));
  g_assert_nonnull (strstr (text, "a=fmtp:101 0-15\r\n"));
  g_assert_nonnull (strstr (text, "m=application 9 udp x-gst-ice\r\n"));
  g_assert_null (strstr (text, "secret"));
  g_assert_null (strstr (text, "ssrc"));

  section_at (self, 0)->rejected = TRUE;
  g_free (text);
  text = gst_ice_description_to_string (self);
  g_assert_nonnull (strstr (text, "m=audio 0 RTP/AVP 101\r\n"));
}

static void
test_rtx (void)
{
  g_autoptr (GstIceDescription) self = gst_ice_description_new ();
  g_autoptr (GstIceDescription) again = NULL;
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "application/x-rtp, media=video, payload=96, clock-rate=90000, "
      "encoding-name=VP8, rtcp-fb-nack=true, x-rtx-payload=127");
  g_autofree gchar *text = NULL;
  const GstCaps *all;

  g_assert_true (gst_ice_section_set_caps (
      gst_ice_description_add_section (self), caps, NULL));
  text = gst_ice_description_to_string (self);
  g_assert_nonnull (strstr (text, "m=video 9 RTP/AVPF 96 127\r\n"));
  g_assert_nonnull (strstr (text, "a=rtcp-fb:96 nack\r\n"));
  g_assert_nonnull (strstr (text, "a=rtpmap:127 RTX/90000\r\n"));
  g_assert_nonnull (strstr (text, "a=fmtp:127 apt=96\r\n"));
  g_assert_null (strstr (text, "x-rtx"));
  again = parse (text);
  all = section_at (again, 0)->all_caps;
  g_assert_cmpint (
      gst_ice_caps_find_rtx (all, gst_caps_get_structure (all, 0)), ==, 127);
  g_assert_cmpint (
      gst_ice_caps_find_rtx (all, gst_caps_get_structure (all, 1)), ==, -1);
  assert_fixpoint (again);
}

static void
test_bad_caps (void)
{
  static const gchar *const table[] = {
    "application/x-rtp",
    "application/x-rtp, media=audio, clock-rate=8000",
    "application/x-rtp, media=audio, payload=[ 96, 127 ], clock-rate=8000",
    "application/x-rtp, media=audio, payload=128, clock-rate=8000",
    "application/x-rtp, media=audio, payload=0, clock-rate=0",
    "application/x-rtp, media=\"au dio\", payload=0, clock-rate=8000",
    ("application/x-rtp, media=audio, payload=0, clock-rate=8000, "
     "x=\"a\\015\\012b\""),
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (table[i]);
    g_autoptr (GstIceDescription) self = gst_ice_description_new ();
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", table[i]);
    g_assert_nonnull (caps);
    g_assert_false (gst_ice_section_set_caps (
        gst_ice_description_add_section (self), caps, &error));
    g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/rfc4588/8.6/rtx", test_rtx);
  g_test_add_func ("/description/caps-of-payloads", test_caps_of_payloads);
  g_test_add_func ("/description/caps-round-trip", test_caps_round_trip);
  g_test_add_func ("/description/lines-from-caps", test_lines_from_caps);
  g_test_add_func ("/description/bad-caps", test_bad_caps);
  return g_test_run ();
}
