/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "private.h"

#include <string.h>

#include "outcome.h"

#define GST_CAT_DEFAULT gst_ice_sip_debug

gchar *
gst_ice_sip_get_sdp (const sip_t *sip)
{
  if (sip->sip_payload == NULL || sip->sip_payload->pl_len == 0)
    return NULL;
  /* RFC 3261 20.15 */
  if (sip->sip_content_type != NULL &&
      g_ascii_strcasecmp (sip->sip_content_type->c_type, "application/sdp") !=
          0)
    return NULL;
  if (memchr (sip->sip_payload->pl_data, '\0', sip->sip_payload->pl_len) !=
      NULL)
    return NULL;
  return g_strndup (sip->sip_payload->pl_data, sip->sip_payload->pl_len);
}

static void
emit_offer (GstIceSipCall *self, const gchar *sdp)
{
  if (self->ua->signaller != NULL)
    gst_ice_signaller_emit_description (self->ua->signaller, "offer", sdp);
}

/* INVITE */

static gboolean
on_unanswered (gpointer data)
{
  g_autoptr (GstIceSipCall) self = gst_ice_sip_call_ref (data);

  nua_respond (self->handle, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END ());
  gst_ice_sip_call_end (self, "no-answer");
  return G_SOURCE_REMOVE;
}

static void
handle_first (GstIceSipCall *self, const sip_t *sip, const gchar *sdp)
{
  g_autofree gchar *peer =
      sip->sip_from != NULL ? url_as_string (NULL, sip->sip_from->a_url) : NULL;

  self->peer = gst_ice_sip_clean (peer);
  GST_INFO ("%s calls", self->peer);
  nua_respond (self->handle, SIP_180_RINGING, TAG_END ());
  self->patience = gst_ice_sip_attach (
      self->ua->settings->ring_timeout * 1000, on_unanswered, self);
  self->told = TRUE;
  if (self->ua->signaller != NULL)
    gst_ice_signaller_emit_peer (self->ua->signaller, TRUE);
  if (self->state == GST_ICE_SIP_CALL_OVER)
    return;
  if (sdp != NULL) {
    self->exchange = GST_ICE_SIP_EXCHANGE_INVITED;
    emit_offer (self, sdp);
  } else {
    self->exchange = GST_ICE_SIP_EXCHANGE_WANTED;
    if (self->ua->signaller != NULL)
      gst_ice_signaller_emit_ready (self->ua->signaller, TRUE);
  }
}

/* What o= says, by which sessions decide whose offer stays (RFC 8829 4.1.10.2);
 * theirs need not come so far. */
static guint64
session_id_of (const gchar *sdp)
{
  const gchar *origin = strstr (sdp, "o=");
  const gchar *id = origin != NULL ? strchr (origin, ' ') : NULL;

  return id != NULL ? g_ascii_strtoull (id + 1, NULL, 10) : 0;
}

static gboolean
ours_stays (GstIceSipCall *self, const gchar *sdp)
{
  /* SENT, too: it waits in sofia's queue behind theirs, which is here. */
  return (self->exchange == GST_ICE_SIP_EXCHANGE_DELAYED ||
             self->exchange == GST_ICE_SIP_EXCHANGE_SENT) &&
      session_id_of (self->local_sdp) > session_id_of (sdp);
}

void
gst_ice_sip_call_handle_invite (GstIceSipCall *self, const sip_t *sip)
{
  g_autofree gchar *sdp = gst_ice_sip_get_sdp (sip);

  gst_ice_sip_call_learn (self, sip);
  if (sdp == NULL && sip->sip_payload != NULL && sip->sip_payload->pl_len > 0) {
    /* RFC 3261 8.2.3 */
    nua_respond (self->handle, SIP_415_UNSUPPORTED_MEDIA,
        SIPTAG_ACCEPT_STR ("application/sdp"), TAG_END ());
    if (self->peer == NULL)
      gst_ice_sip_call_end (self, "not-acceptable");
  } else if (self->peer == NULL) {
    handle_first (self, sip, sdp);
  } else if (sdp == NULL && self->local_sdp != NULL) {
    /* RFC 4028: the session is refreshed. What we are is what we offer, and
     * the answer brings nothing new. */
    nua_respond (self->handle, SIP_200_OK,
        SIPTAG_CONTENT_TYPE_STR ("application/sdp"),
        SIPTAG_PAYLOAD_STR (self->local_sdp), TAG_END ());
  } else if (sdp == NULL) {
    nua_respond (self->handle, SIP_488_NOT_ACCEPTABLE, TAG_END ());
  } else if (ours_stays (self, sdp)) {
    nua_respond (self->handle, SIP_491_REQUEST_PENDING, TAG_END ());
  } else {
    self->exchange = GST_ICE_SIP_EXCHANGE_INVITED;
    emit_offer (self, sdp);
  }
}

