/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticedescription-private.h"

#include <gst/rtp/gstrtppayloads.h>

#include "gsticeerror.h"
#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* RTP media between caps and m-lines, with GStreamer's own names of fields:
 *
 *   payload clock-rate encoding-name encoding-params   a=rtpmap
 *   PARAMETER=(string)VALUE                            a=fmtp
 *   rtcp-fb-WORDS=(boolean)true                        a=rtcp-fb
 *   extmap-ID=(string)URI, or <DIRECTION,URI,REST>     a=extmap
 *   a-ptime a-maxptime a-framerate                     attributes of that name
 *   b-AS b-TIAS b-CT=(uint)                            b=
 *
 * GstSDP reads; we write, because GstSDP would write any field of the caps that
 * begins with "a-" as an attribute, "a-ice-pwd" too, loses profile-level-id of
 * H.264, and of rtcp-fb knows four. */

/* RFC 3551 6: seven bits. */
#define MAX_PAYLOAD 127
#define FIRST_DYNAMIC_PAYLOAD 96
/* Of the lines that belong to one payload; nobody writes as many. */
#define MAX_LINES 32
/* Of what becomes a field's name, and so a quark, which is never freed: how
 * long, and how many of the peers' own invention in this process. All formats
 * that are registered have some 300 between them. */
#define MAX_NAME 48
#define MAX_NEW_NAMES 1024

const gchar *const gst_ice_sdp_attributes[] = { "ptime", "maxptime",
  "framerate", NULL };
const gchar *const gst_ice_sdp_bandwidths[] = { "AS", "TIAS", "CT", NULL };

/* What is no parameter of a=fmtp, whoever wrote it. */
static gboolean
is_reserved_field (const gchar *name)
{
  static const gchar *const names[] = { "media", "payload", "clock-rate",
    "encoding-name", "encoding-params", "ssrc", "timestamp-offset",
    "seqnum-offset", "clock-base", "seqnum-base", "mki" };
  static const gchar *const prefixes[] = { "a-", "b-", "x-", "extmap-",
    "rtcp-fb-", "rid-", "srtp-", "srtcp-", "ssrc-", "npt-", "play-" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      return TRUE;
  for (i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i]))
      return TRUE;
  return FALSE;
}

gboolean
gst_ice_sdp_is_parameter (const gchar *name)
{
  return *name != '\0' && strlen (name) <= MAX_NAME &&
      strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-_.,/+") ==
      strlen (name) &&
      !is_reserved_field (name);
}

/* Reading */

/* FALSE: a stranger has made up names long enough. */
static gboolean
may_be_field (const gchar *name)
{
  static gint n_new = 0;

  if (g_quark_try_string (name) != 0)
    return TRUE;
  if (g_atomic_int_get (&n_new) < MAX_NEW_NAMES) {
    g_atomic_int_inc (&n_new);
    return TRUE;
  }
  GST_LOG ("“%s” is left out: more than %d names that nobody knows", name,
      MAX_NEW_NAMES);
  return FALSE;
}

/* @words of a=rtcp-fb, as GstSDP makes a field of them: parted by one dash
 * each, or it could not be written again. */
static gboolean
is_feedback (const gchar *words)
{
  g_autofree gchar *name = g_strconcat ("rtcp-fb-", words, NULL);

  g_strdelimit (name, " ", '-');
  return strlen (words) <= MAX_NAME && gst_ice_sdp_is_token (name) &&
      !strstr (name, "--") && !g_str_has_suffix (name, "-") &&
      may_be_field (name);
}

/* "96 ..." of a line that begins with a payload type; "*" is for all. NULL when
 * it is about another one. */
static const gchar *
skip_payload (const gchar *value, guint payload)
{
  gchar *end;

  if (g_str_has_prefix (value, "* "))
    return value + 2;
  if (!g_ascii_isdigit (*value) ||
      g_ascii_strtoull (value, &end, 10) != payload || *end != ' ')
    return NULL;
  return end + 1;
}

