/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ice-1.0 turn: does a TURN server do what a call wants of it? Two agents
 * in here call each other, one of them through the server only, step by step
 * as any call does it. */

#include "turn.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

/* An answer that takes longer is none, and each step is one or two of them. */
#define STEP_TIMEOUT_MS 5000
/* The channel comes after the first packets may go; without one they go on in
 * indications (RFC 8656 11). */
#define CHANNEL_TIMEOUT_MS 1000
/* What is on its way when the last packet has left. */
#define LINGER_MS 1000
#define TICK_MS 5

/* What an agent of ours always proposes (RFC 8839 5.10). */
#define OUR_PACING "a=ice-pacing:5"

/* Sequence number and when it left. */
#define HEADER_SIZE 16
/* More is a load test, and nobody's to make on a server of others. */
#define MAX_RATE 1000
#define MAX_PACKET 1200
#define MAX_SECONDS 60

static gdouble
elapsed_ms (const Turn *self)
{
  return (gdouble) (g_get_monotonic_time () - self->start) / 1000;
}

static gboolean
on_timeout (gpointer user_data)
{
  Turn *self = user_data;

  self->timeout = 0;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
expect_within (Turn *self, Step step, guint ms)
{
  self->step = step;
  if (self->timeout)
    g_source_remove (self->timeout);
  self->timeout = g_timeout_add (ms, on_timeout, self);
}

static void
finish_step (Turn *self, Step step)
{
  self->done[step] = TRUE;
  self->done_ms[step] = elapsed_ms (self);
}

/* The echo */

static void
on_packet_at_direct (
    GstIceTransport *transport, GBytes *packet, gpointer user_data)
{
  gst_ice_transport_send (transport, packet, NULL);
}

static void
on_packet_at_relayed (
    GstIceTransport *transport, GBytes *packet, gpointer user_data)
{
  Turn *self = user_data;
  gsize size;
  const guint8 *data = g_bytes_get_data (packet, &size);
  gdouble rtt;

  if (size < HEADER_SIZE || self->rtts->len == self->n_to_send)
    return;
  rtt = (gdouble) (g_get_monotonic_time () -
            (gint64) GST_READ_UINT64_BE (data + 8)) /
      1000;
  g_array_append_val (self->rtts, rtt);
  if (self->rtts->len == self->n_to_send) {
    finish_step (self, STEP_ECHO);
    g_main_loop_quit (self->loop);
  }
}

static void
send_one (Turn *self)
{
  guint8 *data = g_malloc0 (self->options.size);
  g_autoptr (GBytes) packet = g_bytes_new_take (data, self->options.size);

  GST_WRITE_UINT64_BE (data, self->n_sent);
  GST_WRITE_UINT64_BE (data + 8, (guint64) g_get_monotonic_time ());
  gst_ice_transport_send (self->relayed.transport, packet, NULL);
  self->n_sent++;
}

static gboolean
on_tick (gpointer user_data)
{
  Turn *self = user_data;
  const gdouble seconds =
      (gdouble) (g_get_monotonic_time () - self->first_sent) / G_USEC_PER_SEC;
  const guint due =
      MIN ((guint) (seconds * self->options.rate) + 1, self->n_to_send);

  while (self->n_sent < due)
    send_one (self);
  if (self->n_sent < self->n_to_send)
    return G_SOURCE_CONTINUE;
  self->tick = 0;
  expect_within (self, STEP_ECHO, LINGER_MS);
  return G_SOURCE_REMOVE;
}

static void
begin_echo (Turn *self)
{
  self->n_to_send =
      MAX ((guint) (self->options.seconds * self->options.rate), 1);
  self->first_sent = g_get_monotonic_time ();
  expect_within (self, STEP_ECHO,
      (guint) (self->options.seconds * 1000) + STEP_TIMEOUT_MS);
  self->tick = g_timeout_add (TICK_MS, on_tick, self);
}

/* Steps before it */

/* What the statistics tell of transport and server. */
static gboolean
read_stats (GQuark id, const GValue *value, gpointer user_data)
{
  Turn *self = user_data;
  const GstStructure *object;
  const gchar *type, *software;
  guint number;

  if (!GST_VALUE_HOLDS_STRUCTURE (value))
    return TRUE;
  object = gst_value_get_structure (value);
  type = gst_structure_get_string (object, "type");
  if (g_strcmp0 (type, "transport") == 0) {
    if (!self->done[STEP_CHANNEL] &&
        gst_structure_get_uint (object, "relay-channel", &number))
      finish_step (self, STEP_CHANNEL);
  } else if (g_strcmp0 (type, "ice-server") == 0) {
    software = gst_structure_get_string (object, "software");
    if (software && !self->software)
      self->software = g_strdup (software);
    if (gst_structure_get_uint (object, "allocation-lifetime", &number))
      self->lifetime = MAX (self->lifetime, number);
  }
  return TRUE;
}

static void
look_at_stats (Turn *self)
{
  g_autoptr (GstStructure) stats =
      gst_ice_agent_get_stats (self->relayed.agent);

  gst_structure_foreach (stats, read_stats, self);
}

/* Media does not move to a better pair any more. */
static gboolean
is_settled (const Side *self)
{
  GstIceState state;

  g_object_get (self->transport, "state", &state, NULL);
  return state == GST_ICE_STATE_COMPLETED;
}

static gboolean
on_channel_tick (gpointer user_data)
{
  Turn *self = user_data;

  look_at_stats (self);
  if ((!self->done[STEP_CHANNEL] || !is_settled (&self->relayed) ||
          !is_settled (&self->direct)) &&
      elapsed_ms (self) < self->done_ms[STEP_PERMISSION] + CHANNEL_TIMEOUT_MS)
    return G_SOURCE_CONTINUE;
  self->tick = 0;
  begin_echo (self);
  return G_SOURCE_REMOVE;
}

static void
on_connected (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Turn *self = user_data;

  if (!gst_ice_transport_connect_finish (
          GST_ICE_TRANSPORT (object), result, NULL) ||
      self->ended)
    return;
  finish_step (self, STEP_PERMISSION);
  expect_within (self, STEP_CHANNEL, 2 * CHANNEL_TIMEOUT_MS);
  self->tick = g_timeout_add (TICK_MS, on_channel_tick, self);
}

static gchar *
host_port (const gchar *address, guint port)
{
  return g_strdup_printf (
      strchr (address, ':') ? "[%s]:%u" : "%s:%u", address, port);
}

static void
pass_on (GstIceAgent *to, GstIceCandidate *candidate)
{
  g_autofree gchar *line = gst_ice_candidate_to_sdp (candidate);

  gst_ice_agent_add_remote_candidate (to, "0", line, NULL);
}

static void
on_relayed_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  Turn *self = user_data;

  if (!self->done[STEP_ALLOCATE]) {
    finish_step (self, STEP_ALLOCATE);
    self->relayed_address =
        host_port (gst_ice_candidate_get_address (candidate),
            gst_ice_candidate_get_port (candidate));
    expect_within (self, STEP_PERMISSION, STEP_TIMEOUT_MS);
  }
  pass_on (self->relayed.peer, candidate);
}

