/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "portmap.h"

#include <string.h>

/* Asked for in seconds: what a program that was killed leaves behind is gone
 * after that. */
#define LIFETIME 600
/* RFC 6887 15: more than a day is not believed. Less than this would be asked
 * for all the time. */
#define LIFETIME_MIN 30
#define LIFETIME_MAX (24 * 60 * 60)
/* RFC 6887 11.2.1: renewals are no closer than this. */
#define RENEWAL_MIN (4 * ICE_SECOND)

/* RFC 6887 8.1.1 begins with 3 s, RFC 6886 3.1 with 250 ms: somebody waits for
 * the candidate, and the router is one hop away. The sum is PCP's first
 * interval. */
static const IceTime intervals[] = { 250 * ICE_MSEC, 500 * ICE_MSEC,
  750 * ICE_MSEC, 1500 * ICE_MSEC };

typedef enum
{
  MAPPING_ASKING,
  MAPPING_MAPPED,
  MAPPING_FAILED,
} MappingState;

typedef struct
{
  guint id;
  MappingState state;
  IcePortmapRequest request; /* external: what we have had, or any */
  guint n_sent;              /* since it is asked for, or renewed */
  IceTime next_at;
  IceTime expires_at; /* MAPPED */
  IceAddress told;    /* the last event's; family NONE: it was none */
} Mapping;

struct _IcePortmap
{
  IceAddress local;
  void (*roll) (guint8 *ret_bytes, gsize size);
  gboolean decided;          /* version is what it speaks */
  IcePortmapVersion version; /* PCP until then */
  IceAddress external;       /* NAT-PMP's, port 0; family NONE: not known */
  gboolean has_epoch;
  guint32 epoch;
  IceTime epoch_at;
  GPtrArray *mappings; /* (element-type Mapping) (owned) */
  GQueue packets;      /* (element-type IcePacket) (owned) */
  GQueue events;       /* (element-type IcePortmapEvent) (owned) */
};

IcePortmap *
ice_portmap_new (
    const IceAddress *local, void (*roll) (guint8 *ret_bytes, gsize size))
{
  IcePortmap *self = g_new0 (IcePortmap, 1);

  self->local = *local;
  self->roll = roll;
  self->version = ICE_PORTMAP_PCP;
  self->mappings = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&self->packets);
  g_queue_init (&self->events);
  return self;
}

void
ice_portmap_free (IcePortmap *self)
{
  g_ptr_array_unref (self->mappings);
  g_queue_clear_full (&self->packets, (GDestroyNotify) ice_packet_unref);
  g_queue_clear_full (&self->events, g_free);
  g_free (self);
}

IcePacket *
ice_portmap_take_packet (IcePortmap *self)
{
  return g_queue_pop_head (&self->packets);
}

gboolean
ice_portmap_take_event (IcePortmap *self, IcePortmapEvent *ret_event)
{
  g_autofree IcePortmapEvent *event = g_queue_pop_head (&self->events);

  if (!event)
    return FALSE;
  *ret_event = *event;
  return TRUE;
}

static void
send_request (IcePortmap *self, const IcePortmapRequest *request)
{
  g_queue_push_tail (&self->packets,
      self->version == ICE_PORTMAP_PCP
          ? ice_pcp_build_map (&self->local, request)
          : ice_nat_pmp_build_map (request));
}

/* Events */

static void
push_event (IcePortmap *self, Mapping *mapping, const IcePortmapEvent *event)
{
  IcePortmapEvent *copy = g_memdup2 (event, sizeof *event);

  copy->id = mapping->id;
  g_queue_push_tail (&self->events, copy);
}

static void
fail (IcePortmap *self, Mapping *mapping, const gchar *cause)
{
  const IcePortmapEvent event = { .mapped = FALSE, .cause = cause };

  mapping->state = MAPPING_FAILED;
  mapping->next_at = ICE_TIME_NEVER;
  mapping->told = ICE_ADDRESS_NONE;
  push_event (self, mapping, &event);
}

/* Its address is known, and other than what was told. */
static void
tell (IcePortmap *self, Mapping *mapping)
{
  IcePortmapEvent event = { .mapped = TRUE,
    .external = mapping->request.external,
    .by = self->version == ICE_PORTMAP_PCP ? "PCP" : "NAT-PMP" };

  if (mapping->state != MAPPING_MAPPED)
    return;
  if (self->version == ICE_PORTMAP_NAT_PMP) {
    event.external = self->external;
    event.external.port = mapping->request.external.port;
  }
  if (event.external.family == ICE_FAMILY_NONE ||
      ice_address_equal (&event.external, &mapping->told))
    return;
  if (!ice_address_is_usable (&event.external)) {
    fail (self, mapping, "the router has no address of its own yet");
    return;
  }
  mapping->told = event.external;
  push_event (self, mapping, &event);
}

