/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "channel.h"
#include "permission.h"

G_BEGIN_DECLS

/* The client's side of one TURN allocation over UDP (RFC 8656): Allocate,
 * Refresh, and the permissions and channels inside it. Bytes and time in;
 * packets and events out, to be taken after every call that has a time. */
typedef enum
{
  ICE_ALLOCATION_IDLE, /* waits for ice_allocation_request */
  ICE_ALLOCATION_REQUESTED,
  ICE_ALLOCATION_ACTIVE,
  ICE_ALLOCATION_RELEASING, /* Refresh with lifetime 0 is out */
  ICE_ALLOCATION_GONE,      /* failed, lost or released */
} IceAllocationState;

typedef enum
{
  ICE_TURN_CHALLENGED, /* code; call ice_allocation_request again: a new
                          transaction that the pacing must allow (RFC 8445
                          5.1.1.2) */
  ICE_TURN_ALLOCATED,
  ICE_TURN_FAILED,             /* code; no allocation came to be */
  ICE_TURN_LOST,               /* code; the allocation is no more */
  ICE_TURN_PERMISSION_REFUSED, /* peer, code */
  ICE_TURN_CHANNEL_BOUND,      /* peer, channel */
  ICE_TURN_CHANNEL_LOST,       /* peer, channel, code */
  ICE_TURN_REFUSED_US,         /* code; it is used until it expires, and kept
                                  longer with other credentials only */
  ICE_TURN_MOVED,              /* it lives at the other address now */
  ICE_TURN_NOT_MOVED,          /* code; it lives where it was */
  ICE_TURN_PEER_UNREACHABLE,   /* peer, icmp: (RFC 8656 11.6) */
} IceTurnEventType;

/* Codes beside those of STUN. */
#define ICE_TURN_NO_ANSWER 0 /* given up after all retransmissions */
#define ICE_TURN_NONSENSE                                                      \
  1 /* a success that is of no use: lifetime, address                          \
     */

/* RFC 8656 18.13. What type and code mean depends on the peer's family. */
typedef struct
{
  guint8 type, code;
  guint32 data; /* the next hop's MTU, when the packet was too big */
} IceIcmpError;

/* TRUE when the peer cannot be reached at all (RFC 1122 4.2.3.9, RFC 4443 3.1):
 * not for a packet too big, nor for one that travelled too long. */
gboolean ice_icmp_error_is_hard (const IceIcmpError *self, IceFamily family);

typedef struct
{
  IceTurnEventType type;
  guint code;
  guint16 channel;
  IceAddress peer; /* of PEER_UNREACHABLE: port 0 when it is not known */
  IceIcmpError icmp;
} IceTurnEvent;

/* What to ask for beside one relayed address. What the server refuses is taken
 * out, and it is asked again without (RFC 8656 7.4). */
typedef struct
{
  gboolean both_families; /* an IPv6 address beside the IPv4 one; goes before
                             the family wanted */
  gboolean reserve;       /* an even port, and the next one kept for a while */
  gboolean has_token;     /* the port that was kept: token */
  guint8 token[8];
  gboolean dont_fragment; /* Send indications are not fragmented */
  gboolean mobility;      /* RFC 8016: a ticket to move with */
} IceTurnOptions;

typedef enum
{
  ICE_TURN_NOT_MINE,
  ICE_TURN_HANDLED,
  ICE_TURN_DROPPED, /* forged, or from where no permission lets it through */
  ICE_TURN_DATA,    /* @ret_peer and @ret_payload are set */
} IceTurnVerdict;

/* RFC 8656 7.1, RFC 6062 4.1: the protocol between server and peers, by its
 * number in the protocol registry. */
typedef enum
{
  ICE_TURN_RELAY_TCP = 6,
  ICE_TURN_RELAY_UDP = 17,
} IceTurnRelay;

