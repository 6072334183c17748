/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "private.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/tport_tag.h>
#include <string.h>

#include "outcome.h"

#define GST_CAT_DEFAULT gst_ice_sip_debug

/* The largest description, and headers (threats: 64 KiB each). */
#define MAX_MESSAGE (128 * 1024)
/* The process may end right after its BYE: a peer that is awake takes it. */
#define BYE_FLUSH_MS 300
/* RFC 3261 22.1: a challenge whose nonce is stale is answered again; a server
 * that finds no nonce fresh is not worth more. */
#define MAX_CHALLENGES 3

/* Others that connect at the same time, and whose connection is not the one
 * that was closed, get an answer within this. */
#define CLOSED_MS 300

static guint root_depth;   /* of callbacks */
static GPtrArray *running; /* (owned) (element-type GstIceSipUa) */

void
gst_ice_sip_settings_free (GstIceSipSettings *self)
{
  gst_ice_sip_place_free (self->place);
  g_free (self->local_address);
  g_free (self->proxy);
  g_free (self->ca_file);
  g_free (self->certificate_file);
  g_free (self);
}

/* Sources */

static gboolean
dispatch (gpointer data)
{
  return G_SOURCE_REMOVE;
}

GSource *
gst_ice_sip_attach (guint ms, GSourceFunc func, gpointer data)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, gst_ice_signaller_get_main_context ());
  return source;
}

void
gst_ice_sip_clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* Life */

GstIceSipUa *
gst_ice_sip_ua_ref (GstIceSipUa *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
gst_ice_sip_ua_unref (GstIceSipUa *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  gst_ice_sip_remove_certificates (self);
  gst_ice_sip_settings_free (self->settings);
  g_free (self->identity);
  g_free (self->from);
  g_free (self);
}

/* Errors */

void
gst_ice_sip_ua_emit_error (
    GstIceSipUa *self, GstIceError code, const gchar *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;

  if (self->signaller == NULL)
    return;
  va_start (args, format);
  error = g_error_new_valist (GST_ICE_ERROR, code, format, args);
  va_end (args);
  gst_ice_signaller_emit_error (self->signaller, error);
}

void
gst_ice_sip_ua_emit_unreachable (
    GstIceSipUa *self, guint status, const gchar *phrase)
{
  g_autofree gchar *place = gst_ice_sip_place_describe (self->settings->place);
  g_autofree gchar *said = gst_ice_sip_clean (phrase);
  const gchar *complaint = gst_ice_sip_get_tls_complaint ();
  const gchar *where =
      self->settings->proxy != NULL ? self->settings->proxy : place;

  if (complaint != NULL && self->settings->place->secure)
    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_TLS_UNTRUSTED,
        "The certificate of the SIP server %s is not trusted (%s); set "
        "“ca-file” to the authority that issued it, and name the server as "
        "the certificate does",
        where, complaint);
  else if (status == 408)
    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_NOT_FOUND,
        "No answer from the SIP server %s; is it there, and does a firewall "
        "let us through?",
        where);
  else
    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_NOT_FOUND,
        "The SIP server %s cannot be reached (%u %s); check host, port and "
        "“transport=udp”, “tcp” or “tls”",
        where, status, said);
}

/* Digest (RFC 3261 22) */

/* (transfer full) (nullable) the realm with its quotes; no Basic, which would
 * give the password away (RFC 3261 22). */
static gchar *
find_realm (const sip_t *sip, gboolean *ret_stale)
{
  const msg_auth_t *challenge = sip->sip_www_authenticate != NULL
      ? sip->sip_www_authenticate
      : sip->sip_proxy_authenticate;

  for (; challenge != NULL; challenge = challenge->au_next) {
    const gchar *realm, *stale;

    if (g_ascii_strcasecmp (challenge->au_scheme, "Digest") != 0)
      continue;
    realm = msg_params_find (challenge->au_params, "realm=");
    stale = msg_params_find (challenge->au_params, "stale=");
    *ret_stale = stale != NULL && g_ascii_strcasecmp (stale, "true") == 0;
    if (realm != NULL && *realm == '"')
      return g_strdup (realm);
  }
  return NULL;
}

