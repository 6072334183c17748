/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "sdpfrag.h"

#include <string.h>

/* As descriptions have them: GST_ICE limits of one peer. Twice 100 candidates,
 * for RTP and RTCP. */
#define MAX_SECTIONS 64
#define MAX_CANDIDATES 200
/* RFC 8839 5.4: ufrag and pwd have at most 256 characters; no other line that
 * we take is longer than a candidate with a host name and extensions. */
#define MAX_LINE 1024

static void
section_free (gpointer data)
{
  GstIceSdpfragSection *self = data;

  g_free (self->media);
  g_free (self->mid);
  g_free (self->ufrag);
  g_free (self->pwd);
  g_ptr_array_unref (self->candidates);
  g_free (self);
}

GstIceSdpfrag *
gst_ice_sdpfrag_new (void)
{
  GstIceSdpfrag *self = g_new0 (GstIceSdpfrag, 1);

  self->sections = g_ptr_array_new_with_free_func (section_free);
  return self;
}

void
gst_ice_sdpfrag_free (GstIceSdpfrag *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->sections);
  g_free (self);
}

/* May stand in a line, whole. */
static gboolean
is_text (const gchar *text)
{
  const gchar *p;

  for (p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return FALSE;
  return p != text && p - text <= MAX_LINE && g_utf8_validate (text, -1, NULL);
}

GstIceSdpfragSection *
gst_ice_sdpfrag_add_section (
    GstIceSdpfrag *self, const gchar *media, const gchar *mid)
{
  GstIceSdpfragSection *section;

  if (!is_text (media) || (mid != NULL && !is_text (mid)))
    return NULL;
  section = g_new0 (GstIceSdpfragSection, 1);
  section->media = g_strdup (media);
  section->mid = g_strdup (mid);
  section->candidates = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->sections, section);
  return section;
}

/* Reading */

typedef struct
{
  GstIceSdpfrag *into;
  GstIceSdpfragSection *section; /* (unowned) (nullable) session level */
  gchar *ufrag, *pwd;            /* (owned) (nullable) of session level */
  gboolean end;                  /* of all */
  const gchar *reason;
} Reader;

/* One without value says nothing. */
static void
take_text (gchar **field, const gchar *value)
{
  if (*value == '\0')
    return;
  g_free (*field);
  *field = g_strdup (value);
}

static gboolean
add_candidate (Reader *in, const gchar *attribute)
{
  if (in->section == NULL) {
    in->reason = "a candidate before the first m-line";
    return FALSE;
  }
  if (in->section->candidates->len == MAX_CANDIDATES) {
    in->reason = "too many candidates";
    return FALSE;
  }
  g_ptr_array_add (in->section->candidates, g_strdup (attribute));
  return TRUE;
}

/* RFC 8840 9.2; attributes that it does not name are ignored (RFC 8866 5.13).
 */
static gboolean
read_attribute (Reader *in, const gchar *attribute)
{
  GstIceSdpfragSection *section = in->section;

  if (g_str_has_prefix (attribute, "candidate:"))
    return add_candidate (in, attribute);
  if (g_str_has_prefix (attribute, "ice-ufrag:"))
    take_text (section != NULL ? &section->ufrag : &in->ufrag, attribute + 10);
  else if (g_str_has_prefix (attribute, "ice-pwd:"))
    take_text (section != NULL ? &section->pwd : &in->pwd, attribute + 8);
  else if (g_str_has_prefix (attribute, "mid:") && section != NULL)
    take_text (&section->mid, attribute + 4);
  else if (g_str_equal (attribute, "end-of-candidates"))
    *(section != NULL ? &section->end : &in->end) = TRUE;
  return TRUE;
}

