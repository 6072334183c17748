/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/base/address.h"

#include <string.h>

typedef struct
{
  const gchar *ip;
  IceAddressClass klass;
} ClassRow;

#define UNSPECIFIED ICE_ADDRESS_UNSPECIFIED
#define LOOPBACK ICE_ADDRESS_LOOPBACK
#define LINK_LOCAL ICE_ADDRESS_LINK_LOCAL
#define MULTICAST ICE_ADDRESS_MULTICAST
#define RESERVED ICE_ADDRESS_RESERVED
#define PRIVATE ICE_ADDRESS_PRIVATE
#define TUNNEL ICE_ADDRESS_TUNNEL
#define GLOBAL ICE_ADDRESS_GLOBAL

/* Both edges of each block, and every way to write 127.0.0.1 in IPv6. */
static const ClassRow class_rows[] = {
  { "0.0.0.0", UNSPECIFIED },
  { "0.255.255.255", UNSPECIFIED },
  { "1.0.0.0", GLOBAL },
  { "8.8.8.8", GLOBAL },
  { "9.255.255.255", GLOBAL },
  { "10.0.0.0", PRIVATE },
  { "10.255.255.255", PRIVATE },
  { "11.0.0.0", GLOBAL },
  { "100.63.255.255", GLOBAL },
  { "100.64.0.0", PRIVATE },
  { "100.127.255.255", PRIVATE },
  { "100.128.0.0", GLOBAL },
  { "126.255.255.255", GLOBAL },
  { "127.0.0.0", LOOPBACK },
  { "127.0.0.1", LOOPBACK },
  { "127.255.255.255", LOOPBACK },
  { "128.0.0.0", GLOBAL },
  { "169.253.255.255", GLOBAL },
  { "169.254.0.0", LINK_LOCAL },
  { "169.254.255.255", LINK_LOCAL },
  { "169.255.0.0", GLOBAL },
  { "172.15.255.255", GLOBAL },
  { "172.16.0.0", PRIVATE },
  { "172.31.255.255", PRIVATE },
  { "172.32.0.0", GLOBAL },
  { "192.0.0.0", PRIVATE },
  { "192.0.0.7", PRIVATE },
  { "192.0.0.8", RESERVED },
  { "192.0.0.9", GLOBAL },
  { "192.0.0.10", GLOBAL },
  { "192.0.0.170", RESERVED },
  { "192.0.1.0", GLOBAL },
  { "192.0.2.1", GLOBAL },
  { "192.88.99.1", TUNNEL },
  { "192.167.255.255", GLOBAL },
  { "192.168.0.0", PRIVATE },
  { "192.168.255.255", PRIVATE },
  { "192.169.0.0", GLOBAL },
  { "198.17.255.255", GLOBAL },
  { "198.18.0.0", PRIVATE },
  { "198.19.255.255", PRIVATE },
  { "198.20.0.0", GLOBAL },
  { "198.51.100.1", GLOBAL },
  { "203.0.113.1", GLOBAL },
  { "223.255.255.255", GLOBAL },
  { "224.0.0.1", MULTICAST },
  { "239.255.255.255", MULTICAST },
  { "240.0.0.0", RESERVED },
  { "255.255.255.254", RESERVED },
  { "255.255.255.255", MULTICAST },

  { "::", UNSPECIFIED },
  { "::1", LOOPBACK },
  { "::2", RESERVED },
  { "::127.0.0.1", RESERVED },
  { "::8.8.8.8", RESERVED },
  { "::ffff:0.0.0.0", RESERVED },
  { "::ffff:127.0.0.1", RESERVED },
  { "::ffff:7f00:1", RESERVED },
  { "::ffff:8.8.8.8", RESERVED },
  { "::ffff:0:127.0.0.1", RESERVED },
  { "64:ff9b::8.8.8.8", GLOBAL },
  { "64:ff9b::127.0.0.1", LOOPBACK },
  { "64:ff9b::10.0.0.1", PRIVATE },
  { "64:ff9b::0.0.0.0", UNSPECIFIED },
  { "64:ff9b::169.254.169.254", LINK_LOCAL },
  { "64:ff9b::224.0.0.1", MULTICAST },
  { "64:ff9b::255.255.255.255", MULTICAST },
  { "64:ff9b:1::8.8.8.8", PRIVATE },
  { "64:ff9c::8.8.8.8", RESERVED },
  { "100::1", RESERVED },
  { "100:0:0:1::1", GLOBAL },
  { "2001::f7f7:f7f7", TUNNEL },             /* Teredo, 8.8.8.8 */
  { "2001:0:808:808::80ff:fffe", LOOPBACK }, /* Teredo, 127.0.0.1 */
  { "2001::f5ff:fffe", PRIVATE },            /* Teredo, 10.0.0.1 */
  { "2001::", MULTICAST },                   /* Teredo, 255.255.255.255 */
  { "2001::ffff:ffff", UNSPECIFIED },        /* Teredo, 0.0.0.0 */
  { "2001:1::1", GLOBAL },
  { "2001:2::1", PRIVATE },
  { "2001:2:1::1", GLOBAL },
  { "2001:10::1", RESERVED },
  { "2001:1f:ffff::1", RESERVED },
  { "2001:20::1", RESERVED },
  { "2001:30::1", GLOBAL },
  { "2001:db8::1", GLOBAL },
  { "2001:4860:4860::8888", GLOBAL },
  { "2002:808:808::1", TUNNEL },
  { "2002:7f00:1::1", LOOPBACK },
  { "2002:a00:1::1", PRIVATE },
  { "2002:c0a8:1::1", PRIVATE },
  { "2002:a9fe:a9fe::1", LINK_LOCAL },
  { "2002::1", UNSPECIFIED },
  { "2002:e000:1::1", MULTICAST },
  { "2003::1", GLOBAL },
  { "3fff::1", GLOBAL },
  { "5f00::1", RESERVED },
  { "fbff::1", GLOBAL },
  { "fc00::1", PRIVATE },
  { "fd77::1", PRIVATE },
  { "fdff:ffff::1", PRIVATE },
  { "fe00::1", GLOBAL },
  { "fe80::1", LINK_LOCAL },
  { "fe80::1%2", LINK_LOCAL },
  { "febf::1", LINK_LOCAL },
  { "fec0::1", RESERVED },
  { "feff::1", RESERVED },
  { "ff00::1", MULTICAST },
  { "ff02::1%2", MULTICAST },
  { "ffff::1", MULTICAST },
};

