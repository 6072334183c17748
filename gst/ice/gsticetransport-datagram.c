/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticetransport-private.h"

#include <sys/socket.h>

#include <gst/ice/gsticeerror.h>
#include <gst/net/gstnetaddressmeta.h>

#include "io/loop.h"

/* The GDatagramBased face: what GDtlsConnection and its like take for a
 * connected datagram socket. It can be written to once there is a path. The
 * contract of partial success is GIO's: a number when at least one message
 * went, and the error that stopped the rest at the next call. */

/* How many packets go to the link in one call: what one UDP_SEGMENT takes. */
#define PACKETS_PER_SEND 64

/* GIO's users know GIO's errors. */
static void
translate_error (GError *error, gint64 timeout_us, GError **ret_error)
{
  if (g_error_matches (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED)) {
    g_set_error_literal (
        ret_error, G_IO_ERROR, G_IO_ERROR_CLOSED, error->message);
    g_error_free (error);
  } else if (timeout_us == 0 &&
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
    g_set_error_literal (ret_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
        "The transport has no packets, or no room for them, now");
    g_error_free (error);
  } else {
    g_propagate_error (ret_error, error);
  }
}

/* TRUE when @condition holds, at once or within the time. */
static gboolean
wait_for (GstIceTransport *self, GIOCondition condition, gint64 timeout_us,
    GCancellable *cancellable, GError **error)
{
  GError *local_error = NULL;

  if (!(gst_ice_link_check (self->link) & (condition | G_IO_HUP)) &&
      timeout_us != 0 && gst_ice_transport_would_deadlock (self, error))
    return FALSE;
  if (gst_ice_link_wait (
          self->link, condition, timeout_us, cancellable, &local_error))
    return TRUE;
  translate_error (local_error, timeout_us, error);
  return FALSE;
}

static gboolean
check_flags (gint flags, GError **error)
{
  if (flags == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "Message flags 0x%x: an ICE transport knows none", (guint) flags);
  return FALSE;
}

/* Receiving */

static guint
count_input_vectors (const GInputMessage *message)
{
  guint n = 0;

  /* -1: up to one whose buffer is NULL. */
  if (message->num_vectors != (guint) -1)
    return message->num_vectors;
  while (message->vectors[n].buffer != NULL)
    n++;
  return n;
}

static void
fill_message (GInputMessage *message, GstBuffer *buffer)
{
  const guint n_vectors = count_input_vectors (message);
  const GstNetAddressMeta *from = gst_buffer_get_net_address_meta (buffer);
  guint i;

  message->bytes_received = 0;
  for (i = 0; i < n_vectors; i++) {
    message->bytes_received +=
        gst_buffer_extract (buffer, message->bytes_received,
            message->vectors[i].buffer, message->vectors[i].size);
  }
  /* As recvmsg says that the rest of a datagram was lost. */
  message->flags = message->bytes_received < gst_buffer_get_size (buffer)
      ? MSG_TRUNC
      : G_SOCKET_MSG_NONE;
  if (message->address)
    *message->address = from ? g_object_ref (from->addr) : NULL;
  if (message->control_messages)
    *message->control_messages = NULL;
  if (message->num_control_messages)
    *message->num_control_messages = 0;
}

static gint
gst_ice_transport_receive_messages (GDatagramBased *datagram_based,
    GInputMessage *messages, guint num_messages, gint flags, gint64 timeout,
    GCancellable *cancellable, GError **error)
{
  GstIceTransport *self = GST_ICE_TRANSPORT (datagram_based);
  gchar owner; /* only its address matters */
  guint n = 0;

  if (!check_flags (flags, error))
    return -1;
  if (num_messages == 0)
    return 0;
  if (!gst_ice_transport_claim_reader (self, &owner, error))
    return -1;

  while (wait_for (self, G_IO_IN, timeout, cancellable, error)) {
    /* In this order: what came before the close is still read. */
    const gboolean closed = gst_ice_link_is_closed (self->link);
    GstBuffer *buffer;

    while (
        n < num_messages && (buffer = gst_ice_link_pop_buffer (self->link))) {
      fill_message (&messages[n++], buffer);
      gst_buffer_unref (buffer);
    }
    if (n > 0)
      break;
    if (closed) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
          "The agent of this transport was closed");
      break;
    }
  }
  gst_ice_link_release_reader (self->link, &owner);
  return n > 0 ? (gint) n : -1;
}

