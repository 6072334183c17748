/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../../base/bytes.h"
#include "integrity.h"

G_BEGIN_DECLS

/* The length field has 16 bits and counts multiples of four; what would grow
 * the message beyond is the caller's mistake. */
#define ICE_STUN_MESSAGE_MAX (ICE_STUN_HEADER_SIZE + 65532u)

/* Call in this order: init, add_... , add_integrity, add_fingerprint, end.
 * Padding is zero. Not to be moved: most messages never leave @space. */
typedef struct
{
  IceWriter writer;
  guint8 space[192]; /* a check with its attributes takes 100 to 150 bytes */
} IceStunBuilder;

void ice_stun_builder_init (
    IceStunBuilder *self, IceStunClass klass, guint16 method, const guint8 *id);
guint16 ice_stun_builder_get_method (const IceStunBuilder *self);
void ice_stun_builder_add_flag (IceStunBuilder *self, guint16 type);
void
ice_stun_builder_add_bytes (IceStunBuilder *self, guint16 type, IceBytes value);
void ice_stun_builder_add_string (
    IceStunBuilder *self, guint16 type, const gchar *value);
void
ice_stun_builder_add_u32 (IceStunBuilder *self, guint16 type, guint32 value);
void
ice_stun_builder_add_u64 (IceStunBuilder *self, guint16 type, guint64 value);
void ice_stun_builder_add_address (
    IceStunBuilder *self, guint16 type, const IceAddress *address);
void ice_stun_builder_add_xor_address (
    IceStunBuilder *self, guint16 type, const IceAddress *address);
/* @reason may be NULL: RFC 8489 allows an empty phrase. */
void ice_stun_builder_add_error (
    IceStunBuilder *self, guint code, const gchar *reason);
void ice_stun_builder_add_unknown (
    IceStunBuilder *self, const guint16 *types, guint n_types);
void ice_stun_builder_add_integrity (
    IceStunBuilder *self, IceStunKey *key, IceStunIntegrity integrity);
void ice_stun_builder_add_fingerprint (IceStunBuilder *self);
/* (transfer full) clears the builder. */
IcePacket *ice_stun_builder_end (IceStunBuilder *self);

G_END_DECLS