gboolean
gst_ice_sip_ua_authenticate (GstIceSipUa *self, nua_handle_t *handle,
    const sip_t *sip, guint *n_challenges)
{
  const GstIceSipPlace *place = self->settings->place;
  g_autofree gchar *where = gst_ice_sip_place_describe (place);
  g_autofree gchar *realm = NULL, *credentials = NULL;
  gboolean stale = FALSE;

  realm = sip != NULL ? find_realm (sip, &stale) : NULL;
  if (realm == NULL) {
    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_TURN_AUTH,
        "The SIP server %s wants to know who we are in a way that is not "
        "known here; Digest is",
        where);
    return FALSE;
  }
  if (place->username == NULL || place->password == NULL) {
    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_TURN_AUTH,
        "The SIP server %s asks for a password; add "
        "?user=NAME&password=... to the URI, or set “username” and "
        "“password”",
        where);
    return FALSE;
  }
  if ((*n_challenges > 0 && !stale) || *n_challenges >= MAX_CHALLENGES) {
    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_TURN_AUTH,
        "The SIP server %s does not take the password of “%s”", where,
        place->username);
    return FALSE;
  }
  (*n_challenges)++;
  credentials = g_strdup_printf (
      "Digest:%s:%s:%s", realm, place->username, place->password);
  nua_authenticate (handle, NUTAG_AUTH (credentials), TAG_END ());
  return TRUE;
}

/* RFC 3261 20: in brackets, or parameters would be those of the header. */
gchar *
gst_ice_sip_name_address (const gchar *uri)
{
  return uri != NULL ? g_strdup_printf ("<%s>", uri) : NULL;
}

/* Registration (RFC 3261 10) */

static void
emit_ready (GstIceSipUa *self, gboolean offerer)
{
  if (self->signaller != NULL)
    gst_ice_signaller_emit_ready (self->signaller, offerer);
}

static void
handle_registration (
    GstIceSipUa *self, gint status, const gchar *phrase, const sip_t *sip)
{
  const gboolean first = !self->registered;

  if (status < 200)
    return;
  gst_ice_sip_clear_source (&self->patience);
  if (status == 401 || status == 407) {
    gst_ice_sip_ua_authenticate (
        self, self->registration, sip, &self->n_challenges);
    return;
  }
  self->n_challenges = 0;
  if (status < 300) {
    self->registered = TRUE;
    if (first) {
      GST_INFO ("registered as %s", self->identity);
      emit_ready (self, FALSE);
    }
  } else if (sip == NULL || status == 503 || status == 408) {
    gst_ice_sip_ua_emit_unreachable (self, status, phrase);
  } else if (status == 403) {
    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_TURN_AUTH,
        "The SIP server does not let %s register; check user and password",
        self->identity);
  } else {
    g_autofree gchar *said = gst_ice_sip_clean (phrase);

    gst_ice_sip_ua_emit_error (self, GST_ICE_ERROR_NOT_FOUND,
        "%s could not be registered (%d %s)", self->identity, status, said);
  }
}

static gboolean
on_registration_silence (gpointer data)
{
  GstIceSipUa *self = data;

  gst_ice_sip_clear_source (&self->patience);
  gst_ice_sip_ua_emit_unreachable (self, 408, "Request Timeout");
  return G_SOURCE_REMOVE;
}

static void
start_registration (GstIceSipUa *self)
{
  g_autofree gchar *registrar =
      gst_ice_sip_place_get_registrar (self->settings->place);
  g_autofree gchar *expires = g_strdup_printf ("%u", self->settings->expires);

  self->registration =
      nua_handle (self->nua, NULL, SIPTAG_TO_STR (self->identity),
          SIPTAG_FROM_STR (self->identity), NUTAG_URL (registrar), TAG_END ());
  nua_register (self->registration, SIPTAG_EXPIRES_STR (expires),
      NUTAG_M_USERNAME (self->settings->place->user), TAG_END ());
  self->patience = gst_ice_sip_attach (
      self->settings->timeout * 1000, on_registration_silence, self);
}

/* Connections */

static gboolean
is_waiting (GstIceSipUa *self)
{
  return self->patience != NULL ||
      (self->call != NULL && self->call->outgoing && !self->call->heard);
}

