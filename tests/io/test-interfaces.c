/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib/gstdio.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <string.h>

#ifdef __linux__
#include <linux/sched.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "gst/ice/io/interfaces-private.h"
#include "gst/ice/io/interfaces-watch.h"
#include "gst/ice/io/service.h"

/* The syntax of the two properties. */
static void
test_filter_syntax (void)
{
  static const gchar *const good[] = { NULL, "", "eth0", "eth0,wlan0",
    " eth0 , wlan0 ", "docker*,br-*", "wl?p3s0", "*", "192.168.1.7",
    "10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "2001:db8::/32", "::/0",
    "eth0.100", "br-0a1b2c3d4e5f", "10.0.0.0/8,eth0,fe80::1" };
  static const struct
  {
    const gchar *text, *bad;
  } bad[] = {
    { "eth0,,wlan0", "“”" },
    { ",", "“”" },
    { "eth0,192.168.1.300", "“192.168.1.300”" },
    { "192.168.1", "“192.168.1”" },
    { "10.0.0.0/33", "“10.0.0.0/33”" },
    { "10.0.0.0/", "“10.0.0.0/”" },
    { "10.0.0.0/-1", "“10.0.0.0/-1”" },
    { "10.0.0.0/8/8", "“10.0.0.0/8/8”" },
    { "2001:db8::/129", "“2001:db8::/129”" },
    { "2001:db8:::1", "“2001:db8:::1”" },
    { "eth0 wlan0", "“eth0 wlan0”" },
    { "eth0/8", "“eth0/8”" },
    { "an-interface-name-that-is-too-long", "too-long”" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GError) error = NULL;

    ice_interface_filter_check (good[i], &error);
    g_assert_no_error (error);
  }
  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (ice_interface_filter_check (bad[i].text, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, bad[i].bad));
  }
}

/* Hosts, as the system would describe them. */

typedef enum
{
  DOWN = 1 << 0,
  LOOPBACK = 1 << 1,
  TUNNEL = 1 << 2,
  TEMPORARY = 1 << 3,
  DEPRECATED = 1 << 4,
  TENTATIVE = 1 << 5,
  DEFAULT = 1 << 6,
  WIRELESS = 1 << 7,
  CELLULAR = 1 << 8,
} Flags;

typedef struct
{
  guint index;
  const gchar *name, *ip;
  Flags flags;
} Row;

static const Row laptop[] = {
  { 1, "lo", "127.0.0.1", LOOPBACK },
  { 1, "lo", "::1", LOOPBACK },
  { 2, "eth0", "192.168.1.7", 0 },
  { 2, "eth0", "fe80::2", 0 },
  { 3, "wlan0", "10.1.1.9", DEFAULT },
  { 3, "wlan0", "2001:db8:3::9", DEFAULT },
  { 3, "wlan0", "fe80::3", DEFAULT },
  { 4, "docker0", "172.17.0.1", 0 },
  { 5, "wg0", "10.66.0.2", TUNNEL },
  { 6, "eth1", "192.168.9.9", DOWN },
  { 0 },
};

static const Row private_addresses[] = {
  { 2, "eth0", "2001:db8:2::1", DEFAULT },
  { 2, "eth0", "2001:db8:2::aaaa", TEMPORARY | DEFAULT },
  { 2, "eth0", "2001:db8:2::bbbb", TEMPORARY | DEPRECATED | DEFAULT },
  { 2, "eth0", "2001:db8:2::cccc", TEMPORARY | TENTATIVE | DEFAULT },
  { 2, "eth0", "fd00:2::1", DEFAULT },
  { 2, "eth0", "2001:db8:99::1", DEPRECATED | DEFAULT },
  { 3, "eth1", "2001:db8:2::2", 0 },
  { 0 },
};

static const Row tentative_temporary[] = {
  { 2, "eth0", "2001:db8:2::1", 0 },
  { 2, "eth0", "2001:db8:2::cccc", TEMPORARY | TENTATIVE },
  { 0 },
};

