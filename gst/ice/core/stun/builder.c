/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "builder.h"

#include "../../base/crypto.h"

#include <string.h>

#include "../purity.h"

/* RFC 8489 5, figure 3: M11..M7 C1 M6..M4 C0 M3..M0. */
static guint16
make_type (IceStunClass klass, guint16 method)
{
  return (guint16) ((method & 0xf) | (method & 0x70) << 1 |
      (method & 0xf80) << 2 | (klass & 1) << 4 | (klass & 2) << 7);
}

void
ice_stun_builder_init (
    IceStunBuilder *self, IceStunClass klass, guint16 method, const guint8 *id)
{
  ice_writer_init_with (&self->writer, self->space, sizeof self->space);
  ice_write_u16 (&self->writer, make_type (klass, method));
  ice_write_u16 (&self->writer, 0);
  ice_write_u32 (&self->writer, ICE_STUN_COOKIE);
  ice_write_bytes (&self->writer, ICE_BYTES (id, ICE_STUN_ID_SIZE));
}

guint16
ice_stun_builder_get_method (const IceStunBuilder *self)
{
  guint16 type = (guint16) (self->writer.data[0] << 8 | self->writer.data[1]);

  return (guint16) ((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

/* The length excludes the header and is in the third and fourth byte. */
static void
set_length (IceStunBuilder *self, gsize size)
{
  ice_writer_patch_u16 (
      &self->writer, 2, (guint16) (size - ICE_STUN_HEADER_SIZE));
}

void
ice_stun_builder_add_bytes (IceStunBuilder *self, guint16 type, IceBytes value)
{
  g_return_if_fail (value.size <= G_MAXUINT16 &&
      self->writer.size + 4 + value.size + (-value.size & 3) <=
          ICE_STUN_MESSAGE_MAX);

  ice_write_u16 (&self->writer, type);
  ice_write_u16 (&self->writer, (guint16) value.size);
  ice_write_bytes (&self->writer, value);
  /* RFC 8489 14: padding is zero. */
  ice_write_zeros (&self->writer, -value.size & 3);
  set_length (self, self->writer.size);
}

void
ice_stun_builder_add_flag (IceStunBuilder *self, guint16 type)
{
  ice_stun_builder_add_bytes (self, type, ICE_BYTES_NONE);
}

void
ice_stun_builder_add_string (
    IceStunBuilder *self, guint16 type, const gchar *value)
{
  ice_stun_builder_add_bytes (self, type, ICE_BYTES (value, strlen (value)));
}

void
ice_stun_builder_add_u32 (IceStunBuilder *self, guint16 type, guint32 value)
{
  guint32 wire = GUINT32_TO_BE (value);

  ice_stun_builder_add_bytes (self, type, ICE_BYTES (&wire, sizeof (wire)));
}

void
ice_stun_builder_add_u64 (IceStunBuilder *self, guint16 type, guint64 value)
{
  guint64 wire = GUINT64_TO_BE (value);

  ice_stun_builder_add_bytes (self, type, ICE_BYTES (&wire, sizeof (wire)));
}

void
ice_stun_builder_add_address (
    IceStunBuilder *self, guint16 type, const IceAddress *address)
{
  gboolean ipv6 = address->family == ICE_FAMILY_IPV6;
  guint8 value[4 + 16] = { 0 };
  gsize size = ipv6 ? 16 : 4;

  /* RFC 8489 14.1: zero, 1 for IPv4 or 2 for IPv6, port, address. */
  value[1] = ipv6 ? 2 : 1;
  value[2] = (guint8) (address->port >> 8);
  value[3] = (guint8) address->port;
  memcpy (value + 4, address->ip, size);
  ice_stun_builder_add_bytes (self, type, ICE_BYTES (value, 4 + size));
}

void
ice_stun_builder_add_xor_address (
    IceStunBuilder *self, guint16 type, const IceAddress *address)
{
  IceAddress hidden = *address;

  ice_stun_address_xor (&hidden, self->writer.data + 8);
  ice_stun_builder_add_address (self, type, &hidden);
}

void
ice_stun_builder_add_error (
    IceStunBuilder *self, guint code, const gchar *reason)
{
  gsize size = reason ? strlen (reason) : 0;
  IceWriter value;

  /* RFC 8489 14.8: 21 reserved bits, hundreds, the rest, the reason. */
  ice_writer_init (&value, 4 + size);
  ice_write_u16 (&value, 0);
  ice_write_u8 (&value, (guint8) (code / 100));
  ice_write_u8 (&value, (guint8) (code % 100));
  ice_write_bytes (&value, ICE_BYTES (reason, size));
  ice_stun_builder_add_bytes (
      self, ICE_STUN_ERROR_CODE, ICE_BYTES (value.data, value.size));
  ice_writer_clear (&value);
}

void
ice_stun_builder_add_unknown (
    IceStunBuilder *self, const guint16 *types, guint n_types)
{
  IceWriter value;
  guint i;

  ice_writer_init (&value, 2 * n_types);
  for (i = 0; i < n_types; i++)
    ice_write_u16 (&value, types[i]);
  ice_stun_builder_add_bytes (
      self, ICE_STUN_UNKNOWN_ATTRIBUTES, ICE_BYTES (value.data, value.size));
  ice_writer_clear (&value);
}

void
ice_stun_builder_add_integrity (
    IceStunBuilder *self, IceStunKey *key, IceStunIntegrity integrity)
{
  gboolean sha256 = integrity == ICE_STUN_INTEGRITY_SHA256;
  gsize size = sha256 ? ICE_SHA256_SIZE : ICE_SHA1_SIZE;
  guint8 mac[ICE_SHA256_SIZE];
  IceBytes covered;

  if (integrity == ICE_STUN_INTEGRITY_NONE)
    return;

  /* RFC 8489 14.5: the length already counts the attribute that is signed
   * for, the MAC does not cover it. */
  set_length (self, self->writer.size + 4 + size);
  covered = ICE_BYTES (self->writer.data, self->writer.size);
  ice_stun_key_sign (key, integrity, &covered, 1, mac);
  ice_stun_builder_add_bytes (self,
      sha256 ? ICE_STUN_MESSAGE_INTEGRITY_SHA256 : ICE_STUN_MESSAGE_INTEGRITY,
      ICE_BYTES (mac, size));
}

void
ice_stun_builder_add_fingerprint (IceStunBuilder *self)
{
  IceBytes covered;

  set_length (self, self->writer.size + 8);
  covered = ICE_BYTES (self->writer.data, self->writer.size);
  ice_stun_builder_add_u32 (self, ICE_STUN_FINGERPRINT,
      ice_crc32 (&covered, 1) ^ ICE_STUN_FINGERPRINT_XOR);
}

IcePacket *
ice_stun_builder_end (IceStunBuilder *self)
{
  IcePacket *packet =
      ice_packet_new_from (ICE_BYTES (self->writer.data, self->writer.size));

  ice_writer_clear (&self->writer);
  return packet;
}