/* Asking */

static void
ask (IcePortmap *self, Mapping *mapping, IceTime now)
{
  send_request (self, &mapping->request);
  /* RFC 6886 knows no router that speaks neither version's error, but there are
   * some that throw away what they do not know. */
  if (self->version == ICE_PORTMAP_NAT_PMP ||
      (!self->decided && mapping->n_sent > 0))
    g_queue_push_tail (&self->packets, ice_nat_pmp_build_address ());
  if (mapping->state == MAPPING_ASKING) {
    mapping->next_at = now + intervals[mapping->n_sent];
  } else {
    /* RFC 6887 11.2.1: half of what is left, and so on. */
    mapping->next_at = now + (mapping->expires_at - now) / 2;
    if (mapping->next_at < now + RENEWAL_MIN)
      mapping->next_at = mapping->expires_at;
  }
  mapping->n_sent++;
}

static void
ask_from_start (IcePortmap *self, Mapping *mapping, IceTime now)
{
  mapping->state = MAPPING_ASKING;
  mapping->n_sent = 0;
  ask (self, mapping, now);
}

void
ice_portmap_add (IcePortmap *self, guint id, IcePortmapProtocol protocol,
    guint16 port, IceTime now)
{
  Mapping *mapping = g_new0 (Mapping, 1);

  mapping->id = id;
  mapping->request.protocol = protocol;
  mapping->request.internal_port = port;
  mapping->request.lifetime = LIFETIME;
  mapping->request.external.family = self->local.family;
  /* RFC 6887 11.2: suggested, the port that is simplest to explain. */
  mapping->request.external.port = port;
  self->roll (mapping->request.nonce, ICE_PCP_NONCE_SIZE);
  g_ptr_array_add (self->mappings, mapping);
  ask_from_start (self, mapping, now);
}

static void
remove_index (IcePortmap *self, guint index)
{
  Mapping *mapping = g_ptr_array_index (self->mappings, index);

  /* RFC 6887 15, RFC 6886 3.4. One that is lost costs ten minutes. */
  if (mapping->state != MAPPING_FAILED) {
    mapping->request.lifetime = 0;
    send_request (self, &mapping->request);
  }
  g_ptr_array_remove_index_fast (self->mappings, index);
}

void
ice_portmap_remove (IcePortmap *self, guint id)
{
  for (guint i = self->mappings->len; i-- > 0;) {
    const Mapping *mapping = g_ptr_array_index (self->mappings, i);

    if (mapping->id == id)
      remove_index (self, i);
  }
}

void
ice_portmap_close (IcePortmap *self)
{
  while (self->mappings->len > 0)
    remove_index (self, self->mappings->len - 1);
}

/* Answers */

/* RFC 6887 8.5: whether the clock of the router went as ours did. */
static gboolean
epoch_is_valid (const IcePortmap *self, guint32 epoch, IceTime now)
{
  const gint64 client = (now - self->epoch_at) / ICE_SECOND;
  const gint64 server = (gint64) epoch - self->epoch;

  return server >= -1 && client + 2 >= server - server / 16 &&
      server + 2 >= client - client / 16;
}

static void
note_epoch (IcePortmap *self, guint32 epoch, IceTime now)
{
  gboolean lost = self->has_epoch && !epoch_is_valid (self, epoch, now);

  self->has_epoch = TRUE;
  self->epoch = epoch;
  self->epoch_at = now;
  if (!lost)
    return;
  for (guint i = 0; i < self->mappings->len; i++) {
    Mapping *mapping = g_ptr_array_index (self->mappings, i);

    if (mapping->state == MAPPING_MAPPED)
      mapping->next_at = now;
  }
}

static void
decide (IcePortmap *self, IcePortmapVersion version)
{
  self->decided = TRUE;
  self->version = version;
}

static Mapping *
find (IcePortmap *self, const IcePortmapAnswer *answer)
{
  for (guint i = 0; i < self->mappings->len; i++) {
    Mapping *mapping = g_ptr_array_index (self->mappings, i);

    /* RFC 6887 11.4: protocol, port and nonce. */
    if (mapping->request.protocol == answer->protocol &&
        mapping->request.internal_port == answer->internal_port &&
        (answer->version == ICE_PORTMAP_NAT_PMP ||
            memcmp (mapping->request.nonce, answer->nonce,
                ICE_PCP_NONCE_SIZE) == 0))
      return mapping;
  }
  return NULL;
}

