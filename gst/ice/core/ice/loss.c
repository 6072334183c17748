/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loss.h"

#include "../purity.h"

/* 20 % on both access lines, each way, is 59 % of the exchanges; a request and
 * three probes (design 9.3) are then lost together once in eight times. 10 % is
 * 34 %, and once in 75. */
#define HEAVY 40
#define MIN_ASKED 4
/* What was long ago counts half. */
#define MAX_ASKED 32

void
ice_loss_asked (IceLoss *self)
{
  self->n_since++;
}

void
ice_loss_answered (IceLoss *self)
{
  /* The first packet through two NATs is lost by design, and says nothing. */
  if (!self->known && self->n_since > 1)
    self->n_since--;
  self->known = TRUE;
  self->n_asked += self->n_since;
  /* One that came late was counted as lost. */
  self->n_answered += self->n_since > 0;
  self->n_since = 0;
  if (self->n_asked > MAX_ASKED) {
    self->n_asked /= 2;
    self->n_answered /= 2;
  }
}

void
ice_loss_add (IceLoss *self, const IceLoss *other)
{
  self->n_asked += other->n_asked;
  self->n_answered += other->n_answered;
}

gboolean
ice_loss_is_heavy (const IceLoss *self)
{
  return self->n_asked >= MIN_ASKED &&
      100 * self->n_answered < (100 - HEAVY) * self->n_asked;
}