void
gst_ice_sip_call_handle_ack (GstIceSipCall *self, const sip_t *sip)
{
  g_autofree gchar *sdp = sip != NULL ? gst_ice_sip_get_sdp (sip) : NULL;

  self->dialog = TRUE;
  if (self->exchange == GST_ICE_SIP_EXCHANGE_ANSWERED &&
      self->state == GST_ICE_SIP_CALL_ESTABLISHED) {
    self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
    if (sdp != NULL && self->ua->signaller != NULL)
      gst_ice_signaller_emit_description (self->ua->signaller, "answer", sdp);
  }
  gst_ice_sip_call_send_candidates (self);
}

/* UPDATE (RFC 3311) */

static void
answer_update (
    GstIceSipCall *self, gint status, const gchar *phrase, const gchar *sdp)
{
  nua_respond (self->handle, status, phrase, NUTAG_WITH_SAVED (self->update),
      TAG_IF (sdp != NULL, SIPTAG_CONTENT_TYPE_STR ("application/sdp")),
      TAG_IF (sdp != NULL, SIPTAG_PAYLOAD_STR (sdp)), TAG_END ());
  nua_destroy_event (self->update);
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
}

void
gst_ice_sip_call_handle_update (GstIceSipCall *self, const sip_t *sip)
{
  g_autofree gchar *sdp = gst_ice_sip_get_sdp (sip);
  nua_t *nua = self->ua->nua;

  gst_ice_sip_call_learn (self, sip);
  if (sdp == NULL) {
    nua_respond (self->handle, SIP_200_OK, NUTAG_WITH_THIS (nua), TAG_END ());
  } else if (self->exchange != GST_ICE_SIP_EXCHANGE_NONE) {
    /* RFC 3311 5.2 */
    nua_respond (self->handle, SIP_491_REQUEST_PENDING, NUTAG_WITH_THIS (nua),
        TAG_END ());
  } else if (nua_save_event (nua, self->update)) {
    self->exchange = GST_ICE_SIP_EXCHANGE_UPDATED;
    emit_offer (self, sdp);
  }
}

/* Answers of ours */

static gboolean
on_answer_due (gpointer data)
{
  GstIceSipCall *self = data;

  gst_ice_sip_clear_source (&self->answer_due);
  if (self->state != GST_ICE_SIP_CALL_INCOMING)
    return G_SOURCE_REMOVE;
  /* RFC 3262 5: what was said reliably is not said again. */
  nua_respond (self->handle, SIP_200_OK,
      TAG_IF (!self->may_prack, SIPTAG_CONTENT_TYPE_STR ("application/sdp")),
      TAG_IF (!self->may_prack, SIPTAG_PAYLOAD_STR (self->local_sdp)),
      TAG_END ());
  gst_ice_sip_call_establish (self);
  return G_SOURCE_REMOVE;
}

/* ICE has time while it rings. */
static void
answer_early (GstIceSipCall *self, const gchar *sdp)
{
  nua_respond (self->handle, SIP_183_SESSION_PROGRESS,
      TAG_IF (self->may_prack, SIPTAG_REQUIRE_STR ("100rel")),
      SIPTAG_HEADER_STR ("Recv-Info: " GST_ICE_SIP_TRICKLE_PACKAGE),
      SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR (sdp),
      TAG_END ());
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  self->answer_due = gst_ice_sip_attach (
      self->ua->settings->answer_delay, on_answer_due, self);
}