static void
test_classify (void)
{
  IceAddress none = ICE_ADDRESS_NONE;
  guint i;

  g_assert_cmpint (ice_address_classify (&none), ==, UNSPECIFIED);
  for (i = 0; i < G_N_ELEMENTS (class_rows); i++) {
    IceAddressClass klass = class_rows[i].klass;
    gboolean usable =
        klass != UNSPECIFIED && klass != MULTICAST && klass != RESERVED;
    IceAddress address;

    g_test_message ("%s", class_rows[i].ip);
    g_assert_true (ice_address_parse (&address, class_rows[i].ip, 4000));
    g_assert_cmpint (ice_address_classify (&address), ==, klass);
    g_assert_cmpint (ice_address_is_usable (&address), ==, usable);
    address.port = 0;
    g_assert_false (ice_address_is_usable (&address));
  }
}

typedef struct
{
  const gchar *ip;
  const gchar *text; /* NULL when it is no address */
} TextRow;

static const TextRow text_rows[] = {
  { "192.0.2.1", "192.0.2.1:5000" },
  { "255.255.255.255", "255.255.255.255:5000" },
  { "2001:DB8::0:1", "[2001:db8::1]:5000" },
  { "::", "[::]:5000" },
  { "fe80::1%0", "[fe80::1]:5000" },
  { "fe80::1%4294967295", "[fe80::1%4294967295]:5000" },
  { "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:5000" },
  { "", NULL },
  { "1", NULL },
  { "1.2.3", NULL },
  { "1.2.3.4.5", NULL },
  { "1.2.3.256", NULL },
  { "0x7f.0.0.1", NULL },
  { "0177.0.0.1", NULL },
  { "2130706433", NULL },
  { " 1.2.3.4", NULL },
  { "1.2.3.4 ", NULL },
  { "1.2.3.4%1", NULL },
  { "[::1]", NULL },
  { ":::", NULL },
  { "1::2::3", NULL },
  { "12345::1", NULL },
  { "fe80::1%", NULL },
  { "fe80::1%eth0", NULL },
  { "fe80::1%4294967296", NULL },
  { "fe80::1%-1", NULL },
  { "example.org", NULL },
  { "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2550000000000000000", NULL },
};

static void
test_text (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (text_rows); i++) {
    gchar buffer[ICE_ADDRESS_STRLEN];
    IceAddress address, again, none = ICE_ADDRESS_NONE;

    g_test_message ("%s", text_rows[i].ip);
    g_assert_cmpint (ice_address_parse (&address, text_rows[i].ip, 5000), ==,
        text_rows[i].text != NULL);
    if (!text_rows[i].text) {
      g_assert_true (ice_address_equal (&address, &none));
      continue;
    }
    g_assert_cmpstr (
        ice_address_to_string (&address, buffer), ==, text_rows[i].text);
    g_assert_true (ice_address_parse (
        &again, ice_address_ip_to_string (&address, buffer), 5000));
    g_assert_true (ice_address_equal (&address, &again));
  }
}

static void
test_none_text (void)
{
  IceAddress none = ICE_ADDRESS_NONE;
  gchar buffer[ICE_ADDRESS_STRLEN];

  g_assert_cmpstr (ice_address_to_string (&none, buffer), ==, "none:0");
}

/* In the order that compare gives. */
static void
test_order (void)
{
  static const struct
  {
    const gchar *ip;
    guint16 port;
  } rows[] = {
    { "1.2.3.4", 1 },
    { "1.2.3.4", 65535 },
    { "1.2.3.5", 1 },
    { "200.2.3.5", 1 },
    { "::1", 1 },
    { "::1", 2 },
    { "fe80::1%1", 1 },
    { "fe80::1%4000000000", 1 },
  };
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    for (j = 0; j < G_N_ELEMENTS (rows); j++) {
      IceAddress a, b;
      gint order;

      g_assert_true (ice_address_parse (&a, rows[i].ip, rows[i].port));
      g_assert_true (ice_address_parse (&b, rows[j].ip, rows[j].port));
      order = ice_address_compare (&a, &b);
      g_assert_cmpint ((order > 0) - (order < 0), ==, (i > j) - (i < j));
      g_assert_cmpint (ice_address_equal (&a, &b), ==, i == j);
      g_assert_cmpint (ice_address_same_ip (&a, &b), ==,
          strcmp (rows[i].ip, rows[j].ip) == 0);
      if (i == j)
        g_assert_cmpuint (ice_address_hash (&a), ==, ice_address_hash (&b));
      else
        g_assert_cmpuint (ice_address_hash (&a), !=, ice_address_hash (&b));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address/classify", test_classify);
  g_test_add_func ("/address/text", test_text);
  g_test_add_func ("/address/none-text", test_none_text);
  g_test_add_func ("/address/order", test_order);
  return g_test_run ();
}
