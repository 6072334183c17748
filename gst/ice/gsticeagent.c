/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include "gsticecandidate.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticenegotiation-private.h"
#include "gsticestream-private.h"
#include "io/loop.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/**
 * SECTION:gsticeagent
 * @title: GstIceAgent
 * @short_description: one session with one peer
 *
 * An agent finds a path to its peer (RFC 8445) and keeps it. The application
 * carries descriptions or candidates to the other side and back, the rest is
 * the agent's business: it owns its sockets and works in a thread of its own,
 * so nothing has to be polled and no main loop has to run.
 *
 * The short way is offer and answer:
 *
 * 1. gst_ice_agent_request_stream() for each m-line;
 * 2. gst_ice_agent_create_offer(), or gst_ice_agent_set_remote_description()
 *    and gst_ice_agent_create_answer();
 * 3. #GstIceAgent::new-candidate to the peer, the peer's to
 *    gst_ice_agent_add_remote_candidate();
 * 4. packets by gst_ice_stream_get_transport().
 *
 * Applications with other signalling pass on credentials and candidates of
 * each #GstIceStream themselves and call gst_ice_agent_gather().
 *
 * All methods may be called from any thread, and return at once. Signals are
 * emitted, and properties notified, in #GstIceAgent:main-context when it was
 * given, otherwise in a thread that all agents of the process share; always in
 * order and with no lock held, so that a handler may do anything with the
 * agent, dropping it included.
 *
 * When an offer has several answers, as in SIP, gst_ice_agent_fork() makes an
 * agent for each further one.
 *
 * Dropping the last reference closes all sockets. gst_ice_agent_close_async()
 * does so earlier, and tells when it is done.
 */

guint gst_ice_agent_signals[GST_ICE_AGENT_N_SIGNALS];

G_DEFINE_TYPE (GstIceAgent, gst_ice_agent, GST_TYPE_OBJECT)

/* Small questions */

gboolean
gst_ice_agent_check_open (GstIceAgent *self, GError **error)
{
  gboolean open = FALSE;

  if (self) {
    GST_OBJECT_LOCK (self);
    open = !self->closed;
    GST_OBJECT_UNLOCK (self);
  }
  if (!open)
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED,
        "The ICE agent was closed; make a new one for the next session");
  return open;
}

GstIceStream *
gst_ice_agent_find_stream (GstIceAgent *self, const gchar *name)
{
  GstIceStream *found = NULL;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->streams->len && !found; i++) {
    GstIceStream *stream = self->streams->pdata[i];

    if (g_str_equal (stream->mid, name))
      found = gst_object_ref (stream);
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

GstIceStream *
gst_ice_agent_find_core_stream (GstIceAgent *self, guint id)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);

  for (guint i = 0; i < streams->len; i++) {
    GstIceStream *stream = streams->pdata[i];
    gboolean found;

    GST_OBJECT_LOCK (stream);
    found = stream->id == id;
    GST_OBJECT_UNLOCK (stream);
    if (found)
      return gst_object_ref (stream);
  }
  return NULL;
}

GstIceStream *
gst_ice_agent_find_transport (
    GstIceAgent *self, guint transport, guint *ret_component)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);

  for (guint i = 0; i < streams->len; i++) {
    GstIceStream *stream = streams->pdata[i];
    gboolean found = FALSE;

    GST_OBJECT_LOCK (stream);
    for (guint j = 0; j < stream->components->len && !found; j++) {
      const GstIceComponent *component = stream->components->pdata[j];

      found = component->id == transport;
      *ret_component = component->number;
    }
    GST_OBJECT_UNLOCK (stream);
    if (found)
      return gst_object_ref (stream);
  }
  return NULL;
}

typedef struct
{
  GSourceFunc func;
  gpointer data; /* (owned) by destroy */
  GDestroyNotify destroy;
} Dispatch;

static void
dispatch_run (GstIceAgent *self, gpointer data)
{
  const Dispatch *dispatch = data;

  dispatch->func (dispatch->data);
}

static void
dispatch_free (gpointer data)
{
  Dispatch *dispatch = data;

  if (dispatch->destroy)
    dispatch->destroy (dispatch->data);
  g_free (dispatch);
}

