/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* Exit statuses of every subcommand. */
typedef enum
{
  GST_ICE_TOOL_OK,
  GST_ICE_TOOL_FAILED, /* it ran, and the answer is no */
  GST_ICE_TOOL_USAGE,  /* it could not run as told */
} GstIceToolStatus;

/* One file each. @argv[0] is the subcommand's name. */
GstIceToolStatus gst_ice_tool_doctor (gint argc, gchar **argv);
GstIceToolStatus gst_ice_tool_gather (gint argc, gchar **argv);
GstIceToolStatus gst_ice_tool_nat (gint argc, gchar **argv);
GstIceToolStatus gst_ice_tool_peer (gint argc, gchar **argv);
GstIceToolStatus gst_ice_tool_serve (gint argc, gchar **argv);
GstIceToolStatus gst_ice_tool_turn (gint argc, gchar **argv);

/* "typ" of RFC 8839: host srflx prflx relay. */
const gchar *gst_ice_tool_kind (const GstIceCandidate *candidate);
/* Runs the default main context until the agent has taken its leave of TURN
 * servers, which are not waited for long. */
void gst_ice_tool_close (GstIceAgent *agent);

G_END_DECLS
