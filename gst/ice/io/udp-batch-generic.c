/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "io-log.h"
#include "udp-batch.h"

/* GSocket alone: sendmmsg and recvmmsg where GLib has them, no offload, no
 * kernel timestamps, no ICMP errors (which an unconnected socket does not
 * hear of without asking), no marks of single packets, neither sent nor seen
 * (GSocket has messages for them from GLib 2.88 on). */

#define RX_ROOM (64 * 1024)
#define MAX_RX_MESSAGES 4
/* A socket's share of a round. */
#define RX_BUDGET 64

static void
udp_generic_set_up (IceSocket *socket)
{
}

static GSocketAddress *
udp_generic_address (const IceAddress *address)
{
  IceNativeAddress native;
  socklen_t native_size = ice_address_to_native (address, &native);

  return g_socket_address_new_from_native (&native, native_size);
}

static gboolean
udp_generic_address_from (IceAddress *ret_address, GSocketAddress *address)
{
  IceNativeAddress native;
  gssize native_size = g_socket_address_get_native_size (address);

  return native_size > 0 && native_size <= (gssize) sizeof native &&
      g_socket_address_to_native (address, &native, sizeof native, NULL) &&
      ice_address_from_native (ret_address, &native, (socklen_t) native_size);
}

static guint
udp_generic_fill (GOutputMessage *messages, IceUdpWindow *window, guint first,
    GSocketAddress *to)
{
  guint i;

  for (i = first; i < window->n_packets; i++) {
    const IceUdpWindowPacket *packet = &window->packets[i];

    messages[i - first] = (GOutputMessage){ .address = to,
      .vectors = &window->vectors[packet->first_vector],
      .num_vectors = packet->n_vectors };
  }
  return window->n_packets - first;
}

static gboolean
udp_generic_send_window (
    IceSocket *socket, IceUdpWindow *window, GSocketAddress *to, IceUdpTx *tx)
{
  GOutputMessage messages[ICE_UDP_WINDOW_PACKETS];
  guint next = 0;

  while (next < window->n_packets) {
    g_autoptr (GError) error = NULL;
    guint n_messages = udp_generic_fill (messages, window, next, to);
    gint n_sent;

    if (ice_socket_is_closed (socket)) {
      tx->error = G_IO_ERROR_CLOSED;
      return FALSE;
    }
    n_sent = g_socket_send_messages (ice_socket_get_gsocket (socket), messages,
        n_messages, G_SOCKET_MSG_NONE, NULL, &error);
    if (n_sent >= 0) {
      next += (guint) n_sent;
      tx->n_taken += (guint) n_sent;
      continue;
    }
    if (error->code == G_IO_ERROR_WOULD_BLOCK ||
        error->code == G_IO_ERROR_MESSAGE_TOO_LARGE ||
        error->code == G_IO_ERROR_CLOSED ||
        error->code == G_IO_ERROR_BROKEN_PIPE) {
      tx->error = error->code == G_IO_ERROR_BROKEN_PIPE ? G_IO_ERROR_CLOSED
                                                        : error->code;
      return FALSE;
    }
    GST_LOG ("a packet was discarded: %s", error->message);
    next++;
    tx->n_taken++;
    tx->n_discarded++;
  }
  return TRUE;
}

static void
udp_generic_send_batch (IceSocket *socket, const IceAddress *to,
    const IceSendBatch *batch, IceUdpTx *tx)
{
  g_autoptr (GSocketAddress) address = udp_generic_address (to);
  IceUdpWindow window;
  gboolean go_on = TRUE;

  while (go_on && tx->n_taken < batch->n_buffers) {
    ice_udp_window_map (&window, socket, batch, tx->n_taken);
    go_on = udp_generic_send_window (socket, &window, address, tx);
    ice_udp_window_unmap (&window);
  }
}

static gboolean
udp_generic_send (IceSocket *socket, const IceAddress *to, IceBytes packet,
    gint traffic_class)
{
  g_autoptr (GSocketAddress) address = udp_generic_address (to);
  g_autoptr (GError) error = NULL;

  if (g_socket_send_to (ice_socket_get_gsocket (socket), address,
          (const gchar *) packet.data, packet.size, NULL, &error) >= 0)
    return TRUE;
  GST_LOG ("a control packet was refused: %s", error->message);
  return FALSE;
}

static void
udp_generic_take (GInputMessage *message, IceUdpRx *rx)
{
  IceRxPacket model = { .slab = rx->slab,
    .received_at = g_get_monotonic_time () };
  gsize size = message->bytes_received;

  if (size == 0 || !udp_generic_address_from (&model.from, *message->address))
    return;
  model.data.data = ice_udp_rx_settle (rx, message->vectors[0].buffer, size);
  ice_udp_rx_add (rx, &model, size, 0);
}

static gint
udp_generic_receive_some (IceSocket *socket, IceUdpRx *rx, guint n_wanted)
{
  GInputMessage messages[MAX_RX_MESSAGES] = { { 0 } };
  GInputVector vectors[MAX_RX_MESSAGES];
  GSocketAddress *from[MAX_RX_MESSAGES] = { NULL };
  gint i, n;
  guint j;

  for (j = 0; j < n_wanted; j++) {
    vectors[j].buffer = rx->data + rx->used + j * RX_ROOM;
    vectors[j].size = RX_ROOM;
    messages[j].address = &from[j];
    messages[j].vectors = &vectors[j];
    messages[j].num_vectors = 1;
  }
  n = g_socket_receive_messages (ice_socket_get_gsocket (socket), messages,
      n_wanted, G_SOCKET_MSG_NONE, NULL, NULL);
  for (i = 0; i < n; i++)
    udp_generic_take (&messages[i], rx);
  for (j = 0; j < n_wanted; j++)
    g_clear_object (&from[j]);
  return n;
}

static void
udp_generic_receive (IceSocket *socket, IceUdpRx *rx)
{
  guint n_wanted, n_datagrams = 0;
  gint n;

  do {
    n_wanted = MIN (MAX_RX_MESSAGES, (rx->size - rx->used) / RX_ROOM);
    if (n_wanted == 0)
      break;
    n = udp_generic_receive_some (socket, rx, n_wanted);
    n_datagrams += (guint) MAX (n, 0);
  } while (n == (gint) n_wanted && n_datagrams < RX_BUDGET);
}

static void
udp_generic_take_errors (
    IceSocket *socket, IceUdpErrorFunc func, gpointer user_data)
{
}

const IceUdp ice_udp_generic = {
  .name = "generic",
  .set_up = udp_generic_set_up,
  .receive = udp_generic_receive,
  .take_errors = udp_generic_take_errors,
  .send = udp_generic_send,
  .send_batch = udp_generic_send_batch,
};
