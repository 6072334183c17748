/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

#include <string.h>

#include "gsticeagent-private.h"
#include "gsticeerror.h"
#include "io/service.h"

#define GST_CAT_DEFAULT gst_ice_session_debug

/* Offers and answers (RFC 3264) with trickled candidates (RFC 8838). */

/* A peer that does not trickle gets an answer with all candidates in it, but
 * no dead server may hold it up longer than this. */
#define FULL_ANSWER_TIMEOUT_MS 2000
/* What waits for set_ready: 64 sections of 100 candidates each and more is not
 * a peer of ours, nor is one that says more than a description of the largest
 * size and these. */
#define MAX_PENDING 8192
#define MAX_PENDING_SIZE (1024 * 1024)

/* What came from the peer. */
typedef struct
{
  gchar *type; /* (owned) (nullable) of a description; NULL: a candidate */
  gchar *text; /* (owned) SDP or candidate */
  gchar *mid;  /* (owned) (nullable) */
  guint mline_index;
  gchar *ufrag; /* (owned) (nullable) */
} Message;

static void
message_free (Message *message)
{
  g_free (message->type);
  g_free (message->text);
  g_free (message->mid);
  g_free (message->ufrag);
  g_free (message);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Message, message_free)

static void
drop_pending (GstIceSession *self)
{
  g_queue_clear_full (&self->pending, (GDestroyNotify) message_free);
  self->pending_size = 0;
}

/* The session id of o=, by which a glare is decided. */
static guint64
session_id_of (const gchar *sdp)
{
  const gchar *origin = strstr (sdp, "o=");
  const gchar *id = origin != NULL ? strchr (origin, ' ') : NULL;

  return id != NULL ? g_ascii_strtoull (id + 1, NULL, 10) : 0;
}

/* RFC 8840 4.1.1: the "trickle" option says that candidates may follow. */
static gboolean
offers_trickle (const gchar *sdp)
{
  const gchar *line = sdp;

  while ((line = strstr (line, "a=ice-options:")) != NULL) {
    gsize length = strcspn (line, "\r\n");

    if (g_strstr_len (line, length, "trickle") != NULL)
      return TRUE;
    line += length;
  }
  return FALSE;
}

static void
stop_answer_wait (GstIceSession *self)
{
  if (self->answer_wait == NULL)
    return;
  g_source_destroy (self->answer_wait);
  g_clear_pointer (&self->answer_wait, g_source_unref);
}

/* @sdp: (transfer full) */
static void
send_description (GstIceSession *self, const gchar *type, gchar *sdp)
{
  g_free (self->local_sdp);
  self->local_sdp = sdp;
  self->used = TRUE;
  GST_INFO_OBJECT (self, "sending the %s", type);
  gst_ice_signaller_send_description (self->signaller, type, sdp);
  gst_ice_agent_emit_local_description (self->agent, type, sdp);
}

static void
complete (GstIceSession *self)
{
  self->exchange = GST_ICE_SESSION_STABLE;
  self->established = TRUE;
  gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_ESTABLISHED);
  gst_ice_session_emit_negotiated (self);
}

static void
make_offer (GstIceSession *self)
{
  g_autoptr (GError) error = NULL;
  gchar *sdp;

  if (self->want_restart)
    gst_ice_agent_restart (self->agent);
  self->want_offer = self->want_restart = FALSE;

  gst_ice_session_prepare (self, NULL, NULL);
  sdp = gst_ice_agent_create_offer (self->agent, &error);
  if (sdp == NULL) {
    gst_ice_session_emit_error (self, error);
    return;
  }
  self->exchange = GST_ICE_SESSION_OFFERED;
  if (!self->established)
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_NEGOTIATING);
  send_description (self, "offer", sdp);
}

static void
make_answer (GstIceSession *self)
{
  g_autoptr (GError) error = NULL;
  gchar *sdp = gst_ice_agent_create_answer (self->agent, &error);

  stop_answer_wait (self);
  if (sdp == NULL) {
    self->exchange = GST_ICE_SESSION_STABLE;
    gst_ice_session_emit_error (self, error);
    return;
  }
  send_description (self, "answer", sdp);
  complete (self);
}

static gboolean
answer_timeout (gpointer handle)
{
  g_autoptr (GstIceSession) self = g_weak_ref_get (handle);

  if (self != NULL && self->exchange == GST_ICE_SESSION_ANSWERING) {
    make_answer (self);
    gst_ice_session_advance (self);
  }
  return G_SOURCE_REMOVE;
}

