/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *user, *password, *secret, *ca_file; /* (owned) (nullable) */
  gdouble seconds;
  gint rate, size;
  gboolean json;
} Options;

/* In the order in which they come. */
typedef enum
{
  STEP_ALLOCATE,
  STEP_PERMISSION,
  STEP_CHANNEL,
  STEP_ECHO,
  N_STEPS
} Step;

typedef struct
{
  GstIceAgent *agent;         /* (owned) */
  GstIceStream *stream;       /* (owned) */
  GstIceTransport *transport; /* (owned) */
  GstIceAgent *peer;          /* (unowned) */
} Side;

typedef struct
{
  Options options;
  GMainLoop *loop; /* (owned) */
  gint64 start;
  Side relayed, direct;
  gdouble done_ms[N_STEPS];
  gboolean done[N_STEPS];
  Step step; /* under way */
  guint timeout, tick;
  gchar *relayed_address, *mapped_address; /* (owned) (nullable) */
  gchar *url;                              /* (owned) (nullable) */
  gboolean ended;                          /* what comes now is too late */
  guint error_code;
  gchar *error;    /* (owned) (nullable) what the server's error was */
  gchar *software; /* (owned) (nullable) */
  guint lifetime;
  guint n_sent, n_to_send;
  gint64 first_sent;
  GArray *rtts; /* (owned) (element-type gdouble) ms */
} Turn;

/* turn-print.c: what came of it. Round trip times are sorted. */
gboolean gst_ice_turn_succeeded (const Turn *self);
void gst_ice_turn_print_text (const Turn *self);
void gst_ice_turn_print_json (const Turn *self);

G_END_DECLS