void
gst_ice_sip_call_send_answer (GstIceSipCall *self, const gchar *sdp)
{
  const gboolean first = self->state == GST_ICE_SIP_CALL_INCOMING;

  if (self->exchange == GST_ICE_SIP_EXCHANGE_UPDATED) {
    answer_update (self, SIP_200_OK, sdp);
    return;
  }
  if (self->exchange != GST_ICE_SIP_EXCHANGE_INVITED)
    return;
  if (first && self->ua->settings->answer_delay > 0) {
    answer_early (self, sdp);
    return;
  }
  nua_respond (self->handle, SIP_200_OK,
      SIPTAG_HEADER_STR ("Recv-Info: " GST_ICE_SIP_TRICKLE_PACKAGE),
      SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR (sdp),
      TAG_END ());
  self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  gst_ice_sip_clear_source (&self->later);
  gst_ice_sip_call_establish (self);
}

void
gst_ice_sip_call_reject (
    GstIceSipCall *self, const gchar *reason, const gchar *text)
{
  const guint status = gst_ice_sip_outcome_status (reason);
  const gchar *phrase = gst_ice_sip_outcome_phrase (status);

  if (self->exchange == GST_ICE_SIP_EXCHANGE_UPDATED) {
    answer_update (self, status, phrase, NULL);
  } else if (self->state == GST_ICE_SIP_CALL_INCOMING) {
    self->told = FALSE;
    nua_respond (self->handle, status, phrase, TAG_END ());
    gst_ice_sip_call_end (self, reason);
  } else if (self->exchange == GST_ICE_SIP_EXCHANGE_INVITED) {
    nua_respond (self->handle, status, phrase, TAG_END ());
    self->exchange = GST_ICE_SIP_EXCHANGE_NONE;
  }
}

/* INFO (RFC 6086, RFC 8840 10) */

static const gchar *
find_package (const sip_t *sip)
{
  const sip_unknown_t *unknown;

  for (unknown = sip->sip_unknown; unknown; unknown = unknown->un_next)
    if (g_ascii_strcasecmp (unknown->un_name, "Info-Package") == 0)
      return unknown->un_value;
  return NULL;
}

static void
take_candidate (const gchar *mid, guint mline_index, const gchar *candidate,
    const gchar *ufrag, gpointer user_data)
{
  GstIceSipCall *self = user_data;

  if (self->ua->signaller != NULL && self->state != GST_ICE_SIP_CALL_OVER)
    gst_ice_signaller_emit_candidate (
        self->ua->signaller, mid, mline_index, candidate, ufrag);
}

static gint
take_info (GstIceSipCall *self, const sip_t *sip, const gchar **ret_phrase)
{
  const gchar *package = find_package (sip), *reason;
  const sip_payload_t *body = sip->sip_payload;

  /* RFC 6086 4.2.2 */
  *ret_phrase = "Bad Info Package";
  if (package != NULL &&
      g_ascii_strcasecmp (package, GST_ICE_SIP_TRICKLE_PACKAGE) != 0)
    return 469;
  *ret_phrase = "Unsupported Media Type";
  if (package == NULL)
    return body != NULL && body->pl_len > 0 ? 415 : 200;
  if (sip->sip_content_type == NULL ||
      g_ascii_strcasecmp (
          sip->sip_content_type->c_type, GST_ICE_SIP_TRICKLE_TYPE) != 0)
    return 415;
  *ret_phrase = "Bad Request";
  if (body == NULL)
    return 400;
  reason = gst_ice_sip_trickle_take (
      self->trickle, body->pl_data, body->pl_len, take_candidate, self);
  if (reason != NULL)
    GST_INFO ("candidates in an INFO are refused: %s", reason);
  return reason != NULL ? 400 : 200;
}

void
gst_ice_sip_call_handle_info (GstIceSipCall *self, const sip_t *sip)
{
  nua_handle_t *handle = self->handle;
  nua_saved_event_t saved[1];
  const gchar *phrase;
  gint status;

  if (!nua_save_event (self->ua->nua, saved))
    return;
  status = take_info (self, sip, &phrase);
  if (self->state != GST_ICE_SIP_CALL_OVER)
    nua_respond (handle, status, status == 200 ? "OK" : phrase,
        NUTAG_WITH_SAVED (saved),
        TAG_IF (status == 469,
            SIPTAG_HEADER_STR ("Recv-Info: " GST_ICE_SIP_TRICKLE_PACKAGE)),
        TAG_END ());
  nua_destroy_event (saved);
}
