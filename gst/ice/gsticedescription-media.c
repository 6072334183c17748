/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticedescription-private.h"

#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* The m-line and the lines of its payloads, written from caps. */

static void add_line (GstSDPMedia *media, const gchar *key, const gchar *format,
    ...) G_GNUC_PRINTF (3, 4);

/* A value never adds a line. */
static void
add_line (GstSDPMedia *media, const gchar *key, const gchar *format, ...)
{
  g_autofree gchar *value = NULL;
  va_list args;

  va_start (args, format);
  value = g_strdup_vprintf (format, args);
  va_end (args);
  if (gst_ice_sdp_is_text (value))
    gst_sdp_media_add_attribute (media, key, value);
  else
    GST_WARNING ("a=%s does not fit into a session description: left out", key);
}

/* "sprop-parameter-sets=Z0L..." or, of what is not a name, "0-15". */
static void
append_parameter (GString *text, const gchar *name, const gchar *value)
{
  const gboolean is_bare = g_str_equal (value, "1") &&
      (g_ascii_isdigit (*name) || strpbrk (name, "/,+"));

  if (!gst_ice_sdp_is_parameter (name) || strchr (value, ';') ||
      (*value && !gst_ice_sdp_is_text (value)))
    return;
  if (text->len > 0)
    g_string_append_c (text, ';');
  g_string_append (text, name);
  if (!is_bare)
    g_string_append_printf (text, "=%s", value);
}

static void
write_parameters (
    const GstStructure *structure, guint payload, GstSDPMedia *media)
{
  const gboolean is_h264 =
      g_strcmp0 (
          gst_structure_get_string (structure, "encoding-name"), "H264") == 0;
  GString *text = g_string_new (NULL);
  gint i;

  for (i = 0; i < gst_structure_n_fields (structure); i++) {
    const gchar *name = gst_structure_nth_field_name (structure, (guint) i);
    const gchar *value = gst_structure_get_string (structure, name);

    /* H.264 has no such parameter: GstSDP puts it into caps, in the place of
     * these two. */
    if (is_h264 && g_str_equal (name, "profile")) {
      if (!gst_structure_has_field (structure, "level-asymmetry-allowed"))
        append_parameter (text, "level-asymmetry-allowed", "1");
    } else if (value) {
      append_parameter (text, name, value);
    }
  }
  if (text->len > 0)
    add_line (media, "fmtp", "%u %s", payload, text->str);
  g_string_free (text, TRUE);
}

/* "rtcp-fb-nack-pli": GStreamer makes dashes of spaces, and so forgets which
 * were dashes: RFC 4585 4.2 and RFC 5104 7.1 have words after these. */
static void
write_feedback (const gchar *field, guint payload, GstSDPMedia *media)
{
  static const gchar *const words[] = { "nack-", "ack-", "ccm-", "trr-int-" };
  g_autofree gchar *name = g_strdup (field + strlen ("rtcp-fb-"));
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (name, words[i]))
      name[strlen (words[i]) - 1] = ' ';
  add_line (media, "rtcp-fb", "%u %s", payload, name);
}

static void
write_payload (const GstStructure *structure, GstSDPMedia *media)
{
  const gchar *name = gst_structure_get_string (structure, "encoding-name");
  const gchar *params = gst_structure_get_string (structure, "encoding-params");
  gint payload = 0, clock_rate = 0, i;

  gst_structure_get_int (structure, "payload", &payload);
  gst_structure_get_int (structure, "clock-rate", &clock_rate);
  if (name)
    add_line (media, "rtpmap", "%d %s/%d%s%s", payload, name, clock_rate,
        params ? "/" : "", params ? params : "");
  write_parameters (structure, (guint) payload, media);
  for (i = 0; i < gst_structure_n_fields (structure); i++) {
    const gchar *field = gst_structure_nth_field_name (structure, (guint) i);
    gboolean set = FALSE;

    if (g_str_has_prefix (field, "rtcp-fb-") &&
        gst_structure_get_boolean (structure, field, &set) && set)
      write_feedback (field, (guint) payload, media);
  }
}

/* A string, or an array of direction, URI and attributes, some of them "". */
static void
write_extmap (
    const GstStructure *structure, const gchar *field, GstSDPMedia *media)
{
  const gchar *id = field + strlen ("extmap-");
  const gchar *uri = gst_structure_get_string (structure, field);
  const GValue *array = gst_structure_get_value (structure, field);
  const gchar *words[3] = { NULL };
  guint i;

  if (uri) {
    add_line (media, "extmap", "%s %s", id, uri);
    return;
  }
  if (!GST_VALUE_HOLDS_ARRAY (array) || gst_value_array_get_size (array) != 3)
    return;
  for (i = 0; i < 3; i++) {
    const GValue *word = gst_value_array_get_value (array, i);

    if (G_VALUE_HOLDS_STRING (word))
      words[i] = g_value_get_string (word);
    if (!words[i])
      words[i] = "";
  }
  add_line (media, "extmap", "%s%s%s %s%s%s", id, *words[0] ? "/" : "",
      words[0], words[1], *words[2] ? " " : "", words[2]);
}

