/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of a description, one by one, with our own readers and without
 * those of GstSDP, which are ten times slower: fuzz-description has both. */
#include "gst/ice/gsticedescription.c"
#include "gst/ice/gsticedescription-caps.c"

#include "target.h"

/* What a line can be read by takes this. */
typedef struct
{
  GstIceDescription *description; /* (owned) */
  GstIceSection *section;
  GstSDPMessage *message;
  GstSDPMedia media;
  Source source;
  GstStructure *structure;
  guint n_parameters;
} Bench;

static void
check_word (const gchar *text)
{
  if (gst_ice_sdp_is_token (text))
    g_assert_true (gst_ice_sdp_is_text (text));
  if (is_proto (text))
    g_assert_null (strpbrk (text, " \t\r\n:;="));
  if (gst_ice_sdp_is_parameter (text))
    g_assert_cmpuint (strlen (text), <=, MAX_NAME);
}

/* Lines that begin with a payload. */
static void
read_of_payload (Bench *self, const gchar *key, const gchar *value)
{
  const guint payload = (guint) (g_ascii_strtoull (value, NULL, 10) % 128);
  const gchar *rest = skip_payload (value, payload);

  if (!rest)
    return;
  g_assert_true (rest > value && rest <= value + strlen (value));
  if (g_str_equal (key, "rtpmap") && is_rtpmap (rest)) {
    g_assert_nonnull (strchr (rest, '/'));
    g_assert_null (strpbrk (rest, " \t"));
  } else if (g_str_equal (key, "rtcp-fb") && is_feedback (rest)) {
    g_assert_cmpuint (strlen (rest), <=, MAX_NAME);
  } else if (g_str_equal (key, "fmtp") && self->n_parameters < MAX_LINES) {
    g_autofree gchar *pair = g_strndup (rest, strcspn (rest, ";"));

    self->n_parameters++;
    read_parameter (self->structure, pair);
  }
}

static void
read_one_candidate (Bench *self)
{
  g_ptr_array_set_size (self->section->candidates, 0);
  read_candidates (self->section, &self->media);
  g_assert_cmpuint (self->section->candidates->len, <=, 1);
}

static void
read_rtcp (Bench *self)
{
  self->section->rtcp_address = ICE_ADDRESS_NONE;
  read_rtcp_address (self->section, &self->source);
  g_assert_true (self->section->rtcp_address.family == ICE_FAMILY_NONE ||
      ice_address_is_usable (&self->section->rtcp_address));
}

/* One that must satisfy its grammar or is not there. */
static void
read_valid (Bench *self, const gchar *key)
{
  static const struct
  {
    const gchar *key;
    gboolean (*is_valid) (const gchar *text);
  } rows[] = {
    { "ice-ufrag", ice_is_valid_ufrag },
    { "ice-pwd", ice_is_valid_pwd },
    { "fingerprint", gst_ice_sdp_is_text },
    { "setup", gst_ice_sdp_is_token },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *value = NULL;

    if (!g_str_equal (key, rows[i].key))
      continue;
    value = dup_valid (&self->source, key, rows[i].is_valid);
    g_assert_true (!value || rows[i].is_valid (value));
  }
}

static void
read_attribute (Bench *self, const gchar *key, const gchar *value)
{
  guint64 pacing = 0;

  /* Others are refused before anything is taken apart: check_text(). */
  if (*value && !gst_ice_sdp_is_text (value))
    return;
  check_word (value);
  if (g_str_equal (key, "rtpmap") || g_str_equal (key, "rtcp-fb") ||
      g_str_equal (key, "fmtp")) {
    read_of_payload (self, key, value);
    return;
  }
  if (g_str_equal (key, "extmap")) {
    if (is_extmap (value))
      g_assert_nonnull (strchr (value, ' '));
    return;
  }
  if (g_str_equal (key, "ice-options")) {
    read_options (self->section, value);
    return;
  }
  if (g_str_equal (key, "ice-pacing")) {
    if (parse_number (value, G_MAXUINT32, &pacing))
      g_assert_cmpuint (pacing, <=, G_MAXUINT32);
    return;
  }
  gst_sdp_media_add_attribute (&self->media, key, value);
  if (g_str_equal (key, "candidate"))
    read_one_candidate (self);
  else if (g_str_equal (key, "rtcp"))
    read_rtcp (self);
  else if (g_str_has_prefix (key, "send") || g_str_has_prefix (key, "recv"))
    read_direction (self->section, &self->source);
  else
    read_valid (self, key);
  gst_sdp_media_remove_attribute (&self->media, 0);
}

static void
read_lines (Bench *self, gchar *text)
{
  gchar *line, *value;

  while (text && *text) {
    line = text;
    text = strchr (text, '\n');
    if (text)
      *text++ = '\0';
    value = strchr (line, ':');
    if (value)
      *value++ = '\0';
    read_attribute (self, line, value ? value : "");
  }
}

static void
bench_init (Bench *self)
{
  gst_init (NULL, NULL);
  gst_ice_log_init ();
  self->description = gst_ice_description_new ();
  gst_sdp_message_new (&self->message);
  gst_sdp_media_init (&self->media);
  gst_sdp_media_add_connection (&self->media, "IN", "IP4", "192.0.2.1", 0, 0);
  self->section = gst_ice_description_add_section (self->description);
  self->source = (Source){ self->message, &self->media };
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static Bench bench;
  g_autofree gchar *text = g_strndup (size ? (const gchar *) data : "", size);

  if (!bench.section)
    bench_init (&bench);
  check_text (text, NULL);
  bench.structure = gst_structure_new_empty ("application/x-rtp");
  bench.n_parameters = 0;
  read_lines (&bench, text);
  gst_structure_free (bench.structure);
  return 0;
}
