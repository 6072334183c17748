/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticedescription-private.h"

#include "base/crypto.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* Far beyond what any peer writes; what it costs to read stays small. */
#define MAX_SIZE (64 * 1024)
#define MAX_SECTIONS 64
#define MAX_CANDIDATES 100 /* for each component of a section */

/* RFC 8839 5.1: component-id is 1 to 256. */
#define MAX_COMPONENT 256

static void
section_free (GstIceSection *self)
{
  g_free (self->mid);
  g_free (self->media);
  g_free (self->proto);
  g_free (self->formats);
  gst_clear_caps (&self->caps);
  gst_clear_caps (&self->all_caps);
  g_free (self->ufrag);
  ice_secret_free (self->pwd);
  g_ptr_array_unref (self->candidates);
  g_free (self->fingerprint);
  g_free (self->setup);
  g_free (self);
}

GstIceDescription *
gst_ice_description_new (void)
{
  GstIceDescription *self = g_new0 (GstIceDescription, 1);

  self->sections =
      g_ptr_array_new_with_free_func ((GDestroyNotify) section_free);
  return self;
}

void
gst_ice_description_free (GstIceDescription *self)
{
  g_free (self->user_name);
  g_ptr_array_unref (self->sections);
  g_free (self);
}

GstIceSection *
gst_ice_description_add_section (GstIceDescription *self)
{
  GstIceSection *section = g_new0 (GstIceSection, 1);

  section->index = self->sections->len;
  section->send = section->receive = TRUE;
  section->rtcp_mux = TRUE;
  section->candidates =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);
  g_ptr_array_add (self->sections, section);
  return section;
}

/* One attribute, of the section or else of the session */

typedef struct
{
  const GstSDPMessage *message;
  const GstSDPMedia *media;
} Source;

static const gchar *
find_value (const Source *source, const gchar *key)
{
  const gchar *value = gst_sdp_media_get_attribute_val (source->media, key);

  return value ? value
               : gst_sdp_message_get_attribute_val (source->message, key);
}

/* (transfer full) (nullable) without the spaces around it. */
static gchar *
dup_value (const Source *source, const gchar *key)
{
  const gchar *value = find_value (source, key);

  return value ? g_strstrip (g_strdup (value)) : NULL;
}

/* (transfer full) (nullable) only what @is_valid takes. */
static gchar *
dup_valid (const Source *source, const gchar *key,
    gboolean (*is_valid) (const gchar *text))
{
  g_autofree gchar *value = dup_value (source, key);

  if (value && !is_valid (value)) {
    GST_WARNING ("a=%s of section is not what the grammar has: left out", key);
    return NULL;
  }
  return g_steal_pointer (&value);
}

/* Digits alone, as the grammars have them. */
static gboolean
parse_number (const gchar *text, guint64 max, guint64 *ret_value)
{
  return text && g_ascii_isdigit (text[0]) &&
      g_ascii_string_to_unsigned (text, 10, 0, max, ret_value, NULL);
}

/* One section */

static void
read_direction (GstIceSection *self, const Source *source)
{
  /* RFC 8866 6.7: sendrecv is the default. */
  self->send = self->receive = TRUE;
  if (gst_sdp_media_get_attribute_val (source->media, "sendrecv"))
    return;
  if (gst_sdp_media_get_attribute_val (source->media, "sendonly"))
    self->receive = FALSE;
  else if (gst_sdp_media_get_attribute_val (source->media, "recvonly"))
    self->send = FALSE;
  else if (gst_sdp_media_get_attribute_val (source->media, "inactive"))
    self->send = self->receive = FALSE;
  else if (gst_sdp_message_get_attribute_val (source->message, "sendonly"))
    self->receive = FALSE;
  else if (gst_sdp_message_get_attribute_val (source->message, "recvonly"))
    self->send = FALSE;
  else if (gst_sdp_message_get_attribute_val (source->message, "inactive"))
    self->send = self->receive = FALSE;
}

