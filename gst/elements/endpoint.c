/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "endpoint-private.h"

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY (gst_ice_endpoint_debug);
#define GST_CAT_DEFAULT gst_ice_endpoint_debug

G_DEFINE_TYPE_WITH_CODE (GstIceEndpoint, gst_ice_endpoint, G_TYPE_OBJECT,
    GST_DEBUG_CATEGORY_INIT (
        gst_ice_endpoint_debug, "ice-signal", 0, "ICE signalling"))

/* Agent -> endpoint, as long as it has members. */
G_LOCK_DEFINE_STATIC (endpoints);
static GHashTable *endpoints;

/* Members */

static void
unref_member (gpointer data)
{
  gst_object_unref (((GstIceMember *) data)->element);
}

GPtrArray *
gst_ice_endpoint_ref_members (GstIceEndpoint *self)
{
  GPtrArray *members = g_ptr_array_new_with_free_func (unref_member);
  GList *l;

  g_mutex_lock (&self->lock);
  for (l = self->members; l != NULL; l = l->next) {
    GstIceMember *member = l->data;

    gst_object_ref (member->element);
    g_ptr_array_add (members, member);
  }
  g_mutex_unlock (&self->lock);
  return members;
}

GstElement *
gst_ice_endpoint_ref_speaker (GstIceEndpoint *self)
{
  GstElement *speaker = NULL;

  g_mutex_lock (&self->lock);
  if (self->members != NULL)
    speaker = gst_object_ref (((GstIceMember *) self->members->data)->element);
  g_mutex_unlock (&self->lock);
  return speaker;
}

/* Joining */

/* Several members may name one meeting place. */
static gboolean
take_signaller (GstIceEndpoint *self, GstIceMember *member, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GstIceSignaller) signaller =
      gst_ice_member_find_signaller (member, &local_error);
  g_autofree gchar *uri = NULL, *known_uri = NULL;
  gboolean same;

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  if (signaller == NULL)
    return TRUE;

  g_mutex_lock (&self->lock);
  if (self->signaller == NULL)
    self->signaller = g_object_ref (signaller);
  g_object_get (self->signaller, "uri", &known_uri, NULL);
  g_object_get (signaller, "uri", &uri, NULL);
  same = self->signaller == signaller ||
      (g_strcmp0 (uri, known_uri) == 0 &&
          G_OBJECT_TYPE (signaller) == G_OBJECT_TYPE (self->signaller));
  g_mutex_unlock (&self->lock);
  if (!same)
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        _ ("Elements that share an agent meet the peer in one place; set “uri” "
           "on one of them."));
  return same;
}

/* What happens to transports and agent */

static void
check_consent (GstIceEndpoint *self, GstIceState state)
{
  g_autoptr (GError) error = NULL;
  gboolean lost;

  g_mutex_lock (&self->lock);
  /* NEW: a restart was offered when the path fell silent, and nobody has
   * answered it. */
  lost = self->consent_lost &&
      (state == GST_ICE_STATE_FAILED || state == GST_ICE_STATE_NEW);
  self->consent_lost = FALSE;
  g_mutex_unlock (&self->lock);
  if (!lost)
    return;
  error = g_error_new_literal (GST_ICE_ERROR, GST_ICE_ERROR_CONSENT_EXPIRED,
      _ ("The peer has not answered for 30 seconds; it is gone, or the network "
         "between is."));
  gst_ice_endpoint_fail (self, error);
}

static gboolean
uses_transport (GstIceMember *member, GstIceTransport *transport)
{
  g_autoptr (GstIceTransport) its = gst_ice_member_ref_transport (member);

  return its == transport;
}

static gboolean
uses_stream (GstIceMember *member, GstIceStream *stream)
{
  g_autoptr (GstIceStream) its = gst_ice_member_ref_stream (member);

  return its == stream;
}

