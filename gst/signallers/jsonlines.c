/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "jsonlines.h"

#include <string.h>

#include "json.h"

#define PREFIX "gst-ice1:"

void
gst_ice_line_free (GstIceLine *self)
{
  g_free (self->type);
  g_free (self->text);
  g_free (self->detail);
  g_free (self->mid);
  g_free (self->ufrag);
  g_free (self->id);
  g_free (self->host);
  g_free (self);
}

static GstIceLine *
line_new (GstIceLineKind kind, const gchar *type, const gchar *text)
{
  GstIceLine *line = g_new0 (GstIceLine, 1);

  line->kind = kind;
  line->type = g_strdup (type);
  line->text = g_strdup (text);
  line->mline_index = G_MAXUINT;
  return line;
}

static gboolean
is_description (const gchar *type)
{
  return g_strcmp0 (type, "offer") == 0 || g_strcmp0 (type, "answer") == 0 ||
      g_strcmp0 (type, "pranswer") == 0;
}

/* First of @name in the object itself, in its "ice" or in its "candidate": a
 * dictionary of its own with some neighbours. */
static const gchar *
find_string (GstIceJson *json, const gchar *name)
{
  static const gchar *const inside[] = { "", "ice.", "candidate." };
  const gchar *value = NULL;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (inside) && value == NULL; i++) {
    g_autofree gchar *path = g_strconcat (inside[i], name, NULL);

    value = gst_ice_json_get_string (json, path);
  }
  return value;
}

static guint
find_index (GstIceJson *json)
{
  static const gchar *const paths[] = { "sdpMLineIndex", "label",
    "ice.sdpMLineIndex", "candidate.sdpMLineIndex" };
  guint64 index;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (paths); i++)
    if (gst_ice_json_get_uint (json, paths[i], &index) && index < G_MAXUINT)
      return index;
  return G_MAXUINT;
}

static GstIceLine *
candidate_from (GstIceJson *json)
{
  const gchar *candidate = find_string (json, "candidate");
  const gchar *mid = find_string (json, "sdpMid");
  GstIceLine *line;

  if (candidate == NULL)
    return NULL;
  /* aiortc calls it "id". */
  if (mid == NULL)
    mid = gst_ice_json_get_string (json, "id");
  line = line_new (GST_ICE_LINE_CANDIDATE, NULL, candidate);
  line->mid = g_strdup (mid);
  line->mline_index = find_index (json);
  line->ufrag = g_strdup (find_string (json, "usernameFragment"));
  /* RFC 8829 3.5.2.1: one of the two must be there; one section is the rule. */
  if (line->mid == NULL && line->mline_index == G_MAXUINT)
    line->mline_index = 0;
  return line;
}

static GstIceLine *
hello_from (GstIceJson *json)
{
  GstIceLine *line = line_new (GST_ICE_LINE_HELLO, "hello", NULL);

  line->id = g_strdup (gst_ice_json_get_string (json, "id"));
  line->host = g_strdup (gst_ice_json_get_string (json, "host"));
  gst_ice_json_get_uint (json, "pid", &line->pid);
  return line;
}

static GstIceLine *
reject_from (GstIceJson *json)
{
  GstIceLine *line = line_new (
      GST_ICE_LINE_REJECT, "reject", gst_ice_json_get_string (json, "reason"));

  line->detail = g_strdup (gst_ice_json_get_string (json, "text"));
  line->id = g_strdup (gst_ice_json_get_string (json, "to"));
  return line;
}

