/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* The child "agent" of an element: it has the writable properties of
 * GstIceAgent, keeps what is set, and hands it to the agent that the element
 * joins in the end (design 9.13). */
#define GST_TYPE_ICE_AGENT_SETTINGS (gst_ice_agent_settings_get_type ())
G_DECLARE_FINAL_TYPE (GstIceAgentSettings, gst_ice_agent_settings, GST,
    ICE_AGENT_SETTINGS, GObject)

GstIceAgentSettings *gst_ice_agent_settings_new (void);
/* What was set, by property name. @func is called without a lock. */
void gst_ice_agent_settings_foreach (GstIceAgentSettings *self,
    void (*func) (const gchar *name, const GValue *value, gpointer user_data),
    gpointer user_data);
/* (nullable) From now on settings go straight there. */
void
gst_ice_agent_settings_follow (GstIceAgentSettings *self, GstIceAgent *agent);

/* A list of servers as it may be shown in dot files and logs, without users
 * and passwords, however badly it is written. (transfer full) (nullable) */
gchar *gst_ice_hide_passwords (const gchar *servers);

G_END_DECLS
