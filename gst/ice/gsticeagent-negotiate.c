/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticenegotiation-private.h"

#include "base/crypto.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticestream-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

static void
mline_free (GstIceMline *self)
{
  gst_clear_object (&self->stream);
  g_free (self->mid);
  gst_clear_caps (&self->caps);
  gst_clear_caps (&self->sent);
  g_free (self);
}

void
gst_ice_negotiation_init (GstIceNegotiation *self)
{
  g_mutex_init (&self->lock);
  self->mlines = g_ptr_array_new_with_free_func ((GDestroyNotify) mline_free);
  g_queue_init (&self->early);
  /* RFC 8829 5.2.1: 64 random bits, the highest one 0. */
  ice_random_bytes ((guint8 *) &self->session_id, sizeof self->session_id);
  self->session_id &= G_MAXINT64;
}

void
gst_ice_negotiation_clear (GstIceNegotiation *self)
{
  g_queue_clear_full (
      &self->early, (GDestroyNotify) gst_ice_early_candidate_free);
  g_clear_pointer (&self->remote, gst_ice_description_free);
  g_ptr_array_unref (self->mlines);
  g_clear_pointer (&self->mlines_before, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
}

/* M-lines */

static void
add_mline (GstIceNegotiation *self, GstIceStream *stream, const gchar *mid,
    GstCaps *caps)
{
  GstIceMline *mline = g_new0 (GstIceMline, 1);

  mline->stream = stream ? gst_object_ref (stream) : NULL;
  mline->mid = g_strdup (mid);
  mline->caps = caps ? gst_caps_ref (caps) : NULL;
  g_ptr_array_add (self->mlines, mline);
}

static void
number_streams (GstIceNegotiation *self)
{
  for (guint i = 0; i < self->mlines->len; i++) {
    const GstIceMline *mline = self->mlines->pdata[i];

    if (mline->stream)
      gst_ice_stream_set_mline_index (mline->stream, i);
  }
}

static void
forget_stream (GPtrArray *mlines, GstIceStream *stream)
{
  for (guint i = 0; mlines && i < mlines->len; i++) {
    GstIceMline *mline = mlines->pdata[i];

    if (mline->stream == stream)
      gst_clear_object (&mline->stream);
  }
}

void
gst_ice_agent_forget_mline (GstIceAgent *self, GstIceStream *stream)
{
  g_mutex_lock (&self->negotiation.lock);
  forget_stream (self->negotiation.mlines, stream);
  forget_stream (self->negotiation.mlines_before, stream);
  g_mutex_unlock (&self->negotiation.lock);
}

static gboolean
has_mline (const GstIceNegotiation *self, const GstIceStream *stream)
{
  for (guint i = 0; i < self->mlines->len; i++) {
    const GstIceMline *mline = self->mlines->pdata[i];

    if (mline->stream == stream)
      return TRUE;
  }
  return FALSE;
}

static gboolean
waits_for_answer (const GstIceNegotiation *self)
{
  return self->exchange == GST_ICE_EXCHANGE_LOCAL_OFFER ||
      self->exchange == GST_ICE_EXCHANGE_REMOTE_OFFER;
}

/* RFC 8829 4.1.10.2: what a rollback goes back to. */
static void
remember_mlines (GstIceNegotiation *self)
{
  GPtrArray *now = self->mlines;

  if (waits_for_answer (self))
    return;
  g_clear_pointer (&self->mlines_before, g_ptr_array_unref);
  self->mlines = g_ptr_array_new_with_free_func ((GDestroyNotify) mline_free);
  for (guint i = 0; i < now->len; i++) {
    GstIceMline *mline = now->pdata[i];

    add_mline (self, mline->stream, mline->mid, mline->caps);
    if (mline->stream)
      mline->sent = gst_ice_stream_get_local_caps (mline->stream);
  }
  self->mlines_before = now;
}

static void
recall_mlines (GstIceNegotiation *self)
{
  if (!self->mlines_before)
    return;
  g_ptr_array_unref (self->mlines);
  self->mlines = g_steal_pointer (&self->mlines_before);
  for (guint i = 0; i < self->mlines->len; i++) {
    GstIceMline *mline = self->mlines->pdata[i];

    if (mline->stream)
      gst_ice_stream_set_local_caps (mline->stream, mline->sent);
    gst_clear_caps (&mline->sent);
  }
  number_streams (self);
}

/* Those that were agreed stay in their place (RFC 3264 8), new ones follow. */
static void
line_up_streams (GstIceAgent *self)
{
  GstIceNegotiation *negotiation = &self->negotiation;
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);

  if (!negotiation->settled)
    g_ptr_array_set_size (negotiation->mlines, 0);
  for (guint i = 0; i < streams->len; i++) {
    GstIceStream *stream = streams->pdata[i];

    if (!has_mline (negotiation, stream))
      add_mline (negotiation, stream, stream->mid, NULL);
  }
  number_streams (negotiation);
}

