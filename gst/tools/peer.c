/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ice-1.0 peer: one side of a call, for scripts that pair any two agents.
 * What it prints as "LOCAL a=..." the other side reads as "REMOTE a=...". */

#include "commands.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STREAM_NAME "0"
#define COMPONENT 1
/* Eight bytes of sequence number, and as long as 20 ms of G.711. */
#define SEQUENCE_SIZE 8
#define PACKET_SIZE 160
/* More are not counted: a stranger's number must not become our memory. */
#define MAX_PACKETS (1 << 24)
#define TICK_MS 5
/* What an agent of ours always proposes. */
#define PACING_MS 5
/* At the end the peer's last packets are waited for. */
#define LINGER_QUIET (500 * G_TIME_SPAN_MILLISECOND)
#define LINGER_MAX (3 * G_TIME_SPAN_SECOND)

typedef struct
{
  gboolean controlling;
  gboolean trickle;
  gboolean relay_only, tcp;
  gboolean lite, regular, continual, port_mapping;
  gdouble seconds;
  guint rate;           /* packets a second */
  const gchar *stun;    /* (nullable) HOST:PORT */
  const gchar *turn;    /* (nullable) URIs, comma separated */
  const gchar *user;    /* (nullable) */
  const gchar *pass;    /* (nullable) */
  const gchar *ca_file; /* (nullable) */
  const gchar *proxy;   /* (nullable) */
  GstIceMdns mdns;
  gdouble restart; /* seconds from connected on, 0: never */
  gboolean mend;   /* restart when the agent needs it */
  gdouble next;    /* seconds from connected on to other credentials, 0: none */
  gboolean mobility;
} Settings;

/* Which of the peer's packets came. */
typedef struct
{
  GMutex lock;
  GByteArray *bits; /* (owned) one per sequence number */
  guint64 n;
  guint64 end; /* one past the highest */
  gint64 last; /* when */
  gint64 gap;  /* the longest between two that came */
} Received;

typedef struct
{
  Settings settings;
  GMainLoop *loop;            /* (owned) */
  GstIceAgent *agent;         /* (owned) */
  GstIceStream *stream;       /* (owned) */
  GstIceTransport *transport; /* (owned) */
  GThread *reader;            /* (owned) (nullable) */
  GCancellable *stop_reader;  /* (owned) */
  gint64 start;
  gchar *said_ufrag;         /* (owned) (nullable) our own, as told last */
  gboolean said_end;         /* a=end-of-candidates */
  gboolean have_credentials; /* the peer's */
  gboolean connected;
  gboolean finished;
  Received received;
  guint64 n_sent;
  guint64 n_to_send;
  gint64 first_sent;
} Peer;

static const gchar *
env (const gchar *name)
{
  const gchar *value = g_getenv (name);

  return value && *value ? value : NULL;
}

static gboolean
env_flag (const gchar *name, gboolean *ret_flag)
{
  const gchar *value = env (name);

  *ret_flag = value && g_str_equal (value, "1");
  if (!value || *ret_flag || g_str_equal (value, "0"))
    return TRUE;
  g_printerr ("peer: %s is “%s”, and not 0 or 1\n", name, value);
  return FALSE;
}

/* Of two words the first is TRUE and is meant when nothing is said. */
static gboolean
env_word (const gchar *name, const gchar *yes, const gchar *no, gboolean *ret)
{
  const gchar *value = env (name);

  *ret = !value || g_str_equal (value, yes);
  if (*ret || g_str_equal (value, no))
    return TRUE;
  g_printerr ("peer: %s is “%s”, and not %s or %s\n", name, value, yes, no);
  return FALSE;
}

static gboolean
env_mdns (GstIceMdns *ret)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (GST_TYPE_ICE_MDNS);
  const gchar *value = env ("MDNS");
  const GEnumValue *found =
      g_enum_get_value_by_nick (klass, value ? value : "resolve");

  *ret = found ? found->value : GST_ICE_MDNS_RESOLVE;
  if (!found)
    g_printerr ("peer: MDNS is “%s”, and not off, resolve or publish\n", value);
  return found != NULL;
}

