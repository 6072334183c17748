/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticestream-private.h"

#include <string.h>

#include "base/crypto.h"
#include "gsticeagent-private.h"
#include "gsticecandidate-private.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "io/loop.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* RFC 8839 5.10: a number of one to ten digits; more than a minute between
 * checks is nobody's wish. */
#define MAX_PACING_MS 60000

/* Credentials */

/**
 * gst_ice_stream_get_local_credentials:
 * @self: a stream
 * @ufrag: (out) (optional) (nullable) (transfer full): the username fragment
 * @pwd: (out) (optional) (nullable) (transfer full): the password
 *
 * The short-term credentials that the peer's checks must carry (RFC 8445 5.3).
 * Made at random when the stream is; both are %NULL when the agent is gone.
 */
void
gst_ice_stream_get_local_credentials (
    GstIceStream *self, gchar **ufrag, gchar **pwd)
{
  g_autoptr (GstIceAgent) agent = NULL;
  guint id;
  IceCore *core;

  g_return_if_fail (GST_IS_ICE_STREAM (self));

  if (ufrag)
    *ufrag = NULL;
  if (pwd)
    *pwd = NULL;
  agent = gst_ice_stream_ref_agent (self);
  id = gst_ice_stream_get_id (self);
  if (!agent || id == 0)
    return;
  core = gst_ice_pump_lock (agent->pump);
  if (ufrag)
    *ufrag = g_strdup (ice_core_get_local_ufrag (core, id));
  if (pwd)
    *pwd = g_strdup (ice_core_get_local_pwd (core, id));
  gst_ice_pump_unlock (agent->pump);
}

/**
 * gst_ice_stream_set_local_credentials:
 * @self: a stream
 * @ufrag: 4 to 256 characters of RFC 8839's ice-char
 * @pwd: 22 to 256 of them
 *
 * For applications whose signalling makes the credentials itself. To be called
 * before they are told to the peer; the same ones again change nothing.
 */
void
gst_ice_stream_set_local_credentials (
    GstIceStream *self, const gchar *ufrag, const gchar *pwd)
{
  g_autoptr (GstIceAgent) agent = NULL;
  guint id;

  g_return_if_fail (GST_IS_ICE_STREAM (self));
  g_return_if_fail (ufrag != NULL && ice_is_valid_ufrag (ufrag));
  g_return_if_fail (pwd != NULL && ice_is_valid_pwd (pwd));

  agent = gst_ice_stream_ref_agent (self);
  id = gst_ice_stream_get_id (self);
  if (!gst_ice_agent_check_open (agent, NULL) || id == 0)
    return;
  ice_core_set_local_credentials (
      gst_ice_pump_lock (agent->pump), id, ufrag, pwd);
  gst_ice_pump_unlock (agent->pump);
}

gchar *
gst_ice_stream_dup_peer_ufrag (GstIceStream *self)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (self);
  gchar *ufrag;

  GST_OBJECT_LOCK (tagged);
  ufrag = g_strdup (tagged->peer_ufrag);
  GST_OBJECT_UNLOCK (tagged);
  return ufrag;
}

/* Object lock. */
static void
keep_peer (GstIceStream *self, const gchar *ufrag, const gchar *pwd)
{
  g_free (self->peer_ufrag);
  ice_secret_free (self->peer_pwd);
  self->peer_ufrag = g_strdup (ufrag);
  self->peer_pwd = g_strdup (pwd);
  self->restarted = FALSE;
}

gboolean
gst_ice_stream_take_remote_credentials (GstIceStream *self, const gchar *ufrag,
    const gchar *pwd, gboolean follow, GError **error)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (self);
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  guint id = gst_ice_stream_get_id (tagged);
  gboolean same_ufrag, same_pwd, restarts;
  IceCore *core;

  if (!gst_ice_agent_check_open (agent, error))
    return FALSE;
  if (!ice_is_valid_ufrag (ufrag) || !ice_is_valid_pwd (pwd)) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "The peer's credentials for stream “%s” are not those of RFC 8839 "
        "5.4: ice-ufrag is 4 to 256 and ice-pwd 22 to 256 ice-chars",
        self->mid);
    return FALSE;
  }

  GST_OBJECT_LOCK (tagged);
  same_ufrag = g_strcmp0 (ufrag, tagged->peer_ufrag) == 0;
  same_pwd = g_strcmp0 (pwd, tagged->peer_pwd) == 0;
  restarts = tagged->peer_ufrag && !same_ufrag && !same_pwd;
  follow = follow && restarts && !tagged->restarted;
  if (same_ufrag == same_pwd && !same_ufrag)
    keep_peer (tagged, ufrag, pwd);
  GST_OBJECT_UNLOCK (tagged);

  if (same_ufrag != same_pwd) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "The peer changed only one of ice-ufrag and ice-pwd of stream “%s”; "
        "a restart changes both (RFC 8839 5.4)",
        self->mid);
    return FALSE;
  }
  if (same_ufrag)
    return TRUE;

  if (restarts)
    GST_INFO_OBJECT (agent, "the peer restarts ICE of stream “%s”", self->mid);
  core = gst_ice_pump_lock (agent->pump);
  if (follow)
    ice_core_restart (core, id, ice_loop_now ());
  ice_core_set_remote_credentials (core, id, ufrag, pwd, ice_loop_now ());
  gst_ice_pump_unlock (agent->pump);
  if (follow)
    gst_ice_stream_gather_again (tagged, agent);
  return TRUE;
}