void
gst_ice_agent_dispatch (
    GstIceAgent *self, GSourceFunc func, gpointer data, GDestroyNotify destroy)
{
  Dispatch *dispatch = g_new (Dispatch, 1);

  *dispatch = (Dispatch){ func, data, destroy };
  gst_ice_notify_push (self->notify, dispatch_run, dispatch, dispatch_free);
}

IceCore *
gst_ice_agent_lock_core (GstIceAgent *self)
{
  return gst_ice_pump_lock_branch (self->pump, self->branch);
}

/* Making */

/**
 * gst_ice_agent_new: (constructor)
 *
 * Returns: (transfer full): a new agent
 */
GstIceAgent *
gst_ice_agent_new (void)
{
  return gst_object_ref_sink (g_object_new (GST_TYPE_ICE_AGENT, NULL));
}

/**
 * gst_ice_agent_add_server:
 * @self: an agent
 * @uri: `stun:HOST[:PORT]`, `turn:USER:PASSWORD@HOST[:PORT]` or
 *   `turns:USER:PASSWORD@HOST[:PORT]`, also with `//` behind the colon, and
 * with
 *   `?transport=udp` or `tcp`
 * @error: return location for an error
 *
 * Adds a server for the next gathering (RFC 7064, RFC 7065). User and password
 * are percent-encoded and split at the last colon. The URI of a server that is
 * there already replaces it: credentials may roll over in mid-call.
 *
 * `turn:` and `stun:` go over UDP, or with `?transport=tcp` over TCP, to port
 * 3478; `turns:` and `stuns:` over TLS, or with `?transport=udp` over DTLS (RFC
 * 7350), to port 5349. The relayed candidate is one of UDP in any case; it is
 * the last resort when what it is relayed by is a stream. A STUN server over
 * TCP or TLS gives no candidate but to the agent's TCP sockets, see
 * #GstIceAgent:tcp.
 *
 * A name without a port is asked for by SRV (RFC 8489 8; RFC 5928 without its
 * S-NAPTR, which GResolver does not know): `_stun._udp`, `_stun._tcp`,
 * `_stuns._tcp`, `_stuns._udp`, `_turn._udp`, `_turn._tcp`, `_turns._tcp` or
 * `_turns._udp`, by scheme and transport. Where DNS says nothing the default
 * port counts. Certificates have to name the host of the URI.
 *
 * What is wrong with one server costs that one: the others are asked at the
 * same time, #GstIceAgent::candidate-error tells the cause.
 *
 * Errors: %GST_ICE_ERROR_INVALID_URI, %GST_ICE_ERROR_CLOSED. No error text
 * quotes user or password.
 *
 * Returns: %TRUE when the server is going to be used
 */
gboolean
gst_ice_agent_add_server (GstIceAgent *self, const gchar *uri, GError **error)
{
  return gst_ice_agent_add_server_with_credentials (
      self, uri, NULL, NULL, error);
}

/**
 * gst_ice_agent_add_server_with_credentials:
 * @self: an agent
 * @uri: as for gst_ice_agent_add_server()
 * @username: (nullable): the user name as it is, not encoded
 * @password: (nullable): the password as it is
 * @error: return location for an error
 *
 * Likewise with the credentials beside the URI, as W3C's RTCIceServer has them.
 *
 * Returns: %TRUE when the server is going to be used
 */
gboolean
gst_ice_agent_add_server_with_credentials (GstIceAgent *self, const gchar *uri,
    const gchar *username, const gchar *password, GError **error)
{
  g_return_val_if_fail (GST_IS_ICE_AGENT (self), FALSE);
  g_return_val_if_fail (uri != NULL, FALSE);

  return gst_ice_agent_check_open (self, error) &&
      gst_ice_agent_put_server (self, uri, username, password, error);
}

/* Streams */

