/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One allocation at a real TURN server, with what may be asked for beside an
 * address; says what came of it, one fact a line.
 *
 *   turn-client HOST PORT USER PASSWORD WHAT
 *
 * WHAT is both-families, even-port, mobility or dont-fragment. */
#include "gst/ice/base/crypto.h"
#include "gst/ice/core/turn/allocation.h"

#include <gio/gio.h>
#include <string.h>

#define PATIENCE (3 * ICE_SECOND)

typedef struct
{
  IceAllocation *allocation; /* (owned) */
  GSocket *here, *there;     /* (owned) (nullable) there: where it moves to */
  GSocketAddress *server;    /* (owned) */
  IceTurnEvent event;        /* the last one but PEER_UNREACHABLE */
  guint n_data, n_requests;
} Client;

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  ice_random_bytes (ret_bytes, size);
}

static GSocket *
open_socket (GSocketFamily family)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_loopback (family);
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new (any, 0);
  GSocket *self = g_socket_new (
      family, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  g_assert_nonnull (self);
  g_assert_true (g_socket_bind (self, local, FALSE, NULL));
  g_socket_set_blocking (self, FALSE);
  return self;
}

static void
client_init (Client *self, gchar **argv, IceTurnOptions options)
{
  static const IceTurnDice dice = { .roll = roll };

  memset (self, 0, sizeof *self);
  self->server =
      g_inet_socket_address_new_from_string (argv[1], (guint) atoi (argv[2]));
  self->here = open_socket (g_socket_address_get_family (self->server));
  self->allocation = ice_allocation_new (
      argv[3], argv[4], ICE_FAMILY_NONE, &dice, 500 * ICE_MSEC);
  ice_allocation_set_options (self->allocation, &options);
}

static void
client_clear (Client *self)
{
  ice_allocation_free (self->allocation);
  g_object_unref (self->here);
  g_clear_object (&self->there);
  g_object_unref (self->server);
}

static void
send_packet (Client *self, GSocket *socket, IcePacket *packet)
{
  g_socket_send_to (socket, self->server, (const gchar *) packet->data,
      packet->size, NULL, NULL);
  ice_packet_unref (packet);
}

static void
flush (Client *self)
{
  IceTurnEvent event;
  IcePacket *packet;

  while (ice_allocation_next_event (self->allocation, &event)) {
    if (event.type == ICE_TURN_CHALLENGED) {
      self->n_requests++;
      ice_allocation_request (self->allocation, g_get_monotonic_time ());
    } else if (event.type != ICE_TURN_PEER_UNREACHABLE) {
      self->event = event;
    }
  }
  while ((packet = ice_allocation_take_packet (self->allocation)))
    send_packet (self, self->here, packet);
  while ((packet = ice_allocation_take_packet_elsewhere (self->allocation)))
    send_packet (self, self->there, packet);
}

static void
drain (Client *self, GSocket *socket)
{
  guint8 buffer[2048];
  IceStunMessage message;
  IceAddress peer;
  IceBytes payload;
  gssize size;

  while (socket &&
      (size = g_socket_receive (
           socket, (gchar *) buffer, sizeof buffer, NULL, NULL)) > 0) {
    IceBytes bytes = ICE_BYTES (buffer, size);
    gboolean is_stun = ice_stun_message_parse (&message, bytes);

    if (ice_allocation_receive (self->allocation, bytes,
            is_stun ? &message : NULL, g_get_monotonic_time (), &peer,
            &payload) == ICE_TURN_DATA)
      self->n_data++;
    flush (self);
  }
}

/* Until something happened, or for a while. */
static void
run (Client *self, gboolean until_data)
{
  IceTime end = g_get_monotonic_time () + PATIENCE;

  self->event.type = ICE_TURN_CHALLENGED;
  flush (self);
  while (g_get_monotonic_time () < end &&
      (until_data ? self->n_data == 0
                  : self->event.type == ICE_TURN_CHALLENGED)) {
    g_usleep (5000);
    ice_allocation_timeout (self->allocation, g_get_monotonic_time ());
    flush (self);
    drain (self, self->here);
    drain (self, self->there);
  }
}