static const Row link_local_only[] = {
  { 1, "lo", "127.0.0.1", LOOPBACK },
  { 2, "eth0", "169.254.7.7", 0 },
  { 2, "eth0", "fe80::2", 0 },
  { 0 },
};

static const Row offline[] = {
  { 1, "lo", "127.0.0.1", LOOPBACK },
  { 1, "lo", "::1", LOOPBACK },
  { 2, "eth0", "192.168.1.7", DOWN },
  { 4, "docker0", "172.17.0.1", 0 },
  { 0 },
};

static const Row many_links[] = {
  { 2, "wwan0", "10.2.0.1", CELLULAR },
  { 3, "wlan0", "10.3.0.1", WIRELESS },
  { 4, "eth0", "10.4.0.1", 0 },
  { 5, "wlan1", "10.5.0.1", WIRELESS | DEFAULT },
  { 0 },
};

static const struct
{
  const Row *host;
  const gchar *allow, *ignore;
  const gchar *expected;
} cases[] = {
  /* Default route first, then by index; IPv6 before IPv4. */
  { laptop, NULL, NULL, "2001:db8:3::9 10.1.1.9 192.168.1.7 10.66.0.2" },
  { laptop, "", "", "2001:db8:3::9 10.1.1.9 192.168.1.7 10.66.0.2" },
  { laptop, "*", "", "2001:db8:3::9 10.1.1.9 192.168.1.7 10.66.0.2" },
  { laptop, "eth0", NULL, "192.168.1.7" },
  { laptop, "eth*", NULL, "192.168.1.7" },
  { laptop, "10.0.0.0/8", NULL, "10.1.1.9 10.66.0.2" },
  { laptop, "10.0.0.0/9", "wg*", "10.1.1.9" },
  { laptop, "2001:db8:3::9", NULL, "2001:db8:3::9" },
  { laptop, NULL, "wg*,wlan0", "192.168.1.7 172.17.0.1" },
  { laptop, NULL, "192.168.1.7,10.66.0.0/16",
      "2001:db8:3::9 10.1.1.9 172.17.0.1" },
  /* Named is wanted, whatever is ignored. */
  { laptop, "docker0", NULL, "172.17.0.1" },
  { laptop, "172.16.0.0/12", NULL, "172.17.0.1" },
  { laptop, "docker0", "docker*", "172.17.0.1" },
  { laptop, "172.16.0.0/12", "docker*", "" },
  /* Loopback by name, beside others. */
  { laptop, "lo,eth0", NULL, "::1 127.0.0.1 192.168.1.7" },
  { laptop, "127.0.0.1", NULL, "127.0.0.1" },
  { laptop, "127.0.0.0/8,eth0", NULL, "127.0.0.1 192.168.1.7" },
  /* An interface that is not there is nothing, not loopback. */
  { laptop, "eth7", NULL, "" },
  { laptop, "eth1", NULL, "" },
  { offline, NULL, NULL, "::1 127.0.0.1" },
  { offline, NULL, "::1", "172.17.0.1" },
  { offline, "eth0", NULL, "" },
  { link_local_only, NULL, NULL, "fe80::2 169.254.7.7" },
  { private_addresses, NULL, NULL,
      "2001:db8:2::aaaa fd00:2::1 2001:db8:99::1 2001:db8:2::2" },
  { tentative_temporary, NULL, NULL, "2001:db8:2::1" },
  /* RFC 8421 3: wired, wireless, cellular behind the default route. */
  { many_links, NULL, NULL, "10.5.0.1 10.4.0.1 10.3.0.1 10.2.0.1" },
};

