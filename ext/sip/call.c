/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "private.h"

#include <string.h>

#include "outcome.h"

#define GST_CAT_DEFAULT gst_ice_sip_debug

/* RFC 3261 14.1, in ms: when both sides offered at once, whoever made the
 * Call-ID tries again after 2.1 to 4 s, the other one within 2 s. */
#define OWNER_RETRY_MIN 2100
#define OWNER_RETRY_MAX 4000
#define OTHER_RETRY_MAX 2000

/* Life */

GstIceSipCall *
gst_ice_sip_call_new (GstIceSipUa *ua, nua_handle_t *handle, gboolean outgoing)
{
  GstIceSipCall *self = g_new0 (GstIceSipCall, 1);
  g_autofree gchar *to = NULL;

  g_atomic_ref_count_init (&self->refs);
  self->ua = gst_ice_sip_ua_ref (ua);
  self->outgoing = outgoing;
  self->state = outgoing ? GST_ICE_SIP_CALL_CALLING : GST_ICE_SIP_CALL_INCOMING;
  self->trickle = gst_ice_sip_trickle_new ();
  if (outgoing) {
    self->peer = gst_ice_sip_place_to_string (ua->settings->place);
    to = gst_ice_sip_name_address (self->peer);
    handle = nua_handle (ua->nua, NULL, SIPTAG_TO_STR (to),
        TAG_IF (ua->from != NULL, SIPTAG_FROM_STR (ua->from)),
        NUTAG_URL (self->peer), TAG_END ());
  }
  self->handle = handle;
  nua_handle_bind (handle, self);
  return self;
}

