/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session description from signalling: whatever it is, what we write of it
 * is one, and reads the same. */
#include "gst/ice/gsticedescription-private.h"

#include "target.h"

#include <string.h>

static void
check_section (const GstIceSection *section)
{
  guint i;

  g_assert_false (section->bundled && section->bundle_tag);
  g_assert_false (section->rejected && section->bundle_only);
  g_assert_false (section->rejected && section->caps);
  g_assert_cmpint (section->caps == NULL, ==, section->all_caps == NULL);
  g_assert_true (!section->ufrag || ice_is_valid_ufrag (section->ufrag));
  g_assert_true (!section->pwd || ice_is_valid_pwd (section->pwd));
  for (i = 0; i < section->candidates->len; i++)
    g_assert_nonnull (g_ptr_array_index (section->candidates, i));
}

/* Nothing but lines of a letter, "=" and text. */
static void
check_lines (const gchar *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  guint i;

  for (i = 0; lines[i] && *lines[i]; i++) {
    g_assert_nonnull (strchr ("vostcmba", lines[i][0]));
    g_assert_cmpint (lines[i][1], ==, '=');
    g_assert_null (strpbrk (lines[i], "\r\n"));
  }
  g_assert_null (lines[i] ? lines[i + 1] : NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* There may be no data at all, of which g_strndup() makes NULL. */
  g_autofree gchar *sdp = g_strndup (size ? (const gchar *) data : "", size);
  g_autoptr (GstIceDescription) self = NULL;
  g_autoptr (GstIceDescription) again = NULL;
  g_autofree gchar *text = NULL;
  g_autofree gchar *text_again = NULL;
  g_autoptr (GError) error = NULL;
  guint i;

  gst_init (NULL, NULL);
  self = gst_ice_description_parse (sdp, &error);
  g_assert_cmpint (self == NULL, ==, error != NULL);
  if (!self)
    return 0;
  for (i = 0; i < self->sections->len; i++)
    check_section (g_ptr_array_index (self->sections, i));

  text = gst_ice_description_to_string (self);
  check_lines (text);
  again = gst_ice_description_parse (text, &error);
  /* What we write may be longer than what we read. */
  if (!again && strlen (text) > 64 * 1024)
    return 0;
  g_assert_no_error (error);
  text_again = gst_ice_description_to_string (again);
  g_assert_cmpstr (text, ==, text_again);
  return 0;
}
