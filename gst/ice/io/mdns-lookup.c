/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io-log.h"
#include "mdns-private.h"

#include <string.h>

#include "../base/crypto.h"

/* A host on the link answers in a few milliseconds; after this GResolver may
 * try as well, while we go on listening. */
#define ALONE (300 * ICE_MSEC)

/* RFC 6762 5.2: "the interval between the first two queries MUST be at least
 * one second, [and] MUST increase by at least a factor of two". */
#define FIRST_INTERVAL ICE_SECOND

#define MAX_LOOKUPS 256
#define MAX_INTERFACES 32
/* The mDNS draft, 3.2.2: a second one spoils the name; nobody wants to know
 * how many more there are. */
#define MAX_ADDRESSES 2

/* The loop that asked, and the one of the sockets: each touches its own part.
 */
struct _IceMdnsLookup
{
  gatomicrefcount ref_count;
  gchar name[ICE_MDNS_NAME_SIZE];
  guint16 port;
  IceLoop *loop; /* (owned) that asked */
  IceMdns *mdns; /* (owned) (nullable) no thread could be made */
  IceInterface interfaces[MAX_INTERFACES];
  guint n_interfaces;

  /* Of the loop that asked. */
  IceResolveFunc func; /* (nullable) once answered or cancelled */
  gpointer user_data;
  IceTime deadline;
  IceTimer *timer;      /* (owned) (nullable) */
  IceResolve *resolve;  /* (nullable) the second try */
  gboolean tried_other; /* it was begun */

  /* Of the sockets' loop. */
  gboolean asking;
  GPtrArray *ports; /* (owned) (element-type IceMdnsPort) (unowned elements) */
  IceTimer *again;  /* (owned) (nullable) */
  IceTime interval;
  IcePacket *query; /* (owned) (nullable) */
};

typedef struct
{
  IceMdnsLookup *lookup; /* (owned) */
  IceAddress addresses[MAX_ADDRESSES];
  guint n_addresses;
} Answer;

static IceMdnsLookup *
lookup_ref (IceMdnsLookup *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
lookup_unref (gpointer user_data)
{
  IceMdnsLookup *self = user_data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->ports);
  g_clear_pointer (&self->query, ice_packet_unref);
  if (self->mdns)
    ice_mdns_release (self->mdns);
  ice_loop_unref (self->loop);
  g_free (self);
}

/* The loop of the sockets */

static void
ask (IceMdnsLookup *self)
{
  for (guint i = 0; i < self->ports->len; i++) {
    if (ice_mdns_may_send (self->mdns))
      ice_mdns_port_ask (self->ports->pdata[i], self->query);
  }
}

static void
ask_again (gpointer user_data)
{
  IceMdnsLookup *self = user_data;

  self->interval *= 2;
  ice_timer_set (self->again, ice_loop_now () + self->interval);
  ask (self);
}

static void
begin_asking (gpointer user_data)
{
  IceMdnsLookup *self = user_data;
  IceMdns *mdns = self->mdns;
  guint16 id;

  if (mdns->lookups->len == MAX_LOOKUPS) {
    GST_DEBUG ("too many mDNS names are asked for: not %s", self->name);
    return;
  }
  for (guint i = 0; i < self->n_interfaces; i++) {
    IceMdnsPort *port = ice_mdns_find_port (mdns, &self->interfaces[i]);

    if (port && !g_ptr_array_find (self->ports, port, NULL))
      g_ptr_array_add (self->ports, port);
  }
  ice_random_bytes ((guint8 *) &id, sizeof id);
  /* The draft, 3.2.1: "SHOULD set the unicast-response bit". */
  self->query = ice_mdns_query_new (id, self->name, TRUE);
  self->asking = TRUE;
  g_ptr_array_add (mdns->lookups, self);
  self->interval = FIRST_INTERVAL;
  self->again = ice_timer_new (mdns->loop, ask_again, self);
  ice_timer_set (self->again, ice_loop_now () + self->interval);
  ask (self);
}

static void
stop_asking (gpointer user_data)
{
  IceMdnsLookup *self = user_data;

  if (!self->asking)
    return;
  self->asking = FALSE;
  g_clear_pointer (&self->again, ice_timer_free);
  g_ptr_array_remove (self->mdns->lookups, self);
}

/* The loop that asked */

/* The one way out. */
static void
leave (IceMdnsLookup *self)
{
  self->func = NULL;
  g_clear_pointer (&self->timer, ice_timer_free);
  g_clear_pointer (&self->resolve, ice_resolve_cancel);
  if (self->mdns)
    ice_loop_invoke (
        self->mdns->loop, stop_asking, lookup_ref (self), lookup_unref);
  lookup_unref (self);
}

