/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gatherer's files share. A stream has sockets, one for each component
 * and local address; a socket has queries, one for each server and kind of
 * request; an answered query is where candidates come from. */
#pragma once

#include "../../base/nat64.h"
#include "../turn/error.h"
#include "connection.h"

G_BEGIN_DECLS

/* RFC 8421 4: an address and its place in the order of preference, 0 best. */
typedef struct
{
  IceAddress address;
  guint rank;
  gboolean detour; /* a tunnel, and there are other ways */
} IceGatherAddress;

typedef enum
{
  ICE_GATHER_STATE_GATHERING,
  ICE_GATHER_STATE_DONE,  /* the last useful answer came */
  ICE_GATHER_STATE_ENDED, /* every server answered or was given up */
} IceGatherState;

typedef struct
{
  guint id;
  guint generation;
  GArray *transports; /* (element-type guint) (owned) by component - 1 */
  gboolean relay_only, lite;
  gboolean continual;  /* what is found after the end is told, too */
  gboolean successors; /* of allocations, they are used after the end */
  IceGatherState state;
  IceTime progress_at; /* the last answer, or the last thing begun */
  GArray *ranks;       /* (element-type IceGatherAddress) (owned) */
} IceGatherStream;

typedef enum
{
  ICE_GATHER_UNMAPPED,
  ICE_GATHER_MAPPING_ASKED,
  ICE_GATHER_MAPPING_ANSWERED, /* or waited for long enough */
} IceGatherMapping;

typedef struct
{
  guint id;
  IceGatherStream *stream; /* (unowned) */
  guint component, transport;
  IceTcpType tcp_type; /* NONE: UDP; an active one is a name for what
                          connections are opened from, nothing is open */
  IceAddress address;  /* the interface's, port 0 */
  IceAddress bound;    /* family NONE until opened */
  guint rank;
  gboolean detour;  /* as of its address */
  gboolean wanted;  /* FALSE: its address is gone, nothing is gathered on it */
  gboolean spare;   /* opened for one allocation only, after a 437 */
  gboolean shared;  /* its port may be that of other agents, too */
  guint moves_from; /* opened for what leaves that socket, or 0 */
  gboolean moving;  /* it is the one that is left */
  gboolean beside;  /* a shared one, for a peer that is there; not shared */
  gboolean has_beside;
  gboolean direct;    /* its host candidate was reported */
  IceCandidate *host; /* (owned) (nullable) */
  guint generation;   /* that host was made for */
  IceGatherMapping mapping;
  IceTime mapping_till; /* ASKED: the candidates wait for it */
  IceAddress mapped;    /* by the router; family NONE: it is not */
  /* Not UDP: a connection to one server for its one query, a spare too; the id
   * is another one each time it is dialled. */
  IceTransportKind kind;
  gchar *domain;      /* (owned) (nullable) in place of the server's host */
  gboolean dialled;   /* CONNECT was said; open when there is bound, too */
  gboolean untrusted; /* why it failed */
  GPtrArray *queries; /* (element-type IceGatherQuery) (owned) */
} IceGatherSocket;

typedef enum
{
  ICE_GATHER_RESOLVE_NEEDED,
  ICE_GATHER_RESOLVE_ASKED,
  ICE_GATHER_RESOLVE_KNOWN,
  ICE_GATHER_RESOLVE_LITERAL,
} IceGatherResolution;

/* Security: a name has at most this many addresses that we would try. */
#define ICE_GATHER_ADDRESSES_MAX 8