static gboolean
env_number (const gchar *name, gdouble fallback, gdouble max, gdouble *ret)
{
  const gchar *value = env (name);
  gchar *end = NULL;

  *ret = value ? g_ascii_strtod (value, &end) : fallback;
  if ((!value || (*end == '\0' && end != value)) && *ret > 0 && *ret <= max)
    return TRUE;
  g_printerr ("peer: %s is “%s”, and not a number above 0 and up to %g\n", name,
      value, max);
  return FALSE;
}

static gboolean
read_settings (Settings *self)
{
  gdouble rate;

  if (!env_word ("ICE_ROLE", "controlling", "controlled", &self->controlling) ||
      !env_word ("MODE", "trickle", "full", &self->trickle) ||
      !env_flag ("RELAY_ONLY", &self->relay_only) ||
      !env_flag ("TCP", &self->tcp) || !env_flag ("LITE", &self->lite) ||
      !env_flag ("CONTINUAL", &self->continual) ||
      !env_flag ("AUTO_RESTART", &self->mend) ||
      !env_flag ("TURN_MOBILITY", &self->mobility) || !env_mdns (&self->mdns) ||
      !env_flag ("PORT_MAPPING", &self->port_mapping) ||
      !env_word ("NOMINATION", "regular", "aggressive", &self->regular) ||
      !env_number ("SECONDS", 5, 86400, &self->seconds) ||
      (env ("RESTART_AFTER") &&
          !env_number ("RESTART_AFTER", 0, 86400, &self->restart)) ||
      (env ("TURN_NEXT_AFTER") &&
          !env_number ("TURN_NEXT_AFTER", 0, 86400, &self->next)) ||
      !env_number ("RATE", 100, 100000, &rate))
    return FALSE;
  self->rate = MAX (rate, 1);
  self->stun = env ("STUN_SERVER");
  self->turn = env ("TURN_URI");
  self->user = env ("TURN_USER");
  self->pass = env ("TURN_PASS");
  self->ca_file = env ("CA_FILE");
  self->proxy = env ("PROXY");
  return TRUE;
}

static void
received_add (Received *self, guint64 sequence, gint64 now)
{
  const guint byte = sequence / 8;
  const guint8 bit = 1 << (sequence % 8);

  if (sequence >= MAX_PACKETS)
    return;
  if (byte >= self->bits->len) {
    const guint old = self->bits->len;

    g_byte_array_set_size (self->bits, byte + 1024);
    memset (self->bits->data + old, 0, self->bits->len - old);
  }
  if (self->bits->data[byte] & bit)
    return;
  self->bits->data[byte] |= bit;
  self->n++;
  self->end = MAX (self->end, sequence + 1);
  if (self->n == 1)
    g_printerr ("peer: the first packet came\n");
  if (self->last)
    self->gap = MAX (self->gap, now - self->last);
  self->last = now;
}

static gpointer
read_packets (gpointer user_data)
{
  Peer *self = user_data;
  GstBufferList *list;

  while ((list = gst_ice_transport_receive (
              self->transport, self->stop_reader, NULL))) {
    const gint64 now = g_get_monotonic_time ();

    g_mutex_lock (&self->received.lock);
    for (guint i = 0; i < gst_buffer_list_length (list); i++) {
      guint8 head[SEQUENCE_SIZE];

      if (gst_buffer_extract (gst_buffer_list_get (list, i), 0, head,
              SEQUENCE_SIZE) == SEQUENCE_SIZE)
        received_add (&self->received, GST_READ_UINT64_BE (head), now);
    }
    g_mutex_unlock (&self->received.lock);
    gst_buffer_list_unref (list);
  }
  return NULL;
}

static void
finish (Peer *self)
{
  self->finished = TRUE;
  g_main_loop_quit (self->loop);
}

static GstBufferList *
make_packets (guint64 first, guint n)
{
  GstBufferList *list = gst_buffer_list_new_sized (n);

  for (guint i = 0; i < n; i++) {
    guint8 *data = g_malloc0 (PACKET_SIZE);

    GST_WRITE_UINT64_BE (data, first + i);
    gst_buffer_list_add (list, gst_buffer_new_wrapped (data, PACKET_SIZE));
  }
  return list;
}

