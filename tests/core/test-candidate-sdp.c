/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/ice/candidate.h"

#include <string.h>

#define OK ICE_CANDIDATE_PARSE_OK
#define MALFORMED ICE_CANDIDATE_PARSE_MALFORMED
#define IGNORED ICE_CANDIDATE_PARSE_IGNORED

typedef struct
{
  const gchar *line;
  const gchar *written; /* what ice_candidate_to_sdp() makes of it */
} GoodRow;

static const GoodRow good_rows[] = {
  { "candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host",
      "candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host" },
  { "a=candidate:2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr "
    "203.0.113.141 rport 8998",
      "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr "
      "203.0.113.141 rport 8998" },
  { "2 2 uDp 1 192.0.2.3 1 TYP PRFLX RADDR 10.0.0.1 RPORT 2",
      "candidate:2 2 UDP 1 192.0.2.3 1 typ prflx raddr 10.0.0.1 rport 2" },
  /* a line end, blanks before it */
  { "candidate:1 1 UDP 2130706431 192.0.2.1 8998 typ host \r\n",
      "candidate:1 1 UDP 2130706431 192.0.2.1 8998 typ host" },
  /* the largest of everything */
  { "abcdefghijklmnopqrstuvwxyzABCD+/ 256 UDP 2147483647 255.255.255.255 65535 "
    "typ host",
      "candidate:abcdefghijklmnopqrstuvwxyzABCD+/ 256 UDP 2147483647 "
      "255.255.255.255 65535 typ host" },
  { "1 001 UDP 0000000001 192.0.2.1 00080 typ host",
      "candidate:1 1 UDP 1 192.0.2.1 80 typ host" },
  /* IPv6, shortened and lowered */
  { "1 1 UDP 1 2001:DB8:0:0::1 5000 typ host",
      "candidate:1 1 UDP 1 2001:db8::1 5000 typ host" },
  { "1 1 UDP 1 2001:db8::1 5000 typ relay raddr :: rport 9",
      "candidate:1 1 UDP 1 2001:db8::1 5000 typ relay raddr :: rport 9" },
  /* what others leave out or hide */
  { "1 1 UDP 1 192.0.2.1 5000 typ relay raddr 0.0.0.0 rport 0",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ relay raddr 0.0.0.0 rport 0" },
  { "1 1 UDP 1 192.0.2.1 5000 typ srflx",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 9" },
  { "1 1 UDP 1 2001:db8::1 5000 typ srflx",
      "candidate:1 1 UDP 1 2001:db8::1 5000 typ srflx raddr :: rport 9" },
  { "1 1 UDP 1 192.0.2.1 5000 typ srflx raddr 10.0.0.1",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 0" },
  { "1 1 UDP 1 192.0.2.1 5000 typ srflx rport 7",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 9" },
  { "1 1 UDP 1 192.0.2.1 5000 typ srflx raddr name.local rport 7",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 9" },
  { "1 1 UDP 1 192.0.2.1 5000 typ host raddr 10.0.0.1 rport 7",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ host" },
  /* RFC 6544 */
  { "1 1 TCP 2105458943 192.0.2.1 9 typ host tcptype active",
      "candidate:1 1 TCP 2105458943 192.0.2.1 9 typ host tcptype active" },
  { "1 1 tcp 1 192.0.2.1 0 typ host tcptype ACTIVE",
      "candidate:1 1 TCP 1 192.0.2.1 0 typ host tcptype active" },
  { "1 1 TCP 1 192.0.2.1 443 typ host tcptype passive generation 0",
      "candidate:1 1 TCP 1 192.0.2.1 443 typ host tcptype passive" },
  { "1 1 TCP 1 192.0.2.1 443 typ srflx raddr 10.0.0.1 rport 9 tcptype so",
      "candidate:1 1 TCP 1 192.0.2.1 443 typ srflx raddr 10.0.0.1 rport 9 "
      "tcptype so" },
  { "1 1 UDP 1 192.0.2.1 443 typ host tcptype nonsense",
      "candidate:1 1 UDP 1 192.0.2.1 443 typ host" },
  /* extensions: known, unknown, empty, without value, repeated */
  { "959197825 1 udp 2113937151 10.0.0.1 45437 typ host generation 0 ufrag "
    "Ac+e network-id 1 network-cost 999",
      "candidate:959197825 1 UDP 2113937151 10.0.0.1 45437 typ host ufrag "
      "Ac+e" },
  { "1 1 UDP 1 192.0.2.1 5000 typ host a b c d",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ host" },
  { "1 1 UDP 1 192.0.2.1 5000 typ host generation",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ host" },
  { "1 1 UDP 1 192.0.2.1 5000 typ host name  ufrag ab",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ host ufrag ab" },
  { "1 1 UDP 1 192.0.2.1 5000 typ host ufrag one ufrag two",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ host ufrag one" },
  { "1 1 UDP 1 192.0.2.1 5000 typ host x \xc3\xa9",
      "candidate:1 1 UDP 1 192.0.2.1 5000 typ host" },
  /* a name that only multicast DNS knows */
  { "1 1 UDP 1 55e92316-f7aa-4da6-b183-2014b9479de3.local 48328 typ host",
      "candidate:1 1 UDP 1 55e92316-f7aa-4da6-b183-2014b9479de3.local 48328 "
      "typ host" },
  { "1 1 UDP 1 Name.LOCAL 48328 typ host",
      "candidate:1 1 UDP 1 Name.LOCAL 48328 typ host" },
};

static void
test_good (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (good_rows); i++) {
    g_autoptr (IceCandidate) candidate = NULL;
    g_autoptr (IceCandidate) again = NULL;
    g_autofree gchar *written = NULL;
    g_autofree gchar *written_again = NULL;
    const gchar *reason = "none";

    g_test_message ("%s", good_rows[i].line);
    g_assert_cmpint (
        ice_candidate_parse (good_rows[i].line, &candidate, &reason), ==, OK);
    g_assert_nonnull (candidate);
    g_assert_null (reason);
    written = ice_candidate_to_sdp (candidate);
    g_assert_cmpstr (written, ==, good_rows[i].written);

    /* What we write reads the same. */
    g_assert_cmpint (ice_candidate_parse (written, &again, NULL), ==, OK);
    written_again = ice_candidate_to_sdp (again);
    g_assert_cmpstr (written_again, ==, written);
  }
}

typedef struct
{
  const gchar *line;
  IceCandidateParse result;
} BadRow;

static const BadRow bad_rows[] = {
  { "", MALFORMED },
  { "candidate:", MALFORMED },
  { "a=candidate:", MALFORMED },
  { "a=end-of-candidates", MALFORMED },
  { "1", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ ", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typo host", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ ho\"st", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ foo", IGNORED },
  /* foundation */
  { " 1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "a-b 1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "\xc3\xa9 1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "abcdefghijklmnopqrstuvwxyzABCDEFG 1 UDP 1 192.0.2.1 5000 typ host",
      MALFORMED },
  /* component */
  { "1 0 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 257 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 999 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 0001 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 -1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 +1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1x UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 0x1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  /* transport */
  { "1 1  1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1 U(P 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1 SCTP 1 192.0.2.1 5000 typ host", IGNORED },
  { "1 1 ssltcp 1 192.0.2.1 5000 typ host", IGNORED },
  { "1 1 SCTP 0 192.0.2.1 5000 typ host", MALFORMED },
  /* priority */
  { "1 1 UDP 0 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1 UDP 2147483648 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1 UDP 4294967296 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1 UDP 00000000001 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1 UDP 99999999999999999999999999 192.0.2.1 5000 typ host", MALFORMED },
  /* address */
  { "1 1 UDP 1  5000 typ host", MALFORMED },
  { "1 1 UDP 1 192.0.2.256 5000 typ host", MALFORMED },
  { "1 1 UDP 1 192.0.2 5000 typ host", MALFORMED },
  { "1 1 UDP 1 2001:db8::g 5000 typ host", MALFORMED },
  { "1 1 UDP 1 [2001:db8::1] 5000 typ host", MALFORMED },
  { "1 1 UDP 1 fe80::1%2 5000 typ host", MALFORMED },
  { "1 1 UDP 1 fe80::1%eth0 5000 typ host", MALFORMED },
  { "1 1 UDP 1 host_name 5000 typ host", MALFORMED },
  { "1 1 UDP 1 example.org 5000 typ host", IGNORED },
  { "1 1 UDP 1 localhost 5000 typ host", IGNORED },
  { "1 1 UDP 1 two.labels.local 5000 typ host", IGNORED },
  { "1 1 UDP 1 .local 5000 typ host", IGNORED },
  { "1 1 UDP 1 name.local.evil.example 5000 typ host", IGNORED },
  /* port */
  { "1 1 UDP 1 192.0.2.1 65536 typ host", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 -1 typ host", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 000001 typ host", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 x typ host", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 0 typ host", IGNORED },
  { "1 1 TCP 1 192.0.2.1 0 typ host tcptype passive", IGNORED },
  { "1 1 TCP 1 192.0.2.1 0 typ host tcptype so", IGNORED },
  { "1 1 UDP 1 name.local 0 typ host", IGNORED },
  /* extensions */
  { "1 1 UDP 1 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 65536",
      MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ host ufrag a:b", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ host ufrag  x", MALFORMED },
  { "1 1 TCP 1 192.0.2.1 5000 typ host", IGNORED },
  { "1 1 TCP 1 192.0.2.1 5000 typ host tcptype", IGNORED },
  { "1 1 TCP 1 192.0.2.1 5000 typ host tcptype foo", IGNORED },
  /* blanks and what could end a line */
  { "1  1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { " 1 1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1\t1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ host\tx y", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ host x y\r\na=ice-pwd:evil", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ host x y\na=ice-pwd:evil", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ host x \x7f", MALFORMED },
  { "1 1 UDP 1 192.0.2.1 5000 typ host x \x1b[2J", MALFORMED },
  { "a=a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host", MALFORMED },
};

static void
test_bad (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad_rows); i++) {
    IceCandidate *candidate = (IceCandidate *) &bad_rows;
    const gchar *reason = NULL;

    g_test_message ("%s", bad_rows[i].line);
    g_assert_cmpint (
        ice_candidate_parse (bad_rows[i].line, &candidate, &reason), ==,
        bad_rows[i].result);
    g_assert_null (candidate);
    g_assert_nonnull (reason);
  }
}

/* A good line, cut anywhere, is read without harm, and never as another
 * transport address with all its fields. */
static void
test_truncated (void)
{
  const gchar *line = "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx "
                      "raddr 203.0.113.141 rport 8998 ufrag Ac+e";
  gsize size;

  for (size = 0; size < strlen (line); size++) {
    g_autofree gchar *cut = g_strndup (line, size);
    g_autoptr (IceCandidate) candidate = NULL;
    gboolean has_kind = size >= strlen ("candidate:2 1 UDP 1694498815 "
                                        "192.0.2.3 45664 typ srflx");

    g_assert_cmpint (
        ice_candidate_parse (cut, &candidate, NULL) == OK, ==, has_kind);
  }
}

static void
test_long (void)
{
  static const gsize sizes[] = { 10, 1900, 2100, 10000, 1000000 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree gchar *filler = g_strnfill (sizes[i], 'x');
    g_autofree gchar *line =
        g_strconcat ("1 1 UDP 1 192.0.2.1 5000 typ host name ", filler, NULL);
    g_autoptr (IceCandidate) candidate = NULL;

    g_assert_cmpint (ice_candidate_parse (line, &candidate, NULL), ==,
        sizes[i] < 2000 ? OK : MALFORMED);
  }
}

static void
test_fields (void)
{
  g_autoptr (IceCandidate) candidate = NULL;
  g_autoptr (IceCandidate) named = NULL;
  g_autoptr (IceCandidate) zoned = NULL;
  gchar buffer[ICE_ADDRESS_STRLEN];

  ice_candidate_parse ("candidate:7 2 TCP 1694498815 192.0.2.3 45664 typ "
                       "srflx raddr 10.0.0.1 rport 8998 tcptype so ufrag abcd",
      &candidate, NULL);
  g_assert_nonnull (candidate);
  g_assert_cmpstr (candidate->foundation, ==, "7");
  g_assert_cmpuint (candidate->component, ==, 2);
  g_assert_cmpint (candidate->protocol, ==, ICE_PROTOCOL_TCP);
  g_assert_cmpint (candidate->tcp_type, ==, ICE_TCP_TYPE_SO);
  g_assert_cmpint (candidate->kind, ==, ICE_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_cmpuint (candidate->priority, ==, 1694498815);
  g_assert_cmpstr (candidate->ufrag, ==, "abcd");
  g_assert_cmpstr (ice_address_to_string (&candidate->address, buffer), ==,
      "192.0.2.3:45664");
  g_assert_cmpstr (
      ice_address_to_string (&candidate->related, buffer), ==, "10.0.0.1:8998");
  g_assert_null (candidate->host_name);

  ice_candidate_parse ("1 1 UDP 1 192.0.2.3 48328 typ srflx raddr fe80::1%7 "
                       "rport 5",
      &zoned, NULL);
  g_assert_nonnull (zoned);
  g_assert_cmpstr (
      ice_address_to_string (&zoned->related, buffer), ==, "[fe80::1]:5");

  ice_candidate_parse ("1 1 UDP 1 name.local 48328 typ host", &named, NULL);
  g_assert_nonnull (named);
  g_assert_cmpint (named->address.family, ==, ICE_FAMILY_NONE);
  g_assert_cmpuint (named->address.port, ==, 48328);
  g_assert_cmpstr (named->host_name, ==, "name.local");
}

/* A zone is not for others to see. */
static void
test_zone_is_ours (void)
{
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_SERVER_REFLEXIVE, 1);
  g_autofree gchar *written = NULL;

  g_strlcpy (candidate->foundation, "1", sizeof (candidate->foundation));
  candidate->priority = 1;
  g_assert_true (ice_address_parse (&candidate->address, "fe80::1%7", 5000));
  g_assert_true (ice_address_parse (&candidate->related, "fe80::2%7", 5001));
  written = ice_candidate_to_sdp (candidate);
  g_assert_cmpstr (written, ==,
      "candidate:1 1 UDP 1 fe80::1 5000 typ srflx raddr fe80::2 rport 5001");
}

static void
test_credentials (void)
{
  static const gsize sizes[] = { 0, 1, 3, 4, 21, 22, 256, 257 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree gchar *text = g_strnfill (sizes[i], 'a');

    g_assert_cmpint (
        ice_is_valid_ufrag (text), ==, sizes[i] >= 4 && sizes[i] <= 256);
    g_assert_cmpint (
        ice_is_valid_pwd (text), ==, sizes[i] >= 22 && sizes[i] <= 256);
    g_assert_cmpint (ice_is_ice_chars (text), ==, sizes[i] > 0);
  }
  g_assert_true (ice_is_valid_ufrag ("8hhY"));
  g_assert_true (ice_is_valid_pwd ("asd88fgpdd777uzjYhagZg"));
  g_assert_true (ice_is_valid_pwd ("VOkJxbRl1RmTxUk/WvJx+t"));
  g_assert_false (ice_is_valid_ufrag ("a:bc"));
  g_assert_false (ice_is_valid_ufrag ("abc "));
  g_assert_false (ice_is_valid_ufrag ("abc\n"));
  g_assert_false (ice_is_valid_ufrag ("ab\xc3\xa9"));
  g_assert_false (ice_is_valid_ufrag (NULL));
  g_assert_false (ice_is_valid_pwd (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/candidate-sdp/good", test_good);
  g_test_add_func ("/candidate-sdp/bad", test_bad);
  g_test_add_func ("/candidate-sdp/truncated", test_truncated);
  g_test_add_func ("/candidate-sdp/long", test_long);
  g_test_add_func ("/candidate-sdp/fields", test_fields);
  g_test_add_func ("/candidate-sdp/zone-is-ours", test_zone_is_ours);
  g_test_add_func ("/candidate-sdp/credentials", test_credentials);
  return g_test_run ();
}
