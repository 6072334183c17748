/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checklist.h"

G_BEGIN_DECLS

/* Asks again, by the pairs that matter, what is due; and when the next is. */
void
ice_insistence_run (IceChecklistSet *set, IceComponent *component, IceTime now);
IceTime ice_insistence_deadline (
    const IceChecklistSet *set, const IceComponent *component);

G_END_DECLS
