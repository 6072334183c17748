/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "tests/check/wait.h"

/* Two agents in one process, wired to each other by their signals. The handlers
 * run in the default main context, so tests wait by iterating it. */
typedef struct
{
  GstIceAgent *agent;   /* (owned) (nullable) */
  GstIceStream *stream; /* (owned) "0" */
  GPtrArray *events;    /* (owned) (element-type utf8) names, in order */
  GstIceAgent *peer;    /* (unowned) (nullable) */
} Side;

typedef struct
{
  Side a, b;
} Call;

#define CALL_TIMEOUT (30 * G_TIME_SPAN_SECOND)

/* Iterates the default context until @condition holds; fails the test when it
 * does not within CALL_TIMEOUT. */
#define wait_until(condition)                                                  \
  wait_with (condition, #condition, CALL_TIMEOUT, call_iterate ())

/* For a child before it is another program: a test that fails aborts, and
 * leaves nothing running where the system can tell a child of that. */
void call_die_with_parent (gpointer unused);

/* g_test_run, and waits for the last loop to end: what its thread keeps is no
 * leak. */
int call_run_tests (void);

void call_iterate (void);
void call_run_for (guint ms);

/* Loopback only, so that tests do not depend on the network. */
GstIceAgent *call_new_agent (void);
void side_init (Side *self, GstIceAgent *agent);
void side_clear (Side *self);
gboolean side_saw (const Side *self, const gchar *event);

Call *call_new (void);
void call_free (Call *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)
/* a offers, b answers, candidates trickle. */
void call_negotiate (Call *self);
void call_connect (Call *self);

GstIceState call_state (GstIceAgent *agent);
/* Sends @n packets of @size from one stream to the other and waits for all of
 * them, in order. */
void call_exchange (GstIceStream *from, GstIceStream *to, guint n, gsize size);
