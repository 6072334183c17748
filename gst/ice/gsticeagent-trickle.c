/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticenegotiation-private.h"

#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticestream-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* What is kept for descriptions to come: more than any peer gathers. */
#define MAX_EARLY 100

/* No m-line index. */
#define NO_INDEX G_MAXUINT

void
gst_ice_early_candidate_free (GstIceEarlyCandidate *self)
{
  g_free (self->mid);
  g_free (self->candidate);
  g_free (self->ufrag);
  g_free (self);
}

typedef enum
{
  TARGET_FOUND,
  TARGET_LATER, /* there may be a stream, or generation, that it is for */
  TARGET_NONE,  /* its section was rejected */
} Target;

static gboolean
is_of_peer (GstIceStream *stream, const gchar *ufrag)
{
  g_autofree gchar *known = gst_ice_stream_dup_peer_ufrag (stream);

  return !known || !ufrag || g_str_equal (known, ufrag);
}

static const GstIceMline *
find_mline (const GstIceNegotiation *self, const gchar *mid, guint index)
{
  if (!self->remote)
    return NULL;
  if (!mid)
    return index < self->mlines->len ? self->mlines->pdata[index] : NULL;
  for (guint i = 0; i < self->mlines->len; i++) {
    const GstIceMline *mline = self->mlines->pdata[i];

    if (g_strcmp0 (mline->mid, mid) == 0)
      return mline;
  }
  return NULL;
}

/* The only stream there is, or the one whose peer has this fragment. */
static GstIceStream *
find_by_ufrag (GstIceAgent *agent, const gchar *ufrag)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);

  if (streams->len == 1)
    return gst_object_ref (streams->pdata[0]);
  for (guint i = 0; ufrag && i < streams->len; i++) {
    g_autofree gchar *known = gst_ice_stream_dup_peer_ufrag (streams->pdata[i]);

    if (g_strcmp0 (known, ufrag) == 0)
      return gst_object_ref (streams->pdata[i]);
  }
  return NULL;
}

/* (transfer full) for @ret_stream */
static Target
find_target (GstIceAgent *agent, const gchar *mid, guint index,
    const gchar *ufrag, GstIceStream **ret_stream)
{
  const GstIceMline *mline = find_mline (&agent->negotiation, mid, index);
  g_autoptr (GstIceStream) stream = NULL;

  if (mline && !mline->stream)
    return TARGET_NONE;
  if (mline)
    stream = gst_object_ref (mline->stream);
  else if (mid)
    stream = gst_ice_agent_find_stream (agent, mid);
  else if (index == NO_INDEX)
    stream = find_by_ufrag (agent, ufrag);
  if (!stream || !is_of_peer (stream, ufrag))
    return TARGET_LATER;
  *ret_stream = g_steal_pointer (&stream);
  return TARGET_FOUND;
}

/* @candidate (nullable): the end */
static void
deliver (GstIceStream *stream, IceCandidate *candidate, const gchar *ufrag)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (stream);

  if (candidate)
    gst_ice_stream_take_remote_candidate (tagged, candidate);
  else
    gst_ice_stream_take_remote_end (tagged, ufrag);
}

static void
queue (GstIceAgent *agent, const gchar *mid, guint index, const gchar *line,
    const gchar *ufrag)
{
  GQueue *early = &agent->negotiation.early;
  GstIceEarlyCandidate *item = g_new0 (GstIceEarlyCandidate, 1);

  if (early->length == MAX_EARLY) {
    GST_INFO_OBJECT (agent,
        "more than %u remote candidates before the description they belong "
        "to: the oldest is dropped",
        MAX_EARLY);
    gst_ice_early_candidate_free (g_queue_pop_head (early));
  }
  item->mid = g_strdup (mid);
  item->mline_index = index;
  item->candidate = g_strdup (line);
  item->ufrag = g_strdup (ufrag);
  g_queue_push_tail (early, item);
}

