/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ice-1.0 gather: the trickle-ice page in a terminal. */

#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

/* A server that has not answered by then is as good as none, though the agent
 * would go on asking (RFC 8489 6.2.1: 39.5 s). */
#define DEFAULT_TIMEOUT 10

typedef struct
{
  gchar **stun;   /* (owned) (nullable) */
  gchar **turn;   /* (owned) (nullable) */
  gchar *ca_file; /* (owned) (nullable) */
  gboolean json;
  gboolean port_mapping;
  gchar *proxy; /* (owned) (nullable) */
  gint timeout; /* seconds */
} Options;

typedef struct
{
  Options options;
  GMainLoop *loop; /* (owned) */
  gint64 start;
  GString *rows;   /* (owned) JSON objects of the candidates, with commas */
  GString *errors; /* (owned) the same of the servers' errors */
  guint n_kinds[GST_ICE_CANDIDATE_KIND_RELAYED + 1];
  guint n_errors;
  gboolean complete;
  gdouble gathered; /* seconds: the last useful answer has come; 0: not */
} Gather;

static gdouble
elapsed (Gather *self)
{
  return (g_get_monotonic_time () - self->start) / (gdouble) G_USEC_PER_SEC;
}

/* Servers and sockets choose some of these strings. */
static void
append_json_string (GString *json, const gchar *name, const gchar *value)
{
  if (!value)
    return;
  g_string_append_printf (json, ",\"%s\":\"", name);
  for (const guchar *p = (const guchar *) value; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf (json, "\\%c", *p);
    else if (*p < 0x20 || *p == 0x7f)
      g_string_append_printf (json, "\\u%04x", *p);
    else
      g_string_append_c (json, *p);
  }
  g_string_append_c (json, '"');
}

static gchar *
host_port (const gchar *address, guint port)
{
  if (!address)
    return g_strdup ("");
  return g_strdup_printf (
      strchr (address, ':') ? "[%s]:%u" : "%s:%u", address, port);
}

static void
print_row (Gather *self, const GstIceCandidate *candidate)
{
  g_autofree gchar *address =
      host_port (gst_ice_candidate_get_address (candidate),
          gst_ice_candidate_get_port (candidate));
  g_autofree gchar *base =
      host_port (gst_ice_candidate_get_related_address (candidate),
          gst_ice_candidate_get_related_port (candidate));
  const gchar *url = gst_ice_candidate_get_url (candidate);
  const gchar *relay_protocol =
      gst_ice_candidate_get_relay_protocol (candidate);

  g_print ("%7.3f  %-5s  %-5s  %-28s  %-28s  %10u  %s%s%s\n", elapsed (self),
      gst_ice_tool_kind (candidate), gst_ice_candidate_get_protocol (candidate),
      address, base, gst_ice_candidate_get_priority (candidate), url ? url : "",
      relay_protocol ? " by " : "", relay_protocol ? relay_protocol : "");
}

static void
append_row (Gather *self, const GstIceCandidate *candidate)
{
  GString *json = self->rows;

  g_string_append_printf (json,
      "%s\n    {\"seconds\":%.3f,\"component\":%u,\"priority\":%u,\"port\":%u",
      json->len ? "," : "", elapsed (self),
      gst_ice_candidate_get_component (candidate),
      gst_ice_candidate_get_priority (candidate),
      gst_ice_candidate_get_port (candidate));
  append_json_string (json, "type", gst_ice_tool_kind (candidate));
  append_json_string (
      json, "protocol", gst_ice_candidate_get_protocol (candidate));
  append_json_string (
      json, "address", gst_ice_candidate_get_address (candidate));
  append_json_string (
      json, "foundation", gst_ice_candidate_get_foundation (candidate));
  append_json_string (json, "related-address",
      gst_ice_candidate_get_related_address (candidate));
  if (gst_ice_candidate_get_related_address (candidate))
    g_string_append_printf (json, ",\"related-port\":%u",
        gst_ice_candidate_get_related_port (candidate));
  append_json_string (
      json, "relay-protocol", gst_ice_candidate_get_relay_protocol (candidate));
  append_json_string (json, "url", gst_ice_candidate_get_url (candidate));
  g_string_append_c (json, '}');
}