static gboolean
on_closed (gpointer data)
{
  g_autoptr (GstIceSipUa) self = gst_ice_sip_ua_ref (data);

  gst_ice_sip_clear_source (&self->closed);
  if (!is_waiting (self))
    return G_SOURCE_REMOVE;
  gst_ice_sip_clear_source (&self->patience);
  if (self->call != NULL)
    gst_ice_sip_call_hang_up (self->call, 480);
  gst_ice_sip_ua_emit_unreachable (
      self, 503, "the connection was closed while TLS was set up");
  return G_SOURCE_REMOVE;
}

void
gst_ice_sip_ua_connection_closed (void)
{
  guint i;

  for (i = 0; running != NULL && i < running->len; i++) {
    GstIceSipUa *self = g_ptr_array_index (running, i);

    if (self->settings->place->secure && is_waiting (self) &&
        self->closed == NULL)
      self->closed = gst_ice_sip_attach (CLOSED_MS, on_closed, self);
    if (self->call != NULL)
      gst_ice_sip_call_ask (self->call);
  }
}

/* Events of sofia */

static void
handle_invite (GstIceSipUa *self, GstIceSipCall *call, nua_handle_t *handle,
    const sip_t *sip)
{
  const GstIceSipPlace *place = self->settings->place;

  if (call == NULL) {
    if (self->signaller == NULL || (!place->listen && !place->registers)) {
      nua_respond (handle, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END ());
      return;
    }
    if (self->call != NULL) {
      nua_respond (handle, SIP_486_BUSY_HERE, TAG_END ());
      return;
    }
    call = self->call = gst_ice_sip_call_new (self, handle, FALSE);
  }
  gst_ice_sip_call_handle_invite (call, sip);
}

/* RFC 3261 13.2.2.4: more than one phone took the call; the first one has it,
 * the others are told. */
static void
handle_fork (tagi_t *tags)
{
  nua_handle_t *other = NULL;

  tl_gets (tags, NUTAG_HANDLE_REF (other), TAG_END ());
  if (other == NULL)
    return;
  GST_INFO ("somebody else took the call as well");
  nua_bye (other, TAG_END ());
}

static void
handle_state (
    GstIceSipCall *call, gint status, const gchar *phrase, tagi_t *tags)
{
  gint state = nua_callstate_init;

  tl_gets (tags, NUTAG_CALLSTATE_REF (state), TAG_END ());
  if (state == nua_callstate_terminated)
    gst_ice_sip_call_lose (call, status, phrase);
}

/* A call that was hung up, or forked, is done with. */
static void
handle_forgotten (GstIceSipUa *self, nua_handle_t *handle, tagi_t *tags)
{
  gint state = nua_callstate_init;

  tl_gets (tags, NUTAG_CALLSTATE_REF (state), TAG_END ());
  if (state != nua_callstate_terminated)
    return;
  self->parting = FALSE;
  nua_handle_destroy (handle);
}

static void
handle_event (GstIceSipUa *self, nua_event_t event, gint status,
    const gchar *phrase, nua_handle_t *handle, GstIceSipCall *call,
    const sip_t *sip, tagi_t *tags)
{
  switch (event) {
    case nua_r_register:
      handle_registration (self, status, phrase, sip);
      break;
    case nua_i_invite:
      handle_invite (self, call, handle, sip);
      break;
    case nua_i_fork:
      handle_fork (tags);
      break;
    case nua_r_invite:
      /* It was given up, and answered all the same. */
      if (call == NULL && status >= 200 && status < 300)
        nua_bye (handle, TAG_END ());
      break;
    case nua_i_state:
      if (call == NULL)
        handle_forgotten (self, handle, tags);
      break;
    case nua_i_options:
    case nua_i_message:
    case nua_i_method:
    case nua_i_refer:
    case nua_i_subscribe:
    case nua_i_notify:
      /* Answered by sofia, by what is allowed (RFC 3261 8.2.1, 11.2). */
      if (call == NULL)
        nua_handle_destroy (handle);
      break;
    case nua_i_info:
      if (call == NULL)
        nua_respond (handle, SIP_481_NO_TRANSACTION,
            NUTAG_WITH_THIS (self->nua), TAG_END ());
      else
        gst_ice_sip_call_handle_info (call, sip);
      break;
    case nua_i_update:
      if (call == NULL)
        nua_respond (handle, SIP_481_NO_TRANSACTION,
            NUTAG_WITH_THIS (self->nua), TAG_END ());
      else
        gst_ice_sip_call_handle_update (call, sip);
      break;
    default:
      break;
  }
  if (call == NULL)
    return;
  switch (event) {
    case nua_i_ack:
    case nua_i_prack:
      gst_ice_sip_call_handle_ack (call, sip);
      break;
    case nua_i_bye:
      gst_ice_sip_call_end (call, "bye");
      break;
    case nua_i_cancel:
      gst_ice_sip_call_end (call, "canceled");
      break;
    case nua_i_state:
      handle_state (call, status, phrase, tags);
      break;
    case nua_r_invite:
    case nua_r_update:
    case nua_r_info:
    case nua_r_options:
      gst_ice_sip_call_handle_response (call, event, status, phrase, sip);
      break;
    default:
      break;
  }
}

