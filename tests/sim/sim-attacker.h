/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* I6 and I7: somebody on the path who knows all but the passwords, and sends a
 * host what he likes from any address. Nothing that can be observed changes. */
#pragma once

#include "sim-host.h"

G_BEGIN_DECLS

typedef struct _SimAttacker SimAttacker;

/* Fires @n_shots at random times, @gap apart on average, while @host lives. */
SimAttacker *
sim_attacker_new (SimNet *net, SimHost *host, guint n_shots, IceTime gap);
void sim_attacker_free (SimAttacker *self);
guint sim_attacker_n_fired (const SimAttacker *self);

G_END_DECLS