typedef struct
{
  guint id;
  IceServerKind kind;
  IceTransportKind transport;
  gchar *host; /* (owned) */
  guint16 port;
  gboolean srv;
  gchar *username, *url; /* (owned) (nullable) */
  gchar software[ICE_SOFTWARE_SIZE];
  gchar *password; /* (owned) (nullable) secret */
  GBytes *token;   /* (owned) (nullable) */
  guint8 *mac_key; /* (owned) (nullable) secret */
  gsize mac_key_size;
  IceTime expires_at; /* of the credentials, or ICE_TIME_NEVER */
  gboolean expiry_told;
  gchar *authority; /* (owned) (nullable) it wants a token, says a 401 */
  gboolean removed; /* kept for the allocations it gave */

  IceGatherResolution resolution;
  guint request; /* of the RESOLVE output */
  IceTime resolved_at;
  IceTime name_asked_at; /* ASKED: since when */
  gchar *name_trouble;   /* (owned) (nullable) why there is no address */
  IceAddress addresses[ICE_GATHER_ADDRESSES_MAX];
  guint n_addresses;
  guint n_used; /* the first ones; more when these stay silent */

  IceTime asked_at;           /* first request; ICE_TIME_NEVER: none yet */
  gboolean answered;          /* since then */
  gboolean ok;                /* SERVER_OK was said */
  gboolean refused;           /* it does not take the credentials */
  IceTime barred_till;        /* no new allocation before (RFC 8656 7.4) */
  IceTime family_barred_till; /* nor one of both families (RFC 8656 7.3) */
  struct
  {
    gboolean reserve, dont_fragment, mobility;
  } refuses;           /* options that it does not have */
  guint reported_code; /* of the last SERVER_ERROR */
  gchar *reason;       /* (owned) (nullable) why there was no connection */
  gboolean untrusted;  /* that is why */
  guint errors;
  IceTime rtt;
} IceGatherServer;

typedef enum
{
  ICE_GATHER_BINDING,
  ICE_GATHER_ALLOCATE,
  ICE_GATHER_TCP_BINDING, /* RFC 6544 5.2: over a connection from the port of a
                             passive or so candidate */
} IceGatherKind;

typedef enum
{
  ICE_GATHER_QUERY_WAITING, /* for a slot of the pacing */
  ICE_GATHER_QUERY_DELAYED, /* until retry_at */
  ICE_GATHER_QUERY_ASKED,
  ICE_GATHER_QUERY_ANSWERED,
  ICE_GATHER_QUERY_FAILED,
} IceGatherQueryState;

typedef struct
{
  IceGatherKind kind;
  IceGatherQueryState state;
  IceGatherSocket *socket; /* (unowned) */
  IceGatherServer *server; /* (unowned) */
  IceAddress address;      /* the server's */
  guint slot;              /* among the socket's, for the preference */
  guint relay_slot;        /* among its allocations, likewise */
  guint n_redirects;       /* 300 followed to get here */
  guint n_remade;          /* in place of a lost one, in this generation */
  gboolean retried;        /* the one delayed retry was used */
  gboolean was_refused;    /* the credentials were */
  gboolean any_family;     /* the server has no relay of our family */
  guint spare;             /* socket opened after a 437 or a 441, or 0 */
  gboolean replaces;       /* one that was lost, or is not prolonged */
  guint moving_to;         /* the socket it moves to (RFC 8016), or 0 */
  IceTime retry_at;

  /* What was asked for, and of EVEN-PORT (RFC 8656 7.1): when the next port was
   * reserved, and for component 2 the token it waits for, and has got. */
  gboolean prepared;
  IceTurnOptions wanted;
  IceTime reserved_at, patience_till;
  gboolean asked_for_token, has_token;
  guint8 token[8];

  IceTime looked_at, looked_since; /* whether the connection is alive */
  guint connection;                /* TCP_BINDING: 0 when there is none */
  IceTime give_up_at;              /* over a connection, while it is asked */
  IceTransaction binding;
  IceTime keepalive_at;
  IceAllocation *allocation; /* (owned) (nullable) */
  IceCandidate *relayed;     /* (owned) (nullable) of the last generation */
  IceCandidate *additional;  /* (owned) (nullable) its other family */
  IceAddress mapped;         /* family NONE when unknown */
  guint n_mappings;          /* of this generation that were told */
  gboolean reported;         /* to generation */
  guint generation;
} IceGatherQuery;

/* A candidate that was reported and not released since. */
typedef struct
{
  IceCandidate *candidate; /* (owned) */
  guint generation;
} IceGatherEntry;

/* What stands for an address of ours: "<uuid>.local" (RFC 4122 3). */
typedef struct
{
  IceAddress address; /* port 0 */
  gchar name[36 + sizeof ".local"];
} IceGatherName;

