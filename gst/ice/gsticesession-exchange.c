/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

#include <string.h>

#include "gsticeagent-private.h"
#include "gsticedescription-private.h"
#include "gsticeerror.h"
#include "gsticestream-private.h"
#include "io/service.h"

#define GST_CAT_DEFAULT gst_ice_session_debug

/* Offers and answers (RFC 3264) with trickled candidates (RFC 8838). */

/* A peer that does not trickle gets a description with all candidates in it,
 * but no dead server may hold it up longer than this. */
#define GATHER_TIMEOUT_MS 2000
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
stop_wait (GstIceSession *self)
{
  if (self->wait == NULL)
    return;
  g_source_destroy (self->wait);
  g_clear_pointer (&self->wait, g_source_unref);
}

/* Nothing is under way any more. */
static void
settle (GstIceSession *self)
{
  stop_wait (self);
  g_clear_pointer (&self->offer, g_free);
  self->exchange = GST_ICE_SESSION_STABLE;
}

static void
emit_error (
    GstIceSession *self, GstIceError code, const gchar *what, const gchar *of)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = g_strdup_printf ("%s%s%s", what,
      of != NULL && *of != '\0' ? ": " : "", of != NULL ? of : "");

  error = g_error_new_literal (GST_ICE_ERROR, code, text);
  gst_ice_session_emit_error (self, error);
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

/* Whoever was sent media and takes none any more, on no stream, has put us on
 * hold (RFC 3264 8.4). */
static void
notice_hold (GstIceSession *self)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self->agent);
  gboolean wants = FALSE, sends = FALSE;
  guint i;

  for (i = 0; i < streams->len; i++) {
    GstIceDirection wanted, current;

    gst_ice_stream_get_directions (streams->pdata[i], &wanted, &current);
    wants = wants || (wanted & GST_ICE_DIRECTION_SENDONLY);
    sends = sends || (current & GST_ICE_DIRECTION_SENDONLY);
  }
  gst_ice_session_set_held (self, self->sent && wants && !sends);
  self->sent = self->sent || sends;
}

static void
complete (GstIceSession *self)
{
  settle (self);
  self->established = TRUE;
  self->holds = g_atomic_int_get (&self->holding);
  notice_hold (self);
  gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_ESTABLISHED);
  if (!gst_ice_session_has_ended (self))
    gst_ice_session_emit_negotiated (self);
}

/* Before each description: streams may have come since. */
static void
apply_hold (GstIceSession *self)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self->agent);
  guint i;

  for (i = 0; i < streams->len; i++)
    gst_ice_stream_set_holding (
        streams->pdata[i], g_atomic_int_get (&self->holding));
}

static void
offer_now (GstIceSession *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *sdp = NULL;

  settle (self);
  if (!gst_ice_session_prepare (self, NULL))
    return;
  apply_hold (self);
  sdp = gst_ice_agent_create_offer (self->agent, &error);
  if (sdp == NULL) {
    gst_ice_session_emit_error (self, error);
    return;
  }
  self->exchange = GST_ICE_SESSION_OFFERED;
  if (!self->established)
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_NEGOTIATING);
  if (!gst_ice_session_has_ended (self))
    send_description (self, "offer", g_steal_pointer (&sdp));
}

static void
answer_now (GstIceSession *self)
{
  g_autoptr (GError) error = NULL;
  gchar *sdp;

  settle (self);
  apply_hold (self);
  sdp = gst_ice_agent_create_answer (self->agent, &error);
  if (sdp == NULL) {
    gst_ice_session_emit_error (self, error);
    return;
  }
  send_description (self, "answer", sdp);
  complete (self);
}

/* The agent's own state follows a little later: it is summed up where events
 * are told, and an offer may just have brought a component. */
static gboolean
is_gathered (GstIceSession *self)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self->agent);
  gboolean gathered = TRUE;
  guint i;

  for (i = 0; i < streams->len; i++) {
    g_autoptr (GstIceStream) tagged =
        gst_ice_stream_ref_tagged (streams->pdata[i]);

    GST_OBJECT_LOCK (tagged);
    gathered = gathered &&
        (tagged->id == 0 ||
            tagged->gathering == GST_ICE_GATHERING_STATE_COMPLETE);
    GST_OBJECT_UNLOCK (tagged);
  }
  return gathered;
}

/* What waited for candidates goes. */
static void
go_on (GstIceSession *self)
{
  if (self->exchange == GST_ICE_SESSION_OFFERING)
    offer_now (self);
  else if (self->exchange == GST_ICE_SESSION_ANSWERING)
    answer_now (self);
  gst_ice_session_advance (self);
}

static gboolean
wait_timeout (gpointer handle)
{
  g_autoptr (GstIceSession) self = g_weak_ref_get (handle);

  if (self != NULL && !gst_ice_session_has_ended (self))
    go_on (self);
  return G_SOURCE_REMOVE;
}

