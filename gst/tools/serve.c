/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "commands.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>

#include "gst/signallers/loopback.h"
#include "serve-page.h"

/* The server is in the plugin icewebsocket, with what it needs; here is the
 * command line of it. */

typedef struct
{
  gchar *address, *certificate, *key, *tls, *dialect, *token_file, *pipeline;
  gchar **tokens, **origins;
  gint port, max_peers, max_per_address, rate;
  gboolean insecure, page, play;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->address);
  g_free (self->certificate);
  g_free (self->key);
  g_free (self->tls);
  g_free (self->dialect);
  g_free (self->token_file);
  g_free (self->pipeline);
  g_strfreev (self->tokens);
  g_strfreev (self->origins);
}

static gboolean
usage (const gchar *text)
{
  g_printerr ("serve: %s\n", text);
  return FALSE;
}

static gboolean
check (const Options *self)
{
  const gboolean tls = self->certificate != NULL || self->tls != NULL;

  if (self->tls != NULL && !g_str_equal (self->tls, "self-signed"))
    return usage ("--tls is self-signed; a certificate of your own is --cert "
                  "FILE --key FILE");
  if (self->tls != NULL && self->certificate != NULL)
    return usage ("either --tls or --cert");
  if (self->key != NULL && self->certificate == NULL)
    return usage ("--key is the key of --cert FILE");
  if (self->port < 0 || self->port > G_MAXUINT16)
    return usage ("--port is a number up to 65535");
  if (self->max_peers < 2 || self->max_peers > G_MAXUINT16)
    return usage ("--max-peers is a number from 2 to 65535");
  if (self->max_per_address < 0 || self->max_per_address > G_MAXUINT16)
    return usage ("--max-per-address is a number up to 65535");
  if (self->rate < 1 || self->rate > 1000)
    return usage ("--rate is a number from 1 to 1000");
  if (!tls && !self->insecure && !gst_ice_is_loopback (self->address))
    return usage ("signalling carries credentials: say --tls self-signed, or "
                  "--cert FILE --key FILE; or --address 127.0.0.1 for this "
                  "host alone; or --insecure where nobody else can listen");
  return TRUE;
}

/* (transfer full) (nullable) All that was given, and the lines of the file. */
static gchar **
collect_tokens (const Options *self, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const gchar *secret = g_getenv ("ICE_SERVE_TOKEN");
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  gchar **line;

  if (self->tokens != NULL)
    g_strv_builder_addv (builder, (const gchar **) self->tokens);
  if (secret != NULL && *secret != '\0')
    g_strv_builder_add (builder, secret);
  if (self->token_file != NULL) {
    if (!g_file_get_contents (self->token_file, &text, NULL, error))
      return NULL;
    lines = g_strsplit (text, "\n", -1);
    for (line = lines; *line != NULL; line++)
      if (*g_strstrip (*line) != '\0' && **line != '#')
        g_strv_builder_add (builder, *line);
  }
  return g_strv_builder_end (builder);
}

static GObject *
make_server (const Options *self, gchar **tokens, GError **error)
{
  GstPlugin *plugin = gst_plugin_load_by_name ("icewebsocket");
  const GType type = g_type_from_name ("GstIceSignallingServer");

  g_clear_pointer (&plugin, gst_object_unref);
  if (type == G_TYPE_INVALID) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
        "The plugin “icewebsocket” is not installed; it is built where "
        "libsoup-3.0 and json-glib-1.0 are");
    return NULL;
  }
  return g_initable_new (type, NULL, error, "address", self->address, "port",
      (guint) self->port, "self-signed", self->tls != NULL, "certificate",
      self->certificate, "key", self->key, "dialect", self->dialect, "tokens",
      tokens, "origins", self->origins, "max-peers", (guint) self->max_peers,
      "max-per-address", (guint) self->max_per_address, "messages-per-second",
      (guint) self->rate, NULL);
}

static void
announce (GObject *server, const Options *options, gboolean needs_token)
{
  g_autofree gchar *uri = NULL, *fingerprint = NULL;

  g_object_get (server, "uri", &uri, "fingerprint", &fingerprint, NULL);
  g_print ("Serving %s\n", uri);
  g_print ("  gst-ice     %s/ROOM%s%s%s\n", uri,
      options->tls != NULL ? "?fingerprint=sha-256:" : "",
      options->tls != NULL ? fingerprint : "",
      needs_token ? options->tls ? "&token=..." : "?token=..."
          : !fingerprint && options->insecure ? "?insecure=true"
                                              : "");
  g_print ("  gst-webrtc  %s (webrtcsink, and simple signalling)\n",
      strchr (uri, '+') + 1);
  g_print ("  health      http%s%s/health and /metrics\n",
      fingerprint != NULL ? "s" : "", strchr (uri, ':'));
  if (fingerprint != NULL)
    g_print ("  certificate sha-256:%s\n", fingerprint);
}

static gboolean
on_signal (gpointer user_data)
{
  g_signal_emit_by_name (user_data, "end");
  return G_SOURCE_CONTINUE;
}

