/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "portmap-message.h"

#include <string.h>

#include "../base/bytes.h"

/* RFC 6887 19.2, RFC 6886 3.3. */
#define PCP_MAP 1
#define NAT_PMP_ADDRESS 0
#define NAT_PMP_MAP_UDP 1
#define NAT_PMP_MAP_TCP 2

/* RFC 6887 7.2, RFC 6886 3.3: the top bit of the opcode. */
#define RESPONSE 0x80

/* RFC 6887 5: IPv4 as ::ffff:a.b.c.d. */
static void
write_address (IceWriter *writer, const IceAddress *address)
{
  if (address->family == ICE_FAMILY_IPV4) {
    ice_write_zeros (writer, 10);
    ice_write_u16 (writer, 0xffff);
    ice_write_bytes (writer, ICE_BYTES (address->ip, 4));
  } else {
    ice_write_bytes (writer, ICE_BYTES (address->ip, 16));
  }
}

static void
read_ip (IceBytes bytes, IceAddress *ret_address)
{
  static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };

  if (memcmp (bytes.data, mapped, sizeof mapped) == 0) {
    ret_address->family = ICE_FAMILY_IPV4;
    memcpy (ret_address->ip, bytes.data + sizeof mapped, 4);
  } else {
    ret_address->family = ICE_FAMILY_IPV6;
    memcpy (ret_address->ip, bytes.data, 16);
  }
}

static IcePacket *
finish (IceWriter *writer)
{
  IcePacket *packet =
      ice_packet_new_from (ICE_BYTES (writer->data, writer->size));

  ice_writer_clear (writer);
  return packet;
}

/* RFC 6887 7.1 and 11.1. */
IcePacket *
ice_pcp_build_map (const IceAddress *client, const IcePortmapRequest *request)
{
  IceWriter writer;

  ice_writer_init (&writer, 60);
  ice_write_u8 (&writer, ICE_PORTMAP_PCP);
  ice_write_u8 (&writer, PCP_MAP);
  ice_write_u16 (&writer, 0);
  ice_write_u32 (&writer, request->lifetime);
  write_address (&writer, client);
  ice_write_bytes (&writer, ICE_BYTES (request->nonce, ICE_PCP_NONCE_SIZE));
  ice_write_u8 (&writer, request->protocol);
  ice_write_zeros (&writer, 3);
  ice_write_u16 (&writer, request->internal_port);
  ice_write_u16 (&writer, request->external.port);
  write_address (&writer, &request->external);
  return finish (&writer);
}

/* RFC 6886 3.3. */
IcePacket *
ice_nat_pmp_build_map (const IcePortmapRequest *request)
{
  IceWriter writer;

  ice_writer_init (&writer, 12);
  ice_write_u8 (&writer, ICE_PORTMAP_NAT_PMP);
  ice_write_u8 (&writer,
      request->protocol == ICE_PORTMAP_TCP ? NAT_PMP_MAP_TCP : NAT_PMP_MAP_UDP);
  ice_write_u16 (&writer, 0);
  ice_write_u16 (&writer, request->internal_port);
  /* 3.4: to delete, the suggested port is zero. */
  ice_write_u16 (&writer, request->lifetime ? request->external.port : 0);
  ice_write_u32 (&writer, request->lifetime);
  return finish (&writer);
}

IcePacket *
ice_nat_pmp_build_address (void)
{
  static const guint8 request[] = { ICE_PORTMAP_NAT_PMP, NAT_PMP_ADDRESS };

  return ice_packet_new_from (ICE_BYTES (request, sizeof request));
}

/* RFC 6887 7.4. */
static IcePortmapResult
pcp_result (guint8 code)
{
  switch (code) {
    case 0:
      return ICE_PORTMAP_SUCCESS;
    case 1:
      return ICE_PORTMAP_UNSUPPORTED_VERSION;
    case 2:
      return ICE_PORTMAP_NOT_AUTHORIZED;
    case 7:
      return ICE_PORTMAP_NETWORK_FAILURE;
    case 8:  /* NO_RESOURCES */
    case 10: /* USER_EX_QUOTA */
      return ICE_PORTMAP_NO_RESOURCES;
    case 12:
      return ICE_PORTMAP_ADDRESS_MISMATCH;
    default:
      return ICE_PORTMAP_REFUSED;
  }
}

/* RFC 6886 3.5. */
static IcePortmapResult
nat_pmp_result (guint16 code)
{
  switch (code) {
    case 0:
      return ICE_PORTMAP_SUCCESS;
    case 1:
      return ICE_PORTMAP_UNSUPPORTED_VERSION;
    case 2:
      return ICE_PORTMAP_NOT_AUTHORIZED;
    case 3:
      return ICE_PORTMAP_NETWORK_FAILURE;
    case 4:
      return ICE_PORTMAP_NO_RESOURCES;
    default:
      return ICE_PORTMAP_REFUSED;
  }
}

