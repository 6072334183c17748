/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/signallers/json.h"

#include <string.h>

static GstIceJson *
parse (const gchar *text)
{
  return gst_ice_json_parse (text, strlen (text));
}

static void
test_members (void)
{
  g_autoptr (GstIceJson) json = parse (
      " {\"a\" : \"x\", \"n\":12 ,\"o\":{\"a\":\"y\",\"p\":{\"q\":\"z\"}},"
      "\"l\":[1,[\"a\"],{\"a\":1}],\"t\":true,\"z\":null,\"e\":{}} \r\n");
  guint64 number = 0;

  g_assert_nonnull (json);
  g_assert_cmpstr (gst_ice_json_get_string (json, "a"), ==, "x");
  g_assert_cmpstr (gst_ice_json_get_string (json, "o.a"), ==, "y");
  g_assert_cmpstr (gst_ice_json_get_string (json, "o.p.q"), ==, "z");
  g_assert_true (gst_ice_json_get_uint (json, "n", &number));
  g_assert_cmpuint (number, ==, 12);
  /* What is of another kind, is null, or is in an array, is not there. */
  g_assert_null (gst_ice_json_get_string (json, "n"));
  g_assert_null (gst_ice_json_get_string (json, "z"));
  g_assert_null (gst_ice_json_get_string (json, "t"));
  g_assert_null (gst_ice_json_get_string (json, "l.a"));
  g_assert_false (gst_ice_json_get_uint (json, "a", &number));
}

static void
test_strings (void)
{
  static const struct
  {
    const gchar *text, *meaning;
  } table[] = {
    { "{\"a\":\"\"}", "" },
    { "{\"a\":\"v=0\\r\\n\"}", "v=0\r\n" },
    { "{\"a\":\"\\\"\\\\\\/\\b\\f\\t\"}", "\"\\/\b\f\t" },
    { "{\"a\":\"\\u00e4\\u20AC\"}", "ä€" },
    { "{\"a\":\"\\ud83d\\ude00\"}", "😀" },
    { "{\"a\":\"ä€\"}", "ä€" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GstIceJson) json = parse (table[i].text);

    g_assert_nonnull (json);
    g_assert_cmpstr (gst_ice_json_get_string (json, "a"), ==, table[i].meaning);
  }
}

static void
test_numbers (void)
{
  static const struct
  {
    const gchar *text;
    gboolean whole;
    guint64 value;
  } table[] = {
    { "0", TRUE, 0 },
    { "9007199254740992", TRUE, G_GUINT64_CONSTANT (1) << 53 },
    { "9007199254740993", FALSE, 0 },
    { "99999999999999999999999999999999", FALSE, 0 },
    { "-1", FALSE, 0 },
    { "1.5", FALSE, 0 },
    { "1e2", FALSE, 0 },
    { "1E+2", FALSE, 0 },
    { "-0.5e-7", FALSE, 0 },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree gchar *text = g_strdup_printf ("{\"n\":%s}", table[i].text);
    g_autoptr (GstIceJson) json = parse (text);
    guint64 value = 0;

    g_assert_nonnull (json);
    g_assert_cmpint (
        gst_ice_json_get_uint (json, "n", &value), ==, table[i].whole);
    g_assert_cmpuint (value, ==, table[i].value);
  }
}

static void
test_refused (void)
{
  static const gchar *const table[] = { "", " ", "[]", "\"a\"", "1", "{", "}",
    "{}x", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
    "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}",
    "{\"a\":NaN}", "{\"a\":tru}", "{\"a\":nulll}", "{\"a\":\"x}",
    "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
    "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":1,\"a\":2}",
    "{\"a\":{\"b\":1,\"b\":1}}", "{\"a\":[1 2]}", "{\"a\":[1,]}", "{\"a\":[}",
    "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{} {}" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GstIceJson) json = parse (table[i]);

    if (json != NULL)
      g_test_message ("taken: %s", table[i]);
    g_assert_null (json);
  }
}

static GstIceJson *
parse_nested (guint depth, const gchar *open, const gchar *close)
{
  g_autoptr (GString) text = g_string_new ("{\"a\":");
  guint i;

  for (i = 0; i < depth; i++)
    g_string_append (text, open);
  g_string_append_c (text, '1');
  for (i = 0; i < depth; i++)
    g_string_append (text, close);
  g_string_append_c (text, '}');
  return parse (text->str);
}

static void
test_bounds (void)
{
  g_autofree gchar *filler = g_strnfill (GST_ICE_JSON_MAX_SIZE, 'x');
  g_autofree gchar *big = g_strdup_printf ("{\"a\":\"%s\"}", filler);
  g_autoptr (GstIceJson) deep = parse_nested (15, "[", "]");
  g_autoptr (GstIceJson) deep_objects = parse_nested (15, "{\"a\":", "}");

  g_assert_nonnull (deep);
  g_assert_nonnull (deep_objects);
  g_assert_null (parse_nested (16, "[", "]"));
  g_assert_null (parse_nested (16, "{\"a\":", "}"));
  g_assert_null (parse_nested (30000, "[", ""));
  g_assert_null (parse (big));
  g_assert_null (gst_ice_json_parse ("{\"a\":\"\0\"}", 9));
}

/* Every prefix of a message is refused, and read no further than it goes. */
static void
test_prefixes (void)
{
  static const gchar text[] =
      "{\"a\":\"\\u00e4\\ud83d\\ude00\",\"b\":[1.5e3,null],\"c\":{\"d\":-12}}";
  gsize size;

  for (size = 0; size < strlen (text); size++) {
    g_autofree gchar *exact = g_memdup2 (text, size);

    g_assert_null (gst_ice_json_parse (exact, size));
  }
}

static void
test_writing (void)
{
  const gchar *text = "\"\\\r\n\t\x01 ä€😀 /";
  GString *object = gst_ice_json_begin ();
  g_autofree gchar *line = NULL;
  g_autoptr (GstIceJson) json = NULL;
  guint64 number;

  gst_ice_json_add_string (object, "a\"b", text);
  gst_ice_json_add_string (object, "nothing", NULL);
  gst_ice_json_add_uint (object, "n", 7);
  line = gst_ice_json_end (object);

  g_assert_true (g_str_has_suffix (line, "}\n"));
  g_assert_cmpint (strcspn (line, "\n"), ==, strlen (line) - 1);
  json = parse (line);
  g_assert_nonnull (json);
  g_assert_cmpstr (gst_ice_json_get_string (json, "a\"b"), ==, text);
  g_assert_null (gst_ice_json_get_string (json, "nothing"));
  g_assert_true (gst_ice_json_get_uint (json, "n", &number));
  g_assert_cmpuint (number, ==, 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/members", test_members);
  g_test_add_func ("/json/strings", test_strings);
  g_test_add_func ("/json/numbers", test_numbers);
  g_test_add_func ("/json/refused", test_refused);
  g_test_add_func ("/json/bounds", test_bounds);
  g_test_add_func ("/json/prefixes", test_prefixes);
  g_test_add_func ("/json/writing", test_writing);
  return g_test_run ();
}
