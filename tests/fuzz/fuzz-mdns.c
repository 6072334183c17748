/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mDNS messages of strangers: what is read is sane and bounded, and what is
 * written of it reads the same again (RFC 6762 18, RFC 1035 4.1.4). */
#include "gst/ice/io/mdns-message.h"

#include <string.h>

#include "target.h"

static void
check_name (const gchar *name)
{
  gchar lower[ICE_MDNS_NAME_SIZE];

  g_assert_true (ice_mdns_name_is_sane (name, lower));
  g_assert_cmpstr (name, ==, lower);
}

static void
check_response (const IceMdnsRecord *record, const IceMdnsQuestion *legacy)
{
  const IceMdnsAnswer answer = { .name = record->name,
    .address = record->address,
    .ttl = record->ttl,
    .legacy = legacy,
    .id = legacy ? 77 : 0 };
  g_autoptr (IcePacket) packet = ice_mdns_response_new (&answer);
  IceMdnsMessage again;

  g_assert_true (
      ice_mdns_parse (&again, ICE_BYTES (packet->data, packet->size)));
  g_assert_true (again.is_response);
  g_assert_cmpuint (again.id, ==, answer.id);
  g_assert_cmpuint (again.n_questions, ==, legacy ? 1 : 0);
  g_assert_cmpuint (again.n_records, ==, 1);
  g_assert_cmpstr (again.records[0].name, ==, record->name);
  g_assert_true (
      ice_address_equal (&again.records[0].address, &record->address));
  g_assert_cmpuint (again.records[0].ttl, ==, record->ttl);
}

static void
check_question (const IceMdnsQuestion *question)
{
  g_autoptr (IcePacket) packet =
      ice_mdns_query_new (5, question->name, question->unicast);
  IceMdnsMessage again;

  g_assert_true (
      ice_mdns_parse (&again, ICE_BYTES (packet->data, packet->size)));
  g_assert_false (again.is_response);
  g_assert_cmpuint (again.n_questions, ==, 2);
  g_assert_cmpstr (again.questions[1].name, ==, question->name);
  g_assert_cmpint (again.questions[1].unicast, ==, question->unicast);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  IceMdnsMessage message;

  if (!ice_mdns_parse (&message, ICE_BYTES (data, size)))
    return 0;
  g_assert_cmpuint (message.n_questions, <=, ICE_MDNS_MAX_QUESTIONS);
  g_assert_cmpuint (message.n_records, <=, ICE_MDNS_MAX_RECORDS);
  for (guint i = 0; i < message.n_questions; i++) {
    check_name (message.questions[i].name);
    check_question (&message.questions[i]);
  }
  for (guint i = 0; i < message.n_records; i++) {
    IceMdnsQuestion legacy = { "", ICE_MDNS_ANY, FALSE };

    check_name (message.records[i].name);
    g_strlcpy (legacy.name, message.records[i].name, sizeof legacy.name);
    check_response (&message.records[i], NULL);
    check_response (&message.records[i], &legacy);
  }
  return 0;
}
