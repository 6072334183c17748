/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "endpoint-private.h"

#include <glib/gi18n-lib.h>

#include "caps.h"

#define GST_CAT_DEFAULT gst_ice_endpoint_debug

/* An offer waits until every member's m-line is known. A payloader with data
 * behind it sends its CAPS within a few ms; live encoders have none before
 * PLAYING (x264enc, opusenc, alawenc on 1.22), so they are asked what they
 * could send: at once when upstream is live, else after the first of these
 * waits. */
#define SETTLE_MS 30
#define ASK_AGAIN_MS 50
/* What cannot say for half a second is not RTP. */
#define MAX_ASKED 10

/* Roles and sessions */

/* Somebody who only takes what comes has nothing to offer. */
static GstIceSignallerRole
find_role (GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);
    g_autoptr (GstCaps) caps = NULL;

    if (member->kind == GST_ICE_MEMBER_BIN ||
        member->kind == GST_ICE_MEMBER_CARRIER)
      continue;
    if (member->is_sink)
      return GST_ICE_SIGNALLER_ROLE_AUTO;
    if (gst_ice_caps_ask_peer (member->pad, &caps) == GST_ICE_CAPS_KNOWN &&
        gst_ice_caps_is_rtp (caps))
      return GST_ICE_SIGNALLER_ROLE_AUTO;
  }
  return GST_ICE_SIGNALLER_ROLE_ANSWER;
}

static void
on_session_bye (
    GstIceSession *session, const gchar *reason, GstIceEndpoint *self)
{
  gst_ice_endpoint_handle_bye (self, reason);
}

static void
on_session_error (
    GstIceSession *session, const GError *error, GstIceEndpoint *self)
{
  gboolean connected;

  g_mutex_lock (&self->lock);
  connected = self->connected;
  g_mutex_unlock (&self->lock);
  /* Media goes on without signalling. */
  if (connected)
    gst_ice_endpoint_post_warning (self, error);
  else
    gst_ice_endpoint_fail (self, error);
}

/* What is told of the peer: "joined", "left", "bye", "rejected", "hold",
 * "resume". @reason, @text (nullable) */
static void
post_peer (GstIceEndpoint *self, const gchar *event, const gchar *reason,
    const gchar *text)
{
  GstStructure *peer = gst_structure_new ("GstIcePeer", "agent",
      GST_TYPE_ICE_AGENT, self->agent, "event", G_TYPE_STRING, event, NULL);

  if (reason != NULL)
    gst_structure_set (peer, "reason", G_TYPE_STRING, reason, NULL);
  if (text != NULL)
    gst_structure_set (peer, "text", G_TYPE_STRING, text, NULL);
  gst_ice_endpoint_post (self, peer);
}

/* Before there is a session, its error follows; a change that is declined is
 * none. */
static void
on_session_rejected (GstIceSession *session, const gchar *reason,
    const gchar *text, GstIceEndpoint *self)
{
  g_autoptr (GError) error = NULL;
  GstIceSessionState state;

  post_peer (self, "rejected", reason, text);
  g_object_get (session, "state", &state, NULL);
  if (state != GST_ICE_SESSION_STATE_ESTABLISHED)
    return;
  error = g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_REJECTED,
      _ ("The peer declines the change (%s); the session goes on as it was."),
      reason);
  gst_ice_endpoint_post_warning (self, error);
}

static void
on_session_held (
    GstIceSession *session, GParamSpec *pspec, GstIceEndpoint *self)
{
  gboolean held;

  g_object_get (session, "held", &held, NULL);
  post_peer (self, held ? "hold" : "resume", NULL, NULL);
}

static void
on_session_prepare (
    GstIceSession *session, const gchar *offer, GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);

    if (member->funcs->prepare != NULL)
      member->funcs->prepare (member, offer);
  }
}

static void
tell_negotiated (GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);

    if (member->funcs->negotiated != NULL)
      member->funcs->negotiated (member);
  }
}

