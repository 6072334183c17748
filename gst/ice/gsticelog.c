/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticelog-private.h"

GstDebugCategory *gst_ice_agent_debug;

/* By IceLogArea. */
static GstDebugCategory *area_categories[4];

void
gst_ice_log_init (void)
{
  static const struct
  {
    IceLogArea area;
    const gchar *name, *description;
  } areas[] = {
    { ICE_LOG_GATHER, "ice-gather", "ICE candidate gathering" },
    { ICE_LOG_CHECK, "ice-check", "ICE connectivity checks and consent" },
    { ICE_LOG_STUN, "ice-stun", "STUN messages" },
    { ICE_LOG_TURN, "ice-turn", "TURN allocations, permissions, channels" },
  };
  static gsize once;

  if (!g_once_init_enter (&once))
    return;
  GST_DEBUG_CATEGORY_INIT (gst_ice_agent_debug, "ice-agent", 0, "ICE agent");
  for (guint i = 0; i < G_N_ELEMENTS (areas); i++)
    GST_DEBUG_CATEGORY_INIT (
        area_categories[areas[i].area], areas[i].name, 0, areas[i].description);
  g_once_init_leave (&once, 1);
}

GstDebugCategory *
gst_ice_log_category (IceLogArea area)
{
  return area_categories[area];
}

IceLogLevel
gst_ice_log_core_level (void)
{
  GstDebugLevel threshold = GST_LEVEL_NONE;

  for (guint i = 0; i < G_N_ELEMENTS (area_categories); i++)
    threshold =
        MAX (threshold, gst_debug_category_get_threshold (area_categories[i]));

  if (threshold >= GST_LEVEL_LOG)
    return ICE_LOG_LOG;
  if (threshold >= GST_LEVEL_DEBUG)
    return ICE_LOG_DEBUG;
  if (threshold >= GST_LEVEL_INFO)
    return ICE_LOG_INFO;
  return ICE_LOG_WARNING;
}
