/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io-log.h"
#include "mdns-private.h"

#include <string.h>

/* Of all agents of the process. */
#define MAX_NAMES 4096

/* RFC 6762 8.3: "at least two unsolicited responses, one second apart". */
#define N_ANNOUNCEMENTS 2
#define ANNOUNCE_INTERVAL ICE_SECOND

/* RFC 6762 6: a record is not multicast again "until at least one second has
 * elapsed". */
#define MULTICAST_INTERVAL ICE_SECOND

/* RFC 6762 5.4: who asks for unicast gets it if the record was multicast
 * "within one quarter of its TTL". */
#define RECENT (ICE_MDNS_TTL / 4 * ICE_SECOND)

#define FAREWELL_TIMEOUT (100 * ICE_MSEC)

/* RFC 6762 8.1 would have the name probed for; the draft, 3.1.1: a version 4
 * UUID is unique, so it "SHOULD" not be. */
struct _IceMdnsName
{
  IceMdns *mdns; /* (owned) */
  gchar name[ICE_MDNS_NAME_SIZE];
  IceInterface interface;

  /* Of the mDNS loop. */
  gboolean begun, withdrawn; /* the loop has seen it; it is not to */
  gboolean published;        /* it is in the table */
  IceTimer *timer;           /* (owned) (nullable) */
  guint n_announced;
  IceTime multicast_at; /* 0: not yet */
};

static IcePacket *
make_response (const IceMdnsName *self, guint32 ttl,
    const IceMdnsQuestion *legacy, guint16 id)
{
  const IceMdnsAnswer answer = { .name = self->name,
    .address = self->interface.address,
    .ttl = ttl,
    .legacy = legacy,
    .id = id };

  return ice_mdns_response_new (&answer);
}

/* @to NULL: to the group. */
static void
answer_by (IceMdnsName *self, IceMdnsPort *port, const IceAddress *to,
    guint32 ttl, const IceMdnsQuestion *legacy, guint16 id)
{
  g_autoptr (IcePacket) packet = NULL;

  if (!ice_mdns_may_send (self->mdns))
    return;
  packet = make_response (self, ttl, legacy, id);
  ice_mdns_port_answer (port, to, packet);
}

static gboolean
was_multicast_within (const IceMdnsName *self, IceTime time)
{
  return self->multicast_at != 0 && ice_loop_now () - self->multicast_at < time;
}

/* On each of our sockets of the link, by IPv4 and by IPv6. */
static void
multicast (IceMdnsName *self, guint32 ttl)
{
  for (guint i = 0; i < self->mdns->ports->len; i++) {
    IceMdnsPort *port = self->mdns->ports->pdata[i];

    if (ice_mdns_port_get_index (port) == self->interface.index)
      answer_by (self, port, NULL, ttl, NULL, 0);
  }
  self->multicast_at = ice_loop_now ();
}

/* Not more often than that, whoever asks. */
static void
multicast_if_due (IceMdnsName *self)
{
  if (!was_multicast_within (self, MULTICAST_INTERVAL))
    multicast (self, ICE_MDNS_TTL);
}

static void
announce (gpointer user_data)
{
  IceMdnsName *self = user_data;

  multicast (self, ICE_MDNS_TTL);
  if (++self->n_announced < N_ANNOUNCEMENTS)
    ice_timer_set (self->timer, ice_loop_now () + ANNOUNCE_INTERVAL);
}

/* Coming and going */

static void end (gpointer user_data);

static void
begin (gpointer user_data)
{
  IceMdnsName *self = user_data;
  IceMdns *mdns = self->mdns;

  self->begun = TRUE;
  if (self->withdrawn) {
    end (self);
    return;
  }
  if (g_hash_table_size (mdns->names) == MAX_NAMES ||
      g_hash_table_contains (mdns->names, self->name)) {
    GST_WARNING ("too many mDNS names: %s is not answered for", self->name);
    return;
  }
  g_hash_table_insert (mdns->names, self->name, self);
  self->published = TRUE;
  ice_mdns_find_port (mdns, &self->interface);
  self->timer = ice_timer_new (mdns->loop, announce, self);
  announce (self);
}

static void
end (gpointer user_data)
{
  IceMdnsName *self = user_data;

  if (self->published) {
    g_clear_pointer (&self->timer, ice_timer_free);
    g_hash_table_remove (self->mdns->names, self->name);
    /* RFC 6762 10.1 */
    multicast (self, 0);
  }
  ice_mdns_release (self->mdns);
  g_free (self);
}

IceMdnsName *
ice_mdns_publish (const gchar *name, const IceInterface *interface)
{
  IceMdnsName *self = g_new0 (IceMdnsName, 1);

  if (ice_mdns_name_is_sane (name, self->name))
    self->mdns = ice_mdns_acquire ();
  if (!self->mdns) {
    g_free (self);
    return NULL;
  }
  self->interface = *interface;
  self->interface.address.port = 0;
  ice_loop_invoke (self->mdns->loop, begin, self, NULL);
  return self;
}

