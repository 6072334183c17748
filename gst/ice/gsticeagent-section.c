/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticenegotiation-private.h"

#include <string.h>

#include "gsticecandidate-private.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticestream-private.h"
#include "io/loop.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* Design 9.4: what we offer as a=ice-pacing, in ms (RFC 8839 5.10). */
#define PACING_MS 5

/* RFC 3551 6: payload types from here on are assigned by the description. */
#define FIRST_DYNAMIC_PAYLOAD 96
#define LAST_PAYLOAD 127

/* Caps */

static GstCaps *
opaque_caps (void)
{
  return gst_caps_new_empty_simple ("application/x-gst-ice");
}

static gboolean
is_rtp (const GstCaps *caps)
{
  return caps && !gst_caps_is_any (caps) && !gst_caps_is_empty (caps) &&
      gst_structure_has_name (
          gst_caps_get_structure (caps, 0), "application/x-rtp");
}

/* Payloaders say "payload = 96 to 127", depayloaders often nothing. Sections
 * get numbers of their own, so that they may be bundled (RFC 8843 9.1). */
static GstCaps *
fixate (const GstCaps *caps, guint index)
{
  GstCaps *fixed = gst_caps_copy (caps);
  gint payload = (gint) MIN (FIRST_DYNAMIC_PAYLOAD + index, LAST_PAYLOAD);

  for (guint i = 0; i < gst_caps_get_size (fixed); i++) {
    GstStructure *structure = gst_caps_get_structure (fixed, i);

    if (gst_structure_has_field (structure, "payload"))
      gst_structure_fixate_field_nearest_int (structure, "payload", payload);
    else if (gst_structure_has_name (structure, "application/x-rtp"))
      gst_structure_set (structure, "payload", G_TYPE_INT, payload, NULL);
    /* From the other end: they are no media of another section. */
    gst_ice_structure_number_rtx (
        structure, MAX (LAST_PAYLOAD - (gint) index, FIRST_DYNAMIC_PAYLOAD));
  }
  return gst_caps_fixate (fixed);
}

static gboolean
same_text (const GstStructure *a, const GstStructure *b, const gchar *field)
{
  const gchar *x = gst_structure_get_string (a, field);
  const gchar *y = gst_structure_get_string (b, field);

  return !x || !y || !g_ascii_strcasecmp (x, y);
}

/* Whether what the peer names is of the kind that @ours allows. Parameters are
 * for encoder and decoder to settle, dynamic payload types mean nothing. */
static gboolean
is_format_of (const GstStructure *theirs, const GstStructure *ours)
{
  const gchar *name = gst_structure_get_name (theirs);
  gint rate, our_rate, payload, our_payload;

  if (!gst_structure_has_name (ours, name))
    return FALSE;
  if (!g_str_equal (name, "application/x-rtp"))
    return TRUE;
  if (!same_text (theirs, ours, "media") ||
      !same_text (theirs, ours, "encoding-name"))
    return FALSE;
  if (gst_structure_get_int (theirs, "clock-rate", &rate) &&
      gst_structure_get_int (ours, "clock-rate", &our_rate) && rate != our_rate)
    return FALSE;
  if (gst_structure_has_field (ours, "encoding-name") ||
      !gst_structure_get_int (theirs, "payload", &payload) ||
      !gst_structure_get_int (ours, "payload", &our_payload))
    return TRUE;
  return payload == our_payload || payload >= FIRST_DYNAMIC_PAYLOAD;
}

static const GstStructure *
find_format_of (const GstStructure *theirs, const GstCaps *ours)
{
  for (guint i = 0; i < gst_caps_get_size (ours); i++) {
    const GstStructure *structure = gst_caps_get_structure (ours, i);

    if (is_format_of (theirs, structure))
      return structure;
  }
  return NULL;
}

