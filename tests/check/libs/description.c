/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session descriptions: those of real agents under vectors/sdp, and what the
 * RFCs and hostile peers make of them. */
#include "description.h"

/* The descriptions of real agents */

static void
check_vector (const gchar *path)
{
  g_autoptr (GstIceDescription) self = NULL;
  g_autofree gchar *sdp = NULL;
  guint i;

  g_test_message ("%s", path);
  g_assert_true (g_file_get_contents (path, &sdp, NULL, NULL));
  self = parse (sdp);
  g_assert_cmpuint (self->sections->len, >, 0);
  for (i = 0; i < self->sections->len; i++) {
    const GstIceSection *section = section_at (self, i);

    g_assert_cmpuint (section->index, ==, i);
    if (section->rejected)
      continue;
    g_assert_nonnull (section->ufrag);
    g_assert_nonnull (section->pwd);
    g_assert_nonnull (section->caps);
  }
  assert_fixpoint (self);
}

static void
test_vectors (void)
{
  g_autofree gchar *path =
      g_test_build_filename (G_TEST_DIST, "..", "vectors", "sdp", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint n = 0;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *file = g_build_filename (path, name, NULL);

    if (!g_str_has_suffix (name, ".sdp"))
      continue;
    check_vector (file);
    n++;
  }
  g_assert_cmpuint (n, >=, 20);
}

/* The session and its sections */

static void
test_session_level (void)
{
  g_autoptr (GstIceDescription) self = parse (HEAD ICE
      "a=ice-lite\r\na=ice-options:ice2,trickle\r\na=setup:actpass\r\n"
      "a=fingerprint:SHA-256 AB:CD\r\n" CANDIDATE
      "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"
      "m=video 5002 RTP/AVP 96\r\nc=IN IP4 192.0.2.1\r\n"
      "a=rtpmap:96 VP8/90000\r\na=ice-ufrag:media\r\na=setup:active\r\n");
  const GstIceSection *audio = section_at (self, 0);
  const GstIceSection *video = section_at (self, 1);

  g_assert_cmpuint (self->session_id, ==, 7);
  g_assert_cmpuint (self->version, ==, 2);
  g_assert_cmpstr (audio->ufrag, ==, UFRAG);
  g_assert_cmpstr (audio->pwd, ==, PWD);
  g_assert_cmpstr (audio->setup, ==, "actpass");
  g_assert_cmpstr (audio->fingerprint, ==, "SHA-256 AB:CD");
  g_assert_true (audio->ice_lite && audio->ice2 && audio->trickle);
  g_assert_true (video->ice_lite && video->ice2 && video->trickle);
  g_assert_cmpstr (video->ufrag, ==, "media");
  g_assert_cmpstr (video->setup, ==, "active");
  /* RFC 8839 5.1: candidates are at media level only. */
  g_assert_cmpuint (audio->candidates->len, ==, 0);
  g_assert_cmpuint (video->candidates->len, ==, 0);
  assert_fixpoint (self);
}

static void
test_candidates (void)
{
  g_autoptr (GstIceDescription) self = parse (HEAD
      "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n" ICE
      "a=rtcp-mux\r\n" CANDIDATE
      "a=candidate:1 2 udp 2130706430 192.0.2.1 5001 typ host\r\n"
      "a=candidate:2 1 TCP 2105458943 192.0.2.1 9 typ host tcptype active\r\n"
      "a=candidate:3 1 UDP 100 192.0.2.1\r\n"
      "a=candidate:4 1 SCTP 100 192.0.2.1 1 typ host\r\n"
      "a=candidate:5 1 UDP 100 0b6b7fd1-5b5e-4ad1-8a5d-9a4c5b1f7a30.local 4 "
      "typ host generation 0 network-cost 999 something new\r\n"
      "a=end-of-candidates\r\n");
  const GstIceSection *section = section_at (self, 0);

  g_assert_cmpuint (section->candidates->len, ==, 4);
  g_assert_true (section->end_of_candidates);
  g_assert_cmpint (section->address.family, ==, ICE_FAMILY_NONE);
  assert_fixpoint (self);
}