static GArray *
entries_from_rows (const Row *rows)
{
  GArray *entries = g_array_new (FALSE, TRUE, sizeof (IceInterfaceEntry));

  for (; rows->name != NULL; rows++) {
    IceInterfaceEntry entry = { { { 0 } } };

    g_assert_true (ice_address_parse (&entry.interface.address, rows->ip, 0));
    g_strlcpy (entry.interface.name, rows->name, sizeof entry.interface.name);
    entry.interface.index = rows->index;
    entry.interface.loopback = (rows->flags & LOOPBACK) != 0;
    entry.interface.tunnel = (rows->flags & TUNNEL) != 0;
    entry.interface.temporary = (rows->flags & TEMPORARY) != 0;
    entry.interface.deprecated = (rows->flags & DEPRECATED) != 0;
    entry.up = (rows->flags & DOWN) == 0;
    entry.tentative = (rows->flags & TENTATIVE) != 0;
    entry.default_route = (rows->flags & DEFAULT) != 0;
    if (rows->flags & (WIRELESS | CELLULAR))
      entry.link =
          rows->flags & WIRELESS ? ICE_LINK_WIRELESS : ICE_LINK_CELLULAR;
    g_array_append_val (entries, entry);
  }
  return entries;
}

static gchar *
describe (GArray *interfaces)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < interfaces->len; i++) {
    gchar ip[ICE_ADDRESS_STRLEN];

    if (i > 0)
      g_string_append_c (text, ' ');
    g_string_append (text,
        ice_address_ip_to_string (
            &g_array_index (interfaces, IceInterface, i).address, ip));
  }
  return g_string_free (text, FALSE);
}

/* As Linux lays it out under /sys/class/net. */
static void
test_link_kind (void)
{
  g_autofree gchar *dir = g_dir_make_tmp ("ice-links-XXXXXX", NULL);
  g_autofree gchar *wlan = g_build_filename (dir, "wlan0", NULL);
  g_autofree gchar *wireless = g_build_filename (wlan, "wireless", NULL);
  g_autofree gchar *wwan = g_build_filename (dir, "wwan0", NULL);
  g_autofree gchar *uevent = g_build_filename (wwan, "uevent", NULL);

  g_assert_nonnull (dir);
  g_assert_cmpint (g_mkdir_with_parents (wireless, 0700), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (wwan, 0700), ==, 0);
  g_assert_true (g_file_set_contents (
      uevent, "DEVTYPE=wwan\nINTERFACE=wwan0\n", -1, NULL));
  g_assert_cmpint (
      ice_interface_link_kind (dir, "wlan0"), ==, ICE_LINK_WIRELESS);
  g_assert_cmpint (
      ice_interface_link_kind (dir, "wwan0"), ==, ICE_LINK_CELLULAR);
  g_assert_cmpint (ice_interface_link_kind (dir, "eth0"), ==, ICE_LINK_WIRED);
  g_remove (uevent);
  g_remove (wwan);
  g_remove (wireless);
  g_remove (wlan);
  g_remove (dir);
}

static void
test_select (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    IceInterfaceFilter filter = { cases[i].allow, cases[i].ignore };
    g_autoptr (GArray) entries = entries_from_rows (cases[i].host);
    g_autoptr (GArray) chosen = ice_interfaces_select (
        (IceInterfaceEntry *) entries->data, entries->len, &filter);
    g_autofree gchar *text = describe (chosen);

    g_test_message ("case %u", i);
    g_assert_cmpstr (text, ==, cases[i].expected);
  }
}

static void
test_inet6_line (void)
{
  static const gchar *const bad[] = { "", "fe80",
    "zz800000000000000000000000000001 01 80 10 80 lo",
    "00000000000000000000000000000001",
    "00000000000000000000000000000001 01 80" };
  IceInterfaceEntry entry;
  gchar ip[ICE_ADDRESS_STRLEN];
  guint i;

  g_assert_true (ice_interface_entry_parse_inet6 (
      "20010db80002000000000000000000aa 0b 40 00 61 an-interface-15", &entry));
  g_assert_cmpstr (ice_address_ip_to_string (&entry.interface.address, ip), ==,
      "2001:db8:2::aa");
  g_assert_cmpuint (entry.interface.index, ==, 11);
  g_assert_cmpstr (entry.interface.name, ==, "an-interface-15");
  g_assert_true (entry.interface.temporary);
  g_assert_true (entry.interface.deprecated);
  g_assert_true (entry.tentative);

  g_assert_true (ice_interface_entry_parse_inet6 (
      "00000000000000000000000000000001 01 80 10 80       lo", &entry));
  g_assert_false (entry.interface.temporary);
  g_assert_false (entry.interface.deprecated);
  g_assert_false (entry.tentative);

  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (ice_interface_entry_parse_inet6 (bad[i], &entry));
}

