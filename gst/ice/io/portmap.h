/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "portmap-message.h"

G_BEGIN_DECLS

/* Ports that the router maps for one local address (RFC 6887; RFC 6886 with
 * routers that know no better). A pure machine: datagrams of the router and
 * time in; packets for it, events and one deadline out. */
typedef struct _IcePortmap IcePortmap;

typedef struct
{
  guint id;
  gboolean mapped;
  IceAddress external; /* when mapped */
  const gchar *cause;  /* (unowned) when not, for people */
  const gchar *by;     /* (unowned) "PCP" or "NAT-PMP", when mapped */
} IcePortmapEvent;

/* @local: with an address, whose port does not matter. @roll lends nonces. */
IcePortmap *ice_portmap_new (
    const IceAddress *local, void (*roll) (guint8 *ret_bytes, gsize size));
void ice_portmap_free (IcePortmap *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcePortmap, ice_portmap_free)

/* One event follows for each, and another one whenever it changes. Ids are the
 * caller's. */
void ice_portmap_add (IcePortmap *self, guint id, IcePortmapProtocol protocol,
    guint16 port, IceTime now);
/* The router is told to forget it. */
void ice_portmap_remove (IcePortmap *self, guint id);
/* All of them. */
void ice_portmap_close (IcePortmap *self);

/* What came from the router's port; FALSE when it means nothing. */
gboolean ice_portmap_receive (IcePortmap *self, IceBytes datagram, IceTime now);
/* ICMP says that nobody listens there. */
void ice_portmap_refused (IcePortmap *self);
void ice_portmap_timeout (IcePortmap *self, IceTime now);
/* NEVER when nothing is due. */
IceTime ice_portmap_deadline (const IcePortmap *self);

/* (transfer full) (nullable) */
IcePacket *ice_portmap_take_packet (IcePortmap *self);
gboolean ice_portmap_take_event (IcePortmap *self, IcePortmapEvent *ret_event);

G_END_DECLS
