/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "gst/ice/io/mdns-message.h"

static const gchar uuid_name[] = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";

static IceAddress
address_of (const gchar *ip)
{
  IceAddress address;

  g_assert_true (ice_address_parse (&address, ip, 0));
  return address;
}

static gboolean
parse (IceMdnsMessage *message, const gchar *bytes, gsize size)
{
  return ice_mdns_parse (message, ICE_BYTES (bytes, size));
}

/* RFC 1035 4.1.1 and 4.1.2, by hand: ID, flags, one question; A IN with the
 * unicast bit of RFC 6762 5.4. */
#define QUERY_HEAD "\x12\x34\0\0\0\1\0\0\0\0\0\0"
#define RESPONSE_HEAD "\0\0\x84\0\0\0\0\1\0\0\0\0"

static void
test_query_by_hand (void)
{
  static const gchar query[] = QUERY_HEAD "\4HoSt\5LOCAL\0\0\x1c\x80\1";
  IceMdnsMessage message;

  g_assert_true (parse (&message, query, sizeof query - 1));
  g_assert_false (message.is_response);
  g_assert_cmpuint (message.id, ==, 0x1234);
  g_assert_cmpuint (message.n_questions, ==, 1);
  g_assert_cmpstr (message.questions[0].name, ==, "host.local");
  g_assert_cmpuint (message.questions[0].type, ==, ICE_MDNS_AAAA);
  g_assert_true (message.questions[0].unicast);
}

static void
test_query_round (void)
{
  g_autoptr (IcePacket) packet = ice_mdns_query_new (7, uuid_name, TRUE);
  IceMdnsMessage message;

  g_assert_true (
      ice_mdns_parse (&message, ICE_BYTES (packet->data, packet->size)));
  g_assert_cmpuint (message.id, ==, 7);
  g_assert_cmpuint (message.n_questions, ==, 2);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpstr (message.questions[i].name, ==, uuid_name);
    g_assert_true (message.questions[i].unicast);
  }
  g_assert_cmpuint (message.questions[0].type, ==, ICE_MDNS_A);
  g_assert_cmpuint (message.questions[1].type, ==, ICE_MDNS_AAAA);
}

static void
test_response_round (void)
{
  static const gchar *const ips[] = { "192.0.2.1", "2001:db8::1" };

  for (guint i = 0; i < G_N_ELEMENTS (ips); i++) {
    const IceMdnsAnswer answer = {
      .name = uuid_name, .address = address_of (ips[i]), .ttl = ICE_MDNS_TTL
    };
    g_autoptr (IcePacket) packet = ice_mdns_response_new (&answer);
    IceMdnsMessage message;

    g_assert_true (
        ice_mdns_parse (&message, ICE_BYTES (packet->data, packet->size)));
    g_assert_true (message.is_response);
    g_assert_cmpuint (message.id, ==, 0);
    g_assert_cmpuint (message.n_questions, ==, 0);
    g_assert_cmpuint (message.n_records, ==, 1);
    g_assert_cmpstr (message.records[0].name, ==, uuid_name);
    g_assert_true (
        ice_address_equal (&message.records[0].address, &answer.address));
    g_assert_cmpuint (message.records[0].ttl, ==, 120);
  }
}

/* RFC 6762 6.1: the bit map says A, 0x40 in its first octet, and nothing else;
 * for AAAA, 28, it is 0x08 in the fourth (RFC 4034 4.1.2). */
static void
test_nsec (void)
{
  static const guint8 a_map[] = { 0, 1, 0x40 };
  static const guint8 aaaa_map[] = { 0, 4, 0, 0, 0, 0x08 };
  IceMdnsAnswer answer = { .name = "h.local", .ttl = ICE_MDNS_TTL };
  IcePacket *packet;

  answer.address = address_of ("192.0.2.1");
  packet = ice_mdns_response_new (&answer);
  g_assert_cmpmem (packet->data + packet->size - sizeof a_map, sizeof a_map,
      a_map, sizeof a_map);
  ice_packet_unref (packet);
  answer.address = address_of ("2001:db8::1");
  packet = ice_mdns_response_new (&answer);
  g_assert_cmpmem (packet->data + packet->size - sizeof aaaa_map,
      sizeof aaaa_map, aaaa_map, sizeof aaaa_map);
  ice_packet_unref (packet);
}

/* RFC 6762 6.7: "MUST repeat the query ID and the question given in the query
 * message", and without the cache-flush bit. */
static void
test_legacy (void)
{
  static const gchar expected[] =
      "\x12\x34\x84\0\0\1\0\1\0\0\0\0\1h\5local\0\0\xff\0\1"
      "\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4\xc0\0\2\1";
  const IceMdnsQuestion question = { "h.local", ICE_MDNS_ANY, FALSE };
  const IceMdnsAnswer answer = { .name = "h.local",
    .address = address_of ("192.0.2.1"),
    .ttl = ICE_MDNS_LEGACY_TTL,
    .legacy = &question,
    .id = 0x1234 };
  g_autoptr (IcePacket) packet = ice_mdns_response_new (&answer);

  g_assert_cmpmem (packet->data, packet->size, expected, sizeof expected - 1);
}