static void
on_session_negotiated (GstIceSession *session, GstIceEndpoint *self)
{
  gboolean keyframe;

  tell_negotiated (self);
  gst_ice_endpoint_progress (
      self, "connect", "%s", _ ("Looking for a path to the peer"));
  g_mutex_lock (&self->lock);
  keyframe = self->keyframe_due;
  self->keyframe_due = FALSE;
  g_mutex_unlock (&self->lock);
  if (keyframe)
    gst_ice_endpoint_request_keyframes (self);
}

static void
on_peer (GstIceSignaller *signaller, gboolean joined, GstIceEndpoint *self)
{
  post_peer (self, joined ? "joined" : "left", NULL, NULL);
  if (joined)
    gst_ice_endpoint_progress (self, "signal", "%s", _ ("The peer is there"));
}

/* A signaller that is a meeting place itself tells how to find it. */
static void
on_peer_uri (
    GstIceSignaller *signaller, GParamSpec *pspec, GstIceEndpoint *self)
{
  g_autofree gchar *uri = NULL;

  g_object_get (signaller, "peer-uri", &uri, NULL);
  if (uri != NULL)
    gst_ice_endpoint_progress (
        self, "signal", _ ("The other side uses uri=\"%s\""), uri);
}

/* An agent that nobody else can know of, and no meeting place: nobody will
 * ever come. */
static gboolean
check_reachable (GstIceEndpoint *self, GError **error)
{
  if (self->signaller != NULL || !self->element_made)
    return TRUE;
  g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
      _ ("There is no way to meet the peer; set “uri”, as "
         "ice+file:///tmp/call, or “agent” to one that the application "
         "connects."));
  return FALSE;
}

/* For the eyes of everybody: without user, password and what a query may have.
 */
static gchar *
describe_place (GstIceSignaller *signaller)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GUri) uri = NULL;

  g_object_get (signaller, "uri", &text, NULL);
  if (text != NULL)
    uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL)
    return g_strdup ("ice+stdio:");
  return g_uri_to_string_partial (
      uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT);
}

gboolean
gst_ice_endpoint_meet (GstIceEndpoint *self, GError **error)
{
  g_autoptr (GstIceSession) session = NULL;
  g_autofree gchar *place = NULL;

  if (!check_reachable (self, error))
    return FALSE;
  gst_ice_endpoint_start_progress (self);
  if (self->signaller == NULL)
    return TRUE;

  gst_ice_agent_gather (self->agent);
  session = gst_ice_session_new (self->agent, self->signaller);
  /* Whether is for the members to say, and may change. */
  g_object_set (session, "auto-restart", FALSE, NULL);
  gst_ice_connect (session, "bye", G_CALLBACK (on_session_bye), self);
  gst_ice_connect (session, "error", G_CALLBACK (on_session_error), self);
  gst_ice_connect (session, "prepare", G_CALLBACK (on_session_prepare), self);
  gst_ice_connect (
      session, "negotiated", G_CALLBACK (on_session_negotiated), self);
  gst_ice_connect (session, "rejected", G_CALLBACK (on_session_rejected), self);
  gst_ice_connect (session, "notify::held", G_CALLBACK (on_session_held), self);
  gst_ice_connect (self->signaller, "peer", G_CALLBACK (on_peer), self);
  if (g_object_class_find_property (
          G_OBJECT_GET_CLASS (self->signaller), "peer-uri") != NULL)
    gst_ice_connect (
        self->signaller, "notify::peer-uri", G_CALLBACK (on_peer_uri), self);

  place = describe_place (self->signaller);
  gst_ice_endpoint_progress (
      self, "signal", _ ("Waiting for the peer at %s"), place);
  g_mutex_lock (&self->lock);
  self->session = gst_object_ref (session);
  g_mutex_unlock (&self->lock);
  return gst_ice_session_start (session, find_role (self), error);
}

/* M-lines */

/* With the lock. (transfer full) (nullable) of the first sender that has RTP,
 * or else of any. */
