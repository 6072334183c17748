/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One JSON object (RFC 8259), read strictly: at most 64 KiB, 16 levels, valid
 * UTF-8, no name twice (RFC 7493 2.3), no NUL in strings. Members of inner
 * objects are found by path: "sdp.type". Inner arrays are read over. */
typedef struct _GstIceJson GstIceJson;

#define GST_ICE_JSON_MAX_SIZE (64 * 1024)
#define GST_ICE_JSON_MAX_DEPTH 16

/* NULL: not such an object. */
GstIceJson *gst_ice_json_parse (const gchar *text, gsize size);
void gst_ice_json_free (GstIceJson *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceJson, gst_ice_json_free)

/* (nullable) NULL: absent, or not a string. */
const gchar *gst_ice_json_get_string (GstIceJson *self, const gchar *path);
/* FALSE: absent, or not a whole number up to 2^53. */
gboolean
gst_ice_json_get_uint (GstIceJson *self, const gchar *path, guint64 *ret_value);

/* The other direction: members are appended to an object that begins with
 * gst_ice_json_begin and is closed by gst_ice_json_end, which adds the end of
 * line. @value NULL appends nothing. */
GString *gst_ice_json_begin (void);
void gst_ice_json_add_string (
    GString *object, const gchar *name, const gchar *value);
void gst_ice_json_add_uint (GString *object, const gchar *name, guint64 value);
gchar *gst_ice_json_end (GString *object);

G_END_DECLS