static gboolean
is_kept (GQuark field, GValue *value, gpointer theirs)
{
  const gchar *name = g_quark_to_string (field);

  return !g_str_has_prefix (name, "rtcp-fb-") ||
      gst_structure_has_field (theirs, name);
}

/* RFC 4585 4.2: of the feedback that is offered the answer has a part. */
static void
agree_on_feedback (GstCaps *agreed, const GstStructure *theirs)
{
  gst_structure_filter_and_map_in_place (
      gst_caps_get_structure (agreed, 0), is_kept, (gpointer) theirs);
}

/* (transfer full) (nullable) the first format of the peer's that @ours allows.
 * When we send it, with our parameters under the peer's number; with the peer's
 * retransmission when it is wanted here, too. */
static GstCaps *
agree (const GstCaps *theirs, const GstCaps *ours, gboolean sends,
    gboolean retransmits)
{
  for (guint i = 0; i < gst_caps_get_size (theirs); i++) {
    const GstStructure *offered = gst_caps_get_structure (theirs, i);
    const gint rtx = retransmits ? gst_ice_caps_find_rtx (theirs, offered) : -1;
    const GstStructure *found;
    GstCaps *agreed;

    if (!ours || gst_caps_is_any (ours)) {
      agreed = gst_caps_new_full (gst_structure_copy (offered), NULL);
      gst_ice_caps_set_rtx (agreed, rtx);
      return agreed;
    }
    found = find_format_of (offered, ours);
    if (!found)
      continue;
    agreed =
        gst_caps_new_full (gst_structure_copy (sends ? found : offered), NULL);
    if (sends) {
      static const gchar *const theirs_to_say[] = { "payload", "media",
        "encoding-name", "clock-rate", "encoding-params" };

      for (guint j = 0; j < G_N_ELEMENTS (theirs_to_say); j++) {
        const GValue *value =
            gst_structure_get_value (offered, theirs_to_say[j]);
        if (value)
          gst_caps_set_value (agreed, theirs_to_say[j], value);
      }
      agree_on_feedback (agreed, offered);
    }
    gst_ice_caps_set_rtx (agreed, rtx);
    return gst_caps_fixate (agreed);
  }
  return NULL;
}

/* What the application wants of a stream, and what was agreed before. */
typedef struct
{
  GstCaps *send, *receive;  /* (owned) (nullable) */
  GstCaps *sent, *received; /* (owned) (nullable) */
  GstIceDirection allowed;
  gboolean sends, receives;
  gboolean retransmits; /* RFC 4588, what is sent and what is received */
  guint index;
} Wish;

static void
wish_init (Wish *self, GstIceStream *stream)
{
  GST_OBJECT_LOCK (stream);
  gst_caps_replace (&self->send, stream->send_caps);
  gst_caps_replace (&self->receive, stream->receive_caps);
  gst_caps_replace (&self->sent, stream->local_caps);
  gst_caps_replace (&self->received, stream->remote_caps);
  self->index = stream->mline_index;
  self->allowed = gst_ice_stream_allowed_direction (stream);
  GST_OBJECT_UNLOCK (stream);
  self->sends = (self->send || !self->receive) &&
      (self->allowed & GST_ICE_DIRECTION_SENDONLY);
  self->receives = (self->receive || !self->send) &&
      (self->allowed & GST_ICE_DIRECTION_RECVONLY);
  self->retransmits =
      gst_ice_caps_has_rtx (self->send) || gst_ice_caps_has_rtx (self->receive);
}

static void
wish_clear (Wish *self)
{
  gst_clear_caps (&self->send);
  gst_clear_caps (&self->receive);
  gst_clear_caps (&self->sent);
  gst_clear_caps (&self->received);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wish, wish_clear)

static gboolean
says_something (const GstCaps *caps)
{
  return caps && !gst_caps_is_any (caps) && !gst_caps_is_empty (caps);
}

/* (transfer full) the numbers that were agreed keep their meaning (RFC 3264
 * 8.3.2), and an m-line by which nothing is sent any more its media. */
