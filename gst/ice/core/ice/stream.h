/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../stun/integrity.h"
#include "consent.h"
#include "gatherer.h"
#include "mtu.h"
#include "pair.h"

G_BEGIN_DECLS

typedef struct _IceStream IceStream;
typedef struct _IceChecklistSet IceChecklistSet;

/* The credentials of one ICE generation of a stream. A restart makes a new
 * one; the old lives on in the pairs that still carry media (RFC 8445 9). */
struct _IceGeneration
{
  guint ref_count;
  guint number;
  gchar *local_ufrag, *local_pwd;   /* (owned) */
  gchar *remote_ufrag, *remote_pwd; /* (owned) (nullable) NULL: not known yet */
  gchar *username;        /* (owned) (nullable) of our checks: remote:local */
  IceStunKey *local_key;  /* (owned) requests to us are signed with it */
  IceStunKey *remote_key; /* (owned) (nullable) ours to them */
};

IceGeneration *ice_generation_new (guint number, gchar *ufrag, gchar *pwd);
IceGeneration *ice_generation_ref (IceGeneration *self);
void ice_generation_unref (IceGeneration *self);
void ice_generation_set_remote (
    IceGeneration *self, const gchar *ufrag, const gchar *pwd);

/* A source that media is taken from: a signed check from it was answered, or
 * it answered one of ours (design 9.17). */
typedef struct
{
  IceCandidate *local; /* (owned) host, or relayed */
  IceAddress from;     /* the peer */
  IceAddress server;   /* relayed: where it comes through, as announced */
  guint16 channel;     /* relayed: 0 until the channel is bound */
  gboolean announced;  /* ACCEPT_FROM was said */
  gboolean proven;     /* from there a signed answer came: nobody forges that,
                          while the source of a check may be */
  guint generation;
} IceAccept;

/* A check that came before the peer's credentials did (RFC 8445 7.3). */
typedef struct
{
  IceCandidate *local; /* (owned) */
  IceAddress from;
  guint32 priority;
  gboolean use_candidate;
  gchar *ufrag; /* (owned) the peer's, as it said */
} IceEarlyCheck;

/* A request that nominated, as a lite agent remembers it. */
typedef struct
{
  guint8 id[ICE_STUN_ID_SIZE];
  IceAddress from;
} IceSeenNomination;

typedef struct
{
  guint socket; /* 0: none */
  IceAddress to;
  guint16 channel;
  IceAddress peer;
} IceRoute;

/* One component: what the contract calls a transport. */
struct _IceComponent
{
  guint id;          /* transport id */
  guint number;      /* RFC 8445 component id */
  IceStream *stream; /* (unowned) */
  IceState state;
  IcePair *selected;  /* (owned) (nullable) where media goes */
  gboolean nominated; /* as PAIR_SELECTED said last */
  IceRoute route;     /* as ROUTE said last */
  IceConsent consent;
  IceMtu mtu;
  guint told_mtu;            /* as PATH_MTU said last, 0: nothing */
  GArray *accepts;           /* (owned) IceAccept, oldest first */
  GQueue early;              /* (owned) IceEarlyCheck, oldest first */
  GArray *nominations;       /* (owned) IceSeenNomination, oldest first */
  IceAddress default_remote; /* peer without ICE; family NONE otherwise */
  gboolean concluded;        /* a pair of this generation was nominated */
  /* Of this generation: the highest NOMINATION that was sent or taken, how many
   * hold, and when the media was moved last (0: not yet). */
  guint32 nomination_value;
  guint n_nominations;
  IceTime moved_at;
  IceTime knocked_at;  /* the beginning of the doubt that was last told */
  gboolean rebound;    /* the peer sees us elsewhere, and will not follow */
  IceTime doubted_at;  /* the doubt that the gatherer was told of last */
  IceTime lost_at;     /* every pair is gone, others may come; 0: no */
  gboolean pinned;     /* the application has chosen the pair */
  IceTime verified_at; /* the allocation of the selected pair was, or 0 */
  IceTime unaccept_at; /* sources of former generations go then; 0: none */
  guint selected_changes;
  IceTime first_check_at, connected_at;
};

/* A candidate of the peer's whose name is being asked for. */
typedef struct
{
  guint request;
  IceCandidate *candidate; /* (owned) of nobody else yet */
} IceNamedCandidate;

void ice_named_candidate_free (IceNamedCandidate *self);