static gboolean
take_mapping (IcePortmap *self, const IcePortmapAnswer *answer, IceTime now)
{
  Mapping *mapping = find (self, answer);
  IceTime lifetime;

  if (!mapping || mapping->state == MAPPING_FAILED)
    return FALSE;
  if (answer->result != ICE_PORTMAP_SUCCESS) {
    /* One that is there stays until its end. */
    if (mapping->state == MAPPING_ASKING)
      fail (self, mapping, ice_portmap_result_to_string (answer->result));
    return TRUE;
  }
  if (answer->external.port == 0 || answer->lifetime == 0)
    return FALSE;
  lifetime = CLAMP (answer->lifetime, LIFETIME_MIN, LIFETIME_MAX) * ICE_SECOND;
  mapping->state = MAPPING_MAPPED;
  mapping->request.external = answer->external;
  mapping->expires_at = now + lifetime;
  mapping->next_at = now + lifetime / 2;
  mapping->n_sent = 0;
  tell (self, mapping);
  return TRUE;
}

/* NAT-PMP only, says its answer to PCP (RFC 6887 appendix A). */
static void
fall_back (IcePortmap *self, IceTime now)
{
  gboolean was = self->decided;

  decide (self, ICE_PORTMAP_NAT_PMP);
  for (guint i = 0; i < self->mappings->len; i++) {
    Mapping *mapping = g_ptr_array_index (self->mappings, i);

    if (mapping->state != MAPPING_ASKING)
      continue;
    if (was)
      fail (self, mapping,
          ice_portmap_result_to_string (ICE_PORTMAP_UNSUPPORTED_VERSION));
    else
      ask_from_start (self, mapping, now);
  }
}

static gboolean
take_address (IcePortmap *self, const IcePortmapAnswer *answer, IceTime now)
{
  if (!self->decided)
    fall_back (self, now);
  if (self->version != ICE_PORTMAP_NAT_PMP)
    return FALSE;
  for (guint i = 0; i < self->mappings->len; i++) {
    Mapping *mapping = g_ptr_array_index (self->mappings, i);

    if (answer->result == ICE_PORTMAP_SUCCESS) {
      self->external = answer->external;
      tell (self, mapping);
    } else if (mapping->told.family == ICE_FAMILY_NONE &&
        mapping->state != MAPPING_FAILED) {
      fail (self, mapping, ice_portmap_result_to_string (answer->result));
    }
  }
  return TRUE;
}

gboolean
ice_portmap_receive (IcePortmap *self, IceBytes datagram, IceTime now)
{
  IcePortmapAnswer answer;

  if (!ice_portmap_parse (datagram, &answer))
    return FALSE;
  if (answer.type == ICE_PORTMAP_ANSWER_VERSION) {
    fall_back (self, now);
    return TRUE;
  }
  if (self->decided && answer.version != self->version)
    return FALSE;
  if (answer.type == ICE_PORTMAP_ANSWER_ADDRESS) {
    note_epoch (self, answer.epoch, now);
    return take_address (self, &answer, now);
  }
  if (!find (self, &answer))
    return FALSE;
  decide (self, answer.version);
  note_epoch (self, answer.epoch, now);
  return take_mapping (self, &answer, now);
}

void
ice_portmap_refused (IcePortmap *self)
{
  for (guint i = 0; i < self->mappings->len; i++) {
    Mapping *mapping = g_ptr_array_index (self->mappings, i);

    /* One that is being restarted comes back; what was mapped is renewed. */
    if (mapping->state == MAPPING_ASKING)
      fail (self, mapping, "the router does not listen for PCP or NAT-PMP");
  }
}

/* Time */

static void
mapping_timeout (IcePortmap *self, Mapping *mapping, IceTime now)
{
  if (now < mapping->next_at)
    return;
  if (mapping->state == MAPPING_MAPPED && now >= mapping->expires_at)
    fail (self, mapping, "the router let it expire");
  else if (mapping->state == MAPPING_ASKING &&
      mapping->n_sent == G_N_ELEMENTS (intervals))
    fail (self, mapping, "the router does not answer");
  else
    ask (self, mapping, now);
}

void
ice_portmap_timeout (IcePortmap *self, IceTime now)
{
  for (guint i = 0; i < self->mappings->len; i++)
    mapping_timeout (self, g_ptr_array_index (self->mappings, i), now);
}

IceTime
ice_portmap_deadline (const IcePortmap *self)
{
  IceTime deadline = ICE_TIME_NEVER;

  for (guint i = 0; i < self->mappings->len; i++) {
    const Mapping *mapping = g_ptr_array_index (self->mappings, i);

    deadline = MIN (deadline, mapping->next_at);
  }
  return deadline;
}