/* (transfer full) (nullable) the stream whose transports carry the others. */
static GstIceStream *
ref_bundle_head (GstIceAgent *self)
{
  g_autoptr (GstIceStream) first = NULL;

  GST_OBJECT_LOCK (self);
  if (self->settings.bundle == GST_ICE_BUNDLE_MAX && self->streams->len > 0)
    first = gst_object_ref (self->streams->pdata[0]);
  GST_OBJECT_UNLOCK (self);
  return first ? gst_ice_stream_ref_tagged (first) : NULL;
}

/**
 * gst_ice_agent_request_stream:
 * @self: an agent
 * @name: the SDP `mid` of the stream (RFC 5888)
 *
 * Finds the stream of that name or makes it. The order of first requests is
 * that of m-lines in an offer.
 *
 * Returns: (transfer full): the stream; a closed agent gives one whose
 *   transports are closed
 */
GstIceStream *
gst_ice_agent_request_stream (GstIceAgent *self, const gchar *name)
{
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GstIceStream) tagged = NULL;
  guint index;

  g_return_val_if_fail (GST_IS_ICE_AGENT (self), NULL);
  g_return_val_if_fail (name != NULL && *name != '\0', NULL);

  /* Two callers must not make it twice. */
  g_mutex_lock (&self->negotiation.lock);
  stream = gst_ice_agent_find_stream (self, name);
  if (!stream) {
    tagged = ref_bundle_head (self);
    GST_OBJECT_LOCK (self);
    index = MAX (self->streams->len, self->negotiation.mlines->len);
    GST_OBJECT_UNLOCK (self);
    stream = gst_ice_stream_new (self, name, index, tagged);
    GST_OBJECT_LOCK (self);
    if (!self->closed)
      g_ptr_array_add (self->streams, gst_object_ref (stream));
    GST_OBJECT_UNLOCK (self);
    GST_DEBUG_OBJECT (self, "stream “%s” is m-line %u", name, index);
    gst_ice_negotiation_flush_early (self);
  }
  g_mutex_unlock (&self->negotiation.lock);
  return g_steal_pointer (&stream);
}

/**
 * gst_ice_agent_remove_stream:
 * @self: an agent
 * @stream: one of its streams
 *
 * Closes its transports. The next offer has its m-line with port 0
 * (RFC 3264 8.2). With #GstIceAgent:bundle the first stream carries all others,
 * which end with it.
 */
void
gst_ice_agent_remove_stream (GstIceAgent *self, GstIceStream *stream)
{
  g_autoptr (GstIceStream) kept = NULL;
  gboolean removed;

  g_return_if_fail (GST_IS_ICE_AGENT (self));
  g_return_if_fail (GST_IS_ICE_STREAM (stream));

  kept = gst_object_ref (stream);
  GST_OBJECT_LOCK (self);
  removed = g_ptr_array_remove (self->streams, stream);
  GST_OBJECT_UNLOCK (self);
  if (!removed)
    return;
  gst_ice_agent_forget_mline (self, stream);
  gst_ice_stream_detach (stream);
  gst_ice_agent_queue_update_states (self);
}

/**
 * gst_ice_agent_get_streams:
 * @self: an agent
 *
 * Returns: (transfer container) (element-type GstIceStream): its streams,
 *   as they were requested
 */
GPtrArray *
gst_ice_agent_get_streams (GstIceAgent *self)
{
  GPtrArray *streams;

  g_return_val_if_fail (GST_IS_ICE_AGENT (self), NULL);

  streams = g_ptr_array_new_with_free_func (gst_object_unref);
  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->streams->len; i++)
    g_ptr_array_add (streams, gst_object_ref (self->streams->pdata[i]));
  GST_OBJECT_UNLOCK (self);
  return streams;
}

/* Gathering */

static gboolean
start_gathering (GstIceStream *stream, guint *ret_id)
{
  gboolean starts;

  GST_OBJECT_LOCK (stream);
  starts = stream->id != 0 && stream->gathering == GST_ICE_GATHERING_STATE_NEW;
  if (starts)
    stream->gathering = GST_ICE_GATHERING_STATE_GATHERING;
  *ret_id = stream->id;
  GST_OBJECT_UNLOCK (stream);
  return starts;
}