/* Sending */

static GstBuffer *
gather_message (const GOutputMessage *message, gsize *ret_size)
{
  GstBuffer *buffer;
  GstMapInfo map;
  gsize size = 0, offset = 0;
  guint i;

  for (i = 0; i < message->num_vectors; i++)
    size += message->vectors[i].size;
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  if (gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    for (i = 0; i < message->num_vectors; i++) {
      if (message->vectors[i].size > 0)
        memcpy (map.data + offset, message->vectors[i].buffer,
            message->vectors[i].size);
      offset += message->vectors[i].size;
    }
    gst_buffer_unmap (buffer, &map);
  }
  *ret_size = size;
  return buffer;
}

static gboolean
check_message (const GOutputMessage *message, GError **error)
{
  if (message->address) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "An ICE transport has one peer: leave the message's address NULL");
    return FALSE;
  }
  if (message->num_control_messages > 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "An ICE transport sends no control messages");
    return FALSE;
  }
  return TRUE;
}

/* Up to PACKETS_PER_SEND of them; how many were taken. */
static guint
send_some (GstIceTransport *self, GOutputMessage *messages, guint n_messages,
    GError **error)
{
  GstBuffer *buffers[PACKETS_PER_SEND];
  gsize sizes[PACKETS_PER_SEND];
  const guint n_wanted = MIN (n_messages, PACKETS_PER_SEND);
  guint i, n = 0, n_taken = 0;

  while (n < n_wanted && check_message (&messages[n], n == 0 ? error : NULL)) {
    buffers[n] = gather_message (&messages[n], &sizes[n]);
    n++;
  }
  if (n > 0)
    n_taken = gst_ice_link_send (self->link, buffers, n, error);
  for (i = 0; i < n; i++)
    gst_buffer_unref (buffers[i]);
  for (i = 0; i < n_taken; i++)
    messages[i].bytes_sent = sizes[i];
  return n_taken;
}

static gint
gst_ice_transport_send_messages (GDatagramBased *datagram_based,
    GOutputMessage *messages, guint num_messages, gint flags, gint64 timeout,
    GCancellable *cancellable, GError **error)
{
  GstIceTransport *self = GST_ICE_TRANSPORT (datagram_based);
  const IceTime deadline = timeout > 0 ? ice_loop_now () + timeout : 0;
  gint64 left = timeout;
  guint n = 0;

  if (!check_flags (flags, error))
    return -1;
  while (n < num_messages) {
    g_autoptr (GError) local_error = NULL;
    const guint n_wanted = MIN (num_messages - n, PACKETS_PER_SEND);
    guint n_now = 0;

    if (wait_for (self, G_IO_OUT, left, cancellable, &local_error))
      n_now = send_some (self, messages + n, n_wanted, &local_error);
    n += n_now;
    if (timeout > 0)
      left = MAX (deadline - ice_loop_now (), 0);
    if (n_now == n_wanted)
      continue;
    /* The socket was full after all: wait, if there is time. */
    if (left != 0 &&
        g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      continue;
    if (n == 0) {
      translate_error (g_steal_pointer (&local_error), timeout, error);
      return -1;
    }
    break;
  }
  return (gint) n;
}

/* Conditions and sources */

static GIOCondition
gst_ice_transport_condition_check (
    GDatagramBased *datagram_based, GIOCondition condition)
{
  GstIceTransport *self = GST_ICE_TRANSPORT (datagram_based);

  return gst_ice_link_check (self->link) & (condition | G_IO_HUP);
}

static gboolean
gst_ice_transport_condition_wait (GDatagramBased *datagram_based,
    GIOCondition condition, gint64 timeout, GCancellable *cancellable,
    GError **error)
{
  GstIceTransport *self = GST_ICE_TRANSPORT (datagram_based);
  GError *local_error = NULL;

  if (timeout != 0 && gst_ice_transport_would_deadlock (self, error))
    return FALSE;
  if (gst_ice_link_wait (
          self->link, condition, timeout, cancellable, &local_error))
    return TRUE;
  g_propagate_error (error, local_error);
  return FALSE;
}

typedef struct
{
  GSource source;
  GstIceTransport *transport; /* (owned) */
  GIOCondition condition;
  GCancellable *cancellable; /* (owned) (nullable) */
  GSource *wakeup;           /* (owned) the transport's handle on us */
} TransportSource;

static GIOCondition
source_condition (TransportSource *self)
{
  return gst_ice_link_check (self->transport->link) &
      (self->condition | G_IO_HUP);
}

static gboolean
source_check (GSource *source)
{
  TransportSource *self = (TransportSource *) source;

  /* As GSocket's: cancelled is ready, and the next call says why. */
  return g_cancellable_is_cancelled (self->cancellable) ||
      source_condition (self) != 0;
}

static gboolean
source_prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  return source_check (source);
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  TransportSource *self = (TransportSource *) source;
  GDatagramBasedSourceFunc func =
      (GDatagramBasedSourceFunc) (GCallback) callback;

  /* News that was none of ours. */
  if (!source_check (source))
    return G_SOURCE_CONTINUE;
  return func (
      G_DATAGRAM_BASED (self->transport), source_condition (self), user_data);
}

