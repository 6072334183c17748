/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* a=alt lines of the ICE drafts before RFC 5245. */
#include "gst/ice/core/ice/candidate.h"

#include <string.h>

typedef struct
{
  const gchar *line;
  guint n;
  const gchar *first; /* as a candidate line; NULL when n is 0 */
} Row;

static const Row rows[] = {
  { "a=alt:1 0.8 : user pass 192.0.2.1 5000 192.0.2.1 5001", 2,
      "candidate:alt1 1 UDP 2114134271 192.0.2.1 5000 typ host" },
  { "alt:2 0.4 1 : user 9kksj== 198.51.100.1 6000", 1,
      "candidate:alt2 1 UDP 1677824255 198.51.100.1 6000 typ srflx raddr "
      "0.0.0.0 rport 9" },
  { "1 3 : IvRMqPmK U4NpoHPe 192.168.11.3 6460", 1,
      "candidate:alt1 1 UDP 2114697471 192.168.11.3 6460 typ host" },
  { "a=alt:1 1 : u p 2001:db8::1 5000", 1,
      "candidate:alt1 1 UDP 2114185471 2001:db8::1 5000 typ host" },
  { "a=alt:1 1.0 : u p 192.0.2.1 5000 host.example 5001", 1,
      "candidate:alt1 1 UDP 2114185471 192.0.2.1 5000 typ host" },
  { "a=alt:1 1 : u p 192.0.2.1 5000 192.0.2.1", 1,
      "candidate:alt1 1 UDP 2114185471 192.0.2.1 5000 typ host" },
  { "", 0, NULL },
  { "a=alt:", 0, NULL },
  { "a=alt:1 1 u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 1 1 1 : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 x : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 . : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 1.2.3 : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 -1 : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 1000000000000000 : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:a\r\nb 1 : u p 192.0.2.1 5000", 0, NULL },
  { "a=alt:1 1 : u p 192.0.2.1 0", 0, NULL },
  { "a=alt:1 1 : u p 192.0.2.1 65536", 0, NULL },
  { "a=alt:1 1 : u p host.example 5000", 0, NULL },
  { "a=alt:1 1 : u p fe80::1%eth0 5000", 0, NULL },
  { "a=alt:1 1 : u p 192.0.2.1 5000 192.0.2.1 5001 more", 0, NULL },
  { "a=alt:12345678901234567890123456789 1 : u p 192.0.2.1 5000", 0, NULL },
};

static guint
parse (const gchar *line, gchar **ret_first)
{
  IceCandidate *candidates[2];
  guint n = ice_candidate_parse_alt (line, candidates);

  *ret_first = n ? ice_candidate_to_sdp (candidates[0]) : NULL;
  if (n == 2) {
    g_assert_cmpuint (candidates[1]->component, ==, 2);
    g_assert_cmpuint (candidates[0]->priority - candidates[1]->priority, ==, 1);
    g_assert_cmpstr (candidates[0]->foundation, ==, candidates[1]->foundation);
  }
  for (guint i = 0; i < n; i++)
    ice_candidate_unref (candidates[i]);
  return n;
}

static void
test_lines (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *first = NULL;

    g_test_message ("%s", rows[i].line);
    g_assert_cmpuint (parse (rows[i].line, &first), ==, rows[i].n);
    g_assert_cmpstr (first, ==, rows[i].first);
  }
}

/* What is made of a line can be read back as a line of today. */
static void
test_round_trip (void)
{
  for (guint i = 0; rows[i].n; i++) {
    g_autoptr (IceCandidate) candidate = NULL;
    g_autofree gchar *first = NULL;

    parse (rows[i].line, &first);
    g_assert_cmpint (ice_candidate_parse (first, &candidate, NULL), ==,
        ICE_CANDIDATE_PARSE_OK);
  }
}

static void
test_truncated (void)
{
  for (gsize size = 0; size < strlen (rows[0].line); size++) {
    g_autofree gchar *line = g_strndup (rows[0].line, size);
    g_autofree gchar *first = NULL;

    parse (line, &first);
  }
}

static void
test_long (void)
{
  g_autofree gchar *line = g_strnfill (100000, '1');
  g_autofree gchar *first = NULL;

  line[5] = ' ';
  line[7] = ':';
  g_assert_cmpuint (parse (line, &first), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/candidate-alt/lines", test_lines);
  g_test_add_func ("/candidate-alt/round-trip", test_round_trip);
  g_test_add_func ("/candidate-alt/truncated", test_truncated);
  g_test_add_func ("/candidate-alt/long", test_long);
  return g_test_run ();
}
