/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/signallers/jsonlines.h"

#include <string.h>

#include "gst/signallers/json.h"

#define CANDIDATE "candidate:1 1 UDP 2122252543 192.0.2.1 61764 typ host"

static GstIceLine *
parse (const gchar *text)
{
  return gst_ice_line_parse (text, strlen (text));
}

static void
test_descriptions (void)
{
  static const gchar *const table[] = {
    "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}",
    "gst-ice1: {\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}\r",
    "  {\"sdp\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}}",
    /* base64 of the first */
    "eyJ0eXBlIjoib2ZmZXIiLCJzZHAiOiJ2PTBcclxuIn0=",
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GstIceLine) line = parse (table[i]);

    g_assert_nonnull (line);
    g_assert_cmpint (line->kind, ==, GST_ICE_LINE_DESCRIPTION);
    g_assert_cmpstr (line->type, ==, "offer");
    g_assert_cmpstr (line->text, ==, "v=0\r\n");
  }
}

static void
test_candidates (void)
{
  static const struct
  {
    const gchar *text, *mid;
    guint index;
    const gchar *ufrag;
  } table[] = {
    { "{\"candidate\":\"" CANDIDATE "\",\"sdpMid\":\"v\",\"sdpMLineIndex\":1,"
      "\"usernameFragment\":\"EsAw\"}",
        "v", 1, "EsAw" },
    { "{\"type\":\"candidate\",\"candidate\":\"" CANDIDATE
      "\",\"id\":\"v\",\"label\":1}",
        "v", 1, NULL },
    { "{\"candidate\":{\"candidate\":\"" CANDIDATE
      "\",\"sdpMid\":null,\"sdpMLineIndex\":2}}",
        NULL, 2, NULL },
    { "{\"ice\":{\"candidate\":\"" CANDIDATE "\",\"sdpMLineIndex\":3}}", NULL,
        3, NULL },
    { "{\"candidate\":\"" CANDIDATE "\"}", NULL, 0, NULL },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GstIceLine) line = parse (table[i].text);

    g_assert_nonnull (line);
    g_assert_cmpint (line->kind, ==, GST_ICE_LINE_CANDIDATE);
    g_assert_cmpstr (line->text, ==, CANDIDATE);
    g_assert_cmpstr (line->mid, ==, table[i].mid);
    g_assert_cmpuint (line->mline_index, ==, table[i].index);
    g_assert_cmpstr (line->ufrag, ==, table[i].ufrag);
  }
}

static void
test_others (void)
{
  static const gchar *const refused[] = { "", "{}", "hello",
    "{\"type\":\"offer\"}", "{\"type\":\"what\",\"sdp\":\"v=0\"}",
    "{\"sdp\":\"v=0\"}", "====", "AAAA", "[\"offer\"]" };
  g_autoptr (GstIceLine) bye = parse ("{\"type\":\"bye\",\"reason\":\"eos\"}");
  g_autoptr (GstIceLine) silent = parse ("{\"type\":\"bye\"}");
  g_autoptr (GstIceLine) hello = parse (
      "{\"type\":\"hello\",\"id\":\"a\",\"pid\":12,\"host\":\"h\",\"new\":[]}");
  gsize i;

  g_assert_cmpint (bye->kind, ==, GST_ICE_LINE_BYE);
  g_assert_cmpstr (bye->text, ==, "eos");
  g_assert_null (silent->text);
  g_assert_cmpint (hello->kind, ==, GST_ICE_LINE_HELLO);
  g_assert_cmpuint (hello->pid, ==, 12);
  g_assert_cmpstr (hello->host, ==, "h");
  for (i = 0; i < G_N_ELEMENTS (refused); i++)
    g_assert_null (parse (refused[i]));
}