static void
on_direct_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  Turn *self = user_data;
  const gchar *related = gst_ice_candidate_get_related_address (candidate);

  if (gst_ice_candidate_get_kind (candidate) ==
          GST_ICE_CANDIDATE_KIND_RELAYED &&
      related && !self->mapped_address)
    self->mapped_address =
        host_port (related, gst_ice_candidate_get_related_port (candidate));
  pass_on (self->direct.peer, candidate);
}

static void
on_candidate_error (GstIceAgent *agent, const gchar *url, guint code,
    const gchar *text, gpointer user_data)
{
  Turn *self = user_data;

  if (self->error)
    return;
  self->error_code = code;
  self->error = gst_ice_tool_printable (text);
  if (!self->done[STEP_ALLOCATE])
    g_main_loop_quit (self->loop);
}

/* The two */

static void
side_init (Side *self, Turn *turn, GstIcePolicy policy, gboolean controlling)
{
  self->agent = g_object_new (GST_TYPE_ICE_AGENT, "main-context",
      g_main_context_default (), "policy", policy, "controlling", controlling,
      "mdns", GST_ICE_MDNS_OFF, "ca-file", turn->options.ca_file, NULL);
}

static void
side_begin (Side *self)
{
  self->stream = gst_ice_agent_request_stream (self->agent, "0");
  self->transport = gst_ice_stream_get_transport (self->stream, 1);
}

/* What is told from now on is of no interest. */
static void
side_forget (Side *self, Turn *turn)
{
  if (self->agent)
    g_signal_handlers_disconnect_by_data (self->agent, turn);
  if (self->transport)
    g_signal_handlers_disconnect_by_data (self->transport, turn);
}

static void
side_clear (Side *self)
{
  g_clear_object (&self->transport);
  g_clear_object (&self->stream);
  if (self->agent)
    gst_ice_tool_close (self->agent);
  g_clear_object (&self->agent);
}

