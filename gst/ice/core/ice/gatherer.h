/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../context.h"
#include "../turn/allocation.h"

G_BEGIN_DECLS

/* The gatherer finds local candidates (RFC 8445 5.1.1) and afterwards knows
 * how a packet leaves by each of them: straight from its socket, or through a
 * TURN allocation. It owns the STUN and TURN client transactions; checks are
 * not its business. It appends OPEN_SOCKET, CLOSE_SOCKET, RESOLVE, TRANSMIT,
 * SERVER_ERROR and SERVER_OK to the context's outputs; everything the rest of
 * the core must react to comes as an IceGatherEvent, to be drained after every
 * call that takes a time. */
typedef struct _IceGatherer IceGatherer;

typedef enum
{
  ICE_SERVER_STUN,
  ICE_SERVER_TURN,
} IceServerKind;

typedef struct
{
  guint id; /* chosen by the caller, not 0 */
  IceServerKind kind;
  IceTransportKind transport;
  const gchar *host; /* name or literal; copied */
  guint16 port;
  gboolean srv; /* the URI has no port: DNS may name others (RFC 5928 3) */
  const gchar *username, *password; /* (nullable) copied, cleansed after */
  /* RFC 7635: in place of the password, with the key id as user name. */
  IceBytes token, mac_key;
  IceTime expires_at; /* the credentials do; 0: never, as far as we know */
  const gchar *url;   /* for candidates: without secrets */
} IceServerConfig;

/* One local address a candidate may be gathered on. */
typedef struct
{
  IceAddress address; /* port 0 */
  guint interface_index;
  gboolean loopback, tunnel, temporary, deprecated;
} IceInterfaceAddress;

/* Which ends of TCP connections we are (RFC 6544). */
typedef enum
{
  ICE_TCP_NONE,
  ICE_TCP_ACTIVE,
  ICE_TCP_PASSIVE,
  ICE_TCP_ALL, /* and simultaneous-open */
} IceTcpPolicy;

/* A NAT between us and everybody else that maps one address to another, ports
 * as they are, and that no server need be asked about. */
typedef struct
{
  IceAddress external; /* port 0 */
  IceAddress local;    /* port 0; family NONE: whatever has the same family,
                          but for loopback and link-local ones */
} IceExternalAddress;

#define ICE_EXTERNAL_MAX 16

typedef struct
{
  gboolean relay_only;   /* policy=relay: not one packet elsewhere, and only
                            relayed candidates are reported */
  IceFamily only_family; /* NONE: both */
  gboolean lite;         /* RFC 8445 5.2: one host candidate per family */
  /* RFC 8656 7.1: a server that is reached over one family is asked for a
   * relayed address of each. */
  gboolean both_families;
  gboolean even_port; /* RTP and RTCP: an even port and the next one */
  gboolean dont_fragment;
  gboolean mobility; /* RFC 8016 */
  /* Host candidates show names, which PUBLISH tells; what is related to them
   * shows nothing (the mDNS draft, 3.1). */
  gboolean hide_hosts;
  IceTcpPolicy tcp;
  GBytes *external; /* (nullable) of IceExternalAddress */
  /* The UDP sockets of component 1 may share their port with other agents
   * (design 9.9): OPEN_SOCKET says so, and allocations get sockets of their
   * own, for a TURN server knows one per 5-tuple (RFC 8656 5). */
  gboolean shared_port;
  gboolean port_mapping; /* the router is asked for mappings */
} IceGathererConfig;

/* A copy made by assignment shares what it points to, and holds it so. */
void ice_gatherer_config_hold (IceGathererConfig *self);
void ice_gatherer_config_release (IceGathererConfig *self);

typedef enum
{
  ICE_GATHER_CANDIDATE, /* a new local candidate */
  ICE_GATHER_DONE,      /* a stream: the last useful answer came */
  ICE_GATHER_END,       /* a stream: every server answered or was given up */
  ICE_GATHER_CANDIDATE_LOST,  /* allocation gone, socket failed */
  ICE_GATHER_CANDIDATE_MOVED, /* relayed; its packets pass another socket, no
                                 more former_socket */
  /* After a restart the candidate is the new generation's: socket and base tell
   * that an older one means the same. */
  ICE_GATHER_CHANNEL_BOUND, /* candidate, peer, channel */
  ICE_GATHER_CHANNEL_LOST,
  ICE_GATHER_PERMISSION_REFUSED, /* candidate, peer: pairs to it fail */
  ICE_GATHER_PEER_UNREACHABLE,   /* candidate, peer, icmp: told by the server */
} IceGatherEventType;

