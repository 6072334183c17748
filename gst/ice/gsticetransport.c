/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticetransport-private.h"

#include <gst/ice/gsticecandidate.h>
#include <gst/ice/gsticeenumtypes.h>
#include <gst/ice/gsticeerror.h>

#include "gsticeagent-private.h"
#include "gsticelog-private.h"
#include "gsticestream-private.h"
#include "io/service.h"

/**
 * SECTION:gsticetransport
 * @title: GstIceTransport
 *
 * One component of a stream: datagrams in and out over whichever path the
 * agent has chosen. It has one reader at a time: icesrc,
 * gst_ice_transport_receive(), a handler of #GstIceTransport::packet, or the
 * #GDatagramBased interface.
 */

/* How many packets one visit to the application's context hands over before
 * others have their turn there. */
#define PACKETS_PER_VISIT 256
/* How many packets go to the link in one call: what one UDP_SEGMENT takes. */
#define PACKETS_PER_SEND 64

/* What still is live. */
#define MAX_COALESCE 100000

/* GObject does not say when a handler is connected. Packets that wait for one
 * while no other comes are looked after 10 ms later, then 20, 40, ... and for
 * the last time after ten seconds in all. */
#define FIRST_LOOK_MS 10
#define MAX_LOOKS 10

#define GST_CAT_DEFAULT gst_ice_agent_debug

enum
{
  PROP_0,
  PROP_STATE,
  PROP_COMPONENT,
  PROP_SELECTED_LOCAL,
  PROP_SELECTED_REMOTE,
  PROP_MAX_PAYLOAD,
  PROP_RECEIVE_COALESCE,
  N_PROPS,
};

enum
{
  SIGNAL_PACKET,
  SIGNAL_WRITABLE,
  N_SIGNALS,
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_TYPE_WITH_CODE (GstIceTransport, gst_ice_transport, GST_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (G_TYPE_DATAGRAM_BASED,
        (GInterfaceInitFunc) gst_ice_transport_datagram_init))

static gpointer
new_weak_ref (GstIceTransport *self)
{
  GWeakRef *ref = g_new0 (GWeakRef, 1);

  g_weak_ref_init (ref, self);
  return ref;
}

static void
free_weak_ref (gpointer data)
{
  GWeakRef *ref = data;

  g_weak_ref_clear (ref);
  g_free (ref);
}

/* Reading by signal */

static gboolean
has_packet_handler (GstIceTransport *self)
{
  return g_signal_has_handler_pending (self, signals[SIGNAL_PACKET], 0, FALSE);
}

static GBytes *
copy_to_bytes (GstBuffer *buffer)
{
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

static void queue_news (GstIceTransport *self);

static void
deliver_packets (GstIceTransport *self)
{
  g_autoptr (GError) error = NULL;
  guint i;

  if (!has_packet_handler (self)) {
    gst_ice_link_release_reader (self->link, &self->packet_owner);
    return;
  }
  if (!gst_ice_link_claim_reader (self->link, &self->packet_owner, &error)) {
    GST_DEBUG_OBJECT (self, "packet handler waits: %s", error->message);
    return;
  }
  for (i = 0; i < PACKETS_PER_VISIT && has_packet_handler (self); i++) {
    g_autoptr (GstBuffer) buffer = gst_ice_link_pop_buffer (self->link);
    g_autoptr (GBytes) packet = NULL;

    if (!buffer)
      return;
    packet = copy_to_bytes (buffer);
    g_signal_emit (self, signals[SIGNAL_PACKET], 0, packet);
  }
  if (gst_ice_link_has_data (self->link))
    queue_news (self);
}

static gboolean look_for_handler (gpointer user_data);

static void
look_later (GstIceTransport *self, guint looks)
{
  g_autoptr (GSource) source = g_timeout_source_new (FIRST_LOOK_MS << looks);

  g_source_set_static_name (source, "GstIceTransport handler");
  g_source_set_callback (
      source, look_for_handler, new_weak_ref (self), free_weak_ref);
  g_source_attach (
      source, self->context ? self->context : ice_service_context ());
}

static gboolean
look_for_handler (gpointer user_data)
{
  g_autoptr (GstIceTransport) self = g_weak_ref_get (user_data);
  gint looks;

  if (!self)
    return G_SOURCE_REMOVE;
  looks = g_atomic_int_get (&self->looks);
  if (has_packet_handler (self)) {
    g_atomic_int_set (&self->looks, 0);
    queue_news (self);
  } else if (looks < MAX_LOOKS && !g_atomic_int_get (&self->known_reader) &&
      !gst_ice_link_is_closed (self->link)) {
    g_atomic_int_inc (&self->looks);
    look_later (self, looks);
  }
  return G_SOURCE_REMOVE;
}

/* News of the link */

void
gst_ice_transport_notify_max_payload (GstIceTransport *self)
{
  const guint max_payload = gst_ice_link_get_max_payload (self->link);
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->max_payload != max_payload;
  self->max_payload = max_payload;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_PAYLOAD]);
}

