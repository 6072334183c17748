/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transaction.h"

G_BEGIN_DECLS

/* What kind of NAT is between us and a STUN server (RFC 5780). Bytes and time
 * in; packets, results and one deadline out. Sockets are numbers:
 *
 *   MAPPING    asks each of the server's addresses
 *   FILTERING  asks the first one only, and hears from which others answers
 *              come through: what MAPPING sends would open the filter (4.4)
 *   LIFETIME   speaks once and is silent, while MAPPING asks for it (4.6)
 */
enum
{
  ICE_BEHAVIOUR_MAPPING,
  ICE_BEHAVIOUR_FILTERING,
  ICE_BEHAVIOUR_LIFETIME,
  ICE_BEHAVIOUR_N_SOCKETS
};

/* RFC 4787 4.1, 5. */
typedef enum
{
  ICE_NAT_UNKNOWN, /* the server cannot show it */
  ICE_NAT_ENDPOINT_INDEPENDENT,
  ICE_NAT_ADDRESS_DEPENDENT,
  ICE_NAT_ADDRESS_AND_PORT_DEPENDENT,
} IceNatBehaviour;

typedef enum
{
  ICE_NAT_NOT_KNOWN,
  ICE_NAT_NO,
  ICE_NAT_YES,
} IceNatAnswer;

typedef enum
{
  ICE_BEHAVIOUR_RUNNING,
  ICE_BEHAVIOUR_DONE,
  ICE_BEHAVIOUR_BLOCKED,     /* no answer at all: UDP is blocked, or the server
                                dead */
  ICE_BEHAVIOUR_UNSUPPORTED, /* it answers, but has no second address */
} IceBehaviourState;

typedef enum
{
  ICE_BEHAVIOUR_TEST_UNUSED,
  ICE_BEHAVIOUR_TEST_ASKED,
  ICE_BEHAVIOUR_TEST_ANSWERED,
  ICE_BEHAVIOUR_TEST_SILENT,
  ICE_BEHAVIOUR_TEST_REFUSED, /* an error, or not what was asked for */
} IceBehaviourTestState;

typedef struct
{
  IceBehaviourTestState state;
  IceTransaction transaction;
  guint socket, answer_socket;
  IceAddress to;
  IceAddress answer_from; /* where the answer must come from */
  IceAddress mapped;      /* of the answer */
  gboolean padded;        /* the answer was */
} IceBehaviourTest;

enum
{
  ICE_BEHAVIOUR_TEST_CONTACT,        /* 4.3, test I */
  ICE_BEHAVIOUR_TEST_CONTACT_FILTER, /* 4.4, test I */
  ICE_BEHAVIOUR_TEST_MAPPING_II,
  ICE_BEHAVIOUR_TEST_MAPPING_III,
  ICE_BEHAVIOUR_TEST_FILTERING_II,
  ICE_BEHAVIOUR_TEST_FILTERING_III,
  ICE_BEHAVIOUR_TEST_HAIRPIN,
  ICE_BEHAVIOUR_TEST_HAIRPIN_BACK,
  ICE_BEHAVIOUR_TEST_FRAGMENT,
  ICE_BEHAVIOUR_TEST_LIFETIME_BIND,
  ICE_BEHAVIOUR_TEST_LIFETIME_PROBE,
  ICE_BEHAVIOUR_N_TESTS
};

/* The search for the time a silent binding lives. */
typedef struct
{
  IceTime limit;         /* 0: not searched */
  IceTime lives, dies;   /* known so far; NEVER: not found dead */
  IceTime silence, wait; /* this round's, and until when */
} IceBehaviourSearch;

/* The fields are for reading. */
typedef struct
{
  IceBehaviourState state;
  IceAddress server;
  IceAddress local[ICE_BEHAVIOUR_N_SOCKETS];
  IceAddress mapped; /* of MAPPING, by the server's first address */
  IceAddress other;  /* OTHER-ADDRESS; NONE: it has none that is of use */
  IceTime rtt;
  gboolean nat; /* mapped differs from local */
  IceNatBehaviour mapping, filtering;
  IceNatAnswer hairpinning;     /* not asked without a NAT */
  IceNatAnswer fragments;       /* pass in both directions */
  IceTime lifetime;             /* 0: not known */
  gboolean lifetime_is_minimum; /* it lives as long as was looked */

  gboolean tests_started;
  IceBehaviourTest tests[ICE_BEHAVIOUR_N_TESTS];
  IceBehaviourSearch search;
  GQueue packets; /* (element-type IceBehaviourPacket) (owned) */
  void (*roll) (gpointer user, guint8 *ret_bytes, gsize size);
  gpointer user; /* (unowned) */
} IceBehaviour;

typedef struct
{
  guint socket;
  IceAddress to;
  IcePacket *packet; /* (owned) */
} IceBehaviourPacket;

/* @local: the addresses the sockets are bound to, no wildcards. @roll lends
 * transaction ids. A @lifetime above 0 is how long a silent binding is looked
 * at; that takes several times as long. */
IceBehaviour *ice_behaviour_new (const IceAddress *server,
    const IceAddress *local, IceTime lifetime,
    void (*roll) (gpointer user, guint8 *ret_bytes, gsize size), gpointer user,
    IceTime now);
void ice_behaviour_free (IceBehaviour *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceBehaviour, ice_behaviour_free)

void ice_behaviour_receive (IceBehaviour *self, guint socket,
    const IceAddress *from, IceBytes datagram, IceTime now);
void ice_behaviour_timeout (IceBehaviour *self, IceTime now);
/* NEVER when no longer running. */
IceTime ice_behaviour_deadline (const IceBehaviour *self);
/* The caller owns ret_packet->packet. */
gboolean
ice_behaviour_take_packet (IceBehaviour *self, IceBehaviourPacket *ret_packet);

/* "endpoint-independent"; NULL for UNKNOWN. */
const gchar *ice_nat_behaviour_to_string (IceNatBehaviour behaviour);

G_END_DECLS
