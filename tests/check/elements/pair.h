/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "tests/check/wait.h"

G_BEGIN_DECLS

/* Two sessions, or one and the test as its peer, by a signaller that is a
 * function call. */

#define TIMEOUT (10 * G_TIME_SPAN_SECOND)

/* What is sent comes out of the other one, later, in order. */
#define TEST_TYPE_SIGNALLER (test_signaller_get_type ())
G_DECLARE_FINAL_TYPE (TestSignaller, test_signaller, TEST, SIGNALLER, GObject)

struct _TestSignaller
{
  GObject parent;

  TestSignaller *other; /* (unowned) (nullable) */
  GAsyncQueue *sent;    /* (owned) (element-type utf8) "type text" */
  gint stopped;         /* atomic */
  gint n_candidates;    /* atomic: that were sent */
  gboolean no_trickle;  /* it carries descriptions alone */
};

/* An agent, its signaller and its session. */
typedef struct
{
  GstIceAgent *agent;
  TestSignaller *signaller;
  GstIceSession *session;
  gint n_negotiated, n_byes, n_errors; /* atomic */
  GAsyncQueue *heard; /* (owned) (element-type utf8) what the session says */
} Side;

#define wait_until(condition)                                                  \
  wait_with (condition, #condition, TIMEOUT, g_usleep (1000))

/* With a stream "0", started. */
void side_init (Side *self);
void side_clear (Side *self);
void wire (Side *a, Side *b);
void unwire (Side *a, Side *b);
/* The place is reached. */
void ready (Side *self, gboolean offerer);
void connect_sides (Side *a, Side *b);
gboolean is_connected (const Side *self);
GstIceSessionState session_state (const Side *self);
/* (transfer full) the next description that was sent */
gchar *next_sent (Side *self, const gchar *type);
/* The next that the session says: "rejected busy: ...", "incoming first" */
void expect_heard (Side *self, const gchar *text);
gchar *ufrag_of (const gchar *sdp);
/* Everything that was under way on the service thread is done. */
void drain (void);

G_END_DECLS