static void
introduce (Side *from, Side *to)
{
  g_autofree gchar *ufrag = NULL, *pwd = NULL;

  gst_ice_stream_get_local_credentials (from->stream, &ufrag, &pwd);
  gst_ice_stream_set_remote_credentials (to->stream, ufrag, pwd);
  gst_ice_stream_add_remote_sdp (to->stream, OUR_PACING, NULL);
  from->peer = to->agent;
}

/* draft-uberti-behave-turn-rest-00 2.2: the user name is when it ends, and the
 * password the base64 of its HMAC-SHA1. */
static void
make_rest_credentials (Options *options)
{
  guint8 digest[20];
  gsize size = sizeof digest;
  GHmac *hmac;
  gchar *user = g_strdup_printf ("%" G_GINT64_FORMAT ":%s",
      g_get_real_time () / G_USEC_PER_SEC + 3600,
      options->user ? options->user : "gst-ice");

  hmac = g_hmac_new (G_CHECKSUM_SHA1, (const guint8 *) options->secret,
      strlen (options->secret));
  g_hmac_update (hmac, (const guint8 *) user, -1);
  g_hmac_get_digest (hmac, digest, &size);
  g_hmac_unref (hmac);
  g_free (options->user);
  options->user = user;
  g_free (options->password);
  options->password = g_base64_encode (digest, size);
}

static gboolean
add_server (
    Side *self, const Options *options, const gchar *uri, GError **error)
{
  if (options->user)
    return gst_ice_agent_add_server_with_credentials (self->agent, uri,
        options->user, options->password ? options->password : "", error);
  return gst_ice_agent_add_server (self->agent, uri, error);
}

static gboolean
set_up (Turn *self, const gchar *uri, GError **error)
{
  side_init (&self->relayed, self, GST_ICE_POLICY_RELAY, TRUE);
  side_init (&self->direct, self, GST_ICE_POLICY_ALL, FALSE);
  if (!add_server (&self->relayed, &self->options, uri, error) ||
      !add_server (&self->direct, &self->options, uri, error))
    return FALSE;
  /* Without the password. */
  g_object_get (self->relayed.agent, "servers", &self->url, NULL);
  side_begin (&self->relayed);
  side_begin (&self->direct);
  g_signal_connect (self->relayed.agent, "new-candidate",
      G_CALLBACK (on_relayed_candidate), self);
  g_signal_connect (self->direct.agent, "new-candidate",
      G_CALLBACK (on_direct_candidate), self);
  g_signal_connect (self->relayed.agent, "candidate-error",
      G_CALLBACK (on_candidate_error), self);
  g_signal_connect (self->relayed.transport, "packet",
      G_CALLBACK (on_packet_at_relayed), self);
  g_signal_connect (
      self->direct.transport, "packet", G_CALLBACK (on_packet_at_direct), self);
  introduce (&self->relayed, &self->direct);
  introduce (&self->direct, &self->relayed);
  return TRUE;
}

static gint
compare_rtts (gconstpointer a, gconstpointer b)
{
  const gdouble left = *(const gdouble *) a, right = *(const gdouble *) b;

  return (left > right) - (left < right);
}

static GstIceToolStatus
probe (Turn *self, const gchar *uri)
{
  g_autoptr (GError) error = NULL;
  GstIceToolStatus status = GST_ICE_TOOL_USAGE;

  if (set_up (self, uri, &error)) {
    expect_within (self, STEP_ALLOCATE, STEP_TIMEOUT_MS);
    self->start = g_get_monotonic_time ();
    gst_ice_transport_connect_async (
        self->relayed.transport, NULL, on_connected, self);
    gst_ice_agent_gather (self->relayed.agent);
    gst_ice_agent_gather (self->direct.agent);
    g_main_loop_run (self->loop);
    self->ended = TRUE;
    look_at_stats (self);
    g_array_sort (self->rtts, compare_rtts);
    if (self->options.json)
      gst_ice_turn_print_json (self);
    else
      gst_ice_turn_print_text (self);
    status =
        gst_ice_turn_succeeded (self) ? GST_ICE_TOOL_OK : GST_ICE_TOOL_FAILED;
  } else {
    g_printerr ("turn: %s\n", error->message);
  }
  if (self->timeout)
    g_source_remove (self->timeout);
  if (self->tick)
    g_source_remove (self->tick);
  side_forget (&self->relayed, self);
  side_forget (&self->direct, self);
  side_clear (&self->relayed);
  side_clear (&self->direct);
  return status;
}