static void
on_transport_state (
    GstIceTransport *transport, GParamSpec *pspec, GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  GstIceState state, old = GST_ICE_STATE_NEW;
  GstIceMember *first = NULL;
  guint i;

  g_object_get (transport, "state", &state, NULL);
  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);
    const GstIceState before = g_atomic_int_get (&member->state);

    if (!uses_transport (member, transport) ||
        !gst_ice_member_set_state (member, state))
      continue;
    if (first == NULL) {
      first = member;
      old = before;
    }
    member->funcs->state_changed (member);
  }
  if (first != NULL)
    gst_ice_endpoint_post (self,
        gst_structure_new ("GstIceState", "agent", GST_TYPE_ICE_AGENT,
            self->agent, "stream", G_TYPE_STRING, first->stream_name,
            "component", G_TYPE_UINT, first->component, "old",
            GST_TYPE_ICE_STATE, old, "new", GST_TYPE_ICE_STATE, state, NULL));
  check_consent (self, state);
}

/* It has no transport of its own. */
static void
tell_bin (GstIceEndpoint *self, GstIceState state)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);

    if (member->kind == GST_ICE_MEMBER_BIN &&
        gst_ice_member_set_state (member, state))
      member->funcs->state_changed (member);
  }
}

static void
on_agent_state (GstIceAgent *agent, GParamSpec *pspec, GstIceEndpoint *self)
{
  GstIceState state;

  g_object_get (agent, "state", &state, NULL);
  tell_bin (self, state);
  if (state != GST_ICE_STATE_CONNECTED && state != GST_ICE_STATE_COMPLETED)
    return;
  g_mutex_lock (&self->lock);
  self->connected = TRUE;
  g_mutex_unlock (&self->lock);
  gst_ice_endpoint_end_restart (self);
  gst_ice_endpoint_complete_progress (self);
}

static void
on_selected_pair (GstIceAgent *agent, GstIceStream *stream, guint component,
    GstIceCandidate *local, GstIceCandidate *remote, GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (stream));
  guint i;

  gst_ice_endpoint_post (self,
      gst_structure_new ("GstIceSelectedPair", "agent", GST_TYPE_ICE_AGENT,
          agent, "stream", G_TYPE_STRING, name, "component", G_TYPE_UINT,
          component, "local", GST_TYPE_ICE_CANDIDATE, local, "remote",
          GST_TYPE_ICE_CANDIDATE, remote, NULL));
  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);

    if (member->kind != GST_ICE_MEMBER_BIN &&
        (!uses_stream (member, stream) || member->component != component))
      continue;
    g_atomic_int_set (&member->parted, FALSE);
    member->funcs->path_changed (member);
  }
}

static void
on_consent_lost (GstIceAgent *agent, GstIceStream *stream, guint component,
    GstIceEndpoint *self)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (stream));

  gst_ice_endpoint_post (self,
      gst_structure_new ("GstIceConsentLost", "agent", GST_TYPE_ICE_AGENT,
          agent, "stream", G_TYPE_STRING, name, "component", G_TYPE_UINT,
          component, NULL));
  /* Another pair may take over; else the state says so next. */
  g_mutex_lock (&self->lock);
  self->consent_lost = TRUE;
  g_mutex_unlock (&self->lock);
}

static void
on_candidate_error (GstIceAgent *agent, const gchar *url, guint code,
    const gchar *text, GstIceEndpoint *self)
{
  const GSignalInvocationHint *hint = g_signal_get_invocation_hint (agent);

  gst_ice_endpoint_post_server_error (
      self, url, code, g_quark_to_string (hint->detail), text);
}

static void
on_agent_error (GstIceAgent *agent, const GError *error, GstIceEndpoint *self)
{
  gst_ice_endpoint_fail (self, error);
}

static void
on_agent_warning (GstIceAgent *agent, const GError *error, GstIceEndpoint *self)
{
  gst_ice_endpoint_post_warning (self, error);
}

static void
on_restart_needed (GstIceAgent *agent, GstIceStream *stream,
    const gchar *reason, GstIceEndpoint *self)
{
  gst_ice_endpoint_mend_path (self, reason);
}