static void
on_ended (GObject *server, GMainLoop *loop)
{
  g_main_loop_quit (loop);
}

/* (transfer full) (nullable) playing */
static GstElement *
start_page (
    const Options *self, GObject *server, gchar **tokens, GError **error)
{
  g_auto (GStrv) words =
      tokens && *tokens ? g_strsplit (*tokens, " ", 2) : NULL;
  GstElement *page = gst_ice_tool_page_new (server, self->address,
      words ? words[0] : NULL, self->pipeline, self->play, error);
  g_autofree gchar *uri = NULL, *fingerprint = NULL;

  if (!page)
    return NULL;
  gst_element_set_state (page, GST_STATE_PLAYING);
  g_object_get (server, "uri", &uri, "fingerprint", &fingerprint, NULL);
  g_print ("  page        http%s%s/" GST_ICE_TOOL_PAGE_ROOM "%s\n",
      fingerprint ? "s" : "", strchr (uri, ':'), words ? "?token=..." : "");
  return page;
}

static GstIceToolStatus
serve (const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) tokens = collect_tokens (options, &error);
  g_autoptr (GObject) server = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GstElement) page = NULL;
  guint interrupt, terminate;

  if (error == NULL)
    server = make_server (options, tokens, &error);
  if (server == NULL) {
    g_printerr ("serve: %s\n", error->message);
    return GST_ICE_TOOL_USAGE;
  }
  interrupt = g_unix_signal_add (SIGINT, on_signal, server);
  terminate = g_unix_signal_add (SIGTERM, on_signal, server);
  g_signal_connect (server, "ended", G_CALLBACK (on_ended), loop);
  announce (server, options, tokens != NULL && *tokens != NULL);
  if (options->page)
    page = start_page (options, server, tokens, &error);
  if (error == NULL)
    g_main_loop_run (loop);
  if (page != NULL)
    gst_element_set_state (page, GST_STATE_NULL);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  if (error != NULL)
    g_printerr ("serve: %s\n", error->message);
  return error == NULL ? GST_ICE_TOOL_OK : GST_ICE_TOOL_USAGE;
}

GstIceToolStatus
gst_ice_tool_serve (gint argc, gchar **argv)
{
  Options self = { .port = 8443, .max_peers = 8192, .rate = 50 };
  const GOptionEntry entries[] = {
    { "address", 'a', 0, G_OPTION_ARG_STRING, &self.address,
        "where to listen; without it everywhere", "ADDRESS" },
    { "port", 'p', 0, G_OPTION_ARG_INT, &self.port,
        "8443, if not said; 0: any that is free", "N" },
    { "tls", 0, 0, G_OPTION_ARG_STRING, &self.tls,
        "make a certificate; its fingerprint is printed", "self-signed" },
    { "cert", 0, 0, G_OPTION_ARG_FILENAME, &self.certificate,
        "a certificate, and those it was signed by, in PEM", "FILE" },
    { "key", 0, 0, G_OPTION_ARG_FILENAME, &self.key,
        "its key, when it is not in the same file", "FILE" },
    { "token", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self.tokens,
        "who has it may enter; “TOKEN ROOM”: that room. Others on this host "
        "can see options: $ICE_SERVE_TOKEN and --token-file they cannot",
        "TOKEN" },
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &self.token_file,
        "one on each line", "FILE" },
    { "dialect", 0, 0, G_OPTION_ARG_STRING, &self.dialect,
        "any (the first message tells), lines, simple or gst-webrtc", "NICK" },
    { "origin", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self.origins,
        "pages of it may connect, too, as https://example.org", "ORIGIN" },
    { "max-peers", 0, 0, G_OPTION_ARG_INT, &self.max_peers, "8192, if not said",
        "N" },
    { "max-per-address", 0, 0, G_OPTION_ARG_INT, &self.max_per_address,
        "connections of one host; 0: any number", "N" },
    { "rate", 0, 0, G_OPTION_ARG_INT, &self.rate,
        "messages of one peer in a second, 50 if not said", "N" },
    { "insecure", 0, 0, G_OPTION_ARG_NONE, &self.insecure,
        "without TLS also for others than this host", NULL },
    { "page", 0, 0, G_OPTION_ARG_NONE, &self.page,
        "show a pipeline to whoever opens the page that is printed", NULL },
    { "pipeline", 0, 0, G_OPTION_ARG_STRING, &self.pipeline,
        "of --page: RTP that ends in “! page.”; a test picture, if not said",
        "LINE" },
    { "play", 0, 0, G_OPTION_ARG_NONE, &self.play,
        "of --page: show here what the page sends back", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  GstIceToolStatus status = GST_ICE_TOOL_USAGE;

  g_option_context_set_summary (options,
      "A signalling server: peers meet in rooms, over WebSocket. Ends on "
      "SIGINT and SIGTERM.");
  g_option_context_add_main_entries (options, entries, NULL);
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error))
    g_printerr ("serve: %s\n", error->message);
  else if (argc > 1)
    g_printerr ("serve: what is “%s”? Options begin with --\n", argv[1]);
  else if (check (&self))
    status = serve (&self);
  options_clear (&self);
  return status;
}