/* RFC 8839 5.6 parts the words by spaces, libjuice by commas. */
static void
read_options (GstIceSection *self, const gchar *value)
{
  g_auto (GStrv) words = g_strsplit_set (value ? value : "", " ,", -1);
  guint i;

  for (i = 0; words[i]; i++) {
    if (g_str_equal (words[i], "ice2"))
      self->ice2 = TRUE;
    else if (g_str_equal (words[i], "trickle"))
      self->trickle = TRUE;
    else if (g_str_equal (words[i], "renomination"))
      self->renomination = TRUE;
  }
}

/* Takes @candidate; @n_of_component counts. */
static void
add_candidate (
    GstIceSection *self, IceCandidate *candidate, guint8 *n_of_component)
{
  if (n_of_component[candidate->component] == MAX_CANDIDATES) {
    GST_WARNING ("more than %d candidates for component %u: the rest is left "
                 "out",
        MAX_CANDIDATES, candidate->component);
    ice_candidate_unref (candidate);
    return;
  }
  n_of_component[candidate->component]++;
  g_ptr_array_add (self->candidates, candidate);
}

static void
read_candidates (GstIceSection *self, const GstSDPMedia *media)
{
  guint8 n_of_component[MAX_COMPONENT + 1] = { 0 };

  /* RFC 8839 5.1: a media-level attribute only. */
  for (guint i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    IceCandidate *candidates[2];
    const gchar *reason = NULL;
    guint n = 0;

    if (g_str_equal (attribute->key, "alt"))
      n = ice_candidate_parse_alt (attribute->value, candidates);
    else if (!g_str_equal (attribute->key, "candidate"))
      continue;
    else if (ice_candidate_parse (attribute->value, candidates, &reason) ==
        ICE_CANDIDATE_PARSE_OK)
      n = 1;
    if (n == 0)
      GST_INFO ("candidate left out: %s", reason ? reason : "no a=alt line");
    for (guint j = 0; j < n; j++)
      add_candidate (self, candidates[j], n_of_component);
  }
}

/* NONE stays where nothing can be sent: 0.0.0.0, names, multicast. */
static void
read_address (IceAddress *ret_address, const gchar *host, guint64 port)
{
  IceAddress address;

  if (host && port <= G_MAXUINT16 &&
      ice_address_parse (&address, host, (guint16) port) &&
      address.scope == 0 && ice_address_is_usable (&address))
    *ret_address = address;
}

static const gchar *
find_host (const Source *source)
{
  const GstSDPConnection *connection =
      gst_sdp_media_connections_len (source->media) > 0
      ? gst_sdp_media_get_connection (source->media, 0)
      : gst_sdp_message_get_connection (source->message);

  return connection && g_strcmp0 (connection->nettype, "IN") == 0
      ? connection->address
      : NULL;
}

/* RFC 3605 2.1: "a=rtcp:" port [nettype addrtype address]. */
static void
read_rtcp_address (GstIceSection *self, const Source *source)
{
  const gchar *value = gst_sdp_media_get_attribute_val (source->media, "rtcp");

  if (value) {
    g_auto (GStrv) words = g_strsplit (value, " ", 5);
    const guint n = g_strv_length (words);
    guint64 port;

    if (n > 0 && parse_number (g_strstrip (words[0]), G_MAXUINT16, &port))
      read_address (&self->rtcp_address,
          n >= 4 ? g_strstrip (words[3]) : find_host (source), port);
  } else if (!self->rtcp_mux && self->address.family != ICE_FAMILY_NONE &&
      self->address.port < G_MAXUINT16) {
    /* RFC 3550 11: RTCP has the next port. */
    self->rtcp_address = self->address;
    self->rtcp_address.port++;
  }
}

static void
read_ice (GstIceSection *self, const Source *source)
{
  self->ufrag = dup_valid (source, "ice-ufrag", ice_is_valid_ufrag);
  self->pwd = dup_valid (source, "ice-pwd", ice_is_valid_pwd);
  self->mismatch =
      gst_sdp_media_get_attribute_val (source->media, "ice-mismatch") != NULL;
  read_options (
      self, gst_sdp_message_get_attribute_val (source->message, "ice-options"));
  read_options (
      self, gst_sdp_media_get_attribute_val (source->media, "ice-options"));
  read_candidates (self, source->media);
  self->end_of_candidates = find_value (source, "end-of-candidates") != NULL;
  self->fingerprint = dup_valid (source, "fingerprint", gst_ice_sdp_is_text);
  self->setup = dup_valid (source, "setup", gst_ice_sdp_is_token);
}

