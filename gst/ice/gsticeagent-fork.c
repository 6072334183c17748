/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticenegotiation-private.h"

#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticestream-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* Negotiation lock. */
static gboolean
may_fork (GstIceAgent *self, GError **error)
{
  if (!gst_ice_agent_check_open (self, error))
    return FALSE;
  if (self->negotiation.exchange == GST_ICE_EXCHANGE_LOCAL_OFFER ||
      self->negotiation.exchange == GST_ICE_EXCHANGE_DONE)
    return TRUE;
  g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
      "There is no offer that could have several answers: create one first");
  return FALSE;
}

static void
copy_settings (GstIceAgent *self, GstIceAgent *origin)
{
  GST_OBJECT_LOCK (origin);
  gst_ice_settings_clear (&self->settings);
  self->settings = origin->settings;
  self->settings.interfaces = g_strdup (origin->settings.interfaces);
  self->settings.ignore_interfaces =
      g_strdup (origin->settings.ignore_interfaces);
  self->settings.ca_file = g_strdup (origin->settings.ca_file);
  self->settings.external_addresses =
      g_strdup (origin->settings.external_addresses);
  for (guint i = 0; i < origin->servers->len; i++)
    g_ptr_array_add (
        self->servers, gst_ice_server_copy (origin->servers->pdata[i]));
  GST_OBJECT_UNLOCK (origin);
}

static void
copy_streams (GstIceAgent *self, GstIceAgent *origin)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (origin);

  for (guint i = 0; i < streams->len; i++) {
    g_autoptr (GstIceStream) carrier =
        gst_ice_stream_ref_tagged (streams->pdata[i]);
    g_autoptr (GstIceStream) tagged = NULL;
    g_autoptr (GstIceStream) stream = NULL;

    if (carrier != streams->pdata[i])
      tagged = gst_ice_agent_find_stream (self, carrier->mid);
    stream = gst_ice_stream_new_fork (streams->pdata[i], self, tagged);
    /* First here, then in the core: what it says must find it. */
    GST_OBJECT_LOCK (self);
    g_ptr_array_add (self->streams, gst_object_ref (stream));
    GST_OBJECT_UNLOCK (self);
    if (!tagged)
      gst_ice_stream_begin_fork (stream, streams->pdata[i], self);
  }
}

/* The offer stands for both; its answer is yet to come. */
static void
copy_offer (GstIceAgent *self, GstIceAgent *origin)
{
  const GstIceNegotiation *offer = &origin->negotiation;
  GstIceNegotiation *negotiation = &self->negotiation;

  negotiation->exchange = GST_ICE_EXCHANGE_LOCAL_OFFER;
  negotiation->session_id = offer->session_id;
  negotiation->version = offer->version;
  for (guint i = 0; i < offer->mlines->len; i++) {
    const GstIceMline *theirs = offer->mlines->pdata[i];
    GstIceMline *mline = g_new0 (GstIceMline, 1);

    if (theirs->stream)
      mline->stream = gst_ice_agent_find_stream (self, theirs->stream->mid);
    mline->mid = g_strdup (theirs->mid);
    gst_caps_replace (&mline->caps, theirs->caps);
    g_ptr_array_add (negotiation->mlines, mline);
  }
}

void
gst_ice_agent_expect_forks (GstIceAgent *self)
{
  ice_core_set_forking (gst_ice_agent_lock_core (self), TRUE);
  gst_ice_pump_unlock (self->pump);
}

/**
 * gst_ice_agent_fork:
 * @self: an agent that has made an offer
 * @error: return location for an error
 *
 * Makes an agent for one more answer to the offer of @self (RFC 8839 7): SIP
 * proxies fork a request, and each phone that rings or is picked up answers for
 * itself. The first answer is given to @self, every other one to a fork of it,
 * by gst_ice_agent_set_remote_description() with type `answer` or `pranswer`;
 * candidates that a peer trickles likewise.
 *
 * A fork has the streams of @self, by the same names, with the same local
 * credentials and candidates: it uses the sockets and TURN allocations that are
 * there, and the peer's username fragment tells whose a check is. Checks of a
 * peer whose answer has not arrived wait for its fork. Media is told apart by
 * where it comes from; a second peer at the same address is refused. Role,
 * state, pairs, consent and stats are each agent's own, and so is what a
 * restart makes. Properties are those of @self as they are now; what gathers
 * (servers, interfaces, ports, policy) stays common to all. Streams that an
 * answer has rejected already are missing in later forks, so where answers may
 * differ fork before the first one is set.
 *
 * The agents live and are closed separately, in any order; the sockets close
 * with the last. A fork may be forked. Any thread may call this.
 *
 * Errors: %GST_ICE_ERROR_CLOSED, %GST_ICE_ERROR_INVALID_STATE when @self has
 * made no offer, %GST_ICE_ERROR_RESOURCE for more than 64 agents at a time.
 *
 * Returns: (transfer full): a new agent that waits for an answer
 */
GstIceAgent *
gst_ice_agent_fork (GstIceAgent *self, GError **error)
{
  GstIceAgent *fork = NULL;
  guint branch = 0;

  g_return_val_if_fail (GST_IS_ICE_AGENT (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_mutex_lock (&self->negotiation.lock);
  if (may_fork (self, error)) {
    branch = gst_ice_pump_fork (self->pump, self->branch);
    if (branch == 0)
      g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
          "One offer has at most %u answers at a time: close the agents of "
          "those that were given up",
          ICE_MAX_BRANCHES);
  }
  if (branch != 0) {
    fork = gst_ice_agent_new_fork (self, branch);
    copy_settings (fork, self);
    copy_streams (fork, self);
    copy_offer (fork, self);
    gst_ice_agent_decide_role (fork, TRUE);
    gst_ice_agent_update_states (fork);
    GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT " takes another answer", fork);
  }
  g_mutex_unlock (&self->negotiation.lock);
  return fork;
}