static GstCaps *
offered_caps (const Wish *wish, const GstCaps *known)
{
  gboolean sends = says_something (wish->send);
  const GstCaps *ours = sends ? wish->send : wish->receive;
  const GstCaps *before = sends && wish->sent ? wish->sent : wish->received;
  GstCaps *again = NULL;

  if (before)
    again = agree (before, ours, sends, wish->retransmits);
  if (!again && is_rtp (known))
    again = agree (known, ours, sends, wish->retransmits);
  if (again)
    return again;
  return says_something (ours) ? fixate (ours, wish->index) : opaque_caps ();
}

/* ICE */

/* RFC 8445 5.1.4 asks for the one most likely to work with a peer without ICE:
 * relayed, then reflexive, then host; with IPv4, as most of them. */
static guint
default_preference (const IceCandidate *candidate)
{
  static const guint of_kind[] = {
    [ICE_CANDIDATE_HOST] = 2,
    [ICE_CANDIDATE_SERVER_REFLEXIVE] = 4,
    [ICE_CANDIDATE_RELAYED] = 6,
  };

  return of_kind[candidate->kind] +
      (candidate->address.family == ICE_FAMILY_IPV4 ? 1 : 0);
}

/* The mDNS draft, 3.1.2.4: an address that hides behind a name is none for the
 * c= line, and neither is the name. */
static void
choose_default (GstIceSection *self, guint component, IceAddress *ret_address)
{
  const IceCandidate *best = NULL;

  for (guint i = 0; i < self->candidates->len; i++) {
    const IceCandidate *candidate = self->candidates->pdata[i];

    if (candidate->component == component &&
        candidate->protocol == ICE_PROTOCOL_UDP && !candidate->host_name &&
        (!best || default_preference (candidate) > default_preference (best)))
      best = candidate;
  }
  if (best)
    *ret_address = best->address;
}

static void
fill_candidates (GstIceSection *self, GPtrArray *locals)
{
  for (guint i = 0; i < locals->len; i++) {
    IceCandidate *candidate = locals->pdata[i];

    if (candidate->kind != ICE_CANDIDATE_PEER_REFLEXIVE)
      g_ptr_array_add (self->candidates, ice_candidate_ref (candidate));
  }
}

static void
fill_ice (GstIceSection *self, GstIceAgent *agent, GstIceStream *stream)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (stream);
  guint id = gst_ice_stream_get_id (tagged);
  g_autoptr (GPtrArray) locals = NULL;
  gboolean gathered, ended, lite;
  IceCore *core;

  /* First: the end must not be said of fewer candidates than there are. */
  GST_OBJECT_LOCK (tagged);
  gathered = tagged->gathering == GST_ICE_GATHERING_STATE_COMPLETE;
  ended = tagged->ended;
  GST_OBJECT_UNLOCK (tagged);

  core = gst_ice_pump_lock (agent->pump);
  self->ufrag = g_strdup (ice_core_get_local_ufrag (core, id));
  self->pwd = g_strdup (ice_core_get_local_pwd (core, id));
  lite = ice_core_get_lite (core);
  /* With their generation, as trickled ones: so each is one string. */
  if (tagged == stream)
    locals = gst_ice_candidates_set_ufrag (
        ice_core_get_local_candidates (core, id), self->ufrag);
  gst_ice_pump_unlock (agent->pump);

  self->ice2 = self->trickle = self->renomination = TRUE;
  self->ice_lite = lite;
  self->pacing = PACING_MS;
  self->rtcp_mux = !gst_ice_stream_has_component (tagged, 2);
  if (!locals)
    return;
  fill_candidates (self, locals);
  self->end_of_candidates = ended;
  if (!gathered)
    return;
  choose_default (self, 1, &self->address);
  choose_default (self, 2, &self->rtcp_address);
}

/* Ours */