/* The fields are for reading. */
typedef struct
{
  IceAllocationState state;
  IceTurnRelay relay; /* TCP: of an IceTcpAllocation */
  IceFamily family;   /* what to ask for; NONE: the server's default, IPv4 */
  IceTurnOptions options;     /* those that were not refused */
  IceAddress relayed, mapped; /* mapped: family NONE when the server hid it */
  IceAddress additional;      /* of the other family, or family NONE */
  guint additional_error;     /* why there is none: 440, 508; 0: not said */
  gboolean reserved;          /* the next port is kept */
  guint8 reservation[8];      /* the token for it */
  GBytes *ticket;             /* (owned) (nullable) RFC 8016 */
  IceAddress alternate;       /* after FAILED with 300 */
  gchar *alternate_domain;    /* (owned) (nullable) likewise */
  guint lifetime;             /* seconds, as clamped */
  IceTime rtt;                /* of the last transaction that was answered */

  IceTurnLink link;
  IceTurnRequest request; /* Allocate, later Refresh */
  IceTurnRequest move;    /* Refresh with the ticket, from elsewhere */
  gboolean moves_here;    /* from here: a NAT has made it another address */
  IceTime refresh_at, expires_at;
  guint n_failures; /* of Refresh, in a row */
  guint n_refreshed;
  gboolean has_new_credentials; /* what was refused may be asked for again */
  GPtrArray *permissions;       /* (element-type IcePermission) (owned) */
  GPtrArray *channels;          /* (element-type IceChannel) (owned) */
  guint16 next_channel;
  GArray *events; /* (element-type IceTurnEvent) (owned) */
} IceAllocation;

IceAllocation *ice_allocation_new (const gchar *username, const gchar *password,
    IceFamily family, const IceTurnDice *dice, IceTime rto);
void ice_allocation_free (IceAllocation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceAllocation, ice_allocation_free)

/* From the next request on, also when it is in use. When the server insists on
 * those that made the allocation (441), it goes back to them. */
void ice_allocation_set_password (
    IceAllocation *self, const gchar *username, const gchar *password);
void ice_allocation_set_token (
    IceAllocation *self, const gchar *kid, IceBytes token, IceBytes mac_key);
/* Before the first request. */
void
ice_allocation_set_options (IceAllocation *self, const IceTurnOptions *options);
/* Sends Allocate: at first, and after CHALLENGED. */
void ice_allocation_request (IceAllocation *self, IceTime now);
/* Deletes the allocation at the server (RFC 8656 8.1). */
void ice_allocation_release (IceAllocation *self, IceTime now);
/* A Refresh now: whether the server still knows it. */
void ice_allocation_verify (IceAllocation *self, IceTime now);
/* RFC 8016: a Refresh with the ticket, whose packets are to be taken by
 * ice_allocation_take_packet_elsewhere and sent from another address. Until
 * MOVED the old one is the allocation's. FALSE without a ticket. */
gboolean ice_allocation_move (IceAllocation *self, IceTime now);
gboolean ice_allocation_can_move (const IceAllocation *self);
void ice_allocation_stop_moving (IceAllocation *self);
IcePacket *ice_allocation_take_packet_elsewhere (IceAllocation *self);
/* An allocation that is held waits for the answer to a Refresh. */
gboolean ice_allocation_is_refreshing (const IceAllocation *self);

/* TRUE when it relays to peers of that family. */
gboolean ice_allocation_has_family (const IceAllocation *self, guint8 family);
/* Installs a permission for @peer and keeps it; PERMISSION_REFUSED when it
 * cannot be had. */
void ice_allocation_permit (
    IceAllocation *self, const IceAddress *peer, IceTime now);
/* A channel, and the permission with it. When it fails packets go on leaving
 * as Send indications. */
void
ice_allocation_bind (IceAllocation *self, const IceAddress *peer, IceTime now);
/* Permission and channel are no longer renewed. */
void ice_allocation_forget (IceAllocation *self, const IceAddress *peer);
/* 0 when none is bound. */
guint16
ice_allocation_channel (const IceAllocation *self, const IceAddress *peer);
/* TRUE when packets to @peer may leave. */
gboolean ice_allocation_is_permitted (
    const IceAllocation *self, const IceAddress *peer, IceTime now);
/* Sends @payload to @peer: as ChannelData when a channel is bound, else as a
 * Send indication. FALSE without a permission. */
gboolean ice_allocation_send (
    IceAllocation *self, const IceAddress *peer, IceBytes payload, IceTime now);

/* What came from the server; @message is NULL when it is not STUN. */
IceTurnVerdict ice_allocation_receive (IceAllocation *self, IceBytes datagram,
    const IceStunMessage *message, IceTime now, IceAddress *ret_peer,
    IceBytes *ret_payload);
void ice_allocation_timeout (IceAllocation *self, IceTime now);
IceTime ice_allocation_deadline (const IceAllocation *self);

/* (transfer full) (nullable) */
IcePacket *ice_allocation_take_packet (IceAllocation *self);
gboolean
ice_allocation_next_event (IceAllocation *self, IceTurnEvent *ret_event);

G_END_DECLS
