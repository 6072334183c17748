/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../../base/address.h"
#include "attribute.h"

G_BEGIN_DECLS

#define ICE_STUN_HEADER_SIZE 20
#define ICE_STUN_ID_SIZE 12
#define ICE_STUN_COOKIE 0x2112a442u
/* RFC 8489 14.7: XORed into FINGERPRINT's CRC, "STUN" in ASCII. */
#define ICE_STUN_FINGERPRINT_XOR 0x5354554eu

typedef enum
{
  ICE_STUN_REQUEST = 0,
  ICE_STUN_INDICATION = 1,
  ICE_STUN_SUCCESS = 2,
  ICE_STUN_ERROR = 3,
} IceStunClass;

typedef enum
{
  ICE_STUN_BINDING = 0x001,
  ICE_STUN_ALLOCATE = 0x003,
  ICE_STUN_REFRESH = 0x004,
  ICE_STUN_SEND = 0x006,
  ICE_STUN_DATA = 0x007,
  ICE_STUN_CREATE_PERMISSION = 0x008,
  ICE_STUN_CHANNEL_BIND = 0x009,
  ICE_STUN_CONNECT = 0x00a, /* RFC 6062 6.1 */
  ICE_STUN_CONNECTION_BIND = 0x00b,
  ICE_STUN_CONNECTION_ATTEMPT = 0x00c,
} IceStunMethod;

/* A parsed message borrows from the datagram and dies with it. Attributes
 * behind the first integrity attribute are invisible, but for
 * MESSAGE-INTEGRITY-SHA256 behind MESSAGE-INTEGRITY and FINGERPRINT
 * (RFC 8489 14.5, 14.6). Of a repeated attribute the first counts
 * (RFC 8489 14). */
typedef struct
{
  IceBytes raw;
  IceStunClass klass;
  guint16 method;
  const guint8 *id; /* ICE_STUN_ID_SIZE bytes */
  /* offsets of the attribute headers in raw, 0 when absent */
  gsize integrity, integrity_sha256, fingerprint;
  gsize visible_end; /* attributes are visited up to here */
} IceStunMessage;

/* First two bits, cookie and length: cheap, for every datagram. A truncated or
 * longer datagram is not STUN. */
gboolean ice_stun_looks_like (IceBytes datagram);
/* Structure only (bounds, lengths, FINGERPRINT last and right when present).
 * Any alignment will do. */
gboolean ice_stun_message_parse (IceStunMessage *self, IceBytes datagram);

/* Of the integrity attributes and FINGERPRINT, which are never visited, the
 * one that counts. */
gboolean ice_stun_message_find (
    const IceStunMessage *self, guint16 type, IceBytes *ret_value);
gboolean ice_stun_message_has (const IceStunMessage *self, guint16 type);
/* FALSE when absent or of the wrong size. */
gboolean ice_stun_message_get_u32 (
    const IceStunMessage *self, guint16 type, guint32 *ret_value);
gboolean ice_stun_message_get_u64 (
    const IceStunMessage *self, guint16 type, guint64 *ret_value);
gboolean ice_stun_message_get_address (
    const IceStunMessage *self, guint16 type, IceAddress *ret_address);
gboolean ice_stun_message_get_xor_address (
    const IceStunMessage *self, guint16 type, IceAddress *ret_address);
/* @ret_reason borrows from the datagram. */
gboolean ice_stun_message_get_error (
    const IceStunMessage *self, guint *ret_code, IceBytes *ret_reason);
/* Comprehension-required types (below 0x8000) that we do not know; returns how
 * many were stored, at most @max. */
guint ice_stun_message_unknown (
    const IceStunMessage *self, guint16 *ret_types, guint max);
/* The next visible attribute: call with *offset 0 first. */
gboolean ice_stun_message_next (const IceStunMessage *self, gsize *offset,
    guint16 *ret_type, IceBytes *ret_value);
/* For attributes that repeat, XOR-PEER-ADDRESS: the address in a value that
 * ice_stun_message_next() found. */
gboolean ice_stun_message_value_to_xor_address (
    const IceStunMessage *self, IceBytes value, IceAddress *ret_address);
/* RFC 8489 14.2: applied twice it is the address again. */
void ice_stun_address_xor (IceAddress *address, const guint8 *id);
gboolean ice_stun_id_equal (const guint8 *a, const guint8 *b);

G_END_DECLS
