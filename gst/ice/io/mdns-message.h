/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../base/address.h"

G_BEGIN_DECLS

/* Multicast DNS messages (RFC 6762, RFC 1035 4), as far as host names go: what
 * is asked and answered of names of one label under "local", and addresses. No
 * socket and no clock. */

/* A label of 63 octets (RFC 1035 2.3.4), ".local", and the end. */
#define ICE_MDNS_NAME_SIZE 70

/* RFC 6762 3: the port, and the groups 224.0.0.251 and ff02::fb. */
#define ICE_MDNS_PORT 5353

/* RFC 6762 10: "120 seconds" for records that hold a host name. */
#define ICE_MDNS_TTL 120
/* RFC 6762 6.7: what legacy resolvers get, "SHOULD NOT be greater than ten
 * seconds". */
#define ICE_MDNS_LEGACY_TTL 10

typedef enum
{
  ICE_MDNS_A = 1,     /* RFC 1035 3.2.2 */
  ICE_MDNS_AAAA = 28, /* RFC 3596 2.1 */
  ICE_MDNS_NSEC = 47, /* RFC 4034 4 */
  ICE_MDNS_ANY = 255, /* RFC 1035 3.2.3 */
} IceMdnsType;

typedef struct
{
  gchar name[ICE_MDNS_NAME_SIZE]; /* lower case */
  guint16 type;                   /* A, AAAA or ANY */
  gboolean unicast; /* RFC 6762 5.4: an answer by unicast will do */
} IceMdnsQuestion;

typedef struct
{
  gchar name[ICE_MDNS_NAME_SIZE]; /* lower case */
  IceAddress address;             /* port 0 */
  guint32 ttl;                    /* seconds; 0: goodbye (RFC 6762 10.1) */
} IceMdnsRecord;

/* More than this no one asks or tells at once of what concerns us; the rest is
 * left out. */
#define ICE_MDNS_MAX_QUESTIONS 16
#define ICE_MDNS_MAX_RECORDS 16

typedef struct
{
  guint16 id;
  gboolean is_response;
  IceMdnsQuestion questions[ICE_MDNS_MAX_QUESTIONS];
  guint n_questions;
  /* Of a response what it says; of a query what it knows already (RFC 6762
   * 7.1). */
  IceMdnsRecord records[ICE_MDNS_MAX_RECORDS];
  guint n_records;
} IceMdnsMessage;

/* FALSE when it is malformed, or of no concern to hosts: another opcode, an
 * error. Questions and records of other names, types and classes are skipped.
 */
gboolean ice_mdns_parse (IceMdnsMessage *ret_message, IceBytes data);

/* TRUE when @name is one label of letters, digits, '-' and '_' under "local"
 * (the mDNS draft, 3.2.1). @ret_lower (nullable) holds ICE_MDNS_NAME_SIZE. */
gboolean ice_mdns_name_is_sane (const gchar *name, gchar *ret_lower);

/* (transfer full) asks for A and AAAA of @name. */
IcePacket *ice_mdns_query_new (guint16 id, const gchar *name, gboolean unicast);

typedef struct
{
  const gchar *name;
  IceAddress address;
  guint32 ttl;
  /* RFC 6762 6.7: to a resolver that knows only DNS: with its id and question,
   * without the bits that would confuse it. (nullable) */
  const IceMdnsQuestion *legacy;
  guint16 id; /* of the legacy query; 0 otherwise */
} IceMdnsAnswer;

/* (transfer full) says what @answer has, and (RFC 6762 6.1) that this is all
 * there is of that name. */
IcePacket *ice_mdns_response_new (const IceMdnsAnswer *answer);

G_END_DECLS
