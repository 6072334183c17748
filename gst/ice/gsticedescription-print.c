/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticedescription-private.h"

#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* RFC 8839 4.2.4.1 and RFC 8840 4.1.1: where the default destination is not
 * known yet, port 9 of the unspecified address stands for it. */
#define DISCARD_PORT 9

gboolean
gst_ice_sdp_is_text (const gchar *text)
{
  const gchar *p;

  for (p = text; *p; p++)
    if (g_ascii_iscntrl (*p) && *p != '\t')
      return FALSE;
  return p != text && g_utf8_validate (text, -1, NULL);
}

gboolean
gst_ice_sdp_is_token (const gchar *text)
{
  const gchar *p;

  for (p = text; *p; p++)
    if (!g_ascii_isalnum (*p) && !strchr ("!#$%&'*+-.^_`{|}~", *p))
      return FALSE;
  return p != text;
}

/* Only what may stand there: a value never adds a line. */
static void
add_attribute (GstSDPMedia *media, const gchar *key, const gchar *value,
    gboolean (*is_valid) (const gchar *text))
{
  if (!value)
    return;
  if (is_valid (value))
    gst_sdp_media_add_attribute (media, key, value);
  else
    GST_WARNING ("a=%s does not fit into a session description: left out", key);
}

static void
add_flag (GstSDPMedia *media, const gchar *key, gboolean set)
{
  if (set)
    gst_sdp_media_add_attribute (media, key, NULL);
}

/* The session */

static gchar *
make_options (const GstIceSection *section)
{
  GString *words = g_string_new (NULL);

  if (section->ice2)
    g_string_append (words, " ice2");
  if (section->trickle)
    g_string_append (words, " trickle");
  if (section->renomination)
    g_string_append (words, " renomination");
  if (words->len > 0)
    g_string_erase (words, 0, 1);
  return g_string_free (words, FALSE);
}

/* (transfer full) (nullable) what all sections that live say alike. */
static gchar *
make_common_options (const GstIceDescription *self)
{
  g_autofree gchar *common = NULL;
  guint i;

  for (i = 0; i < self->sections->len; i++) {
    const GstIceSection *section = g_ptr_array_index (self->sections, i);
    g_autofree gchar *options = NULL;

    if (section->rejected)
      continue;
    options = make_options (section);
    if (!common)
      common = g_steal_pointer (&options);
    else if (!g_str_equal (common, options))
      return NULL;
  }
  return common && *common ? g_steal_pointer (&common) : NULL;
}

static const GstIceSection *
find_bundle_tag (const GstIceDescription *self)
{
  const GstIceSection *first = NULL;
  gboolean any = FALSE;
  guint i;

  for (i = 0; i < self->sections->len; i++) {
    const GstIceSection *section = g_ptr_array_index (self->sections, i);

    if (section->rejected || !section->mid)
      continue;
    if (section->bundle_tag)
      return section;
    if (section->bundled)
      any = TRUE;
    else if (!first)
      first = section;
  }
  return any ? first : NULL;
}

/* RFC 8843 5: "a=group:BUNDLE" and the mids, first the one that counts. */
static void
print_bundle (const GstIceDescription *self, GstSDPMessage *message)
{
  const GstIceSection *tag = find_bundle_tag (self);
  GString *group;
  guint i;

  if (!tag || !gst_ice_sdp_is_token (tag->mid))
    return;
  group = g_string_new ("BUNDLE ");
  g_string_append (group, tag->mid);
  for (i = 0; i < self->sections->len; i++) {
    const GstIceSection *section = g_ptr_array_index (self->sections, i);

    if (section != tag && section->bundled && !section->rejected &&
        section->mid && gst_ice_sdp_is_token (section->mid))
      g_string_append_printf (group, " %s", section->mid);
  }
  gst_sdp_message_add_attribute (message, "group", group->str);
  g_string_free (group, TRUE);
}

static void
print_session (const GstIceDescription *self, GstSDPMessage *message,
    const gchar *common_options)
{
  gboolean ice_lite = FALSE;
  guint pacing = 0, i;

  for (i = 0; i < self->sections->len; i++) {
    const GstIceSection *section = g_ptr_array_index (self->sections, i);

    ice_lite |= section->ice_lite;
    if (pacing == 0)
      pacing = section->pacing;
  }
  /* RFC 8839 5.3: a session-level attribute only. */
  if (ice_lite)
    gst_sdp_message_add_attribute (message, "ice-lite", NULL);
  print_bundle (self, message);
  if (common_options)
    gst_sdp_message_add_attribute (message, "ice-options", common_options);
  /* RFC 8839 4.2.1: a lite agent MUST NOT say it. */
  if (pacing != 0 && !ice_lite) {
    g_autofree gchar *ms = g_strdup_printf ("%u", pacing);

    gst_sdp_message_add_attribute (message, "ice-pacing", ms);
  }
}

/* A section */

static const gchar *
get_direction (const GstIceSection *self)
{
  if (self->send)
    return self->receive ? "sendrecv" : "sendonly";
  return self->receive ? "recvonly" : "inactive";
}

