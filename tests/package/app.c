/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least a stranger's program does: it finds the header, links and runs. */

#include <gst/ice/ice.h>

int
main (int argc, char **argv)
{
  GstIceAgent *agent;
  GstIceStream *stream;

  gst_init (&argc, &argv);
  agent = gst_ice_agent_new ();
  stream = gst_ice_agent_request_stream (agent, "0");
  if (!GST_IS_ICE_STREAM (stream))
    return 1;
  gst_object_unref (stream);
  gst_object_unref (agent);
  return 0;
}
