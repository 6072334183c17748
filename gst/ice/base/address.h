/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "types.h"

G_BEGIN_DECLS

typedef enum
{
  ICE_FAMILY_NONE = 0,
  ICE_FAMILY_IPV4 = 4,
  ICE_FAMILY_IPV6 = 6,
} IceFamily;

/* An IP address and a port: a value, compared field by field. IPv4 uses
 * ip[0..3]; the rest is zero. */
typedef struct
{
  guint8 family; /* IceFamily */
  guint16 port;  /* host order */
  guint32 scope; /* IPv6 zone index, 0 when none */
  guint8 ip[16];
} IceAddress;

#define ICE_ADDRESS_NONE ((IceAddress){ 0 })
/* "[ffff:...:255.255.255.255%4294967295]:65535" */
#define ICE_ADDRESS_STRLEN 80

/* What an address is good for: one function, one table, every encoding of an
 * IPv4 address inside IPv6 seen through (RFC 6890, RFC 8445 5.1.1.1). */
typedef enum
{
  ICE_ADDRESS_UNSPECIFIED, /* 0.0.0.0/8, :: */
  ICE_ADDRESS_LOOPBACK,
  ICE_ADDRESS_LINK_LOCAL,
  ICE_ADDRESS_MULTICAST, /* and broadcast */
  ICE_ADDRESS_RESERVED,  /* v4-mapped, v4-compatible, site-local, 240/4 */
  ICE_ADDRESS_PRIVATE,   /* RFC 1918, RFC 6598, ULA */
  ICE_ADDRESS_TUNNEL,    /* Teredo, 6to4 */
  ICE_ADDRESS_GLOBAL,
} IceAddressClass;

IceAddressClass ice_address_classify (const IceAddress *self);
/* TRUE when packets may be sent there because a peer or a server said so:
 * not unspecified, multicast, broadcast, reserved, nor port 0. */
gboolean ice_address_is_usable (const IceAddress *self);

gboolean ice_address_parse (IceAddress *self, const gchar *ip, guint16 port);
/* "192.0.2.1:5000", "[2001:db8::1]:5000" */
const gchar *ice_address_to_string (const IceAddress *self, gchar *buffer);
/* The IP alone. */
const gchar *ice_address_ip_to_string (const IceAddress *self, gchar *buffer);

gboolean ice_address_equal (const IceAddress *a, const IceAddress *b);
gboolean ice_address_same_ip (const IceAddress *a, const IceAddress *b);
guint ice_address_hash (const IceAddress *self);
gint ice_address_compare (const IceAddress *a, const IceAddress *b);

G_END_DECLS