static gboolean
has_room_news (GstIceTransport *self)
{
  return g_atomic_int_get (&self->wants_room) &&
      (gst_ice_link_check (self->link) & G_IO_OUT);
}

/* In the notification thread. */
static void
tell_news (GstIceAgent *agent, gpointer user_data)
{
  GstIceTransport *self = user_data;

  g_atomic_int_set (&self->news_queued, FALSE);
  gst_ice_transport_notify_max_payload (self);
  if (has_room_news (self) &&
      g_atomic_int_compare_and_exchange (&self->wants_room, TRUE, FALSE))
    g_signal_emit (self, signals[SIGNAL_WRITABLE], 0);
  deliver_packets (self);
}

static void
queue_news (GstIceTransport *self)
{
  if (self->notify &&
      g_atomic_int_compare_and_exchange (&self->news_queued, FALSE, TRUE))
    gst_ice_notify_push (
        self->notify, tell_news, gst_object_ref (self), gst_object_unref);
}

static void
wake_sources (GstIceTransport *self)
{
  guint i;

  GST_OBJECT_LOCK (self);
  for (i = 0; i < self->wakeups->len; i++)
    g_source_set_ready_time (g_ptr_array_index (self->wakeups, i), 0);
  GST_OBJECT_UNLOCK (self);
}

/* Loop thread, after every batch and every change of the link; no lock held. */
static void
on_link_news (gpointer user_data)
{
  g_autoptr (GstIceTransport) self = g_weak_ref_get (user_data);

  if (!self)
    return;
  wake_sources (self);
  gst_ice_transport_finish_connects (self);
  if (has_room_news (self)) {
    queue_news (self);
  } else if (gst_ice_link_has_data (self->link)) {
    if (has_packet_handler (self))
      queue_news (self);
    else if (!g_atomic_int_get (&self->known_reader) &&
        g_atomic_int_compare_and_exchange (&self->looks, 0, 1))
      look_later (self, 0);
  }
}

GstIceTransport *
gst_ice_transport_new (GstIceStream *stream, guint component, GstIceLink *link)
{
  GstIceTransport *self = g_object_new (GST_TYPE_ICE_TRANSPORT, NULL);
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (stream);

  gst_object_ref_sink (self);
  /* Without an agent the link is closed, and there will be no news. */
  if (agent) {
    self->notify = gst_ice_notify_ref (agent->notify);
    if (agent->main_context)
      self->context = g_main_context_ref (agent->main_context);
  }
  self->component = component;
  self->link = gst_ice_link_ref (link);
  self->state = gst_ice_link_get_state (link);
  self->max_payload = gst_ice_link_get_max_payload (link);
  gst_ice_link_set_notify_full (
      link, on_link_news, new_weak_ref (self), free_weak_ref);
  return self;
}

GstIceLink *
gst_ice_transport_get_link (GstIceTransport *self)
{
  return self->link;
}