/**
 * gst_ice_stream_set_remote_credentials:
 * @self: a stream
 * @ufrag: the peer's username fragment
 * @pwd: the peer's password
 *
 * What the peer has signalled. The same ones again do nothing; other ones are
 * the peer's ICE restart, and this side restarts too (RFC 8445 9), unless it
 * has already. Ones that are not the grammar of RFC 8839 are refused, which
 * #GstIceAgent::error tells.
 */
void
gst_ice_stream_set_remote_credentials (
    GstIceStream *self, const gchar *ufrag, const gchar *pwd)
{
  g_autoptr (GstIceAgent) agent = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (GST_IS_ICE_STREAM (self));
  g_return_if_fail (ufrag != NULL && pwd != NULL);

  agent = gst_ice_stream_ref_agent (self);
  if (!agent)
    return;
  if (gst_ice_stream_take_remote_credentials (self, ufrag, pwd, TRUE, &error))
    gst_ice_agent_flush_early (agent);
  else
    gst_ice_agent_queue_error (agent, error);
}

/* Candidates */

void
gst_ice_stream_take_remote_candidate (
    GstIceStream *self, IceCandidate *candidate)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  guint id = gst_ice_stream_get_id (self);
  IceVerdict verdict;

  if (!gst_ice_agent_check_open (agent, NULL) || id == 0)
    return;
  if (candidate->host_name && !gst_ice_agent_allows_names (agent)) {
    GST_DEBUG_OBJECT (
        agent, "mdns is off: %s is ignored", candidate->host_name);
    return;
  }
  verdict = ice_core_add_remote_candidate (
      gst_ice_pump_lock (agent->pump), id, candidate, ice_loop_now ());
  gst_ice_pump_unlock (agent->pump);
  if (verdict != ICE_VERDICT_OK)
    GST_DEBUG_OBJECT (agent, "a remote candidate of stream “%s”: %s", self->mid,
        ice_verdict_to_string (verdict));
}

/**
 * gst_ice_stream_add_remote_candidate:
 * @self: a stream
 * @candidate: a candidate of the peer
 *
 * May come before the peer's credentials do: it waits for them. What cannot be
 * used, and what exceeds the limit of RFC 8445 6.1.2.5, is ignored.
 */
void
gst_ice_stream_add_remote_candidate (
    GstIceStream *self, GstIceCandidate *candidate)
{
  g_return_if_fail (GST_IS_ICE_STREAM (self));
  g_return_if_fail (candidate != NULL);

  gst_ice_stream_take_remote_candidate (
      self, gst_ice_candidate_peek_core (candidate));
}

/**
 * gst_ice_stream_end_remote_candidates:
 * @self: a stream
 *
 * The peer has no further candidates (RFC 8838 13). It is no must: without it
 * ICE fails later, if at all (RFC 8863).
 */
void
gst_ice_stream_end_remote_candidates (GstIceStream *self)
{
  g_return_if_fail (GST_IS_ICE_STREAM (self));

  gst_ice_stream_take_remote_end (self, NULL);
}

void
gst_ice_stream_take_remote_end (GstIceStream *self, const gchar *ufrag)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  guint id = gst_ice_stream_get_id (self);

  if (!gst_ice_agent_check_open (agent, NULL) || id == 0)
    return;
  ice_core_end_remote_generation (
      gst_ice_pump_lock (agent->pump), id, ufrag, ice_loop_now ());
  gst_ice_pump_unlock (agent->pump);
}

/* One line of SDP */

static gboolean
take_candidate_line (GstIceStream *self, const gchar *line, GError **error)
{
  g_autoptr (IceCandidate) candidate = NULL;
  const gchar *reason = "";

  switch (ice_candidate_parse (line, &candidate, &reason)) {
    case ICE_CANDIDATE_PARSE_OK:
      gst_ice_stream_take_remote_candidate (self, candidate);
      return TRUE;
    case ICE_CANDIDATE_PARSE_IGNORED:
      GST_DEBUG_OBJECT (self, "a remote candidate is ignored: %s", reason);
      return TRUE;
    case ICE_CANDIDATE_PARSE_MALFORMED:
      break;
  }
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_CANDIDATE,
      "Not a candidate line of RFC 8839 5.1 (%s)", reason);
  return FALSE;
}

static gboolean
take_alt_line (GstIceStream *self, const gchar *line, GError **error)
{
  IceCandidate *candidates[2];
  guint n = ice_candidate_parse_alt (line, candidates);

  for (guint i = 0; i < n; i++) {
    gst_ice_stream_take_remote_candidate (self, candidates[i]);
    ice_candidate_unref (candidates[i]);
  }
  if (n == 0)
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_CANDIDATE,
        "Not an “alt” line of the ICE drafts before RFC 5245");
  return n > 0;
}

