/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 5780 with real sockets: core/stun/behaviour.c thinks, this performs. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticenat.h"

#include "base/crypto.h"
#include "core/stun/behaviour.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticeserver-private.h"
#include "io/native.h"
#include "io/resolver.h"
#include "io/socket.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* As long as a name may take elsewhere. */
#define RESOLVE_TIMEOUT (5 * ICE_SECOND)

typedef struct _Discovery Discovery;

typedef struct
{
  Discovery *discovery; /* (unowned) */
  guint index;
  IceSocket *socket; /* (owned) (nullable) */
} Port;

/* Lives on the loop's thread, but for the reference that the cancellable
 * keeps. */
struct _Discovery
{
  IceLoop *loop;        /* (owned) */
  GTask *task;          /* (owned) (nullable) NULL once it has returned */
  gulong cancelled;     /* handler of the task's cancellable */
  GstIceServer *server; /* (owned) */
  IceTime lifetime;
  IceResolve *resolve;   /* (owned) (nullable) */
  IceTimer *timer;       /* (owned) (nullable) */
  IceBehaviour *machine; /* (owned) (nullable) */
  Port ports[ICE_BEHAVIOUR_N_SOCKETS];
};

static void
discovery_clear (gpointer data)
{
  Discovery *self = data;

  gst_ice_server_free (self->server);
  ice_loop_unref (self->loop);
}

static void
discovery_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, discovery_clear);
}

/* The end, on the loop's thread and never inside an event of what it frees. */
static void
close_all (Discovery *self)
{
  ice_resolve_cancel (g_steal_pointer (&self->resolve));
  g_clear_pointer (&self->timer, ice_timer_free);
  for (guint i = 0; i < ICE_BEHAVIOUR_N_SOCKETS; i++) {
    if (self->ports[i].socket)
      ice_socket_close (self->ports[i].socket);
    g_clear_pointer (&self->ports[i].socket, ice_socket_unref);
  }
  g_clear_pointer (&self->machine, ice_behaviour_free);
  if (self->cancelled)
    g_cancellable_disconnect (
        g_task_get_cancellable (self->task), self->cancelled);
}

/* Takes the error. */
static void
fail (Discovery *self, GError *error)
{
  g_autoptr (GTask) task = NULL;

  if (!self->task) {
    g_error_free (error);
    return;
  }
  close_all (self);
  task = g_steal_pointer (&self->task);
  g_task_return_error (task, error);
  discovery_unref (self);
}

static void
set_address (
    GstStructure *structure, const gchar *name, const IceAddress *address)
{
  gchar text[ICE_ADDRESS_STRLEN];

  if (address->family != ICE_FAMILY_NONE)
    gst_structure_set (structure, name, G_TYPE_STRING,
        ice_address_to_string (address, text), NULL);
}

static void
set_answer (GstStructure *structure, const gchar *name, IceNatAnswer answer)
{
  if (answer != ICE_NAT_NOT_KNOWN)
    gst_structure_set (
        structure, name, G_TYPE_BOOLEAN, answer == ICE_NAT_YES, NULL);
}

static void
set_behaviour (
    GstStructure *structure, const gchar *name, IceNatBehaviour behaviour)
{
  if (behaviour != ICE_NAT_UNKNOWN)
    gst_structure_set (structure, name, G_TYPE_STRING,
        ice_nat_behaviour_to_string (behaviour), NULL);
}

static GstStructure *
describe (const IceBehaviour *machine)
{
  GstStructure *result = gst_structure_new_empty ("application/x-gst-ice-nat");

  set_address (result, "server", &machine->server);
  set_address (result, "local-address", &machine->local[ICE_BEHAVIOUR_MAPPING]);
  set_address (result, "mapped-address", &machine->mapped);
  set_address (result, "other-address", &machine->other);
  gst_structure_set (result, "round-trip-time", G_TYPE_DOUBLE,
      machine->rtt / (gdouble) ICE_SECOND, "nat", G_TYPE_BOOLEAN, machine->nat,
      "supported", G_TYPE_BOOLEAN, machine->state != ICE_BEHAVIOUR_UNSUPPORTED,
      NULL);
  set_behaviour (result, "mapping", machine->mapping);
  set_behaviour (result, "filtering", machine->filtering);
  set_answer (result, "hairpinning", machine->hairpinning);
  set_answer (result, "fragments", machine->fragments);
  if (machine->lifetime > 0)
    gst_structure_set (result, "binding-lifetime", G_TYPE_UINT,
        (guint) (machine->lifetime / ICE_SECOND), "binding-lifetime-is-minimum",
        G_TYPE_BOOLEAN, machine->lifetime_is_minimum, NULL);
  return result;
}