static void
send_packets (Peer *self, guint64 due)
{
  const guint n = due - self->n_sent;
  g_autoptr (GstBufferList) list = make_packets (self->n_sent, n);
  g_autoptr (GError) error = NULL;
  guint n_sent = 0;

  if (gst_ice_transport_send_list (self->transport, list, &n_sent, &error)) {
    self->n_sent = due;
    return;
  }
  /* A full socket takes the rest at the next tick. What had no path at all is
   * lost: the peer will miss its numbers. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    self->n_sent += n_sent;
  else
    self->n_sent = due;
}

static gboolean
is_quiet (Peer *self, gint64 now)
{
  const gint64 end = self->first_sent + self->settings.seconds * G_USEC_PER_SEC;
  gint64 last;

  g_mutex_lock (&self->received.lock);
  last = self->received.last;
  g_mutex_unlock (&self->received.lock);
  return now >= end + LINGER_MAX ||
      (now >= end + LINGER_QUIET && now >= last + LINGER_QUIET);
}

static gboolean
on_tick (gpointer user_data)
{
  Peer *self = user_data;
  const gint64 now = g_get_monotonic_time ();
  guint64 due =
      (now - self->first_sent) * self->settings.rate / G_USEC_PER_SEC + 1;

  due = MIN (due, self->n_to_send);
  if (due > self->n_sent)
    send_packets (self, due);
  if (self->n_sent < self->n_to_send || !is_quiet (self, now))
    return G_SOURCE_CONTINUE;
  finish (self);
  return G_SOURCE_REMOVE;
}

static const gchar *
state_nick (GstIceState state)
{
  GEnumClass *states = g_type_class_peek (GST_TYPE_ICE_STATE);

  return g_enum_get_value (states, state)->value_nick;
}

static void
print_state (Peer *self, GstIceState state)
{
  printf ("STATE %s %" G_GINT64_FORMAT "\n", state_nick (state),
      (g_get_monotonic_time () - self->start) / 1000);
}

static gboolean on_restart (gpointer user_data);
static gboolean on_next_credentials (gpointer user_data);

static void
on_state (GstIceAgent *agent, GParamSpec *pspec, gpointer user_data)
{
  Peer *self = user_data;
  GstIceState state;

  g_object_get (agent, "state", &state, NULL);
  /* Two changes in a row may be notified as one, and scripts wait for this. */
  if (state == GST_ICE_STATE_COMPLETED && !self->connected)
    print_state (self, GST_ICE_STATE_CONNECTED);
  print_state (self, state);
  /* In mid-call a restart is on its way. */
  if (state == GST_ICE_STATE_FAILED &&
      !(self->settings.mend && self->connected))
    finish (self);
  if ((state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED) &&
      !self->connected) {
    self->connected = TRUE;
    self->first_sent = g_get_monotonic_time ();
    on_tick (self); /* the first packet at once */
    g_timeout_add (TICK_MS, on_tick, self);
    if (self->settings.restart > 0)
      g_timeout_add (self->settings.restart * 1000, on_restart, self);
    if (self->settings.next > 0)
      g_timeout_add (self->settings.next * 1000, on_next_credentials, self);
  }
}

static void
on_selected_pair (GstIceAgent *agent, GstIceStream *stream, guint component,
    GstIceCandidate *local, GstIceCandidate *remote, gpointer user_data)
{
  printf ("PAIR %s %s %s\n", gst_ice_tool_kind (local),
      gst_ice_tool_kind (remote), gst_ice_candidate_get_protocol (local));
  g_printerr ("peer: selected %s %u %s %u\n",
      gst_ice_candidate_get_address (local), gst_ice_candidate_get_port (local),
      gst_ice_candidate_get_address (remote),
      gst_ice_candidate_get_port (remote));
}

static void
print_candidate (GstIceCandidate *candidate)
{
  g_autofree gchar *sdp = gst_ice_candidate_to_sdp (candidate);

  printf ("LOCAL a=%s\n", sdp);
}

