/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replays a corpus where there is no libFuzzer: each argument is a file, or a
 * folder of files, given to the target once. */
#include <glib.h>

#include "target.h"

static guint
replay_file (const gchar *path)
{
  g_autofree gchar *data = NULL;
  g_autofree guint8 *exact = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  /* GLib adds a NUL; a block that ends where the data ends shows more. */
  exact = g_memdup2 (data, size);
  LLVMFuzzerTestOneInput (exact, size);
  return 1;
}

static guint
replay (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint n = 0;

  if (!dir)
    return replay_file (path);
  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *file = g_build_filename (path, name, NULL);

    n += replay (file);
  }
  return n;
}

int
main (int argc, char **argv)
{
  guint n = 0;
  gint i;

  for (i = 1; i < argc; i++)
    n += replay (argv[i]);
  g_print ("%u inputs\n", n);
  return n > 0 ? 0 : 1;
}
