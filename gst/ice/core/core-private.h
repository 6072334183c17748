/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core.h"
#include "ice/checker.h"
#include "ice/nominator.h"
#include "ice/insistence.h"
#include "ice/renominator.h"
#include "ice/responder.h"

G_BEGIN_DECLS

struct _IceCore
{
  IceCoreConfig config;
  IceGathererConfig next_gather; /* from the next restart on */
  IceContext context;
  IceGatherer *gatherer; /* (owned) */
  GPtrArray *sets;       /* (owned) (element-type IceChecklistSet) one a peer */
  GPtrArray *streams;    /* (unowned) (element-type IceStream) of all sets */
  guint branch;          /* of commands that name no stream */
  guint turn;            /* the set whose check is next */
  IceResponder responder;
  IceCoreCounters counters;
  IceTime settled_at;
  gboolean closed;
  gboolean checks_first; /* whose turn the next slot is */
  gboolean has_turn_server;
  gboolean mtu_probing;
  gboolean has_new_server; /* to be asked at once, where that may be */
  guint server_error;      /* code of the last SERVER_ERROR, 0: none */
  gchar *untrusted;        /* (owned) (nullable) its text, if TLS is why */
  gchar *socket_error;     /* (owned) (nullable) why the last one failed */
};

/* core.c; (unowned) (nullable) */
IceStream *ice_core_find_stream (const IceCore *self, guint id);
/* By transport id. */
IceComponent *ice_core_find_component (const IceCore *self, guint id);

/* core-fork.c; (unowned) (nullable) that of commands which name no stream. */
IceChecklistSet *ice_core_current_set (const IceCore *self);
/* (unowned) */
IceChecklistSet *ice_core_add_set (IceCore *self, guint branch,
    gboolean controlling, const IceCoreConfig *config);
/* (unowned) (nullable) whose it is that came through @local: what a Binding
 * request says (RFC 8445 7.3.1.4), else where it came from. *@ret_stranger:
 * there is no branch for it, but one may come. */
IceComponent *ice_core_choose_component (IceCore *self,
    const IceCandidate *local, const IceAddress *from,
    const IceStunMessage *message, gboolean *ret_stranger);
gboolean ice_core_is_shared_gather (IceCore *self, const IceStream *stream);
/* What no other branch needs goes back to the gatherer. */
void ice_core_release_local (
    IceCore *self, IceStream *stream, IceCandidate *local, IceTime now);
/* Transport ids by component - 1 of everyone who shares it. */
GArray *ice_core_list_transports (IceCore *self, guint gather);
/* Above those of all who share it. */
guint ice_core_next_generation (IceCore *self, guint gather);

/* core-events.c */
void ice_core_drain_events (IceCore *self, IceTime now);
/* RFC 8838 13, when gathering has ended and is not going on continually. */
void ice_core_end_candidates (IceCore *self, IceStream *stream);

/* core-select.c: after anything happened, what follows from it: nominations,
 * selected pairs, routes, states, and the checks that may leave now. */
void ice_core_settle (IceCore *self, IceTime now);
/* The pair that media should take; (unowned) (nullable). */
IcePair *
ice_core_choose_pair (IceCore *self, IceComponent *component, IceTime now);
/* Stops media, and tells so. */
void ice_core_stop_component (IceCore *self, IceComponent *component);
void ice_core_set_state (IceCore *self, IceComponent *component, IceState state,
    IceCause cause, IceTime now);

/* core-policy.c: at the next gathering, and a restart. */
void ice_core_apply_gather_config (IceCore *self);
/* Under continual gathering a server that is added is asked at once. */
void ice_core_ask_new_servers (IceCore *self, IceTime now);

/* core-roam.c: what an established stream does about its path. */
void ice_core_run_roaming (IceCore *self, IceStream *stream, IceTime now);
IceTime ice_core_roaming_deadline (IceCore *self, IceStream *stream);
/* The interfaces are others. */
void ice_core_note_addresses (IceCore *self, IceTime now);

/* core-session.c: a peer without ICE gets its route when there is a socket. */
void ice_core_try_default (IceCore *self, IceComponent *component, IceTime now);
void ice_core_close_components (IceCore *self, IceStream *stream, IceTime now);

/* core-timers.c */
/* RFC 8445 8.3.1: "wait an additional three seconds". */
#define ICE_RELEASE_TIME (3 * ICE_SECOND)
void ice_core_run_timers (IceCore *self, IceTime now);
void ice_core_run_consent (IceCore *self, IceComponent *component, IceTime now);
void ice_core_run_failures (IceCore *self, IceTime now);
IceTime ice_core_deadline (IceCore *self);

/* core-tcp.c: FALSE: no connection of checks and media. */
gboolean ice_core_connection_opened (
    IceCore *self, guint socket, const IceAddress *bound, IceTime now);
gboolean ice_core_connection_lost (
    IceCore *self, guint socket, const gchar *reason, IceTime now);
void ice_core_run_connections (IceCore *self, IceTime now);
IceTime ice_core_connections_deadline (const IceCore *self);

/* core-mtu.c */
void ice_core_run_mtu (IceCore *self, IceComponent *component, IceTime now);

/* core-nat64.c: remote candidates of IPv4, as a host without it reaches them.
 */
void ice_core_translate_remote (
    IceCore *self, IceStream *stream, const IceCandidate *remote, IceTime now);
void ice_core_translate_all_remotes (IceCore *self, IceTime now);

/* core-names.c: @candidate, of nobody else yet, has a name and no address. */
IceVerdict ice_core_take_named (
    IceCore *self, IceStream *stream, IceCandidate *candidate, IceTime now);
/* FALSE: no name of a candidate was asked for by @request. */
gboolean ice_core_name_resolved (IceCore *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now);
/* The peer has no more, but for those whose names are being asked for. */
void ice_core_end_remote (IceStream *stream);
/* core-session.c: @candidate, of nobody else yet, of its present generation. */
IceVerdict ice_core_take_remote (
    IceCore *self, IceStream *stream, IceCandidate *candidate, IceTime now);

/* core-hint.c: (transfer full) why there is no path, from what is known. */
gchar *ice_core_explain (
    IceCore *self, IceStream *stream, IceTime now, IceCause *ret_cause);

G_END_DECLS