/* ufrag and pwd come one by one, in any order; both are used when both are
 * there. */
static gboolean
take_half (
    GstIceStream *self, gboolean is_pwd, const gchar *value, GError **error)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  g_autofree gchar *ufrag = NULL;
  gchar *pwd = NULL;
  gboolean ok = TRUE;

  GST_OBJECT_LOCK (self);
  if (is_pwd) {
    ice_secret_free (self->next_pwd);
    self->next_pwd = g_strdup (value);
  } else {
    g_free (self->next_ufrag);
    self->next_ufrag = g_strdup (value);
  }
  if (self->next_ufrag && self->next_pwd) {
    ufrag = g_steal_pointer (&self->next_ufrag);
    pwd = g_steal_pointer (&self->next_pwd);
  }
  GST_OBJECT_UNLOCK (self);
  if (ufrag)
    ok = gst_ice_stream_take_remote_credentials (self, ufrag, pwd, TRUE, error);
  ice_secret_free (pwd);
  if (ufrag && ok)
    gst_ice_agent_flush_early (agent);
  return ok;
}

static gboolean
take_pacing (GstIceStream *self, const gchar *value, GError **error)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  guint64 ms;

  if (!g_ascii_string_to_unsigned (value, 10, 0, MAX_PACING_MS, &ms, NULL)) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP,
        "a=ice-pacing wants a number of milliseconds (RFC 8839 5.10)");
    return FALSE;
  }
  if (!gst_ice_agent_check_open (agent, error))
    return FALSE;
  ice_core_set_remote_pacing (gst_ice_agent_lock_core (agent), (guint) ms);
  gst_ice_pump_unlock (agent->pump);
  return TRUE;
}

static gboolean
take_lite (GstIceStream *self, GError **error)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);

  if (!gst_ice_agent_check_open (agent, error))
    return FALSE;
  /* RFC 8445 6.1.1: the full side controls, whatever was agreed. */
  gst_ice_agent_take_remote_lite (agent, TRUE);
  return TRUE;
}

/**
 * gst_ice_stream_add_remote_sdp:
 * @self: a stream
 * @attribute: one line: `a=candidate:...`, `a=ice-ufrag:...`, `a=ice-pwd:...`,
 *   `a=ice-options:...`, `a=ice-pacing:...`, `a=ice-lite`,
 *   `a=end-of-candidates` or `a=alt:...` of the drafts before RFC 5245; the
 * `a=` may be missing, a line end may be there
 * @error: return location for an error
 *
 * For signalling that passes on attributes one by one, in any order. ice-ufrag
 * and ice-pwd count when both have come.
 *
 * Errors: %GST_ICE_ERROR_INVALID_CANDIDATE, %GST_ICE_ERROR_INVALID_SDP,
 * %GST_ICE_ERROR_NOT_SUPPORTED for other attributes, %GST_ICE_ERROR_CLOSED.
 *
 * Returns: %TRUE when the line was understood
 */
gboolean
gst_ice_stream_add_remote_sdp (
    GstIceStream *self, const gchar *attribute, GError **error)
{
  g_autofree gchar *line = NULL, *name = NULL;
  g_autoptr (GstIceAgent) agent = NULL;
  const gchar *value;

  g_return_val_if_fail (GST_IS_ICE_STREAM (self), FALSE);
  g_return_val_if_fail (attribute != NULL, FALSE);

  agent = gst_ice_stream_ref_agent (self);
  if (!gst_ice_agent_check_open (agent, error))
    return FALSE;
  line = g_strstrip (g_strdup (
      g_str_has_prefix (attribute, "a=") ? attribute + 2 : attribute));
  value = strchr (line, ':');
  value = value ? value + 1 : "";

  if (g_str_has_prefix (line, "candidate:"))
    return take_candidate_line (self, line, error);
  if (g_str_has_prefix (line, "alt:"))
    return take_alt_line (self, line, error);
  if (g_str_has_prefix (line, "ice-ufrag:"))
    return take_half (self, FALSE, value, error);
  if (g_str_has_prefix (line, "ice-pwd:"))
    return take_half (self, TRUE, value, error);
  if (g_str_has_prefix (line, "ice-pacing:"))
    return take_pacing (self, value, error);
  if (g_str_has_prefix (line, "ice-options:")) {
    gst_ice_agent_take_remote_options (agent, gst_ice_parse_options (value));
    return TRUE;
  }
  if (g_str_equal (line, "ice-lite"))
    return take_lite (self, error);
  if (g_str_equal (line, "end-of-candidates")) {
    gst_ice_stream_end_remote_candidates (self);
    return TRUE;
  }
  line[strcspn (line, ":")] = '\0';
  name = g_utf8_make_valid (line, -1);
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
      "“%s” is no attribute of ICE", name);
  return FALSE;
}