static void
describe_refused (GstIceSection *section, const GstIceMline *mline)
{
  section->mid = g_strdup (mline->mid);
  section->rejected = TRUE;
  section->send = section->receive = FALSE;
  if (mline->caps)
    gst_ice_section_set_caps (section, mline->caps, NULL);
}

static GstIceDescription *
new_description (GstIceNegotiation *self)
{
  GstIceDescription *description = gst_ice_description_new ();

  description->session_id = self->session_id;
  description->version = ++self->version;
  return description;
}

/* Offer */

static gchar *
describe_offer (GstIceAgent *self, GError **error)
{
  GstIceNegotiation *negotiation = &self->negotiation;
  g_autoptr (GstIceDescription) offer = new_description (negotiation);

  for (guint i = 0; i < negotiation->mlines->len; i++) {
    GstIceMline *mline = negotiation->mlines->pdata[i];
    GstIceSection *section = gst_ice_description_add_section (offer);

    if (!mline->stream) {
      describe_refused (section, mline);
      continue;
    }
    if (!gst_ice_section_offer (
            section, self, mline->stream, mline->caps, error))
      return NULL;
    gst_caps_replace (&mline->caps, section->caps);
  }
  return gst_ice_description_to_string (offer);
}

static gboolean
may_offer (GstIceAgent *self, GError **error)
{
  gboolean empty;

  if (!gst_ice_agent_check_open (self, error))
    return FALSE;
  if (self->negotiation.exchange == GST_ICE_EXCHANGE_REMOTE_OFFER) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "The peer has made an offer: answer it, or take it back with a "
        "description of type “rollback”");
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  empty = self->streams->len == 0;
  GST_OBJECT_UNLOCK (self);
  if (empty)
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "The agent has no stream to offer: request one first");
  return !empty;
}

/* RFC 8445 6.1.1: the one who offers first controls; later exchanges leave the
 * roles alone. */
static void
decide_role (GstIceAgent *self, gboolean controlling)
{
  if (!self->negotiation.settled)
    gst_ice_agent_decide_role (self, controlling);
}

static void
set_exchange (GstIceNegotiation *self, GstIceExchange exchange)
{
  if (self->exchange == GST_ICE_EXCHANGE_NONE ||
      self->exchange == GST_ICE_EXCHANGE_ANSWERED ||
      self->exchange == GST_ICE_EXCHANGE_DONE)
    self->exchange_before = self->exchange;
  self->exchange = exchange;
  if (!waits_for_answer (self))
    g_clear_pointer (&self->mlines_before, g_ptr_array_unref);
}

/**
 * gst_ice_agent_create_offer:
 * @self: an agent
 * @error: return location for an error
 *
 * Describes this side as an offer (RFC 3264, RFC 8839) and starts gathering.
 * It returns at once with what is known: candidates follow by
 * #GstIceAgent::new-candidate, or are in the offer that is created after
 * #GstIceAgent::gathering-done. Until the answer comes, an offer may be created
 * again.
 *
 * Errors: %GST_ICE_ERROR_CLOSED, %GST_ICE_ERROR_INVALID_STATE when there is no
 * stream or the peer's offer waits for an answer,
 * %GST_ICE_ERROR_INVALID_ARGUMENT when the caps of a stream make no m-line.
 *
 * Returns: (transfer full): the description as text
 */
