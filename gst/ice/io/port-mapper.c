/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "port-mapper.h"

#include <errno.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "gateway.h"
#include "io-log.h"
#include "native.h"

typedef struct
{
  IcePortMapper *mapper; /* (unowned) */
  IceAddress local;      /* port 0 */
  gint fd;
  IceWatch *watch;     /* (owned) */
  IceTimer *timer;     /* (owned) */
  IcePortmap *machine; /* (owned) */
} Client;

/* What no router could be asked for. */
typedef struct
{
  IcePortMapper *mapper; /* (unowned) */
  guint id;
  const gchar *cause; /* (unowned) */
  IceTimer *timer;    /* (owned) */
} Refusal;

struct _IcePortMapper
{
  IceLoop *loop; /* (owned) */
  IcePortMapperFunc func;
  gpointer user_data;
  GPtrArray *clients;  /* (element-type Client) (owned) */
  GPtrArray *refusals; /* (element-type Refusal) (owned) */
};

static void
flush_packets (Client *self)
{
  IcePacket *packet;

  while ((packet = ice_portmap_take_packet (self->machine))) {
    if (send (self->fd, packet->data, packet->size, MSG_NOSIGNAL) < 0)
      GST_DEBUG ("port mapping request: %s", g_strerror (errno));
    ice_packet_unref (packet);
  }
  ice_timer_set (self->timer, ice_portmap_deadline (self->machine));
}

/* The last thing a caller does: the function may free the client. */
static void
flush_events (Client *self)
{
  IcePortMapper *mapper = self->mapper;
  g_autoptr (GArray) events =
      g_array_new (FALSE, FALSE, sizeof (IcePortmapEvent));
  IcePortmapEvent event;

  while (ice_portmap_take_event (self->machine, &event))
    g_array_append_val (events, event);
  for (guint i = 0; i < events->len; i++)
    mapper->func (
        &g_array_index (events, IcePortmapEvent, i), mapper->user_data);
}

static void
on_timer (gpointer user_data)
{
  Client *self = user_data;

  ice_portmap_timeout (self->machine, ice_loop_now ());
  flush_packets (self);
  flush_events (self);
}

/* Connected: only the router's answers come, and what the kernel knows of a
 * router that does not listen. */
static void
on_readable (gint fd, GIOCondition condition, gpointer user_data)
{
  Client *self = user_data;
  guint8 buffer[ICE_PORTMAP_MAX];
  gssize size;

  for (guint i = 0; i < 16; i++) {
    size = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size >= 0)
      ice_portmap_receive (
          self->machine, ICE_BYTES (buffer, size), ice_loop_now ());
    else if (errno == ECONNREFUSED)
      ice_portmap_refused (self->machine);
    else
      break;
  }
  flush_packets (self);
  flush_events (self);
}

static void
client_free (Client *self)
{
  ice_watch_free (self->watch);
  ice_timer_free (self->timer);
  ice_portmap_free (self->machine);
  close (self->fd);
  g_free (self);
}

static void
refusal_free (Refusal *self)
{
  ice_timer_free (self->timer);
  g_free (self);
}

static gint
open_socket (const IceAddress *local, const IceAddress *router)
{
  IceNativeAddress from, to;
  socklen_t from_size = ice_address_to_native (local, &from);
  socklen_t to_size = ice_address_to_native (router, &to);
  gint fd =
      socket (from.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  if (bind (fd, &from.any, from_size) < 0 ||
      connect (fd, &to.any, to_size) < 0) {
    close (fd);
    return -1;
  }
  return fd;
}

/* (nullable) NULL with @ret_cause. */
static Client *
client_new (IcePortMapper *mapper, const IceAddress *local,
    const IceAddress *router, const gchar **ret_cause)
{
  IceAddress address;
  Client *self;
  gint fd;

  if (router) {
    address = *router;
  } else if (ice_gateway_find (local, &address)) {
    address.port = ICE_PORTMAP_PORT;
  } else {
    *ret_cause = "there is no default route";
    return NULL;
  }
  fd = open_socket (local, &address);
  if (fd < 0) {
    *ret_cause = "the router cannot be reached";
    return NULL;
  }
  self = g_new0 (Client, 1);
  self->mapper = mapper;
  self->local = *local;
  self->fd = fd;
  self->watch = ice_watch_new (mapper->loop, fd, G_IO_IN, on_readable, self);
  self->timer = ice_timer_new (mapper->loop, on_timer, self);
  self->machine = ice_portmap_new (local, ice_random_bytes);
  if (!self->watch) {
    client_free (self);
    *ret_cause = "no file descriptor is left";
    return NULL;
  }
  g_ptr_array_add (mapper->clients, self);
  return self;
}

static Client *
find_client (IcePortMapper *self, const IceAddress *local)
{
  for (guint i = 0; i < self->clients->len; i++) {
    Client *client = g_ptr_array_index (self->clients, i);

    if (ice_address_same_ip (&client->local, local))
      return client;
  }
  return NULL;
}

IcePortMapper *
ice_port_mapper_new (IceLoop *loop, IcePortMapperFunc func, gpointer user_data)
{
  IcePortMapper *self = g_new0 (IcePortMapper, 1);

  self->loop = ice_loop_ref (loop);
  self->func = func;
  self->user_data = user_data;
  self->clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);
  self->refusals =
      g_ptr_array_new_with_free_func ((GDestroyNotify) refusal_free);
  return self;
}

void
ice_port_mapper_free (IcePortMapper *self)
{
  for (guint i = 0; i < self->clients->len; i++) {
    Client *client = g_ptr_array_index (self->clients, i);

    ice_portmap_close (client->machine);
    flush_packets (client);
  }
  g_ptr_array_unref (self->clients);
  g_ptr_array_unref (self->refusals);
  ice_loop_unref (self->loop);
  g_free (self);
}

static void
on_refused (gpointer user_data)
{
  Refusal *self = user_data;
  IcePortMapper *mapper = self->mapper;
  const IcePortmapEvent event = { .id = self->id, .cause = self->cause };

  g_ptr_array_remove_fast (mapper->refusals, self);
  mapper->func (&event, mapper->user_data);
}

static void
refuse (IcePortMapper *self, guint id, const gchar *cause)
{
  Refusal *refusal = g_new0 (Refusal, 1);

  refusal->mapper = self;
  refusal->id = id;
  refusal->cause = cause;
  refusal->timer = ice_timer_new (self->loop, on_refused, refusal);
  ice_timer_set (refusal->timer, ice_loop_now ());
  g_ptr_array_add (self->refusals, refusal);
}

void
ice_port_mapper_add (IcePortMapper *self, guint id, IcePortmapProtocol protocol,
    const IceAddress *local, const IceAddress *router)
{
  IceAddress ip = *local;
  const gchar *cause = NULL;
  Client *client;

  ip.port = 0;
  client = find_client (self, &ip);
  if (!client)
    client = client_new (self, &ip, router, &cause);
  if (!client) {
    refuse (self, id, cause);
    return;
  }
  ice_portmap_add (client->machine, id, protocol, local->port, ice_loop_now ());
  flush_packets (client);
}

void
ice_port_mapper_remove (IcePortMapper *self, guint id)
{
  for (guint i = self->refusals->len; i-- > 0;) {
    Refusal *refusal = g_ptr_array_index (self->refusals, i);

    if (refusal->id == id)
      g_ptr_array_remove_index_fast (self->refusals, i);
  }
  for (guint i = 0; i < self->clients->len; i++) {
    Client *client = g_ptr_array_index (self->clients, i);

    ice_portmap_remove (client->machine, id);
    flush_packets (client);
  }
}