static void
source_finalize (GSource *source)
{
  TransportSource *self = (TransportSource *) source;

  gst_ice_transport_remove_wakeup (self->transport, self->wakeup);
  g_source_unref (self->wakeup);
  g_clear_object (&self->cancellable);
  g_object_unref (self->transport);
}

static gboolean
source_closure_callback (
    GDatagramBased *datagram_based, GIOCondition condition, gpointer data)
{
  GClosure *closure = data;
  GValue params[2] = { G_VALUE_INIT, G_VALUE_INIT };
  GValue result = G_VALUE_INIT;
  gboolean again;

  g_value_init (&result, G_TYPE_BOOLEAN);
  g_value_init (&params[0], G_TYPE_DATAGRAM_BASED);
  g_value_set_object (&params[0], datagram_based);
  g_value_init (&params[1], G_TYPE_IO_CONDITION);
  g_value_set_flags (&params[1], condition);
  g_closure_invoke (closure, &result, 2, params, NULL);
  again = g_value_get_boolean (&result);
  g_value_unset (&params[0]);
  g_value_unset (&params[1]);
  g_value_unset (&result);
  return again;
}

static GSourceFuncs source_funcs = {
  .prepare = source_prepare,
  .check = source_check,
  .dispatch = source_dispatch,
  .finalize = source_finalize,
  .closure_callback = (GSourceFunc) (GCallback) source_closure_callback,
};

static gboolean
wakeup_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs wakeup_funcs = { .dispatch = wakeup_dispatch };

static GSource *
gst_ice_transport_create_source (GDatagramBased *datagram_based,
    GIOCondition condition, GCancellable *cancellable)
{
  GstIceTransport *transport = GST_ICE_TRANSPORT (datagram_based);
  GSource *source = g_source_new (&source_funcs, sizeof (TransportSource));
  TransportSource *self = (TransportSource *) source;

  g_source_set_static_name (source, "GstIceTransport");
  self->transport = g_object_ref (transport);
  self->condition = condition;
  if (condition & G_IO_IN)
    g_atomic_int_set (&transport->known_reader, TRUE);

  /* A child, because the transport may hold a child: a source that its owner
   * may free at any time cannot be made ready from another thread. */
  self->wakeup = g_source_new (&wakeup_funcs, sizeof (GSource));
  g_source_add_child_source (source, self->wakeup);
  gst_ice_transport_add_wakeup (transport, self->wakeup);

  if (cancellable) {
    g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

    self->cancellable = g_object_ref (cancellable);
    g_source_set_dummy_callback (cancelled);
    g_source_add_child_source (source, cancelled);
  }
  return source;
}

void
gst_ice_transport_datagram_init (gpointer iface, gpointer unused)
{
  GDatagramBasedInterface *datagram_based = iface;

  datagram_based->receive_messages = gst_ice_transport_receive_messages;
  datagram_based->send_messages = gst_ice_transport_send_messages;
  datagram_based->create_source = gst_ice_transport_create_source;
  datagram_based->condition_check = gst_ice_transport_condition_check;
  datagram_based->condition_wait = gst_ice_transport_condition_wait;
}
