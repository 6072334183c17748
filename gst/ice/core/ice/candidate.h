/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../../base/address.h"

G_BEGIN_DECLS

typedef enum
{
  ICE_CANDIDATE_HOST,
  ICE_CANDIDATE_SERVER_REFLEXIVE,
  ICE_CANDIDATE_PEER_REFLEXIVE,
  ICE_CANDIDATE_RELAYED,
} IceCandidateKind;

typedef enum
{
  ICE_PROTOCOL_UDP,
  ICE_PROTOCOL_TCP,
} IceProtocol;

typedef enum
{
  ICE_TCP_TYPE_NONE,
  ICE_TCP_TYPE_ACTIVE,
  ICE_TCP_TYPE_PASSIVE,
  ICE_TCP_TYPE_SO,
} IceTcpType;

/* RFC 8839 5.1: foundation is 1 to 32 ice-chars. */
#define ICE_FOUNDATION_MAX 32

typedef struct
{
  gatomicrefcount ref_count;
  guint id;     /* of the core that made it, 0 outside */
  guint stream; /* likewise */
  guint component;
  IceCandidateKind kind;
  IceProtocol protocol;
  IceTcpType tcp_type;
  guint32 priority;
  gchar foundation[ICE_FOUNDATION_MAX + 1];
  IceAddress address; /* family NONE while only host_name is known */
  IceAddress base;    /* local candidates: what packets leave from */
  IceAddress related; /* raddr, rport; family NONE when absent */
  guint socket;       /* local candidates: the socket of the base */
  guint endpoint; /* local candidates of TCP connections, whose socket is the
                     connection: the socket of the candidate that opened or
                     accepted it; 0: not a connection */
  guint server;   /* local candidates: the server it came from, or 0 */
  guint16 local_preference;
  gboolean detour;  /* local candidates: the base lies in a tunnel (VPN) */
  gchar *host_name; /* (owned) (nullable) "<uuid>.local" */
  gchar *ufrag;     /* (owned) (nullable) generation it belongs to */
  gchar *url;       /* (owned) (nullable) server's, without secrets */
  const gchar *relay_protocol; /* (nullable) "udp" "tcp" "tls", static */
} IceCandidate;

/* Made mutable, then shared: nobody writes once a second one holds it. */
IceCandidate *ice_candidate_new (IceCandidateKind kind, guint component);
IceCandidate *ice_candidate_copy (const IceCandidate *self);
IceCandidate *ice_candidate_ref (IceCandidate *self);
void ice_candidate_unref (IceCandidate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceCandidate, ice_candidate_unref)

/* Of two local ones: they stand for the same socket or allocation, seen at the
 * same address. After a restart they are new objects. */
gboolean ice_candidate_is_same (const IceCandidate *a, const IceCandidate *b);

/* RFC 8445 5.1.2.2: 126, 100, 110, 0. */
guint ice_candidate_kind_preference (IceCandidateKind kind);
/* RFC 8445 5.1.2.1. */
guint32 ice_candidate_compute_priority (
    IceCandidateKind kind, guint16 local_preference, guint component);
/* The same for what leaves by a tunnel while there are other ways: above
 * relayed, below what is reflexive (decision 008). */
guint32 ice_candidate_compute_detour_priority (
    IceCandidateKind kind, guint16 local_preference, guint component);
/* PRIORITY of a check from a base (RFC 8445 7.1.1). */
guint32 ice_candidate_learnt_priority (const IceCandidate *base);
/* RFC 6544 4.2: the local preference of a TCP candidate. @other is unique among
 * those of one kind and direction, 0 to 8191. */
guint16 ice_candidate_tcp_preference (
    IceCandidateKind kind, IceTcpType tcp_type, guint other);
/* As above, with type preferences below those of UDP (RFC 6544 4.2). */
guint32 ice_candidate_compute_tcp_priority (
    IceCandidateKind kind, guint16 local_preference, guint component);
/* RFC 6544 6.2: active pairs with passive, so with so. */
IceTcpType ice_tcp_type_opposite (IceTcpType tcp_type);
/* The socket of the candidate, for a connection that of its endpoint. */
guint ice_candidate_base_socket (const IceCandidate *self);
const gchar *ice_candidate_kind_to_string (IceCandidateKind kind); /* "srflx" */

/* candidate-sdp.c: RFC 8839 5.1, RFC 6544 4.5. */
typedef enum
{
  ICE_CANDIDATE_PARSE_OK,
  ICE_CANDIDATE_PARSE_MALFORMED, /* not the grammar */
  ICE_CANDIDATE_PARSE_IGNORED,   /* well formed, of no use: unknown transport
                                    or kind, FQDN other than .local */
} IceCandidateParse;

/* Takes "candidate:...", "a=candidate:..." and the bare value. @ret_reason is
 * a static string for the log. */
IceCandidateParse ice_candidate_parse (
    const gchar *line, IceCandidate **ret_candidate, const gchar **ret_reason);
/* candidate-alt.c: "a=alt:..." of the drafts before RFC 5245. How many were
 * made, for component 1 and perhaps 2: 0, it could not be read. */
guint
ice_candidate_parse_alt (const gchar *line, IceCandidate *ret_candidates[2]);
/* (transfer full) "candidate:1 1 UDP ..." without "a=", as W3C. */
gchar *ice_candidate_to_sdp (const IceCandidate *self);

/* RFC 8839 5.4: ufrag 4..256 and pwd 22..256 ice-chars. */
gboolean ice_is_valid_ufrag (const gchar *ufrag);
gboolean ice_is_valid_pwd (const gchar *pwd);
gboolean ice_is_ice_chars (const gchar *text);

G_END_DECLS