static GstIceLine *
line_from (GstIceJson *json)
{
  const gchar *type = gst_ice_json_get_string (json, "type");
  const gchar *sdp = gst_ice_json_get_string (json, "sdp");
  GstIceLine *line;

  /* {"sdp":{"type":...,"sdp":...}} */
  if (sdp == NULL) {
    const gchar *inner = gst_ice_json_get_string (json, "sdp.sdp");

    if (inner != NULL) {
      sdp = inner;
      type = gst_ice_json_get_string (json, "sdp.type");
    }
  }
  if (is_description (type) && sdp != NULL) {
    line = line_new (GST_ICE_LINE_DESCRIPTION, type, sdp);
    line->id = g_strdup (gst_ice_json_get_string (json, "to"));
    return line;
  }
  if (g_strcmp0 (type, "bye") == 0)
    return line_new (
        GST_ICE_LINE_BYE, type, gst_ice_json_get_string (json, "reason"));
  if (g_strcmp0 (type, "reject") == 0)
    return reject_from (json);
  if (g_strcmp0 (type, "error") == 0)
    return line_new (
        GST_ICE_LINE_ERROR, type, gst_ice_json_get_string (json, "text"));
  if (g_strcmp0 (type, "hello") == 0)
    return hello_from (json);
  return candidate_from (json);
}

/* pion's examples print base64 of the dictionary. */
static GstIceJson *
parse_base64 (const gchar *text, gsize size)
{
  g_autofree gchar *copy = g_strndup (text, size);
  gsize n_bytes;

  if (strspn (copy,
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
          "=") != size ||
      size < 4)
    return NULL;
  g_base64_decode_inplace (copy, &n_bytes);
  return gst_ice_json_parse (copy, n_bytes);
}

GstIceLine *
gst_ice_line_parse (const gchar *line, gsize size)
{
  g_autoptr (GstIceJson) json = NULL;

  while (size > 0 && g_ascii_isspace (*line))
    line++, size--;
  if (size > strlen (PREFIX) && strncmp (line, PREFIX, strlen (PREFIX)) == 0) {
    line += strlen (PREFIX);
    size -= strlen (PREFIX);
  }
  while (size > 0 && g_ascii_isspace (*line))
    line++, size--;
  while (size > 0 && g_ascii_isspace (line[size - 1]))
    size--;

  if (size == 0 || memchr (line, '\0', size) != NULL)
    return NULL;
  json = *line == '{' ? gst_ice_json_parse (line, size)
                      : parse_base64 (line, size);
  return json != NULL ? line_from (json) : NULL;
}

gchar *
gst_ice_line_hello (const gchar *id, guint64 pid, const gchar *host)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "hello");
  gst_ice_json_add_string (json, "id", id);
  gst_ice_json_add_uint (json, "pid", pid);
  gst_ice_json_add_string (json, "host", host);
  return gst_ice_json_end (json);
}

gchar *
gst_ice_line_description (const gchar *type, const gchar *sdp, const gchar *to)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", type);
  gst_ice_json_add_string (json, "sdp", sdp);
  gst_ice_json_add_string (json, "to", to);
  return gst_ice_json_end (json);
}

gchar *
gst_ice_line_candidate (const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "candidate", candidate);
  gst_ice_json_add_string (json, "sdpMid", mid);
  gst_ice_json_add_uint (json, "sdpMLineIndex", mline_index);
  gst_ice_json_add_string (json, "usernameFragment", ufrag);
  return gst_ice_json_end (json);
}

gchar *
gst_ice_line_bye (const gchar *reason)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "bye");
  gst_ice_json_add_string (json, "reason", reason);
  return gst_ice_json_end (json);
}

gchar *
gst_ice_line_reject (const gchar *reason, const gchar *text, const gchar *to)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "reject");
  gst_ice_json_add_string (json, "reason", reason);
  gst_ice_json_add_string (json, "text", text);
  gst_ice_json_add_string (json, "to", to);
  return gst_ice_json_end (json);
}

gchar *
gst_ice_line_error (const gchar *text)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "error");
  gst_ice_json_add_string (json, "text", text);
  return gst_ice_json_end (json);
}

gchar *
gst_ice_line_wrap (gchar *line)
{
  g_autofree gchar *plain = line;
  g_autofree gchar *base64 = NULL;

  g_strchomp (plain);
  base64 = g_base64_encode ((const guchar *) plain, strlen (plain));
  return g_strconcat (PREFIX, base64, "\n", NULL);
}