typedef struct
{
  IceGatherEventType type;
  guint stream;
  IceCandidate *candidate; /* (owned) (nullable) local */
  IceAddress peer;
  guint16 channel;
  IceIcmpError icmp;
  guint former_socket;
} IceGatherEvent;

typedef enum
{
  ICE_GATHER_NOT_MINE, /* go on: a check, or media */
  ICE_GATHER_HANDLED,
  ICE_GATHER_DROPPED, /* forged, or no permission lets it through */
  ICE_GATHER_RELAYED, /* @ret_relayed holds what came through an allocation */
} IceGatherVerdict;

typedef struct
{
  IceCandidate *local; /* (unowned) the relayed candidate */
  IceAddress from;     /* the peer */
  IceBytes data;       /* borrows from the datagram */
} IceRelayedDatagram;

IceGatherer *
ice_gatherer_new (IceContext *context, const IceGathererConfig *config);
void ice_gatherer_free (IceGatherer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceGatherer, ice_gatherer_free)

/* Commands. A server with a known id replaces its credentials, in use at once:
 * live allocations sign their next request with them. */
void
ice_gatherer_set_config (IceGatherer *self, const IceGathererConfig *config);
void ice_gatherer_add_server (IceGatherer *self, const IceServerConfig *server);
void ice_gatherer_remove_servers (IceGatherer *self);
void ice_gatherer_set_interfaces (
    IceGatherer *self, const IceInterfaceAddress *addresses, guint n_addresses);
/* Names what a stream consists of: transports[i] is component i + 1; 0 where
 * a component is not wanted. Again after a restart: @generation is new, the
 * sockets stay, candidates are reported anew (RFC 8445 9). */
void ice_gatherer_gather (IceGatherer *self, guint stream,
    const guint *transports, guint n_transports, guint generation, IceTime now);
/* Within a generation: the interfaces are others. What is new is gathered on,
 * what has gone takes its candidates along. */
void ice_gatherer_update (IceGatherer *self, guint stream, IceTime now);
/* Servers that were not asked yet are. */
void ice_gatherer_ask_servers (IceGatherer *self, guint stream, IceTime now);
/* What is found after the end is told, too. */
void ice_gatherer_reopen (IceGatherer *self, guint stream, IceTime now);
/* After the end, too, CANDIDATE is said of an allocation that takes the place
 * of another one. */
void
ice_gatherer_allow_successors (IceGatherer *self, guint stream, gboolean allow);
/* The peer is on the port of that socket, as another agent of this process is
 * that shares it: by their addresses the packets of both would be the same.
 * There is one more host candidate, on a port of its own. */
void ice_gatherer_open_beside (IceGatherer *self, guint socket);
/* One is being made for that component. */
gboolean ice_gatherer_awaits_successor (
    IceGatherer *self, guint stream, guint component);
void ice_gatherer_remove_stream (IceGatherer *self, guint stream, IceTime now);
/* Sockets whose base no pair uses any more may go (RFC 8445 8.3). */
void ice_gatherer_release_candidate (
    IceGatherer *self, IceCandidate *local, IceTime now);
/* The local address of @socket is going, or gone, and @address is there: what
 * it holds at TURN servers that gave a ticket moves along (RFC 8016). FALSE
 * when nothing can. */
gboolean ice_gatherer_move (
    IceGatherer *self, guint socket, const IceAddress *address, IceTime now);
/* After ice_gatherer_set_interfaces: that, for all whose address is gone. */
void ice_gatherer_follow_addresses (IceGatherer *self, IceTime now);
/* FALSE: the address that @local leaves from is gone. */
gboolean
ice_gatherer_is_local (const IceGatherer *self, const IceCandidate *local);
gboolean ice_gatherer_has_addresses (const IceGatherer *self);
/* There is an address that @stream was not gathered on, and would be now. */
gboolean ice_gatherer_has_news (IceGatherer *self, guint stream);
/* A path of @stream went silent: the NAT may have forgotten us. Servers are
 * asked at once what they would be asked sooner or later: what our address is,
 * and whether our allocations are there. */
void ice_gatherer_doubt (IceGatherer *self, guint stream, IceTime now);
/* Goodbye: Refresh with lifetime 0 for each allocation, sockets closed. */
void ice_gatherer_close (IceGatherer *self, IceTime now);

/* Answers to outputs. */
void ice_gatherer_socket_opened (
    IceGatherer *self, guint socket, const IceAddress *bound, IceTime now);