/* Its m-line has port 0 from now on. */
static void
end_stream (GstIceStream *stream)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (stream);

  gst_ice_stream_set_local_caps (stream, NULL);
  gst_ice_stream_set_remote_caps (stream, NULL);
  gst_ice_stream_set_current_direction (stream, FALSE, FALSE);
  if (tagged != stream)
    return;
  gst_ice_stream_drop_component (stream, 2);
  gst_ice_stream_drop_component (stream, 1);
}

/* @caps (nullable): nothing is sent. Payload types keep their meaning while a
 * stream rests (RFC 3264 8.3.2), and so do caps: what rests goes on. */
static void
tell_local_caps (GstIceAgent *agent, GstIceStream *stream, GstCaps *caps)
{
  if (caps || !agent->negotiation.settled)
    gst_ice_stream_set_local_caps (stream, caps);
}

static void
tell_remote_caps (GstIceAgent *agent, GstIceStream *stream, GstCaps *caps)
{
  if (caps || !agent->negotiation.settled)
    gst_ice_stream_set_remote_caps (stream, caps);
}

gboolean
gst_ice_section_offer (GstIceSection *self, GstIceAgent *agent,
    GstIceStream *stream, const GstCaps *known, GError **error)
{
  g_auto (Wish) wish = { 0 };
  g_autoptr (GstCaps) caps = NULL;

  wish_init (&wish, stream);
  caps = offered_caps (&wish, known);
  self->mid = g_strdup (stream->mid);
  self->send = wish.sends;
  self->receive = wish.receives;
  if (!gst_ice_section_set_caps (self, caps, error)) {
    g_prefix_error (error, "Stream “%s” cannot be offered: ", stream->mid);
    return FALSE;
  }
  gst_ice_stream_offer_dtls (stream, self);
  fill_ice (self, agent, stream);
  GST_OBJECT_LOCK (stream);
  self->bundled = self->bundle_only = stream->tagged != NULL;
  GST_OBJECT_UNLOCK (stream);
  gst_ice_stream_set_offered_direction (stream, self->send, self->receive);
  tell_local_caps (agent, stream, self->send ? caps : NULL);
  return TRUE;
}

static const GstCaps *
formats_of (const GstIceSection *self)
{
  return self->all_caps ? self->all_caps : self->caps;
}

/* (transfer full) (nullable) what an answer to @offered would say. */
static GstCaps *
answered_caps (const Wish *wish, const GstIceSection *offered)
{
  gboolean sends = wish->sends && offered->receive;
  const GstCaps *theirs = formats_of (offered);

  if (!theirs)
    return NULL;
  if (sends && wish->send)
    return agree (theirs, wish->send, TRUE, wish->retransmits);
  /* A stream that only sends has no other caps when it rests. */
  return agree (theirs, wish->receive ? wish->receive : wish->send, FALSE,
      wish->retransmits);
}

/* RFC 8843 7.3: a bundle is taken when the same stream carries it here. */
static void
answer_bundle (GstIceSection *self, GstIceAgent *agent, GstIceStream *stream,
    const GstIceSection *offered)
{
  gboolean bundled, bundles;

  GST_OBJECT_LOCK (stream);
  bundled = stream->tagged != NULL;
  GST_OBJECT_UNLOCK (stream);
  GST_OBJECT_LOCK (agent);
  bundles = agent->settings.bundle == GST_ICE_BUNDLE_MAX;
  GST_OBJECT_UNLOCK (agent);
  self->bundle_tag &= bundles;
  self->bundled = offered->bundled && bundled;
  self->bundle_only = FALSE;
  if (offered->bundle_only && !self->bundled)
    self->rejected = TRUE;
}