/* RFC 8866 6.6: encoding name "/" clock rate ["/" parameters]. */
static gboolean
is_rtpmap (const gchar *text)
{
  g_auto (GStrv) words = g_strsplit (text, "/", -1);
  const guint n = g_strv_length (words);
  guint64 clock_rate;

  return (n == 2 || n == 3) && gst_ice_sdp_is_token (words[0]) &&
      g_ascii_isdigit (*words[1]) &&
      g_ascii_string_to_unsigned (
          words[1], 10, 1, G_MAXINT32, &clock_rate, NULL) &&
      (n == 2 || gst_ice_sdp_is_token (words[2]));
}

/* The lines of @media that are about @payload, and no others: each question to
 * GstSDP walks over all lines again. It complains loudly about an a=rtpmap that
 * is none; this one is left out here. */
static GstSDPMedia *
pick_payload (const GstSDPMedia *media, guint payload)
{
  gboolean has_map = FALSE;
  GstSDPMedia *picked;
  guint i, n_lines = 0;

  gst_sdp_media_new (&picked);
  gst_sdp_media_set_media (picked, gst_sdp_media_get_media (media));
  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    const gboolean is_map = g_str_equal (attribute->key, "rtpmap");
    g_autofree gchar *rest = NULL;
    g_autofree gchar *value = NULL;

    if (!is_map && !g_str_equal (attribute->key, "rtcp-fb"))
      continue;
    rest = g_strdup (skip_payload (attribute->value, payload));
    if (!rest || *g_strstrip (rest) == '\0')
      continue;
    if (is_map ? has_map || !is_rtpmap (rest)
               : n_lines++ >= MAX_LINES || !is_feedback (rest))
      continue;
    has_map |= is_map;
    value = g_strdup_printf ("%u %s", payload, rest);
    gst_sdp_media_add_attribute (picked, attribute->key, value);
  }
  return picked;
}

/* "key=value; flag": a flag is "1" (GStreamer's convention). */
static void
read_parameter (GstStructure *structure, gchar *pair)
{
  g_autofree gchar *name = NULL;
  gchar *value = strchr (pair, '=');

  if (value)
    *value++ = '\0';
  name = g_ascii_strdown (g_strstrip (pair), -1);
  if (gst_ice_sdp_is_parameter (name) && may_be_field (name))
    gst_structure_set (
        structure, name, G_TYPE_STRING, value ? g_strstrip (value) : "1", NULL);
}

static void
read_parameters (
    GstStructure *structure, const GstSDPMedia *media, guint payload)
{
  const gchar *value = NULL;
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (media) && !value; i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);

    if (g_str_equal (attribute->key, "fmtp"))
      value = skip_payload (attribute->value, payload);
  }
  if (value) {
    g_auto (GStrv) pairs = g_strsplit (value, ";", MAX_LINES + 1);

    for (i = 0; i < MAX_LINES && pairs[i]; i++)
      read_parameter (structure, pairs[i]);
  }
}

/* RFC 8285 5: id ["/" direction] SP URI [SP attributes]; 15 is reserved. */
static gboolean
is_extmap (const gchar *value)
{
  gchar *rest;
  guint64 id;

  if (!g_ascii_isdigit (*value))
    return FALSE;
  id = g_ascii_strtoull (value, &rest, 10);
  if (*rest == '/') {
    value = rest + 1;
    rest = strchr (value, ' ');
    if (!rest || rest == value)
      return FALSE;
  }
  return *rest == ' ' && rest[strspn (rest, " ")] != '\0' && id >= 1 &&
      id <= 9999 && id != 15;
}

/* (transfer full) the lines that hold for all payloads and travel in caps. */
static GstSDPMedia *
pick_common (const GstSDPMedia *media)
{
  GstSDPMedia *picked;
  guint i, n_lines = 0;

  gst_sdp_media_new (&picked);
  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    const gboolean is_good = g_str_equal (attribute->key, "extmap")
        ? is_extmap (attribute->value)
        : g_strv_contains (gst_ice_sdp_attributes, attribute->key) &&
            *attribute->value != '\0';

    if (is_good && n_lines++ < MAX_LINES)
      gst_sdp_media_add_attribute (picked, attribute->key, attribute->value);
  }
  for (i = 0; i < gst_sdp_media_bandwidths_len (media); i++) {
    const GstSDPBandwidth *b = gst_sdp_media_get_bandwidth (media, i);

    if (b->bwtype && b->bandwidth > 0 && b->bandwidth <= G_MAXINT32)
      gst_sdp_media_add_bandwidth (picked, b->bwtype, b->bandwidth);
  }
  return picked;
}

