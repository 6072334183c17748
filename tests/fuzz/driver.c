/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replays a corpus where there is no libFuzzer: each argument is a file, or a
 * folder of files, given to the target once; and where the target brings its
 * own mutator, some mutations of it, always the same. */
#include <glib.h>
#include <string.h>

#include "target.h"

#define N_MUTATIONS 8
#define GROWTH 64

extern size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size,
    size_t max_size, unsigned int seed) __attribute__ ((weak));

static GRand *dice;

/* A byte changed, taken out or put in. */
size_t
LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size)
{
  gsize at = size ? g_rand_int_range (dice, 0, (gint32) size) : 0;

  switch (g_rand_int_range (dice, 0, 3)) {
    case 0:
      if (size < max_size) {
        memmove (data + at + 1, data + at, size - at);
        data[at] = (guint8) g_rand_int (dice);
        return size + 1;
      }
      break;
    case 1:
      if (size > 1) {
        memmove (data + at, data + at + 1, size - at - 1);
        return size - 1;
      }
      break;
    default:
      break;
  }
  if (size)
    data[at] ^= (guint8) (1u << g_rand_int_range (dice, 0, 8));
  return size;
}

/* A block that ends where the data ends shows more. */
static void
give (const guint8 *data, gsize size)
{
  g_autofree guint8 *exact = g_memdup2 (data, size);

  LLVMFuzzerTestOneInput (exact, size);
}

static guint
replay_file (const gchar *path)
{
  g_autofree gchar *data = NULL;
  gsize size;
  guint i;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  give ((guint8 *) data, size);
  if (!LLVMFuzzerCustomMutator)
    return 1;

  g_rand_set_seed (dice, (guint32) size);
  for (i = 0; i < N_MUTATIONS; i++) {
    gsize room = size + GROWTH, changed;
    g_autofree guint8 *copy = g_malloc (room);

    memcpy (copy, data, size);
    changed = LLVMFuzzerCustomMutator (copy, size, room, g_rand_int (dice));
    g_assert_cmpuint (changed, <=, room);
    give (copy, changed);
  }
  return 1 + N_MUTATIONS;
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

  dice = g_rand_new_with_seed (0);
  for (i = 1; i < argc; i++)
    n += replay (argv[i]);
  g_rand_free (dice);
  g_print ("%u inputs\n", n);
  return n > 0 ? 0 : 1;
}
