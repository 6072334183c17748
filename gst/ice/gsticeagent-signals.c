/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include "gsticecandidate.h"

/* Signals run from the notification queue, with no lock held. */
static guint
make_signal (const gchar *name, guint n_params, ...)
{
  va_list types;
  guint id;

  va_start (types, n_params);
  id = g_signal_new_valist (name, GST_TYPE_ICE_AGENT, G_SIGNAL_RUN_LAST, NULL,
      NULL, NULL, NULL, G_TYPE_NONE, n_params, types);
  va_end (types);
  return id;
}

void
gst_ice_agent_install_signals (void)
{
  guint *signals = gst_ice_agent_signals;

  /**
   * GstIceAgent::new-candidate:
   * @self: the agent
   * @stream: one of its streams
   * @candidate: a local candidate, for the peer
   *
   * A local candidate was gathered (RFC 8838).
   */
  signals[GST_ICE_AGENT_NEW_CANDIDATE] = make_signal (
      "new-candidate", 2, GST_TYPE_ICE_STREAM, GST_TYPE_ICE_CANDIDATE);
  /**
   * GstIceAgent::gathering-done:
   * @self: the agent
   * @stream: one of its streams
   *
   * Every useful answer has come. Servers that do not answer are not waited
   * for; if one does later, another candidate follows.
   */
  signals[GST_ICE_AGENT_GATHERING_DONE] =
      make_signal ("gathering-done", 1, GST_TYPE_ICE_STREAM);
  /**
   * GstIceAgent::end-of-candidates:
   * @self: the agent
   * @stream: one of its streams
   *
   * Every server has answered or was given up: no further candidate will come,
   * which the peer may be told (RFC 8838 13).
   */
  signals[GST_ICE_AGENT_END_OF_CANDIDATES] =
      make_signal ("end-of-candidates", 1, GST_TYPE_ICE_STREAM);
  /**
   * GstIceAgent::local-description:
   * @self: the agent
   * @type: `offer` or `answer`
   * @sdp: the description
   *
   * A #GstIceSession has described this side to the peer.
   */
  signals[GST_ICE_AGENT_LOCAL_DESCRIPTION] =
      make_signal ("local-description", 2, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstIceAgent::selected-pair:
   * @self: the agent
   * @stream: one of its streams
   * @component: the component
   * @local: the local candidate
   * @remote: the remote one
   *
   * Media of @component goes this way from now on.
   */
  signals[GST_ICE_AGENT_SELECTED_PAIR] =
      make_signal ("selected-pair", 4, GST_TYPE_ICE_STREAM, G_TYPE_UINT,
          GST_TYPE_ICE_CANDIDATE, GST_TYPE_ICE_CANDIDATE);
  /**
   * GstIceAgent::candidate-error:
   * @self: the agent
   * @url: the server, without secrets
   * @code: a STUN error code (RFC 8489 14.8), or 701 when it was not reached
   * @text: what was tried and what to do
   *
   * A server was given up, as in W3C's icecandidateerror. The detail is the
   * cause where there is one: `candidate-error::turn-auth` for credentials that
   * were refused, `candidate-error::tls-untrusted` for a server over TLS or
   * DTLS that has not shown to be who it should.
   */
  signals[GST_ICE_AGENT_CANDIDATE_ERROR] = g_signal_new ("candidate-error",
      GST_TYPE_ICE_AGENT, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL, NULL,
      NULL, G_TYPE_NONE, 3, G_TYPE_STRING, G_TYPE_UINT, G_TYPE_STRING);
  /**
   * GstIceAgent::credentials-needed:
   * @self: the agent
   * @url: the server, without secrets
   *
   * A server refuses the credentials, or wants some, or those that name their
   * end ("1719999999:alice", Unix time) have a minute left. New ones may be
   * given with gst_ice_agent_add_server_with_credentials(); relays that are in
   * use go on with them.
   */
  signals[GST_ICE_AGENT_CREDENTIALS_NEEDED] =
      make_signal ("credentials-needed", 1, G_TYPE_STRING);
  /**
   * GstIceAgent::new-remote-candidate:
   * @self: the agent
   * @stream: one of its streams
   * @candidate: a peer-reflexive candidate
   *
   * A check came from an address that was not signalled (RFC 8445 7.3.1.3).
   */
  signals[GST_ICE_AGENT_NEW_REMOTE_CANDIDATE] = make_signal (
      "new-remote-candidate", 2, GST_TYPE_ICE_STREAM, GST_TYPE_ICE_CANDIDATE);
  /**
   * GstIceAgent::first-check:
   * @self: the agent
   * @stream: one of its streams
   *
   * The first check of the peer with the right credentials arrived.
   */
  signals[GST_ICE_AGENT_FIRST_CHECK] =
      make_signal ("first-check", 1, GST_TYPE_ICE_STREAM);
  /**
   * GstIceAgent::error:
   * @self: the agent
   * @error: what went wrong, and what to do about it
   *
   * The session cannot go on, or a value that was set cannot be used.
   */
  signals[GST_ICE_AGENT_ERROR] = make_signal ("error", 1, G_TYPE_ERROR);
  /**
   * GstIceAgent::warning:
   * @self: the agent
   * @error: what seems to be wrong, and what to do about it
   *
   * The session goes on, but may not succeed: after 10 s without a working pair
   * it names the likely cause.
   */
  signals[GST_ICE_AGENT_WARNING] = make_signal ("warning", 1, G_TYPE_ERROR);
  /**
   * GstIceAgent::consent-lost:
   * @self: the agent
   * @stream: one of its streams
   * @component: the component
   *
   * The peer has not consented for 30 s (RFC 7675 5.1): nothing is sent to it
   * any more.
   */
  signals[GST_ICE_AGENT_CONSENT_LOST] =
      make_signal ("consent-lost", 2, GST_TYPE_ICE_STREAM, G_TYPE_UINT);
  /**
   * GstIceAgent::restart-needed:
   * @self: the agent
   * @stream: one of its streams
   * @reason: "path-silent", "path-lost", "address-lost", "rebound" or
   *   "address-new"
   *
   * In mid-call the network has changed, and only an ICE restart (RFC 8445 9)
   * brings the media back: half a second after regular media fell silent and no
   * other pair answered, at once when the local address or the last pair is
   * gone. With "address-new" the path works, and there may be a better one.
   * Call gst_ice_agent_restart() and signal a new offer; #GstIceSession and the
   * elements do so by themselves (auto-restart). It comes again, after 10 s and
   * then less and less often, while the trouble lasts. Changes of the addresses
   * are watched when a handler was connected before gathering, or with
   * #GstIceAgent:continual-gathering.
   */
  signals[GST_ICE_AGENT_RESTART_NEEDED] =
      make_signal ("restart-needed", 2, GST_TYPE_ICE_STREAM, G_TYPE_STRING);
}