static void
on_new_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  Gather *self = user_data;

  self->n_kinds[gst_ice_candidate_get_kind (candidate)]++;
  if (self->options.json)
    append_row (self, candidate);
  else
    print_row (self, candidate);
}

static void
on_candidate_error (GstIceAgent *agent, const gchar *url, guint code,
    const gchar *text, gpointer user_data)
{
  Gather *self = user_data;
  g_autofree gchar *shown = gst_ice_tool_printable (text);

  self->n_errors++;
  if (!self->options.json) {
    g_print ("%7.3f  error  %s: %u %s\n", elapsed (self), url, code, shown);
    return;
  }
  g_string_append_printf (self->errors, "%s\n    {\"seconds\":%.3f,\"code\":%u",
      self->errors->len ? "," : "", elapsed (self), code);
  append_json_string (self->errors, "url", url);
  append_json_string (self->errors, "text", shown);
  g_string_append_c (self->errors, '}');
}

static void
on_gathering_done (GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Gather *self = user_data;

  self->gathered = elapsed (self);
}

static void
on_end_of_candidates (
    GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Gather *self = user_data;

  self->complete = TRUE;
  g_main_loop_quit (self->loop);
}

static gboolean
on_timeout (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

/* One sentence: what works, and what to look at. */
static const gchar *
verdict (const Gather *self)
{
  const gboolean relayed = self->n_kinds[GST_ICE_CANDIDATE_KIND_RELAYED] > 0;
  const gboolean reflexive =
      self->n_kinds[GST_ICE_CANDIDATE_KIND_SERVER_REFLEXIVE] > 0;

  if (relayed)
    return "A relay works: calls get through wherever UDP to it does.";
  if (self->options.turn)
    return "No relay: calls between strict NATs will fail. See the errors "
           "above; a TURN server wants turn:USER:PASSWORD@HOST:PORT.";
  if (reflexive)
    return "The address outside is known: direct calls through most NATs. "
           "Between symmetric NATs a TURN server (-t) is needed.";
  if (self->options.stun)
    return "No server answered with another address: either there is no NAT, "
           "or UDP does not get out. See the errors above.";
  if (self->n_kinds[GST_ICE_CANDIDATE_KIND_HOST] == 0)
    return "No address to offer: is any network interface up?";
  return "Addresses of this host only: calls on the same network. Give a STUN "
         "server (-s) to be reached from outside.";
}

static void
print_summary (Gather *self)
{
  if (!self->options.json) {
    g_print ("\n%s after %.3f s. %s\n",
        self->complete ? "Done" : "Not done, given up", elapsed (self),
        verdict (self));
    return;
  }
  g_print ("{\n  \"candidates\":[%s\n  ],\n  \"errors\":[%s\n  ],\n"
           "  \"gathered\":%.3f,\n  \"seconds\":%.3f,\n"
           "  \"complete\":%s,\n",
      self->rows->str, self->errors->str, self->gathered, elapsed (self),
      self->complete ? "true" : "false");
  g_print ("  \"verdict\":\"%s\"\n}\n", verdict (self));
}

/* Each server that was asked has given a candidate, or was redundant: then it
 * has said no error either. */
static gboolean
succeeded (const Gather *self)
{
  const guint n = self->n_kinds[GST_ICE_CANDIDATE_KIND_HOST] +
      self->n_kinds[GST_ICE_CANDIDATE_KIND_SERVER_REFLEXIVE] +
      self->n_kinds[GST_ICE_CANDIDATE_KIND_RELAYED];

  return self->complete && n > 0 && self->n_errors == 0 &&
      (!self->options.turn || self->n_kinds[GST_ICE_CANDIDATE_KIND_RELAYED]);
}

/* -s HOST is as good as -s stun:HOST. */
static gchar *
with_scheme (const gchar *server, const gchar *scheme)
{
  const gsize length = strlen (scheme);

  if (g_str_has_prefix (server, scheme) &&
      (server[length] == ':' || g_str_has_prefix (server + length, "s:")))
    return g_strdup (server);
  return g_strconcat (scheme, ":", server, NULL);
}

static gboolean
add_servers (GstIceAgent *agent, gchar **servers, const gchar *scheme)
{
  for (guint i = 0; servers && servers[i]; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *uri = with_scheme (servers[i], scheme);

    if (!gst_ice_agent_add_server (agent, uri, &error)) {
      g_printerr ("gather: %s\n", error->message);
      return FALSE;
    }
  }
  return TRUE;
}

static GstIceToolStatus
gather (Gather *self)
{
  g_autoptr (GstIceAgent) agent = g_object_new (GST_TYPE_ICE_AGENT,
      "main-context", g_main_context_default (), "port-mapping",
      self->options.port_mapping ? GST_ICE_PORT_MAPPING_ON
                                 : GST_ICE_PORT_MAPPING_OFF,
      "ca-file", self->options.ca_file, "proxy", self->options.proxy, NULL);
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GstIceTransport) transport = NULL;

  if (!add_servers (agent, self->options.stun, "stun") ||
      !add_servers (agent, self->options.turn, "turn"))
    return GST_ICE_TOOL_USAGE;
  g_signal_connect (
      agent, "new-candidate", G_CALLBACK (on_new_candidate), self);
  g_signal_connect (
      agent, "candidate-error", G_CALLBACK (on_candidate_error), self);
  g_signal_connect (
      agent, "gathering-done", G_CALLBACK (on_gathering_done), self);
  g_signal_connect (
      agent, "end-of-candidates", G_CALLBACK (on_end_of_candidates), self);
  stream = gst_ice_agent_request_stream (agent, "0");
  transport = gst_ice_stream_get_transport (stream, 1);

  if (!self->options.json)
    g_print ("%7s  %-5s  %-5s  %-28s  %-28s  %10s  %s\n", "seconds", "type",
        "proto", "address", "base", "priority", "server");
  gst_ice_agent_gather (agent);
  g_timeout_add_seconds (self->options.timeout, on_timeout, self->loop);
  g_main_loop_run (self->loop);
  g_signal_handlers_disconnect_by_data (agent, self);
  print_summary (self);
  gst_ice_tool_close (agent);
  return succeeded (self) ? GST_ICE_TOOL_OK : GST_ICE_TOOL_FAILED;
}

