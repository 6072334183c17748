/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "interface-filter.h"
#include "interfaces-private.h"
#include "io-log.h"
#include "native.h"

/* The inside of virtual machines and containers: candidates there cost every
 * peer a check and lead nowhere. */
#define BUILT_IN_IGNORE "docker*,br-*,veth*,virbr*,lxc*,lxd*"

/* linux/if_addr.h, as /proc/net/if_inet6 shows them */
#define FLAG_TEMPORARY 0x01
#define FLAG_DEPRECATED 0x20
#define FLAG_TENTATIVE 0x40

/* Choosing */

static gboolean
filter_text_is_set (const gchar *text)
{
  return text != NULL && *text != '\0';
}

/* Who names an interface wants it; a mere address does not say that much, but
 * more than our own list does. */
static gboolean
filter_passes (const IceInterfaceFilter *self, const IceInterface *interface)
{
  gboolean own_list = !filter_text_is_set (self->ignore);
  IceFilterMatch allowed = ICE_FILTER_ANY;

  if (filter_text_is_set (self->allow))
    allowed = ice_interface_filter_match (self->allow, interface);
  if (allowed == ICE_FILTER_NO_MATCH)
    return FALSE;
  if (allowed == ICE_FILTER_NAME || (allowed == ICE_FILTER_ADDRESS && own_list))
    return TRUE;
  return ice_interface_filter_match (own_list ? BUILT_IN_IGNORE : self->ignore,
             interface) == ICE_FILTER_NO_MATCH;
}

static gboolean
filter_asks_for (const IceInterfaceFilter *self, const IceInterface *interface)
{
  return filter_text_is_set (self->allow) &&
      ice_interface_filter_match (self->allow, interface) > ICE_FILTER_ANY;
}

/* RFC 8445 5.1.1.1: a temporary address displaces the stable one of its
 * prefix; RFC 6724 rule 3: a deprecated one gives way. */
static gboolean
entry_displaces (const IceInterfaceEntry *self, const IceInterfaceEntry *other)
{
  const IceInterface *a = &self->interface, *b = &other->interface;

  if (a->address.family != ICE_FAMILY_IPV6 ||
      b->address.family != ICE_FAMILY_IPV6 || a->index != b->index ||
      memcmp (a->address.ip, b->address.ip, 8) != 0 || !self->up ||
      self->tentative || a->deprecated)
    return FALSE;
  return b->deprecated || (a->temporary && !b->temporary);
}

static gboolean
entry_is_displaced (
    const IceInterfaceEntry *self, const IceInterfaceEntry *all, guint n_all)
{
  guint i;

  for (i = 0; i < n_all; i++) {
    if (entry_displaces (&all[i], self))
      return TRUE;
  }
  return FALSE;
}

/* What an address is left with: lower ranks appear only where there is no
 * higher one. */
typedef enum
{
  RANK_NONE,
  RANK_LOOPBACK,
  RANK_LINK_LOCAL,
  RANK_ORDINARY,
} Rank;

static Rank
entry_rank (const IceInterfaceEntry *self, const IceInterfaceFilter *filter)
{
  const IceInterface *interface = &self->interface;

  if (!self->up || self->tentative || !filter_passes (filter, interface))
    return RANK_NONE;
  switch (ice_address_classify (&interface->address)) {
    case ICE_ADDRESS_UNSPECIFIED:
    case ICE_ADDRESS_MULTICAST:
    case ICE_ADDRESS_RESERVED:
      return RANK_NONE;
    case ICE_ADDRESS_LOOPBACK:
      break;
    case ICE_ADDRESS_LINK_LOCAL:
      return RANK_LINK_LOCAL;
    default:
      if (!interface->loopback)
        return RANK_ORDINARY;
      break;
  }
  return filter_asks_for (filter, interface) ? RANK_ORDINARY : RANK_LOOPBACK;
}