/* FALSE when it was no more than the way to a server. */
gboolean ice_gatherer_socket_failed (
    IceGatherer *self, guint socket, const gchar *reason, IceTime now);
/* NULL: not mapped, or not any more. */
void ice_gatherer_port_mapped (
    IceGatherer *self, guint socket, const IceAddress *external, IceTime now);
/* That was, or is going to be told now, because of who is there (TLS). */
void ice_gatherer_socket_untrusted (IceGatherer *self, guint socket);
void ice_gatherer_resolved (IceGatherer *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now);
/* @reason is a sentence for people, without its full stop. */
void ice_gatherer_resolve_failed (
    IceGatherer *self, guint request, const gchar *reason, IceTime now);

/* Where @ipv4 is reached from a host that has only IPv6 (RFC 6052). FALSE when
 * that is not needed, or not known: it may be after ice_gatherer_resolved. */
gboolean ice_gatherer_translate (IceGatherer *self, const IceAddress *ipv4,
    IceTime now, IceAddress *ret_address);

/* Bytes in. @message is NULL when the datagram is not STUN. */
IceGatherVerdict ice_gatherer_receive (IceGatherer *self, guint socket,
    const IceAddress *from, IceBytes data, const IceStunMessage *message,
    IceTime now, IceRelayedDatagram *ret_relayed);
void ice_gatherer_timeout (IceGatherer *self, IceTime now);
/* ICE_TIME_NEVER when nothing is due. */
IceTime ice_gatherer_deadline (IceGatherer *self);
/* A new transaction waits for its slot (RFC 8445 14.2). */
gboolean ice_gatherer_is_waiting (const IceGatherer *self);

/* (transfer full for the event's candidate) FALSE when the queue is empty. */
gboolean ice_gatherer_next_event (IceGatherer *self, IceGatherEvent *ret_event);

/* Our host candidates show names. */
gboolean ice_gatherer_hides_hosts (const IceGatherer *self);

/* How packets leave. */
void ice_gatherer_transmit (IceGatherer *self, const IceCandidate *local,
    const IceAddress *to, IcePacket *packet, IceTime now);
/* Asks for what sending to @peer through a relayed candidate will need; the
 * first check may be transmitted at once, right behind the CreatePermission.
 * Nothing for other kinds. */
void ice_gatherer_permit (IceGatherer *self, const IceCandidate *local,
    const IceAddress *peer, IceTime now);
/* Asks for a channel: the pair is going to carry media. */
void ice_gatherer_bind_channel (IceGatherer *self, const IceCandidate *local,
    const IceAddress *peer, IceTime now);
/* What comes by @local is missed: its server is asked whether it still relays.
 * If it does not, CANDIDATE_LOST. Nothing for other kinds. */
void
ice_gatherer_verify (IceGatherer *self, const IceCandidate *local, IceTime now);
/* No more sending to @peer: permission and channel are not refreshed. */
void ice_gatherer_forget_peer (
    IceGatherer *self, const IceCandidate *local, const IceAddress *peer);
/* 0 when no channel is bound. */
guint16 ice_gatherer_channel (
    IceGatherer *self, const IceCandidate *local, const IceAddress *peer);
/* (nullable) where the packets of a relayed candidate go: the TURN server. */
const IceAddress *
ice_gatherer_relay_server (IceGatherer *self, const IceCandidate *local);
/* The local candidate whose base is this socket (host candidate), whether or
 * not it was reported; (unowned) (nullable). */
IceCandidate *ice_gatherer_host_candidate (IceGatherer *self, guint socket);
/* The present generation, 0 before the first gathering. */
guint ice_gatherer_get_generation (IceGatherer *self, guint stream);
/* Candidates of one component of the present generation, best first; appended
 * to @ret (unowned elements). */
void ice_gatherer_get_candidates (
    IceGatherer *self, guint stream, guint component, GPtrArray *ret);
/* RFC 8489 14.14: "less than 128 characters"; this much of it is kept. */
#define ICE_SOFTWARE_SIZE 65

/* Per server, for stats: rtt, errors, lifetime of the longest allocation. */
typedef struct
{
  guint server;
  IceTime rtt;
  guint errors;
  guint allocation_lifetime;         /* seconds, 0 when none */
  gchar software[ICE_SOFTWARE_SIZE]; /* what it says it is; may be "" */
} IceServerStats;
void ice_gatherer_get_server_stats (IceGatherer *self, GArray *ret);

G_END_DECLS