static gboolean
is_gathered (GstIceSession *self)
{
  GstIceGatheringState state;

  g_object_get (self->agent, "gathering-state", &state, NULL);
  return state == GST_ICE_GATHERING_STATE_COMPLETE;
}

static void
answer_when_gathered (GstIceSession *self)
{
  gst_ice_agent_gather (self->agent);
  if (is_gathered (self)) {
    make_answer (self);
    return;
  }
  self->exchange = GST_ICE_SESSION_ANSWERING;
  self->answer_wait = g_timeout_source_new (FULL_ANSWER_TIMEOUT_MS);
  g_source_set_callback (self->answer_wait, answer_timeout,
      g_atomic_rc_box_acquire (self->handle), gst_ice_session_release_handle);
  g_source_attach (self->answer_wait, ice_service_context ());
}

/* Both sides offered: the greater session id stays the offerer, the other
 * takes its offer back (RFC 8829 4.1.10.2). TRUE: theirs counts. */
static gboolean
yield_to (GstIceSession *self, const gchar *sdp)
{
  g_autoptr (GError) error = NULL;

  if (session_id_of (self->local_sdp) > session_id_of (sdp)) {
    GST_INFO_OBJECT (self, "both sides offered: ours stays");
    return FALSE;
  }
  GST_INFO_OBJECT (self, "both sides offered: the peer's stays");
  /* What ours was for is said again once theirs is answered. */
  self->want_offer = self->established;
  if (!gst_ice_agent_set_remote_description (
          self->agent, "rollback", "", &error))
    gst_ice_session_emit_error (self, error);
  self->exchange = GST_ICE_SESSION_STABLE;
  return TRUE;
}

static void
handle_offer (GstIceSession *self, const gchar *sdp)
{
  g_autoptr (GError) error = NULL;

  if (self->exchange == GST_ICE_SESSION_OFFERED && !yield_to (self, sdp))
    return;
  if (!gst_ice_session_prepare (self, sdp, &error) ||
      !gst_ice_agent_set_remote_description (
          self->agent, "offer", sdp, &error)) {
    gst_ice_session_emit_error (self, error);
    return;
  }
  if (!self->established)
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_NEGOTIATING);
  if (offers_trickle (sdp))
    make_answer (self);
  else
    answer_when_gathered (self);
}

static void
handle_answer (GstIceSession *self, const gchar *type, const gchar *sdp)
{
  g_autoptr (GError) error = NULL;

  if (self->exchange != GST_ICE_SESSION_OFFERED) {
    GST_INFO_OBJECT (self, "an answer to no offer of ours");
    return;
  }
  if (!gst_ice_agent_set_remote_description (self->agent, type, sdp, &error)) {
    gst_ice_session_emit_error (self, error);
    return;
  }
  if (g_str_equal (type, "answer"))
    complete (self);
}

static void
handle_candidate (GstIceSession *self, const Message *message)
{
  g_autoptr (GError) error = NULL;

  /* From the wire: odd, but no reason to stop. */
  if (!gst_ice_agent_take_remote_candidate (self->agent, message->mid,
          message->mline_index, message->text, message->ufrag, &error))
    GST_WARNING_OBJECT (self, "a candidate was refused: %s", error->message);
}

static void
handle (GstIceSession *self, const Message *message)
{
  if (message->type == NULL)
    handle_candidate (self, message);
  else if (g_str_equal (message->type, "offer"))
    handle_offer (self, message->text);
  else if (g_str_equal (message->type, "answer") ||
      g_str_equal (message->type, "pranswer"))
    handle_answer (self, message->type, message->text);
  else
    GST_INFO_OBJECT (self, "a description of unknown type");
}

static gboolean
may_offer (GstIceSession *self)
{
  return self->met && self->ready && !gst_ice_session_has_ended (self) &&
      self->exchange == GST_ICE_SESSION_STABLE &&
      (self->want_offer || self->want_restart) &&
      (self->offerer || self->established);
}

/* Takes what can be taken, in the order in which it came. */
void
gst_ice_session_advance (GstIceSession *self)
{
  while (self->ready && !gst_ice_session_has_ended (self) &&
      self->exchange != GST_ICE_SESSION_ANSWERING) {
    g_autoptr (Message) message = g_queue_pop_head (&self->pending);

    if (message == NULL)
      break;
    self->pending_size -= strlen (message->text);
    handle (self, message);
  }
  if (may_offer (self))
    make_offer (self);
}

