/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

/* The room that a page shows a pipeline in. */
#define GST_ICE_TOOL_PAGE_ROOM "page"

/* (transfer full) (nullable) @line: elements that end in " ! page." (nullable:
 * a test picture and ticks), which @server has a page for. @play: what the page
 * sends back is shown here. */
GstElement *gst_ice_tool_page_new (GObject *server, const gchar *address,
    const gchar *token, const gchar *line, gboolean play, GError **error);
