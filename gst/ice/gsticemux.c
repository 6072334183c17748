/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticemux-private.h"

#include <string.h>

#include "core/stun/message.h"
#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* Requests of one share that may still be answered: a hundred pairs (RFC 8445
 * 6.1.2.5) and some servers; the oldest is forgotten for the next. */
#define MAX_REQUESTS 256

/* Sources that answered and are not accepted from: as many pairs. */
#define MAX_ANSWERED 128

typedef struct
{
  GstIceMux *mux; /* (unowned) */
  IceAddress local;
  IceSocket *socket;    /* (owned) */
  GPtrArray *shares;    /* (unowned) (element-type GstIceMuxShare) */
  GHashTable *ufrags;   /* (owned) utf8 -> GstIceMuxShare (unowned) */
  GHashTable *requests; /* (owned) transaction id -> Request */
  GHashTable *sources;  /* (owned) IceAddress -> GArray of Claim */
} Port;

typedef struct
{
  guint8 id[ICE_STUN_ID_SIZE];
  GstIceMuxShare *share; /* (unowned) */
} Request;

typedef struct
{
  GstIceMuxShare *share; /* (unowned) */
  gboolean proven;
} Claim;

struct _GstIceMuxShare
{
  guint ref_count; /* the owner's, and one while packets are handed out */
  GstIceMux *mux;  /* (owned) */
  Port *port;      /* (unowned) (nullable) NULL: closed */
  IceSocketEvents events;
  gpointer user_data;   /* (unowned) */
  GPtrArray *ufrags;    /* (owned) (element-type utf8) that are ours */
  GQueue requests;      /* (unowned) (element-type Request) oldest first */
  GHashTable *answered; /* (owned) set of IceAddress */
};

struct _GstIceMux
{
  guint ref_count;     /* under the lock of the registry */
  guint64 n_strangers; /* likewise */
  guint16 port;
  IceLoop *loop;    /* (owned) */
  GPtrArray *ports; /* (owned) (element-type Port) one for each address */
};

static GMutex registry_lock;
static GHashTable
    *registry; /* (owned) (nullable) port -> GstIceMux (unowned) */

static void on_packets (IceSocket *socket, IceRxPacket *packets,
    guint n_packets, gpointer user_data);
static void on_unreachable (IceSocket *socket, const IceAddress *to,
    IceBytes quoted, gint error_number, gpointer user_data);
static void
on_too_big (IceSocket *socket, const IceAddress *to, gpointer user_data);
static void on_writable (IceSocket *socket, gpointer user_data);

/* The muxes of the process */

GstIceMux *
gst_ice_mux_acquire (guint16 port)
{
  GstIceMux *self;
  IceLoop *loop = NULL;

  g_mutex_lock (&registry_lock);
  if (!registry)
    registry = g_hash_table_new (NULL, NULL);
  self = g_hash_table_lookup (registry, GUINT_TO_POINTER ((guint) port));
  if (self) {
    self->ref_count++;
  } else if ((loop = ice_loop_acquire ()) != NULL) {
    self = g_new0 (GstIceMux, 1);
    self->ref_count = 1;
    self->port = port;
    self->loop = loop;
    self->ports = g_ptr_array_new ();
    g_hash_table_insert (registry, GUINT_TO_POINTER ((guint) port), self);
  }
  g_mutex_unlock (&registry_lock);
  return self;
}

GstIceMux *
gst_ice_mux_ref (GstIceMux *self)
{
  g_mutex_lock (&registry_lock);
  self->ref_count++;
  g_mutex_unlock (&registry_lock);
  return self;
}

/* Shares hold a reference: by now there are no ports any more. */
void
gst_ice_mux_unref (GstIceMux *self)
{
  gboolean last;

  g_mutex_lock (&registry_lock);
  last = --self->ref_count == 0;
  if (last) {
    g_hash_table_remove (registry, GUINT_TO_POINTER ((guint) self->port));
    if (g_hash_table_size (registry) == 0)
      g_clear_pointer (&registry, g_hash_table_unref);
  }
  g_mutex_unlock (&registry_lock);
  if (!last)
    return;
  g_ptr_array_unref (self->ports);
  ice_loop_unref (self->loop);
  g_free (self);
}

guint16
gst_ice_mux_get_port (const GstIceMux *self)
{
  return self->port;
}

IceLoop *
gst_ice_mux_get_loop (GstIceMux *self)
{
  return self->loop;
}

/* Ports and shares */

static guint
id_hash (gconstpointer id)
{
  guint hash;

  /* They are random (RFC 8489 5), those that we make at least. */
  memcpy (&hash, id, sizeof hash);
  return hash;
}

static gboolean
id_equal (gconstpointer a, gconstpointer b)
{
  return ice_stun_id_equal (a, b);
}