/* @message: (transfer full) */
static void
take_message (GstIceSession *self, Message *message)
{
  const gsize size = strlen (message->text);

  if (gst_ice_session_has_ended (self) ||
      g_queue_get_length (&self->pending) >= MAX_PENDING ||
      size > MAX_PENDING_SIZE - self->pending_size) {
    message_free (message);
    return;
  }
  self->pending_size += size;
  g_queue_push_tail (&self->pending, message);
  gst_ice_session_advance (self);
}

void
gst_ice_session_take_description (
    GstIceSession *self, const gchar *type, const gchar *sdp)
{
  Message *message = g_new0 (Message, 1);

  message->type = g_strdup (type);
  message->text = g_strdup (sdp);
  take_message (self, message);
}

void
gst_ice_session_take_candidate (GstIceSession *self, const gchar *candidate,
    const gchar *mid, guint mline_index, const gchar *ufrag)
{
  Message *message = g_new0 (Message, 1);

  message->text = g_strdup (candidate);
  message->mid = g_strdup (mid);
  message->mline_index = mline_index;
  message->ufrag = ufrag && *ufrag ? g_strdup (ufrag) : NULL;
  take_message (self, message);
}

void
gst_ice_session_meet (GstIceSession *self, gboolean offerer)
{
  GST_INFO_OBJECT (self, "met as %s", offerer ? "offerer" : "answerer");
  /* Whoever waits for an answer is not there any more. */
  stop_answer_wait (self);
  /* Credentials serve one peer (RFC 8445 5.3): the next gets new ones. */
  self->want_restart = offerer && self->used;
  self->want_offer = offerer;
  self->met = TRUE;
  self->offerer = offerer;
  self->established = FALSE;
  self->exchange = GST_ICE_SESSION_STABLE;
  gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_MEETING);
  gst_ice_session_advance (self);
}

void
gst_ice_session_part (GstIceSession *self, const gchar *reason)
{
  GST_INFO_OBJECT (self, "the peer says bye");
  stop_answer_wait (self);
  self->met = self->established = FALSE;
  self->exchange = GST_ICE_SESSION_STABLE;
  drop_pending (self);
  gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_MEETING);
  gst_ice_session_emit_bye (self, reason);
}

void
gst_ice_session_gathered (GstIceSession *self)
{
  if (self->exchange != GST_ICE_SESSION_ANSWERING || !is_gathered (self))
    return;
  make_answer (self);
  gst_ice_session_advance (self);
}

void
gst_ice_session_trickle (
    GstIceSession *self, GstIceStream *stream, GstIceCandidate *candidate)
{
  g_autofree gchar *text = NULL, *name = NULL, *ufrag = NULL;
  guint index = 0;

  /* What is known before the description is in it. */
  if (self->local_sdp == NULL || !self->met ||
      self->exchange == GST_ICE_SESSION_ANSWERING ||
      gst_ice_session_has_ended (self))
    return;

  text =
      candidate != NULL ? gst_ice_candidate_to_sdp (candidate) : g_strdup ("");
  if (*text != '\0' && strstr (self->local_sdp, text) != NULL)
    return;
  g_object_get (stream, "name", &name, "mline-index", &index, NULL);
  gst_ice_stream_get_local_credentials (stream, &ufrag, NULL);
  gst_ice_signaller_send_candidate (self->signaller, name, index, text, ufrag);
}

/* What is being negotiated already comes of the same trouble, or is as good as
 * a restart: the agent asks again when it was not. */
void
gst_ice_session_mend (GstIceSession *self, const gchar *reason)
{
  if (!g_atomic_int_get (&self->auto_restart) || !self->established ||
      self->exchange != GST_ICE_SESSION_STABLE ||
      gst_ice_session_has_ended (self))
    return;
  GST_INFO_OBJECT (self, "restarting: %s", reason);
  gst_ice_session_emit_restarting (self, reason);
  self->want_restart = TRUE;
  gst_ice_session_advance (self);
}

void
gst_ice_session_clear (GstIceSession *self)
{
  stop_answer_wait (self);
  drop_pending (self);
  g_clear_pointer (&self->local_sdp, g_free);
}