GstIceToolStatus
gst_ice_tool_gather (gint argc, gchar **argv)
{
  Gather self = { .options.timeout = DEFAULT_TIMEOUT };
  const GOptionEntry entries[] = {
    { "stun", 's', 0, G_OPTION_ARG_STRING_ARRAY, &self.options.stun,
        "a STUN server, may be given again", "stun:HOST[:PORT]" },
    { "turn", 't', 0, G_OPTION_ARG_STRING_ARRAY, &self.options.turn,
        "a TURN server, may be given again", "turn:USER:PASS@HOST[:PORT]" },
    { "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &self.options.ca_file,
        "whom stuns: and turns: are trusted by, not the system", "PEM" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &self.options.json,
        "one JSON object instead of a table", NULL },
    { "port-mapping", 'p', 0, G_OPTION_ARG_NONE, &self.options.port_mapping,
        "ask the router for a port (PCP, NAT-PMP, UPnP IGD)", NULL },
    { "proxy", 0, 0, G_OPTION_ARG_STRING, &self.options.proxy,
        "for servers over TCP and TLS; socks5:// too, direct:// for none",
        "http://[USER:PASS@]HOST:PORT" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &self.options.timeout,
        "give up after so many seconds (10)", "SECONDS" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  GstIceToolStatus status;

  g_option_context_set_summary (
      options, "Lists the candidates of this host and tries its servers.");
  g_option_context_set_description (options,
      "Exit status 0: candidates were found and each server answered.");
  g_option_context_add_main_entries (options, entries, NULL);
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error)) {
    g_printerr ("gather: %s\n", error->message);
    return GST_ICE_TOOL_USAGE;
  }

  self.loop = g_main_loop_new (NULL, FALSE);
  self.rows = g_string_new (NULL);
  self.errors = g_string_new (NULL);
  self.start = g_get_monotonic_time ();
  status = gather (&self);
  g_string_free (self.errors, TRUE);
  g_string_free (self.rows, TRUE);
  g_main_loop_unref (self.loop);
  g_strfreev (self.options.stun);
  g_strfreev (self.options.turn);
  g_free (self.options.ca_file);
  g_free (self.options.proxy);
  return status;
}