/* Negotiation lock. What is not for now waits. */
static gboolean
take (GstIceAgent *agent, const gchar *mid, guint index, const gchar *line,
    const gchar *ufrag, GError **error)
{
  g_autoptr (IceCandidate) candidate = NULL;
  g_autoptr (GstIceStream) stream = NULL;
  const gchar *reason = "";

  if (*line != '\0') {
    switch (ice_candidate_parse (line, &candidate, &reason)) {
      case ICE_CANDIDATE_PARSE_OK:
        break;
      case ICE_CANDIDATE_PARSE_IGNORED:
        GST_DEBUG_OBJECT (agent, "a remote candidate is ignored: %s", reason);
        return TRUE;
      case ICE_CANDIDATE_PARSE_MALFORMED:
        g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_CANDIDATE,
            "Not a candidate line of RFC 8839 5.1 (%s)", reason);
        return FALSE;
    }
  }
  /* RFC 8839 5.1: what the line says itself counts. */
  if (candidate && !candidate->ufrag)
    candidate->ufrag = g_strdup (ufrag);
  switch (find_target (
      agent, mid, index, candidate ? candidate->ufrag : ufrag, &stream)) {
    case TARGET_FOUND:
      deliver (stream, candidate, ufrag);
      break;
    case TARGET_LATER:
      queue (agent, mid, index, line, ufrag);
      break;
    case TARGET_NONE:
      break;
  }
  return TRUE;
}

void
gst_ice_negotiation_flush_early (GstIceAgent *agent)
{
  GQueue waiting = agent->negotiation.early;
  GstIceEarlyCandidate *item;

  g_queue_init (&agent->negotiation.early);
  while ((item = g_queue_pop_head (&waiting))) {
    take (agent, item->mid, item->mline_index, item->candidate, item->ufrag,
        NULL);
    gst_ice_early_candidate_free (item);
  }
}

void
gst_ice_agent_flush_early (GstIceAgent *self)
{
  g_mutex_lock (&self->negotiation.lock);
  gst_ice_negotiation_flush_early (self);
  g_mutex_unlock (&self->negotiation.lock);
}

static void
end_all (GstIceAgent *self, const gchar *ufrag)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);

  for (guint i = 0; i < streams->len; i++)
    gst_ice_stream_take_remote_end (streams->pdata[i], ufrag);
}

gboolean
gst_ice_agent_take_remote_candidate (GstIceAgent *self, const gchar *mid,
    guint index, const gchar *line, const gchar *ufrag, GError **error)
{
  gboolean taken;

  if (!gst_ice_agent_check_open (self, error))
    return FALSE;
  if (!mid && index == NO_INDEX && *line == '\0') {
    end_all (self, ufrag);
    return TRUE;
  }
  g_mutex_lock (&self->negotiation.lock);
  taken = take (self, mid, mid ? NO_INDEX : index, line, ufrag, error);
  g_mutex_unlock (&self->negotiation.lock);
  return taken;
}

/**
 * gst_ice_agent_add_remote_candidate:
 * @self: an agent
 * @mid: (nullable): the section it is for; %NULL when that is not known: then
 *   the `ufrag` in the candidate tells, or there is only one stream
 * @candidate: (nullable): `candidate:...` as W3C's RTCIceCandidate has it; ""
 *   or %NULL when no more will come, for all streams if @mid is %NULL
 * @error: return location for an error
 *
 * Takes a candidate that the peer trickled (RFC 8838). One that comes before
 * the description it belongs to is kept for it, up to 100. One that cannot be
 * used here is ignored.
 *
 * Errors: %GST_ICE_ERROR_INVALID_CANDIDATE, %GST_ICE_ERROR_CLOSED.
 *
 * Returns: %TRUE when it was understood
 */
gboolean
gst_ice_agent_add_remote_candidate (
    GstIceAgent *self, const gchar *mid, const gchar *candidate, GError **error)
{
  g_return_val_if_fail (GST_IS_ICE_AGENT (self), FALSE);

  return gst_ice_agent_take_remote_candidate (
      self, mid, NO_INDEX, candidate ? candidate : "", NULL, error);
}

/**
 * gst_ice_agent_add_remote_candidate_at:
 * @self: an agent
 * @mline_index: the section it is for, by position; #G_MAXUINT when that is
 *   not known
 * @candidate: (nullable): as for gst_ice_agent_add_remote_candidate()
 * @error: return location for an error
 *
 * Likewise for peers and signalling that know no `mid`.
 *
 * Returns: %TRUE when it was understood
 */
gboolean
gst_ice_agent_add_remote_candidate_at (GstIceAgent *self, guint mline_index,
    const gchar *candidate, GError **error)
{
  g_return_val_if_fail (GST_IS_ICE_AGENT (self), FALSE);

  return gst_ice_agent_take_remote_candidate (
      self, NULL, mline_index, candidate ? candidate : "", NULL, error);
}
