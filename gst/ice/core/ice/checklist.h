/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../verdict.h"
#include "policy.h"
#include "stream.h"

G_BEGIN_DECLS

/* Two agents that keep disagreeing about their roles do so on purpose. */
#define ICE_MAX_ROLE_SWITCHES 4

/* The checklist set (RFC 8445 6.1.2): every stream with its checklist, and
 * what they share: the role, the limit on pairs, the turn. A checklist is the
 * pairs and the triggered-check queue of an IceStream.
 *
 * One set is one peer. Where an offer was forked (RFC 8839 7) several live on
 * the same sockets, each a branch; checklist-fork.c is about what is then
 * between them. */
struct _IceChecklistSet
{
  guint branch;          /* names it; 0 was there first */
  const GPtrArray *all;  /* (unowned) (nullable) (element-type IceChecklistSet)
                            those that share the gatherer; NULL: only this */
  IceContext *context;   /* (unowned) */
  IceGatherer *gatherer; /* (unowned) */
  GPtrArray *streams;    /* (owned) IceStream, in the order they were added */
  IcePolicy policy;
  gboolean controlling;
  guint64 tie_breaker;
  guint n_role_switches;
  guint max_pairs;
  /* Pairs that were made because of checks of the peer's and have not been
   * answered since, those that made room for others included. */
  guint n_unproven;
  guint turn; /* the stream whose check is next (RFC 8445 6.1.4.2) */

  gboolean forking; /* our offer may have more answers: checks of peers that we
                     do not know yet are kept for their branches */
  gboolean consent, allow_non_ice; /* as IceCoreConfig has them */
  IceTime connect_timeout;         /* likewise */
  IceTime ta; /* agreed with the peer (RFC 8445 14.2), 0: not yet */
};

void ice_checklist_set_init (IceChecklistSet *self, IceContext *context,
    IceGatherer *gatherer, gboolean controlling, guint max_pairs);
void ice_checklist_set_clear (IceChecklistSet *self);
void ice_checklist_set_free (IceChecklistSet *self);
/* (transfer full) for @stream; whoever removes it from streams frees it. */
void ice_checklist_set_add_stream (IceChecklistSet *self, IceStream *stream);
IceStream *ice_checklist_set_find_stream (IceChecklistSet *self, guint id);
/* By transport id. */
IceComponent *
ice_checklist_set_find_component (IceChecklistSet *self, guint id);
guint ice_checklist_set_count_pairs (const IceChecklistSet *self);
/* Every pair, and those of former generations that still carry media; stops
 * when @func returns TRUE and returns that pair. */
typedef gboolean (*IcePairFunc) (
    IceChecklistSet *self, IcePair *pair, gpointer user);
IcePair *ice_checklist_set_find_pair (
    IceChecklistSet *self, IcePairFunc func, gpointer user);
/* Those Waiting or In-Progress: the N of the RTO (RFC 8445 14.3). */
guint ice_checklist_set_count_open (const IceChecklistSet *self);
/* Recomputes and sorts; says ROLE. A new tie-breaker when @new_tie_breaker
 * (RFC 8445 7.2.5.1). */
void ice_checklist_set_switch_role (
    IceChecklistSet *self, gboolean controlling, gboolean new_tie_breaker);

/* Candidates. Pairs are formed while the stream is active. */
void ice_checklist_add_local (IceChecklistSet *self, IceStream *stream,
    IceCandidate *candidate, IceTime now);
IceVerdict ice_checklist_add_remote (IceChecklistSet *self, IceStream *stream,
    IceCandidate *candidate, IceTime now);
/* The credentials of both sides are known: every pair that can be is formed,
 * the first of each foundation starts to wait (RFC 8445 6.1.2.6). */
void
ice_checklist_activate (IceChecklistSet *self, IceStream *stream, IceTime now);
/* UDP; (unowned) (nullable) */
IceCandidate *ice_checklist_find_remote (
    IceStream *stream, guint component, const IceAddress *address);
/* The one with component, protocol, type and address of @like; (nullable). */
IceCandidate *
ice_checklist_find_remote_like (IceStream *stream, const IceCandidate *like);
/* @local is gone: its pairs fail. A set @peer narrows that to its IP. */
void ice_checklist_fail_local (IceChecklistSet *self, IceStream *stream,
    const IceCandidate *local, const IceAddress *peer);

/* Pairs. (unowned) (nullable) */
IcePair *ice_checklist_find_pair (IceComponent *component,
    const IceCandidate *local, const IceAddress *remote);
/* TCP: from any connection of the candidate with that socket. */
IcePair *ice_checklist_find_pair_from (
    IceComponent *component, guint socket, const IceAddress *remote);
/* NULL when the set is full of better ones (RFC 8445 6.1.2.5, 8838 11). */
IcePair *ice_checklist_add_pair (IceChecklistSet *self, IceComponent *component,
    IceCandidate *local, IceCandidate *remote, IceTime now);
/* The same because of a check of the peer's: an unanswered pair makes room. */
IcePair *
ice_checklist_add_learnt_pair (IceChecklistSet *self, IceComponent *component,
    IceCandidate *local, IceCandidate *remote, IceTime now);
/* Sets Waiting and queues it, if it is not queued yet. */
void ice_checklist_trigger (IcePair *pair);
void ice_checklist_fail (IceChecklistSet *self, IcePair *pair);
/* RFC 8445 7.2.5.3.3: frozen mates of a pair that succeeded wait. */
void ice_checklist_thaw_mates (IceChecklistSet *self, const IcePair *pair);
void ice_checklist_sort (IceStream *stream);
/* No pair needs the permission and the channel of this one any more. */
void ice_checklist_forget_peer (IceChecklistSet *self, const IcePair *pair);
/* Off the checklist; one that is selected carries media all the same. */
void ice_checklist_remove_pair (IceChecklistSet *self, IcePair *pair);
/* RFC 8445 8.1.2: all pairs of the component but @keep (nullable) go. */
void ice_checklist_conclude (
    IceChecklistSet *self, IceComponent *component, IcePair *keep);

/* checklist-fork.c: what branches must not do to each other. */

/* Media from @from through @local is another branch's for certain. */
gboolean ice_checklist_set_is_taken (const IceChecklistSet *self,
    const IceCandidate *local, const IceAddress *from);
/* ice_component_accept, unless another branch was first; who has @proven it
 * takes it from one that has only heard it (design 9.9). */
void ice_checklist_set_accept (IceChecklistSet *self, IceComponent *component,
    IceCandidate *local, const IceAddress *from, guint generation,
    gboolean proven);
/* Another branch has a pair of the same two addresses. */
gboolean ice_checklist_set_is_shared_peer (
    const IceChecklistSet *self, const IcePair *pair);
/* Another stream still holds the candidate, or sends from its base. */
gboolean ice_checklist_set_is_shared_local (const IceChecklistSet *self,
    const IceStream *stream, const IceCandidate *local);
/* The other stream of @set with the same local side; (unowned) (nullable). */
IceStream *ice_checklist_set_find_twin (
    const IceChecklistSet *self, const IceStream *stream);

gboolean ice_checklist_set_has_triggered (const IceChecklistSet *self);
/* The pair whose check is next (RFC 8445 6.1.4.2), without taking it;
 * (unowned) (nullable). Unfreezes on the way. */
IcePair *ice_checklist_set_peek (IceChecklistSet *self);
/* It is being checked now: off the queue, and on to the next checklist. */
void ice_checklist_set_take (IceChecklistSet *self, IcePair *pair);

G_END_DECLS