void
gst_ice_line_deliver (
    const GstIceLine *self, GstIceSignaller *signaller, const gchar *raw_type)
{
  switch (self->kind) {
    case GST_ICE_LINE_HELLO:
      break;
    case GST_ICE_LINE_DESCRIPTION:
      gst_ice_signaller_emit_description (
          signaller, self->type != NULL ? self->type : raw_type, self->text);
      break;
    case GST_ICE_LINE_CANDIDATE:
      gst_ice_signaller_emit_candidate (
          signaller, self->mid, self->mline_index, self->text, self->ufrag);
      break;
    case GST_ICE_LINE_BYE:
      gst_ice_signaller_emit_bye (signaller, self->text);
      break;
    case GST_ICE_LINE_REJECT:
      gst_ice_signaller_emit_rejected (signaller, self->text, self->detail);
      break;
    case GST_ICE_LINE_ERROR:
      gst_ice_signaller_emit_peer_error (signaller, self->text);
      break;
  }
}

void
gst_ice_line_reader_init (GstIceLineReader *self)
{
  memset (self, 0, sizeof *self);
  self->bytes = g_string_new (NULL);
}

void
gst_ice_line_reader_clear (GstIceLineReader *self)
{
  if (self->bytes != NULL)
    g_string_free (self->bytes, TRUE);
  if (self->sdp != NULL)
    g_string_free (self->sdp, TRUE);
  memset (self, 0, sizeof *self);
}

void
gst_ice_line_reader_push (
    GstIceLineReader *self, const gchar *bytes, gsize size)
{
  g_string_append_len (self->bytes, bytes, size);
}

static GstIceLine *
take_sdp (GstIceLineReader *self)
{
  GString *sdp = g_steal_pointer (&self->sdp);
  GstIceLine *line = NULL;

  if (g_utf8_validate (sdp->str, sdp->len, NULL))
    line = line_new (GST_ICE_LINE_DESCRIPTION, NULL, sdp->str);
  else
    self->n_rejected++;
  g_string_free (sdp, TRUE);
  return line;
}

/* Raw SDP has no end of its own: an empty line ends it. */
static GstIceLine *
collect_sdp (GstIceLineReader *self, const gchar *line, gsize size)
{
  while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
    size--;
  if (size == 0)
    return take_sdp (self);
  if (self->sdp->len + size > GST_ICE_JSON_MAX_SIZE) {
    g_string_free (g_steal_pointer (&self->sdp), TRUE);
    self->n_rejected++;
    return NULL;
  }
  g_string_append_len (self->sdp, line, size);
  g_string_append (self->sdp, "\r\n");
  return NULL;
}

static GstIceLine *
take_line (GstIceLineReader *self, const gchar *line, gsize size)
{
  GstIceLine *result;

  if (self->sdp == NULL && size >= 3 && strncmp (line, "v=0", 3) == 0)
    self->sdp = g_string_new (NULL);
  if (self->sdp != NULL)
    return collect_sdp (self, line, size);

  result = gst_ice_line_parse (line, size);
  if (result == NULL && size > 0 && *line != '\r')
    self->n_rejected++;
  return result;
}

GstIceLine *
gst_ice_line_reader_pop (GstIceLineReader *self)
{
  GstIceLine *line = NULL;
  const gchar *end;

  while (line == NULL &&
      (end = memchr (self->bytes->str, '\n', self->bytes->len)) != NULL) {
    const gsize size = end - self->bytes->str;

    if (self->skipping || size > GST_ICE_JSON_MAX_SIZE)
      self->n_rejected++;
    else
      line = take_line (self, self->bytes->str, size);
    self->skipping = FALSE;
    g_string_erase (self->bytes, 0, size + 1);
  }
  /* The rest of a line that is too long is not kept while it comes. */
  if (line == NULL && self->bytes->len > GST_ICE_JSON_MAX_SIZE) {
    self->skipping = TRUE;
    g_string_truncate (self->bytes, 0);
  }
  return line;
}
