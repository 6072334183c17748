/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"
#include "ice/gatherer.h"
#include "ice/policy.h"
#include "verdict.h"

G_BEGIN_DECLS

/* The whole protocol of one peer session as one pure state machine: bytes,
 * time and commands in; outputs and a deadline out.
 *
 *  1. ice_core_new, then commands: add_stream, add_server, set_interfaces, ...
 *  2. after any call: ice_core_take_outputs, perform them in order, and call
 *     ice_core_timeout at the deadline it gave;
 *  3. feed what came back: socket_opened, resolved, receive, ...
 *
 * Not for two threads at once. Nothing calls back. */
typedef struct _IceCore IceCore;

typedef struct
{
  IceWorld world;
  gboolean controlling;
  gboolean consent;       /* RFC 7675; default TRUE in ice_core_config_init */
  gboolean allow_non_ice; /* design 9.7 */
  IceGathererConfig gather;
  IceTime connect_timeout; /* 0: until the PAC timer ends (RFC 8863) */
  guint max_pairs;         /* RFC 8445 6.1.2.5, default 100 */
} IceCoreConfig;

typedef struct
{
  guint socket;
  IceAddress from;
  IceBytes data;
} IceDatagram;

void ice_core_config_init (IceCoreConfig *config, const IceWorld *world);
IceCore *ice_core_new (const IceCoreConfig *config, IceTime now);
void ice_core_free (IceCore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceCore, ice_core_free)

/* Bytes in, time in, outputs out. */
IceVerdict ice_core_receive (IceCore *self, const IceDatagram *in, IceTime now);
void ice_core_timeout (IceCore *self, IceTime now);
/* Only while there is no route: sent as a Send indication over a selected
 * relayed pair whose channel is not bound yet. FALSE: dropped and counted. */
gboolean
ice_core_send (IceCore *self, guint transport, IceBytes payload, IceTime now);
/* (transfer full) (nullable) @ret_deadline is ICE_TIME_NEVER when nothing is
 * due. */
IceOutput *ice_core_take_outputs (IceCore *self, IceTime *ret_deadline);

/* Commands: forks (RFC 8839 7: "a single offer generating a multiplicity of
 * answers"). Each answer is a branch: a role, checklists and pairs of its own
 * on the same sockets and allocations. Branch 0 is there from the start. */
#define ICE_MAX_BRANCHES 64
/* A branch with the settings of the present one, whose offer it is. Its id, or
 * 0 when there are too many, or it is closed. */
guint ice_core_fork (IceCore *self);
/* The local side of @stream for the peer of @branch. Its id, or 0. */
guint ice_core_fork_stream (IceCore *self, guint branch, guint stream);
/* Commands and questions that name no stream are for it from now on. FALSE:
 * there is none with that id, and until another is used they are for nobody:
 * what was meant for a branch that is closed must not reach another peer. */
gboolean ice_core_use_branch (IceCore *self, guint branch);
/* Further answers may come to what is offered: checks of peers that are not
 * known are kept for them, and candidates for as long as that may be. */
void ice_core_set_forking (IceCore *self, gboolean forking);

/* Commands: the session. */
void ice_core_set_controlling (IceCore *self, gboolean controlling);
gboolean ice_core_get_controlling (const IceCore *self);
/* Before checks begin, or at a restart; ignored in between. */
void
ice_core_set_gather_config (IceCore *self, const IceGathererConfig *config);
void ice_core_set_consent (IceCore *self, gboolean consent);
void ice_core_set_allow_non_ice (IceCore *self, gboolean allow);
void ice_core_set_connect_timeout (IceCore *self, IceTime timeout);
void ice_core_add_server (IceCore *self, const IceServerConfig *server);
void ice_core_remove_servers (IceCore *self);
void ice_core_set_interfaces (IceCore *self,
    const IceInterfaceAddress *addresses, guint n_addresses, IceTime now);
/* RFC 8445 2.5: host candidates only, no checks. Before gathering, or for the
 * next restart. */
