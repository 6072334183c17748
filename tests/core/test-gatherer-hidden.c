/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What servers find, beside host candidates that hide behind names. */
#include "gather-lab.h"

typedef struct
{
  const gchar *what;
  const gchar *host;
  gboolean nat;
  guint n_candidates;
} Row;

/* The mDNS draft, 3.1.2.2. */
static const Row rows[] = {
  { "behind a NAT", "10.0.0.2", TRUE, 2 },
  { "a global address is told as a reflexive one", "8.8.4.4", FALSE, 2 },
  { "the server is on our side of the NAT", "10.0.0.2", FALSE, 1 },
};

static void
test_reflexive (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const IceGathererConfig config = { .hide_hosts = TRUE };
    const gchar *const addresses[] = { rows[i].host, NULL };
    Lab lab;

    g_test_message ("%s", rows[i].what);
    lab_init (&lab, FALSE);
    ice_gatherer_set_config (lab.gatherer, &config);
    lab.nat = rows[i].nat;
    lab_set_addresses (&lab, addresses);
    lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
    lab_gather (&lab, 1, 1);
    lab_run_for (&lab, ICE_SECOND);
    g_assert_cmpuint (lab.candidates->len, ==, rows[i].n_candidates);
    for (guint j = 0; j < lab.candidates->len; j++) {
      const IceCandidate *candidate = lab.candidates->pdata[j];
      g_autofree gchar *line = ice_candidate_to_sdp (candidate);

      if (candidate->kind == ICE_CANDIDATE_HOST) {
        g_assert_nonnull (strstr (line, ".local "));
        g_assert_null (strstr (line, rows[i].host));
      } else {
        /* "MUST have its raddr field set to "0.0.0.0"/"::" and its rport field
         * set to "9"" */
        g_assert_nonnull (strstr (line, " raddr 0.0.0.0 rport 9"));
        g_assert_cmpint (candidate->related.family, ==, ICE_FAMILY_NONE);
      }
    }
    lab_clear (&lab);
  }
}

/* What a TURN server on our side of the NAT saw is an interface's address. */
static void
test_relayed (void)
{
  const IceGathererConfig config = { .hide_hosts = TRUE };
  const gchar *const addresses[] = { "10.0.0.2", NULL };
  g_autofree gchar *line = NULL;
  const IceCandidate *relayed;
  Lab lab;

  lab_init (&lab, FALSE);
  ice_gatherer_set_config (lab.gatherer, &config);
  lab_set_addresses (&lab, addresses);
  lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  g_assert_nonnull (relayed);
  line = ice_candidate_to_sdp (relayed);
  g_assert_nonnull (strstr (line, " raddr 0.0.0.0 rport 9"));
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mdns-ice-candidates/3.1.2.2/reflexive", test_reflexive);
  g_test_add_func ("/mdns-ice-candidates/3.1.2.2/relayed", test_relayed);
  return g_test_run ();
}