void
gst_ice_transport_add_wakeup (GstIceTransport *self, GSource *source)
{
  GST_OBJECT_LOCK (self);
  g_ptr_array_add (self->wakeups, g_source_ref (source));
  GST_OBJECT_UNLOCK (self);
}

void
gst_ice_transport_remove_wakeup (GstIceTransport *self, GSource *source)
{
  GST_OBJECT_LOCK (self);
  g_ptr_array_remove_fast (self->wakeups, source);
  GST_OBJECT_UNLOCK (self);
}

static void
replace_candidate (GstIceCandidate **where, GstIceCandidate *candidate)
{
  g_clear_pointer (where, gst_ice_candidate_unref);
  if (candidate)
    *where = gst_ice_candidate_ref (candidate);
}

void
gst_ice_transport_set_pair (
    GstIceTransport *self, GstIceCandidate *local, GstIceCandidate *remote)
{
  GST_OBJECT_LOCK (self);
  replace_candidate (&self->selected_local, local);
  replace_candidate (&self->selected_remote, remote);
  GST_OBJECT_UNLOCK (self);

  g_object_freeze_notify (G_OBJECT (self));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SELECTED_LOCAL]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SELECTED_REMOTE]);
  gst_ice_transport_notify_max_payload (self);
  g_object_thaw_notify (G_OBJECT (self));
}

void
gst_ice_transport_notify_state (GstIceTransport *self, GstIceState state)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->state != state;
  self->state = state;
  GST_OBJECT_UNLOCK (self);

  gst_ice_transport_finish_connects (self);
  gst_ice_transport_notify_max_payload (self);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

/* Sending */

static gboolean
note_result (GstIceTransport *self, GError *error, GError **ret_error)
{
  if (!error)
    return TRUE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
    g_atomic_int_set (&self->wants_room, TRUE);
    /* There may be room by now, and nobody to say so again. */
    if (gst_ice_link_check (self->link) & G_IO_OUT)
      queue_news (self);
  }
  g_propagate_error (ret_error, error);
  return FALSE;
}

/**
 * gst_ice_transport_send:
 * @self: a #GstIceTransport
 * @packet: one packet
 * @error: return location for a #GError
 *
 * Sends one packet to the peer. Never blocks: when the socket is full it
 * returns %G_IO_ERROR_WOULD_BLOCK, and #GstIceTransport::writable follows.
 * While there is no path the packet is dropped and counted, as a network would;
 * the #GstIceTransport:state says why.
 *
 * Returns: %TRUE when the packet was taken
 */
gboolean
gst_ice_transport_send (GstIceTransport *self, GBytes *packet, GError **error)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GError *local_error = NULL;

  g_return_val_if_fail (GST_IS_ICE_TRANSPORT (self), FALSE);
  g_return_val_if_fail (packet != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  buffer = g_bytes_get_size (packet) > 0 ? gst_buffer_new_wrapped_bytes (packet)
                                         : gst_buffer_new ();
  gst_ice_link_send (self->link, &buffer, 1, &local_error);
  return note_result (self, local_error, error);
}

/**
 * gst_ice_transport_send_list:
 * @self: a #GstIceTransport
 * @list: packets, one a buffer
 * @n_sent: (out) (optional): how many were taken
 * @error: return location for a #GError
 *
 * Sends packets to the peer, in order: runs of equal size in one system call
 * where the kernel can. Never blocks. When not all were taken, @error says what
 * stopped the first of the rest: %G_IO_ERROR_WOULD_BLOCK as in
 * gst_ice_transport_send(), %G_IO_ERROR_MESSAGE_TOO_LARGE,
 * %GST_ICE_ERROR_CLOSED.
 *
 * Returns: %TRUE when all packets were taken
 */
