/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/base/nat64.h"

#include "gather-lab.h"

#include "gst/ice/core/core.h"

#include <string.h>

typedef struct
{
  const gchar *prefix;
  guint length;
  const gchar *ipv6;
} Row;

/* RFC 6052 2.4, table 2: 192.0.2.33. */
static const Row rows[] = {
  { "2001:db8::", 32, "2001:db8:c000:221::" },
  { "2001:db8:100::", 40, "2001:db8:1c0:2:21::" },
  { "2001:db8:122::", 48, "2001:db8:122:c000:2:2100::" },
  { "2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::" },
  { "2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::" },
  { "2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33" },
  /* table 3 */
  { "64:ff9b::", 96, "64:ff9b::192.0.2.33" },
};

static IceNat64Prefix
prefix_of (const Row *row)
{
  IceNat64Prefix prefix = { .length = row->length };
  const IceAddress ip = address (row->prefix, 0);

  memcpy (prefix.ip, ip.ip, sizeof prefix.ip);
  return prefix;
}

static void
test_vectors (void)
{
  const IceAddress ipv4 = address ("192.0.2.33", 5000);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const IceNat64Prefix prefix = prefix_of (&rows[i]);
    const IceAddress wanted = address (rows[i].ipv6, 5000);
    IceAddress got, back;

    g_assert_true (ice_nat64_embed (&prefix, &ipv4, &got));
    g_assert_true (ice_address_equal (&got, &wanted));
    g_assert_true (ice_nat64_extract (&prefix, &got, &back));
    g_assert_true (ice_address_equal (&back, &ipv4));
    got.ip[0] ^= 1;
    g_assert_false (ice_nat64_extract (&prefix, &got, &back));
    g_assert_false (ice_nat64_embed (&prefix, &wanted, &got));
  }
}

/* RFC 6052 3.1: not with the Well-Known Prefix; a network's own may. */
static void
test_non_global (void)
{
  const gchar *const ips[] = { "10.0.0.1", "127.0.0.1", "169.254.1.1",
    "224.0.0.1", "0.0.0.0", "192.168.1.1" };
  const IceNat64Prefix well_known = prefix_of (&rows[6]);
  const IceNat64Prefix own = prefix_of (&rows[5]);

  for (guint i = 0; i < G_N_ELEMENTS (ips); i++) {
    const IceAddress ipv4 = address (ips[i], 5000);
    IceAddress got;

    g_assert_false (ice_nat64_embed (&well_known, &ipv4, &got));
    g_assert_true (ice_nat64_embed (&own, &ipv4, &got));
  }
}

/* RFC 7050 3, for both addresses at every place. */
static void
test_find (void)
{
  const gchar *const known[] = { "192.0.0.170", "192.0.0.171" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const IceNat64Prefix prefix = prefix_of (&rows[i]);

    for (guint j = 0; j < G_N_ELEMENTS (known); j++) {
      const IceAddress ipv4 = address (known[j], 0);
      IceNat64Prefix got;
      IceAddress answer;

      /* It is in no global block: of the prefix, embed says no. */
      if (!ice_nat64_embed (&prefix, &ipv4, &answer)) {
        answer = address ("64:ff9b::", 0);
        memcpy (answer.ip + 12, ipv4.ip, 4);
      }
      g_assert_true (ice_nat64_find_prefix (&answer, &got));
      g_assert_cmpuint (got.length, ==, prefix.length);
      g_assert_cmpmem (got.ip, 16, prefix.ip, 16);
    }
  }
}

static void
test_find_none (void)
{
  const gchar *const answers[] = {
    "2001:db8::1",
    "192.0.0.170",
    "::",
    "64:ff9b::192.0.0.172",
    /* bits 64 to 71 */
    "2001:db8:c000:aa:0100::",
    /* at two places, so at none */
    "2001:db8:c000:aa::c000:aa",
  };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++) {
    const IceAddress answer = address (answers[i], 0);
    IceNat64Prefix got;

    g_assert_false (ice_nat64_find_prefix (&answer, &got));
  }
}

/* The gatherer */

static const gchar *const only_ipv6[] = { "2001:db8:1::2", NULL };
static const gchar *const both[] = { "2001:db8:1::2", "10.0.0.2", NULL };

static void
answer_prefix (Lab *lab, const gchar *ip)
{
  lab->resolve_delay = 10 * ICE_MSEC;
  lab->n_resolved = 0;
  if (ip) {
    lab->resolved[0] = address ("192.0.0.170", 0);
    lab->resolved[1] = address (ip, 0);
    lab->n_resolved = 2;
  }
}

static void
test_server_is_reached (void)
{
  Lab lab;
  LabServer *translated;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, only_ipv6);
  answer_prefix (&lab, "64:ff9b::192.0.0.170");
  lab_configure (&lab, 1, ICE_SERVER_TURN, "198.51.100.1", FAKE_PASSWORD);
  translated = lab_add_host (&lab, "64:ff9b::198.51.100.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 2 * ICE_SECOND);
  g_assert_cmpuint (lab.n_resolves, ==, 1);
  g_assert_cmpuint (translated->turn.n_requests[ICE_STUN_ALLOCATE], >, 0);
  g_assert_nonnull (lab_find (&lab, ICE_CANDIDATE_RELAYED));
  g_assert_cmpint (lab.ended_at, >, 0);
  lab_clear (&lab);
}

/* Who has only IPv4 reaches us at the translator's address, whose base can be
 * none but our own (RFC 8445 5.1.1.2). */
