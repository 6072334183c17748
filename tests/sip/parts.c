/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the SIP signaller that need no SIP. */
#include <string.h>

#include "ext/sip/outcome.h"
#include "ext/sip/place.h"
#include "ext/sip/trickle.h"

/* RFC 3261 19.1 */
static void
test_places (void)
{
  static const struct
  {
    const gchar *uri, *called, *identity, *username, *password, *place;
  } table[] = {
    { "sip:bob@example.org", "sip:bob@example.org", NULL, NULL, NULL,
        "example.org:5060 by UDP" },
    { "sips:bob@example.org:5063?user=al%2Fice&password=p%40ss%26",
        "sips:bob@example.org:5063", "sips:al%2Fice@example.org:5063", "al/ice",
        "p@ss&", "example.org:5063 by TLS" },
    { "sip:alice:wonder%40land@example.org;transport=tcp?register=1",
        "sip:alice@example.org;transport=tcp",
        "sip:alice@example.org;transport=tcp", "alice", "wonder@land",
        "example.org:5060 by TCP" },
    { "sip:[2001:db8::1]:5062?listen=1", "sip:[2001:db8::1]:5062", NULL, NULL,
        NULL, "[2001:db8::1]:5062 by UDP" },
    { "SIP:+49-30@localhost;transport=TLS", "sips:+49-30@127.0.0.1", NULL, NULL,
        NULL, "127.0.0.1:5061 by TLS" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstIceSipPlace) place =
        gst_ice_sip_place_parse (table[i].uri, &error);
    g_autofree gchar *called = NULL, *identity = NULL, *text = NULL;

    g_assert_no_error (error);
    called = gst_ice_sip_place_to_string (place);
    identity = gst_ice_sip_place_get_identity (place);
    text = gst_ice_sip_place_describe (place);
    g_assert_cmpstr (called, ==, table[i].called);
    g_assert_cmpstr (identity, ==, table[i].identity);
    g_assert_cmpstr (place->username, ==, table[i].username);
    g_assert_cmpstr (place->password, ==, table[i].password);
    g_assert_cmpstr (text, ==, table[i].place);
  }
}

/* None is quoted back, and nothing adds a parameter or a header. */
static void
test_bad_places (void)
{
  static const gchar *const table[] = {
    "sip:",
    "sip:example.org",
    "sip:@example.org",
    "sip:bob@",
    "sip:bob@example.org:0",
    "sip:bob@example.org:65536",
    "sip:bob@exam ple.org",
    "sip:bob@[::1",
    "sip:b<b@example.org",
    "sip:b%4@example.org",
    "sip:bob\r\nX: y@example.org",
    "sip:bob@example.org;transport=pigeon",
    "sip:bob@example.org;maddr=192.0.2.1",
    "sips:bob@example.org;transport=udp",
    "sip:bob:Sesame@example.org",
    "sip:bob@example.org?Sesame=1",
    "sip:bob@example.org?register=maybe",
    "sip:bob@example.org?register=1&listen=1",
    "sip:example.org?register=1",
    "tel:+4930",
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (gst_ice_sip_place_parse (table[i], &error));
    g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI);
    g_assert_null (strstr (error->message, "Sesame"));
  }
}

static void
test_hidden (void)
{
  static const gchar *const table[][2] = {
    { "sip:bob@example.org", "sip:bob@example.org" },
    { "sips:alice:Sesame@example.org?register=1",
        "sips:alice@example.org?register=1" },
    { "sip:alice:Ses@me@example.org", "sip:alice@example.org" },
    { "sip:bob@example.org:5060?password=Sesame&user=alice",
        "sip:bob@example.org:5060?password=&user=alice" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree gchar *shown = gst_ice_sip_uri_hide_password (table[i][0]);

    g_assert_cmpstr (shown, ==, table[i][1]);
  }
  g_assert_null (gst_ice_sip_uri_hide_password (NULL));
}

static void
test_outcomes (void)
{
  g_autofree gchar *clean = gst_ice_sip_clean ("a\r\nb\x01\xff");
  g_autofree gchar *none = gst_ice_sip_clean (NULL);
  const guint table[] = { 486, 603, 480, 404, 403, 488 };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++)
    g_assert_cmpuint (
        gst_ice_sip_outcome_status (gst_ice_sip_outcome_word (table[i])), ==,
        table[i]);
  g_assert_cmpuint (gst_ice_sip_outcome_status ("tired"), ==, 480);
  g_assert_cmpuint (gst_ice_sip_outcome_status (NULL), ==, 480);
  g_assert_cmpstr (gst_ice_sip_outcome_word (599), ==, "failed");
  g_assert_cmpstr (clean, ==, "a  b \357\277\275");
  g_assert_cmpstr (none, ==, "");
}

