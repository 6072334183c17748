/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/signallers/sdpfrag.h"

#include <string.h>

#define CANDIDATE "candidate:1 1 UDP 2130706432 2001:db8::1 5000 typ host"
#define OTHER                                                                  \
  "candidate:2 1 UDP 1694498815 192.0.2.3 5000 typ srflx "                     \
  "raddr 203.0.113.1 rport 8998"

static GstIceSdpfrag *
parse (const gchar *text)
{
  const gchar *reason = NULL;
  GstIceSdpfrag *self = gst_ice_sdpfrag_parse (text, strlen (text), &reason);

  g_assert_true ((self == NULL) == (reason != NULL));
  return self;
}

/* RFC 8840 9.1: two sections; what stands above them is for both. */
static void
test_parse (void)
{
  g_autoptr (GstIceSdpfrag) self = parse ("a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
                                          "a=ice-ufrag:8hhY\r\n"
                                          "m=audio 9 RTP/AVP 0\r\n"
                                          "a=mid:1\r\n"
                                          "a=" CANDIDATE "\r\n"
                                          "a=" OTHER "\r\n"
                                          "a=end-of-candidates\r\n"
                                          "m=audio 9 RTP/AVP 0\r\n"
                                          "a=mid:2\r\n"
                                          "a=ice-ufrag:other\r\n"
                                          "a=unheard-of\r\n");
  const GstIceSdpfragSection *first, *second;

  g_assert_nonnull (self);
  g_assert_cmpuint (self->sections->len, ==, 2);
  first = g_ptr_array_index (self->sections, 0);
  second = g_ptr_array_index (self->sections, 1);
  g_assert_cmpstr (first->media, ==, "audio 9 RTP/AVP 0");
  g_assert_cmpstr (first->mid, ==, "1");
  g_assert_cmpstr (first->ufrag, ==, "8hhY");
  g_assert_cmpstr (first->pwd, ==, "asd88fgpdd777uzjYhagZg");
  g_assert_cmpuint (first->candidates->len, ==, 2);
  g_assert_cmpstr (g_ptr_array_index (first->candidates, 0), ==, CANDIDATE);
  g_assert_cmpstr (g_ptr_array_index (first->candidates, 1), ==, OTHER);
  g_assert_true (first->end);
  g_assert_cmpstr (second->mid, ==, "2");
  g_assert_cmpstr (second->ufrag, ==, "other");
  g_assert_cmpstr (second->pwd, ==, "asd88fgpdd777uzjYhagZg");
  g_assert_cmpuint (second->candidates->len, ==, 0);
  g_assert_false (second->end);
}

static void
add (GstIceSdpfrag *self, const gchar *mid, const gchar *ufrag,
    const gchar *candidate)
{
  GstIceSdpfragSection *section =
      gst_ice_sdpfrag_add_section (self, "audio 9 RTP/AVP 0", mid);

  section->ufrag = g_strdup (ufrag);
  section->pwd = g_strdup ("asd88fgpdd777uzjYhagZg");
  g_ptr_array_add (section->candidates, g_strdup (candidate));
}

static void
test_print (void)
{
  g_autoptr (GstIceSdpfrag) self = gst_ice_sdpfrag_new ();
  g_autofree gchar *text = NULL, *apart = NULL;

  add (self, "1", "8hhY", CANDIDATE);
  add (self, "2", "8hhY", OTHER);
  ((GstIceSdpfragSection *) g_ptr_array_index (self->sections, 1))->end = TRUE;
  text = gst_ice_sdpfrag_to_string (self);
  g_assert_cmpstr (text, ==,
      "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
      "m=audio 9 RTP/AVP 0\r\na=mid:1\r\na=" CANDIDATE "\r\n"
      "m=audio 9 RTP/AVP 0\r\na=mid:2\r\na=" OTHER "\r\n"
      "a=end-of-candidates\r\n");

  add (self, "3", "other", CANDIDATE);
  apart = gst_ice_sdpfrag_to_string (self);
  g_assert_true (g_str_has_prefix (
      apart, "m=audio 9 RTP/AVP 0\r\na=mid:1\r\na=ice-ufrag:8hhY\r\n"));
}

/* No value adds a line. */
static void
test_injection (void)
{
  g_autoptr (GstIceSdpfrag) self = gst_ice_sdpfrag_new ();
  g_autofree gchar *text = NULL;

  g_assert_null (
      gst_ice_sdpfrag_add_section (self, "audio 9\r\na=ice-lite", "1"));
  g_assert_null (
      gst_ice_sdpfrag_add_section (self, "audio 9 RTP/AVP 0", "1\na=x"));
  add (self, "1", "8hhY\r\na=ice-lite", CANDIDATE "\r\na=candidate:x");
  text = gst_ice_sdpfrag_to_string (self);
  g_assert_cmpstr (text, ==,
      "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\n");
}

static void
repeat (GString *text, const gchar *line, guint n)
{
  while (n-- > 0)
    g_string_append (text, line);
}

static void
test_bounds (void)
{
  static const struct
  {
    const gchar *before, *line;
    guint good;
  } table[] = {
    { "", "m=audio 9 RTP/AVP 0\n", 64 },
    { "m=audio 9 RTP/AVP 0\n", "a=candidate:1\n", 200 },
    { "m=audio 9 RTP/AVP 0\n", "a=y12345678901234567890123456789\n", 1985 },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GString) text = g_string_new (table[i].before);
    g_autoptr (GstIceSdpfrag) good = NULL;
    g_autoptr (GstIceSdpfrag) bad = NULL;

    repeat (text, table[i].line, table[i].good);
    good = parse (text->str);
    g_assert_nonnull (good);
    repeat (text, table[i].line, 1);
    bad = parse (text->str);
    g_assert_null (bad);
  }
}

static void
test_malformed (void)
{
  static const gchar *const table[] = {
    "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n",
    "hello",
    "{\"candidate\":\"\"}",
    "m=\r\n",
    "m=audio 9 RTP/AVP 0\r\na=mid:\x01\r\n",
    "m=audio 9 RTP/AVP 0\r\na=mid:\xff\r\n",
  };
  const gchar *reason = NULL;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++)
    g_assert_null (parse (table[i]));
  g_assert_null (gst_ice_sdpfrag_parse ("m=a\0b\r\n", 7, &reason));
  g_assert_cmpstr (reason, ==, "a zero byte");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8840/9.1/parse", test_parse);
  g_test_add_func ("/rfc8840/9.1/print", test_print);
  g_test_add_func ("/sdpfrag/injection", test_injection);
  g_test_add_func ("/sdpfrag/bounds", test_bounds);
  g_test_add_func ("/sdpfrag/malformed", test_malformed);
  return g_test_run ();
}
