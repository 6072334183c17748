/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many pairs of agents in one process: what making, connecting and keeping them
 * costs. Every variant is measured by the same code. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How it is asked for on the command line. */
typedef struct
{
  gint pairs;
  gint hold;         /* seconds connected */
  gint pacing;       /* ms between new checks of the process; 0: no limit */
  gboolean elements; /* a pipeline with a source on each agent */
} ScaleSettings;

/* What has happened, in agents; from whatever thread. */
typedef struct
{
  gint gathered, connected; /* (atomic) */
  gint disconnected;        /* (atomic) times that one was for a while */
  gint lost;                /* (atomic) consents, or paths for good */
} ScaleTally;

typedef struct
{
  const gchar *name;
  /* Makes two agents of each pair and has them gather host candidates of
   * 127.0.0.1; they live as long as the process. */
  void (*make) (const ScaleSettings *settings, ScaleTally *tally);
  /* Tells each what the other is called and where it is. */
  void (*join) (const ScaleSettings *settings);
} ScaleVariant;

extern const ScaleVariant scale_ice;
#ifdef HAVE_NICE
extern const ScaleVariant scale_nice;
#endif

G_END_DECLS