static void
print_address (const GstIceSection *self, GstSDPMedia *media)
{
  const IceAddress *address = &self->address;
  gchar ip[ICE_ADDRESS_STRLEN];
  guint port = DISCARD_PORT;

  if (self->rejected || address->family == ICE_FAMILY_NONE) {
    gst_sdp_media_add_connection (media, "IN", "IP4", "0.0.0.0", 0, 0);
  } else {
    gst_sdp_media_add_connection (media, "IN",
        address->family == ICE_FAMILY_IPV6 ? "IP6" : "IP4",
        ice_address_ip_to_string (address, ip), 0, 0);
    port = address->port;
  }
  if (self->rejected || self->bundle_only)
    port = 0;
  gst_sdp_media_set_port_info (media, port, 0);
}

/* RFC 3605 2.1; not where port + 1 says the same. */
static void
print_rtcp (const GstIceSection *self, GstSDPMedia *media)
{
  const IceAddress *rtcp = &self->rtcp_address;
  g_autofree gchar *value = NULL;
  gchar ip[ICE_ADDRESS_STRLEN];

  if (rtcp->family == ICE_FAMILY_NONE) {
    /* With two components that are still to come, RFC 8840 4.1.1. */
    if (!self->rtcp_mux && self->address.family != ICE_FAMILY_NONE)
      value = g_strdup_printf ("%u IN IP4 0.0.0.0", DISCARD_PORT);
  } else if (self->rtcp_mux || !ice_address_same_ip (rtcp, &self->address) ||
      rtcp->port != self->address.port + 1) {
    value = g_strdup_printf ("%u IN %s %s", rtcp->port,
        rtcp->family == ICE_FAMILY_IPV6 ? "IP6" : "IP4",
        ice_address_ip_to_string (rtcp, ip));
  }
  if (value)
    gst_sdp_media_add_attribute (media, "rtcp", value);
}

static void
print_candidates (const GstIceSection *self, GstSDPMedia *media)
{
  guint i;

  for (i = 0; i < self->candidates->len; i++) {
    g_autofree gchar *line =
        ice_candidate_to_sdp (g_ptr_array_index (self->candidates, i));

    add_attribute (
        media, "candidate", line + strlen ("candidate:"), gst_ice_sdp_is_text);
  }
  add_flag (media, "end-of-candidates", self->end_of_candidates);
}

static void
print_ice (
    const GstIceSection *self, GstSDPMedia *media, const gchar *common_options)
{
  add_attribute (media, "ice-ufrag", self->ufrag, ice_is_valid_ufrag);
  add_attribute (media, "ice-pwd", self->pwd, ice_is_valid_pwd);
  if (!common_options) {
    g_autofree gchar *options = make_options (self);

    if (*options)
      gst_sdp_media_add_attribute (media, "ice-options", options);
  }
  add_attribute (media, "fingerprint", self->fingerprint, gst_ice_sdp_is_text);
  add_attribute (media, "setup", self->setup, gst_ice_sdp_is_token);
  add_flag (media, "ice-mismatch", self->mismatch);
  print_candidates (self, media);
}

static void
print_section (
    const GstIceSection *self, GstSDPMedia *media, const gchar *common_options)
{
  gst_ice_section_write_caps (self, media);
  print_address (self, media);
  add_attribute (media, "mid", self->mid, gst_ice_sdp_is_token);
  gst_sdp_media_add_attribute (media, get_direction (self), NULL);
  if (self->rejected)
    return;
  add_flag (media, "bundle-only", self->bundle_only);
  add_flag (media, "rtcp-mux", self->rtcp_mux);
  print_rtcp (self, media);
  print_ice (self, media, common_options);
}

gchar *
gst_ice_description_to_string (const GstIceDescription *self)
{
  g_autoptr (GstSDPMessage) message = NULL;
  g_autofree gchar *options = make_common_options (self);
  g_autofree gchar *id =
      g_strdup_printf ("%" G_GUINT64_FORMAT, self->session_id);
  g_autofree gchar *version =
      g_strdup_printf ("%" G_GUINT64_FORMAT, self->version);
  const gchar *user = self->user_name;
  guint i;

  gst_ice_log_init ();
  if (!user || !gst_ice_sdp_is_text (user) || strpbrk (user, " \t"))
    user = "-";
  gst_sdp_message_new (&message);
  gst_sdp_message_set_version (message, "0");
  /* RFC 8829 5.2.1: the address says nothing about the host. */
  gst_sdp_message_set_origin (
      message, user, id, version, "IN", "IP4", "127.0.0.1");
  gst_sdp_message_set_session_name (message, "-");
  gst_sdp_message_add_time (message, "0", "0", NULL);
  print_session (self, message, options);
  for (i = 0; i < self->sections->len; i++) {
    GstSDPMedia media = { 0 };

    gst_sdp_media_init (&media);
    print_section (g_ptr_array_index (self->sections, i), &media, options);
    gst_sdp_message_add_media (message, &media);
  }
  return gst_sdp_message_as_text (message);
}
