/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* I13: no secret in a log line or any other text that leaves the core. */
#pragma once

#include "sim-net.h"

G_BEGIN_DECLS

typedef struct _SimSecrets SimSecrets;

SimSecrets *sim_secrets_new (SimNet *net);
void sim_secrets_free (SimSecrets *self);
/* Known twice it is kept once. */
void sim_secrets_add (SimSecrets *self, const gchar *secret);
void
sim_secrets_check (SimSecrets *self, const gchar *text, const gchar *where);

G_END_DECLS