/* TRUE: @exchange goes on when candidates are there. */
static gboolean
wait_for_candidates (GstIceSession *self, GstIceSessionExchange exchange)
{
  gst_ice_agent_gather (self->agent);
  if (is_gathered (self))
    return FALSE;
  self->exchange = exchange;
  self->wait = g_timeout_source_new (GATHER_TIMEOUT_MS);
  g_source_set_callback (self->wait, wait_timeout,
      g_atomic_rc_box_acquire (self->handle), gst_ice_session_release_handle);
  g_source_attach (self->wait, ice_service_context ());
  return TRUE;
}

/* RFC 8838 4.1.1: where candidates cannot follow, they are in the offer. */
static void
make_offer (GstIceSession *self)
{
  self->offers_restart = self->want_restart;
  if (self->want_restart)
    gst_ice_agent_restart (self->agent);
  self->want_offer = self->want_restart = FALSE;
  if (gst_ice_signaller_can_trickle (self->signaller) ||
      !wait_for_candidates (self, GST_ICE_SESSION_OFFERING))
    offer_now (self);
}

/* What our offer was for is said again once theirs is answered, with what was
 * asked for since. A restart is done anew: the peer must see credentials that
 * were in no description. */
static void
take_back (GstIceSession *self)
{
  g_autoptr (GError) error = NULL;

  if (self->exchange == GST_ICE_SESSION_OFFERED &&
      !gst_ice_agent_set_remote_description (
          self->agent, "rollback", "", &error))
    gst_ice_session_emit_error (self, error);
  if (self->offers_restart)
    self->want_restart = TRUE;
  else
    self->want_offer = TRUE;
  self->want_restart = self->want_restart && self->established;
  self->want_offer = self->want_offer && self->established;
  settle (self);
}

/* Both sides offered: the greater session id stays the offerer, the other
 * takes its offer back (RFC 8829 4.1.10.2). TRUE: theirs counts. */
static gboolean
yield_to (GstIceSession *self, const gchar *sdp)
{
  if (session_id_of (self->local_sdp) > session_id_of (sdp)) {
    GST_INFO_OBJECT (self, "both sides offered: ours stays");
    return FALSE;
  }
  GST_INFO_OBJECT (self, "both sides offered: the peer's stays");
  take_back (self);
  return TRUE;
}

/* RFC 3264 6: an offer that cannot be taken is rejected as a whole. Where the
 * signaller is ready for the next peer by then, it came of a stranger, whose
 * nonsense is no error of ours. */
static void
refuse (GstIceSession *self, const GError *error)
{
  const guint n_met = self->n_met;

  gst_ice_signaller_send_reject (
      self->signaller, "not-acceptable", error->message);
  if (self->n_met != n_met) {
    GST_WARNING_OBJECT (self, "a peer is refused: %s", error->message);
    return;
  }
  if (!self->established && self->exchange == GST_ICE_SESSION_STABLE)
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_MEETING);
  gst_ice_session_emit_error (self, error);
}

/* @sdp: (transfer full) */
static void
take_offer (GstIceSession *self, gchar *sdp)
{
  g_autofree gchar *offer = sdp;
  g_autoptr (GError) error = NULL;

  settle (self);
  if (!gst_ice_session_prepare (self, offer))
    return;
  if (!gst_ice_agent_set_remote_description (
          self->agent, "offer", offer, &error)) {
    refuse (self, error);
    return;
  }
  if ((offers_trickle (offer) &&
          gst_ice_signaller_can_trickle (self->signaller)) ||
      !wait_for_candidates (self, GST_ICE_SESSION_ANSWERING))
    answer_now (self);
}

/* Handlers of "incoming" may decline it, and may end the session. */
static void
handle_offer (GstIceSession *self, const gchar *sdp)
{
  const gboolean first = !self->established;
  g_autoptr (GstIceDescription) readable = NULL;
  g_autoptr (GError) error = NULL;

  /* What cannot be read takes nothing back and rings nowhere. */
  readable = gst_ice_description_parse (sdp, &error);
  if (readable == NULL) {
    refuse (self, error);
    return;
  }
  if (self->exchange == GST_ICE_SESSION_OFFERED && !yield_to (self, sdp))
    return;
  if (self->exchange == GST_ICE_SESSION_OFFERING)
    take_back (self);

  self->exchange = GST_ICE_SESSION_DECIDING;
  self->offer = g_strdup (sdp);
  if (first)
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_NEGOTIATING);
  if (gst_ice_session_has_ended (self))
    return;
  gst_ice_session_emit_incoming (self, sdp, first);
  if (self->exchange == GST_ICE_SESSION_DECIDING &&
      (!first || g_atomic_int_get (&self->auto_accept)))
    take_offer (self, g_steal_pointer (&self->offer));
}

void
gst_ice_session_admit (GstIceSession *self)
{
  if (self->exchange != GST_ICE_SESSION_DECIDING ||
      gst_ice_session_has_ended (self)) {
    GST_INFO_OBJECT (self, "there is no offer to accept");
    return;
  }
  take_offer (self, g_steal_pointer (&self->offer));
  gst_ice_session_advance (self);
}