gchar *
gst_ice_agent_create_offer (GstIceAgent *self, GError **error)
{
  gchar *sdp = NULL;

  g_return_val_if_fail (GST_IS_ICE_AGENT (self), NULL);

  g_mutex_lock (&self->negotiation.lock);
  if (may_offer (self, error)) {
    decide_role (self, TRUE);
    if (!self->negotiation.settled)
      gst_ice_agent_expect_forks (self);
    remember_mlines (&self->negotiation);
    line_up_streams (self);
    gst_ice_agent_gather (self);
    sdp = describe_offer (self, error);
  }
  if (sdp)
    set_exchange (&self->negotiation, GST_ICE_EXCHANGE_LOCAL_OFFER);
  g_mutex_unlock (&self->negotiation.lock);
  return sdp;
}

/* Answer */

static gchar *
describe_answer (GstIceAgent *self)
{
  GstIceNegotiation *negotiation = &self->negotiation;
  g_autoptr (GstIceDescription) answer = new_description (negotiation);

  for (guint i = 0; i < negotiation->remote->sections->len; i++) {
    const GstIceSection *offered = negotiation->remote->sections->pdata[i];
    const GstIceMline *mline = negotiation->mlines->pdata[i];
    GstIceSection *section = gst_ice_description_add_section (answer);

    if (mline->stream && !offered->rejected) {
      gst_ice_section_reply (section, self, mline->stream, offered);
    } else {
      gst_ice_section_answer (section, offered);
      section->rejected = TRUE;
      section->bundled = section->bundle_only = section->bundle_tag = FALSE;
      section->send = section->receive = FALSE;
    }
  }
  return gst_ice_description_to_string (answer);
}

/**
 * gst_ice_agent_create_answer:
 * @self: an agent
 * @error: return location for an error
 *
 * Answers the offer of the peer and starts gathering; returns at once with what
 * is known, as gst_ice_agent_create_offer() does. Sections that fit no stream
 * here, or whose caps have nothing in common with its, are rejected with
 * port 0.
 *
 * Errors: %GST_ICE_ERROR_CLOSED, %GST_ICE_ERROR_INVALID_STATE without an offer.
 *
 * Returns: (transfer full): the description as text
 */
gchar *
gst_ice_agent_create_answer (GstIceAgent *self, GError **error)
{
  GstIceNegotiation *negotiation;
  gchar *sdp = NULL;

  g_return_val_if_fail (GST_IS_ICE_AGENT (self), NULL);

  negotiation = &self->negotiation;
  g_mutex_lock (&negotiation->lock);
  if (!gst_ice_agent_check_open (self, error)) {
    sdp = NULL;
  } else if (negotiation->exchange != GST_ICE_EXCHANGE_REMOTE_OFFER &&
      negotiation->exchange != GST_ICE_EXCHANGE_ANSWERED) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "There is no offer to answer: set the peer's description first");
  } else {
    gst_ice_agent_gather (self);
    sdp = describe_answer (self);
    set_exchange (negotiation, GST_ICE_EXCHANGE_ANSWERED);
    negotiation->settled = TRUE;
  }
  g_mutex_unlock (&negotiation->lock);
  return sdp;
}

/* The peer's description */

/* (transfer full) (nullable) */
static GstIceStream *
find_stream_at (GstIceAgent *self, guint index)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);

  for (guint i = 0; i < streams->len; i++) {
    GstIceStream *stream = streams->pdata[i];
    gboolean found;

    GST_OBJECT_LOCK (stream);
    found = stream->mline_index == index;
    GST_OBJECT_UNLOCK (stream);
    if (found)
      return gst_object_ref (stream);
  }
  return NULL;
}

/* Design 9.14: by mid, which is the name of the stream; without one by
 * position. An agreed m-line keeps its stream. */
static GstIceStream *
match_section (GstIceAgent *self, const GstIceSection *section, guint index)
{
  const GstIceNegotiation *negotiation = &self->negotiation;

  if (negotiation->settled && index < negotiation->mlines->len) {
    const GstIceMline *mline = negotiation->mlines->pdata[index];
    return mline->stream ? gst_object_ref (mline->stream) : NULL;
  }
  if (section->mid)
    return gst_ice_agent_find_stream (self, section->mid);
  return find_stream_at (self, index);
}