/* RFC 8866 9: proto = token *("/" token). */
static gboolean
is_proto (const gchar *text)
{
  g_auto (GStrv) words = g_strsplit (text, "/", -1);
  guint i;

  for (i = 0; words[i]; i++)
    if (!gst_ice_sdp_is_token (words[i]))
      return FALSE;
  return i > 0;
}

/* The m-line itself. */
static gboolean
read_line (GstIceSection *self, const GstSDPMedia *media, GError **error)
{
  GString *formats = g_string_new (NULL);
  guint i;

  for (i = 0; i < gst_sdp_media_formats_len (media); i++) {
    const gchar *format = gst_sdp_media_get_format (media, i);

    if (gst_ice_sdp_is_token (format))
      g_string_append_printf (formats, "%s%s", formats->len ? " " : "", format);
  }
  self->formats = g_string_free (formats, FALSE);
  self->media = g_strdup (gst_sdp_media_get_media (media));
  self->proto = g_strdup (gst_sdp_media_get_proto (media));
  if (self->formats[0] != '\0' && gst_ice_sdp_is_token (self->media) &&
      is_proto (self->proto))
    return TRUE;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
      "m-line %u is not \"m=MEDIA PORT PROTOCOL FORMAT...\"", self->index);
  return FALSE;
}

static gboolean
read_section (GstIceSection *self, const Source *source, GError **error)
{
  g_autofree gchar *mid =
      g_strdup (gst_sdp_media_get_attribute_val (source->media, "mid"));
  const guint port = gst_sdp_media_get_port (source->media);

  if (!read_line (self, source->media, error))
    return FALSE;
  if (mid && gst_ice_sdp_is_token (g_strstrip (mid)))
    self->mid = g_steal_pointer (&mid);
  self->rtcp_mux =
      gst_sdp_media_get_attribute_val (source->media, "rtcp-mux") != NULL;
  self->bundle_only = port == 0 &&
      gst_sdp_media_get_attribute_val (source->media, "bundle-only") != NULL;
  /* RFC 3264 6: port 0 refuses. What else such a section says is moot. */
  self->rejected = port == 0 && !self->bundle_only;
  if (self->rejected) {
    self->send = self->receive = FALSE;
    return TRUE;
  }
  read_direction (self, source);
  read_address (&self->address, find_host (source), port);
  read_rtcp_address (self, source);
  read_ice (self, source);
  gst_ice_section_read_caps (self, source->media);
  return TRUE;
}

/* The sections together */

static GstIceSection *
find_section (GstIceDescription *self, const gchar *mid)
{
  guint i;

  for (i = 0; i < self->sections->len; i++) {
    GstIceSection *section = g_ptr_array_index (self->sections, i);

    if (g_strcmp0 (section->mid, mid) == 0)
      return section;
  }
  return NULL;
}

static void
inherit (gchar **value, const gchar *from)
{
  if (!*value)
    *value = g_strdup (from);
}

/* RFC 8843 7.1: what concerns the transport stands in the first section of the
 * group and need not be repeated. */
static void
add_to_bundle (GstIceSection *self, const GstIceSection *tag)
{
  self->bundled = TRUE;
  inherit (&self->ufrag, tag->ufrag);
  inherit (&self->pwd, tag->pwd);
  inherit (&self->fingerprint, tag->fingerprint);
  inherit (&self->setup, tag->setup);
}

static void
read_bundle (GstIceDescription *self, const gchar *mids)
{
  g_auto (GStrv) words = g_strsplit (mids, " ", MAX_SECTIONS + 1);
  GstIceSection *tag = NULL;
  guint i;

  for (i = 0; words[i]; i++) {
    GstIceSection *section = find_section (self, words[i]);

    if (!section || section->rejected || section->bundled || section == tag)
      continue;
    if (tag) {
      add_to_bundle (section, tag);
    } else if (!section->bundle_only) {
      section->bundle_tag = TRUE;
      tag = section;
    }
  }
}

