/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz bytes as a script: who asks for more than there is gets zeros. */
#pragma once

#include "gst/ice/base/address.h"

#include <string.h>

typedef struct
{
  const guint8 *at;
  gsize left;
} Script;

static inline guint8
script_u8 (Script *self)
{
  if (self->left == 0)
    return 0;
  self->left--;
  return *self->at++;
}

static inline guint16
script_u16 (Script *self)
{
  guint high = script_u8 (self);

  return (guint16) (high << 8 | script_u8 (self));
}

static inline guint32
script_u32 (Script *self)
{
  guint32 high = script_u16 (self);

  return high << 16 | script_u16 (self);
}

/* At most @max bytes, which stay where they are. */
static inline IceBytes
script_bytes (Script *self, gsize max)
{
  IceBytes bytes = ICE_BYTES (self->at, MIN (max, self->left));

  self->at += bytes.size;
  self->left -= bytes.size;
  return bytes;
}

/* Of either family, good or bad. */
static inline IceAddress
script_address (Script *self)
{
  guint kind = script_u8 (self);
  IceAddress address = { .family = kind & 1 ? ICE_FAMILY_IPV6 : ICE_FAMILY_IPV4,
    .port = script_u16 (self) };
  IceBytes ip = script_bytes (self, kind & 1 ? 16 : 4);

  if (ip.size > 0)
    memcpy (address.ip, ip.data, ip.size);
  return address;
}
