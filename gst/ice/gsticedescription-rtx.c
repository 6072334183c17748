/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticedescription-private.h"

/* RFC 4588: what was lost goes out again under a payload type of its own, which
 * names that of the media (apt). In caps, which are of one payload, it is a
 * field of the media: x-rtx-payload=(int)97. */

#define FIELD "x-rtx-payload"

static gboolean
is_rtx (const GstStructure *structure)
{
  const gchar *name = gst_structure_get_string (structure, "encoding-name");

  return name != NULL && g_ascii_strcasecmp (name, "RTX") == 0;
}

/* RFC 4588 8.6: apt. */
static gboolean
is_rtx_of (const GstStructure *structure, gint payload)
{
  const gchar *apt = gst_structure_get_string (structure, "apt");
  guint64 number;

  return is_rtx (structure) && apt != NULL &&
      g_ascii_string_to_unsigned (apt, 10, 0, 127, &number, NULL) &&
      (gint) number == payload;
}

gboolean
gst_ice_caps_has_rtx (const GstCaps *caps)
{
  return caps != NULL && !gst_caps_is_any (caps) && !gst_caps_is_empty (caps) &&
      gst_structure_has_field (gst_caps_get_structure (caps, 0), FIELD);
}

gint
gst_ice_caps_find_rtx (const GstCaps *all, const GstStructure *media)
{
  gint payload, rtx;
  guint i;

  if (gst_structure_get_int (media, FIELD, &rtx))
    return rtx;
  if (is_rtx (media) || !gst_structure_get_int (media, "payload", &payload))
    return -1;
  for (i = 0; i < gst_caps_get_size (all); i++) {
    const GstStructure *structure = gst_caps_get_structure (all, i);

    if (is_rtx_of (structure, payload) &&
        gst_structure_get_int (structure, "payload", &rtx) && rtx != payload)
      return rtx;
  }
  return -1;
}

void
gst_ice_caps_set_rtx (GstCaps *caps, gint payload)
{
  GstStructure *structure = gst_caps_get_structure (caps, 0);

  if (payload >= 0)
    gst_structure_set (structure, FIELD, G_TYPE_INT, payload, NULL);
  else
    gst_structure_remove_field (structure, FIELD);
}

void
gst_ice_structure_number_rtx (GstStructure *structure, gint payload)
{
  if (gst_structure_has_field (structure, FIELD))
    gst_structure_fixate_field_nearest_int (structure, FIELD, payload);
}

/* (transfer full) (nullable) RFC 4588 8.6: media and clock rate are those of
 * the media. */
static GstCaps *
make_rtx (const GstStructure *media)
{
  gint rtx, payload = -1, clock_rate = 0;
  g_autofree gchar *apt = NULL;

  if (!gst_structure_get_int (media, FIELD, &rtx) || rtx < 0 || rtx > 127 ||
      !gst_structure_get_int (media, "payload", &payload) || rtx == payload)
    return NULL;
  gst_structure_get_int (media, "clock-rate", &clock_rate);
  apt = g_strdup_printf ("%d", payload);
  return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
      gst_structure_get_string (media, "media"), "payload", G_TYPE_INT, rtx,
      "clock-rate", G_TYPE_INT, clock_rate, "encoding-name", G_TYPE_STRING,
      "RTX", "apt", G_TYPE_STRING, apt, NULL);
}

GstCaps *
gst_ice_caps_with_rtx (const GstCaps *caps)
{
  GstCaps *all = gst_caps_copy (caps);
  guint i;

  for (i = 0; i < gst_caps_get_size (caps); i++) {
    GstCaps *rtx = make_rtx (gst_caps_get_structure (caps, i));

    if (rtx != NULL)
      gst_caps_append (all, rtx);
  }
  return all;
}