static void
print_credentials (Peer *self)
{
  g_autofree gchar *ufrag = NULL;
  g_autofree gchar *pwd = NULL;

  gst_ice_stream_get_local_credentials (self->stream, &ufrag, &pwd);
  /* First: who takes the lines one by one begins with the credentials. */
  if (self->settings.lite)
    printf ("LOCAL a=ice-lite\n");
  printf ("LOCAL a=ice-ufrag:%s\nLOCAL a=ice-pwd:%s\n", ufrag, pwd);
  g_free (self->said_ufrag);
  self->said_ufrag = g_steal_pointer (&ufrag);
  /* RFC 8839 5.6, RFC 8838 3, ice-renomination-01 3. */
  printf ("LOCAL a=ice-options:ice2%s renomination\n",
      self->settings.trickle ? " trickle" : "");
  /* RFC 8839 5.10: without it both pace by 50 ms; 4.2.1: a lite agent MUST NOT
   * say it. */
  if (!self->settings.lite)
    printf ("LOCAL a=ice-pacing:%d\n", PACING_MS);
}

static void
print_end_of_candidates (Peer *self)
{
  if (self->said_end)
    return;
  self->said_end = TRUE;
  printf ("LOCAL a=end-of-candidates\n");
}

static void
on_new_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  Peer *self = user_data;

  if (self->settings.trickle)
    print_candidate (candidate);
}

/* Every useful answer came: without trickle this is the moment to speak. */
static void
on_gathering_done (GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Peer *self = user_data;
  g_autoptr (GPtrArray) candidates = NULL;

  if (self->settings.trickle || self->said_end)
    return;
  print_credentials (self);
  candidates = gst_ice_stream_get_local_candidates (stream);
  for (guint i = 0; i < candidates->len; i++)
    print_candidate (g_ptr_array_index (candidates, i));
  print_end_of_candidates (self);
}

/* Servers that are slow to answer are waited for before this is said. */
static void
on_end_of_candidates (
    GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Peer *self = user_data;

  if (self->settings.trickle)
    print_end_of_candidates (self);
}

static void
on_candidate_error (GstIceAgent *agent, const gchar *url, guint code,
    const gchar *text, gpointer user_data)
{
  g_printerr ("peer: %s: %u %s\n", url, code, text);
}

static void
on_error (GstIceAgent *agent, const GError *error, gpointer user_data)
{
  g_printerr ("peer: %s\n", error->message);
}

/* A restart, by us or by the peer: other credentials, told once more, and
 * candidates again when they are gathered. */
static void
say_restart (Peer *self)
{
  g_autofree gchar *ufrag = NULL;

  gst_ice_stream_get_local_credentials (self->stream, &ufrag, NULL);
  if (!self->said_ufrag || g_str_equal (ufrag, self->said_ufrag))
    return;
  self->said_end = FALSE;
  if (self->settings.trickle)
    print_credentials (self);
}

static gboolean
on_restart (gpointer user_data)
{
  Peer *self = user_data;

  gst_ice_agent_restart (self->agent);
  say_restart (self);
  return G_SOURCE_REMOVE;
}

static void
on_restart_needed (GstIceAgent *agent, GstIceStream *stream,
    const gchar *reason, gpointer user_data)
{
  printf ("RESTART %s\n", reason);
  on_restart (user_data);
}

static void
take_remote (Peer *self, const gchar *attribute)
{
  g_autoptr (GError) error = NULL;

  if (!gst_ice_stream_add_remote_sdp (self->stream, attribute, &error)) {
    g_printerr ("peer: %s\n", error->message);
  } else if (g_str_has_prefix (attribute, "a=ice-pwd:")) {
    self->have_credentials = TRUE;
    say_restart (self);
  }
}

