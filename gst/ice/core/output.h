/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../base/address.h"
#include "../base/framing.h"
#include "../base/types.h"
#include "ice/candidate.h"

G_BEGIN_DECLS

/* Everything the core wants done, as one ordered list. An output owns what it
 * carries. Ids cross the wall, pointers do not; an id is never reused. */
typedef enum
{
  ICE_OUTPUT_TRANSMIT,     /* send packet from socket to an address; on a
                              connection it becomes one frame */
  ICE_OUTPUT_OPEN_SOCKET,  /* answer: ice_core_socket_opened/_failed */
  ICE_OUTPUT_CLOSE_SOCKET, /* any kind, whether or not it opened yet */
  ICE_OUTPUT_CONNECT,      /* answer: ice_core_socket_opened/_failed */
  ICE_OUTPUT_RESOLVE,      /* answer: ice_core_resolved */
  ICE_OUTPUT_MAP_PORT,     /* answers: ice_core_port_mapped, as long as the
                              socket is open */
  ICE_OUTPUT_PUBLISH,      /* a name of ours, with mDNS */
  ICE_OUTPUT_WITHDRAW,     /* no longer */
  ICE_OUTPUT_ACCEPT_FROM,  /* media from here belongs to a transport */
  ICE_OUTPUT_ROUTE,        /* media of a transport leaves this way */
  ICE_OUTPUT_DELIVER,      /* media that came inside a Data indication */
  ICE_OUTPUT_LOCAL_CANDIDATE,
  ICE_OUTPUT_REMOTE_CANDIDATE,  /* a peer-reflexive one was learnt */
  ICE_OUTPUT_GATHERED,          /* a stream: every useful answer came */
  ICE_OUTPUT_END_OF_CANDIDATES, /* a stream: no more will come, tell the peer */
  ICE_OUTPUT_PAIR_SELECTED,
  ICE_OUTPUT_STATE,          /* of a transport */
  ICE_OUTPUT_ROLE,           /* controlling or not, after a conflict */
  ICE_OUTPUT_FIRST_CHECK,    /* first authenticated check of a stream came */
  ICE_OUTPUT_CONSENT_LOST,   /* of a transport: sending has stopped */
  ICE_OUTPUT_RESTART_NEEDED, /* a stream: only ice_core_restart helps, or would
                                bring a better path */
  ICE_OUTPUT_SERVER_ERROR,   /* a STUN or TURN server was given up */
  ICE_OUTPUT_SERVER_OK,      /* it answered: rtt */
  ICE_OUTPUT_CREDENTIALS_NEEDED, /* for a server: they expire in a minute */
  ICE_OUTPUT_PATH_MTU, /* of a transport: what the path takes was measured */
  ICE_OUTPUT_ERROR,    /* the session cannot go on, or needs a hint */
} IceOutputType;

typedef enum
{
  ICE_SOCKET_UDP,
  ICE_SOCKET_TCP_LISTEN, /* each connection: ice_core_socket_accepted */
} IceSocketKind;

/* W3C RTCIceTransportState; `gathering` is told apart by GATHERED. */
typedef enum
{
  ICE_STATE_NEW,
  ICE_STATE_CHECKING,
  ICE_STATE_CONNECTED,
  ICE_STATE_COMPLETED,
  ICE_STATE_DISCONNECTED,
  ICE_STATE_FAILED,
  ICE_STATE_CLOSED,
} IceState;

/* Why a state was entered or an error raised; the causes of design 6. */
typedef enum
{
  ICE_CAUSE_NONE,
  ICE_CAUSE_NO_LOCAL_CANDIDATES,
  ICE_CAUSE_NO_REMOTE_CANDIDATES,
  ICE_CAUSE_ALL_CHECKS_FAILED,
  ICE_CAUSE_TURN_AUTH,
  ICE_CAUSE_TLS_UNTRUSTED,
  ICE_CAUSE_CONSENT_EXPIRED,
  ICE_CAUSE_RESOURCE,
} IceCause;

/* Why a stream in mid-call wants an ICE restart. */
typedef enum
{
  ICE_RESTART_PATH_SILENT,  /* nothing comes, and no other pair answers */
  ICE_RESTART_PATH_LOST,    /* no pair is left */
  ICE_RESTART_ADDRESS_LOST, /* the local address of the path is gone */
  ICE_RESTART_REBOUND,      /* a NAT has given us another address */
  ICE_RESTART_ADDRESS_NEW,  /* the path works; there may be a better one */
} IceRestartReason;

typedef struct _IceOutput IceOutput;