typedef struct
{
  const gchar *what;
  gsize size;
  const gchar *bytes;
  gboolean good;
  guint n_questions, n_records;
} Row;

#define ROW(what, bytes, ...)                                                  \
  {                                                                            \
    what, sizeof (bytes) - 1, bytes, __VA_ARGS__                               \
  }
#define A_RDATA "\0\1\x80\1\0\0\0\x78\0\4\xc0\0\2\1"

static const Row rows[] = {
  ROW ("nothing", "", FALSE, 0, 0),
  ROW ("a header alone", "\0\0\0\0\0\0\0\0\0\0\0\0", TRUE, 0, 0),
  ROW ("half a header", "\0\0\0\0\0\0\0\0\0\0\0", FALSE, 0, 0),
  ROW ("a question missing", QUERY_HEAD, FALSE, 0, 0),
  ROW ("another opcode (18.3)",
      "\0\0\x28\0\0\1\0\0\0\0\0\0\1h\5local\0\0\1\0\1", FALSE, 0, 0),
  ROW ("an error (18.11)", "\0\0\x84\3\0\0\0\0\0\0\0\0", FALSE, 0, 0),
  ROW ("two labels below local", QUERY_HEAD "\1a\1h\5local\0\0\1\0\1", TRUE, 0,
      0),
  ROW ("another domain", QUERY_HEAD "\1h\5locul\0\0\1\0\1", TRUE, 0, 0),
  ROW (
      "local is not the end", QUERY_HEAD "\1h\5local\1x\0\0\1\0\1", TRUE, 0, 0),
  ROW ("local alone", QUERY_HEAD "\5local\0\0\1\0\1", TRUE, 0, 0),
  ROW ("the root", QUERY_HEAD "\0\0\1\0\1", TRUE, 0, 0),
  ROW ("a dot in a label", QUERY_HEAD "\3a.h\5local\0\0\1\0\1", TRUE, 0, 0),
  ROW ("a NUL in a label", QUERY_HEAD "\3a\0h\5local\0\0\1\0\1", TRUE, 0, 0),
  ROW ("a space in a label", QUERY_HEAD "\3a h\5local\0\0\1\0\1", TRUE, 0, 0),
  ROW ("a service", QUERY_HEAD "\1h\5local\0\0\x0c\0\1", TRUE, 0, 0),
  ROW ("class CHAOS", QUERY_HEAD "\1h\5local\0\0\1\0\3", TRUE, 0, 0),
  ROW ("class ANY", QUERY_HEAD "\1h\5local\0\0\1\0\xff", TRUE, 1, 0),
  ROW ("a record", RESPONSE_HEAD "\1h\5local\0" A_RDATA, TRUE, 0, 1),
  ROW ("a record of another size",
      RESPONSE_HEAD "\1h\5local\0\0\1\x80\1\0\0\0\x78\0\3\xc0\0\2", TRUE, 0, 0),
  ROW ("an AAAA of four octets",
      RESPONSE_HEAD "\1h\5local\0\0\x1c\x80\1\0\0\0\x78\0\4\xc0\0\2\1", TRUE, 0,
      0),
  ROW ("a cut record",
      RESPONSE_HEAD "\1h\5local\0\0\1\x80\1\0\0\0\x78\0\4\xc0\0\2", FALSE, 0,
      0),
  ROW ("a pointer to itself", QUERY_HEAD "\xc0\x0c\0\1\0\1", FALSE, 0, 0),
  ROW ("a label and a pointer to it", QUERY_HEAD "\1h\xc0\x0c\0\1\0\1", FALSE,
      0, 0),
  ROW ("a pointer forwards", QUERY_HEAD "\xc0\x12\0\1\0\1\1h\5local\0", FALSE,
      0, 0),
  ROW ("a pointer into the header", QUERY_HEAD "\xc0\2\0\1\0\1", FALSE, 0, 0),
  ROW ("a pointer out of it", QUERY_HEAD "\xff\xff\0\1\0\1", FALSE, 0, 0),
  ROW ("half a pointer", QUERY_HEAD "\xc0", FALSE, 0, 0),
  ROW ("a label of the reserved kinds", QUERY_HEAD "\x41h\5local\0\0\1\0\1",
      FALSE, 0, 0),
  ROW ("a pointer backwards",
      "\0\0\0\0\0\2\0\0\0\0\0\0\1h\5local\0\0\1\0\1\1i\xc0\x0e\0\1\0\1", TRUE,
      2, 0),
  ROW ("two that point at each other",
      "\0\0\0\0\0\2\0\0\0\0\0\0\xc0\x12\0\1\0\1\xc0\x0c\0\1\0\1", FALSE, 0, 0),
};

