/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The terminal of the process, and a person who pastes lines into it. */
typedef struct _GstIceTerminal GstIceTerminal;

/* (nullable) errno says why not. */
GstIceTerminal *gst_ice_terminal_open (void);
gint gst_ice_terminal_get_fd (GstIceTerminal *self);
/* Lines of any length can be typed: the kernel's own line editing cuts them at
 * 4096 bytes. FALSE: as it was before. */
void gst_ice_terminal_take_long_lines (GstIceTerminal *self, gboolean take);
void gst_ice_terminal_free (GstIceTerminal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceTerminal, gst_ice_terminal_free)

G_END_DECLS