gboolean
gst_ice_transport_send_list (
    GstIceTransport *self, GstBufferList *list, guint *n_sent, GError **error)
{
  GstBuffer *buffers[PACKETS_PER_SEND];
  GError *local_error = NULL;
  guint n, n_done = 0;

  g_return_val_if_fail (GST_IS_ICE_TRANSPORT (self), FALSE);
  g_return_val_if_fail (GST_IS_BUFFER_LIST (list), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  n = gst_buffer_list_length (list);
  while (n_done < n && !local_error) {
    const guint n_now = MIN (n - n_done, PACKETS_PER_SEND);
    guint i;

    for (i = 0; i < n_now; i++)
      buffers[i] = gst_buffer_list_get (list, n_done + i);
    n_done += gst_ice_link_send (self->link, buffers, n_now, &local_error);
  }
  if (n_sent)
    *n_sent = n_done;
  return note_result (self, local_error, error);
}

/* Receiving */

gboolean
gst_ice_transport_would_deadlock (GstIceTransport *self, GError **error)
{
  const gboolean is_here = self->context
      ? g_main_context_is_owner (self->context)
      : ice_service_is_current ();

  if (is_here)
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "A call that blocks was made where the agent's signals run; call from "
        "another thread, or use the packet signal");
  return is_here;
}

gboolean
gst_ice_transport_claim_reader (
    GstIceTransport *self, gpointer owner, GError **error)
{
  g_atomic_int_set (&self->known_reader, TRUE);
  if (has_packet_handler (self)) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "The packet signal has a handler, which is this transport's reader; "
        "disconnect it first");
    return FALSE;
  }
  /* The handler may have gone since the last packet. */
  gst_ice_link_release_reader (self->link, &self->packet_owner);
  return gst_ice_link_claim_reader (self->link, owner, error);
}

/**
 * gst_ice_transport_receive:
 * @self: a #GstIceTransport
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for a #GError
 *
 * Waits for packets and returns all that have come, never none. Each buffer
 * carries the time of its arrival as DTS, in nanoseconds of the monotonic clock
 * (g_get_monotonic_time()), and where it came from as a #GstNetAddressMeta.
 *
 * A second reader gets %GST_ICE_ERROR_BUSY, a call from the thread where the
 * agent's signals run %GST_ICE_ERROR_INVALID_STATE, and after the agent was
 * closed, once everything was read, %GST_ICE_ERROR_CLOSED.
 *
 * Returns: (transfer full): the packets, or %NULL with @error set
 */