static gchar *
list_mids (const GstIceDescription *description)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < description->sections->len; i++) {
    const GstIceSection *section = description->sections->pdata[i];
    g_string_append_printf (
        list, "%s“%s”", i > 0 ? ", " : "", section->mid ? section->mid : "");
  }
  return g_string_free (list, FALSE);
}

static void
unref_stream (gpointer stream)
{
  if (stream)
    gst_object_unref (stream);
}

/* (transfer full) (nullable) (element-type GstIceStream) one for each section,
 * NULL where there is none. */
static GPtrArray *
match_offer (GstIceAgent *self, const GstIceDescription *offer, GError **error)
{
  const GstIceNegotiation *negotiation = &self->negotiation;
  g_autoptr (GPtrArray) matches = g_ptr_array_new_with_free_func (unref_stream);
  g_autofree gchar *mids = NULL;
  guint n_matches = 0;

  if (negotiation->settled && offer->sections->len < negotiation->mlines->len) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "The peer's offer has %u sections where %u were agreed; sections are "
        "disabled with port 0, not removed (RFC 3264 8)",
        offer->sections->len, negotiation->mlines->len);
    return NULL;
  }
  for (guint i = 0; i < offer->sections->len; i++) {
    g_ptr_array_add (
        matches, match_section (self, offer->sections->pdata[i], i));
    n_matches += matches->pdata[i] != NULL;
  }
  if (n_matches > 0)
    return g_steal_pointer (&matches);
  mids = list_mids (offer);
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_FOUND,
      "No stream here has the name of a section of the peer's offer (%s): "
      "request streams, or set the elements' “stream”, by these names",
      mids);
  return NULL;
}

/* Lines up m-lines and streams as the offer has them. Returns what was there
 * before, to go back to. (transfer full) (element-type GstIceMline) */
static GPtrArray *
line_up_offer (GstIceNegotiation *self, const GstIceDescription *offer,
    const GPtrArray *matches)
{
  GPtrArray *before = g_steal_pointer (&self->mlines);

  self->mlines = g_ptr_array_new_with_free_func ((GDestroyNotify) mline_free);
  for (guint i = 0; self->settled && i < before->len; i++) {
    const GstIceMline *mline = before->pdata[i];
    add_mline (self, mline->stream, mline->mid, mline->caps);
  }
  for (guint i = self->mlines->len; i < matches->len; i++) {
    const GstIceSection *section = offer->sections->pdata[i];
    add_mline (self, matches->pdata[i], section->mid, section->caps);
  }
  return before;
}

static gboolean
match_answer (
    GstIceAgent *self, const GstIceDescription *answer, GError **error)
{
  if (answer->sections->len == self->negotiation.mlines->len)
    return TRUE;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
      "The peer's answer has %u sections, the offer had %u (RFC 3264 6)",
      answer->sections->len, self->negotiation.mlines->len);
  return FALSE;
}

/* All or nothing, as far as it can be seen before. */
static gboolean
apply_description (GstIceAgent *self, const GstIceDescription *description,
    gboolean is_answer, GError **error)
{
  const GPtrArray *mlines = self->negotiation.mlines;

  for (guint i = 0; i < description->sections->len; i++) {
    const GstIceMline *mline = mlines->pdata[i];

    if (mline->stream &&
        !gst_ice_section_check (description->sections->pdata[i], self, error))
      return FALSE;
  }
  for (guint i = 0; i < description->sections->len; i++) {
    const GstIceMline *mline = mlines->pdata[i];

    if (mline->stream &&
        !gst_ice_section_apply (description->sections->pdata[i], self,
            mline->stream, is_answer, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
take_offer (GstIceAgent *self, GstIceDescription *offer, GError **error)
{
  GstIceNegotiation *negotiation = &self->negotiation;
  g_autoptr (GPtrArray) matches = NULL;
  g_autoptr (GPtrArray) before = NULL;

  if (negotiation->exchange == GST_ICE_EXCHANGE_LOCAL_OFFER) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "An offer of ours waits for its answer: take it back with a "
        "description of type “rollback”, or let the peer do so");
    return FALSE;
  }
  matches = match_offer (self, offer, error);
  if (!matches)
    return FALSE;
  remember_mlines (negotiation);
  before = line_up_offer (negotiation, offer, matches);
  decide_role (self, FALSE);
  if (!apply_description (self, offer, FALSE, error)) {
    /* The one before may still be answered. */
    g_ptr_array_unref (negotiation->mlines);
    negotiation->mlines = g_steal_pointer (&before);
    return FALSE;
  }
  number_streams (negotiation);
  return TRUE;
}

static gboolean
take_answer (GstIceAgent *self, GstIceDescription *answer, GError **error)
{
  if (self->negotiation.exchange != GST_ICE_EXCHANGE_LOCAL_OFFER) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "There is no offer that this could be the answer to");
    return FALSE;
  }
  return match_answer (self, answer, error) &&
      apply_description (self, answer, TRUE, error);
}