void
gst_ice_agent_gather_streams (GstIceAgent *self, GPtrArray *streams)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint));
  IceCore *core;
  guint id;

  if (!gst_ice_agent_check_open (self, NULL))
    return;
  for (guint i = 0; i < streams->len; i++) {
    if (start_gathering (streams->pdata[i], &id))
      g_array_append_val (ids, id);
  }
  if (ids->len == 0)
    return;

  gst_ice_agent_update_interfaces (self);
  gst_ice_agent_watch_if_wanted (self);
  core = gst_ice_pump_lock (self->pump);
  for (guint i = 0; i < ids->len; i++)
    ice_core_gather (core, g_array_index (ids, guint, i), ice_loop_now ());
  gst_ice_pump_unlock (self->pump);
  gst_ice_agent_queue_update_states (self);
}

/**
 * gst_ice_agent_gather:
 * @self: an agent
 *
 * Gathers candidates for all streams that have none yet; see
 * gst_ice_stream_gather_async() for one. An offer or answer does it by itself.
 */
void
gst_ice_agent_gather (GstIceAgent *self)
{
  g_autoptr (GPtrArray) streams = NULL;

  g_return_if_fail (GST_IS_ICE_AGENT (self));

  streams = gst_ice_agent_get_streams (self);
  gst_ice_agent_gather_streams (self, streams);
}

/**
 * gst_ice_agent_restart:
 * @self: an agent
 *
 * gst_ice_stream_restart() for all streams: new credentials and candidates,
 * which the next offer tells to the peer.
 */
void
gst_ice_agent_restart (GstIceAgent *self)
{
  g_autoptr (GPtrArray) streams = NULL;

  g_return_if_fail (GST_IS_ICE_AGENT (self));

  /* The network may be another by now. */
  if (gst_ice_agent_check_open (self, NULL))
    gst_ice_agent_update_interfaces (self);
  streams = gst_ice_agent_get_streams (self);
  for (guint i = 0; i < streams->len; i++) {
    GstIceStream *stream = streams->pdata[i];
    g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (stream);

    if (tagged == stream)
      gst_ice_stream_restart (stream);
  }
}

/**
 * gst_ice_agent_get_stats:
 * @self: an agent
 *
 * Figures as a structure `application/x-gst-ice-stats` with one field for each
 * object, named by its id, that holds a structure: type `transport` for each
 * component (`ice-role`, `ice-state`, `selected-candidate-pair-id`,
 * `selected-candidate-pair-changes`, `packets-sent`, `bytes-sent`,
 * `packets-received`, `bytes-received`, `packets-discarded-on-send`,
 * `early-data-dropped`; and, once known, `gather-ns`, `first-check-ns`,
 * `connected-ns`, `first-packet-ns`, counted from the start of gathering),
 * `local-candidate` and `remote-candidate`, `candidate-pair`, and `ice-server`.
 * Names and meanings are those of W3C's webrtc-stats with dashes. Round trip
 * times are doubles in seconds, timestamps doubles in milliseconds of the
 * monotonic clock.
 *
 * Returns: (transfer full): the figures as they are now
 */
GstStructure *
gst_ice_agent_get_stats (GstIceAgent *self)
{
  g_return_val_if_fail (GST_IS_ICE_AGENT (self), NULL);

  return gst_ice_agent_make_stats (self);
}

/* The end */

static gboolean
mark_closed (GstIceAgent *self)
{
  gboolean first;

  GST_OBJECT_LOCK (self);
  first = !self->closed;
  self->closed = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (first)
    gst_ice_agent_watch_interfaces (self, FALSE);
  return first;
}

/* The loop's thread. */
static void
on_pump_closed (gpointer task)
{
  g_task_return_boolean (task, TRUE);
}

/**
 * gst_ice_agent_close_async:
 * @self: an agent
 * @cancellable: (nullable): ignored once the closing has begun
 * @callback: (scope async) (nullable): called in the thread-default context of
 *   the caller
 * @user_data: for @callback
 *
 * Ends the session: tells the TURN servers, so that they free what they hold
 * for us (RFC 8656 7), and closes all sockets. It waits for no answer. From
 * here on calls give %GST_ICE_ERROR_CLOSED; #GstIceAgent:state becomes closed.
 * Closing again does nothing more, but tells likewise.
 */