static void
take_setting (gchar **setting, const gchar *name)
{
  if (!*setting)
    *setting = g_strdup (g_getenv (name));
}

static void
take_environment (Options *self)
{
  take_setting (&self->user, "TURN_USER");
  take_setting (&self->password, "TURN_PASS");
  take_setting (&self->secret, "TURN_SECRET");
  take_setting (&self->ca_file, "CA_FILE");
}

static gboolean
check_options (const Options *self, gint argc, gchar **argv)
{
  if (argc != 2)
    g_printerr ("turn: which server? Say turn:HOST[:PORT][?transport=udp|tcp] "
                "or turns:HOST\n");
  else if (!g_str_has_prefix (argv[1], "turn:") &&
      !g_str_has_prefix (argv[1], "turns:"))
    g_printerr ("turn: the URI of a TURN server begins with turn: or turns: "
                "(RFC 7065)\n");
  else if (!(self->seconds > 0 && self->seconds <= MAX_SECONDS))
    g_printerr ("turn: --seconds is above 0, and up to %d\n", MAX_SECONDS);
  else if (self->rate < 1 || self->rate > MAX_RATE)
    g_printerr ("turn: --rate is 1 to %d packets a second\n", MAX_RATE);
  else if (self->ca_file && g_access (self->ca_file, R_OK) != 0)
    g_printerr ("turn: the CA file “%s” cannot be read: %s\n", self->ca_file,
        g_strerror (errno));
  else if (self->size < HEADER_SIZE || self->size > MAX_PACKET)
    g_printerr ("turn: --size is %d to %d bytes\n", HEADER_SIZE, MAX_PACKET);
  else
    return TRUE;
  return FALSE;
}

static void
options_clear (Options *self)
{
  g_free (self->user);
  g_free (self->password);
  g_free (self->secret);
  g_free (self->ca_file);
}

GstIceToolStatus
gst_ice_tool_turn (gint argc, gchar **argv)
{
  Turn self = { .options = { .seconds = 2, .rate = 100, .size = 200 } };
  Options *const o = &self.options;
  const GOptionEntry entries[] = {
    { "user", 'u', 0, G_OPTION_ARG_STRING, &o->user,
        "user name; without it what the URI says, or $TURN_USER", "NAME" },
    { "password", 'p', 0, G_OPTION_ARG_STRING, &o->password,
        "likewise, or $TURN_PASS, where other users do not see it", "WORD" },
    { "secret", 0, 0, G_OPTION_ARG_STRING, &o->secret,
        "make credentials for an hour of the server's shared secret, or of "
        "$TURN_SECRET",
        "WORD" },
    { "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &o->ca_file,
        "PEM file of the authorities to trust, for turns:", "FILE" },
    { "seconds", 's', 0, G_OPTION_ARG_DOUBLE, &o->seconds,
        "how long to send packets (2)", "N" },
    { "rate", 'r', 0, G_OPTION_ARG_INT, &o->rate, "packets a second (100)",
        "N" },
    { "size", 0, 0, G_OPTION_ARG_INT, &o->size, "bytes in each (200)", "N" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &o->json,
        "one JSON object instead of lines", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options =
      g_option_context_new ("turn[s]:[USER:PASSWORD@]HOST[:PORT]");
  g_autoptr (GError) error = NULL;
  GstIceToolStatus status = GST_ICE_TOOL_USAGE;

  g_option_context_set_summary (options,
      "Tries a TURN server as a call uses it: an allocation, a permission, a "
      "channel, and packets\nthrough the relay and back.");
  g_option_context_set_description (options,
      "Exit status 0: it works; 1: it does not, or loses more than one packet "
      "in a hundred.");
  g_option_context_add_main_entries (options, entries, NULL);
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error)) {
    g_printerr ("turn: %s\n", error->message);
    options_clear (o);
    return status;
  }
  take_environment (o);
  if (check_options (o, argc, argv)) {
    if (o->secret)
      make_rest_credentials (o);
    self.loop = g_main_loop_new (NULL, FALSE);
    self.rtts = g_array_new (FALSE, FALSE, sizeof (gdouble));
    status = probe (&self, argv[1]);
    g_array_unref (self.rtts);
    g_main_loop_unref (self.loop);
  }
  g_free (self.relayed_address);
  g_free (self.mapped_address);
  g_free (self.url);
  g_free (self.error);
  g_free (self.software);
  options_clear (o);
  return status;
}