/* RFC 6887 7.2 and 11.1, behind version and opcode. */
static gboolean
parse_pcp (IceReader *reader, guint8 opcode, IcePortmapAnswer *answer)
{
  IceBytes nonce, external;
  guint8 code, protocol;
  gboolean whole;

  answer->version = ICE_PORTMAP_PCP;
  if (!ice_skip (reader, 1) || !ice_read_u8 (reader, &code) ||
      !ice_read_u32 (reader, &answer->lifetime) ||
      !ice_read_u32 (reader, &answer->epoch) || !ice_skip (reader, 12))
    return FALSE;
  answer->result = pcp_result (code);
  whole = ice_read_bytes (reader, ICE_PCP_NONCE_SIZE, &nonce) &&
      ice_read_u8 (reader, &protocol) && ice_skip (reader, 3) &&
      ice_read_u16 (reader, &answer->internal_port) &&
      ice_read_u16 (reader, &answer->external.port) &&
      ice_read_bytes (reader, 16, &external);
  /* 9: of a version that it does not speak it need not copy what follows. */
  if (answer->result == ICE_PORTMAP_UNSUPPORTED_VERSION) {
    answer->type = ICE_PORTMAP_ANSWER_VERSION;
    return TRUE;
  }
  if (!whole || opcode != PCP_MAP ||
      (protocol != ICE_PORTMAP_UDP && protocol != ICE_PORTMAP_TCP))
    return FALSE;
  answer->type = ICE_PORTMAP_ANSWER_MAP;
  answer->protocol = protocol;
  memcpy (answer->nonce, nonce.data, ICE_PCP_NONCE_SIZE);
  read_ip (external, &answer->external);
  return TRUE;
}

/* RFC 6886 3.2 and 3.3, likewise. */
static gboolean
parse_nat_pmp (IceReader *reader, guint8 opcode, IcePortmapAnswer *answer)
{
  IceBytes ip;
  guint16 code;

  answer->version = ICE_PORTMAP_NAT_PMP;
  if (!ice_read_u16 (reader, &code))
    return FALSE;
  answer->result = nat_pmp_result (code);
  if (answer->result == ICE_PORTMAP_UNSUPPORTED_VERSION) {
    answer->type = ICE_PORTMAP_ANSWER_VERSION;
    return TRUE;
  }
  if (!ice_read_u32 (reader, &answer->epoch))
    return FALSE;
  answer->external.family = ICE_FAMILY_IPV4;
  if (opcode == NAT_PMP_ADDRESS) {
    answer->type = ICE_PORTMAP_ANSWER_ADDRESS;
    /* 3.2: with an error, there is no address. */
    if (!ice_read_bytes (reader, 4, &ip))
      return answer->result != ICE_PORTMAP_SUCCESS;
    memcpy (answer->external.ip, ip.data, 4);
    return TRUE;
  }
  if (opcode != NAT_PMP_MAP_UDP && opcode != NAT_PMP_MAP_TCP)
    return FALSE;
  answer->type = ICE_PORTMAP_ANSWER_MAP;
  answer->protocol =
      opcode == NAT_PMP_MAP_TCP ? ICE_PORTMAP_TCP : ICE_PORTMAP_UDP;
  return ice_read_u16 (reader, &answer->internal_port) &&
      ice_read_u16 (reader, &answer->external.port) &&
      ice_read_u32 (reader, &answer->lifetime);
}

gboolean
ice_portmap_parse (IceBytes datagram, IcePortmapAnswer *ret_answer)
{
  IceReader reader;
  guint8 version, opcode;

  *ret_answer = (IcePortmapAnswer){ 0 };
  ice_reader_init (&reader, datagram);
  if (datagram.size > ICE_PORTMAP_MAX || !ice_read_u8 (&reader, &version) ||
      !ice_read_u8 (&reader, &opcode) || !(opcode & RESPONSE))
    return FALSE;
  opcode &= ~RESPONSE;
  if (version == ICE_PORTMAP_NAT_PMP)
    return parse_nat_pmp (&reader, opcode, ret_answer);
  /* 9: UNSUPP_VERSION comes in the version that the server prefers. */
  return parse_pcp (&reader, opcode, ret_answer) &&
      (version == ICE_PORTMAP_PCP ||
          ret_answer->type == ICE_PORTMAP_ANSWER_VERSION);
}

const gchar *
ice_portmap_result_to_string (IcePortmapResult result)
{
  switch (result) {
    case ICE_PORTMAP_SUCCESS:
      return "success";
    case ICE_PORTMAP_UNSUPPORTED_VERSION:
      return "it speaks another version";
    case ICE_PORTMAP_NOT_AUTHORIZED:
      return "not authorized: port mapping is switched off in the router, or "
             "not allowed for this host";
    case ICE_PORTMAP_NO_RESOURCES:
      return "the router has no mapping left for this host";
    case ICE_PORTMAP_NETWORK_FAILURE:
      return "the router has no address of its own yet";
    case ICE_PORTMAP_ADDRESS_MISMATCH:
      return "another NAT is between this host and the router";
    case ICE_PORTMAP_REFUSED:
    default:
      return "the router refuses";
  }
}