void
gst_ice_section_reply (GstIceSection *self, GstIceAgent *agent,
    GstIceStream *stream, const GstIceSection *offered)
{
  g_auto (Wish) wish = { 0 };
  g_autoptr (GstCaps) caps = NULL;

  wish_init (&wish, stream);
  caps = answered_caps (&wish, offered);
  gst_ice_section_answer (self, offered);
  self->send = wish.sends && offered->receive;
  self->receive = wish.receives && offered->send;
  if (!caps || !gst_ice_section_set_caps (self, caps, NULL)) {
    GST_WARNING_OBJECT (agent,
        "stream “%s” is rejected: the peer offers %" GST_PTR_FORMAT
        ", here it sends %" GST_PTR_FORMAT " and takes %" GST_PTR_FORMAT,
        stream->mid, formats_of (offered), wish.send, wish.receive);
    self->rejected = TRUE;
  }
  answer_bundle (self, agent, stream, offered);
  if (self->rejected) {
    self->send = self->receive = FALSE;
    end_stream (stream);
    return;
  }
  gst_ice_stream_answer_dtls (stream, self, offered);
  fill_ice (self, agent, stream);
  self->rtcp_mux &= offered->rtcp_mux;
  if (!offered->ufrag || offered->mismatch) {
    /* RFC 8839 4.2.2: an answer has ICE when the offer does. */
    g_clear_pointer (&self->ufrag, g_free);
    g_clear_pointer (&self->pwd, g_free);
    g_ptr_array_set_size (self->candidates, 0);
    self->end_of_candidates = self->trickle = self->ice2 = FALSE;
    self->renomination = self->ice_lite = FALSE;
    self->pacing = 0;
  }
  tell_local_caps (agent, stream, self->send ? caps : NULL);
  gst_ice_stream_set_current_direction (stream, self->send, self->receive);
}

/* Theirs */

static gboolean
has_ice (const GstIceSection *self)
{
  return self->ufrag && self->pwd && !self->mismatch;
}

gboolean
gst_ice_section_check (
    const GstIceSection *self, GstIceAgent *agent, GError **error)
{
  gboolean allowed;

  if (self->rejected || has_ice (self))
    return TRUE;
  GST_OBJECT_LOCK (agent);
  allowed = agent->settings.allow_non_ice;
  GST_OBJECT_UNLOCK (agent);
  if (!allowed)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "The peer does no ICE in section “%s” (%s); if media may go to its "
        "default address unchecked, set allow-non-ice on the agent",
        self->mid ? self->mid : "",
        self->mismatch ? "it found our addresses changed on the way: "
                         "ice-mismatch"
                       : "no ice-ufrag and ice-pwd");
  return allowed;
}

static guint
transport_id (GstIceStream *stream, guint number)
{
  guint id = 0;

  GST_OBJECT_LOCK (stream);
  for (guint i = 0; i < stream->components->len; i++) {
    const GstIceComponent *component = stream->components->pdata[i];

    if (component->number == number)
      id = component->id;
  }
  GST_OBJECT_UNLOCK (stream);
  return id;
}

static void
apply_default (const GstIceSection *self, GstIceAgent *agent,
    GstIceStream *stream, guint component, const IceAddress *address)
{
  guint id = transport_id (stream, component);
  IceVerdict verdict;

  if (id == 0)
    return;
  verdict = ice_core_set_remote_default (
      gst_ice_pump_lock (agent->pump), id, address, ice_loop_now ());
  gst_ice_pump_unlock (agent->pump);
  GST_INFO_OBJECT (agent, "the peer of stream “%s” does no ICE: %s",
      stream->mid, ice_verdict_to_string (verdict));
}