static GstCaps *
find_send_caps (GstIceEndpoint *self, GstIceStream *stream)
{
  GstCaps *found = NULL;
  GList *l;

  for (l = self->members; l != NULL; l = l->next) {
    const GstIceMember *member = l->data;

    if (!member->is_sink || member->stream != stream || member->caps == NULL)
      continue;
    /* RFC 3264 6.1: what a pad of a bin does not send any more is received
     * only, and so the peer knows. */
    if (member->kind == GST_ICE_MEMBER_PAD && member->ended)
      continue;
    if (gst_ice_caps_is_rtp (member->caps))
      return gst_caps_ref (member->caps);
    found = member->caps;
  }
  return found != NULL ? gst_caps_ref (found) : NULL;
}

/* With the lock. (transfer full) (nullable) */
static GstCaps *
find_receive_caps (GstIceEndpoint *self, GstIceStream *stream)
{
  GList *l;

  for (l = self->members; l != NULL; l = l->next) {
    const GstIceMember *member = l->data;

    /* A call goes both ways: whoever sends takes what comes. */
    if (member->kind == GST_ICE_MEMBER_PAD && member->stream == stream)
      return gst_caps_new_any ();
    if (!member->is_sink && member->stream == stream)
      return member->caps != NULL ? gst_caps_ref (member->caps)
                                  : gst_caps_new_any ();
  }
  return NULL;
}

static void
tell_caps (GstIceEndpoint *self, GstIceStream *stream)
{
  g_autoptr (GstCaps) send = NULL;
  g_autoptr (GstCaps) receive = NULL;

  g_mutex_lock (&self->lock);
  send = find_send_caps (self, stream);
  receive = find_receive_caps (self, stream);
  g_mutex_unlock (&self->lock);
  gst_ice_stream_set_caps (stream, send, receive);
}

static void
tell_member_caps (GstIceEndpoint *self, GstIceMember *member)
{
  g_autoptr (GstIceStream) stream = gst_ice_member_ref_stream (member);

  if (stream != NULL && member->kind != GST_ICE_MEMBER_CARRIER)
    tell_caps (self, stream);
}

/* With the lock. */
static gboolean
is_ready (GstIceEndpoint *self)
{
  GList *l;

  for (l = self->members; l != NULL; l = l->next) {
    const GstIceMember *member = l->data;

    if (!member->active || member->mline == GST_ICE_MEMBER_ASKING)
      return FALSE;
  }
  return self->members != NULL;
}

void
gst_ice_endpoint_check_ready (GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  g_autoptr (GstIceSession) session = NULL;
  gboolean again, ready;
  guint i;

  g_mutex_lock (&self->lock);
  ready = self->changed && is_ready (self);
  if (ready)
    self->changed = FALSE;
  again = self->ready;
  if (ready && self->session != NULL)
    session = gst_object_ref (self->session);
  self->ready = self->ready || ready;
  g_mutex_unlock (&self->lock);
  if (!ready)
    return;

  for (i = 0; i < members->len; i++)
    tell_member_caps (self, g_ptr_array_index (members, i));
  if (session == NULL)
    return;
  /* A member that came later brings an m-line of its own. */
  if (again)
    gst_ice_session_renegotiate (session);
  else
    gst_ice_session_set_ready (session);
}

/* The payload type is what the description says it is; everything else that
 * changes has to be told. */
static gboolean
must_tell (GstIceMember *member, const GstCaps *before, const GstCaps *now)
{
  g_autoptr (GstCaps) a = before != NULL ? gst_caps_copy (before) : NULL;
  g_autoptr (GstCaps) b = now != NULL ? gst_caps_copy (now) : NULL;
  g_autoptr (GstIceStream) stream = gst_ice_member_ref_stream (member);
  g_autoptr (GstCaps) told =
      stream != NULL ? gst_ice_stream_get_local_caps (stream) : NULL;
  gint payload = -1, payload_told = -1;

  if (a == NULL || b == NULL)
    return a != b;
  gst_structure_get_int (gst_caps_get_structure (b, 0), "payload", &payload);
  if (told != NULL && !gst_caps_is_any (told) && !gst_caps_is_empty (told))
    gst_structure_get_int (
        gst_caps_get_structure (told, 0), "payload", &payload_told);
  if (payload == payload_told) {
    gst_structure_remove_field (gst_caps_get_structure (a, 0), "payload");
    gst_structure_remove_field (gst_caps_get_structure (b, 0), "payload");
  }
  return !gst_caps_is_equal (a, b);
}