#define OFFER                                                                  \
  "v=0\r\nm=audio 9 RTP/AVP 8\r\na=mid:0\r\na=ice-ufrag:ours\r\n"              \
  "a=ice-pwd:ourpassword\r\na=candidate:1\r\n"

/* Each says all, in order; one is on its way at a time. */
static void
test_infos (void)
{
  g_autoptr (GstIceSipTrickle) self = gst_ice_sip_trickle_new ();
  g_autofree gchar *first = NULL, *second = NULL;

  gst_ice_sip_trickle_describe (self, OFFER);
  g_assert_null (gst_ice_sip_trickle_next (self));
  gst_ice_sip_trickle_add (self, "0", "candidate:2", "ours");
  gst_ice_sip_trickle_add (self, "0", "candidate:x", "theirs");
  gst_ice_sip_trickle_add (self, "1", "candidate:x", "ours");
  first = gst_ice_sip_trickle_next (self);
  g_assert_cmpstr (first, ==,
      "a=ice-ufrag:ours\r\na=ice-pwd:ourpassword\r\nm=audio 9 RTP/AVP 8\r\n"
      "a=mid:0\r\na=candidate:1\r\na=candidate:2\r\n");
  gst_ice_sip_trickle_add (self, "0", "candidate:3", "ours");
  gst_ice_sip_trickle_add (self, "0", "", "ours");
  gst_ice_sip_trickle_add (self, "0", "candidate:4", "ours");
  g_assert_null (gst_ice_sip_trickle_next (self));
  gst_ice_sip_trickle_done (self);
  second = gst_ice_sip_trickle_next (self);
  g_assert_true (g_str_has_suffix (second,
      "a=candidate:1\r\na=candidate:2\r\na=candidate:3\r\n"
      "a=end-of-candidates\r\n"));
  gst_ice_sip_trickle_done (self);
  g_assert_null (gst_ice_sip_trickle_next (self));
}

static void
collect (const gchar *mid, guint mline_index, const gchar *candidate,
    const gchar *ufrag, gpointer user_data)
{
  g_string_append_printf (user_data, "%s/%d/%s/%s ", mid != NULL ? mid : "-",
      (gint) mline_index, candidate, ufrag != NULL ? ufrag : "-");
}

static void
test_seen (void)
{
  static const gchar body[] =
      "a=ice-ufrag:u\r\nm=audio 9 RTP/AVP 8\r\na=mid:0\r\na=candidate:1\r\n"
      "m=video 9 RTP/AVP 96\r\na=candidate:1\r\na=end-of-candidates\r\n";
  g_autoptr (GstIceSipTrickle) self = gst_ice_sip_trickle_new ();
  g_autoptr (GString) found = g_string_new (NULL);
  gint i;

  for (i = 0; i < 2; i++)
    g_assert_null (
        gst_ice_sip_trickle_take (self, body, strlen (body), collect, found));
  g_assert_cmpstr (
      found->str, ==, "0/-1/candidate:1/u -/1/candidate:1/u -/1//u ");
  g_assert_nonnull (
      gst_ice_sip_trickle_take (self, "rubbish", 7, collect, found));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc3261/19.1/places", test_places);
  g_test_add_func ("/rfc3261/19.1/bad-places", test_bad_places);
  g_test_add_func ("/sip/hidden-passwords", test_hidden);
  g_test_add_func ("/rfc3261/21/outcomes", test_outcomes);
  g_test_add_func ("/rfc8840/4.4/each-says-all", test_infos);
  g_test_add_func ("/rfc8840/4.4/each-once", test_seen);
  return g_test_run ();
}
