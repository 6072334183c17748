/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ice-1.0 nat: what kind of NAT there is, and what that means for calls. */

#include "commands.h"

typedef struct
{
  gchar *server; /* (owned) (nullable) */
  gboolean json;
  gint lifetime; /* seconds, 0: not searched */
} Options;

typedef struct
{
  GMainLoop *loop;      /* (owned) */
  GstStructure *result; /* (owned) (nullable) */
  GError *error;        /* (owned) (nullable) */
} Nat;

static void
on_discovered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Nat *self = user_data;

  self->result = gst_ice_discover_nat_finish (result, &self->error);
  g_main_loop_quit (self->loop);
}

static gboolean
is_true (const GstStructure *result, const gchar *name)
{
  gboolean value;

  return gst_structure_get_boolean (result, name, &value) && value;
}

static gboolean
is_strict (const GstStructure *result, const gchar *name)
{
  return !g_strcmp0 (
      gst_structure_get_string (result, name), "address-and-port-dependent");
}

/* One sentence: does a call need a relay? Two peers meet directly unless both
 * ends need to know what neither can: the port that the other's NAT takes for
 * this one destination. */
static const gchar *
verdict (const GstStructure *result)
{
  const gchar *mapping = gst_structure_get_string (result, "mapping");

  if (!mapping)
    return "This server has one address only and cannot show what kind of NAT "
           "there is; ask one that supports RFC 5780.";
  if (!is_true (result, "nat"))
    return "There is no NAT: direct calls are likely, relay needed only where "
           "the peer's network is strict.";
  if (g_str_equal (mapping, "endpoint-independent"))
    return is_strict (result, "filtering")
        ? "Direct calls are likely; relay needed only with a peer whose NAT "
          "chooses a port for each destination."
        : "Direct calls are likely with every kind of NAT at the peer.";
  return "This NAT chooses a port for each destination: a relay is needed "
         "unless the peer has no NAT or an open one. Have a TURN server.";
}

static gchar *
value_to_string (const GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_strdup (g_value_get_boolean (value) ? "yes" : "no");
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_strdup_printf ("%.1f ms", g_value_get_double (value) * 1000);
  return g_strdup_printf ("%u s", g_value_get_uint (value));
}

static void
print_text (const GstStructure *result, gboolean lifetime)
{
  static const struct
  {
    const gchar *field, *label;
  } rows[] = {
    { "server", "server" },
    { "round-trip-time", "round trip" },
    { "local-address", "address inside" },
    { "mapped-address", "address outside" },
    { "nat", "NAT" },
    { "mapping", "mapping" },
    { "filtering", "filtering" },
    { "hairpinning", "hairpinning" },
    { "fragments", "fragments pass" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const GValue *value = gst_structure_get_value (result, rows[i].field);
    g_autofree gchar *text =
        value ? value_to_string (value) : g_strdup ("not known");

    g_print ("%-16s %s\n", rows[i].label, text);
  }
  if (lifetime) {
    guint seconds = 0;

    if (gst_structure_get_uint (result, "binding-lifetime", &seconds))
      g_print ("%-16s %s%u s\n", "binding lives",
          is_true (result, "binding-lifetime-is-minimum") ? "at least " : "",
          seconds);
    else
      g_print ("%-16s %s\n", "binding lives", "not known");
  }
  g_print ("\n%s\n", verdict (result));
}

/* Names and values are our own words and addresses: nothing to escape. */
static gboolean
append_json (GQuark field, const GValue *value, gpointer user_data)
{
  GString *json = user_data;

  g_string_append_printf (json, "  \"%s\": ", g_quark_to_string (field));
  if (G_VALUE_HOLDS_STRING (value))
    g_string_append_printf (json, "\"%s\"", g_value_get_string (value));
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_string_append (json, g_value_get_boolean (value) ? "true" : "false");
  else if (G_VALUE_HOLDS_DOUBLE (value))
    g_string_append_printf (json, "%.6f", g_value_get_double (value));
  else
    g_string_append_printf (json, "%u", g_value_get_uint (value));
  g_string_append (json, ",\n");
  return TRUE;
}

static void
print_json (const GstStructure *result)
{
  g_autoptr (GString) json = g_string_new ("{\n");

  gst_structure_foreach (result, append_json, json);
  g_print ("%s  \"verdict\": \"%s\"\n}\n", json->str, verdict (result));
}

static GstIceToolStatus
discover (const Options *options)
{
  Nat self = { .loop = g_main_loop_new (NULL, FALSE) };
  GstIceToolStatus status = GST_ICE_TOOL_FAILED;

  gst_ice_discover_nat_async (
      options->server, (guint) options->lifetime, NULL, on_discovered, &self);
  g_main_loop_run (self.loop);
  if (!self.result) {
    g_printerr ("nat: %s\n", self.error->message);
    if (g_error_matches (
            self.error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI) ||
        g_error_matches (self.error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_FOUND))
      status = GST_ICE_TOOL_USAGE;
  } else {
    if (options->json)
      print_json (self.result);
    else
      print_text (self.result, options->lifetime > 0);
    if (gst_structure_has_field (self.result, "mapping"))
      status = GST_ICE_TOOL_OK;
  }
  g_clear_pointer (&self.result, gst_structure_free);
  g_clear_error (&self.error);
  g_main_loop_unref (self.loop);
  return status;
}

GstIceToolStatus
gst_ice_tool_nat (gint argc, gchar **argv)
{
  Options self = { 0 };
  const GOptionEntry entries[] = {
    { "server", 's', 0, G_OPTION_ARG_STRING, &self.server,
        "a STUN server with two addresses; without it $STUN_SERVER",
        "[stun:]HOST[:PORT]" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &self.json,
        "one JSON object instead of lines", NULL },
    { "lifetime", 0, 0, G_OPTION_ARG_INT, &self.lifetime,
        "find out how long a silent binding lives, up to so many seconds; "
        "takes several times as long",
        "SECONDS" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  GstIceToolStatus status = GST_ICE_TOOL_USAGE;

  g_option_context_set_summary (options,
      "Finds out what kind of NAT is between this host and a STUN server, and "
      "says whether calls\nneed a relay (RFC 5780). Takes some six seconds.");
  g_option_context_set_description (options,
      "Exit status 0: the mapping is known; 1: the server does not answer or "
      "has one address only.");
  g_option_context_add_main_entries (options, entries, NULL);
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error))
    g_printerr ("nat: %s\n", error->message);
  else if (argc > 1)
    g_printerr ("nat: what is “%s”? Options begin with --\n", argv[1]);
  else if (!self.server && !(self.server = g_strdup (g_getenv ("STUN_SERVER"))))
    g_printerr ("nat: which server? Say --server HOST[:PORT]\n");
  else if (self.lifetime < 0 || self.lifetime > 86400)
    g_printerr ("nat: --lifetime is a number of seconds up to 86400\n");
  else
    status = discover (&self);
  g_free (self.server);
  return status;
}