struct _IceGatherer
{
  IceContext *context; /* (unowned) */
  IceGathererConfig config;
  IceTurnDice dice;
  GPtrArray *servers;     /* (element-type IceGatherServer) (owned) */
  GPtrArray *streams;     /* (element-type IceGatherStream) (owned) */
  GPtrArray *sockets;     /* (element-type IceGatherSocket) (owned) */
  GArray *interfaces;     /* (element-type IceInterfaceAddress) (owned) */
  GArray *names;          /* (element-type IceGatherName) (owned) */
  GArray *candidates;     /* (element-type IceGatherEntry) (owned) */
  GPtrArray *foundations; /* (element-type utf8) (owned) what each stands for */
  GPtrArray *connections; /* (element-type IceConnection) (owned) */
  struct
  {
    IceGatherResolution state;
    guint request;
    IceTime resolved_at;
    IceNat64Prefix prefix; /* length 0: none that we know */
  } nat64;
  GQueue waiting; /* (element-type IceGatherQuery) (unowned) */
  GQueue events;  /* (element-type IceGatherEvent) (owned) */
  gboolean closed;
};

/* gatherer.c */
IceGatherStream *ice_gather_find_stream (IceGatherer *self, guint id);
IceGatherSocket *ice_gather_find_socket (IceGatherer *self, guint id);
void
ice_gather_push_event (IceGatherer *self, IceGatherEventType type, guint stream,
    IceCandidate *candidate, const IceAddress *peer, guint16 channel);

/* gatherer-stream.c */
void ice_gather_stream_free (IceGatherStream *self);
void ice_gather_socket_free (IceGatherSocket *self);
IceGatherSocket *
ice_gather_open_socket (IceGatherer *self, IceGatherStream *stream,
    guint component, const IceGatherAddress *address, gboolean spare);
/* Nothing is opened yet. */
IceGatherSocket *ice_gather_new_socket (IceGatherer *self,
    IceGatherStream *stream, guint component, const IceGatherAddress *address);
/* The same for TCP, of any type but NONE. */
void ice_gather_open_tcp (IceGatherer *self, IceGatherStream *stream,
    guint component, const IceGatherAddress *address, IceTcpType tcp_type);
/* Forgets it; with @goodbye its allocations are deleted at the servers. */
void ice_gather_drop_socket (
    IceGatherer *self, IceGatherSocket *socket, gboolean goodbye, IceTime now);
/* Goodbye, and CLOSE_SOCKET. */
void ice_gather_close_socket (
    IceGatherer *self, IceGatherSocket *socket, IceTime now);
/* Those of a stream; NULL: all. */
void ice_gather_close_sockets (
    IceGatherer *self, const IceGatherStream *stream, IceTime now);
/* Every call that may have changed something ends with this: what waits is
 * sent, DONE and END are said. */
void ice_gather_settle (IceGatherer *self, IceTime now);
IceTime ice_gather_stream_deadline (
    const IceGatherer *self, const IceGatherStream *stream);

/* gatherer-tcp.c: server-reflexive candidates of TCP (RFC 6544 5.2). What a
 * STUN server does not offer over TCP is no error of its. */
void ice_gather_start_tcp_queries (IceGatherer *self, IceGatherSocket *socket);
void ice_gather_tcp_ask (IceGatherer *self, IceGatherQuery *query, IceTime now);
void ice_gather_tcp_opened (IceGatherer *self, guint id, IceTime now);
void ice_gather_tcp_closed (IceGatherer *self, guint id);
/* Without CLOSE_SOCKET when there is no connection. */
void ice_gather_tcp_hang_up (IceGatherer *self, IceGatherQuery *query);
void
ice_gather_tcp_timeout (IceGatherer *self, IceGatherQuery *query, IceTime now);
/* (unowned) (nullable) whose connection it is. */
IceGatherQuery *ice_gather_find_tcp_query (const IceGatherer *self, guint id);

/* gatherer-mapping.c */
void ice_gather_start_mapping (
    IceGatherer *self, IceGatherSocket *socket, IceTime now);
gboolean ice_gather_is_mapping (const IceGatherSocket *socket);
void ice_gather_mapping_timeout (
    IceGatherer *self, IceGatherSocket *socket, IceTime now);
IceTime ice_gather_mapping_deadline (const IceGatherSocket *socket);

/* gatherer-dial.c: servers over TCP, TLS and DTLS. */
/* From where @socket is, unless it is done already; NULL then. */
IceGatherQuery *
ice_gather_dial_server (IceGatherer *self, const IceGatherSocket *socket,
    IceGatherServer *server, const IceAddress *address, const gchar *domain);
