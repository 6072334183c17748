/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One JSON object, written member by member: commas, indentation and escapes
 * are seen to. A NULL name is that of an array's element. */
typedef struct
{
  GString *text; /* (owned) */
  guint depth;
  gboolean empty; /* the object or array that is open has no member yet */
} GstIceToolJson;

void gst_ice_tool_json_begin (GstIceToolJson *self);
/* Prints it, and frees. */
void gst_ice_tool_json_end (GstIceToolJson *self);

/* @bracket is '{' or '['. */
void
gst_ice_tool_json_open (GstIceToolJson *self, const gchar *name, gchar bracket);
void gst_ice_tool_json_close (GstIceToolJson *self, gchar bracket);
/* NULL: the member is left out. */
void gst_ice_tool_json_string (
    GstIceToolJson *self, const gchar *name, const gchar *value);
/* With @decimals behind the point; not a number: null. */
void gst_ice_tool_json_number (
    GstIceToolJson *self, const gchar *name, gdouble value, guint decimals);
void gst_ice_tool_json_boolean (
    GstIceToolJson *self, const gchar *name, gboolean value);

/* (transfer full) what a stranger wrote must not move the cursor of our
 * terminal. */
gchar *gst_ice_tool_printable (const gchar *text);

G_END_DECLS
