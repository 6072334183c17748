/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "endpoint-private.h"

#include <glib/gi18n-lib.h>

/* What members want of the agent that they share. */

typedef struct
{
  GValue value;
  gchar *by; /* (owned) name of an element */
} Setting;

static void
setting_free (gpointer data)
{
  Setting *setting = data;

  g_value_unset (&setting->value);
  g_free (setting->by);
  g_free (setting);
}

typedef struct
{
  GstIceEndpoint *endpoint;
  GstIceMember *member;
  GError *error;
} Apply;

static Setting *
setting_new (GstIceMember *member, const GValue *value)
{
  Setting *setting = g_new0 (Setting, 1);

  g_value_init (&setting->value, G_VALUE_TYPE (value));
  g_value_copy (value, &setting->value);
  setting->by = gst_object_get_name (GST_OBJECT (member->element));
  return setting;
}

/* One agent has one value: two elements that want different ones are an error
 * of whoever wrote that. */
static void
apply_setting (const gchar *name, const GValue *value, gpointer user_data)
{
  Apply *apply = user_data;
  GstIceEndpoint *self = apply->endpoint;
  Setting *known;

  g_mutex_lock (&self->lock);
  known = g_hash_table_lookup (self->settings, name);
  if (known == NULL)
    g_hash_table_insert (
        self->settings, g_strdup (name), setting_new (apply->member, value));
  else if (gst_value_compare (&known->value, value) != GST_VALUE_EQUAL &&
      apply->error == NULL)
    apply->error = g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        _ ("“agent::%s” has another value here than on %s, which uses the "
           "same agent; set it on one of them."),
        name, known->by);
  g_mutex_unlock (&self->lock);
  if (known == NULL)
    g_object_set_property (G_OBJECT (self->agent), name, value);
}

static gboolean
add_servers (GstIceEndpoint *self, const gchar *list, GError **error)
{
  g_auto (GStrv) uris = g_strsplit (list != NULL ? list : "", ",", -1);
  gchar **uri;

  for (uri = uris; *uri != NULL; uri++)
    if (*g_strstrip (*uri) != '\0' &&
        !gst_ice_agent_add_server (self->agent, *uri, error))
      return FALSE;
  return TRUE;
}

gboolean
gst_ice_endpoint_apply_settings (
    GstIceEndpoint *self, GstIceMember *member, GError **error)
{
  Apply apply = { self, member, NULL };
  g_autofree gchar *stun = NULL, *turn = NULL;

  GST_OBJECT_LOCK (member->element);
  stun = g_strdup (member->stun_server);
  turn = g_strdup (member->turn_servers);
  GST_OBJECT_UNLOCK (member->element);

  if (member->settings != NULL)
    gst_ice_agent_settings_foreach (member->settings, apply_setting, &apply);
  if (apply.error != NULL) {
    g_propagate_error (error, apply.error);
    return FALSE;
  }
  return add_servers (self, stun, error) && add_servers (self, turn, error);
}

GHashTable *
gst_ice_endpoint_settings_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, setting_free);
}