static void
test_round_trip (void)
{
  g_autofree gchar *description =
      gst_ice_line_description ("answer", "v=0\r\n\"\\", "them");
  g_autofree gchar *candidate = gst_ice_line_candidate ("v\"", 4, "", "u/f+");
  g_autoptr (GstIceLine) a = parse (description);
  g_autoptr (GstIceLine) b = parse (candidate);

  g_assert_cmpstr (a->type, ==, "answer");
  g_assert_cmpstr (a->text, ==, "v=0\r\n\"\\");
  g_assert_cmpstr (a->id, ==, "them");
  g_assert_cmpstr (b->mid, ==, "v\"");
  g_assert_cmpuint (b->mline_index, ==, 4);
  g_assert_cmpstr (b->text, ==, "");
  g_assert_cmpstr (b->ufrag, ==, "u/f+");
}

static const gchar stream[] =
    "Setting pipeline to PAUSED ...\r\n\r\n"
    "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}\n"
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=x:{\"type\":\"bye\"}\r\n\r\n"
    "{\"type\":\"bye\"}\r\n"
    "{\"type\":\"bye\"";

static void
check_stream (gsize step)
{
  GstIceLineReader reader;
  g_autoptr (GPtrArray) lines =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ice_line_free);
  const GstIceLine *line;
  gsize at;

  gst_ice_line_reader_init (&reader);
  for (at = 0; at < strlen (stream); at += step) {
    GstIceLine *next;

    gst_ice_line_reader_push (
        &reader, stream + at, MIN (step, strlen (stream) - at));
    while ((next = gst_ice_line_reader_pop (&reader)) != NULL)
      g_ptr_array_add (lines, next);
  }
  g_assert_cmpuint (lines->len, ==, 3);
  line = g_ptr_array_index (lines, 0);
  g_assert_cmpstr (line->type, ==, "offer");
  line = g_ptr_array_index (lines, 1);
  g_assert_cmpint (line->kind, ==, GST_ICE_LINE_DESCRIPTION);
  g_assert_null (line->type);
  g_assert_cmpstr (line->text, ==,
      "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=x:{\"type\":\"bye\"}\r\n");
  line = g_ptr_array_index (lines, 2);
  g_assert_cmpint (line->kind, ==, GST_ICE_LINE_BYE);
  g_assert_cmpuint (reader.n_rejected, ==, 1);
  gst_ice_line_reader_clear (&reader);
}

static void
test_reader (void)
{
  gsize step;

  g_test_summary ("Lines are the same however their bytes come, and the end of "
                  "a file that is still written is left");
  for (step = 1; step <= strlen (stream); step++)
    check_stream (step);
}

static void
test_too_long (void)
{
  g_autofree gchar *filler = g_strnfill (GST_ICE_JSON_MAX_SIZE, 'x');
  g_autofree gchar *sdp_line = g_strnfill (60 * 1024, 'a');
  GstIceLineReader reader;
  guint i;

  gst_ice_line_reader_init (&reader);
  for (i = 0; i < 50; i++) {
    gst_ice_line_reader_push (&reader, filler, GST_ICE_JSON_MAX_SIZE);
    g_assert_null (gst_ice_line_reader_pop (&reader));
    g_assert_cmpuint (reader.bytes->len, <=, GST_ICE_JSON_MAX_SIZE);
  }
  gst_ice_line_reader_push (&reader, "\n{\"type\":\"bye\"}\n", 16);
  {
    g_autoptr (GstIceLine) line = gst_ice_line_reader_pop (&reader);

    g_assert_nonnull (line);
    g_assert_cmpint (line->kind, ==, GST_ICE_LINE_BYE);
  }
  /* Raw SDP has a bound too. */
  gst_ice_line_reader_push (&reader, "v=0\n", 4);
  for (i = 0; i < 3; i++) {
    gst_ice_line_reader_push (&reader, sdp_line, 60 * 1024);
    gst_ice_line_reader_push (&reader, "\n", 1);
    g_assert_null (gst_ice_line_reader_pop (&reader));
  }
  g_assert_null (reader.sdp);
  gst_ice_line_reader_clear (&reader);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/jsonlines/descriptions", test_descriptions);
  g_test_add_func ("/jsonlines/candidates", test_candidates);
  g_test_add_func ("/jsonlines/others", test_others);
  g_test_add_func ("/jsonlines/round-trip", test_round_trip);
  g_test_add_func ("/jsonlines/reader", test_reader);
  g_test_add_func ("/jsonlines/too-long", test_too_long);
  return g_test_run ();
}