static gboolean
roll_back (GstIceNegotiation *self, GError **error)
{
  if (!waits_for_answer (self)) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "There is no offer to roll back");
    return FALSE;
  }
  self->exchange = self->exchange_before;
  recall_mlines (self);
  return TRUE;
}

static gboolean
set_remote_description (
    GstIceAgent *self, const gchar *type, const gchar *sdp, GError **error)
{
  GstIceNegotiation *negotiation = &self->negotiation;
  const gboolean is_offer = g_str_equal (type, "offer");
  const gboolean is_pranswer = g_str_equal (type, "pranswer");
  g_autoptr (GstIceDescription) description = NULL;

  if (!gst_ice_agent_check_open (self, error))
    return FALSE;
  if (g_str_equal (type, "rollback"))
    return roll_back (negotiation, error);
  if (!is_offer && !is_pranswer && !g_str_equal (type, "answer")) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "A description is an “offer”, a “pranswer”, an “answer” or a "
        "“rollback”");
    return FALSE;
  }
  description = gst_ice_description_parse (sdp, error);
  if (!description)
    return FALSE;
  if (!(is_offer ? take_offer (self, description, error)
                 : take_answer (self, description, error)))
    return FALSE;

  g_clear_pointer (&negotiation->remote, gst_ice_description_free);
  negotiation->remote = g_steal_pointer (&description);
  if (is_offer)
    set_exchange (negotiation, GST_ICE_EXCHANGE_REMOTE_OFFER);
  else if (!is_pranswer)
    set_exchange (negotiation, GST_ICE_EXCHANGE_DONE);
  negotiation->settled |= !is_offer;
  gst_ice_negotiation_flush_early (self);
  return TRUE;
}

/**
 * gst_ice_agent_set_remote_description:
 * @self: an agent
 * @type: `offer`, `pranswer`, `answer` or `rollback`
 * @sdp: the peer's description; anything for `rollback`, which takes back the
 *   offer, ours or theirs, that waits for its answer
 * @error: return location for an error
 *
 * Takes what the peer said: credentials, candidates, caps. Sections belong to
 * the stream whose name is their `mid`, those without one to the stream in
 * their place. Candidates that came earlier are used now. Checks begin as soon
 * as there are candidates of both sides.
 *
 * Errors: %GST_ICE_ERROR_CLOSED, %GST_ICE_ERROR_INVALID_SDP (also for a peer
 * without ICE unless #GstIceAgent:allow-non-ice is set),
 * %GST_ICE_ERROR_NOT_FOUND when no section fits a stream,
 * %GST_ICE_ERROR_INVALID_STATE, %GST_ICE_ERROR_INVALID_ARGUMENT for other
 * types.
 *
 * Returns: %TRUE when the description was taken
 */
gboolean
gst_ice_agent_set_remote_description (
    GstIceAgent *self, const gchar *type, const gchar *sdp, GError **error)
{
  gboolean taken;

  g_return_val_if_fail (GST_IS_ICE_AGENT (self), FALSE);
  g_return_val_if_fail (type != NULL, FALSE);
  g_return_val_if_fail (sdp != NULL, FALSE);

  g_mutex_lock (&self->negotiation.lock);
  taken = set_remote_description (self, type, sdp, error);
  g_mutex_unlock (&self->negotiation.lock);
  return taken;
}