static void
finish (IceMdnsLookup *self, const IceAddress *addresses, guint n_addresses,
    const GError *error)
{
  IceResolveFunc func = self->func;
  gpointer user_data = self->user_data;

  if (func == NULL)
    return;
  lookup_ref (self);
  leave (self);
  func (addresses, n_addresses, error, user_data);
  lookup_unref (self);
}

static void
fail (IceMdnsLookup *self)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "Nobody answers to the name “%s” of a candidate: the peer is on another "
      "network, or this one does not pass multicast",
      self->name);

  finish (self, NULL, 0, error);
}

/* It found nothing: there may still be an answer on the link. */
static void
other_answered (const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data)
{
  IceMdnsLookup *self = user_data;

  self->resolve = NULL;
  if (n_addresses > 0)
    finish (self, addresses, n_addresses, NULL);
}

static void
on_time (gpointer user_data)
{
  IceMdnsLookup *self = user_data;
  const IceTime now = ice_loop_now ();

  if (now >= self->deadline) {
    fail (self);
    return;
  }
  ice_timer_set (self->timer, self->deadline);
  if (self->tried_other)
    return;
  self->tried_other = TRUE;
  GST_DEBUG ("no mDNS answer for %s yet: GResolver is asked", self->name);
  self->resolve = ice_resolve_start (self->loop, self->name, self->port,
      self->deadline - now, other_answered, self);
}

IceMdnsLookup *
ice_mdns_lookup_start (IceLoop *loop, const gchar *name, guint16 port,
    const IceInterface *interfaces, guint n_interfaces, IceTime timeout,
    IceResolveFunc func, gpointer user_data)
{
  IceMdnsLookup *self;

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);

  self = g_new0 (IceMdnsLookup, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->port = port;
  self->loop = ice_loop_ref (loop);
  self->n_interfaces = MIN (n_interfaces, MAX_INTERFACES);
  if (self->n_interfaces > 0)
    memcpy (self->interfaces, interfaces,
        self->n_interfaces * sizeof *self->interfaces);
  self->ports = g_ptr_array_new ();
  self->func = func;
  self->user_data = user_data;
  self->deadline = ice_loop_now () + timeout;
  self->timer = ice_timer_new (loop, on_time, self);
  if (!ice_mdns_name_is_sane (name, self->name)) {
    /* The core does not ask for such ones; nobody may get into a question. */
    g_strlcpy (self->name, "?", sizeof self->name);
    self->deadline = ice_loop_now ();
    ice_timer_set (self->timer, self->deadline);
    return self;
  }
  ice_timer_set (self->timer, ice_loop_now () + MIN (ALONE, timeout));
  self->mdns = ice_mdns_acquire ();
  if (self->mdns)
    ice_loop_invoke (
        self->mdns->loop, begin_asking, lookup_ref (self), lookup_unref);
  return self;
}

void
ice_mdns_lookup_cancel (IceMdnsLookup *self)
{
  if (self == NULL || self->func == NULL)
    return;
  g_return_if_fail (ice_loop_is_current (self->loop));

  leave (self);
}

/* From the one to the other */

static void
deliver (gpointer user_data)
{
  Answer *answer = user_data;

  finish (answer->lookup, answer->addresses, answer->n_addresses, NULL);
}

static void
answer_free (gpointer user_data)
{
  Answer *self = user_data;

  lookup_unref (self->lookup);
  g_free (self);
}

static void
answer_add (Answer *self, const IceAddress *address)
{
  for (guint i = 0; i < self->n_addresses; i++)
    if (ice_address_equal (&self->addresses[i], address))
      return;
  if (self->n_addresses < MAX_ADDRESSES)
    self->addresses[self->n_addresses++] = *address;
}

void
ice_mdns_lookup_take (IceMdnsLookup *self, IceMdnsPort *port,
    const IceMdnsMessage *response, const IceAddress *from)
{
  Answer *answer = g_new0 (Answer, 1);

  answer->lookup = lookup_ref (self);
  for (guint i = 0; i < response->n_records; i++) {
    const IceMdnsRecord *record = &response->records[i];
    IceAddress address = record->address;

    if (record->ttl == 0 || strcmp (record->name, self->name) != 0)
      continue;
    address.port = self->port;
    if (address.family == ICE_FAMILY_IPV6 &&
        ice_address_classify (&address) == ICE_ADDRESS_LINK_LOCAL)
      address.scope = ice_mdns_port_get_index (port);
    answer_add (answer, &address);
  }
  if (answer->n_addresses == 0 || !g_ptr_array_find (self->ports, port, NULL) ||
      !ice_mdns_port_is_near (port, from)) {
    answer_free (answer);
    return;
  }
  ice_loop_invoke (self->loop, deliver, answer, answer_free);
  stop_asking (self);
}
