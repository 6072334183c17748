/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "types.h"

#include <string.h>

IcePacket *
ice_packet_new (gsize size)
{
  IcePacket *self = g_malloc (sizeof (IcePacket) + size);

  g_atomic_ref_count_init (&self->ref_count);
  self->size = size;
  return self;
}

IcePacket *
ice_packet_new_from (IceBytes bytes)
{
  IcePacket *self = ice_packet_new (bytes.size);

  if (bytes.size > 0)
    memcpy (self->data, bytes.data, bytes.size);
  return self;
}

IcePacket *
ice_packet_ref (IcePacket *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
ice_packet_unref (IcePacket *self)
{
  if (self && g_atomic_ref_count_dec (&self->ref_count))
    g_free (self);
}

const gchar *
ice_transport_kind_to_string (IceTransportKind kind)
{
  static const gchar *const names[] = { "udp", "tcp", "tls", "dtls" };

  return names[kind];
}
