/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "json.h"

#include <math.h>

/* What servers say of themselves and of errors is short; the rest is nobody's
 * business. */
#define MAX_STRING 4096

static void
append_escaped (GString *text, const gchar *value)
{
  g_autofree gchar *valid = g_utf8_make_valid (value, -1);
  const gchar *p;
  guint n = 0;

  g_string_append_c (text, '"');
  for (p = valid; *p && n < MAX_STRING; p = g_utf8_next_char (p), n++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf (text, "\\%c", *p);
    else if ((guchar) *p < 0x20 || *p == 0x7f)
      g_string_append_printf (text, "\\u%04x", (guint) *p);
    else
      g_string_append_len (text, p, g_utf8_next_char (p) - p);
  }
  g_string_append_c (text, '"');
}

static void
append_name (GstIceToolJson *self, const gchar *name)
{
  if (!self->empty)
    g_string_append_c (self->text, ',');
  self->empty = FALSE;
  g_string_append_printf (self->text, "\n%*s", (int) self->depth * 2, "");
  if (name) {
    append_escaped (self->text, name);
    g_string_append (self->text, ": ");
  }
}

void
gst_ice_tool_json_begin (GstIceToolJson *self)
{
  *self =
      (GstIceToolJson){ .text = g_string_new ("{"), .depth = 1, .empty = TRUE };
}

void
gst_ice_tool_json_end (GstIceToolJson *self)
{
  g_print ("%s\n}\n", self->text->str);
  g_string_free (self->text, TRUE);
}

void
gst_ice_tool_json_open (GstIceToolJson *self, const gchar *name, gchar bracket)
{
  append_name (self, name);
  g_string_append_c (self->text, bracket);
  self->depth++;
  self->empty = TRUE;
}

void
gst_ice_tool_json_close (GstIceToolJson *self, gchar bracket)
{
  self->depth--;
  if (!self->empty)
    g_string_append_printf (self->text, "\n%*s", (int) self->depth * 2, "");
  g_string_append_c (self->text, bracket == '{' ? '}' : ']');
  self->empty = FALSE;
}

void
gst_ice_tool_json_string (
    GstIceToolJson *self, const gchar *name, const gchar *value)
{
  if (!value)
    return;
  append_name (self, name);
  append_escaped (self->text, value);
}

void
gst_ice_tool_json_number (
    GstIceToolJson *self, const gchar *name, gdouble value, guint decimals)
{
  gchar number[64], format[8];

  append_name (self, name);
  /* The locale may write a comma. */
  g_snprintf (format, sizeof format, "%%.%uf", MIN (decimals, 9));
  if (!isfinite (value))
    g_string_append (self->text, "null");
  else
    g_string_append (
        self->text, g_ascii_formatd (number, sizeof number, format, value));
}

void
gst_ice_tool_json_boolean (
    GstIceToolJson *self, const gchar *name, gboolean value)
{
  append_name (self, name);
  g_string_append (self->text, value ? "true" : "false");
}

gchar *
gst_ice_tool_printable (const gchar *text)
{
  gchar *copy = g_utf8_make_valid (text ? text : "", -1);

  for (gchar *p = copy; *p; p++) {
    if (g_ascii_iscntrl (*p))
      *p = ' ';
  }
  return copy;
}
