/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/* IceWorld's reserve: the budget of the process. */
IceTime gst_ice_pacing_reserve (gpointer unused, IceTime now);

G_END_DECLS
