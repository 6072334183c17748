/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One JSON object of a peer; and any text as a value that we write, which
 * reads the same. */
#include "gst/signallers/json.h"

#include "target.h"

static void
check_value (const gchar *text)
{
  g_autofree gchar *written = NULL;
  g_autoptr (GstIceJson) json = NULL;
  GString *object = gst_ice_json_begin ();
  guint64 number;

  gst_ice_json_add_string (object, "text", text);
  gst_ice_json_add_uint (object, "number", 42);
  gst_ice_json_add_string (object, "absent", NULL);
  written = gst_ice_json_end (object);
  json = gst_ice_json_parse (written, strlen (written));
  if (!json) {
    g_assert_cmpuint (strlen (written), >, GST_ICE_JSON_MAX_SIZE);
    return;
  }
  g_assert_cmpstr (gst_ice_json_get_string (json, "text"), ==, text);
  g_assert_true (gst_ice_json_get_uint (json, "number", &number));
  g_assert_cmpuint (number, ==, 42);
  g_assert_null (gst_ice_json_get_string (json, "absent"));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GstIceJson) json = gst_ice_json_parse ((const gchar *) data, size);
  const gchar *value;
  guint64 number;

  if (json) {
    value = gst_ice_json_get_string (json, "sdp.type");
    g_assert_true (!value || g_utf8_validate (value, -1, NULL));
    if (gst_ice_json_get_uint (json, "label", &number))
      g_assert_cmpuint (number, <=, G_GUINT64_CONSTANT (1) << 53);
    value = gst_ice_json_get_string (json, "sdp");
    if (value)
      check_value (value);
  } else if (size < 256 && g_utf8_validate ((const gchar *) data, size, NULL)) {
    g_autofree gchar *text = g_strndup (size ? (const gchar *) data : "", size);

    check_value (text);
  }
  return 0;
}
