/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../base/address.h"

G_BEGIN_DECLS

/* The messages of PCP (RFC 6887) and of its forerunner NAT-PMP (RFC 6886):
 * bytes to values and back. */

/* RFC 6887 7, RFC 6886 3.1: both listen on one port of the gateway. */
#define ICE_PORTMAP_PORT 5351
/* RFC 6887 7: no PCP message is longer. */
#define ICE_PORTMAP_MAX 1100
#define ICE_PCP_NONCE_SIZE 12

typedef enum
{
  ICE_PORTMAP_NAT_PMP = 0, /* the version octets on the wire */
  ICE_PORTMAP_PCP = 2,
} IcePortmapVersion;

/* IANA protocol numbers. */
typedef enum
{
  ICE_PORTMAP_TCP = 6,
  ICE_PORTMAP_UDP = 17,
} IcePortmapProtocol;

/* What is said of the request; RFC 6887 7.4 and RFC 6886 3.5 number them
 * differently. */
typedef enum
{
  ICE_PORTMAP_SUCCESS,
  ICE_PORTMAP_UNSUPPORTED_VERSION,
  ICE_PORTMAP_NOT_AUTHORIZED, /* switched off, or not for us */
  ICE_PORTMAP_NO_RESOURCES,   /* now; quotas included */
  ICE_PORTMAP_NETWORK_FAILURE,
  ICE_PORTMAP_ADDRESS_MISMATCH, /* another NAT is in between */
  ICE_PORTMAP_REFUSED,          /* whatever else */
} IcePortmapResult;

typedef struct
{
  IcePortmapProtocol protocol;
  guint16 internal_port;
  guint32 lifetime;    /* seconds; 0 deletes */
  IceAddress external; /* suggested; the family alone: any */
  guint8 nonce[ICE_PCP_NONCE_SIZE];
} IcePortmapRequest;

typedef enum
{
  ICE_PORTMAP_ANSWER_MAP,
  ICE_PORTMAP_ANSWER_ADDRESS, /* NAT-PMP: the external address alone */
  ICE_PORTMAP_ANSWER_VERSION, /* only that it does not speak ours */
} IcePortmapAnswerType;

typedef struct
{
  IcePortmapAnswerType type;
  IcePortmapVersion version;
  IcePortmapResult result;
  guint32 epoch; /* seconds since the gateway lost its state */
  /* MAP */
  IcePortmapProtocol protocol;
  guint16 internal_port;
  guint32 lifetime;
  IceAddress external; /* of NAT-PMP: without an IP; ADDRESS: without a port */
  guint8 nonce[ICE_PCP_NONCE_SIZE]; /* PCP */
} IcePortmapAnswer;

/* @client: our address, which the gateway compares (RFC 6887 8.2). */
IcePacket *
ice_pcp_build_map (const IceAddress *client, const IcePortmapRequest *request);
IcePacket *ice_nat_pmp_build_map (const IcePortmapRequest *request);
IcePacket *ice_nat_pmp_build_address (void);

/* FALSE for what is no answer, malformed, or to an opcode that we do not
 * send. */
gboolean ice_portmap_parse (IceBytes datagram, IcePortmapAnswer *ret_answer);

/* "refused: not authorized" and so on, for people. */
const gchar *ice_portmap_result_to_string (IcePortmapResult result);

G_END_DECLS
