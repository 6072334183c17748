/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check/libs/fake-route.h"

struct _GstIceRoute
{
  gatomicrefcount ref_count;
  gint revoked; /* (atomic) */
  GMutex lock;
  guint room, n_sent;
  GBytes *last; /* (owned) (nullable) */
  void (*hook) (gpointer);
  gpointer user_data;
};

GstIceRoute *
fake_route_new (void)
{
  GstIceRoute *self = g_new0 (GstIceRoute, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->room = G_MAXUINT;
  return self;
}

void
fake_route_set_room (GstIceRoute *self, guint room)
{
  g_mutex_lock (&self->lock);
  self->room = room;
  g_mutex_unlock (&self->lock);
}

void
fake_route_set_hook (
    GstIceRoute *self, void (*hook) (gpointer), gpointer user_data)
{
  self->hook = hook;
  self->user_data = user_data;
}

guint
fake_route_n_sent (GstIceRoute *self)
{
  guint n_sent;

  g_mutex_lock (&self->lock);
  n_sent = self->n_sent;
  g_mutex_unlock (&self->lock);
  return n_sent;
}

gboolean
fake_route_is_revoked (GstIceRoute *self)
{
  return g_atomic_int_get (&self->revoked);
}

GBytes *
fake_route_get_last (GstIceRoute *self)
{
  GBytes *last;

  g_mutex_lock (&self->lock);
  last = g_bytes_ref (self->last);
  g_mutex_unlock (&self->lock);
  return last;
}

/* What gsticeroute-private.h promises. */

GstIceRoute *
gst_ice_route_new (IceSocket *socket, const IceAddress *to, guint16 channel)
{
  return fake_route_new ();
}

GstIceRoute *
gst_ice_route_new_tcp (IceTcp *tcp, const IceAddress *to, guint16 channel)
{
  return fake_route_new ();
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
  g_clear_pointer (&self->last, g_bytes_unref);
  g_mutex_clear (&self->lock);
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
}

void
gst_ice_route_set_mtu (GstIceRoute *self, guint mtu)
{
}

static GBytes *
bytes_of (GstBuffer *buffer)
{
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

guint
gst_ice_route_send (GstIceRoute *self, IceSocket *connected,
    GstBuffer **buffers, guint n_buffers, guint *ret_n_discarded,
    GError **error)
{
  guint n;

  *ret_n_discarded = 0;
  if (g_atomic_int_get (&self->revoked)) {
    *ret_n_discarded = n_buffers;
    return n_buffers;
  }
  g_mutex_lock (&self->lock);
  n = MIN (n_buffers, self->room);
  if (self->room != G_MAXUINT)
    self->room -= n;
  self->n_sent += n;
  if (n > 0) {
    g_clear_pointer (&self->last, g_bytes_unref);
    self->last = bytes_of (buffers[n - 1]);
  }
  g_mutex_unlock (&self->lock);
  if (self->hook)
    self->hook (self->user_data);
  if (n < n_buffers)
    g_set_error_literal (
        error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "as scripted");
  return n;
}

guint
gst_ice_route_get_max_payload (GstIceRoute *self)
{
  return 1472;
}