static GMutex farewell_lock;
static GCond farewell_said;

typedef struct
{
  IceMdnsName *name;
  gboolean said; /* under the lock */
} Farewell;

static void
say_farewell (gpointer user_data)
{
  Farewell *self = user_data;

  end (self->name);
  g_mutex_lock (&farewell_lock);
  self->said = TRUE;
  g_cond_broadcast (&farewell_said);
  g_mutex_unlock (&farewell_lock);
}

/* A process that closes its agent and exits would take the goodbye along: it is
 * waited for, but not by a loop for itself, and not for long. */
void
ice_mdns_withdraw (IceMdnsName *self)
{
  const gint64 deadline = ice_loop_now () + FAREWELL_TIMEOUT;
  Farewell *farewell;

  if (!self)
    return;
  if (ice_loop_is_current (self->mdns->loop)) {
    /* It may be waiting for its beginning, behind us. */
    self->withdrawn = TRUE;
    if (self->begun)
      end (self);
    return;
  }
  farewell = g_atomic_rc_box_new0 (Farewell);
  farewell->name = self;
  ice_loop_invoke (self->mdns->loop, say_farewell,
      g_atomic_rc_box_acquire (farewell), g_atomic_rc_box_release);
  g_mutex_lock (&farewell_lock);
  while (!farewell->said &&
      g_cond_wait_until (&farewell_said, &farewell_lock, deadline))
    ;
  g_mutex_unlock (&farewell_lock);
  g_atomic_rc_box_release (farewell);
}

/* What others say */

/* (nullable) A name is answered for on its own link alone. */
static IceMdnsName *
find_name (IceMdns *self, const IceMdnsPort *port, const gchar *name)
{
  IceMdnsName *found = g_hash_table_lookup (self->names, name);

  return found && found->interface.index == ice_mdns_port_get_index (port)
      ? found
      : NULL;
}

static gboolean
is_ours (const IceMdnsName *self, const IceMdnsRecord *record)
{
  return strcmp (record->name, self->name) == 0 &&
      ice_address_same_ip (&record->address, &self->interface.address);
}

/* RFC 6762 7.1: the asker has it, with half its life before it. */
static gboolean
is_known (const IceMdnsName *self, const IceMdnsMessage *query)
{
  for (guint i = 0; i < query->n_records; i++) {
    if (is_ours (self, &query->records[i]) &&
        query->records[i].ttl >= ICE_MDNS_TTL / 2)
      return TRUE;
  }
  return FALSE;
}

static gboolean
asks_for_it (const IceMdnsQuestion *question, const IceMdnsName *name)
{
  return question->type == ICE_MDNS_ANY ||
      (question->type == ICE_MDNS_AAAA) ==
      (name->interface.address.family == ICE_FAMILY_IPV6);
}

static void
answer_question (IceMdnsName *self, IceMdnsPort *port,
    const IceMdnsMessage *query, const IceMdnsQuestion *question,
    const IceAddress *from)
{
  if (from->port != ICE_MDNS_PORT) {
    /* RFC 6762 6.7: a legacy resolver has no use for another type. */
    if (asks_for_it (question, self))
      answer_by (self, port, from, ICE_MDNS_LEGACY_TTL, question, query->id);
  } else if (question->unicast && was_multicast_within (self, RECENT)) {
    answer_by (self, port, from, ICE_MDNS_TTL, NULL, 0);
  } else {
    multicast_if_due (self);
  }
}

void
ice_mdns_names_take_query (IceMdns *self, IceMdnsPort *port,
    const IceMdnsMessage *query, const IceAddress *from)
{
  for (guint i = 0; i < query->n_questions; i++) {
    const IceMdnsQuestion *question = &query->questions[i];
    IceMdnsName *name = find_name (self, port, question->name);

    if (!name || is_known (name, query))
      continue;
    if (!ice_mdns_port_is_near (port, from))
      return;
    answer_question (name, port, query, question, from);
  }
}

/* RFC 6762 6.6 and 9: who says that our name is somebody else's, or is about to
 * go, is told otherwise; the name is not given up, for it cannot be theirs. */
void
ice_mdns_names_take_response (IceMdns *self, IceMdnsPort *port,
    const IceMdnsMessage *response, const IceAddress *from)
{
  for (guint i = 0; i < response->n_records; i++) {
    const IceMdnsRecord *record = &response->records[i];
    IceMdnsName *name = find_name (self, port, record->name);

    if (!name || (is_ours (name, record) && record->ttl >= ICE_MDNS_TTL / 2) ||
        !ice_mdns_port_is_near (port, from))
      continue;
    GST_INFO ("somebody else answers for %s", name->name);
    multicast_if_due (name);
  }
}