void
gst_ice_agent_close_async (GstIceAgent *self, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GPtrArray) streams = NULL;
  GTask *task;

  g_return_if_fail (GST_IS_ICE_AGENT (self));

  if (mark_closed (self)) {
    streams = gst_ice_agent_get_streams (self);
    for (guint i = 0; i < streams->len; i++)
      gst_ice_stream_finish_gather_tasks (streams->pdata[i]);
    gst_ice_agent_queue_update_states (self);
  }
  /* A task would keep the agent until its context is iterated, which nobody has
   * to do who does not wait. */
  if (!callback) {
    gst_ice_pump_close (self->pump, self->branch, NULL, NULL, NULL);
    return;
  }
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gst_ice_agent_close_async);
  g_task_set_check_cancellable (task, FALSE);
  gst_ice_pump_close (
      self->pump, self->branch, on_pump_closed, task, g_object_unref);
}

/**
 * gst_ice_agent_close_finish:
 * @self: an agent
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: %TRUE
 */
gboolean
gst_ice_agent_close_finish (
    GstIceAgent *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* The object */

/* What a fork is born with instead of a pump of its own. It is no property, for
 * it is nobody's business but ours. */
typedef struct
{
  GstIcePump *pump; /* (unowned) */
  guint branch;
} Birth;

/* (nullable) of the agent that this thread is constructing. */
static GPrivate fork_birth;

GstIceAgent *
gst_ice_agent_new_fork (GstIceAgent *origin, guint branch)
{
  Birth birth = { origin->pump, branch };
  GstIceAgent *self;

  g_private_set (&fork_birth, &birth);
  self = g_object_new (
      GST_TYPE_ICE_AGENT, "main-context", origin->main_context, NULL);
  g_private_set (&fork_birth, NULL);
  return gst_object_ref_sink (self);
}

static void
gst_ice_agent_finalize (GObject *object)
{
  GstIceAgent *self = GST_ICE_AGENT (object);

  /* Who waits holds the stream, which holds who waits. */
  for (guint i = 0; i < self->streams->len; i++)
    gst_ice_stream_finish_gather_tasks (self->streams->pdata[i]);
  gst_ice_agent_watch_interfaces (self, FALSE);
  gst_ice_pump_close (self->pump, self->branch, NULL, NULL, NULL);
  gst_ice_pump_unref (self->pump);
  gst_ice_notify_unref (self->notify);
  gst_ice_negotiation_clear (&self->negotiation);
  g_ptr_array_unref (self->streams);
  g_ptr_array_unref (self->servers);
  gst_ice_settings_clear (&self->settings);
  g_clear_pointer (&self->main_context, g_main_context_unref);
  G_OBJECT_CLASS (gst_ice_agent_parent_class)->finalize (object);
}

static void
gst_ice_agent_constructed (GObject *object)
{
  GstIceAgent *self = GST_ICE_AGENT (object);
  const Birth *birth = g_private_get (&fork_birth);

  G_OBJECT_CLASS (gst_ice_agent_parent_class)->constructed (object);
  self->notify = gst_ice_notify_new (self, self->main_context);
  if (birth) {
    self->pump = gst_ice_pump_ref (birth->pump);
    self->branch = birth->branch;
    gst_ice_pump_join (self->pump, self->branch, self->notify);
  } else {
    self->pump = gst_ice_pump_new (
        GST_OBJECT_NAME (self), self->notify, gst_ice_agent_handle_output);
  }
}

static void
gst_ice_agent_class_init (GstIceAgentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  gst_ice_log_init ();
  object_class->constructed = gst_ice_agent_constructed;
  object_class->finalize = gst_ice_agent_finalize;
  gst_ice_agent_install_properties (object_class);
  gst_ice_agent_install_signals ();
  gst_ice_agent_register_value_type ();
}

static void
gst_ice_agent_init (GstIceAgent *self)
{
  gst_ice_settings_init (&self->settings);
  gst_ice_negotiation_init (&self->negotiation);
  self->streams = g_ptr_array_new_with_free_func (gst_object_unref);
  self->servers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ice_server_free);
}
