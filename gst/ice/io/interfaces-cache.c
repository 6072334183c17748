/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the system said of its interfaces, for as long as nothing has changed.
 * To list them takes half a hundred system calls, and a server gathers for a
 * thousand agents at once. Whether something has changed takes one: a netlink
 * socket that nobody waits for has something to read, or has not. */
#include <sys/stat.h>
#include <unistd.h>

#include "interfaces-private.h"
#include "netlink.h"

typedef struct
{
  gint fd;         /* (owned) -1: none, and nothing is kept */
  pid_t process;   /* that opened it: a child would read its parent's news */
  ino_t space;     /* network namespace, which a thread may change */
  GArray *entries; /* (owned) (nullable) (element-type IceInterfaceEntry) */
} Cache;

static GMutex lock;
static Cache cache = { .fd = -1 };

static ino_t
current_space (void)
{
  struct stat found;

  return stat ("/proc/thread-self/ns/net", &found) == 0 ? found.st_ino : 0;
}

static void
cache_reopen (ino_t space)
{
  g_clear_pointer (&cache.entries, g_array_unref);
  if (cache.fd >= 0)
    close (cache.fd);
  cache.fd = ice_netlink_open ();
  cache.process = getpid ();
  cache.space = space;
}

GArray *
ice_interfaces_cache_get (GArray *(*read) (void) )
{
  ino_t space = current_space ();
  GArray *entries;

  g_mutex_lock (&lock);
  if (cache.fd < 0 || cache.process != getpid () || cache.space != space)
    cache_reopen (space);
  if (cache.fd >= 0 && ice_netlink_drain (cache.fd))
    g_clear_pointer (&cache.entries, g_array_unref);
  /* What changes from here on is read by the next one who asks. */
  entries = cache.entries ? g_array_ref (cache.entries) : read ();
  if (cache.fd >= 0 && !cache.entries)
    cache.entries = g_array_ref (entries);
  g_mutex_unlock (&lock);
  return entries;
}