static void
on_event (nua_event_t event, int status, const char *phrase, nua_t *nua,
    nua_magic_t *magic, nua_handle_t *handle, nua_hmagic_t *hmagic,
    const sip_t *sip, tagi_t tags[])
{
  g_autoptr (GstIceSipUa) self = gst_ice_sip_ua_ref (magic);
  g_autoptr (GstIceSipCall) call =
      hmagic != NULL ? gst_ice_sip_call_ref (hmagic) : NULL;

  GST_DEBUG ("%s: %d %s", nua_event_name (event), status, phrase);
  if (event == nua_r_shutdown) {
    if (status >= 200) {
      nua_destroy (g_steal_pointer (&self->nua));
      gst_ice_sip_ua_unref (self);
    }
    return;
  }
  root_depth++;
  handle_event (self, event, status, phrase, handle, call, sip, tags);
  root_depth--;
}

static gboolean
make_nua (GstIceSipUa *self, GError **error)
{
  const GstIceSipSettings *settings = self->settings;
  g_autofree gchar *url = gst_ice_sip_make_local_url (self);
  const gboolean secure = settings->place->secure;

  self->nua =
      nua_create (gst_ice_sip_get_root (), (nua_callback_f) on_event, self,
          NUTAG_URL (secure ? NULL : url), NUTAG_SIPS_URL (secure ? url : NULL),
          TAG_IF (secure, NUTAG_CERTIFICATE_DIR (self->certificates)),
          /* The newest that both sides have. */
          TAG_IF (secure, TPTAG_TLS_VERSION (0)),
          TAG_IF (secure, TPTAG_TLS_VERIFY_POLICY (TPTLS_VERIFY_SUBJECTS_OUT)),
          TAG_IF (secure, TPTAG_TLS_VERIFY_DATE (1)),
          TAG_IF (settings->proxy != NULL, NUTAG_PROXY (settings->proxy)),
          TAG_IF (self->from != NULL, SIPTAG_FROM_STR (self->from)),
          NUTAG_USER_AGENT ("gst-ice/" VERSION), NUTAG_MEDIA_ENABLE (0),
          NUTAG_AUTOALERT (0), NUTAG_AUTOANSWER (0), NUTAG_AUTOACK (1),
          NUTAG_SESSION_TIMER (0), NUTAG_EARLY_MEDIA (1),
          SIPTAG_ALLOW_STR (GST_ICE_SIP_METHODS), NUTAG_APPL_METHOD ("INFO"),
          NUTAG_APPL_METHOD ("UPDATE"),
          SIPTAG_SUPPORTED_STR ("100rel, trickle-ice"),
          NTATAG_MAXSIZE (MAX_MESSAGE), TPTAG_LOG (0), TAG_END ());
  if (self->nua == NULL)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
        "Cannot wait for SIP messages at %s: is the address one of this host, "
        "and the port free?",
        url);
  return self->nua != NULL;
}

GstIceSipUa *
gst_ice_sip_ua_new (
    GstIceSignaller *signaller, GstIceSipSettings *settings, GError **error)
{
  g_autoptr (GstIceSipUa) self = g_new0 (GstIceSipUa, 1);

  g_atomic_ref_count_init (&self->refs);
  self->settings = settings;
  self->identity = gst_ice_sip_place_get_identity (settings->place);
  self->from = gst_ice_sip_name_address (self->identity);
  if (!gst_ice_sip_make_root (error) ||
      (settings->place->secure &&
          !gst_ice_sip_make_certificates (self, error)) ||
      !make_nua (self, error))
    return NULL;
  self->signaller = g_object_ref (signaller);
  if (running == NULL)
    running = g_ptr_array_new ();
  g_ptr_array_add (running, self);
  return g_steal_pointer (&self);
}