static void
write_common (const GstStructure *structure, GstSDPMedia *media)
{
  guint i;
  gint j;

  for (i = 0; gst_ice_sdp_bandwidths[i]; i++) {
    g_autofree gchar *name =
        g_strconcat ("b-", gst_ice_sdp_bandwidths[i], NULL);
    guint bandwidth = 0;

    if (gst_structure_get_uint (structure, name, &bandwidth) && bandwidth > 0)
      gst_sdp_media_add_bandwidth (media, gst_ice_sdp_bandwidths[i], bandwidth);
  }
  for (i = 0; gst_ice_sdp_attributes[i]; i++) {
    g_autofree gchar *name =
        g_strconcat ("a-", gst_ice_sdp_attributes[i], NULL);
    const gchar *value = gst_structure_get_string (structure, name);

    if (value)
      add_line (media, gst_ice_sdp_attributes[i], "%s", value);
  }
  for (j = 0; j < gst_structure_n_fields (structure); j++) {
    const gchar *field = gst_structure_nth_field_name (structure, (guint) j);

    if (g_str_has_prefix (field, "extmap-"))
      write_extmap (structure, field, media);
  }
}

static gboolean
has_feedback (const GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint i;

  for (i = 0; i < gst_structure_n_fields (structure); i++)
    if (g_str_has_prefix (
            gst_structure_nth_field_name (structure, (guint) i), "rtcp-fb-"))
      return TRUE;
  return FALSE;
}

/* RFC 3551, RFC 4585, RFC 5764 8. */
static const gchar *
default_rtp_profile (const GstIceSection *self, const GstCaps *caps)
{
  if (self->fingerprint)
    return "UDP/TLS/RTP/SAVPF";
  return has_feedback (caps) ? "RTP/AVPF" : "RTP/AVP";
}

/* (transfer none) (nullable) */
static const GstCaps *
get_rtp_caps (const GstIceSection *self)
{
  const GstCaps *caps = self->all_caps ? self->all_caps : self->caps;

  if (!self->caps ||
      !gst_structure_has_name (
          gst_caps_get_structure (caps, 0), "application/x-rtp"))
    return NULL;
  return caps;
}

static void
write_formats (
    const GstIceSection *self, const GstCaps *rtp_caps, GstSDPMedia *media)
{
  g_auto (GStrv) formats =
      g_strsplit (self->formats ? self->formats : "x-gst-ice", " ", -1);
  guint i;

  if (!rtp_caps) {
    for (i = 0; formats[i]; i++)
      if (gst_ice_sdp_is_token (formats[i]))
        gst_sdp_media_add_format (media, formats[i]);
    return;
  }
  for (i = 0; i < gst_caps_get_size (rtp_caps); i++) {
    g_autofree gchar *format = NULL;
    gint payload = 0;

    gst_structure_get_int (
        gst_caps_get_structure (rtp_caps, i), "payload", &payload);
    format = g_strdup_printf ("%d", payload);
    gst_sdp_media_add_format (media, format);
  }
}

static void
write_line (
    const GstIceSection *self, const GstCaps *rtp_caps, GstSDPMedia *media)
{
  const gchar *name = self->media, *proto = self->proto;

  if (rtp_caps && !name)
    name = gst_structure_get_string (
        gst_caps_get_structure (rtp_caps, 0), "media");
  if (!proto)
    proto = rtp_caps ? default_rtp_profile (self, rtp_caps) : "udp";
  gst_sdp_media_set_media (
      media, name && gst_ice_sdp_is_token (name) ? name : "application");
  gst_sdp_media_set_proto (media, proto);
  write_formats (self, rtp_caps, media);
}

void
gst_ice_section_write_caps (const GstIceSection *self, GstSDPMedia *media)
{
  const GstCaps *caps = get_rtp_caps (self);
  guint i;

  write_line (self, caps, media);
  if (!caps || self->rejected)
    return;
  for (i = 0; i < gst_caps_get_size (caps); i++)
    write_payload (gst_caps_get_structure (caps, i), media);
  write_common (gst_caps_get_structure (caps, 0), media);
}
