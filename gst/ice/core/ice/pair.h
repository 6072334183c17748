/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../stun/transaction.h"
#include "candidate.h"
#include "loss.h"

G_BEGIN_DECLS

typedef struct _IceComponent IceComponent;
typedef struct _IceGeneration IceGeneration;

/* RFC 8445 6.1.2.6. */
typedef enum
{
  ICE_PAIR_FROZEN,
  ICE_PAIR_WAITING,
  ICE_PAIR_IN_PROGRESS,
  ICE_PAIR_SUCCEEDED,
  ICE_PAIR_FAILED,
} IcePairState;

typedef enum
{
  ICE_NOMINATION_NONE,
  ICE_NOMINATION_WANTED, /* controlling: our next check says USE-CANDIDATE;
                            controlled: the peer said it, and our own check has
                            to succeed first (RFC 8445 7.3.1.5) */
  ICE_NOMINATION_DONE,
} IceNomination;

typedef enum
{
  ICE_CHECK_ORDINARY, /* connectivity check: retransmitted, may fail the pair */
  ICE_CHECK_CONSENT,  /* RFC 7675 5.1: sent once */
  ICE_CHECK_PROBE,    /* liveness, design 9.3: sent once */
  ICE_CHECK_SIZED,    /* a padded one, RFC 8899: sent once */
} IceCheckKind;

/* One Binding request on its way and what it said. */
typedef struct
{
  IceTransaction transaction;
  IceCheckKind kind;
  gboolean live; /* its end without an answer fails the pair; FALSE: cancelled,
                    or of another kind */
  gboolean controlling; /* a 487 to a request with another role ... */
  guint64 tie_breaker;  /* ... or tie-breaker than ours now is stale */
  gboolean use_candidate;
  guint32 nomination; /* NOMINATION sent, 0: none */
  guint size;         /* SIZED: of the IP packet */
  guint32 priority;   /* PRIORITY sent: a peer-reflexive local candidate's */
} IceCheck;

/* What renominator.c knows of a pair. */
typedef struct
{
  guint32 value;    /* NOMINATION of the checks that nominate it */
  gboolean pending; /* and one of them is still to be answered */
  IceTime pending_since;
  guint order;      /* of nominations that hold: the highest is selected */
  gboolean rebound; /* selected: the peer sees us elsewhere than before */
  /* As a spare: consent requests. */
  IceTime ask_at, asked_at;
  IceTime bad_at;   /* in doubt, or one was not answered; 0: never */
  guint n_probes;   /* in the present doubt about the selected pair */
  guint n_knocks;   /* still to come, for the peer to notice */
  IceTime heard_at; /* the peer's last request, 0: none */
  guint n_heard;    /* in a row, as knocks come */
  IceTime rtt;      /* smoothed */
  guint n_rtt;
} IceRenomination;

/* A candidate pair. @local is always the base that packets leave from, a host
 * or a relayed candidate (RFC 8445 6.1.2.4). When the answer shows that the
 * peer sees another address, the valid pair of RFC 8445 7.2.5.3.2 is this one
 * with @mapped in place of @local. */
typedef struct
{
  guint ref_count;
  guint id;
  IceComponent *component;   /* (unowned) outlives its pairs */
  IceGeneration *generation; /* (owned) the credentials it is checked with */
  IceCandidate *local;       /* (owned) */
  IceCandidate *remote;      /* (owned) */
  IceCandidate *mapped;      /* (owned) (nullable) NULL until it succeeded */
  guint64 priority;          /* with local: the order of checks */
  guint64 valid_priority;    /* with mapped: the order of valid pairs */
  guint64 shared_priority;   /* as the peer sees it: of nominated ones */
  guint32 local_priority;    /* of the candidate local stands for */

  IcePairState state;
  IceNomination nomination;
  gboolean learnt;      /* made because of a check of the peer's */
  gboolean without_ice; /* RFC 3264 peer: nothing was checked */
  guint connecting;     /* TCP: the connection being opened for it, 0: none */
  gboolean reopening;   /* TCP: the connection that carried media was lost, and
                           no check over another was answered yet */
  guint n_lost;         /* connections that were lost in a row */
  GPtrArray *checks; /* (owned) IceCheck, the newest last; at most one of them
                        is live */
  IceTime formed_at;
  IceTime triggered_at; /* by a check of the peer, 0: not */
  IceTime checked_at;   /* first check, 0: none yet */
  IceTime succeeded_at; /* first signed success, 0: none yet */
  IceTime granted_at;   /* last signed success */
  IceTime sent_at;      /* last request, 0: none */
  guint n_insisted;     /* requests beyond what RFC 8489 resends */
  gboolean insisting;   /* valid, and the next one is such a request */
  guint n_unreachable;  /* hard ICMP errors for the present check */
  IceLoss loss;
  IceRenomination renomination;

  /* stats */
  IceTime rtt, total_rtt;
  guint requests_sent, requests_received, responses_sent, responses_received;
  guint retransmissions_sent, consent_requests_sent;
} IcePair;

IcePair *ice_pair_new (guint id, IceComponent *component,
    IceGeneration *generation, IceCandidate *local, IceCandidate *remote);
IcePair *ice_pair_ref (IcePair *self);
void ice_pair_unref (IcePair *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcePair, ice_pair_unref)

/* RFC 8445 6.1.2.3; @g is the controlling agent's candidate. */
guint64 ice_pair_priority (guint32 g, guint32 d);
/* Both priorities anew: after a role switch, a new remote candidate, ... */
void ice_pair_update_priority (IcePair *self, gboolean controlling);
void ice_pair_set_remote (IcePair *self, IceCandidate *remote);
/* Another connection, or none: what the peer sees of it is not known. */
void ice_pair_set_local (IcePair *self, IceCandidate *local);
/* UDP, or TCP with a connection of its own. */
gboolean ice_pair_is_connected (const IcePair *self);
/* RFC 8445 6.1.2.2 and 6.1.2.6: may be paired; belong to one foundation. */
gboolean
ice_pair_is_possible (const IceCandidate *local, const IceCandidate *remote);
/* The same socket and, if relayed, the same allocation: candidates of one base
 * are new objects after a restart. */
gboolean ice_pair_same_local (const IceCandidate *a, const IceCandidate *b);
gboolean ice_pair_same_foundation (const IcePair *a, const IcePair *b);
gboolean ice_pair_is_relayed (const IcePair *self);
const gchar *ice_pair_state_to_string (IcePairState state);
/* "192.0.2.1:5000 -> 192.0.2.2:6000", for the log; (transfer full). */
gchar *ice_pair_to_string (const IcePair *self);

/* The checks. */
IceCheck *ice_pair_add_check (IcePair *self, IceCheckKind kind);
IceCheck *ice_pair_find_check (IcePair *self, const guint8 *id);
/* The one that the state of the pair hangs on; (nullable). */
IceCheck *ice_pair_live_check (IcePair *self);
void ice_pair_remove_check (IcePair *self, IceCheck *check);
/* RFC 8445 7.2.1.4, 8.1.2: answers still count, nothing is resent and silence
 * is no failure. */
void ice_pair_cancel_checks (IcePair *self);
void ice_pair_drop_checks (IcePair *self);

G_END_DECLS