static void
test_directions (void)
{
  static const struct
  {
    const gchar *attribute;
    gboolean send, receive;
  } table[] = {
    { "a=sendrecv\r\n", TRUE, TRUE },
    { "a=sendonly\r\n", TRUE, FALSE },
    { "a=recvonly\r\n", FALSE, TRUE },
    { "a=inactive\r\n", FALSE, FALSE },
    { "", TRUE, TRUE },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree gchar *sdp = g_strconcat (
        HEAD "m=audio 9 RTP/AVP 0\r\n" ICE, table[i].attribute, NULL);
    g_autoptr (GstIceDescription) self = parse (sdp);

    g_assert_cmpint (section_at (self, 0)->send, ==, table[i].send);
    g_assert_cmpint (section_at (self, 0)->receive, ==, table[i].receive);
    assert_fixpoint (self);
  }
}

static void
assert_address (const IceAddress *address, const gchar *expected)
{
  gchar text[ICE_ADDRESS_STRLEN];

  if (address->family == ICE_FAMILY_NONE)
    g_assert_null (expected);
  else
    g_assert_cmpstr (ice_address_to_string (address, text), ==, expected);
}

static void
test_addresses (void)
{
  static const struct
  {
    const gchar *lines, *rtp, *rtcp;
  } table[] = {
    { "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", "192.0.2.1:5000",
        "192.0.2.1:5001" },
    { "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\na=rtcp-mux\r\n",
        "192.0.2.1:5000", NULL },
    { "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\na=rtcp:6000\r\n",
        "192.0.2.1:5000", "192.0.2.1:6000" },
    { "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"
      "a=rtcp:6000 IN IP6 2001:db8::2\r\n",
        "192.0.2.1:5000", "[2001:db8::2]:6000" },
    { "m=audio 5000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n",
        "[2001:db8::1]:5000", "[2001:db8::1]:5001" },
    { "m=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n",
        NULL, NULL },
    { "m=audio 9 RTP/AVP 0\r\nc=IN IP6 ::\r\n", NULL, NULL },
    { "m=audio 65535 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", "192.0.2.1:65535",
        NULL },
    { "m=audio 70000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", NULL, NULL },
    { "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 example.org\r\n", NULL, NULL },
    { "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 224.0.0.1/127\r\n", NULL, NULL },
    { "m=audio 5000 RTP/AVP 0\r\n", NULL, NULL },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree gchar *sdp = g_strconcat (HEAD, table[i].lines, ICE, NULL);
    g_autoptr (GstIceDescription) self = parse (sdp);

    g_test_message ("%s", table[i].lines);
    assert_address (&section_at (self, 0)->address, table[i].rtp);
    assert_address (&section_at (self, 0)->rtcp_address, table[i].rtcp);
    assert_fixpoint (self);
  }
}

static void
test_bundle (void)
{
  g_autoptr (GstIceDescription) self =
      parse (HEAD "a=group:LS x y\r\na=group:BUNDLE b c nobody d\r\n"
                  "m=audio 9 RTP/AVP 0\r\na=mid:a\r\n" ICE
                  "m=audio 9 RTP/AVP 0\r\na=mid:b\r\n" ICE "a=setup:passive\r\n"
                  "m=audio 0 RTP/AVP 0\r\na=mid:c\r\na=bundle-only\r\n"
                  "m=audio 0 RTP/AVP 0\r\na=mid:d\r\n"
                  "m=audio 0 RTP/AVP 0\r\na=mid:e\r\na=bundle-only\r\n"
                  "m=audio 9 RTP/AVP 0\r\na=mid:a\r\n");

  g_assert_false (section_at (self, 0)->bundled);
  g_assert_false (section_at (self, 0)->bundle_tag);
  g_assert_true (section_at (self, 1)->bundle_tag);
  g_assert_true (section_at (self, 2)->bundled);
  g_assert_true (section_at (self, 2)->bundle_only);
  g_assert_false (section_at (self, 2)->rejected);
  g_assert_cmpstr (section_at (self, 2)->ufrag, ==, UFRAG);
  g_assert_cmpstr (section_at (self, 2)->setup, ==, "passive");
  g_assert_true (section_at (self, 3)->rejected);
  g_assert_true (section_at (self, 4)->rejected);
  /* A mid is unique. */
  g_assert_null (section_at (self, 5)->mid);
  assert_fixpoint (self);
}

