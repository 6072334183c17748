/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many requests of a pair an answer takes: what silence means depends on
 * it. Only answers change it, so that a path which dies does not seem to lose
 * much, and is left as soon as ever. Zeroed memory knows nothing. */
typedef struct
{
  guint n_since;             /* requests since the last answer */
  guint n_asked, n_answered; /* until then, decaying */
  gboolean known;
} IceLoss;

void ice_loss_asked (IceLoss *self);
void ice_loss_answered (IceLoss *self);
/* Pairs of one component pass the same access lines. */
void ice_loss_add (IceLoss *self, const IceLoss *other);
/* So many fail that a few in a row say nothing. */
gboolean ice_loss_is_heavy (const IceLoss *self);

G_END_DECLS