static void
finish (gpointer user_data)
{
  Discovery *self = user_data;
  const IceBehaviour *machine = self->machine;
  g_autoptr (GTask) task = NULL;
  GstStructure *result;

  if (!self->task)
    return;
  if (machine->state == ICE_BEHAVIOUR_BLOCKED) {
    fail (self,
        g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_FAILED,
            "%s does not answer: UDP to it is blocked, or it is no STUN "
            "server, or it is down",
            self->server->url));
    return;
  }
  if (machine->mapped.family == ICE_FAMILY_NONE) {
    fail (self,
        g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
            "%s answers, but refuses to tell our address; try another STUN "
            "server",
            self->server->url));
    return;
  }
  result = describe (machine);
  close_all (self);
  task = g_steal_pointer (&self->task);
  g_task_return_pointer (task, result, (GDestroyNotify) gst_structure_free);
  discovery_unref (self);
}

/* After whatever happened to the machine. */
static void
settle (Discovery *self)
{
  IceBehaviourPacket packet;

  while (ice_behaviour_take_packet (self->machine, &packet)) {
    ice_socket_send (self->ports[packet.socket].socket, &packet.to,
        ICE_BYTES (packet.packet->data, packet.packet->size));
    ice_packet_unref (packet.packet);
  }
  ice_timer_set (self->timer, ice_behaviour_deadline (self->machine));
  if (self->machine->state != ICE_BEHAVIOUR_RUNNING)
    ice_loop_invoke (
        self->loop, finish, g_atomic_rc_box_acquire (self), discovery_unref);
}

static void
on_packets (IceSocket *socket, IceRxPacket *packets, guint n_packets,
    gpointer user_data)
{
  Port *port = user_data;
  Discovery *self = port->discovery;

  if (self->machine->state != ICE_BEHAVIOUR_RUNNING)
    return;
  for (guint i = 0; i < n_packets; i++)
    ice_behaviour_receive (self->machine, port->index, &packets[i].from,
        packets[i].data, ice_loop_now ());
  settle (self);
}

static void
on_deadline (gpointer user_data)
{
  Discovery *self = user_data;

  ice_behaviour_timeout (self->machine, ice_loop_now ());
  settle (self);
}

/* Opening. */

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  ice_random_bytes (ret_bytes, size);
}

/* The address of ours from which packets to @server leave: a connected socket
 * knows, and sends nothing. */
static gboolean
find_local (const IceAddress *server, IceAddress *ret_local, GError **error)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketAddress) to = NULL;
  g_autoptr (GSocketAddress) local = NULL;
  IceNativeAddress native;
  const socklen_t size = ice_address_to_native (server, &native);

  socket =
      g_socket_new (server->family == ICE_FAMILY_IPV6 ? G_SOCKET_FAMILY_IPV6
                                                      : G_SOCKET_FAMILY_IPV4,
          G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
  if (!socket)
    return FALSE;
  to = g_socket_address_new_from_native (&native, size);
  if (!g_socket_connect (socket, to, NULL, error))
    return FALSE;
  local = g_socket_get_local_address (socket, error);
  if (!local ||
      !g_socket_address_to_native (local, &native, sizeof native, error))
    return FALSE;
  ice_address_from_native (
      ret_local, &native, g_socket_address_get_native_size (local));
  ret_local->port = 0;
  return TRUE;
}

static gboolean
open_ports (Discovery *self, const IceAddress *server, IceAddress *ret_local,
    GError **error)
{
  static const IceSocketEvents events = { .packets = on_packets };
  static const IceSocketOptions options = { .dscp = -1 };
  IceAddress local;

  if (!find_local (server, &local, error))
    return FALSE;
  for (guint i = 0; i < ICE_BEHAVIOUR_N_SOCKETS; i++) {
    Port *port = &self->ports[i];

    port->discovery = self;
    port->index = i;
    port->socket = ice_socket_open_udp (
        self->loop, &local, &options, &events, port, error);
    if (!port->socket)
      return FALSE;
    ice_socket_get_local (port->socket, &ret_local[i]);
  }
  return TRUE;
}

/* NATs are of IPv4, so that is asked for where there is a choice. */
static const IceAddress *
choose (const IceAddress *addresses, guint n_addresses)
{
  for (guint i = 0; i < n_addresses; i++) {
    if (addresses[i].family == ICE_FAMILY_IPV4)
      return &addresses[i];
  }
  return n_addresses > 0 ? &addresses[0] : NULL;
}

static void
on_resolved (const IceAddress *addresses, guint n_addresses,
    const GError *reason, gpointer user_data)
{
  Discovery *self = user_data;
  const IceAddress *server = choose (addresses, n_addresses);
  IceAddress local[ICE_BEHAVIOUR_N_SOCKETS];
  GError *error = NULL;

  self->resolve = NULL;
  if (!server || !ice_address_is_usable (server)) {
    fail (self,
        g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_NOT_FOUND,
            "%s has no address to ask%s%s", self->server->url,
            reason ? ": " : "", reason ? reason->message : ""));
    return;
  }
  if (!open_ports (self, server, local, &error)) {
    g_autoptr (GError) why = error;

    fail (self,
        g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
            "%s cannot be asked: %s", self->server->url, why->message));
    return;
  }
  self->machine = ice_behaviour_new (
      server, local, self->lifetime, roll, NULL, ice_loop_now ());
  self->timer = ice_timer_new (self->loop, on_deadline, self);
  settle (self);
}