static void
test_session_attributes (void)
{
  g_autoptr (GstIceDescription) self = parse (
      HEAD "a=ice-pacing:50\r\nm=audio 9 RTP/AVP 0\r\n" ICE
           "a=ice-options:trickle renomination\r\na=ice-mismatch\r\n"
           "m=audio 9 RTP/AVP 0\r\n" ICE "a=ice-options:ice2 rtp+ecn\r\n");
  g_autoptr (GstIceDescription) lite =
      parse (HEAD "a=ice-lite\r\na=ice-pacing:50\r\nm=audio 9 RTP/AVP 0\r\n");
  g_autoptr (GstIceDescription) odd =
      parse (HEAD "a=ice-pacing:-5\r\nm=audio 9 RTP/AVP 0\r\n");

  g_assert_cmpuint (section_at (self, 0)->pacing, ==, 50);
  g_assert_true (section_at (self, 0)->renomination);
  g_assert_true (section_at (self, 0)->trickle);
  g_assert_true (section_at (self, 0)->mismatch);
  g_assert_false (section_at (self, 0)->ice2);
  g_assert_true (section_at (self, 1)->ice2);
  g_assert_cmpuint (section_at (lite, 0)->pacing, ==, 0);
  g_assert_cmpuint (section_at (odd, 0)->pacing, ==, 0);
  assert_fixpoint (self);
  assert_fixpoint (lite);
}

