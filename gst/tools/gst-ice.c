/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ice-1.0: what ICE does, from a terminal. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "commands.h"

#include <locale.h>

#define CLOSE_TIMEOUT_MS 1000

static const struct
{
  const gchar *name;
  GstIceToolStatus (*run) (gint argc, gchar **argv);
  const gchar *summary;
} commands[] = {
  { "doctor", gst_ice_tool_doctor,
      "look for what stands in the way of calls, and say what to do" },
  { "gather", gst_ice_tool_gather,
      "list the candidates of this host and try its servers" },
  { "nat", gst_ice_tool_nat,
      "tell what kind of NAT is between us and a server" },
  { "peer", gst_ice_tool_peer,
      "one side of a call, signalled by lines on standard input and output" },
  { "serve", gst_ice_tool_serve,
      "a signalling server where peers meet, over WebSocket" },
  { "turn", gst_ice_tool_turn, "try a TURN server step by step" },
};

const gchar *
gst_ice_tool_kind (const GstIceCandidate *candidate)
{
  switch (gst_ice_candidate_get_kind (candidate)) {
    case GST_ICE_CANDIDATE_KIND_HOST:
      return "host";
    case GST_ICE_CANDIDATE_KIND_SERVER_REFLEXIVE:
      return "srflx";
    case GST_ICE_CANDIDATE_KIND_PEER_REFLEXIVE:
      return "prflx";
    default:
      return "relay";
  }
}

static void
on_closed (GObject *agent, GAsyncResult *result, gpointer user_data)
{
  gboolean *closed = user_data;

  gst_ice_agent_close_finish (GST_ICE_AGENT (agent), result, NULL);
  *closed = TRUE;
}

static gboolean
on_close_timeout (gpointer user_data)
{
  GCancellable *cancellable = user_data;

  g_cancellable_cancel (cancellable);
  return G_SOURCE_CONTINUE;
}

void
gst_ice_tool_close (GstIceAgent *agent)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const guint timeout =
      g_timeout_add (CLOSE_TIMEOUT_MS, on_close_timeout, cancellable);
  gboolean closed = FALSE;

  gst_ice_agent_close_async (agent, cancellable, on_closed, &closed);
  while (!closed)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
}

static void
print_usage (GPrintFunc print)
{
  print ("Usage: gst-ice-1.0 COMMAND [OPTION...]\n\nCommands:\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree gchar *line =
        g_strdup_printf ("  %-8s %s\n", commands[i].name, commands[i].summary);

    print (line);
  }
  print ("\ngst-ice-1.0 COMMAND --help tells the options of a command.\n");
}

static void
print_out (const gchar *text)
{
  g_print ("%s", text);
}

static void
print_err (const gchar *text)
{
  g_printerr ("%s", text);
}

/* UPnP IGD is. GStreamer decides before it reads options. */
static gboolean
uses_plugins (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "doctor"))
    return TRUE; /* whether they are there */
  if (argc > 1 && g_str_equal (argv[1], "serve"))
    return TRUE;
  for (gint i = 2; i < argc; i++) {
    if (g_str_equal (argv[i], "-p") || g_str_equal (argv[i], "--port-mapping"))
      return TRUE;
  }
  return g_strcmp0 (g_getenv ("PORT_MAPPING"), "1") == 0;
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  /* No plugin is used: looking for them would take longer than connecting. */
  if (!uses_plugins (argc, argv))
    g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  if (argc < 2) {
    print_usage (print_err);
    return GST_ICE_TOOL_USAGE;
  }
  if (g_str_equal (argv[1], "--version")) {
    g_print ("gst-ice-1.0 %s\n", PACKAGE_VERSION);
    return GST_ICE_TOOL_OK;
  }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h")) {
    print_usage (print_out);
    return GST_ICE_TOOL_OK;
  }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    if (g_str_equal (argv[1], commands[i].name))
      return commands[i].run (argc - 1, argv + 1);
  }
  g_printerr ("gst-ice-1.0: no command “%s”\n\n", argv[1]);
  print_usage (print_err);
  return GST_ICE_TOOL_USAGE;
}
