/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeroute-private.h"

#include "gsticetrafficmeta.h"

/* How many packets go out between two looks at the revoked flag: the most that
 * one UDP_SEGMENT call takes (UDP_MAX_SEGMENTS of Linux). */
#define REVOKE_CHECK_INTERVAL 64

/* What a path is taken to carry until it says otherwise: Ethernet. */
#define PATH_MTU 1500
/* RFC 791 3.2: every host takes so many, and less would be somebody's joke. */
#define MIN_MTU 576
/* RFC 791 3.1 without options, RFC 8200 3, RFC 768. */
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
/* RFC 4571 2. */
#define FRAME_HEADER 2
/* RFC 8656 12.4. */
#define CHANNEL_DATA_HEADER 4

struct _GstIceRoute
{
  gatomicrefcount ref_count;
  gint revoked;      /* (atomic) */
  IceSocket *socket; /* (owned) (nullable) of either of these one */
  IceTcp *tcp;       /* (owned) (nullable) */
  IceAddress to;
  guint16 channel; /* 0: none */
  gint dscp;       /* (atomic) -1: the socket's */
  gint mtu;        /* (atomic) of the path, as far as it is known */
};

static GstIceRoute *
new_route (const IceAddress *to, guint16 channel)
{
  GstIceRoute *self = g_new0 (GstIceRoute, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->to = *to;
  self->channel = channel;
  self->dscp = -1;
  self->mtu = PATH_MTU;
  return self;
}

GstIceRoute *
gst_ice_route_new (IceSocket *socket, const IceAddress *to, guint16 channel)
{
  GstIceRoute *self = new_route (to, channel);

  self->socket = ice_socket_ref (socket);
  return self;
}

GstIceRoute *
gst_ice_route_new_tcp (IceTcp *tcp, const IceAddress *to, guint16 channel)
{
  GstIceRoute *self = new_route (to, channel);

  self->tcp = ice_tcp_ref (tcp);
  return self;
}

GstIceRoute *
gst_ice_route_ref (GstIceRoute *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
gst_ice_route_unref (GstIceRoute *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->socket, ice_socket_unref);
  g_clear_pointer (&self->tcp, ice_tcp_unref);
  g_free (self);
}

void
gst_ice_route_revoke (GstIceRoute *self)
{
  g_atomic_int_set (&self->revoked, TRUE);
}

void
gst_ice_route_set_dscp (GstIceRoute *self, gint dscp)
{
  g_atomic_int_set (&self->dscp, dscp);
}

void
gst_ice_route_set_mtu (GstIceRoute *self, guint mtu)
{
  g_atomic_int_set (&self->mtu, (gint) CLAMP (mtu, MIN_MTU, PATH_MTU));
}

/* RFC 2474 3 and RFC 3168 5: six bits and two. */
static gint
mark (GstBuffer *buffer, guint8 dscp)
{
  const GstIceTrafficMeta *meta = gst_ice_buffer_get_traffic_meta (buffer);

  if (!meta)
    return -1;
  if (meta->dscp >= 0)
    dscp = (guint8) (meta->dscp & 63);
  return dscp << 2 | (meta->ecn & 3);
}

static guint
send_batch (GstIceRoute *self, IceSocket *connected, const IceSendBatch *batch,
    guint *ret_n_discarded, GError **error)
{
  if (self->tcp)
    return ice_tcp_send_batch (self->tcp, batch, ret_n_discarded, error);
  return ice_socket_send_batch (connected ? connected : self->socket, &self->to,
      batch, ret_n_discarded, error);
}

guint
gst_ice_route_send (GstIceRoute *self, IceSocket *connected,
    GstBuffer **buffers, guint n_buffers, guint *ret_n_discarded,
    GError **error)
{
  const gint dscp = g_atomic_int_get (&self->dscp);
  guint n_taken = 0;

  *ret_n_discarded = 0;
  while (n_taken < n_buffers) {
    const IceSendBatch batch = {
      .buffers = buffers + n_taken,
      .n_buffers = MIN (n_buffers - n_taken, REVOKE_CHECK_INTERVAL),
      .channel = self->channel,
      .mark = mark,
      .has_dscp = dscp >= 0,
      .dscp = (guint8) MAX (dscp, 0),
    };
    g_autoptr (GError) local_error = NULL;
    guint n, n_discarded = 0;

    if (g_atomic_int_get (&self->revoked))
      break;
    n = send_batch (self, connected, &batch, &n_discarded, &local_error);
    n_taken += n;
    *ret_n_discarded += n_discarded;
    if (n == batch.n_buffers)
      continue;
    if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CLOSED)) {
      /* The socket went before the route did: as good as revoked. */
      if (!connected)
        break;
      connected = NULL;
      continue;
    }
    g_propagate_error (error, g_steal_pointer (&local_error));
    return n_taken;
  }

  *ret_n_discarded += n_buffers - n_taken;
  return n_buffers;
}

guint
gst_ice_route_get_max_payload (GstIceRoute *self)
{
  guint headers =
      self->tcp ? ice_tcp_get_overhead (self->tcp) + FRAME_HEADER : UDP_HEADER;

  headers += self->to.family == ICE_FAMILY_IPV6 ? IPV6_HEADER : IPV4_HEADER;
  if (self->channel != 0)
    headers += CHANNEL_DATA_HEADER;
  return (guint) g_atomic_int_get (&self->mtu) - headers;
}