/* Another codec is another m-line; parameters the decoder may see for itself.
 */
static gboolean
is_other_codec (const GstCaps *before, const GstCaps *now)
{
  static const gchar *const fields[] = { "media", "encoding-name", "clock-rate",
    "encoding-params" };
  const GstStructure *a, *b;
  gsize i;

  if (before == NULL || now == NULL || gst_caps_get_size (before) == 0 ||
      gst_caps_get_size (now) == 0)
    return before != now;
  a = gst_caps_get_structure (before, 0);
  b = gst_caps_get_structure (now, 0);
  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    const GValue *x = gst_structure_get_value (a, fields[i]);
    const GValue *y = gst_structure_get_value (b, fields[i]);

    if (!x != !y || (x && gst_value_compare (x, y) != GST_VALUE_EQUAL))
      return TRUE;
  }
  return !gst_structure_has_name (a, gst_structure_get_name (b));
}

/* Who pastes descriptions by hand is not asked to for the sake of detail. */
static gboolean
is_worth_telling (
    GstIceEndpoint *self, const GstCaps *before, const GstCaps *now)
{
  return gst_ice_signaller_can_trickle (self->signaller) ||
      is_other_codec (before, now);
}

/* @caps: (transfer full) (nullable) as an m-line has them */
static void
learn_caps (GstIceEndpoint *self, GstIceMember *member, GstCaps *caps)
{
  g_autoptr (GstIceSession) session = NULL;
  g_autoptr (GstCaps) before = NULL;
  gboolean ready;

  if (member->kind == GST_ICE_MEMBER_CARRIER) {
    gst_clear_caps (&caps);
    return;
  }
  if (member->kind == GST_ICE_MEMBER_PAD)
    caps = gst_ice_caps_for_bin (caps);
  if (member->retransmits)
    caps = gst_ice_caps_with_retransmission (caps);
  GST_DEBUG_OBJECT (member->element, "the m-line is %" GST_PTR_FORMAT, caps);
  g_mutex_lock (&self->lock);
  before = g_steal_pointer (&member->caps);
  member->caps = caps != NULL ? gst_caps_ref (caps) : NULL;
  ready = self->ready && member->mline == GST_ICE_MEMBER_KNOWN;
  self->changed = self->changed || !ready;
  member->mline = GST_ICE_MEMBER_KNOWN;
  if (self->session != NULL)
    session = gst_object_ref (self->session);
  g_mutex_unlock (&self->lock);

  if (!ready) {
    gst_ice_endpoint_check_ready (self);
  } else if (session != NULL && must_tell (member, before, caps) &&
      is_worth_telling (self, before, caps)) {
    GST_INFO_OBJECT (
        member->element, "telling the peer of %" GST_PTR_FORMAT, caps);
    tell_member_caps (self, member);
    g_mutex_lock (&self->lock);
    self->keyframe_due = TRUE;
    g_mutex_unlock (&self->lock);
    gst_ice_session_renegotiate (session);
  }
  gst_clear_caps (&caps);
}

GstCaps *
gst_ice_endpoint_dup_caps (GstIceEndpoint *self, GstIceMember *member)
{
  GstCaps *caps;

  g_mutex_lock (&self->lock);
  caps = member->caps != NULL ? gst_caps_ref (member->caps) : NULL;
  g_mutex_unlock (&self->lock);
  return caps;
}

void
gst_ice_endpoint_renegotiate (GstIceEndpoint *self)
{
  g_mutex_lock (&self->lock);
  self->changed = TRUE;
  g_mutex_unlock (&self->lock);
  gst_ice_endpoint_check_ready (self);
}

void
gst_ice_endpoint_set_caps (
    GstIceEndpoint *self, GstIceMember *member, GstCaps *caps)
{
  learn_caps (self, member, gst_ice_caps_for_description (caps));
}

/* Asking */

/* An encoder that knows no latency before its first frame gives no answer
 * (x264enc, 1.22): it is asked as if it were live, and says more later. */