static gboolean
apply_ice (const GstIceSection *self, GstIceAgent *agent, GstIceStream *stream,
    gboolean is_answer, GError **error)
{
  gst_ice_agent_take_remote_lite (agent, self->ice_lite);
  gst_ice_agent_take_remote_options (agent,
      (self->ice2 ? ICE_OPTION_ICE2 : 0) |
          (self->trickle ? ICE_OPTION_TRICKLE : 0) |
          (self->renomination ? ICE_OPTION_RENOMINATION : 0));
  ice_core_set_remote_pacing (gst_ice_agent_lock_core (agent), self->pacing);
  gst_ice_pump_unlock (agent->pump);
  if (!gst_ice_stream_take_remote_credentials (
          stream, self->ufrag, self->pwd, !is_answer, error))
    return FALSE;
  for (guint i = 0; i < self->candidates->len; i++)
    gst_ice_stream_take_remote_candidate (stream, self->candidates->pdata[i]);
  /* RFC 8838 4: who does not trickle has said all it has. */
  if (self->end_of_candidates || (!self->trickle && self->candidates->len > 0))
    gst_ice_stream_end_remote_candidates (stream);
  return TRUE;
}

/* RFC 5761 5.1.1: multiplexed when both say so. A peer that does not wants a
 * component for RTCP (RFC 8839 4.2.1.1), whoever asked for one here. */
static void
apply_rtcp_mux (
    const GstIceSection *self, GstIceStream *stream, gboolean is_answer)
{
  /* Our own kind says rtcp-mux of whatever it carries in one component. */
  gboolean wants =
      is_rtp (self->caps) || g_strcmp0 (self->formats, "x-gst-ice") == 0;

  for (guint i = 0; i < self->candidates->len && !wants; i++) {
    const IceCandidate *candidate = self->candidates->pdata[i];
    wants = candidate->component == 2;
  }
  if (self->rtcp_mux) {
    if (is_answer)
      gst_ice_stream_drop_component (stream, 2);
  } else if (wants) {
    gst_ice_stream_ensure_component (stream, 2);
  }
}

/* What the peer takes of ours goes out under the numbers of its answer
 * (RFC 3264 6.1). */
static void
apply_caps (const GstIceSection *self, GstIceAgent *agent, GstIceStream *stream,
    gboolean is_answer)
{
  const GstCaps *theirs = formats_of (self);
  g_autoptr (GstCaps) sent = NULL;
  g_autoptr (GstCaps) ours = NULL;
  g_autoptr (GstCaps) received = NULL;
  g_auto (Wish) wish = { 0 };

  wish_init (&wish, stream);
  if (is_answer && self->receive && theirs) {
    ours = gst_ice_stream_get_local_caps (stream);
    if (ours)
      sent = agree (theirs, ours, TRUE, wish.retransmits);
  }
  if (is_answer) {
    tell_local_caps (agent, stream, sent);
    gst_ice_stream_answer_direction (stream, self->send, self->receive);
  }
  if (self->send && self->caps) {
    received = gst_caps_copy (self->caps);
    if (wish.retransmits)
      gst_ice_caps_set_rtx (received,
          gst_ice_caps_find_rtx (theirs, gst_caps_get_structure (received, 0)));
  }
  tell_remote_caps (agent, stream, received);
}

gboolean
gst_ice_section_apply (const GstIceSection *self, GstIceAgent *agent,
    GstIceStream *stream, gboolean is_answer, GError **error)
{
  g_autoptr (GstIceStream) tagged = NULL;

  if (self->rejected) {
    GST_INFO_OBJECT (agent, "the peer rejects stream “%s”", stream->mid);
    end_stream (stream);
    return TRUE;
  }
  tagged = gst_ice_stream_ref_tagged (stream);
  if (tagged != stream && !self->bundled) {
    gst_ice_stream_unbundle (stream);
    gst_object_replace ((GstObject **) &tagged, GST_OBJECT (stream));
  }
  if (tagged == stream) {
    apply_rtcp_mux (self, stream, is_answer);
    if (has_ice (self)) {
      if (!apply_ice (self, agent, stream, is_answer, error))
        return FALSE;
    } else {
      apply_default (self, agent, stream, 1, &self->address);
      apply_default (self, agent, stream, 2, &self->rtcp_address);
    }
  }
  gst_ice_stream_take_dtls (stream, self, is_answer);
  apply_caps (self, agent, stream, is_answer);
  return TRUE;
}