/* TRUE when its connection has to be opened first: CONNECT. */
gboolean
ice_gather_dial (IceGatherer *self, IceGatherQuery *query, IceTime now);
void ice_gather_dial_opened (IceGatherer *self, IceGatherSocket *socket,
    const IceAddress *bound, IceTime now);
/* It failed, or came to its end. */
void ice_gather_dial_failed (IceGatherer *self, IceGatherSocket *socket,
    const gchar *reason, IceTime now);
/* The allocation is looked at. TRUE: in vain for so long that its connection
 * must be dead; it is dialled again. */
gboolean
ice_gather_dial_is_dead (IceGatherer *self, IceGatherQuery *query, IceTime now);
/* One more connection to the server of @query, for its successor. */
void ice_gather_dial_beside (IceGatherer *self, const IceGatherQuery *query);
/* There is one. */
gboolean ice_gather_was_dialled_beside (
    const IceGatherer *self, const IceGatherQuery *query);
/* CLOSE_SOCKET, if it is dialled. */
void ice_gather_dial_hang_up (IceGatherer *self, IceGatherSocket *socket);
void
ice_gather_dial_timeout (IceGatherer *self, IceGatherQuery *query, IceTime now);
IceTime ice_gather_dial_deadline (const IceGatherQuery *query);

/* connection.c */
void ice_connection_free (IceConnection *self);
/* Those opened from or accepted at a socket; NULL: all. */
void
ice_gather_close_connections (IceGatherer *self, const IceGatherSocket *socket);

/* gatherer-preference.c: the addresses to gather on, best first.
 * (transfer full) (element-type IceGatherAddress) */
GArray *
ice_gather_choose_addresses (const IceGatherer *self, IceGatherStream *stream);
/* Servers a candidate may come from on one address; the low bits of the local
 * preference. */
#define ICE_GATHER_SLOTS 64
guint16 ice_gather_local_preference (guint rank, guint slot);
/* RFC 6544 4.2: other-pref. */
guint ice_gather_other_preference (guint rank, guint slot);
/* One that the stream would be gathered on, and that is new to it. */
gboolean ice_gather_has_new_address (
    const IceGatherer *self, const IceGatherStream *stream);

/* gatherer-server.c */
void ice_gather_server_free (IceGatherServer *self);
/* Its credentials of now, for an allocation. */
void ice_gather_server_lend_credentials (
    const IceGatherServer *self, IceAllocation *allocation);
gboolean ice_gather_server_is_useful (
    const IceGatherServer *self, const IceGatherStream *stream);
/* Makes sure that its addresses are known, or will be. */
void ice_gather_server_resolve (
    IceGatherer *self, IceGatherServer *server, IceTime now);
void ice_gather_server_addresses_came (IceGatherer *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now);
void ice_gather_server_no_address (
    IceGatherer *self, guint request, const gchar *reason);
/* Streams that still gather, on sockets that are there. */
void ice_gather_start_queries_everywhere (IceGatherer *self, IceTime now);
/* A new gathering: it may have died since the last. */
void ice_gather_server_begin (IceGatherServer *self);
void ice_gather_server_asked (IceGatherServer *self, IceTime now);
void ice_gather_server_answered (IceGatherServer *self, IceTime rtt);
/* An answer that served its purpose: SERVER_OK. */
void ice_gather_server_succeeded (IceGatherer *self, IceGatherServer *server);
/* Codes beside those of STUN; told as 701. */
#define ICE_GATHER_SILENT 1
#define ICE_GATHER_USELESS 2
#define ICE_GATHER_UNRESOLVED 3
#define ICE_GATHER_GIVEN_UP 4
#define ICE_GATHER_UNCONNECTED 5
#define ICE_GATHER_SLOW_NAME 6
/* SERVER_ERROR, unless the last one was the same. */
void ice_gather_server_failed (
    IceGatherer *self, IceGatherServer *server, guint code);
/* No answer to a request until its end: an error when nothing else was told,
 * and it never served. */
void ice_gather_server_given_up (IceGatherer *self, IceGatherServer *server);
/* An error, unless another way to it may work. */
void ice_gather_server_unconnected (
    IceGatherer *self, IceGatherServer *server, const gchar *reason);
void ice_gather_servers_timeout (IceGatherer *self, IceTime now);
IceTime ice_gather_servers_deadline (const IceGatherer *self);