static void
test_server_reflexive (void)
{
  Lab lab;
  const IceCandidate *mapped;
  const IceAddress outside = address ("203.0.113.5", 0);

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, only_ipv6);
  lab.nat = TRUE;
  answer_prefix (&lab, "64:ff9b::192.0.0.170");
  lab_configure (&lab, 1, ICE_SERVER_STUN, "198.51.100.1", NULL);
  lab_add_host (&lab, "64:ff9b::198.51.100.1")->is_translated = TRUE;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 2 * ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  mapped = lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_nonnull (mapped);
  g_assert_cmpint (mapped->address.family, ==, ICE_FAMILY_IPV4);
  g_assert_cmpmem (mapped->address.ip, 4, outside.ip, 4);
  g_assert_cmpint (mapped->base.family, ==, ICE_FAMILY_IPV6);
  lab_clear (&lab);
}

/* Nobody is asked where IPv4 works, or where no IPv4 is to be reached. */
static void
test_not_asked (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, both);
  lab_configure (&lab, 1, ICE_SERVER_STUN, "198.51.100.1", NULL);
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.n_resolves, ==, 0);
  lab_clear (&lab);

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, only_ipv6);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "2001:db8:9::1");
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.n_resolves, ==, 0);
  lab_clear (&lab);
}

/* Where there is no translator gathering ends with the answer that says so. */
static void
test_no_prefix (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, only_ipv6);
  answer_prefix (&lab, NULL);
  lab_configure (&lab, 1, ICE_SERVER_STUN, "198.51.100.1", NULL);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.n_resolves, ==, 1);
  g_assert_cmpint (lab.ended_at, ==, 10 * ICE_MSEC);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  lab_clear (&lab);
}

/* The core: candidates of a peer that has only IPv4 */

static void
dice (gpointer user, guint8 *ret_bytes, gsize size)
{
  static guint8 next;

  for (gsize i = 0; i < size; i++)
    ret_bytes[i] = next++;
}

static guint
take_request (IceCore *core)
{
  IceTime deadline;
  g_autoptr (IceOutput) outputs = ice_core_take_outputs (core, &deadline);
  guint request = 0;

  for (const IceOutput *output = outputs; output; output = output->next) {
    if (output->type != ICE_OUTPUT_RESOLVE)
      continue;
    g_assert_cmpstr (output->resolve.host, ==, ICE_NAT64_NAME);
    g_assert_cmpuint (request, ==, 0);
    request = output->resolve.request;
  }
  return request;
}

static void
add_remote (IceCore *core, guint stream, const gchar *ip)
{
  g_autoptr (IceCandidate) remote = ice_candidate_new (ICE_CANDIDATE_HOST, 1);

  remote->address = address (ip, 5000);
  remote->priority = 2130706431;
  g_strlcpy (remote->foundation, "1", sizeof remote->foundation);
  g_assert_cmpint (
      ice_core_add_remote_candidate (core, stream, remote, ICE_SECOND), ==,
      ICE_VERDICT_OK);
}

static guint
count_at (IceCore *core, guint stream, const gchar *ip)
{
  g_autoptr (GPtrArray) remotes = ice_core_get_remote_candidates (core, stream);
  const IceAddress wanted = address (ip, 5000);
  guint n = 0;

  for (guint i = 0; i < remotes->len; i++) {
    const IceCandidate *remote = g_ptr_array_index (remotes, i);

    n += ice_address_equal (&remote->address, &wanted);
  }
  return n;
}

static void
test_remote_candidates (void)
{
  const IceWorld world = { .random = dice };
  const IceInterfaceAddress interface = { .address =
                                              address ("2001:db8:1::2", 0) };
  const IceAddress answer = address ("64:ff9b::192.0.0.171", 0);
  g_autoptr (IceCore) core = NULL;
  IceCoreConfig config;
  guint stream, request;

  ice_core_config_init (&config, &world);
  core = ice_core_new (&config, 0);
  stream = ice_core_add_stream (core);
  ice_core_add_component (core, stream, 1);
  ice_core_set_interfaces (core, &interface, 1, 0);
  g_assert_cmpuint (take_request (core), ==, 0);

  add_remote (core, stream, "198.51.100.7");
  request = take_request (core);
  g_assert_cmpuint (request, !=, 0);
  g_assert_cmpuint (count_at (core, stream, "64:ff9b::198.51.100.7"), ==, 0);
  ice_core_resolved (core, request, &answer, 1, ICE_SECOND);
  g_assert_cmpuint (count_at (core, stream, "64:ff9b::198.51.100.7"), ==, 1);
  /* The next one at once; one that no translator would take never. */
  add_remote (core, stream, "198.51.100.8");
  add_remote (core, stream, "10.0.0.8");
  g_assert_cmpuint (count_at (core, stream, "64:ff9b::198.51.100.8"), ==, 1);
  g_assert_cmpuint (count_at (core, stream, "64:ff9b::10.0.0.8"), ==, 0);
  g_assert_cmpuint (count_at (core, stream, "198.51.100.8"), ==, 1);
  g_assert_cmpuint (take_request (core), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc6052/2.4/text-representation", test_vectors);
  g_test_add_func ("/rfc6052/3.1/non-global-addresses", test_non_global);
  g_test_add_func ("/rfc7050/3/prefix-is-found", test_find);
  g_test_add_func ("/rfc7050/3/no-prefix", test_find_none);
  g_test_add_func ("/nat64/server-is-reached", test_server_is_reached);
  g_test_add_func ("/nat64/server-reflexive", test_server_reflexive);
  g_test_add_func ("/nat64/not-asked", test_not_asked);
  g_test_add_func ("/nat64/no-prefix", test_no_prefix);
  g_test_add_func ("/nat64/remote-candidates", test_remote_candidates);
  return g_test_run ();
}