void
gst_ice_sip_ua_go (GstIceSipUa *self)
{
  const GstIceSipPlace *place = self->settings->place;

  if (place->registers)
    start_registration (self);
  else
    emit_ready (self, !place->listen);
}

void
gst_ice_sip_ua_stop (GstIceSipUa *self)
{
  GMainContext *context = gst_ice_signaller_get_main_context ();
  g_autoptr (GstIceSipUa) guard = gst_ice_sip_ua_ref (self);
  const gint64 deadline =
      g_get_monotonic_time () + BYE_FLUSH_MS * G_TIME_SPAN_MILLISECOND;
  GSource *alarm;

  g_clear_object (&self->signaller);
  g_ptr_array_remove (running, self);
  gst_ice_sip_clear_source (&self->patience);
  gst_ice_sip_clear_source (&self->closed);
  if (self->call != NULL)
    gst_ice_sip_call_hang_up (self->call, 480);
  self->parting = self->parting || self->registered;
  /* Ends registrations, too; the last word is nua_r_shutdown. */
  nua_shutdown (self->nua);
  /* What sofia is to do waits in its loop, which is not entered twice. */
  if (root_depth > 0)
    return;
  alarm = gst_ice_sip_attach (BYE_FLUSH_MS, dispatch, NULL);
  while (
      self->parting && self->nua != NULL && g_get_monotonic_time () < deadline)
    g_main_context_iteration (context, TRUE);
  gst_ice_sip_clear_source (&alarm);
}

/* The session's words */

void
gst_ice_sip_ua_send_description (
    GstIceSipUa *self, const gchar *type, const gchar *sdp)
{
  g_autoptr (GstIceSipCall) call = NULL;

  if (self->call == NULL && g_str_equal (type, "offer") &&
      !self->settings->place->listen && !self->settings->place->registers)
    self->call = gst_ice_sip_call_new (self, NULL, TRUE);
  if (self->call == NULL)
    return;
  call = gst_ice_sip_call_ref (self->call);
  gst_ice_sip_trickle_describe (call->trickle, sdp);
  g_free (call->local_sdp);
  call->local_sdp = g_strdup (sdp);
  if (g_str_equal (type, "offer"))
    gst_ice_sip_call_send_offer (call, sdp);
  else
    gst_ice_sip_call_send_answer (call, sdp);
}

void
gst_ice_sip_ua_send_candidate (GstIceSipUa *self, const gchar *mid,
    const gchar *candidate, const gchar *ufrag)
{
  if (self->call == NULL)
    return;
  gst_ice_sip_trickle_add (self->call->trickle, mid, candidate, ufrag);
  gst_ice_sip_call_send_candidates (self->call);
}

void
gst_ice_sip_ua_send_reject (
    GstIceSipUa *self, const gchar *reason, const gchar *text)
{
  g_autoptr (GstIceSipCall) call =
      self->call != NULL ? gst_ice_sip_call_ref (self->call) : NULL;

  if (call != NULL)
    gst_ice_sip_call_reject (call, reason, text);
}

/* RFC 3261 13.2.2.4: an answer that cannot be taken is acknowledged, and the
 * call is over. A later one leaves things as they were. */
void
gst_ice_sip_ua_send_error (GstIceSipUa *self)
{
  g_autoptr (GstIceSipCall) call =
      self->call != NULL ? gst_ice_sip_call_ref (self->call) : NULL;

  if (call != NULL && !call->agreed)
    gst_ice_sip_call_hang_up (call, 488);
}

void
gst_ice_sip_ua_send_bye (GstIceSipUa *self, const gchar *reason)
{
  g_autoptr (GstIceSipCall) call =
      self->call != NULL ? gst_ice_sip_call_ref (self->call) : NULL;

  if (call != NULL)
    gst_ice_sip_call_hang_up (call, gst_ice_sip_outcome_status (reason));
}

gboolean
gst_ice_sip_ua_can_trickle (GstIceSipUa *self)
{
  return self->call != NULL && self->call->trickles;
}

void
gst_ice_sip_ua_forget_call (GstIceSipUa *self, GstIceSipCall *call)
{
  if (self->call != call)
    return;
  self->call = NULL;
  gst_ice_sip_call_unref (call);
}