static void
test_answer (void)
{
  g_autoptr (GstIceDescription) offer = parse (HEAD
      "a=group:BUNDLE a v\r\n"
      "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\na=mid:a\r\na=rtcp-mux\r\n" ICE
      "m=video 9 UDP/TLS/RTP/SAVPF 120\r\na=mid:v\r\na=rtcp-mux\r\n"
      "a=rtpmap:120 VP8/90000\r\n"
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n" ICE);
  g_autoptr (GstIceDescription) answer = gst_ice_description_new ();
  g_autoptr (GstCaps) video = gst_caps_from_string (
      "application/x-rtp, "
      "media=video, payload=120, clock-rate=90000, encoding-name=VP8");
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;
  GstIceSection *section = NULL;
  guint i;

  for (i = 0; i < 3; i++) {
    section = gst_ice_description_add_section (answer);
    gst_ice_section_answer (section, section_at (offer, i));
    section->rejected = i == 2;
    section->send = i != 2;
  }
  g_assert_true (
      gst_ice_section_set_caps (section_at (answer, 1), video, NULL));
  g_assert_false (
      gst_ice_section_set_caps (section_at (answer, 0), video, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (gst_ice_section_set_caps (section, video, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT);

  text = gst_ice_description_to_string (answer);
  g_assert_nonnull (strstr (text, "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\n"));
  g_assert_nonnull (strstr (text, "m=video 9 UDP/TLS/RTP/SAVPF 120\r\n"));
  g_assert_nonnull (
      strstr (text, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
  g_assert_nonnull (strstr (text, "a=group:BUNDLE a v\r\n"));
}

/* Hostile peers, careless callers */

static void
test_limits (void)
{
  GString *sdp = g_string_new (HEAD);
  g_autoptr (GstIceDescription) many = NULL;
  g_autofree gchar *filler = g_strnfill (64 * 1024, 'x');
  g_autofree gchar *large =
      g_strconcat (HEAD "m=audio 9 RTP/AVP 0\r\na=", filler, NULL);
  guint i;

  assert_parse_fails (large);

  g_string_append (sdp, "m=audio 9 RTP/AVP 0\r\n" ICE);
  for (i = 0; i < 150; i++)
    g_string_append_printf (sdp,
        "a=candidate:%u %u UDP 1 192.0.2.1 %u typ host\r\n", i, 1 + i % 3 / 2,
        1000 + i);
  many = parse (sdp->str);
  g_assert_cmpuint (section_at (many, 0)->candidates->len, ==, 150);
  for (i = 0; i < 300; i++)
    g_string_append_printf (
        sdp, "a=candidate:9 1 UDP 1 192.0.2.2 %u typ host\r\n", 1000 + i);
  g_clear_pointer (&many, gst_ice_description_free);
  many = parse (sdp->str);
  g_assert_cmpuint (section_at (many, 0)->candidates->len, ==, 150);

  g_string_assign (sdp, HEAD);
  for (i = 0; i < 64; i++)
    g_string_append (sdp, "m=audio 9 RTP/AVP 0\r\n");
  g_clear_pointer (&many, gst_ice_description_free);
  many = parse (sdp->str);
  g_string_append (sdp, "m=audio 9 RTP/AVP 0\r\n");
  assert_parse_fails (sdp->str);
  g_string_free (sdp, TRUE);
}

static void
test_malformed (void)
{
  static const gchar *const table[] = {
    "",
    "hello",
    "o=- 1 1 IN IP4 127.0.0.1\r\nv=0\r\n",
    HEAD "m=\r\n",
    HEAD "m=audio\r\n",
    HEAD "m=audio 9\r\n",
    HEAD "m=audio 9 RTP/AVP\r\n",
    HEAD "m=audio 9 RTP//AVP 0\r\n",
    HEAD "m=au\"dio 9 RTP/AVP 0\r\n",
    HEAD "m=audio 9 RTP/AVP 0\r\na=ice-ufrag:\001abcd\r\n",
    HEAD "m=audio 9 RTP/AVP 0\r\na=ice-ufrag:\377\376abcd\r\n",
  };
  static const gchar *const odd[] = {
    HEAD,
    "\r\n " HEAD,
    "v=0\nm=audio 9 RTP/AVP 0",
    HEAD "m=audio 9 RTP/AVP 0\r\na=ice-ufrag:abc\r\na=ice-pwd:short\r\n",
    HEAD "m=audio 9 RTP/AVP 96 97 98 x -1 300\r\na=rtpmap:96\r\n"
         "a=rtpmap:97 VP8\r\na=rtpmap:98 V P/0/\r\na=fmtp:96\r\na=fmtp:\r\n"
         "a=rtcp-fb:\r\na=rtcp-fb:*\r\na=extmap:\r\na=extmap:1\r\n"
         "a=rtcp:\r\na=mid:\r\na=candidate:\r\na=candidate\r\na\r\n=\r\n"
         "b=\r\nb=AS\r\nb=AS:-1\r\nc=\r\n",
    HEAD "a=group:BUNDLE\r\na=group:BUNDLE  \r\nm=audio 9 RTP/AVP 0\r\n",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++)
    assert_parse_fails (table[i]);
  for (i = 0; i < G_N_ELEMENTS (odd); i++) {
    g_autoptr (GstIceDescription) self = parse (odd[i]);

    g_test_message ("%s", odd[i]);
    assert_fixpoint (self);
  }
}

/* a=alt of the drafts before RFC 5245 beside lines of today. */
static void
test_alt (void)
{
  g_autoptr (GstIceDescription) self = parse (
      HEAD "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n" CANDIDATE
           "a=alt:1 0.8 : u p 192.0.2.1 5000 192.0.2.1 5001\r\na=alt:1 x\r\n");

  g_assert_cmpuint (section_at (self, 0)->candidates->len, ==, 3);
  g_assert_null (section_at (self, 0)->ufrag);
}

static void
test_injection (void)
{
  static const gchar evil[] = "abcd\r\na=evil";
  g_autoptr (GstIceDescription) self = gst_ice_description_new ();
  GstIceSection *section = gst_ice_description_add_section (self);
  IceCandidate *candidate = ice_candidate_new (ICE_CANDIDATE_HOST, 1);
  g_autofree gchar *text = NULL;

  self->user_name = g_strdup (evil);
  section->mid = g_strdup (evil);
  section->ufrag = g_strdup (evil);
  section->pwd = g_strdup ("asd88fgpdd777uzjYhagZg\na=evil");
  section->fingerprint = g_strdup (evil);
  section->setup = g_strdup ("active a=evil");
  section->media = g_strdup (evil);
  section->formats = g_strdup (evil);
  section->bundle_tag = TRUE;
  g_strlcpy (candidate->foundation, "1", sizeof (candidate->foundation));
  candidate->host_name = g_strdup (evil);
  g_ptr_array_add (section->candidates, candidate);
  section->caps = gst_caps_new_simple ("application/x-rtp", "media",
      G_TYPE_STRING, evil, "payload", G_TYPE_INT, 96, "clock-rate", G_TYPE_INT,
      90000, "encoding-name", G_TYPE_STRING, evil, "encoding-params",
      G_TYPE_STRING, evil, "config", G_TYPE_STRING, evil, "a-ptime",
      G_TYPE_STRING, evil, "extmap-1", G_TYPE_STRING, evil,
      "rtcp-fb-x\r\na=evil", G_TYPE_BOOLEAN, TRUE, "y\r\na=evil", G_TYPE_STRING,
      "1", "extmap-2\r\na=evil", G_TYPE_STRING, "urn:x", NULL);

  text = gst_ice_description_to_string (self);
  g_test_message ("%s", text);
  g_assert_null (strstr (text, "evil"));
}

static void
test_names (void)
{
  const GQuark before = g_quark_from_static_string ("test-names-before");
  g_autoptr (GstIceDescription) known = NULL;
  guint i, j;

  g_test_summary ("Names that peers make up are not kept without end: they "
                  "become quarks, which nobody frees");
  for (i = 0; i < 200; i++) {
    g_autoptr (GString) sdp = g_string_new (HEAD
        "m=video 9 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\n"
        "a=fmtp:96 max-fr=30");
    g_autoptr (GstIceDescription) self = NULL;

    for (j = 0; j < 16; j++)
      g_string_append_printf (sdp, ";made-up-%u-%u=1", i, j);
    for (j = 0; j < 16; j++)
      g_string_append_printf (sdp, "\r\na=rtcp-fb:96 made up %u %u", i, j);
    g_string_append (sdp, "\r\n");
    self = parse (sdp->str);
    g_assert_nonnull (section_at (self, 0)->caps);
  }
  g_assert_cmpuint (
      g_quark_from_static_string ("test-names-after"), <, before + 1100);

  known = parse (HEAD "m=video 9 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\n"
                      "a=rtpmap:96 VP8/90000\r\na=fmtp:96 max-fr=15\r\n");
  g_assert_cmpstr (
      gst_structure_get_string (
          gst_caps_get_structure (section_at (known, 0)->caps, 0), "max-fr"),
      ==, "15");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/description/vectors", test_vectors);
  g_test_add_func ("/description/session-level", test_session_level);
  g_test_add_func ("/description/candidates", test_candidates);
  g_test_add_func ("/description/directions", test_directions);
  g_test_add_func ("/description/addresses", test_addresses);
  g_test_add_func ("/description/bundle", test_bundle);
  g_test_add_func ("/description/session-attributes", test_session_attributes);
  g_test_add_func ("/description/answer", test_answer);
  g_test_add_func ("/description/limits", test_limits);
  g_test_add_func ("/description/malformed", test_malformed);
  g_test_add_func ("/description/alt", test_alt);
  g_test_add_func ("/description/injection", test_injection);
  /* The last one: it uses up what there is. */
  g_test_add_func ("/description/names", test_names);
  return g_test_run ();
}