static gboolean
address_equal (gconstpointer a, gconstpointer b)
{
  return ice_address_equal (a, b);
}

static guint
address_hash (gconstpointer address)
{
  return ice_address_hash (address);
}

static void
port_free (Port *self)
{
  if (self->socket)
    ice_socket_close (self->socket);
  g_clear_pointer (&self->socket, ice_socket_unref);
  g_ptr_array_unref (self->shares);
  g_hash_table_unref (self->ufrags);
  g_hash_table_unref (self->requests);
  g_hash_table_unref (self->sources);
  g_free (self);
}

static Port *
find_port (GstIceMux *self, const IceAddress *local)
{
  for (guint i = 0; i < self->ports->len; i++) {
    Port *port = self->ports->pdata[i];

    if (ice_address_same_ip (&port->local, local))
      return port;
  }
  return NULL;
}

static Port *
open_port (GstIceMux *self, const IceAddress *local,
    const IceSocketOptions *options, GError **error)
{
  static const IceSocketEvents events = {
    .packets = on_packets,
    .unreachable = on_unreachable,
    .too_big = on_too_big,
    .writable = on_writable,
  };
  Port *port = g_new0 (Port, 1);

  port->mux = self;
  port->local = *local;
  port->local.port = self->port;
  port->shares = g_ptr_array_new ();
  port->ufrags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  port->requests = g_hash_table_new_full (id_hash, id_equal, NULL, g_free);
  port->sources = g_hash_table_new_full (
      address_hash, address_equal, g_free, (GDestroyNotify) g_array_unref);
  port->socket = ice_socket_open_udp (
      self->loop, &port->local, options, &events, port, error);
  if (!port->socket) {
    g_prefix_error (error,
        "mux-port %u, which may be in use by another process: ", self->port);
    port_free (port);
    return NULL;
  }
  g_ptr_array_add (self->ports, port);
  return port;
}

GstIceMuxShare *
gst_ice_mux_open (GstIceMux *self, const IceAddress *local,
    const IceSocketOptions *options, const IceSocketEvents *events,
    gpointer user_data, GError **error)
{
  GstIceMuxShare *share;
  Port *port = find_port (self, local);

  if (!port)
    port = open_port (self, local, options, error);
  if (!port)
    return NULL;
  share = g_new0 (GstIceMuxShare, 1);
  share->ref_count = 1;
  share->mux = gst_ice_mux_ref (self);
  share->port = port;
  share->events = *events;
  share->user_data = user_data;
  share->ufrags = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&share->requests);
  share->answered =
      g_hash_table_new_full (address_hash, address_equal, g_free, NULL);
  g_ptr_array_add (port->shares, share);
  return share;
}

static void
share_unref (GstIceMuxShare *self)
{
  if (--self->ref_count > 0)
    return;
  gst_ice_mux_unref (self->mux);
  g_ptr_array_unref (self->ufrags);
  g_hash_table_unref (self->answered);
  g_free (self);
}

static void
forget_ufrags (GstIceMuxShare *self)
{
  for (guint i = 0; i < self->ufrags->len; i++)
    g_hash_table_remove (self->port->ufrags, self->ufrags->pdata[i]);
  g_ptr_array_set_size (self->ufrags, 0);
}

static void
drop_claim (GArray *claims, const GstIceMuxShare *share)
{
  for (guint i = claims->len; i-- > 0;) {
    if (g_array_index (claims, Claim, i).share == share)
      g_array_remove_index (claims, i);
  }
}

static void
forget_sources (GstIceMuxShare *self)
{
  GHashTableIter iter;
  gpointer claims;

  g_hash_table_iter_init (&iter, self->port->sources);
  while (g_hash_table_iter_next (&iter, NULL, &claims)) {
    drop_claim (claims, self);
    if (((GArray *) claims)->len == 0)
      g_hash_table_iter_remove (&iter);
  }
}

void
gst_ice_mux_share_close (GstIceMuxShare *self)
{
  Port *port = self->port;
  Request *request;

  forget_ufrags (self);
  forget_sources (self);
  while ((request = g_queue_pop_head (&self->requests)))
    g_hash_table_remove (port->requests, request->id);
  g_ptr_array_remove (port->shares, self);
  self->port = NULL;
  if (port->shares->len == 0) {
    g_ptr_array_remove (self->mux->ports, port);
    port_free (port);
  }
  share_unref (self);
}

IceSocket *
gst_ice_mux_share_get_socket (GstIceMuxShare *self)
{
  return self->port->socket;
}

guint64
gst_ice_mux_get_n_strangers (GstIceMux *self)
{
  guint64 n;

  g_mutex_lock (&registry_lock);
  n = self->n_strangers;
  g_mutex_unlock (&registry_lock);
  return n;
}

/* What tells whose a packet is */

