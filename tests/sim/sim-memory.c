/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program's own malloc, which the C library's does the work for: what is
 * defined in a program goes before what is in a library, for GLib and OpenSSL
 * too. One thread only. */
#include "sim-memory.h"

#include <malloc.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define COUNTS 0
#else
#define COUNTS 1
#endif
#else
#define COUNTS 1
#endif

static gint64 n_live;

#if COUNTS
extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *old, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);
extern void __libc_free (void *block);

#pragma GCC visibility push(default)

void *
malloc (size_t size)
{
  void *block = __libc_malloc (size);

  n_live += block ? malloc_usable_size (block) : 0;
  return block;
}

void *
calloc (size_t n, size_t size)
{
  void *block = __libc_calloc (n, size);

  n_live += block ? malloc_usable_size (block) : 0;
  return block;
}

void *
realloc (void *old, size_t size)
{
  size_t before = old ? malloc_usable_size (old) : 0;
  void *block = __libc_realloc (old, size);

  if (block || size == 0)
    n_live += (block ? malloc_usable_size (block) : 0) - (gint64) before;
  return block;
}

void *
memalign (size_t alignment, size_t size)
{
  void *block = __libc_memalign (alignment, size);

  n_live += block ? malloc_usable_size (block) : 0;
  return block;
}

void *
aligned_alloc (size_t alignment, size_t size)
{
  return memalign (alignment, size);
}

int
posix_memalign (void **ret_block, size_t alignment, size_t size)
{
  *ret_block = memalign (alignment, size);
  return *ret_block ? 0 : 12; /* ENOMEM */
}

void
free (void *block)
{
  n_live -= block ? malloc_usable_size (block) : 0;
  __libc_free (block);
}

#pragma GCC visibility pop
#endif

/* GSlice keeps what is given back, so that nothing could be seen. It reads its
 * setting before the program begins. */
gboolean
sim_memory_is_counted (void)
{
  return COUNTS && g_strcmp0 (g_getenv ("G_SLICE"), "always-malloc") == 0;
}

gint64
sim_memory_live (void)
{
  return n_live;
}
