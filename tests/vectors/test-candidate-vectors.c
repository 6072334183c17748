/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidate lines of real agents, one file an agent under candidates/. Each
 * line parses and comes back with what it said, or stands below a comment
 * "# ignored: REASON" and is ignored for just that. */
#include "gst/ice/core/ice/candidate.h"

#include <string.h>

#define IGNORED "# ignored: "

/* Extensions that say nothing to us. */
static gboolean
may_be_lost (const gchar *name)
{
  static const gchar *const names[] = { "generation", "network-id",
    "network-cost", NULL };

  return g_strv_contains (names, name);
}

/* What was written holds the words of the line, in their order, but for
 * extensions in pairs that may be lost. */
static void
assert_same_words (const gchar *line, const gchar *written)
{
  g_auto (GStrv) ours = g_strsplit (written, " ", -1);
  g_auto (GStrv) theirs = g_strsplit (line, " ", -1);
  guint i, j = 0;

  for (i = 0; theirs[i]; i++) {
    if (ours[j] && g_ascii_strcasecmp (ours[j], theirs[i]) == 0) {
      j++;
      continue;
    }
    g_assert_true (may_be_lost (theirs[i]));
    g_assert_nonnull (theirs[++i]);
  }
  g_assert_null (ours[j]);
}

static void
check_line (const gchar *line, const gchar *ignored)
{
  g_autoptr (IceCandidate) candidate = NULL;
  g_autoptr (IceCandidate) again = NULL;
  g_autofree gchar *written = NULL;
  g_autofree gchar *written_again = NULL;
  const gchar *reason;
  IceCandidateParse result;

  g_test_message ("%s", line);
  result = ice_candidate_parse (line, &candidate, &reason);
  g_assert_cmpstr (reason, ==, ignored);
  if (ignored) {
    g_assert_cmpint (result, ==, ICE_CANDIDATE_PARSE_IGNORED);
    return;
  }
  g_assert_cmpint (result, ==, ICE_CANDIDATE_PARSE_OK);
  written = ice_candidate_to_sdp (candidate);
  assert_same_words (line, written);
  g_assert_cmpint (
      ice_candidate_parse (written, &again, NULL), ==, ICE_CANDIDATE_PARSE_OK);
  written_again = ice_candidate_to_sdp (again);
  g_assert_cmpstr (written_again, ==, written);
}

static void
test_file (gconstpointer path)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  const gchar *ignored = NULL;
  guint i, n = 0;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i]; i++) {
    if (lines[i][0] == '\0')
      continue;
    if (lines[i][0] == '#') {
      ignored = g_str_has_prefix (lines[i], IGNORED)
          ? lines[i] + strlen (IGNORED)
          : NULL;
      continue;
    }
    check_line (lines[i], ignored);
    n++;
  }
  g_assert_cmpuint (n, >, 0);
}

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = NULL;
  g_autoptr (GDir) dir = NULL;
  const gchar *name;

  g_test_init (&argc, &argv, NULL);
  folder = g_test_build_filename (G_TEST_DIST, "candidates", NULL);
  dir = g_dir_open (folder, 0, NULL);
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_strdup_printf ("/vectors/%s", name);

    g_test_add_data_func_full (path, g_build_filename (folder, name, NULL),
        (GTestDataFunc) test_file, g_free);
  }
  return g_test_run ();
}
