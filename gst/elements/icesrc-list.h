/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Whether what is linked to @pad may be given @list as it is. @singly: kept for
 * the session, FALSE at first; shall see all that is received. */
gboolean
gst_ice_src_may_push_list (GstPad *pad, GstBufferList *list, gboolean *singly);

/* Adds the packets of @list (transfer full) to @queue, each with one owner. */
void gst_ice_src_take_apart (GQueue *queue, GstBufferList *list);

G_END_DECLS