static void
test_rows (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Row *row = &rows[i];
    /* Of just that size, so that ASan sees a look behind it. */
    g_autofree guint8 *bytes = g_memdup2 (row->bytes, row->size);
    IceMdnsMessage message;

    g_test_message ("%s", row->what);
    g_assert_cmpint (
        ice_mdns_parse (&message, ICE_BYTES (bytes, row->size)), ==, row->good);
    if (!row->good)
      continue;
    g_assert_cmpuint (message.n_questions, ==, row->n_questions);
    g_assert_cmpuint (message.n_records, ==, row->n_records);
  }
}

/* RFC 1035 2.3.4: 255 octets; by pointers a name could be of any length. */
static void
test_long_name (void)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 head[12] = { 0, 0, 0, 0, 0, 3 };
  guint previous = 0;
  IceMdnsMessage message;

  /* Each name is a label of 63 and the name before it. */
  g_byte_array_append (bytes, head, sizeof head);
  for (guint i = 0; i < 4; i++) {
    const guint8 pointer[] = { (guint8) (0xc0 | previous >> 8),
      (guint8) previous };
    guint8 label[64];

    previous = bytes->len;
    memset (label, 'x', sizeof label);
    label[0] = 63;
    g_byte_array_append (bytes, label, sizeof label);
    if (i == 0)
      g_byte_array_append (bytes, (const guint8 *) "\0", 1);
    else
      g_byte_array_append (bytes, pointer, sizeof pointer);
    g_byte_array_append (bytes, (const guint8 *) "\0\1\0\1", 4);
  }
  /* The third has 1 + 3 * 64 octets, the fourth 257. */
  g_assert_true (
      ice_mdns_parse (&message, ICE_BYTES (bytes->data, bytes->len)));
  bytes->data[5] = 4;
  g_assert_false (
      ice_mdns_parse (&message, ICE_BYTES (bytes->data, bytes->len)));
  g_byte_array_unref (bytes);
}

/* More questions and records than there is room for: the first count. */
static void
test_many (void)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 head[12] = { 0, 0, 0x84, 0, 0, 40, 0, 40, 0, 0, 0, 0 };
  IceMdnsMessage message;

  g_byte_array_append (bytes, head, sizeof head);
  for (guint i = 0; i < 40; i++)
    g_byte_array_append (bytes, (const guint8 *) "\1h\5local\0\0\1\0\1", 13);
  for (guint i = 0; i < 40; i++)
    g_byte_array_append (bytes, (const guint8 *) "\xc0\x0c" A_RDATA, 2 + 14);
  g_assert_true (
      ice_mdns_parse (&message, ICE_BYTES (bytes->data, bytes->len)));
  g_assert_cmpuint (message.n_questions, ==, ICE_MDNS_MAX_QUESTIONS);
  g_assert_cmpuint (message.n_records, ==, ICE_MDNS_MAX_RECORDS);
  g_byte_array_unref (bytes);
}

/* The mDNS draft, 3.2.1, and what goes into a question. */
static void
test_names (void)
{
  static const struct
  {
    const gchar *name;
    gboolean sane;
  } names[] = {
    { "1f4712db-ea17-4bcf-a596-105139dfd8bf.local", TRUE },
    { "NAS_2.Local", TRUE },
    { "a.local", TRUE },
    { ".local", FALSE },
    { "local", FALSE },
    { "", FALSE },
    { "a.local.", FALSE },
    { "a.b.local", FALSE },
    { "a.example", FALSE },
    { "a b.local", FALSE },
    { "\xc3\xa4.local", FALSE },
    { "a%.local", FALSE },
    { "0123456789012345678901234567890123456789012345678901234567890123.local",
        FALSE },
    { "012345678901234567890123456789012345678901234567890123456789012.local",
        TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gchar lower[ICE_MDNS_NAME_SIZE] = "";

    g_test_message ("%s", names[i].name);
    g_assert_cmpint (
        ice_mdns_name_is_sane (names[i].name, lower), ==, names[i].sane);
    if (names[i].sane)
      g_assert_cmpint (g_ascii_strcasecmp (lower, names[i].name), ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc6762/5.4/query-by-hand", test_query_by_hand);
  g_test_add_func ("/mdns-message/query-round", test_query_round);
  g_test_add_func ("/mdns-message/response-round", test_response_round);
  g_test_add_func ("/rfc6762/6.1/nsec-says-that-this-is-all", test_nsec);
  g_test_add_func ("/rfc6762/6.7/legacy-answer", test_legacy);
  g_test_add_func ("/rfc1035/4.1.4/names-and-pointers", test_rows);
  g_test_add_func ("/rfc1035/2.3.4/long-names", test_long_name);
  g_test_add_func ("/mdns-message/bounded", test_many);
  g_test_add_func ("/mdns-ice-candidates/3.2.1/names", test_names);
  return g_test_run ();
}
