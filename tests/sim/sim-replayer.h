/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Somebody on the path who sends signed checks of the peer's once more, from
 * addresses of his own. They are genuine, so they are answered and even
 * learnt; but nobody is there to answer ours, so that no media goes there and
 * the session goes on: I3, I5 and I9 say so. */
#pragma once

#include "sim-host.h"

G_BEGIN_DECLS

typedef struct _SimReplayer SimReplayer;

SimReplayer *sim_replayer_new (SimNet *net, SimHost *host);
void sim_replayer_free (SimReplayer *self);
/* What the host gets, as it gets it. */
void sim_replayer_saw (SimReplayer *self, guint socket, IceBytes data);

G_END_DECLS