/* Whatever this host has, the list is never empty and makes sense. */
static void
test_this_host (void)
{
  IceInterfaceFilter any = { NULL, NULL }, loopback = { "lo*", NULL };
  g_autoptr (GArray) all = ice_interfaces_list (&any);
  g_autoptr (GArray) local = ice_interfaces_list (&loopback);
  guint i;

  g_assert_cmpuint (all->len, >, 0);
  for (i = 0; i < all->len; i++) {
    const IceInterface *interface = &g_array_index (all, IceInterface, i);

    g_assert_cmpint (interface->address.family, !=, ICE_FAMILY_NONE);
    g_assert_cmpuint (interface->address.port, ==, 0);
    g_assert_cmpuint (interface->index, >, 0);
    g_assert_cmpuint (strlen (interface->name), >, 0);
  }
  for (i = 0; i < local->len; i++)
    g_assert_true (g_array_index (local, IceInterface, i).loopback);
}

typedef struct
{
  GMutex lock;
  GCond cond;
  guint n_called;
  gboolean destroyed;
} Watched;

static gboolean
on_changed (gpointer user_data)
{
  Watched *watched = user_data;

  g_mutex_lock (&watched->lock);
  watched->n_called++;
  g_cond_signal (&watched->cond);
  g_mutex_unlock (&watched->lock);
  return G_SOURCE_CONTINUE;
}

static void
on_destroyed (gpointer user_data)
{
  Watched *watched = user_data;

  g_mutex_lock (&watched->lock);
  watched->destroyed = TRUE;
  g_cond_signal (&watched->cond);
  g_mutex_unlock (&watched->lock);
}

/* Without rtnetlink: GNetworkMonitor's word counts sooner than the clock's two
 * seconds, and many words at once are one. */
static void
test_watch_generic (void)
{
  GNetworkMonitor *monitor = g_network_monitor_get_default ();
  Watched watched = { 0 };
  IceInterfacesWatch *watch;
  gint64 begin;

  g_mutex_init (&watched.lock);
  g_cond_init (&watched.cond);
  watch = ice_interfaces_watch_new_generic (on_changed, &watched, on_destroyed);
  begin = g_get_monotonic_time ();
  for (guint i = 0; i < 10; i++)
    g_signal_emit_by_name (monitor, "network-changed", TRUE);

  g_mutex_lock (&watched.lock);
  while (watched.n_called == 0)
    g_cond_wait (&watched.cond, &watched.lock);
  g_assert_cmpuint (watched.n_called, ==, 1);
  g_assert_cmpint (
      g_get_monotonic_time () - begin, <, 1900 * G_TIME_SPAN_MILLISECOND);
  while (watched.n_called == 1) /* the clock */
    g_cond_wait (&watched.cond, &watched.lock);
  g_mutex_unlock (&watched.lock);

  ice_interfaces_watch_free (watch);
  g_mutex_lock (&watched.lock);
  while (!watched.destroyed)
    g_cond_wait (&watched.cond, &watched.lock);
  g_mutex_unlock (&watched.lock);
  g_mutex_clear (&watched.lock);
  g_cond_clear (&watched.cond);
}

#ifdef __linux__
static guint n_read;

static GArray *
read_nothing (void)
{
  n_read++;
  return g_array_new (FALSE, TRUE, sizeof (IceInterfaceEntry));
}

/* Whether asking once is reading. */
static gboolean
is_read (void)
{
  guint before = n_read;

  g_array_unref (ice_interfaces_cache_get (read_nothing));
  return n_read > before;
}

/* A link that comes up may have more to say a little later. */
static gboolean
is_kept (void)
{
  gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;

  while (is_read () && g_get_monotonic_time () < end)
    g_usleep (1000);
  return !is_read ();
}