GstBufferList *
gst_ice_transport_receive (
    GstIceTransport *self, GCancellable *cancellable, GError **error)
{
  gchar owner; /* only its address matters: each call is a reader of its own */
  GstBufferList *list;

  g_return_val_if_fail (GST_IS_ICE_TRANSPORT (self), NULL);
  g_return_val_if_fail (
      cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (gst_ice_transport_would_deadlock (self, error) ||
      !gst_ice_transport_claim_reader (self, &owner, error))
    return NULL;
  list = gst_ice_link_pop (self->link, -1, cancellable, error);
  gst_ice_link_release_reader (self->link, &owner);
  return list;
}

/* The class */

static void
gst_ice_transport_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstIceTransport *self = GST_ICE_TRANSPORT (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_COMPONENT:
      g_value_set_uint (value, self->component);
      break;
    case PROP_SELECTED_LOCAL:
      g_value_set_boxed (value, self->selected_local);
      break;
    case PROP_SELECTED_REMOTE:
      g_value_set_boxed (value, self->selected_remote);
      break;
    case PROP_MAX_PAYLOAD:
      g_value_set_uint (value, self->max_payload);
      break;
    case PROP_RECEIVE_COALESCE:
      g_value_set_uint (value, gst_ice_link_get_coalesce (self->link));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_ice_transport_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstIceTransport *self = GST_ICE_TRANSPORT (object);

  switch (prop_id) {
    case PROP_RECEIVE_COALESCE:
      gst_ice_link_set_coalesce (self->link, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_ice_transport_finalize (GObject *object)
{
  GstIceTransport *self = GST_ICE_TRANSPORT (object);

  if (self->link) {
    gst_ice_link_set_notify (self->link, NULL, NULL);
    gst_ice_link_unref (self->link);
  }
  g_clear_pointer (&self->notify, gst_ice_notify_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->selected_local, gst_ice_candidate_unref);
  g_clear_pointer (&self->selected_remote, gst_ice_candidate_unref);
  g_ptr_array_unref (self->connects);
  g_ptr_array_unref (self->wakeups);
  G_OBJECT_CLASS (gst_ice_transport_parent_class)->finalize (object);
}

static void
gst_ice_transport_class_init (GstIceTransportClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  gst_ice_log_init ();
  object_class->get_property = gst_ice_transport_get_property;
  object_class->set_property = gst_ice_transport_set_property;
  object_class->finalize = gst_ice_transport_finalize;

  /**
   * GstIceTransport:state:
   *
   * How far the connection of this component is, in W3C terms.
   */
  properties[PROP_STATE] =
      g_param_spec_enum ("state", "State", "How far the connection is",
          GST_TYPE_ICE_STATE, GST_ICE_STATE_NEW, flags);
  /**
   * GstIceTransport:component:
   *
   * 1 for RTP, or for everything with rtcp-mux; 2 for RTCP.
   */
  properties[PROP_COMPONENT] = g_param_spec_uint ("component", "Component",
      "1: RTP or everything, 2: RTCP", 1, 256, 1, flags);
  /**
   * GstIceTransport:selected-local:
   *
   * Our end of the selected pair.
   */
  properties[PROP_SELECTED_LOCAL] =
      g_param_spec_boxed ("selected-local", "Selected local candidate",
          "Our end of the selected pair", GST_TYPE_ICE_CANDIDATE, flags);
  /**
   * GstIceTransport:selected-remote:
   *
   * The peer's end of the selected pair.
   */
  properties[PROP_SELECTED_REMOTE] =
      g_param_spec_boxed ("selected-remote", "Selected remote candidate",
          "The peer's end of the selected pair", GST_TYPE_ICE_CANDIDATE, flags);
  /**
   * GstIceTransport:max-payload:
   *
   * How large a packet may be on the present path, so that it need not be
   * fragmented: what the path takes less the headers in front, those of a TURN
   * server's channel among them. The path takes what its first hop does and
   * routers were heard to say, at most Ethernet's 1500 bytes, or what
   * #GstIceAgent:mtu-probing has measured. Before there is a path, what any of
   * them takes.
   */
  properties[PROP_MAX_PAYLOAD] = g_param_spec_uint ("max-payload",
      "Maximum payload", "How large a packet may be", 0, G_MAXUINT, 0, flags);
  /**
   * GstIceTransport:receive-coalesce:
   *
   * How many microseconds a reader waits after the first packet for more to
   * come with it, so that many small wake-ups become one: less work for the
   * machine, that much more delay. With 0 it waits for nothing. What the kernel
   * adds by itself, some 50 us, comes on top. The buffers carry the time of
   * their arrival all the same. For gst_ice_transport_receive() and icesrc.
   */
  properties[PROP_RECEIVE_COALESCE] = g_param_spec_uint ("receive-coalesce",
      "Receive coalesce", "Microseconds to wait for more packets", 0,
      MAX_COALESCE, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * GstIceTransport::packet:
   * @self: the #GstIceTransport
   * @packet: one packet from the peer
   *
   * A packet came. Meant for bindings; the fast path is icesrc. While a handler
   * is connected it is the transport's one reader. Packets that came before are
   * kept, as many as the inbox takes, and handed over first. Runs where all
   * signals of the agent run.
   */
  signals[SIGNAL_PACKET] = g_signal_new ("packet", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
  /**
   * GstIceTransport::writable:
   * @self: the #GstIceTransport
   *
   * A send had said %G_IO_ERROR_WOULD_BLOCK; now there is room.
   */
  signals[SIGNAL_WRITABLE] = g_signal_new ("writable",
      G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST | G_SIGNAL_NO_RECURSE, 0,
      NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gst_ice_transport_init (GstIceTransport *self)
{
  self->connects = g_ptr_array_new_with_free_func (g_object_unref);
  self->wakeups =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_source_unref);
}