void ice_core_set_lite (IceCore *self, gboolean lite);
gboolean ice_core_get_lite (const IceCore *self);
/* The path MTU of selected pairs is measured by padded checks (RFC 8899):
 * PATH_MTU. */
void ice_core_set_mtu_probing (IceCore *self, gboolean probing);
/* Addresses that come and go count at once, if the peer can do with that. */
void ice_core_set_continual (IceCore *self, gboolean continual);
/* RFC 5245 8.1.1.2, towards peers that do not say `ice2`. */
void ice_core_set_aggressive (IceCore *self, gboolean aggressive);
/* From the peer's description; before its candidates, or a lite agent has two
 * ideas of which pair is the best. */
void ice_core_set_remote_lite (IceCore *self, gboolean lite, IceTime now);
/* IceOption flags of the peer's a=ice-options. */
void ice_core_set_remote_options (IceCore *self, guint options, IceTime now);
guint ice_core_get_remote_options (const IceCore *self);
/* Milliseconds of the peer's a=ice-pacing; 0: it said nothing, so 50. */
void ice_core_set_remote_pacing (IceCore *self, guint ms);

/* Commands: streams. Ids are not 0. */
guint ice_core_add_stream (IceCore *self);
void ice_core_remove_stream (IceCore *self, guint stream, IceTime now);
/* The transport id of a component, made when it is not there yet. */
guint ice_core_add_component (IceCore *self, guint stream, guint component);
/* FALSE when the grammar of RFC 8839 5.4 is not met, or too late: while
 * checks are under way local credentials change by restart only. Remote ones
 * that differ are a restart by the peer, and ours change too; half of them
 * differing is refused. */
gboolean ice_core_set_local_credentials (
    IceCore *self, guint stream, const gchar *ufrag, const gchar *pwd);
gboolean ice_core_set_remote_credentials (IceCore *self, guint stream,
    const gchar *ufrag, const gchar *pwd, IceTime now);
const gchar *ice_core_get_local_ufrag (const IceCore *self, guint stream);
const gchar *ice_core_get_local_pwd (const IceCore *self, guint stream);
const gchar *ice_core_get_remote_ufrag (const IceCore *self, guint stream);
/* Local user fragments of the streams that gather on @socket: borrowed,
 * appended to @ret. */
void ice_core_get_ufrags (const IceCore *self, guint socket, GPtrArray *ret);
void ice_core_gather (IceCore *self, guint stream, IceTime now);
/* Copies what it keeps. Queued while the credentials are unknown. */
IceVerdict ice_core_add_remote_candidate (
    IceCore *self, guint stream, const IceCandidate *candidate, IceTime now);
void ice_core_end_remote_candidates (IceCore *self, guint stream, IceTime now);
/* RFC 8838 13: the same for those of the generation with @ufrag (nullable: not
 * said). What is late ends nothing; what is early counts when its credentials
 * come. */
void ice_core_end_remote_generation (
    IceCore *self, guint stream, const gchar *ufrag, IceTime now);
/* The peer sent no ICE attributes: media goes to @address when allow-non-ice
 * says so (design 9.7); otherwise REFUSED. */
IceVerdict ice_core_set_remote_default (
    IceCore *self, guint transport, const IceAddress *address, IceTime now);
/* The answer lacks component 2 (rtcp-mux), or the section was rejected. */
void ice_core_remove_component (
    IceCore *self, guint stream, guint component, IceTime now);
/* RFC 8445 9: new credentials; the old pair carries media until the new one is
 * nominated. 0: every stream. */
void ice_core_restart (IceCore *self, guint stream, IceTime now);
/* With credentials that signalling made; candidates name them from the first
 * on. */
void ice_core_restart_with (IceCore *self, guint stream, const gchar *ufrag,
    const gchar *pwd, IceTime now);
/* The application picks; checks stop for that component. */
IceVerdict ice_core_set_selected_pair (IceCore *self, guint transport,
    const IceAddress *local, const IceAddress *remote, IceTime now);
