/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticeprelude.h>

G_BEGIN_DECLS

typedef struct _GstIceAgent GstIceAgent;
typedef struct _GstIceStream GstIceStream;
typedef struct _GstIceTransport GstIceTransport;
typedef struct _GstIceCandidate GstIceCandidate;
typedef struct _GstIceSignaller GstIceSignaller;
typedef struct _GstIceSession GstIceSession;

typedef enum
{
  GST_ICE_STATE_NEW,
  GST_ICE_STATE_CHECKING,
  GST_ICE_STATE_CONNECTED,
  GST_ICE_STATE_COMPLETED,
  GST_ICE_STATE_DISCONNECTED,
  GST_ICE_STATE_FAILED,
  GST_ICE_STATE_CLOSED,
} GstIceState;

typedef enum
{
  GST_ICE_GATHERING_STATE_NEW,
  GST_ICE_GATHERING_STATE_GATHERING,
  GST_ICE_GATHERING_STATE_COMPLETE,
} GstIceGatheringState;

typedef enum
{
  GST_ICE_CANDIDATE_KIND_HOST,
  GST_ICE_CANDIDATE_KIND_SERVER_REFLEXIVE,
  GST_ICE_CANDIDATE_KIND_PEER_REFLEXIVE,
  GST_ICE_CANDIDATE_KIND_RELAYED,
} GstIceCandidateKind;

typedef enum
{
  GST_ICE_POLICY_ALL,
  GST_ICE_POLICY_RELAY,
} GstIcePolicy;

/**
 * GstIceNomination:
 * @GST_ICE_NOMINATION_REGULAR: a pair is nominated when it has been checked
 *   (RFC 8445 8.1.1)
 * @GST_ICE_NOMINATION_AGGRESSIVE: every check nominates, and the best pair that
 *   answers is used (RFC 5245 8.1.1.2)
 *
 * How a controlling agent nominates.
 */
typedef enum
{
  GST_ICE_NOMINATION_REGULAR,
  GST_ICE_NOMINATION_AGGRESSIVE,
} GstIceNomination;

/**
 * GstIcePortMapping:
 * @GST_ICE_PORT_MAPPING_OFF: the router is left alone
 * @GST_ICE_PORT_MAPPING_ON: it is asked for the port of each candidate
 *
 * Whether routers are asked to map ports.
 */
typedef enum
{
  GST_ICE_PORT_MAPPING_OFF,
  GST_ICE_PORT_MAPPING_ON,
} GstIcePortMapping;

typedef enum
{
  GST_ICE_TCP_POLICY_NONE,
  GST_ICE_TCP_POLICY_ACTIVE,
  GST_ICE_TCP_POLICY_PASSIVE,
  GST_ICE_TCP_POLICY_ALL,
} GstIceTcpPolicy;

/**
 * GstIceTurnOptions:
 * @GST_ICE_TURN_NONE: nothing beside what RFC 8656 asks for by default
 * @GST_ICE_TURN_EVEN_PORT: an even port for RTP and the next one for RTCP
 *   (RFC 8656 7.1), where a stream has both components
 * @GST_ICE_TURN_DONT_FRAGMENT: relayed datagrams are not fragmented on their
 *   way to the peer (RFC 8656 7.1, 11.1)
 * @GST_ICE_TURN_MOBILITY: a ticket with which an allocation moves to another
 *   local address (RFC 8016)
 *
 * What to ask TURN servers for. A server that does not know one is asked again
 * without it.
 */
typedef enum
{
  GST_ICE_TURN_NONE = 0,
  GST_ICE_TURN_EVEN_PORT = 1 << 0,
  GST_ICE_TURN_DONT_FRAGMENT = 1 << 1,
  GST_ICE_TURN_MOBILITY = 1 << 2,
} GstIceTurnOptions;

/**
 * GstIceEcn:
 * @GST_ICE_ECN_NOT_ECT: not capable of ECN
 * @GST_ICE_ECN_ECT_1: capable, in the way of L4S (RFC 9331)
 * @GST_ICE_ECN_ECT_0: capable, in the way of RFC 3168
 * @GST_ICE_ECN_CE: congestion was experienced
 *
 * The lower two bits of the byte in the IP header (RFC 3168 5).
 */
typedef enum
{
  GST_ICE_ECN_NOT_ECT = 0,
  GST_ICE_ECN_ECT_1 = 1,
  GST_ICE_ECN_ECT_0 = 2,
  GST_ICE_ECN_CE = 3,
} GstIceEcn;

typedef enum
{
  GST_ICE_IP_FAMILY_ANY,
  GST_ICE_IP_FAMILY_IPV4,
  GST_ICE_IP_FAMILY_IPV6,
} GstIceIpFamily;

/**
 * GstIceMdns:
 * @GST_ICE_MDNS_OFF: candidates of the peer that have a name are ignored
 * @GST_ICE_MDNS_RESOLVE: names of the peer's candidates are asked for on the
 *   networks that are used
 * @GST_ICE_MDNS_PUBLISH: likewise, and host candidates of ours show a name in
 *   place of the address, which only hosts on the same network can look up
 *
 * What is done with multicast DNS (RFC 6762,
 * draft-ietf-mmusic-mdns-ice-candidates).
 */
typedef enum
{
  GST_ICE_MDNS_OFF,
  GST_ICE_MDNS_RESOLVE,
  GST_ICE_MDNS_PUBLISH,
} GstIceMdns;

typedef enum
{
  GST_ICE_BUNDLE_NONE,
  GST_ICE_BUNDLE_MAX,
} GstIceBundle;

typedef enum
{
  GST_ICE_SIGNALLER_ROLE_AUTO,
  GST_ICE_SIGNALLER_ROLE_OFFER,
  GST_ICE_SIGNALLER_ROLE_ANSWER,
} GstIceSignallerRole;

/**
 * GstIceSessionState:
 * @GST_ICE_SESSION_STATE_NEW: not started
 * @GST_ICE_SESSION_STATE_MEETING: waiting for the peer, or for the next one
 * @GST_ICE_SESSION_STATE_NEGOTIATING: the first offer was made, or came
 * @GST_ICE_SESSION_STATE_ESTABLISHED: it was answered
 * @GST_ICE_SESSION_STATE_ENDED: gst_ice_session_bye() was called
 *
 * How far a session is.
 */
typedef enum
{
  GST_ICE_SESSION_STATE_NEW,
  GST_ICE_SESSION_STATE_MEETING,
  GST_ICE_SESSION_STATE_NEGOTIATING,
  GST_ICE_SESSION_STATE_ESTABLISHED,
  GST_ICE_SESSION_STATE_ENDED,
} GstIceSessionState;

/**
 * GstIceDirection:
 * @GST_ICE_DIRECTION_INACTIVE: neither
 * @GST_ICE_DIRECTION_SENDONLY: this side sends
 * @GST_ICE_DIRECTION_RECVONLY: this side receives
 * @GST_ICE_DIRECTION_SENDRECV: both
 *
 * Where media goes, as the direction attributes of a description have it
 * (RFC 8866 6.7). One bit says that this side sends, the other that it
 * receives.
 */
typedef enum
{
  GST_ICE_DIRECTION_INACTIVE = 0,
  GST_ICE_DIRECTION_SENDONLY = 1,
  GST_ICE_DIRECTION_RECVONLY = 2,
  GST_ICE_DIRECTION_SENDRECV = 3,
} GstIceDirection;

G_END_DECLS