void
gst_ice_session_decline (
    GstIceSession *self, const gchar *reason, const gchar *text)
{
  if (self->exchange != GST_ICE_SESSION_DECIDING ||
      gst_ice_session_has_ended (self)) {
    GST_INFO_OBJECT (self, "there is no offer to reject");
    return;
  }
  settle (self);
  gst_ice_signaller_send_reject (self->signaller, reason, text);
  if (!self->established) {
    gst_ice_session_set_reason (self, reason);
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_MEETING);
  }
  gst_ice_session_advance (self);
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
    /* A better one may come. */
    gst_ice_signaller_send_error (self->signaller, error->message);
    gst_ice_session_emit_error (self, error);
    return;
  }
  if (g_str_equal (type, "answer"))
    complete (self);
}

/* An answer to what was taken back meanwhile is none. What was asked for after
 * the offer was made was not declined. */
void
gst_ice_session_take_rejection (
    GstIceSession *self, const gchar *reason, const gchar *text)
{
  g_autofree gchar *word = gst_ice_signaller_clean_text (reason);
  g_autofree gchar *sentence = gst_ice_signaller_clean_text (text);
  const gboolean first = !self->established;
  const gboolean want_offer = self->want_offer && !first;
  const gboolean want_restart = self->want_restart && !first;

  if (self->exchange != GST_ICE_SESSION_OFFERED) {
    GST_INFO_OBJECT (self, "a rejection of no offer of ours");
    return;
  }
  take_back (self);
  self->want_offer = want_offer;
  self->want_restart = want_restart;
  if (!want_offer)
    gst_ice_session_set_holding (self, self->holds);
  if (first) {
    gst_ice_session_set_reason (self, word);
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_MEETING);
  }
  gst_ice_session_emit_rejected (self, word, sentence);
  if (first && !gst_ice_session_has_ended (self))
    emit_error (self, GST_ICE_ERROR_REJECTED, "The peer declines the session",
        sentence != NULL && *sentence != '\0' ? sentence : word);
  gst_ice_session_advance (self);
}

void
gst_ice_session_take_error (GstIceSession *self, const gchar *text)
{
  g_autofree gchar *sentence = gst_ice_signaller_clean_text (text);

  emit_error (self, GST_ICE_ERROR_PEER, "The peer reports an error", sentence);
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
      self->exchange != GST_ICE_SESSION_DECIDING &&
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

/* What was agreed with the last peer is nothing to the next. */
static void
forget_peer (GstIceSession *self)
{
  settle (self);
  self->established = self->sent = self->holds = FALSE;
  gst_ice_session_set_holding (self, FALSE);
  gst_ice_session_set_held (self, FALSE);
}

void
gst_ice_session_meet (GstIceSession *self, gboolean offerer)
{
  GST_INFO_OBJECT (self, "met as %s", offerer ? "offerer" : "answerer");
  /* Its offer was quicker than the news of it. */
  if (!self->met && !offerer &&
      (self->established || self->exchange != GST_ICE_SESSION_STABLE)) {
    self->met = TRUE;
    self->offerer = FALSE;
    return;
  }
  /* Whoever waits for an answer is not there any more. */
  forget_peer (self);
  /* Credentials serve one peer (RFC 8445 5.3): the next gets new ones. */
  self->want_restart = offerer && self->used;
  self->want_offer = offerer;
  self->met = TRUE;
  self->n_met++;
  self->offerer = offerer;
  gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_MEETING);
  gst_ice_session_advance (self);
}

void
gst_ice_session_part (GstIceSession *self, const gchar *reason)
{
  g_autofree gchar *word = gst_ice_signaller_clean_text (reason);

  GST_INFO_OBJECT (self, "the peer says bye");
  forget_peer (self);
  self->met = FALSE;
  drop_pending (self);
  gst_ice_session_set_reason (self, word);
  gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_MEETING);
  gst_ice_session_emit_bye (self, word);
}

void
gst_ice_session_pause (GstIceSession *self, gboolean pause)
{
  if (gst_ice_session_has_ended (self) ||
      g_atomic_int_get (&self->holding) == pause)
    return;
  gst_ice_session_set_holding (self, pause);
  /* The first description will have it. */
  if (self->established || self->exchange != GST_ICE_SESSION_STABLE)
    self->want_offer = TRUE;
  gst_ice_session_advance (self);
}

void
gst_ice_session_gathered (GstIceSession *self)
{
  if (self->wait != NULL && is_gathered (self) &&
      !gst_ice_session_has_ended (self))
    go_on (self);
}

void
gst_ice_session_trickle (
    GstIceSession *self, GstIceStream *stream, GstIceCandidate *candidate)
{
  g_autofree gchar *text = NULL, *name = NULL, *ufrag = NULL;
  guint index = 0;

  /* What is known before the description is in it. */
  if (self->local_sdp == NULL || !self->met ||
      self->exchange == GST_ICE_SESSION_OFFERING ||
      self->exchange == GST_ICE_SESSION_ANSWERING ||
      gst_ice_session_has_ended (self) ||
      !gst_ice_signaller_can_trickle (self->signaller))
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
  settle (self);
  drop_pending (self);
  g_clear_pointer (&self->local_sdp, g_free);
}
