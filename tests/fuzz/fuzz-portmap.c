/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A router that says anything at any time: the machine that asks it neither
 * busies itself nor waits for ever, and what it reports is an address. */
#include "gst/ice/io/portmap.h"

#include "script.h"
#include "target.h"

#define MAX_STEPS 64

static guint8 last_nonce[ICE_PCP_NONCE_SIZE];

static void
roll (guint8 *ret_bytes, gsize size)
{
  memset (ret_bytes, ++last_nonce[0], size);
}

static void
drain (IcePortmap *self, IceTime now)
{
  IcePortmapEvent event;
  IcePacket *packet;
  guint n_packets = 0;

  while ((packet = ice_portmap_take_packet (self))) {
    g_assert_cmpuint (packet->size, <=, ICE_PORTMAP_MAX);
    ice_packet_unref (packet);
    g_assert_cmpuint (++n_packets, <=, 64);
  }
  while (ice_portmap_take_event (self, &event)) {
    g_assert_cmpuint (event.id, >=, 1);
    g_assert_true (!event.mapped || ice_address_is_usable (&event.external));
    g_assert_true (event.mapped || event.cause);
  }
}

/* With a nonce that is right, which chance does not find. */
static void
answer_pcp (IcePortmap *self, Script *in, IceTime now)
{
  guint8 data[60] = { 2, 0x81 };
  IceBytes head = script_bytes (in, 12), tail;

  if (head.size == 12)
    memcpy (data + 3, head.data + 3, 9);
  memset (data + 24, script_u8 (in) % 4, ICE_PCP_NONCE_SIZE);
  data[36] = script_u8 (in) & 1 ? ICE_PORTMAP_TCP : ICE_PORTMAP_UDP;
  data[41] = script_u8 (in) % 4;
  tail = script_bytes (in, 18);
  if (tail.size > 0)
    memcpy (data + 42, tail.data, tail.size);
  ice_portmap_receive (self, ICE_BYTES (data, sizeof data), now);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Script in = { data, size };
  IceAddress local = { .family = ICE_FAMILY_IPV4, .ip = { 10, 0, 0, 2 } };
  IcePortmap *self = ice_portmap_new (&local, roll);
  IceTime now = 0;
  guint n_ports = 0;

  last_nonce[0] = 0;
  for (guint step = 0; step < MAX_STEPS && in.left > 0; step++) {
    switch (script_u8 (&in) % 7) {
      case 0:
        if (n_ports < 3) {
          n_ports++;
          ice_portmap_add (self, n_ports,
              script_u8 (&in) & 1 ? ICE_PORTMAP_TCP : ICE_PORTMAP_UDP,
              (guint16) n_ports, now);
        }
        break;
      case 1:
        ice_portmap_remove (self, 1 + script_u8 (&in) % 3);
        break;
      case 2:
        ice_portmap_receive (self, script_bytes (&in, script_u8 (&in)), now);
        break;
      case 3:
        answer_pcp (self, &in, now);
        break;
      case 4:
        now += script_u16 (&in) * (ICE_SECOND / 16);
        ice_portmap_timeout (self, now);
        break;
      case 5:
        ice_portmap_refused (self);
        break;
      default:
        if (ice_portmap_deadline (self) != ICE_TIME_NEVER) {
          now = MAX (now, ice_portmap_deadline (self));
          ice_portmap_timeout (self, now);
          g_assert_cmpint (ice_portmap_deadline (self), >, now);
        }
    }
    drain (self, now);
  }
  ice_portmap_close (self);
  drain (self, now);
  g_assert_cmpint (ice_portmap_deadline (self), ==, ICE_TIME_NEVER);
  ice_portmap_free (self);
  return 0;
}