static gboolean
on_input (GIOChannel *channel, GIOCondition condition, gpointer user_data)
{
  Peer *self = user_data;
  g_autofree gchar *line = NULL;
  const GIOStatus status =
      g_io_channel_read_line (channel, &line, NULL, NULL, NULL);

  if (status == G_IO_STATUS_AGAIN)
    return G_SOURCE_CONTINUE;
  if (status != G_IO_STATUS_NORMAL) {
    if (!self->have_credentials) {
      g_printerr ("peer: standard input ended before the peer said REMOTE "
                  "a=ice-ufrag and a=ice-pwd\n");
      finish (self);
    }
    return G_SOURCE_REMOVE;
  }
  g_strchomp (line);
  if (g_str_has_prefix (line, "REMOTE "))
    take_remote (self, line + strlen ("REMOTE "));
  else if (*line)
    g_printerr ("peer: “%s” does not begin with REMOTE\n", line);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer user_data)
{
  finish (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
add_servers (Peer *self, GError **error)
{
  const Settings *settings = &self->settings;
  g_auto (GStrv) turn =
      g_strsplit (settings->turn ? settings->turn : "", ",", 0);

  if (settings->stun) {
    g_autofree gchar *uri = g_strconcat ("stun:", settings->stun, NULL);

    if (!gst_ice_agent_add_server (self->agent, uri, error))
      return FALSE;
  }
  for (guint i = 0; turn[i]; i++) {
    if (settings->user
            ? !gst_ice_agent_add_server_with_credentials (self->agent, turn[i],
                  settings->user, settings->pass ? settings->pass : "", error)
            : !gst_ice_agent_add_server (self->agent, turn[i], error))
      return FALSE;
  }
  return TRUE;
}

/* The same servers again: what is allocated goes on with these. */
static gboolean
on_next_credentials (gpointer user_data)
{
  Peer *self = user_data;
  g_autoptr (GError) error = NULL;

  self->settings.user = env ("TURN_NEXT_USER");
  self->settings.pass = env ("TURN_NEXT_PASS");
  if (!add_servers (self, &error))
    g_printerr ("peer: %s\n", error->message);
  return G_SOURCE_REMOVE;
}

static gboolean
set_up (Peer *self)
{
  const Settings *settings = &self->settings;
  g_autoptr (GError) error = NULL;

  self->agent = g_object_new (GST_TYPE_ICE_AGENT, "main-context",
      g_main_context_default (), "controlling", settings->controlling, "policy",
      settings->relay_only ? GST_ICE_POLICY_RELAY : GST_ICE_POLICY_ALL, "tcp",
      settings->tcp ? GST_ICE_TCP_POLICY_ALL : GST_ICE_TCP_POLICY_NONE,
      "port-mapping",
      settings->port_mapping ? GST_ICE_PORT_MAPPING_ON
                             : GST_ICE_PORT_MAPPING_OFF,
      "ice-lite", settings->lite, "continual-gathering", settings->continual,
      "nomination",
      settings->regular ? GST_ICE_NOMINATION_REGULAR
                        : GST_ICE_NOMINATION_AGGRESSIVE,
      "ca-file", settings->ca_file, "proxy", settings->proxy, "mdns",
      settings->mdns, NULL);
  if (!add_servers (self, &error)) {
    g_printerr ("peer: %s\n", error->message);
    return FALSE;
  }
  g_signal_connect (self->agent, "notify::state", G_CALLBACK (on_state), self);
  g_signal_connect (
      self->agent, "new-candidate", G_CALLBACK (on_new_candidate), self);
  g_signal_connect (
      self->agent, "gathering-done", G_CALLBACK (on_gathering_done), self);
  g_signal_connect (
      self->agent, "selected-pair", G_CALLBACK (on_selected_pair), self);
  g_signal_connect (
      self->agent, "candidate-error", G_CALLBACK (on_candidate_error), self);
  g_signal_connect (self->agent, "end-of-candidates",
      G_CALLBACK (on_end_of_candidates), self);
  g_signal_connect (self->agent, "warning", G_CALLBACK (on_error), self);
  if (settings->mobility)
    g_object_set (self->agent, "turn-options", GST_ICE_TURN_MOBILITY, NULL);
  if (settings->mend)
    g_signal_connect (
        self->agent, "restart-needed", G_CALLBACK (on_restart_needed), self);
  g_signal_connect (self->agent, "error", G_CALLBACK (on_error), self);
  self->stream = gst_ice_agent_request_stream (self->agent, STREAM_NAME);
  self->transport = gst_ice_stream_get_transport (self->stream, COMPONENT);
  return TRUE;
}

static void
run (Peer *self)
{
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);

  g_io_channel_set_flags (input, G_IO_FLAG_NONBLOCK, NULL);
  g_io_channel_set_encoding (input, NULL, NULL);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, on_input, self);
  g_unix_signal_add (SIGINT, on_interrupt, self);
  g_unix_signal_add (SIGTERM, on_interrupt, self);

  if (self->settings.trickle)
    print_credentials (self);
  self->reader = g_thread_new ("peer-reader", read_packets, self);
  gst_ice_agent_gather (self->agent);
  if (!self->finished)
    g_main_loop_run (self->loop);
}