static void
read_bandwidths (GstStructure *structure, const GstSDPMedia *media)
{
  guint i;

  for (i = 0; i < gst_sdp_media_bandwidths_len (media); i++) {
    const GstSDPBandwidth *b = gst_sdp_media_get_bandwidth (media, i);
    g_autofree gchar *name = g_strconcat ("b-", b->bwtype, NULL);

    if (g_strv_contains (gst_ice_sdp_bandwidths, b->bwtype))
      gst_structure_set (structure, name, G_TYPE_UINT, b->bandwidth, NULL);
  }
}

/* (transfer full) (nullable) */
static GstCaps *
read_payload (
    const GstSDPMedia *media, const GstSDPMedia *common, guint payload)
{
  const GstRTPPayloadInfo *info = payload < FIRST_DYNAMIC_PAYLOAD
      ? gst_rtp_payload_info_for_pt (payload)
      : NULL;
  GstSDPMedia *picked = pick_payload (media, payload);
  g_autoptr (GstCaps) caps = NULL;
  GstStructure *structure;

  if (gst_sdp_media_get_attribute_val (picked, "rtpmap") ||
      (info && info->clock_rate > 0))
    caps = gst_sdp_media_get_caps_from_media (picked, (gint) payload);
  gst_sdp_media_free (picked);
  if (!caps)
    return NULL;

  caps = gst_caps_make_writable (caps);
  structure = gst_caps_get_structure (caps, 0);
  gst_structure_set_name (structure, "application/x-rtp");
  /* As GStreamer writes it: "CelB" is CELB in caps. */
  if (info && !gst_structure_has_field (structure, "encoding-name")) {
    g_autofree gchar *name = g_ascii_strup (info->encoding_name, -1);

    gst_structure_set (structure, "encoding-name", G_TYPE_STRING, name, NULL);
  }
  read_parameters (structure, media, payload);
  gst_sdp_media_attributes_to_caps (common, caps);
  read_bandwidths (structure, common);
  return g_steal_pointer (&caps);
}

