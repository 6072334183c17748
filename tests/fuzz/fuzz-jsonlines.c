/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a peer may write into a meeting place or a pipe. */
#include "gst/signallers/json.h"
#include "gst/signallers/jsonlines.h"
#include "target.h"

static guint
count_lines (const gchar *text, gsize size, gsize step)
{
  GstIceLineReader reader;
  guint n = 0;
  gsize at;

  gst_ice_line_reader_init (&reader);
  for (at = 0; at < size; at += step) {
    GstIceLine *line;

    gst_ice_line_reader_push (&reader, text + at, MIN (step, size - at));
    while ((line = gst_ice_line_reader_pop (&reader)) != NULL) {
      if (line->text != NULL)
        g_assert_true (g_utf8_validate (line->text, -1, NULL));
      gst_ice_line_free (line);
      n++;
    }
  }
  gst_ice_line_reader_clear (&reader);
  return n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const gchar *text = (const gchar *) data;
  g_autoptr (GstIceJson) json = gst_ice_json_parse (text, size);

  /* In which pieces it comes makes no difference. */
  if (size <= GST_ICE_JSON_MAX_SIZE)
    g_assert_cmpuint (count_lines (text, size, MAX (size, 1)), ==,
        count_lines (text, size, 7));
  return 0;
}