GstIceSipCall *
gst_ice_sip_call_ref (GstIceSipCall *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
gst_ice_sip_call_unref (GstIceSipCall *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  gst_ice_sip_trickle_free (self->trickle);
  g_free (self->peer);
  g_free (self->local_sdp);
  g_free (self->early_tag);
  g_free (self->early_sdp);
  gst_ice_sip_ua_unref (self->ua);
  g_free (self);
}

/* Nothing that sofia or a clock says reaches it any more. */
static void
close_call (GstIceSipCall *self)
{
  self->state = GST_ICE_SIP_CALL_OVER;
  gst_ice_sip_clear_source (&self->patience);
  gst_ice_sip_clear_source (&self->keep_alive);
  gst_ice_sip_clear_source (&self->later);
  gst_ice_sip_clear_source (&self->answer_due);
  if (self->exchange == GST_ICE_SIP_EXCHANGE_UPDATED)
    nua_destroy_event (self->update);
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  nua_handle_bind (self->handle, NULL);
  gst_ice_sip_ua_forget_call (self->ua, self);
}

void
gst_ice_sip_call_end (GstIceSipCall *self, const gchar *reason)
{
  g_autoptr (GstIceSipCall) guard = NULL;
  g_autoptr (GstIceSipUa) ua = gst_ice_sip_ua_ref (self->ua);
  const gboolean told = self->told;

  if (self->state == GST_ICE_SIP_CALL_OVER)
    return;
  guard = gst_ice_sip_call_ref (self);
  GST_INFO ("the call with %s ends: %s", self->peer, reason);
  close_call (self);
  nua_handle_destroy (g_steal_pointer (&self->handle));

  if (told && ua->signaller != NULL)
    gst_ice_signaller_emit_bye (ua->signaller, reason);
  if (told && ua->signaller != NULL)
    gst_ice_signaller_emit_peer (ua->signaller, FALSE);
  if (ua->signaller != NULL &&
      (ua->settings->place->listen || ua->settings->place->registers))
    gst_ice_signaller_emit_ready (ua->signaller, FALSE);
}

void
gst_ice_sip_call_hang_up (GstIceSipCall *self, guint status)
{
  g_autoptr (GstIceSipCall) guard = gst_ice_sip_call_ref (self);
  const GstIceSipCallState state = self->state;

  if (state == GST_ICE_SIP_CALL_OVER)
    return;
  close_call (self);
  self->ua->parting = TRUE;
  switch (state) {
    case GST_ICE_SIP_CALL_CALLING:
    case GST_ICE_SIP_CALL_RINGING:
      nua_cancel (self->handle, TAG_END ());
      break;
    case GST_ICE_SIP_CALL_INCOMING:
      nua_respond (self->handle, status, gst_ice_sip_outcome_phrase (status),
          TAG_END ());
      break;
    default:
      nua_bye (self->handle, TAG_END ());
      break;
  }
  /* It is destroyed when sofia tells that it is done with. */
  self->handle = NULL;
}

/* What the peer can do */

static gboolean
lists (const gchar *list, const gchar *token)
{
  g_auto (GStrv) items = g_strsplit (list != NULL ? list : "", ",", -1);
  gchar **item;

  for (item = items; *item != NULL; item++) {
    (*item)[strcspn (*item, ";")] = '\0';
    if (g_ascii_strcasecmp (g_strstrip (*item), token) == 0)
      return TRUE;
  }
  return FALSE;
}

/* RFC 8840 5 and 10.3: the option tag, and the package in Recv-Info. */
void
gst_ice_sip_call_learn (GstIceSipCall *self, const sip_t *sip)
{
  const sip_unknown_t *unknown;

  if (sip_has_feature (sip->sip_supported, "trickle-ice"))
    self->trickles = TRUE;
  for (unknown = sip->sip_unknown; unknown; unknown = unknown->un_next)
    if (g_ascii_strcasecmp (unknown->un_name, "Recv-Info") == 0 &&
        lists (unknown->un_value, GST_ICE_SIP_TRICKLE_PACKAGE))
      self->trickles = TRUE;
  if (sip_has_feature (sip->sip_supported, "100rel") ||
      sip_has_feature (sip->sip_require, "100rel"))
    self->may_prack = TRUE;
  if (sip->sip_allow != NULL)
    self->updates =
        sip_is_allowed (sip->sip_allow, sip_method_update, "UPDATE");
}

/* Candidates (RFC 8840 4.4) */

void
gst_ice_sip_call_send_candidates (GstIceSipCall *self)
{
  g_autofree gchar *body = NULL;

  if (!self->dialog || !self->trickles ||
      self->state == GST_ICE_SIP_CALL_OVER ||
      self->exchange == GST_ICE_SIP_EXCHANGE_DELAYED)
    return;
  body = gst_ice_sip_trickle_next (self->trickle);
  if (body == NULL)
    return;
  self->n_asking++;
  nua_info (self->handle,
      SIPTAG_HEADER_STR ("Info-Package: " GST_ICE_SIP_TRICKLE_PACKAGE),
      SIPTAG_CONTENT_DISPOSITION_STR ("Info-Package"),
      SIPTAG_CONTENT_TYPE_STR (GST_ICE_SIP_TRICKLE_TYPE),
      SIPTAG_PAYLOAD_STR (body), TAG_END ());
}

/* Sofia keeps an offer back while another request has no answer, and forgets
 * it then: so it is kept back here. */
static void
handle_asked (GstIceSipCall *self)
{
  self->n_asking -= MIN (self->n_asking, 1);
  if (self->n_asking == 0 && self->later == NULL &&
      self->exchange == GST_ICE_SIP_EXCHANGE_DELAYED)
    gst_ice_sip_call_send_offer (self, self->local_sdp);
}

static void
handle_info_response (GstIceSipCall *self, gint status)
{
  if (status < 200)
    return;
  /* RFC 6086 4.2.2: who does not know the package says so, once. */
  if (status >= 300)
    self->trickles = FALSE;
  gst_ice_sip_trickle_done (self->trickle);
  handle_asked (self);
  gst_ice_sip_call_send_candidates (self);
}

/* Offers of ours */

static void
send_request (GstIceSipCall *self, const gchar *sdp, gboolean update)
{
  self->exchange = GST_ICE_SIP_EXCHANGE_SENT;
  self->n_challenges = 0;
  (update ? nua_update : nua_invite) (self->handle,
      SIPTAG_ALLOW_STR (GST_ICE_SIP_METHODS),
      SIPTAG_HEADER_STR ("Recv-Info: " GST_ICE_SIP_TRICKLE_PACKAGE),
      SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR (sdp),
      TAG_END ());
}

static void
give_up (GstIceSipCall *self, const gchar *reason, const gchar *text)
{
  g_autoptr (GstIceSipUa) ua = gst_ice_sip_ua_ref (self->ua);

  gst_ice_sip_call_hang_up (self, 480);
  if (ua->signaller != NULL)
    gst_ice_signaller_emit_rejected (ua->signaller, reason, text);
}

static gboolean
on_silence (gpointer data)
{
  g_autoptr (GstIceSipCall) self = gst_ice_sip_call_ref (data);
  g_autoptr (GstIceSipUa) ua = gst_ice_sip_ua_ref (self->ua);
  g_autofree gchar *text = NULL;

  if (self->state == GST_ICE_SIP_CALL_CALLING) {
    gst_ice_sip_call_hang_up (self, 480);
    gst_ice_sip_ua_emit_unreachable (ua, 408, NULL);
    return G_SOURCE_REMOVE;
  }
  text = g_strdup_printf ("%s was called for %u s and did not answer",
      self->peer, ua->settings->ring_timeout);
  give_up (self, "no-answer", text);
  return G_SOURCE_REMOVE;
}

static void
wait_for_peer (GstIceSipCall *self, guint seconds)
{
  gst_ice_sip_clear_source (&self->patience);
  self->patience = gst_ice_sip_attach (seconds * 1000, on_silence, self);
}

void
gst_ice_sip_call_send_offer (GstIceSipCall *self, const gchar *sdp)
{
  const gboolean first = self->outgoing && self->patience == NULL;

  if (self->exchange == GST_ICE_SIP_EXCHANGE_WANTED) {
    nua_respond (self->handle, SIP_200_OK,
        SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR (sdp),
        TAG_END ());
    self->exchange = GST_ICE_SIP_EXCHANGE_ANSWERED;
    gst_ice_sip_call_establish (self);
  } else if (self->state == GST_ICE_SIP_CALL_CALLING && first) {
    send_request (self, sdp, FALSE);
    wait_for_peer (self, self->ua->settings->timeout);
  } else if (self->n_asking > 0) {
    self->exchange = GST_ICE_SIP_EXCHANGE_DELAYED;
  } else if (self->state == GST_ICE_SIP_CALL_ESTABLISHED) {
    send_request (self, sdp, FALSE);
  } else if (self->dialog && self->updates) {
    send_request (self, sdp, TRUE);
  } else {
    /* RFC 3261 13.1: not before the first one is answered. */
    self->exchange = GST_ICE_SIP_EXCHANGE_DELAYED;
  }
}

static gboolean
on_retry (gpointer data)
{
  GstIceSipCall *self = data;

  gst_ice_sip_clear_source (&self->later);
  if (self->exchange == GST_ICE_SIP_EXCHANGE_DELAYED)
    gst_ice_sip_call_send_offer (self, self->local_sdp);
  return G_SOURCE_REMOVE;
}

static void
retry_later (GstIceSipCall *self)
{
  const guint ms = self->outgoing
      ? (guint) g_random_int_range (OWNER_RETRY_MIN, OWNER_RETRY_MAX)
      : (guint) g_random_int_range (0, OTHER_RETRY_MAX);

  self->exchange = GST_ICE_SIP_EXCHANGE_DELAYED;
  gst_ice_sip_clear_source (&self->later);
  self->later = gst_ice_sip_attach (ms, on_retry, self);
}

/* What the peer answers */

/* Whether the other end of the signalling is there. */
void
gst_ice_sip_call_ask (GstIceSipCall *self)
{
  if (self->keep_alive == NULL)
    return;
  self->n_asking++;
  nua_options (self->handle, TAG_END ());
}

static gboolean
on_keep_alive (gpointer data)
{
  gst_ice_sip_call_ask (data);
  return G_SOURCE_CONTINUE;
}

void
gst_ice_sip_call_establish (GstIceSipCall *self)
{
  const guint interval = self->ua->settings->keep_alive;

  gst_ice_sip_clear_source (&self->patience);
  self->state = GST_ICE_SIP_CALL_ESTABLISHED;
  if (interval > 0 && self->keep_alive == NULL)
    self->keep_alive =
        gst_ice_sip_attach (interval * 1000, on_keep_alive, self);
  if (self->told)
    return;
  self->told = TRUE;
  if (self->ua->signaller != NULL)
    gst_ice_signaller_emit_peer (self->ua->signaller, TRUE);
}

static void
emit_description (GstIceSipCall *self, const gchar *type, const gchar *sdp)
{
  if (self->ua->signaller != NULL && self->state != GST_ICE_SIP_CALL_OVER)
    gst_ice_signaller_emit_description (self->ua->signaller, type, sdp);
}

/* RFC 3261 13.2.2.1: somewhere it rings. One phone may tell what it would
 * answer, and then another one picks up. */
static void
handle_provisional (GstIceSipCall *self, const sip_t *sip)
{
  g_autofree gchar *sdp = gst_ice_sip_get_sdp (sip);
  const gchar *tag = sip->sip_to != NULL ? sip->sip_to->a_tag : NULL;

  if (self->state == GST_ICE_SIP_CALL_CALLING) {
    self->state = GST_ICE_SIP_CALL_RINGING;
    wait_for_peer (self, self->ua->settings->ring_timeout);
  }
  gst_ice_sip_call_learn (self, sip);
  if (sip->sip_rseq != NULL)
    self->dialog = TRUE;
  if (sdp != NULL && tag != NULL && self->early_tag == NULL) {
    self->early_tag = g_strdup (tag);
    self->early_sdp = g_strdup (sdp);
    /* RFC 3262 5: what is said reliably is the answer. */
    if (sip->sip_rseq != NULL) {
      self->agreed = TRUE;
      self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
    }
    emit_description (self, self->agreed ? "answer" : "pranswer", sdp);
  }
  gst_ice_sip_call_send_candidates (self);
}

/* Another phone picked up than the one that our credentials are spent on: it
 * gets new ones, by an offer of its own (RFC 8839 7). */
static void
begin_again (GstIceSipCall *self)
{
  GST_INFO ("another phone picked up");
  self->agreed = FALSE;
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  if (self->ua->signaller != NULL)
    gst_ice_signaller_emit_ready (self->ua->signaller, TRUE);
}

static void
take_answer (GstIceSipCall *self, const gchar *sdp)
{
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  if (sdp != NULL) {
    emit_description (self, "answer", sdp);
    self->agreed = TRUE;
  } else if (self->ua->signaller != NULL) {
    gst_ice_signaller_emit_rejected (self->ua->signaller, "not-acceptable",
        "The peer takes the call and says nothing of media");
  }
}

static void
handle_established (GstIceSipCall *self, const sip_t *sip)
{
  const gboolean first = self->state != GST_ICE_SIP_CALL_ESTABLISHED;
  const gchar *tag = sip->sip_to != NULL ? sip->sip_to->a_tag : NULL;
  g_autofree gchar *sdp = gst_ice_sip_get_sdp (sip);

  gst_ice_sip_call_learn (self, sip);
  self->dialog = TRUE;
  gst_ice_sip_call_establish (self);
  if (first && self->early_tag != NULL && g_strcmp0 (tag, self->early_tag) != 0)
    begin_again (self);
  else if (self->exchange == GST_ICE_SIP_EXCHANGE_SENT &&
      !(first && self->agreed))
    take_answer (self, sdp != NULL ? sdp : first ? self->early_sdp : NULL);
  gst_ice_sip_call_send_candidates (self);
  if (self->exchange == GST_ICE_SIP_EXCHANGE_DELAYED && self->later == NULL &&
      self->state != GST_ICE_SIP_CALL_OVER)
    retry_later (self);
}

/* The first INVITE came to nothing. */
static void
fail (GstIceSipCall *self, gint status, const gchar *phrase, const sip_t *sip)
{
  g_autoptr (GstIceSipUa) ua = gst_ice_sip_ua_ref (self->ua);
  g_autofree gchar *said = gst_ice_sip_clean (phrase);
  g_autofree gchar *text = g_strdup_printf ("%s %s (%d %s)", self->peer,
      gst_ice_sip_outcome_does (status), status, said);
  const gboolean answered = self->state == GST_ICE_SIP_CALL_RINGING;

  close_call (self);
  nua_handle_destroy (g_steal_pointer (&self->handle));
  if (status == 401 || status == 407)
    return;
  if (sip == NULL || (!answered && (status == 503 || status == 408)))
    gst_ice_sip_ua_emit_unreachable (ua, status, phrase);
  else if (ua->signaller != NULL)
    gst_ice_signaller_emit_rejected (
        ua->signaller, gst_ice_sip_outcome_word (status), text);
}

void
gst_ice_sip_call_lose (GstIceSipCall *self, gint status, const gchar *phrase)
{
  if (self->state == GST_ICE_SIP_CALL_OVER)
    return;
  if (self->state < GST_ICE_SIP_CALL_INCOMING)
    fail (self, status >= 300 ? status : 500, phrase, NULL);
  else
    gst_ice_sip_call_end (self, "lost");
}

/* A later one. */
static void
handle_refusal (GstIceSipCall *self, gint status, const gchar *phrase)
{
  g_autofree gchar *said = gst_ice_sip_clean (phrase);
  g_autofree gchar *text = g_strdup_printf ("%s (%d)", said, status);

  /* It was taken back for one of theirs. */
  if (self->exchange != GST_ICE_SIP_EXCHANGE_SENT)
    return;
  if (status == 491 || status == 500) {
    retry_later (self);
    return;
  }
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  /* RFC 3261 12.2.1.2: the peer does not know of the dialog, or is gone. */
  if (status == 481 || status == 408 || status == 503) {
    nua_bye (self->handle, TAG_END ());
    gst_ice_sip_call_end (self, "lost");
  } else if (self->ua->signaller != NULL) {
    gst_ice_signaller_emit_rejected (
        self->ua->signaller, gst_ice_sip_outcome_word (status), text);
  }
}

static void
handle_offer_response (
    GstIceSipCall *self, gint status, const gchar *phrase, const sip_t *sip)
{
  const gboolean first = self->state < GST_ICE_SIP_CALL_INCOMING;

  self->heard = TRUE;
  if (status == 100 && g_str_has_prefix (phrase, "Redirected")) {
    /* RFC 3261 26.3.2.2: a redirection may lead to where no TLS is. Sofia 1.12
     * follows it before it tells. */
    give_up (self, "redirected", "The SIP server sends the call elsewhere");
  } else if (status == 100) {
    wait_for_peer (self, self->ua->settings->ring_timeout);
  } else if (status < 200 && sip != NULL) {
    handle_provisional (self, sip);
  } else if (status < 300 && sip != NULL) {
    handle_established (self, sip);
  } else if ((status == 401 || status == 407) &&
      gst_ice_sip_ua_authenticate (
          self->ua, self->handle, sip, &self->n_challenges)) {
    GST_DEBUG ("asked for a password");
  } else if (status >= 200 && self->state != GST_ICE_SIP_CALL_OVER) {
    if (first)
      fail (self, status, phrase, sip);
    else
      handle_refusal (self, status, phrase);
  }
}

static void
handle_update_response (
    GstIceSipCall *self, gint status, const gchar *phrase, const sip_t *sip)
{
  g_autofree gchar *sdp = sip != NULL ? gst_ice_sip_get_sdp (sip) : NULL;

  if (status < 200 || self->exchange != GST_ICE_SIP_EXCHANGE_SENT)
    return;
  if (status >= 300) {
    handle_refusal (self, status, phrase);
    return;
  }
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  if (sdp != NULL)
    emit_description (self, "answer", sdp);
}

static void
handle_options_response (GstIceSipCall *self, gint status)
{
  if (status >= 200)
    handle_asked (self);
  if (status != 408 && status != 481 && status != 503)
    return;
  GST_INFO ("%s does not answer any more (%d)", self->peer, status);
  nua_bye (self->handle, TAG_END ());
  gst_ice_sip_call_end (self, "lost");
}

void
gst_ice_sip_call_handle_response (GstIceSipCall *self, nua_event_t event,
    gint status, const gchar *phrase, const sip_t *sip)
{
  if (self->state == GST_ICE_SIP_CALL_OVER)
    return;
  switch (event) {
    case nua_r_invite:
      handle_offer_response (self, status, phrase, sip);
      break;
    case nua_r_update:
      handle_update_response (self, status, phrase, sip);
      break;
    case nua_r_info:
      handle_info_response (self, status);
      break;
    default:
      handle_options_response (self, status);
      break;
  }
}