static void
tear_down (Peer *self)
{
  g_cancellable_cancel (self->stop_reader);
  g_clear_pointer (&self->reader, g_thread_join);
  g_signal_handlers_disconnect_by_data (self->agent, self);
  gst_ice_tool_close (self->agent);
}

static void
clear (Peer *self)
{
  g_clear_object (&self->transport);
  g_clear_object (&self->stream);
  g_clear_object (&self->agent);
  g_clear_object (&self->stop_reader);
  g_byte_array_unref (self->received.bits);
  g_mutex_clear (&self->received.lock);
  g_free (self->said_ufrag);
  g_main_loop_unref (self->loop);
}

static const gchar description[] =
    "What to do comes from the environment:\n"
    "  ICE_ROLE=controlling|controlled   MODE=trickle|full   RELAY_ONLY=0|1\n"
    "  STUN_SERVER=HOST:PORT   TURN_URI=URI[,URI...]   TURN_USER  TURN_PASS\n"
    "  LITE=0|1   NOMINATION=regular|aggressive   CONTINUAL=0|1\n"
    "  MDNS=off|resolve|publish   PORT_MAPPING=0|1\n"
    "  PROXY=http://[USER:PASS@]HOST:PORT|socks5://...|direct://\n"
    "  RESTART_AFTER=seconds from connected on   AUTO_RESTART=0|1, on one "
    "side\n"
    "  TURN_NEXT_AFTER=seconds, then with TURN_NEXT_USER  TURN_NEXT_PASS\n"
    "  TURN_MOBILITY=0|1\n"
    "  SECONDS=how long to send (5)   RATE=packets a second "
    "(100)\n\n"
    "It prints LOCAL lines, which the other side wants as REMOTE lines on its\n"
    "standard input, then STATE and PAIR, at the end RX and LOST: how many of\n"
    "the peer's numbered packets came, and how many of those before the last\n"
    "did not, and GAP: the longest time without one, in ms. Exit status 0:\n"
    "connected, and packets came.";

GstIceToolStatus
gst_ice_tool_peer (gint argc, gchar **argv)
{
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Peer self = { .start = g_get_monotonic_time () };
  gboolean success;

  g_option_context_set_summary (options,
      "One side of a call, signalled by lines on standard input and output.");
  g_option_context_set_description (options, description);
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error)) {
    g_printerr ("peer: %s\n", error->message);
    return GST_ICE_TOOL_USAGE;
  }
  if (!read_settings (&self.settings))
    return GST_ICE_TOOL_USAGE;

  setvbuf (stdout, NULL, _IOLBF, 0);
  g_mutex_init (&self.received.lock);
  self.received.bits = g_byte_array_new ();
  self.loop = g_main_loop_new (NULL, FALSE);
  self.stop_reader = g_cancellable_new ();
  self.n_to_send = MAX (self.settings.seconds * self.settings.rate, 1);
  if (!set_up (&self)) {
    clear (&self);
    return GST_ICE_TOOL_USAGE;
  }
  run (&self);
  tear_down (&self);

  printf ("RX %" G_GUINT64_FORMAT "\nLOST %" G_GUINT64_FORMAT
          "\nGAP %" G_GINT64_FORMAT "\n",
      self.received.n, self.received.end - self.received.n,
      self.received.gap / 1000);
  success = self.connected && self.received.n > 0;
  clear (&self);
  return success ? GST_ICE_TOOL_OK : GST_ICE_TOOL_FAILED;
}