/* gatherer-query.c */
void ice_gather_query_free (IceGatherQuery *self);
/* (nullable) NULL when the socket asked that server already. */
IceGatherQuery *
ice_gather_query_new (IceGatherer *self, IceGatherSocket *socket,
    IceGatherServer *server, IceGatherKind kind, const IceAddress *address);
/* Its first request, when the pacing has allowed it. */
void
ice_gather_query_send (IceGatherer *self, IceGatherQuery *query, IceTime now);
/* From the start, as soon as the pacing allows. */
void ice_gather_query_wait (IceGatherer *self, IceGatherQuery *query);
/* Whether the mapping is what it was: as the first time, but what is known
 * stays known until then. */
void ice_gather_query_ask_again (IceGatherer *self, IceGatherQuery *query);
void ice_gather_query_end (
    IceGatherer *self, IceGatherQuery *query, IceGatherQueryState state);
/* What the socket did not ask yet. */
void ice_gather_start_queries (
    IceGatherer *self, IceGatherSocket *socket, IceTime now);
/* What failed at an earlier gathering. */
void ice_gather_repeat_queries (
    IceGatherer *self, IceGatherSocket *socket, IceTime now);
/* Sends what the pacing allows now. */
void ice_gather_pump (IceGatherer *self, IceTime now);
/* Reports what its answer gave to the present generation. */
void
ice_gather_query_report (IceGatherer *self, IceGatherQuery *query, IceTime now);
/* @released came from it, and is not needed any more. */
void ice_gather_query_release (IceGatherer *self, IceGatherQuery *query,
    const IceCandidate *released, IceTime now);
gboolean ice_gather_query_is_pending (const IceGatherQuery *self);
/* FALSE when the message belongs to another one. */
gboolean ice_gather_binding_receive (IceGatherer *self, IceGatherQuery *query,
    const IceStunMessage *message, IceTime now);
void ice_gather_query_timeout (
    IceGatherer *self, IceGatherQuery *query, IceTime now);
IceTime ice_gather_query_deadline (const IceGatherQuery *self);

/* gatherer-allocate.c: what is asked for beside an address. */
void ice_gather_query_set_options (
    IceGatherer *self, IceGatherQuery *query, IceTime now);
/* What the answer said to it. */
void ice_gather_query_note_options (
    IceGatherer *self, IceGatherQuery *query, IceTime now);
/* TRUE when the query must wait for what component 1 is told, until
 * retry_at. */
gboolean ice_gather_query_awaits_token (
    IceGatherer *self, IceGatherQuery *query, IceTime now);
/* @first was told, or will not be. */
void ice_gather_wake_second_component (
    IceGatherer *self, const IceGatherQuery *first);

/* gatherer-external.c: as others see an address of ours. */
void ice_gather_map_external (const IceGatherer *self, IceAddress *address);

/* gatherer-successor.c */
/* One is made, or was, beside what @query has. */
gboolean
ice_gather_has_successor (IceGatherer *self, const IceGatherQuery *query);
/* The server does not prolong it: another one is made beside it. */
void ice_gather_succeed (IceGatherer *self, IceGatherQuery *query);
/* What it finds now becomes a candidate. */
gboolean ice_gather_is_told (const IceGatherQuery *query);

/* gatherer-failover.c */
gboolean
ice_gather_follow_redirection (IceGatherer *self, IceGatherQuery *query);
/* RFC 8489 8: FALSE when there is none left. */
gboolean
ice_gather_try_next_address (IceGatherer *self, const IceGatherQuery *query);
/* Its allocation is lost: later again. FALSE when not, or not any more. */
gboolean
ice_gather_remake (IceGatherer *self, IceGatherQuery *query, IceTime now);
/* What came of that. */
gboolean ice_gather_remake_failed (
    IceGatherer *self, IceGatherQuery *query, IceTime now);

/* gatherer-roam.c */
gboolean
ice_gather_has_address (const IceGatherer *self, const IceAddress *address);
/* The address of @socket is gone: what a ticket may save stays for now, and
 * the rest is lost. */
void ice_gather_leave_address (
    IceGatherer *self, IceGatherSocket *socket, IceTime now);