gboolean
gst_ice_mux_share_set_ufrags (GstIceMuxShare *self, const GPtrArray *ufrags)
{
  gboolean all = TRUE, same = ufrags->len == self->ufrags->len;

  for (guint i = 0; same && i < ufrags->len; i++)
    same = g_str_equal (ufrags->pdata[i], self->ufrags->pdata[i]);
  if (same)
    return TRUE;
  forget_ufrags (self);
  for (guint i = 0; i < ufrags->len; i++) {
    const gchar *ufrag = ufrags->pdata[i];

    if (g_hash_table_contains (self->port->ufrags, ufrag)) {
      all = all &&
          g_hash_table_lookup (self->port->ufrags, ufrag) == (gpointer) self;
      continue;
    }
    g_hash_table_insert (self->port->ufrags, g_strdup (ufrag), self);
    g_ptr_array_add (self->ufrags, g_strdup (ufrag));
  }
  return all;
}

void
gst_ice_mux_share_note_packet (GstIceMuxShare *self, IceBytes packet)
{
  IceStunMessage message;
  Request *request;

  if (!ice_stun_looks_like (packet) ||
      !ice_stun_message_parse (&message, packet) ||
      message.klass != ICE_STUN_REQUEST ||
      g_hash_table_contains (self->port->requests, message.id))
    return;
  if (self->requests.length >= MAX_REQUESTS) {
    request = g_queue_pop_head (&self->requests);
    g_hash_table_remove (self->port->requests, request->id);
  }
  request = g_new (Request, 1);
  memcpy (request->id, message.id, sizeof request->id);
  request->share = self;
  g_queue_push_tail (&self->requests, request);
  g_hash_table_insert (self->port->requests, request->id, request);
}

static Claim *
find_claim (Port *self, const GstIceMuxShare *share, const IceAddress *from)
{
  GArray *claims = g_hash_table_lookup (self->sources, from);

  for (guint i = 0; claims && i < claims->len; i++) {
    if (g_array_index (claims, Claim, i).share == share)
      return &g_array_index (claims, Claim, i);
  }
  return NULL;
}

void
gst_ice_mux_share_accept (
    GstIceMuxShare *self, const IceAddress *from, gboolean add)
{
  Port *port = self->port;
  GArray *claims = g_hash_table_lookup (port->sources, from);
  Claim claim = { .share = self };

  if (!add) {
    if (claims)
      drop_claim (claims, self);
    if (claims && claims->len == 0)
      g_hash_table_remove (port->sources, from);
    return;
  }
  if (find_claim (port, self, from))
    return;
  if (!claims) {
    claims = g_array_new (FALSE, FALSE, sizeof (Claim));
    g_hash_table_insert (port->sources, g_memdup2 (from, sizeof *from), claims);
  }
  claim.proven = g_hash_table_remove (self->answered, from);
  g_array_append_val (claims, claim);
}

void
gst_ice_mux_share_note_taken (
    GstIceMuxShare *self, const IceAddress *from, IceBytes packet)
{
  IceStunMessage message;
  Claim *claim;

  if (!self->port || !ice_stun_message_parse (&message, packet) ||
      message.klass != ICE_STUN_SUCCESS)
    return;
  claim = find_claim (self->port, self, from);
  if (claim) {
    claim->proven = TRUE;
    return;
  }
  /* What is accepted from there comes as the answer's consequence. */
  if (g_hash_table_size (self->answered) >= MAX_ANSWERED)
    g_hash_table_remove_all (self->answered);
  g_hash_table_add (self->answered, g_memdup2 (from, sizeof *from));
}

/* Handing out */

/* (nullable) Who has proven that @from is its peer's; else, unless @proven is
 * asked for, who came first. */
static GstIceMuxShare *
find_owner (Port *self, const IceAddress *from, gboolean proven)
{
  GArray *claims = g_hash_table_lookup (self->sources, from);

  for (guint i = 0; claims && i < claims->len; i++) {
    const Claim *claim = &g_array_index (claims, Claim, i);

    if (claim->proven)
      return claim->share;
  }
  return claims && !proven ? g_array_index (claims, Claim, 0).share : NULL;
}

gboolean
gst_ice_mux_share_has_proven (GstIceMuxShare *self, const IceAddress *from)
{
  return self->port && find_owner (self->port, from, TRUE) == self;
}

/* (nullable) RFC 8445 7.3: "the username fragment of the agent", a colon, and
 * that of its peer. */
static GstIceMuxShare *
find_by_username (Port *self, const IceStunMessage *message)
{
  gchar ufrag[256 + 1]; /* RFC 8839 5.4 */
  IceBytes username;
  const guint8 *colon;
  gsize size;

  if (!ice_stun_message_find (message, ICE_STUN_USERNAME, &username))
    return NULL;
  colon = memchr (username.data, ':', username.size);
  size = colon ? (gsize) (colon - username.data) : username.size;
  if (size == 0 || size >= sizeof ufrag)
    return NULL;
  memcpy (ufrag, username.data, size);
  ufrag[size] = '\0';
  return g_hash_table_lookup (self->ufrags, ufrag);
}