static gboolean
may_be_live (GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = TRUE;

  if (gst_pad_peer_query (pad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

static void
ask_source (GstIceEndpoint *self, GstIceMember *member)
{
  g_autoptr (GstCaps) caps = NULL;

  gst_ice_caps_ask_peer (member->pad, &caps);
  /* Whatever comes. */
  if (!gst_ice_caps_is_rtp (caps))
    gst_clear_caps (&caps);
  learn_caps (self, member, g_steal_pointer (&caps));
}

static void
ask_sink (GstIceEndpoint *self, GstIceMember *member)
{
  GstCaps *caps = NULL;

  if (gst_ice_caps_ask_peer (member->pad, &caps) == GST_ICE_CAPS_KNOWN)
    learn_caps (self, member, caps);
  else if (++member->n_asked >= MAX_ASKED && member->kind != GST_ICE_MEMBER_PAD)
    learn_caps (self, member, gst_caps_new_empty_simple (GST_ICE_CAPS_OTHER));
}

static void
ask_again (GstElement *element, gpointer user_data)
{
  GstIceEndpoint *self = user_data;
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++) {
    GstIceMember *member = g_ptr_array_index (members, i);
    gboolean asking;

    g_mutex_lock (&self->lock);
    asking = member->active && member->mline == GST_ICE_MEMBER_ASKING;
    g_mutex_unlock (&self->lock);
    if (asking && member->is_sink)
      ask_sink (self, member);
  }
}

/* Service thread. A query may wait for a lock of the pipeline, so it is asked
 * elsewhere. */
static gboolean
on_settle (gpointer user_data)
{
  GstIceEndpoint *self = user_data;
  g_autoptr (GstElement) speaker = gst_ice_endpoint_ref_speaker (self);
  gboolean asking = FALSE;
  GList *l;

  g_mutex_lock (&self->lock);
  for (l = self->members; l != NULL; l = l->next)
    asking =
        asking || ((GstIceMember *) l->data)->mline == GST_ICE_MEMBER_ASKING;
  if (asking && self->settle != NULL)
    g_source_set_ready_time (self->settle,
        g_get_monotonic_time () + ASK_AGAIN_MS * G_TIME_SPAN_MILLISECOND);
  else if (self->settle != NULL)
    g_clear_pointer (&self->settle, g_source_unref);
  g_mutex_unlock (&self->lock);

  if (!asking || speaker == NULL)
    return G_SOURCE_REMOVE;
  gst_element_call_async (
      speaker, ask_again, g_object_ref (self), g_object_unref);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_settle (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs settle_funcs = { .dispatch = dispatch_settle };

static void
ask_soon (GstIceEndpoint *self)
{
  g_mutex_lock (&self->lock);
  if (self->settle == NULL) {
    self->settle = g_source_new (&settle_funcs, sizeof (GSource));
    g_source_set_callback (
        self->settle, on_settle, g_object_ref (self), g_object_unref);
    g_source_set_ready_time (self->settle,
        g_get_monotonic_time () + SETTLE_MS * G_TIME_SPAN_MILLISECOND);
    g_source_attach (self->settle, gst_ice_signaller_get_main_context ());
  }
  g_mutex_unlock (&self->lock);
}

void
gst_ice_endpoint_stop_asking (GstIceEndpoint *self)
{
  GSource *settle;

  g_mutex_lock (&self->lock);
  settle = g_steal_pointer (&self->settle);
  g_mutex_unlock (&self->lock);
  if (settle == NULL)
    return;
  g_source_destroy (settle);
  g_source_unref (settle);
}

void
gst_ice_endpoint_ask (GstIceEndpoint *self, GstIceMember *member)
{
  gboolean asking;

  g_mutex_lock (&self->lock);
  asking = member->mline == GST_ICE_MEMBER_ASKING;
  g_mutex_unlock (&self->lock);
  if (!asking)
    return;
  if (!member->is_sink) {
    ask_source (self, member);
    return;
  }
  if (may_be_live (member->pad))
    ask_sink (self, member);
  ask_soon (self);
}
