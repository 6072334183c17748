/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "behaviour.h"

#include "builder.h"

G_BEGIN_DECLS

/* Between behaviour.c and behaviour-lifetime.c. */

/* A Binding request for @test; what the test asks for is added, then sent. */
void ice_behaviour_begin (IceBehaviour *self, IceStunBuilder *builder);
void ice_behaviour_ask (IceBehaviour *self, guint test, guint socket,
    const IceAddress *to, IceStunBuilder *builder, IceTime now);

/* The search of 4.6, where the other tests left it. TRUE when it is over. */
gboolean ice_behaviour_search (IceBehaviour *self, IceTime now);

G_END_DECLS
