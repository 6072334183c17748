/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

/* The agents that have been asked for by name, for the whole process: what
 * "agent=call" means in gst-launch lines. It keeps none of them alive. */
static GMutex lock;
static GHashTable *agents; /* (owned) name -> GWeakRef */

static void
weak_ref_free (gpointer data)
{
  GWeakRef *ref = data;

  g_weak_ref_clear (ref);
  g_free (ref);
}

static gboolean
is_gone (gpointer name, gpointer ref, gpointer unused)
{
  g_autoptr (GstIceAgent) agent = g_weak_ref_get (ref);

  return agent == NULL;
}

/* (transfer full) (nullable) a closed one is as good as gone. */
static GstIceAgent *
lookup (const gchar *name)
{
  GWeakRef *ref = g_hash_table_lookup (agents, name);
  g_autoptr (GstIceAgent) agent = ref ? g_weak_ref_get (ref) : NULL;

  if (!agent || !gst_ice_agent_check_open (agent, NULL))
    return NULL;
  return g_steal_pointer (&agent);
}

static void
insert (const gchar *name, GstIceAgent *agent)
{
  GWeakRef *ref = g_new0 (GWeakRef, 1);

  g_weak_ref_init (ref, agent);
  g_hash_table_foreach_remove (agents, is_gone, NULL);
  g_hash_table_replace (agents, g_strdup (name), ref);
}

/**
 * gst_ice_agent_get_by_name:
 * @name: a name
 *
 * Finds the agent of that name, or makes it on first use: how elements and
 * pipelines of one process share an agent (`agent=NAME`). The table keeps
 * nothing alive; after the last reference is gone, or after
 * gst_ice_agent_close_async(), the name means a new agent.
 *
 * Returns: (transfer full): the agent
 */
GstIceAgent *
gst_ice_agent_get_by_name (const gchar *name)
{
  GstIceAgent *agent;

  g_return_val_if_fail (name != NULL, NULL);

  g_mutex_lock (&lock);
  if (!agents)
    agents =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, weak_ref_free);
  agent = lookup (name);
  if (!agent) {
    agent = g_object_new (GST_TYPE_ICE_AGENT, "name", name, NULL);
    gst_object_ref_sink (agent);
    insert (name, agent);
  }
  g_mutex_unlock (&lock);
  return agent;
}

/* GstValue: text to agent and back */

static gchar *
serialize (const GValue *value)
{
  GstIceAgent *agent = g_value_get_object (value);

  return agent ? gst_object_get_name (GST_OBJECT (agent)) : g_strdup ("");
}

static gboolean
deserialize (GValue *value, const gchar *text)
{
  if (*text == '\0')
    return FALSE;
  g_value_take_object (value, gst_ice_agent_get_by_name (text));
  return TRUE;
}

static gint
compare (const GValue *a, const GValue *b)
{
  return g_value_get_object (a) == g_value_get_object (b) ? GST_VALUE_EQUAL
                                                          : GST_VALUE_UNORDERED;
}

/**
 * gst_ice_agent_register_value_type: (skip)
 *
 * Teaches GStreamer to read an agent from text, by name, as gst-launch does for
 * properties of type #GstIceAgent. For plugins; after gst_init(), any number of
 * times.
 */
void
gst_ice_agent_register_value_type (void)
{
  /* GStreamer keeps the address. */
  static GstValueTable table = {
    .compare = compare,
    .serialize = serialize,
    .deserialize = deserialize,
  };
  static gsize once;

  if (!g_once_init_enter (&once))
    return;
  table.type = GST_TYPE_ICE_AGENT;
  gst_value_register (&table);
  g_once_init_leave (&once, 1);
}