static gint
entry_compare (gconstpointer a, gconstpointer b)
{
  const IceInterfaceEntry *left = *(const IceInterfaceEntry **) a;
  const IceInterfaceEntry *right = *(const IceInterfaceEntry **) b;

  if (left->default_route != right->default_route)
    return left->default_route ? -1 : 1;
  if (left->link != right->link)
    return left->link < right->link ? -1 : 1;
  if (left->interface.index != right->interface.index)
    return left->interface.index < right->interface.index ? -1 : 1;
  /* RFC 8421 3: IPv6 first. */
  if (left->interface.address.family != right->interface.address.family)
    return left->interface.address.family == ICE_FAMILY_IPV6 ? -1 : 1;
  /* As the system listed them. */
  return left < right ? -1 : left > right;
}

GArray *
ice_interfaces_select (const IceInterfaceEntry *entries, guint n_entries,
    const IceInterfaceFilter *filter)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  GArray *result = g_array_new (FALSE, FALSE, sizeof (IceInterface));
  Rank best = RANK_LOOPBACK;
  guint i;

  for (i = 0; i < n_entries; i++)
    best = MAX (best, entry_rank (&entries[i], filter));
  for (i = 0; i < n_entries; i++) {
    if (entry_rank (&entries[i], filter) == best &&
        (filter->displaced ||
            !entry_is_displaced (&entries[i], entries, n_entries)))
      g_ptr_array_add (chosen, (gpointer) &entries[i]);
  }
  g_ptr_array_sort (chosen, entry_compare);
  for (i = 0; i < chosen->len; i++) {
    const IceInterfaceEntry *entry = g_ptr_array_index (chosen, i);

    g_array_append_val (result, entry->interface);
  }
  return result;
}

/* Asking the system */

static gboolean
parse_hex_byte (const gchar *text, guint8 *ret_byte)
{
  gint high = g_ascii_xdigit_value (text[0]);
  gint low = high < 0 ? -1 : g_ascii_xdigit_value (text[1]);

  if (low < 0)
    return FALSE;
  *ret_byte = (guint8) (high << 4 | low);
  return TRUE;
}

/* "fe80000000000000021122fffe334455 02 40 20 80     eth0": address, index,
 * prefix length, scope, flags, name. */
gboolean
ice_interface_entry_parse_inet6 (
    const gchar *line, IceInterfaceEntry *ret_entry)
{
  IceInterface *interface = &ret_entry->interface;
  guint index, flags, i;

  memset (ret_entry, 0, sizeof *ret_entry);
  interface->address.family = ICE_FAMILY_IPV6;
  for (i = 0; i < 16; i++) {
    if (!parse_hex_byte (line + 2 * i, &interface->address.ip[i]))
      return FALSE;
  }
  if (sscanf (line + 32, " %x %*x %*x %x %15s", &index, &flags,
          interface->name) != 3)
    return FALSE;
  interface->index = index;
  interface->temporary = (flags & FLAG_TEMPORARY) != 0;
  interface->deprecated = (flags & FLAG_DEPRECATED) != 0;
  ret_entry->tentative = (flags & FLAG_TENTATIVE) != 0;
  return TRUE;
}

/* Linux tells the flags of an IPv6 address here; elsewhere they are all
 * clear. */
static void
entries_add_inet6_flags (GArray *entries)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint i, j;

  if (!g_file_get_contents ("/proc/net/if_inet6", &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i] != NULL; i++) {
    IceInterfaceEntry flags;

    if (!ice_interface_entry_parse_inet6 (lines[i], &flags))
      continue;
    for (j = 0; j < entries->len; j++) {
      IceInterfaceEntry *entry = &g_array_index (entries, IceInterfaceEntry, j);

      if (entry->interface.index != flags.interface.index ||
          memcmp (entry->interface.address.ip, flags.interface.address.ip,
              sizeof flags.interface.address.ip) != 0)
        continue;
      entry->interface.temporary = flags.interface.temporary;
      entry->interface.deprecated = flags.interface.deprecated;
      entry->tentative = flags.tentative;
    }
  }
}

/* Linux tells of a link what it is made of; elsewhere all are equal. */
IceLinkKind
ice_interface_link_kind (const gchar *class_dir, const gchar *name)
{
  g_autofree gchar *wireless =
      g_build_filename (class_dir, name, "wireless", NULL);
  g_autofree gchar *phy = g_build_filename (class_dir, name, "phy80211", NULL);
  g_autofree gchar *uevent = g_build_filename (class_dir, name, "uevent", NULL);
  g_autofree gchar *text = NULL;

  if (g_file_test (wireless, G_FILE_TEST_EXISTS) ||
      g_file_test (phy, G_FILE_TEST_EXISTS))
    return ICE_LINK_WIRELESS;
  if (g_file_get_contents (uevent, &text, NULL, NULL) &&
      strstr (text, "DEVTYPE=wwan"))
    return ICE_LINK_CELLULAR;
  return ICE_LINK_WIRED;
}