/* Payloads that only help another one. */
static gboolean
is_helper (const GstStructure *structure)
{
  static const gchar *const names[] = { "RTX", "RED", "ULPFEC", "FLEXFEC-03",
    "TELEPHONE-EVENT", "CN" };
  const gchar *name = gst_structure_get_string (structure, "encoding-name");
  guint i;

  for (i = 0; name && i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      return TRUE;
  return FALSE;
}

/* Takes @all: the first that is media stands for the section. */
static void
take_caps (GstIceSection *self, GstCaps *all)
{
  guint i, n = gst_caps_get_size (all), first = 0;

  while (first + 1 < n && is_helper (gst_caps_get_structure (all, first)))
    first++;
  if (is_helper (gst_caps_get_structure (all, first)))
    first = 0;
  gst_clear_caps (&self->caps);
  self->caps = gst_caps_copy_nth (all, first);
  gst_caps_take (&self->all_caps, all);

  if (gst_structure_has_name (
          gst_caps_get_structure (all, 0), "application/x-rtp")) {
    GString *formats = g_string_new (NULL);

    for (i = 0; i < n; i++) {
      gint payload = 0;

      gst_structure_get_int (
          gst_caps_get_structure (all, i), "payload", &payload);
      g_string_append_printf (formats, "%s%d", i ? " " : "", payload);
    }
    g_free (self->formats);
    self->formats = g_string_free (formats, FALSE);
  }
}

static gboolean
is_rtp (const GstIceSection *self)
{
  return self->proto && strstr (self->proto, "RTP/") != NULL;
}

void
gst_ice_section_read_caps (GstIceSection *self, const GstSDPMedia *media)
{
  gboolean seen[MAX_PAYLOAD + 1] = { FALSE };
  g_autoptr (GstCaps) all = gst_caps_new_empty ();
  GstSDPMedia *common;
  guint i;

  if (!is_rtp (self)) {
    take_caps (self, gst_caps_new_empty_simple ("application/x-gst-ice"));
    return;
  }
  common = pick_common (media);
  for (i = 0; i < gst_sdp_media_formats_len (media); i++) {
    GstCaps *caps;
    guint64 payload;

    if (!g_ascii_string_to_unsigned (gst_sdp_media_get_format (media, i), 10, 0,
            MAX_PAYLOAD, &payload, NULL) ||
        seen[payload])
      continue;
    seen[payload] = TRUE;
    caps = read_payload (media, common, (guint) payload);
    if (caps)
      gst_caps_append (all, caps);
    else
      GST_INFO ("payload %u of m-line %u says nothing we know", (guint) payload,
          self->index);
  }
  gst_sdp_media_free (common);
  if (!gst_caps_is_empty (all))
    take_caps (self, g_steal_pointer (&all));
}

/* From caps */

static gboolean
check_string (GQuark field, const GValue *value, gpointer user_data)
{
  const gchar **bad = user_data;
  const gchar *text;

  if (!G_VALUE_HOLDS_STRING (value))
    return TRUE;
  text = g_value_get_string (value);
  if (!text || *text == '\0' || gst_ice_sdp_is_text (text))
    return TRUE;
  *bad = g_quark_to_string (field);
  return FALSE;
}

static gboolean
check_structure (
    const GstIceSection *self, const GstStructure *structure, GError **error)
{
  const gchar *media = gst_structure_get_string (structure, "media");
  const gchar *bad = NULL;
  gint payload, clock_rate;

  if (!media || !gst_ice_sdp_is_token (media))
    bad = "media";
  else if (!gst_structure_get_int (structure, "payload", &payload) ||
      payload < 0 || payload > MAX_PAYLOAD)
    bad = "payload";
  else if (!gst_structure_get_int (structure, "clock-rate", &clock_rate) ||
      clock_rate <= 0)
    bad = "clock-rate";
  else
    gst_structure_foreach (structure, check_string, &bad);

  if (bad) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "RTP caps make no m-line: field \"%s\" is missing or not one value "
        "that fits",
        bad);
    return FALSE;
  }
  if (self->media && g_ascii_strcasecmp (self->media, media) != 0) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "The m-line is about %s, the caps are %s", self->media, media);
    return FALSE;
  }
  return TRUE;
}

gboolean
gst_ice_section_set_caps (
    GstIceSection *self, const GstCaps *caps, GError **error)
{
  const gboolean rtp = !gst_caps_is_any (caps) && !gst_caps_is_empty (caps) &&
      gst_structure_has_name (
          gst_caps_get_structure (caps, 0), "application/x-rtp");
  guint i;

  if (self->proto && rtp != is_rtp (self)) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "Caps that are %sRTP do not fit an m-line of %s", rtp ? "" : "not ",
        self->proto);
    return FALSE;
  }
  if (!rtp) {
    take_caps (self, gst_caps_new_empty_simple ("application/x-gst-ice"));
    return TRUE;
  }
  for (i = 0; i < gst_caps_get_size (caps); i++)
    if (!check_structure (self, gst_caps_get_structure (caps, i), error))
      return FALSE;
  take_caps (self, gst_ice_caps_with_rtx (caps));
  return TRUE;
}

static void
copy_string (gchar **to, const gchar *from)
{
  g_free (*to);
  *to = g_strdup (from);
}

void
gst_ice_section_answer (GstIceSection *self, const GstIceSection *offered)
{
  copy_string (&self->mid, offered->mid);
  copy_string (&self->media, offered->media);
  copy_string (&self->proto, offered->proto);
  copy_string (&self->formats, offered->formats);
  self->bundle_tag = offered->bundle_tag;
  self->bundled = offered->bundled;
  self->rtcp_mux = offered->rtcp_mux;
}
