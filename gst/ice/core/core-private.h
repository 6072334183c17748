/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core.h"
#include "ice/checker.h"
#include "ice/nominator.h"
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
  IceResponder responder;
  IceCoreCounters counters;
  IceTime settled_at;
  gboolean closed;
  gboolean pacing_known; /* the peer's description was read */
  gboolean checks_first; /* whose turn the next slot is */
  gboolean has_turn_server;
  guint server_error;  /* code of the last SERVER_ERROR, 0: none */
  gchar *socket_error; /* (owned) (nullable) why the last one failed */
};

/* core.c; (unowned) (nullable) */
IceStream *ice_core_find_stream (const IceCore *self, guint id);
/* By transport id. */
IceComponent *ice_core_find_component (const IceCore *self, guint id);
/* The first peer's: that of commands which name no stream. */
IceChecklistSet *ice_core_first_set (const IceCore *self);

/* core-events.c */
void ice_core_drain_events (IceCore *self, IceTime now);

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

/* core-session.c: a peer without ICE gets its route when there is a socket. */
void ice_core_try_default (IceCore *self, IceComponent *component, IceTime now);

/* core-timers.c */
/* RFC 8445 8.3.1: "wait an additional three seconds". */
#define ICE_RELEASE_TIME (3 * ICE_SECOND)
void ice_core_run_timers (IceCore *self, IceTime now);
void ice_core_run_consent (IceCore *self, IceComponent *component, IceTime now);
void ice_core_run_failures (IceCore *self, IceTime now);
IceTime ice_core_deadline (IceCore *self);

/* core-hint.c: (transfer full) why there is no path, from what is known. */
gchar *ice_core_explain (
    IceCore *self, IceStream *stream, IceTime now, IceCause *ret_cause);

G_END_DECLS