static void
reject (GstIceSection *self)
{
  self->rejected = TRUE;
  self->bundle_only = FALSE;
  self->send = self->receive = FALSE;
  gst_clear_caps (&self->caps);
  gst_clear_caps (&self->all_caps);
  g_ptr_array_set_size (self->candidates, 0);
}

static void
read_session (GstIceDescription *self, const GstSDPMessage *message)
{
  const gchar *group, *pacing;
  gboolean ice_lite;
  guint64 pacing_ms = 0;
  guint i;

  for (i = 0; (group = gst_sdp_message_get_attribute_val_n (
                   message, "group", i)) != NULL;
       i++) {
    if (g_str_has_prefix (group, "BUNDLE ")) {
      read_bundle (self, group + strlen ("BUNDLE "));
      break;
    }
  }

  ice_lite = gst_sdp_message_get_attribute_val (message, "ice-lite") != NULL;
  /* RFC 8839 5.5: pacing-value is 1*10DIGIT; 4.2.1: none of a lite agent. */
  pacing = gst_sdp_message_get_attribute_val (message, "ice-pacing");
  if (ice_lite || !parse_number (pacing, G_MAXUINT32, &pacing_ms))
    pacing_ms = 0;
  for (i = 0; i < self->sections->len; i++) {
    GstIceSection *section = g_ptr_array_index (self->sections, i);

    section->pacing = (guint) pacing_ms;
    section->ice_lite = ice_lite;
    /* RFC 8843 6: port 0 with bundle-only means something in a bundle alone. */
    if (section->bundle_only && !section->bundled)
      reject (section);
  }
}

static void
read_origin (GstIceDescription *self, const GstSDPOrigin *origin)
{
  if (origin->username && gst_ice_sdp_is_text (origin->username))
    self->user_name = g_strdup (origin->username);
  parse_number (origin->sess_id, G_MAXUINT64, &self->session_id);
  parse_number (origin->sess_version, G_MAXUINT64, &self->version);
}

/* Before anything is taken apart. */
static gboolean
check_text (const gchar *sdp, GError **error)
{
  const gsize size = strnlen (sdp, MAX_SIZE + 1);
  const gchar *p;

  if (size > MAX_SIZE) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "The session description is larger than %d bytes", MAX_SIZE);
    return FALSE;
  }
  for (p = sdp; *p; p++) {
    if (g_ascii_iscntrl (*p) && !strchr ("\r\n\t", *p))
      break;
  }
  if (*p || !g_utf8_validate (sdp, (gssize) size, NULL)) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "The session description is not plain UTF-8 text");
    return FALSE;
  }
  /* RFC 8866 5: v= comes first. */
  if (!g_str_has_prefix (sdp + strspn (sdp, "\r\n\t "), "v=0")) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "A session description begins with \"v=0\"");
    return FALSE;
  }
  return TRUE;
}

GstIceDescription *
gst_ice_description_parse (const gchar *sdp, GError **error)
{
  g_autoptr (GstIceDescription) self = NULL;
  g_autoptr (GstSDPMessage) message = NULL;
  guint n_sections, i;

  gst_ice_log_init ();
  if (!check_text (sdp, error))
    return NULL;
  gst_sdp_message_new (&message);
  gst_sdp_message_parse_buffer (
      (const guint8 *) sdp, (guint) strlen (sdp), message);
  n_sections = gst_sdp_message_medias_len (message);
  if (n_sections > MAX_SECTIONS) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "The session description has %u m-lines, more than %d", n_sections,
        MAX_SECTIONS);
    return NULL;
  }

  self = gst_ice_description_new ();
  read_origin (self, gst_sdp_message_get_origin (message));
  for (i = 0; i < n_sections; i++) {
    const Source source = { message, gst_sdp_message_get_media (message, i) };
    GstIceSection *section = gst_ice_description_add_section (self);
    g_autofree gchar *mid = NULL;

    if (!read_section (section, &source, error))
      return NULL;
    /* RFC 5888 4: unique. The second one has none. */
    mid = g_steal_pointer (&section->mid);
    if (mid && !find_section (self, mid))
      section->mid = g_steal_pointer (&mid);
  }
  read_session (self, message);
  return g_steal_pointer (&self);
}
