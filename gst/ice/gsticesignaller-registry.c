/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesignaller.h"

#include "gsticeerror.h"

/* Who knows which scheme. The table fills when plugins load: "ice" brings what
 * needs no outside library, "ice<nick>" one module each. */

G_LOCK_DEFINE_STATIC (registry);
static GHashTable *by_nick;   /* (owned) nick -> GType */
static GHashTable *by_scheme; /* (owned) scheme -> GType */

static const struct
{
  const gchar *scheme, *nick;
} modules[] = {
  { "ice+ws", "websocket" },
  { "ice+wss", "websocket" },
  { "sip", "sip" },
  { "sips", "sip" },
  { "ice+mqtt", "mqtt" },
  { "ice+mqtts", "mqtt" },
};

/**
 * gst_ice_signaller_register: (skip)
 * @nick: its short name
 * @schemes: (array zero-terminated=1): the URI schemes it serves
 * @type: a type that implements #GstIceSignaller
 */
void
gst_ice_signaller_register (
    const gchar *nick, const gchar *const *schemes, GType type)
{
  g_return_if_fail (nick != NULL && schemes != NULL);
  g_return_if_fail (g_type_is_a (type, GST_TYPE_ICE_SIGNALLER));

  G_LOCK (registry);
  if (by_nick == NULL) {
    by_nick = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    by_scheme = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  }
  g_hash_table_insert (by_nick, g_strdup (nick), GSIZE_TO_POINTER (type));
  for (; *schemes != NULL; schemes++)
    g_hash_table_insert (
        by_scheme, g_strdup (*schemes), GSIZE_TO_POINTER (type));
  G_UNLOCK (registry);
}

static GType
lookup (GHashTable **table, const gchar *key)
{
  GType type = G_TYPE_INVALID;

  G_LOCK (registry);
  if (*table != NULL)
    type = GPOINTER_TO_SIZE (g_hash_table_lookup (*table, key));
  G_UNLOCK (registry);
  return type;
}

static void
load (const gchar *nick)
{
  g_autofree gchar *name = g_strconcat ("ice", nick, NULL);
  GstPlugin *plugin = gst_plugin_load_by_name (name);

  g_clear_pointer (&plugin, gst_object_unref);
}

/* @nick (nullable): of the module that would have it. */
static GType
lookup_or_load (GHashTable **table, const gchar *key, const gchar *nick)
{
  GType type = lookup (table, key);

  if (type == G_TYPE_INVALID) {
    load ("");
    type = lookup (table, key);
  }
  if (type == G_TYPE_INVALID && nick != NULL) {
    load (nick);
    type = lookup (table, key);
  }
  return type;
}

static const gchar *
module_of_scheme (const gchar *scheme)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (modules); i++)
    if (g_str_equal (modules[i].scheme, scheme))
      return modules[i].nick;
  return NULL;
}

/**
 * gst_ice_signaller_new_from_uri:
 * @uri: where to meet
 * @error: return location
 *
 * Returns: (transfer full): a signaller for the scheme of @uri
 */
GstIceSignaller *
gst_ice_signaller_new_from_uri (const gchar *uri, GError **error)
{
  g_autofree gchar *scheme = NULL;
  g_autoptr (GstIceSignaller) self = NULL;
  const gchar *nick;
  GType type;

  g_return_val_if_fail (uri != NULL, NULL);

  scheme = g_uri_parse_scheme (uri);
  if (scheme == NULL) {
    /* Not quoted back: it may hold a password. */
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "The URI has no scheme; ice+file:///tmp/call is one that works");
    return NULL;
  }
  nick = module_of_scheme (scheme);
  type = lookup_or_load (&by_scheme, scheme, nick);
  if (type == G_TYPE_INVALID && nick != NULL) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
        "“%s:” needs the plugin “ice%s”, which is not installed", scheme, nick);
    return NULL;
  }
  if (type == G_TYPE_INVALID) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
        "Nothing here knows the scheme “%s:”; ice+file:///tmp/call is one "
        "that works",
        scheme);
    return NULL;
  }

  self = g_object_new (type, "uri", uri, NULL);
  if (!gst_ice_signaller_check (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * gst_ice_signaller_new_from_nick:
 * @nick: "file", "stdio" or the name of a module
 * @error: return location
 *
 * Returns: (transfer full): a signaller
 */
GstIceSignaller *
gst_ice_signaller_new_from_nick (const gchar *nick, GError **error)
{
  GType type;

  g_return_val_if_fail (nick != NULL, NULL);

  /* One module knows two. */
  type = lookup_or_load (
      &by_nick, nick, g_str_equal (nick, "gst-webrtc") ? "websocket" : nick);
  if (type == G_TYPE_INVALID) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
        "There is no signaller “%s”; file and stdio are built in", nick);
    return NULL;
  }
  return g_object_new (type, NULL);
}