static gboolean
read_line (Reader *in, const gchar *line)
{
  if (*line == '\0')
    return TRUE;
  if (!is_text (line) || line[1] != '=') {
    in->reason = "a line that is none of a session description";
    return FALSE;
  }
  if (*line == 'a')
    return read_attribute (in, line + 2);
  if (*line != 'm')
    return TRUE;
  if (in->into->sections->len == MAX_SECTIONS) {
    in->reason = "too many sections";
    return FALSE;
  }
  in->section = gst_ice_sdpfrag_add_section (in->into, line + 2, NULL);
  if (in->section == NULL)
    in->reason = "an empty m-line";
  return in->section != NULL;
}

/* What is said once counts for all (RFC 8839 5.4). */
static void
fill_in (Reader *in)
{
  guint i;

  for (i = 0; i < in->into->sections->len; i++) {
    GstIceSdpfragSection *section = g_ptr_array_index (in->into->sections, i);

    if (section->ufrag == NULL)
      section->ufrag = g_strdup (in->ufrag);
    if (section->pwd == NULL)
      section->pwd = g_strdup (in->pwd);
    section->end |= in->end;
  }
}

GstIceSdpfrag *
gst_ice_sdpfrag_parse (const gchar *text, gsize size, const gchar **ret_reason)
{
  g_autoptr (GstIceSdpfrag) self = gst_ice_sdpfrag_new ();
  const gchar *at = text, *end = text + size;
  Reader in = { .into = self };
  gboolean ok = size <= GST_ICE_SDPFRAG_MAX_SIZE;

  if (!ok)
    in.reason = "too long";
  while (ok && at < end) {
    const gchar *newline = memchr (at, '\n', end - at);
    gsize length = (newline != NULL ? newline : end) - at;
    g_autofree gchar *line = NULL;

    if (length > 0 && at[length - 1] == '\r')
      length--;
    if (memchr (at, '\0', length) != NULL) {
      in.reason = "a zero byte";
      ok = FALSE;
      break;
    }
    line = g_strndup (at, length);
    ok = read_line (&in, line);
    at = newline != NULL ? newline + 1 : end;
  }
  fill_in (&in);
  g_free (in.ufrag);
  g_free (in.pwd);
  if (ok)
    return g_steal_pointer (&self);
  *ret_reason = in.reason;
  return NULL;
}

/* Writing */

static void
print (GString *out, const gchar *prefix, const gchar *value)
{
  if (value != NULL && is_text (value))
    g_string_append_printf (out, "%s%s\r\n", prefix, value);
}

/* (nullable) the section whose credentials all others have. */
static const GstIceSdpfragSection *
find_common (const GstIceSdpfrag *self)
{
  const GstIceSdpfragSection *first = NULL;
  guint i;

  for (i = 0; i < self->sections->len; i++) {
    const GstIceSdpfragSection *section = g_ptr_array_index (self->sections, i);

    if (first == NULL)
      first = section;
    else if (g_strcmp0 (first->ufrag, section->ufrag) != 0 ||
        g_strcmp0 (first->pwd, section->pwd) != 0)
      return NULL;
  }
  return first;
}

static void
print_credentials (GString *out, const GstIceSdpfragSection *section)
{
  print (out, "a=ice-ufrag:", section->ufrag);
  print (out, "a=ice-pwd:", section->pwd);
}

gchar *
gst_ice_sdpfrag_to_string (const GstIceSdpfrag *self)
{
  const GstIceSdpfragSection *common = find_common (self);
  GString *out = g_string_new (NULL);
  guint i, j;

  if (common != NULL)
    print_credentials (out, common);
  for (i = 0; i < self->sections->len; i++) {
    const GstIceSdpfragSection *section = g_ptr_array_index (self->sections, i);

    print (out, "m=", section->media);
    print (out, "a=mid:", section->mid);
    if (common == NULL)
      print_credentials (out, section);
    for (j = 0; j < section->candidates->len; j++)
      print (out, "a=", g_ptr_array_index (section->candidates, j));
    if (section->end)
      g_string_append (out, "a=end-of-candidates\r\n");
  }
  return g_string_free (out, FALSE);
}