static void
print_address (const gchar *name, const IceAddress *address)
{
  gchar text[ICE_ADDRESS_STRLEN];

  if (address->family != ICE_FAMILY_NONE)
    g_print ("%s %s\n", name, ice_address_to_string (address, text));
}

static gboolean
allocate (Client *self)
{
  self->n_requests = 1;
  ice_allocation_request (self->allocation, g_get_monotonic_time ());
  run (self, FALSE);
  g_print ("requests %u\n", self->n_requests);
  if (self->allocation->state != ICE_ALLOCATION_ACTIVE) {
    g_print ("failed %u\n", self->event.code);
    return FALSE;
  }
  print_address ("relayed", &self->allocation->relayed);
  print_address ("additional", &self->allocation->additional);
  if (self->allocation->additional_error)
    g_print ("address-error %u\n", self->allocation->additional_error);
  return TRUE;
}

/* To its own relayed address and back: what arrives has passed the relay. */
static void
echo (Client *self, const IceAddress *relayed)
{
  IceTime now = g_get_monotonic_time ();

  self->n_data = 0;
  ice_allocation_permit (self->allocation, relayed, now);
  if (ice_allocation_send (
          self->allocation, relayed, ICE_BYTES ("hello", 5), now))
    run (self, TRUE);
  g_print ("echo %u\n", self->n_data);
}

static void
try_both_families (gchar **argv)
{
  Client client;

  client_init (&client, argv, (IceTurnOptions){ .both_families = TRUE });
  if (allocate (&client)) {
    echo (&client, &client.allocation->relayed);
    if (client.allocation->additional.family != ICE_FAMILY_NONE)
      echo (&client, &client.allocation->additional);
  }
  client_clear (&client);
}

static void
try_even_port (gchar **argv)
{
  Client first, second;
  IceTurnOptions options = { .has_token = TRUE };

  client_init (&first, argv, (IceTurnOptions){ .reserve = TRUE });
  if (allocate (&first) && first.allocation->reserved) {
    memcpy (options.token, first.allocation->reservation, sizeof options.token);
    client_init (&second, argv, options);
    allocate (&second);
    client_clear (&second);
  }
  client_clear (&first);
}

static void
try_mobility (gchar **argv)
{
  Client client;

  client_init (&client, argv, (IceTurnOptions){ .mobility = TRUE });
  if (allocate (&client) && client.allocation->ticket) {
    g_autoptr (GBytes) ticket = g_bytes_ref (client.allocation->ticket);

    client.there = open_socket (g_socket_address_get_family (client.server));
    ice_allocation_move (client.allocation, g_get_monotonic_time ());
    run (&client, FALSE);
    g_print ("moved %d\n", client.event.type == ICE_TURN_MOVED);
    g_print ("new-ticket %d\n",
        client.allocation->ticket &&
            !g_bytes_equal (ticket, client.allocation->ticket));
    /* From now on from there alone. */
    g_object_unref (client.here);
    client.here = g_steal_pointer (&client.there);
    echo (&client, &client.allocation->relayed);
  }
  client_clear (&client);
}

static void
try_dont_fragment (gchar **argv)
{
  Client client;

  client_init (&client, argv, (IceTurnOptions){ .dont_fragment = TRUE });
  if (allocate (&client)) {
    g_print ("dont-fragment %d\n", client.allocation->options.dont_fragment);
    echo (&client, &client.allocation->relayed);
  }
  client_clear (&client);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *name;
    void (*run) (gchar **argv);
  } tries[] = { { "both-families", try_both_families },
    { "even-port", try_even_port }, { "mobility", try_mobility },
    { "dont-fragment", try_dont_fragment } };

  for (guint i = 0; argc == 6 && i < G_N_ELEMENTS (tries); i++) {
    if (g_str_equal (argv[5], tries[i].name)) {
      tries[i].run (argv);
      return 0;
    }
  }
  g_printerr ("turn-client HOST PORT USER PASSWORD WHAT\n");
  return 2;
}