/* The present branch; with the last one everything. */
void ice_core_close (IceCore *self, IceTime now);

/* Answers to outputs. */
void ice_core_socket_opened (
    IceCore *self, guint socket, const IceAddress *bound, IceTime now);
void ice_core_socket_failed (
    IceCore *self, guint socket, const gchar *reason, IceTime now);
/* Stream sockets. A connection is a socket of its own, whose datagrams are the
 * frames without their header: ice_core_receive with the id of the connection.
 * Returns the id of a connection that @listener accepted from @remote, whose
 * framing is RFC 4571; 0: refused, close it at once. */
guint ice_core_socket_accepted (
    IceCore *self, guint listener, const IceAddress *remote, IceTime now);
/* A connection, opened or accepted, came to its end: EOF, RST, rubbish. Its id
 * means nothing any more, and no CLOSE_SOCKET follows. */
void ice_core_socket_untrusted (
    IceCore *self, guint socket, const gchar *reason, IceTime now);
void ice_core_socket_closed (
    IceCore *self, guint socket, const gchar *reason, IceTime now);
void ice_core_resolved (IceCore *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now);
/* @reason is a sentence for people, without its full stop. */
void ice_core_resolve_failed (
    IceCore *self, guint request, const gchar *reason, IceTime now);
/* The router maps @socket to @external; NULL: it does not, or not any more. */
void ice_core_port_mapped (
    IceCore *self, guint socket, const IceAddress *external, IceTime now);
/* A hard ICMP error for a packet sent from @socket to @to (design 9.8).
 * @packet is what the error quotes of it. */
void ice_core_unreachable (IceCore *self, guint socket, const IceAddress *to,
    IceBytes packet, IceTime now);
/* Media does not pass the core; it is told when some last came and went, just
 * before ice_core_timeout (design 9.3, RFC 8445 11). 0: never. */
void ice_core_media_seen (
    IceCore *self, guint transport, IceTime received_at, IceTime sent_at);
/* And the longest time between two packets that came since the last call, 0
 * when there were no two: what comes regularly is missed after a few of them,
 * and not only after half a second. */
void ice_core_media_gap (
    IceCore *self, guint transport, IceTime longest, IceTime now);

/* Questions. */
/* Which of ice_core_gather, GATHERED and END_OF_CANDIDATES has been; each
 * @ret_ is set. */
void ice_core_get_gathering (IceCore *self, guint stream, gboolean *ret_started,
    gboolean *ret_done, gboolean *ret_ended);
IceState ice_core_get_state (const IceCore *self, guint transport);

typedef struct
{
  guint id, transport;
  guint local, remote; /* candidate ids */
  const gchar *state;  /* W3C: frozen waiting in-progress failed succeeded */
  gboolean nominated, selected;
  guint64 priority;
  IceTime rtt, total_rtt;
  guint requests_sent, requests_received, responses_sent, responses_received;
  guint retransmissions_sent, consent_requests_sent;
} IcePairStats;

typedef struct
{
  guint transport, stream, component;
  IceState state;
  guint selected_pair, selected_pair_changes;
  guint16 channel; /* of the route, 0: none */
  IceTime gather_started, first_check, connected;
} IceTransportStats;

typedef struct
{
  guint verdicts[ICE_VERDICT_NOT_STUN + 1];
  guint sent_without_route;
  guint unreachable; /* ICMP errors, told by a socket or a TURN server */
} IceCoreCounters;

/* Element types: IcePairStats, IceTransportStats, IceServerStats. */
void ice_core_get_pair_stats (IceCore *self, GArray *ret);
void ice_core_get_transport_stats (IceCore *self, GArray *ret);
void ice_core_get_server_stats (IceCore *self, GArray *ret);
void ice_core_get_counters (IceCore *self, IceCoreCounters *ret);
/* (element-type IceCandidate) (transfer full) */
GPtrArray *ice_core_get_local_candidates (IceCore *self, guint stream);
GPtrArray *ice_core_get_remote_candidates (IceCore *self, guint stream);

G_END_DECLS