/* With the lock. */
static gboolean
is_to_report (GstIceEndpoint *self)
{
  GList *l;

  for (l = self->members; l != NULL; l = l->next)
    if (((GstIceMember *) l->data)->report_failure)
      return TRUE;
  return FALSE;
}

void
gst_ice_endpoint_fail (GstIceEndpoint *self, const GError *error)
{
  gboolean connected, report;

  g_mutex_lock (&self->lock);
  connected = self->connected;
  report = is_to_report (self);
  if (!connected && report && self->failure == NULL)
    self->failure = g_error_copy (error);
  g_mutex_unlock (&self->lock);
  if (connected) {
    gst_ice_endpoint_lose_path (self, error);
    return;
  }
  if (!report)
    return;
  gst_ice_endpoint_abort_progress (
      self, GST_PROGRESS_TYPE_ERROR, error->message);
  gst_ice_endpoint_post_error (self, error);
}

void
gst_ice_endpoint_handle_bye (GstIceEndpoint *self, const gchar *reason)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  g_autoptr (GError) error = g_error_new_literal (GST_ICE_ERROR,
      GST_ICE_ERROR_SIGNALLING_LOST, _ ("The peer ended the session."));
  g_autoptr (GstIceSession) over = NULL;
  guint i;

  gst_ice_endpoint_post (self,
      gst_structure_new ("GstIcePeer", "agent", GST_TYPE_ICE_AGENT, self->agent,
          "event", G_TYPE_STRING, "bye", "reason", G_TYPE_STRING,
          reason != NULL ? reason : "", NULL));
  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);

    g_atomic_int_set (&member->parted, TRUE);
    /* Of a bin it ends the whole call. */
    if (member->is_sink && member->kind == GST_ICE_MEMBER_ELEMENT) {
      gst_ice_endpoint_disconnect_member (member, error);
      continue;
    }
    /* Who receives has received all. The next peer is for the next session. */
    member->funcs->ended (member);
    if (over == NULL && self->session != NULL)
      over = gst_object_ref (self->session);
  }
  if (over == NULL)
    return;
  /* What falls silent now is not mended. */
  g_mutex_lock (&self->lock);
  self->over = TRUE;
  g_mutex_unlock (&self->lock);
  gst_ice_session_bye (over, NULL);
}

void
gst_ice_endpoint_request_keyframes (GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);

    member->funcs->path_changed (member);
  }
}

/* Life */

static void
unref_closure (gpointer object, GClosure *closure)
{
  g_object_unref (object);
}

void
gst_ice_connect (
    gpointer instance, const gchar *signal, GCallback callback, gpointer object)
{
  g_signal_connect_data (
      instance, signal, callback, g_object_ref (object), unref_closure, 0);
}

static void
watch_agent (GstIceEndpoint *self)
{
  gst_ice_connect (
      self->agent, "notify::state", G_CALLBACK (on_agent_state), self);
  gst_ice_connect (
      self->agent, "selected-pair", G_CALLBACK (on_selected_pair), self);
  gst_ice_connect (
      self->agent, "consent-lost", G_CALLBACK (on_consent_lost), self);
  gst_ice_connect (
      self->agent, "candidate-error", G_CALLBACK (on_candidate_error), self);
  gst_ice_connect (self->agent, "error", G_CALLBACK (on_agent_error), self);
  gst_ice_connect (self->agent, "warning", G_CALLBACK (on_agent_warning), self);
  gst_ice_connect (
      self->agent, "restart-needed", G_CALLBACK (on_restart_needed), self);
}

/* With the table's lock. (transfer full) */
static GstIceEndpoint *
find_or_make (GstIceAgent *agent, gboolean element_made)
{
  GstIceEndpoint *self;

  if (endpoints == NULL)
    endpoints = g_hash_table_new (NULL, NULL);
  self = g_hash_table_lookup (endpoints, agent);
  if (self != NULL)
    return g_object_ref (self);

  self = g_object_new (GST_TYPE_ICE_ENDPOINT, NULL);
  self->agent = gst_object_ref (agent);
  self->element_made = element_made;
  watch_agent (self);
  g_hash_table_insert (endpoints, agent, self);
  return self;
}

