/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "settings.h"

#include <string.h>

#include "gst/signallers/secrets.h"

struct _GstIceAgentSettings
{
  GObject parent;

  GMutex lock;
  GHashTable *values; /* (owned) property name (interned) -> GValue */
  GWeakRef agent;
};

G_DEFINE_TYPE (GstIceAgentSettings, gst_ice_agent_settings, G_TYPE_OBJECT)

static void
value_free (gpointer data)
{
  g_value_unset (data);
  g_free (data);
}

static GValue *
value_copy (const GValue *value)
{
  GValue *copy = g_new0 (GValue, 1);

  g_value_init (copy, G_VALUE_TYPE (value));
  g_value_copy (value, copy);
  return copy;
}

GstIceAgentSettings *
gst_ice_agent_settings_new (void)
{
  return g_object_new (GST_TYPE_ICE_AGENT_SETTINGS, NULL);
}

static gboolean
is_server_scheme (const gchar *text, gsize size)
{
  static const gchar *const schemes[] = { "stun", "stuns", "turn", "turns" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (strlen (schemes[i]) == size &&
        g_ascii_strncasecmp (text, schemes[i], size) == 0)
      return TRUE;
  return FALSE;
}

/* A password may also stand where a port should, when its "@" is missing. */
static void
append_public (GString *shown, const gchar *uri)
{
  const gchar *colon = strchr (uri, ':');
  const gchar *host = uri, *at = strrchr (uri, '@'), *end;

  if (colon != NULL && is_server_scheme (uri, colon - uri)) {
    host = colon + (g_str_has_prefix (colon, "://") ? 3 : 1);
    g_string_append_len (shown, uri, host - uri);
  }
  if (at != NULL && at >= host)
    host = at + 1;
  end = host + (*host == '[' ? strcspn (host, "]") : strcspn (host, ":?"));
  if (*end == ']')
    end++;
  if (*end == ':')
    end += 1 + strspn (end + 1, "0123456789");
  g_string_append_len (shown, host, end - host);
  if (*end == '?' || *end == '\0')
    g_string_append (shown, end);
  else
    g_string_append (shown, "…");
}

gchar *
gst_ice_hide_passwords (const gchar *servers)
{
  g_auto (GStrv) uris = g_strsplit (servers != NULL ? servers : "", ",", -1);
  GString *shown = g_string_new (NULL);
  gchar **uri;

  for (uri = uris; *uri != NULL; uri++) {
    if (uri != uris)
      g_string_append_c (shown, ',');
    append_public (shown, g_strstrip (*uri));
  }
  return g_string_free (shown, servers == NULL);
}

void
gst_ice_agent_settings_foreach (GstIceAgentSettings *self,
    void (*func) (const gchar *name, const GValue *value, gpointer user_data),
    gpointer user_data)
{
  g_autoptr (GHashTable) copy =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, value_free);
  GHashTableIter iter;
  gpointer name, value;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->values);
  while (g_hash_table_iter_next (&iter, &name, &value))
    g_hash_table_insert (copy, name, value_copy (value));
  g_mutex_unlock (&self->lock);

  g_hash_table_iter_init (&iter, copy);
  while (g_hash_table_iter_next (&iter, &name, &value))
    func (name, value, user_data);
}

void
gst_ice_agent_settings_follow (GstIceAgentSettings *self, GstIceAgent *agent)
{
  g_weak_ref_set (&self->agent, agent);
}

static void
gst_ice_agent_settings_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceAgentSettings *self = GST_ICE_AGENT_SETTINGS (object);
  g_autoptr (GstIceAgent) agent = g_weak_ref_get (&self->agent);
  const gchar *name = g_intern_string (pspec->name);

  g_mutex_lock (&self->lock);
  g_hash_table_replace (self->values, (gpointer) name, value_copy (value));
  g_mutex_unlock (&self->lock);
  if (agent != NULL)
    g_object_set_property (G_OBJECT (agent), name, value);
}

static void
gst_ice_agent_settings_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceAgentSettings *self = GST_ICE_AGENT_SETTINGS (object);
  g_autoptr (GstIceAgent) agent = g_weak_ref_get (&self->agent);
  const GValue *recorded;

  if (agent != NULL) {
    g_object_get_property (G_OBJECT (agent), pspec->name, value);
    return;
  }
  g_mutex_lock (&self->lock);
  recorded = g_hash_table_lookup (self->values, pspec->name);
  /* As the agent itself would say it. */
  if (recorded != NULL && g_str_equal (pspec->name, "servers"))
    g_value_take_string (
        value, gst_ice_hide_passwords (g_value_get_string (recorded)));
  else if (recorded != NULL && g_str_equal (pspec->name, "proxy"))
    g_value_take_string (
        value, gst_ice_hide_uri_secrets (g_value_get_string (recorded)));
  else if (recorded != NULL)
    g_value_copy (recorded, value);
  else
    g_param_value_set_default (pspec, value);
  g_mutex_unlock (&self->lock);
}

static void
gst_ice_agent_settings_finalize (GObject *object)
{
  GstIceAgentSettings *self = GST_ICE_AGENT_SETTINGS (object);

  g_weak_ref_clear (&self->agent);
  g_hash_table_unref (self->values);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_ice_agent_settings_parent_class)->finalize (object);
}

static void
gst_ice_agent_settings_init (GstIceAgentSettings *self)
{
  g_mutex_init (&self->lock);
  g_weak_ref_init (&self->agent, NULL);
  self->values =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, value_free);
}

static void
gst_ice_agent_settings_class_init (GstIceAgentSettingsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GObjectClass *agent_class = g_type_class_ref (GST_TYPE_ICE_AGENT);
  g_autofree GParamSpec **specs = NULL;
  guint n_specs, i;

  object_class->set_property = gst_ice_agent_settings_set_property;
  object_class->get_property = gst_ice_agent_settings_get_property;
  object_class->finalize = gst_ice_agent_settings_finalize;

  /* All that can be set on an agent that exists already. */
  specs = g_object_class_list_properties (agent_class, &n_specs);
  for (i = 0; i < n_specs; i++)
    if (specs[i]->owner_type == GST_TYPE_ICE_AGENT &&
        (specs[i]->flags & G_PARAM_WRITABLE) &&
        !(specs[i]->flags & G_PARAM_CONSTRUCT_ONLY))
      g_object_class_install_property (object_class, i + 1,
          g_param_spec_override (specs[i]->name, specs[i]));
  g_type_class_unref (agent_class);
}