static gboolean
set_loopback (gboolean up)
{
  gint fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0 };
  gboolean set = fd >= 0 && ioctl (fd, SIOCSIFFLAGS, &request) == 0;

  close (fd);
  return set;
}

/* In a network of its own, which this thread takes along when it ends. */
static gpointer
run_in_own_network (gpointer user_data)
{
  if (syscall (SYS_unshare, CLONE_NEWNET) < 0)
    return NULL;
  g_assert_true (is_read ());
  g_assert_true (is_kept ());
  g_assert_true (set_loopback (TRUE));
  g_assert_true (is_read ());
  g_assert_true (is_kept ());
  g_assert_true (set_loopback (FALSE));
  g_assert_true (is_read ());
  return user_data;
}

/* Another network is read anew, and so is each change of it, at once; nothing
 * else is. */
static void
test_read_once (void)
{
  if (!g_thread_join (g_thread_new ("network", run_in_own_network, &n_read)))
    g_test_skip ("no network namespaces: run me as root");
}

static guint
count_descriptors (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  return n;
}

/* However many agents follow the network. */
static void
test_watches_share (void)
{
  IceInterfacesWatch *watches[20];
  Watched watched = { 0 };
  guint before;

  g_mutex_init (&watched.lock);
  g_cond_init (&watched.cond);
  ice_service_context ();
  before = count_descriptors ();
  for (guint i = 0; i < G_N_ELEMENTS (watches); i++)
    watches[i] = ice_interfaces_watch_new (
        on_changed, &watched, i ? NULL : on_destroyed);
  g_assert_cmpuint (count_descriptors (), <=, before + 1);
  for (guint i = 0; i < G_N_ELEMENTS (watches); i++)
    ice_interfaces_watch_free (watches[i]);
  g_mutex_lock (&watched.lock);
  while (!watched.destroyed)
    g_cond_wait (&watched.cond, &watched.lock);
  g_mutex_unlock (&watched.lock);
  g_assert_cmpuint (count_descriptors (), <=, before);
  g_mutex_clear (&watched.lock);
  g_cond_clear (&watched.cond);
}
#endif

/* RFC 4862 5.5.4, RFC 6724 5 rule 7: a new temporary address displaces the
 * stable one for what is new; who follows the network is told of both, and of
 * a tentative one not before it is ready. */
static void
test_displaced (void)
{
  static const guint8 ip[3][16] = {
    { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
    { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 },
    { 0x20, 0x01, 0x0d, 0xb8, [15] = 3 },
  };
  IceInterfaceFilter filter = { 0 };
  IceInterfaceEntry entries[3] = { 0 };

  for (guint i = 0; i < 3; i++) {
    entries[i].interface.address.family = ICE_FAMILY_IPV6;
    memcpy (entries[i].interface.address.ip, ip[i], 16);
    g_strlcpy (entries[i].interface.name, "eth0", 16);
    entries[i].interface.index = 2;
    entries[i].up = TRUE;
  }
  entries[1].interface.temporary = TRUE;
  entries[2].interface.temporary = entries[2].tentative = TRUE;
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GArray) chosen = NULL;

    filter.displaced = i;
    chosen = ice_interfaces_select (entries, 3, &filter);
    g_assert_cmpuint (chosen->len, ==, 1 + i);
  }
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/interfaces/filter-syntax", test_filter_syntax);
  g_test_add_func ("/interfaces/select", test_select);
  g_test_add_func ("/interfaces/link-kind", test_link_kind);
  g_test_add_func ("/interfaces/inet6-line", test_inet6_line);
  g_test_add_func ("/interfaces/this-host", test_this_host);
  g_test_add_func ("/interfaces/watch-generic", test_watch_generic);
#ifdef __linux__
  g_test_add_func ("/interfaces/read-once-until-they-change", test_read_once);
  g_test_add_func (
      "/interfaces/watches-share-a-descriptor", test_watches_share);
#endif
  g_test_add_func ("/rfc6724/5/displaced", test_displaced);
  return g_test_run ();
}
