/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "tests/check/wait.h"

/* One side of a call: a pipeline and what its bus said. */
typedef struct
{
  GstElement *pipeline;   /* (owned) */
  GPtrArray *messages;    /* (owned) (element-type GstMessage) so far */
  gint n_buffers;         /* atomic: that reached the fakesink "out" */
  GstClockTime first_pts; /* of the first of them */
  gboolean errors_are_expected;
} Half;

#define HALF_TIMEOUT (20 * G_TIME_SPAN_SECOND)

/* @line is printf-like; a fakesink called "out" has its buffers counted. */
Half *half_new (const gchar *line, ...) G_GNUC_PRINTF (1, 2);
void half_free (Half *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Half, half_free)

void half_set_state (Half *self, GstState state);
/* Takes what is on the bus. Unexpected errors fail the test. */
void half_look (Half *self);
/* As gst-launch does it: PAUSED, and PLAYING when progress is over. */
void half_begin (Half *self);
gboolean half_is_settled (Half *self);

gint half_n_buffers (Half *self);
guint half_count (Half *self, GstMessageType type);
guint half_count_progress (Half *self, GstProgressType type);
/* (transfer none) (nullable) the last one of @name */
const GstStructure *half_find (Half *self, const gchar *name);
/* (transfer full) (nullable) of the first ERROR or WARNING */
gchar *half_complaint (Half *self, GstMessageType type, gchar **ret_cause);

/* Looks at both buses until @condition holds. */
#define half_wait(a, b, condition)                                             \
  wait_with ((half_look (a), half_look (b), (condition)), #condition,          \
      HALF_TIMEOUT, g_usleep (2000))

/* Both begin, @first some time before, and reach PLAYING. */
void half_connect (Half *first, Half *second);

/* A name in the test's scratch folder that no other test uses. */
const gchar *half_place (void);
gboolean half_have (const gchar *factories, ...) G_GNUC_NULL_TERMINATED;

/* gst_init, g_test_init, the scratch folder; g_test_run and away with it. */
void half_init (int *argc, char ***argv);
int half_run (void);