struct _IceOutput
{
  IceOutputType type;
  IceOutput *next; /* (owned) (nullable) */
  union
  {
    struct
    {
      guint socket;
      IceAddress to;
      IcePacket *packet;      /* (owned) */
      gboolean dont_fragment; /* UDP: rather lose it */
    } transmit;
    struct
    {
      guint socket; /* the id to answer with */
      guint transport;
      IceSocketKind kind;
      IceAddress local; /* port 0: any, within the configured range */
      gboolean shared;  /* UDP: may be one with those of other agents */
    } open_socket;
    struct
    {
      guint socket;
    } close_socket;
    struct
    {
      guint socket; /* the id to answer with, and then of the connection */
      guint transport;
      IceAddress local; /* port 0: any; else one that also listens, for
                           simultaneous open (RFC 6544 7.1) */
      IceAddress remote;
      IceFraming framing;
      /* Never UDP. TLS and DTLS are up before the answer is opened. Over DTLS
       * each packet is one record, and framing does not count. */
      IceTransportKind kind;
      gboolean relay; /* it is asked to relay (TURN) */
      gchar *server;  /* (owned) (nullable) name or address literal of a STUN or
                         TURN server: what a certificate must say, and what a
                         proxy is asked for. NULL: a peer, without proxies */
    } connect;
    struct
    {
      guint request; /* the id to answer with */
      gchar *host;   /* (owned) */
      guint16 port;
      gboolean mdns; /* a candidate's "<label>.local", asked for on the link */
      /* SRV first (RFC 2782), of _service._protocol.host: its ports count. What
       * has none is at @port. NULL: no SRV. Static. */
      const gchar *service, *protocol;
      IceTransportKind kind; /* by which the host will be reached */
    } resolve;
    struct
    {
      guint socket; /* the id to answer with */
      gboolean tcp;
      IceAddress local; /* as bound */
    } map_port;
    struct
    {
      gchar *name;        /* (owned) "<uuid>.local" */
      IceAddress address; /* port 0 */
      guint interface_index;
    } publish; /* who asks for it on that link is told, until WITHDRAW or the
                  end of the core */
    struct
    {
      gchar *name; /* (owned) */
    } withdraw;
    struct
    {
      gboolean add; /* FALSE: no longer */
      guint transport;
      guint socket;
      IceAddress from; /* the TURN server's address when channel is set */
      guint16 channel; /* 0 or 0x4000..0x4fff */
      IceAddress peer; /* behind the channel; equals from otherwise */
    } accept_from;
    struct
    {
      guint transport;
      guint socket; /* 0: no route, stop sending */
      IceAddress to;
      guint16 channel; /* not 0: each packet gets a ChannelData header */
      IceAddress peer; /* for metas and stats */
    } route;
    struct
    {
      guint transport;
      IceAddress from;
      IcePacket *payload; /* (owned) */
    } deliver;
    struct
    {
      guint stream;
      IceCandidate *candidate; /* (owned) */
    } candidate;               /* LOCAL_CANDIDATE, REMOTE_CANDIDATE */
    struct
    {
      guint stream;
    } stream; /* GATHERED, END_OF_CANDIDATES, FIRST_CHECK */
    struct
    {
      guint stream, component, transport;
      IceCandidate *local, *remote; /* (owned) */
      IceTime rtt;
      gboolean nominated;
    } pair_selected;
    struct
    {
      guint transport;
      IceState state;
      IceCause cause;
    } state;
    struct
    {
      guint branch; /* of ice_core_fork */
      gboolean controlling;
    } role;
    struct
    {
      guint transport;
      guint mtu; /* bytes of a whole IP packet */
    } path_mtu;
    struct
    {
      guint transport;
    } consent_lost;
    struct
    {
      guint stream;
      IceRestartReason reason;
    } restart;
    struct
    {
      guint server;
      guint code;     /* STUN error code, or 701 (W3C): could not be reached */
      IceCause cause; /* TURN_AUTH, TLS_UNTRUSTED, or NONE */
      gchar *text;    /* (owned) what was tried and what to do */
      IceTime rtt;
    } server; /* SERVER_ERROR, SERVER_OK, CREDENTIALS_NEEDED: server alone */
    struct
    {
      IceCause cause;
      gboolean fatal;
      guint stream; /* 0: all */
      gchar *text;  /* (owned) what was tried and what to do next */
    } error;
  };
};

/* (transfer full) lists; freeing one output frees those after it. */
void ice_output_free (IceOutput *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceOutput, ice_output_free)

/* The list the core appends to. It holds its own address: it must not move. */
typedef struct
{
  IceOutput *first; /* (owned) (nullable) */
  IceOutput **end;
} IceOutputs;

void ice_outputs_init (IceOutputs *self);
void ice_outputs_clear (IceOutputs *self);
/* (transfer full) (nullable) the list; leaves an empty one. */
IceOutput *ice_outputs_steal (IceOutputs *self);
/* (transfer none) a new zeroed output at the end, for the caller to fill. */
IceOutput *ice_outputs_add (IceOutputs *self, IceOutputType type);
/* Takes a reference of its own on @packet. */
void ice_outputs_transmit (
    IceOutputs *self, guint socket, const IceAddress *to, IcePacket *packet);

const gchar *ice_state_to_string (IceState state);
const gchar *ice_cause_to_string (IceCause cause);
const gchar *ice_restart_reason_to_string (IceRestartReason reason);

G_END_DECLS