/* With our lock. */
static gboolean
has_transport (GstIceEndpoint *self, GstIceTransport *transport)
{
  GList *l;

  for (l = self->members; l != NULL; l = l->next)
    if (((GstIceMember *) l->data)->transport == transport)
      return TRUE;
  return transport == NULL;
}

static void
add_member (GstIceEndpoint *self, GstIceMember *member)
{
  g_mutex_lock (&self->lock);
  if (!has_transport (self, member->transport))
    gst_ice_connect (member->transport, "notify::state",
        G_CALLBACK (on_transport_state), self);
  self->members = g_list_append (self->members, member);
  member->active = member->ended = FALSE;
  member->mline = member->kind == GST_ICE_MEMBER_BIN ||
          member->kind == GST_ICE_MEMBER_CARRIER
      ? GST_ICE_MEMBER_KNOWN
      : GST_ICE_MEMBER_ASKING;
  member->n_asked = 0;
  gst_clear_caps (&member->caps);
  g_mutex_unlock (&self->lock);
}

GstIceEndpoint *
gst_ice_endpoint_join (GstIceAgent *agent, gboolean element_made,
    GstIceMember *member, GError **error)
{
  GstIceEndpoint *self;

  G_LOCK (endpoints);
  self = find_or_make (agent, element_made);
  add_member (self, member);
  G_UNLOCK (endpoints);

  if (gst_ice_endpoint_apply_settings (self, member, error) &&
      take_signaller (self, member, error))
    return self;
  gst_ice_endpoint_leave (self, member);
  g_object_unref (self);
  return NULL;
}

static void
on_closed (GObject *agent, GAsyncResult *result, gpointer user_data)
{
  gboolean *done = user_data;

  gst_ice_agent_close_finish (GST_ICE_AGENT (agent), result, NULL);
  *done = TRUE;
}

/* TURN servers are told to free what they hold (RFC 8656 7), and the process
 * may end after this: wait until that is sent. The end is reported to a context
 * of our own, for that of the caller may not run while a state changes. */
static void
close_agent (GstIceAgent *agent)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean done = FALSE;

  g_main_context_push_thread_default (context);
  gst_ice_agent_close_async (agent, NULL, on_closed, &done);
  while (!done)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
}

static void
shut_down (GstIceEndpoint *self)
{
  g_autoptr (GstIceSession) session = NULL;

  gst_ice_endpoint_stop_asking (self);
  gst_ice_endpoint_end_restart (self);
  g_signal_handlers_disconnect_by_data (self->agent, self);
  g_mutex_lock (&self->lock);
  session = g_steal_pointer (&self->session);
  g_mutex_unlock (&self->lock);
  if (session != NULL) {
    g_signal_handlers_disconnect_by_data (session, self);
    g_signal_handlers_disconnect_by_data (self->signaller, self);
    gst_ice_session_bye (session, "stopped");
  }
  if (self->element_made) {
    g_object_set_data (
        G_OBJECT (self->agent), GST_ICE_AGENT_WAS_LEFT, self->agent);
    close_agent (self->agent);
  }
}

/* With our lock. */
static void
remove_member (GstIceEndpoint *self, GstIceMember *member)
{
  self->members = g_list_remove (self->members, member);
  self->changed = self->changed || member->kind != GST_ICE_MEMBER_CARRIER;
  if (!has_transport (self, member->transport))
    g_signal_handlers_disconnect_by_data (member->transport, self);
  gst_clear_caps (&member->caps);
}