/* Which of our addresses the routing table picks for the world: connecting a
 * datagram socket asks it and sends nothing. The addresses belong to a root
 * name server and could be any global ones. */
static gboolean
find_default_source (const gchar *world, IceAddress *ret_source)
{
  IceAddress to;
  IceNativeAddress native;
  socklen_t size;
  gboolean found;
  gint fd;

  ice_address_parse (&to, world, 53);
  size = ice_address_to_native (&to, &native);
  fd = socket (native.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return FALSE;
  found = connect (fd, &native.any, size) == 0;
  size = sizeof native;
  found = found && getsockname (fd, &native.any, &size) == 0 &&
      ice_address_from_native (ret_source, &native, size);
  close (fd);
  return found;
}

static void
entries_mark_default_route (GArray *entries, const gchar *world)
{
  IceAddress source;
  guint index = 0, i;

  if (!find_default_source (world, &source))
    return;
  for (i = 0; i < entries->len; i++) {
    IceInterfaceEntry *entry = &g_array_index (entries, IceInterfaceEntry, i);

    if (ice_address_same_ip (&entry->interface.address, &source))
      index = entry->interface.index;
  }
  for (i = 0; i < entries->len; i++) {
    IceInterfaceEntry *entry = &g_array_index (entries, IceInterfaceEntry, i);

    if (index != 0 && entry->interface.index == index)
      entry->default_route = TRUE;
  }
}

static gboolean
entry_from_ifaddrs (IceInterfaceEntry *self, const struct ifaddrs *item)
{
  IceInterface *interface = &self->interface;
  IceNativeAddress native;
  gsize size;

  memset (self, 0, sizeof *self);
  if (item->ifa_addr == NULL || item->ifa_name == NULL)
    return FALSE;
  switch (item->ifa_addr->sa_family) {
    case AF_INET:
      size = sizeof native.ipv4;
      break;
    case AF_INET6:
      size = sizeof native.ipv6;
      break;
    default:
      return FALSE;
  }
  memcpy (&native, item->ifa_addr, size);
  ice_address_from_native (&interface->address, &native, (socklen_t) size);
  interface->address.port = 0;

  g_strlcpy (interface->name, item->ifa_name, sizeof interface->name);
  /* An alias, "eth0:1", is its interface. */
  g_strdelimit (interface->name, ":", '\0');
  interface->index = if_nametoindex (interface->name);
  interface->loopback = (item->ifa_flags & IFF_LOOPBACK) != 0;
  interface->tunnel =
      (item->ifa_flags & IFF_POINTOPOINT) != 0 && !interface->loopback;
  self->up = (item->ifa_flags & IFF_UP) && (item->ifa_flags & IFF_RUNNING);
  self->link = ice_interface_link_kind ("/sys/class/net", interface->name);
  return TRUE;
}

static GArray *
entries_read (void)
{
  GArray *entries = g_array_new (FALSE, TRUE, sizeof (IceInterfaceEntry));
  struct ifaddrs *all, *item;

  if (getifaddrs (&all) != 0) {
    GST_WARNING ("the interfaces cannot be listed: %s", g_strerror (errno));
    return entries;
  }
  for (item = all; item != NULL; item = item->ifa_next) {
    IceInterfaceEntry entry;

    if (entry_from_ifaddrs (&entry, item))
      g_array_append_val (entries, entry);
  }
  freeifaddrs (all);
  entries_add_inet6_flags (entries);
  entries_mark_default_route (entries, "198.41.0.4");
  entries_mark_default_route (entries, "2001:503:ba3e::2:30");
  return entries;
}

GArray *
ice_interfaces_list (const IceInterfaceFilter *filter)
{
  g_autoptr (GArray) entries = ice_interfaces_cache_get (entries_read);

  return ice_interfaces_select (
      (IceInterfaceEntry *) entries->data, entries->len, filter);
}