/* One data stream and its checklist. */
struct _IceStream
{
  guint id;
  IceChecklistSet *set; /* (unowned) that it is in */
  guint gather;  /* the gatherer's stream: its own id, or what it shares */
  gboolean fork; /* another stream has told these local credentials */
  GPtrArray *components;     /* (owned) IceComponent, by number */
  IceGeneration *generation; /* (owned) the present one */
  GPtrArray *locals;         /* (owned) IceCandidate of this generation */
  GPtrArray *remotes;        /* (owned) IceCandidate */
  GPtrArray *named;          /* (owned) IceNamedCandidate */
  guint n_names;             /* that were asked for in this generation */
  gboolean peer_hides;       /* it has told such a candidate */
  GPtrArray *pairs;          /* (owned) IcePair, best first */
  GQueue triggered;          /* (unowned) IcePair, the next first */

  gboolean gathering;    /* ice_core_gather was called */
  gboolean local_done;   /* GATHERED was said */
  gboolean gather_ended; /* every server answered or was given up */
  gboolean local_ended;  /* END_OF_CANDIDATES was said */
  gboolean remote_ended;
  gboolean remote_ending; /* it will have when no name is asked for any more */
  gchar *ended_ufrag; /* (owned) (nullable) end of a generation not known yet */
  gboolean first_check;    /* FIRST_CHECK was said */
  gboolean hinted, failed; /* a hint, the fatal error was said */
  IceTime gather_started_at;
  IceTime started_at;   /* checks may run since, 0: no */
  IceTime completed_at; /* 0: not */
  gboolean released;    /* RFC 8445 8.3.1 */
  IceTime asked_at;     /* our servers, in a doubt; 0: never */
  IceTime news_at;      /* an address came that may be better, 0: none */
  IceTime restart_at;   /* RESTART_NEEDED was said, 0: not in this trouble */
  guint n_restarts;     /* so often */
  guint n_unauthorized; /* 401 answers to our checks: for the hint */
  guint n_requests;     /* signed requests of this generation: likewise */
};

IceStream *ice_stream_new (IceContext *context);
/* The same local side for another peer (RFC 8839 7): credentials, components
 * and where gathering stands, but neither candidates nor anything remote. */
IceStream *ice_stream_new_fork (IceContext *context, const IceStream *origin);
void ice_stream_free (IceStream *self);
IceComponent *ice_stream_find_component (const IceStream *self, guint number);
IceComponent *
ice_stream_add_component (IceStream *self, IceContext *context, guint number);
/* Pairs of it must be gone. */
void ice_stream_remove_component (IceStream *self, IceComponent *component);
/* New credentials; candidates and early checks are of the past. Pairs must be
 * gone from the checklist. @number is above that of the generation before. */
void ice_stream_restart (IceStream *self, IceContext *context, guint number);
/* The credentials of both sides are known: checks may run. */
gboolean ice_stream_is_active (const IceStream *self);
/* The generation a USERNAME belongs to: the present one, or that of a pair
 * that still carries media. @ret_ufrag is the peer's half; (nullable). */
IceGeneration *ice_stream_find_generation (
    IceStream *self, IceBytes username, IceBytes *ret_ufrag);

/* The first half of @username is ours; @ret_ufrag is the second, of whomever.
 */
gboolean ice_stream_is_named (
    const IceStream *self, IceBytes username, IceBytes *ret_ufrag);

/* named.c: (transfer full) @remote as it may be told. The mDNS draft, 3.3.1:
 * of a peer that hides its addresses behind names, and where we do, a
 * peer-reflexive candidate shows none that was not signalled. */
IceCandidate *
ice_stream_tell_remote (const IceStream *self, IceCandidate *remote);

/* Where media may come from. */
void ice_component_accept (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, IceCandidate *local, const IceAddress *from,
    guint generation, gboolean proven);
gboolean ice_component_accepts (const IceComponent *self,
    const IceCandidate *local, const IceAddress *from);
/* Likewise, and it was proven. */
gboolean ice_component_is_proven (const IceComponent *self,
    const IceCandidate *local, const IceAddress *from);
/* Not from there any more, unless it was proven. */
void ice_component_unaccept_heard (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *local, const IceAddress *from);
/* @channel 0: lost. */
void ice_component_set_channel (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *local, const IceAddress *peer,
    guint16 channel);
/* Those of generations before @generation; G_MAXUINT: all. */
void ice_component_unaccept (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, guint generation);

/* A relayed candidate that left @former_socket for the one that it has now. */
void ice_component_move_local (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *moved, guint former_socket);
/* What comes through a candidate that is gone. */
void ice_component_unaccept_local (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *local);

/* So many requests are not answered that a few in a row say nothing. */
gboolean ice_component_is_lossy (const IceComponent *self);

/* The early checks (RFC 8445 7.3), at most 32: the oldest goes first. */
void ice_component_add_early (IceComponent *self, IceCandidate *local,
    const IceAddress *from, guint32 priority, gboolean use_candidate,
    IceBytes ufrag);
void ice_early_check_free (IceEarlyCheck *self);

G_END_DECLS