/* gatherer-mobility.c */
/* An allocation on @socket can move, or is moving. */
gboolean ice_gather_is_mobile (const IceGatherSocket *socket);
/* @target, opened for it, is there. */
void ice_gather_start_moving (
    IceGatherer *self, IceGatherSocket *target, IceTime now);
void
ice_gather_query_moved (IceGatherer *self, IceGatherQuery *query, IceTime now);
/* FALSE when it has no way any more. */
gboolean ice_gather_query_not_moved (
    IceGatherer *self, IceGatherQuery *query, guint code, IceTime now);
/* @socket failed. */
void ice_gather_move_at_once (IceGatherer *self, IceGatherSocket *socket);
void ice_gather_move_failed (IceGatherer *self, const IceGatherSocket *target);
/* (nullable) the next one after *index that moves to a socket; *index starts
 * with 0. */
IceGatherQuery *ice_gather_find_moving (
    IceGatherer *self, guint id, const IceAddress *server, guint *index);

/* gatherer-nat64.c: FALSE when @request was for something else. */
gboolean ice_gather_nat64_resolved (IceGatherer *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now);
gboolean ice_gather_nat64_is_asked (const IceGatherer *self);

/* gatherer-turn.c */
/* The server does not take the credentials of a live allocation. */
void
ice_gather_query_refused (IceGatherer *self, IceGatherQuery *query, guint code);
void ice_gather_allocate_failed (
    IceGatherer *self, IceGatherQuery *query, guint code, IceTime now);
/* A socket beside the query's, to ask from what was refused here. */
void ice_gather_open_spare (IceGatherer *self, IceGatherQuery *query);
/* In place of asking from a socket that is shared. */
void ice_gather_allocate_apart (IceGatherer *self, IceGatherQuery *query);
/* Asks from a socket that was opened because of a 437, or of that. */
void ice_gather_start_spare (IceGatherer *self, IceGatherSocket *spare);
/* What it relayed by is no more: CANDIDATE_LOST. */
void ice_gather_forget_relay (IceGatherer *self, IceGatherQuery *query);
/* Performs what its allocation decided: packets and events. */
void
ice_gather_query_drain (IceGatherer *self, IceGatherQuery *query, IceTime now);
/* (nullable) the allocation with that address. */
IceGatherQuery *ice_gather_find_relay (
    const IceGatherSocket *socket, const IceAddress *relayed);
/* (nullable) (unowned) the relayed candidate that reaches peers of that
 * family. */
IceCandidate *
ice_gather_query_candidate (const IceGatherQuery *self, guint8 family);

/* gatherer-candidate.c */
#define ICE_GATHER_MAPPINGS_MAX 8
void ice_gather_make_host (IceGatherer *self, IceGatherSocket *socket);
/* Reports it, unless redundant. */
void ice_gather_report_host (IceGatherer *self, IceGatherSocket *socket);
void ice_gather_report_mapped (IceGatherer *self, IceGatherQuery *query);
/* Of the router's mapping, if there is one. */
void ice_gather_report_mapping (IceGatherer *self, IceGatherSocket *socket);
/* FALSE when the relayed address is of no use. */
gboolean ice_gather_report_relayed (IceGatherer *self, IceGatherQuery *query);
gboolean
ice_gather_has_mapped (const IceGatherer *self, const IceGatherQuery *query);
gboolean
ice_gather_has_relayed (const IceGatherer *self, const IceGatherQuery *query);
/* The candidates of a socket, or of one base on it, are no more. FALSE: none
 * was known. */
gboolean ice_gather_lose (
    IceGatherer *self, const IceGatherSocket *socket, const IceAddress *base);
void ice_gather_forget_stream (IceGatherer *self, guint stream);
/* Those of generations before the one @stream is in. */
void ice_gather_forget_older (IceGatherer *self, const IceGatherStream *stream);
gboolean
ice_gather_is_in_use (const IceGatherer *self, const IceGatherSocket *socket);
void ice_gather_entry_clear (IceGatherEntry *self);

/* gatherer-hidden.c: @host gets a name if it is to have one. */
void ice_gather_hide (IceGatherer *self, IceCandidate *host);
/* Of addresses that are no interface's any more. */
void ice_gather_forget_names (IceGatherer *self);
/* @mapped is told although @host is the same. */
gboolean ice_gather_is_hidden_twin (
    const IceCandidate *host, const IceCandidate *mapped);

G_END_DECLS