/* (nullable) */
static GstIceMuxShare *
choose (Port *self, const IceAddress *from, IceBytes packet)
{
  GstIceMuxShare *share = NULL, *owner;
  IceStunMessage message;
  Request *request;

  if (!ice_stun_looks_like (packet))
    return find_owner (self, from, FALSE);
  if (!ice_stun_message_parse (&message, packet))
    return NULL;
  if (message.klass == ICE_STUN_REQUEST) {
    share = find_by_username (self, &message);
  } else if (message.klass != ICE_STUN_INDICATION) {
    request = g_hash_table_lookup (self->requests, message.id);
    if (!request)
      return NULL;
    share = request->share;
  }
  if (!share)
    return find_owner (self, from, FALSE);
  owner = find_owner (self, from, TRUE);
  return owner && owner != share ? NULL : share;
}

/* A share's packets in their order, as one batch. @owners of what was handed
 * out are cleared. */
static void
hand_out (IceSocket *socket, GstIceMuxShare **owners, IceRxPacket *packets,
    guint first, guint n_packets)
{
  GstIceMuxShare *share = owners[first];
  g_autofree IceRxPacket *batch = NULL;
  guint n = 0, n_row = first;

  while (n_row < n_packets && owners[n_row] == share)
    n_row++;
  for (guint i = n_row; i < n_packets && !batch; i++) {
    if (owners[i] == share)
      batch = g_new (IceRxPacket, n_packets - first);
  }
  for (guint i = first; i < n_packets; i++) {
    if (owners[i] != share)
      continue;
    if (batch)
      batch[n] = packets[i];
    n++;
    owners[i] = NULL;
    if (i > first)
      share_unref (share);
  }
  /* One handed out before may have closed it. */
  if (share->port)
    share->events.packets (
        socket, batch ? batch : packets + first, n, share->user_data);
  share_unref (share);
}

static void
on_packets (IceSocket *socket, IceRxPacket *packets, guint n_packets,
    gpointer user_data)
{
  Port *self = user_data;
  GstIceMuxShare *owners[ICE_RX_MAX_PACKETS];
  guint64 n_strangers = 0;

  for (guint i = 0; i < n_packets; i++) {
    owners[i] = choose (self, &packets[i].from, packets[i].data);
    if (owners[i])
      owners[i]->ref_count++;
    else
      n_strangers++;
  }
  if (n_strangers > 0) {
    g_mutex_lock (&registry_lock);
    self->mux->n_strangers += n_strangers;
    g_mutex_unlock (&registry_lock);
    GST_LOG ("mux-port %u: %" G_GUINT64_FORMAT " packets for nobody",
        self->mux->port, n_strangers);
  }
  /* From here on @self may be gone. */
  for (guint i = 0; i < n_packets; i++) {
    if (owners[i])
      hand_out (socket, owners, packets, i, n_packets);
  }
}

static void
on_unreachable (IceSocket *socket, const IceAddress *to, IceBytes quoted,
    gint error_number, gpointer user_data)
{
  Port *self = user_data;
  const Request *request = NULL;

  /* Of media the core wants to know nothing (design 9.8). */
  if (quoted.size >= ICE_STUN_HEADER_SIZE)
    request = g_hash_table_lookup (
        self->requests, quoted.data + ICE_STUN_HEADER_SIZE - ICE_STUN_ID_SIZE);
  if (request)
    request->share->events.unreachable (
        socket, to, quoted, error_number, request->share->user_data);
}

/* (transfer full) who may have to hear of something, and may go meanwhile. */
static GPtrArray *
list_shares (Port *self)
{
  GPtrArray *shares =
      g_ptr_array_new_with_free_func ((GDestroyNotify) share_unref);

  for (guint i = 0; i < self->shares->len; i++) {
    GstIceMuxShare *share = self->shares->pdata[i];

    share->ref_count++;
    g_ptr_array_add (shares, share);
  }
  return shares;
}

static void
on_too_big (IceSocket *socket, const IceAddress *to, gpointer user_data)
{
  g_autoptr (GPtrArray) shares = list_shares (user_data);

  for (guint i = 0; i < shares->len; i++) {
    GstIceMuxShare *share = shares->pdata[i];

    if (share->port)
      share->events.too_big (socket, to, share->user_data);
  }
}

static void
on_writable (IceSocket *socket, gpointer user_data)
{
  g_autoptr (GPtrArray) shares = list_shares (user_data);

  for (guint i = 0; i < shares->len; i++) {
    GstIceMuxShare *share = shares->pdata[i];

    if (share->port)
      share->events.writable (socket, share->user_data);
  }
}