void
gst_ice_endpoint_leave (GstIceEndpoint *self, GstIceMember *member)
{
  gboolean last, told;

  g_mutex_lock (&self->lock);
  last = self->members != NULL && self->members->next == NULL;
  g_mutex_unlock (&self->lock);
  if (last)
    gst_ice_endpoint_abort_progress (
        self, GST_PROGRESS_TYPE_CANCELED, _ ("Stopped before connected"));

  G_LOCK (endpoints);
  g_mutex_lock (&self->lock);
  remove_member (self, member);
  last = self->members == NULL;
  told = self->ready;
  g_mutex_unlock (&self->lock);
  if (last)
    g_hash_table_remove (endpoints, self->agent);
  G_UNLOCK (endpoints);

  if (last)
    shut_down (self);
  /* An offer may have waited for who left. One that was made stays: where a
   * pipeline ends its elements leave one after the other. */
  else if (!told)
    gst_ice_endpoint_check_ready (self);
}

gboolean
gst_ice_endpoint_activate (
    GstIceEndpoint *self, GstIceMember *member, GError **error)
{
  gboolean first;

  if (!gst_ice_endpoint_check (self, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  member->active = TRUE;
  self->changed = self->changed || member->kind != GST_ICE_MEMBER_CARRIER;
  first = !self->started;
  self->started = TRUE;
  if (first)
    self->started_at = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);

  if (first && !gst_ice_endpoint_meet (self, error))
    return FALSE;
  /* Where the application connects its agent, it may have. */
  if (first && self->signaller == NULL)
    on_agent_state (self->agent, NULL, self);
  gst_ice_endpoint_ask (self, member);
  gst_ice_endpoint_check_ready (self);
  return TRUE;
}

gboolean
gst_ice_endpoint_check (GstIceEndpoint *self, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = self->failure == NULL;
  if (!ok)
    g_propagate_error (error, g_error_copy (self->failure));
  g_mutex_unlock (&self->lock);
  return ok;
}

/* What comes after our bye is for nobody. */
static void
end_bins (GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);

    if (member->kind == GST_ICE_MEMBER_BIN)
      member->funcs->ended (member);
  }
}

void
gst_ice_endpoint_end (GstIceEndpoint *self, GstIceMember *member)
{
  gst_ice_endpoint_set_receiving (self, member, FALSE);
}

void
gst_ice_endpoint_set_receiving (
    GstIceEndpoint *self, GstIceMember *member, gboolean receiving)
{
  g_autoptr (GstIceSession) session = NULL;
  gboolean last = TRUE;
  GList *l;

  g_mutex_lock (&self->lock);
  member->ended = !receiving;
  /* Who also receives stays: the peer says bye in its turn. */
  for (l = self->members; l != NULL; l = l->next) {
    const GstIceMember *other = l->data;

    last = last &&
        (other->kind == GST_ICE_MEMBER_CARRIER ||
            (other->ended &&
                (other->is_sink || other->kind == GST_ICE_MEMBER_BIN)));
  }
  if (last && self->session != NULL && !self->over)
    session = gst_object_ref (self->session);
  self->over = self->over || last;
  g_mutex_unlock (&self->lock);
  GST_DEBUG_OBJECT (member->element, "%s %s%s",
      member->pad != NULL ? GST_PAD_NAME (member->pad) : "all that comes",
      receiving ? "goes on" : "has ended", last ? ", as the last" : "");

  if (session == NULL)
    return;
  gst_ice_session_bye (session, "eos");
  end_bins (self);
}

GstStructure *
gst_ice_endpoint_get_stats (GstIceEndpoint *self)
{
  return gst_ice_agent_get_stats (self->agent);
}

static void
gst_ice_endpoint_finalize (GObject *object)
{
  GstIceEndpoint *self = GST_ICE_ENDPOINT (object);

  g_clear_object (&self->session);
  g_clear_object (&self->signaller);
  g_clear_object (&self->agent);
  g_hash_table_unref (self->settings);
  g_hash_table_unref (self->warned_about);
  g_clear_error (&self->failure);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_ice_endpoint_parent_class)->finalize (object);
}

static void
gst_ice_endpoint_init (GstIceEndpoint *self)
{
  g_mutex_init (&self->lock);
  self->settings = gst_ice_endpoint_settings_new ();
  self->warned_about =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
gst_ice_endpoint_class_init (GstIceEndpointClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_ice_endpoint_finalize;
}