/* Giving up. */

static void
cancel (gpointer user_data)
{
  Discovery *self = user_data;

  fail (self,
      g_error_new_literal (
          G_IO_ERROR, G_IO_ERROR_CANCELLED, "Discovery was cancelled"));
}

/* From any thread, with the cancellable's lock held. */
static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Discovery *self = user_data;

  ice_loop_invoke (
      self->loop, cancel, g_atomic_rc_box_acquire (self), discovery_unref);
}

static void
start (gpointer user_data)
{
  Discovery *self = user_data;
  GCancellable *cancellable = g_task_get_cancellable (self->task);

  if (cancellable)
    self->cancelled =
        g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
            g_atomic_rc_box_acquire (self), discovery_unref);
  self->resolve = ice_resolve_start (self->loop, self->server->host,
      self->server->port, RESOLVE_TIMEOUT, on_resolved, self);
}

static GstIceServer *
parse_server (const gchar *server, GError **error)
{
  g_autofree gchar *uri = g_str_has_prefix (server, "stun:")
      ? g_strdup (server)
      : g_strconcat ("stun:", server, NULL);
  g_autoptr (GstIceServer) parsed = NULL;

  parsed = gst_ice_server_new (uri, NULL, NULL, error);
  if (parsed && parsed->transport != ICE_TRANSPORT_UDP) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“%s” is no server over UDP, which is what NATs differ in; write "
        "stun:HOST[:PORT]",
        parsed->url);
    return NULL;
  }
  return g_steal_pointer (&parsed);
}

/**
 * gst_ice_discover_nat_async:
 * @server: a STUN server that answers on two addresses (RFC 5780), as
 *   `stun:HOST[:PORT]` or `HOST[:PORT]`
 * @lifetime: how many seconds at most a silent binding is looked at, or 0 not
 *   to look: it takes several times as long
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called in the thread-default main context of the
 *   caller
 * @user_data: for @callback
 *
 * Finds out what kind of NAT is between this host and @server (RFC 5780, terms
 * of RFC 4787): to tell a user why calls need a relay. No agent takes part,
 * and ICE does not need the answer. It takes some six seconds, because
 * silence is one of the answers.
 *
 * May be called from any thread.
 */
void
gst_ice_discover_nat_async (const gchar *server, guint lifetime,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GstIceServer *parsed;
  GError *error = NULL;
  IceLoop *loop;
  Discovery *self;

  g_return_if_fail (server != NULL);
  g_return_if_fail (!cancellable || G_IS_CANCELLABLE (cancellable));

  gst_ice_log_init ();
  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, gst_ice_discover_nat_async);
  parsed = parse_server (server, &error);
  if (!parsed) {
    g_task_return_error (task, error);
    return;
  }
  loop = ice_loop_acquire ();
  if (!loop) {
    gst_ice_server_free (parsed);
    g_task_return_new_error (task, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
        "No thread or file descriptor is left to ask a server with");
    return;
  }
  self = g_atomic_rc_box_new0 (Discovery);
  self->loop = loop;
  self->server = parsed;
  self->lifetime = lifetime * ICE_SECOND;
  self->task = g_steal_pointer (&task);
  ice_loop_invoke (
      loop, start, g_atomic_rc_box_acquire (self), discovery_unref);
}

/**
 * gst_ice_discover_nat_finish:
 * @result: what the callback was given
 * @error: a place for an error
 *
 * What gst_ice_discover_nat_async() found: a structure
 * `application/x-gst-ice-nat` with these fields, of which those that could
 * not be found out are left out:
 *
 * - `server`, `local-address`, `mapped-address`, `other-address` (strings, IP
 *   and port): whom was asked, our address inside and outside, the server's
 *   second address
 * - `nat` (boolean): whether inside and outside differ
 * - `supported` (boolean): FALSE when the server has no second address to
 *   answer from, so that mapping and filtering stay unknown
 * - `mapping`, `filtering` (strings): `endpoint-independent`,
 *   `address-dependent` or `address-and-port-dependent` (RFC 4787)
 * - `hairpinning` (boolean): whether hosts inside reach each other by their
 *   outer addresses
 * - `fragments` (boolean): whether datagrams longer than the MTU pass
 * - `binding-lifetime` (uint, seconds) and `binding-lifetime-is-minimum`
 *   (boolean): how long a silent binding lives
 * - `round-trip-time` (double, seconds)
 *
 * Errors are %GST_ICE_ERROR_FAILED when nothing answers,
 * %GST_ICE_ERROR_NOT_SUPPORTED when the server tells no address,
 * %GST_ICE_ERROR_NOT_FOUND when its name has none, and
 * %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): what was found, or %NULL with @error set
 */
GstStructure *
gst_ice_discover_nat_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (
      g_task_get_source_tag (G_TASK (result)) == gst_ice_discover_nat_async,
      NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
