/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mdns-port.h"
#include "mdns.h"

G_BEGIN_DECLS

/* What all agents of the process have in common: one loop, on which everything
 * below lives, and the sockets. It is there while somebody holds it. */
typedef struct
{
  IceLoop *loop; /* (owned) */
  guint n_users; /* under the lock of mdns.c */

  GPtrArray *ports;   /* (owned) (element-type IceMdnsPort) */
  GPtrArray *lookups; /* (unowned) (element-type IceMdnsLookup) */
  GHashTable *names;  /* (unowned) name -> IceMdnsName */

  /* The draft, 6.1: what may still be sent, in messages, as of then. */
  gdouble allowance;
  IceTime allowance_at;
} IceMdns;

/* Any thread. (transfer full) (nullable) */
IceMdns *ice_mdns_acquire (void);
void ice_mdns_release (IceMdns *self);

/* Its loop's thread, from here on. */

/* (unowned) (nullable) opened when it is not there yet. */
IceMdnsPort *ice_mdns_find_port (IceMdns *self, const IceInterface *interface);
/* TRUE when one more message may be sent now. */
gboolean ice_mdns_may_send (IceMdns *self);

/* mdns-lookup.c: @response is of somebody on the link of @port if
 * ice_mdns_port_is_near says so of @from. */
void ice_mdns_lookup_take (IceMdnsLookup *self, IceMdnsPort *port,
    const IceMdnsMessage *response, const IceAddress *from);

/* mdns-name.c */
void ice_mdns_names_take_query (IceMdns *self, IceMdnsPort *port,
    const IceMdnsMessage *query, const IceAddress *from);
void ice_mdns_names_take_response (IceMdns *self, IceMdnsPort *port,
    const IceMdnsMessage *response, const IceAddress *from);

G_END_DECLS
