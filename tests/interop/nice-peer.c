/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libnice behind the line protocol of `gst-ice-1.0 peer`, so that one script
 * can pair any two agents. The environment is the same as well. */

#include <nice/agent.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCE_SIZE 8
#define MAX_PACKETS (1 << 20)
/* The last packets of the peer are waited for this long. */
#define LINGER_QUIET (500 * G_TIME_SPAN_MILLISECOND)
#define LINGER_MAX (3 * G_TIME_SPAN_SECOND)

typedef struct
{
  GMainLoop *loop;  /* (owned) */
  NiceAgent *agent; /* (owned) */
  guint stream;
  gint64 start;
  gboolean trickle;
  gboolean connected;
  gboolean restarted;
  gchar *remote_ufrag; /* (owned) (nullable) until both halves are known */
  gchar *remote_pwd;   /* (owned) (nullable) */
  GSList *early;       /* (owned) candidate lines before credentials */

  guint64 n_sent;
  guint64 n_to_send;
  guint rate;
  gint64 first_sent;
  gint64 last_received;
  guint8 *seen; /* (owned) one per sequence number */
  guint64 n_seen;
  guint64 highest; /* one past it */
} Peer;

static const gchar *
env (const gchar *name, const gchar *fallback)
{
  const gchar *value = g_getenv (name);

  return value && *value ? value : fallback;
}

static gboolean on_restart (gpointer user_data);

static void
add_remote (Peer *self, const gchar *line)
{
  GSList *list;
  NiceCandidate *candidate =
      nice_agent_parse_remote_candidate_sdp (self->agent, self->stream, line);

  if (!candidate) {
    fprintf (stderr, "libnice does not read: %s\n", line);
    return;
  }
  list = g_slist_append (NULL, candidate);
  nice_agent_set_remote_candidates (
      self->agent, self->stream, candidate->component_id, list);
  g_slist_free_full (list, (GDestroyNotify) nice_candidate_free);
}

static void
take_credentials (Peer *self)
{
  if (!self->remote_ufrag || !self->remote_pwd)
    return;
  nice_agent_set_remote_credentials (
      self->agent, self->stream, self->remote_ufrag, self->remote_pwd);
  for (GSList *l = self->early; l; l = l->next)
    add_remote (self, l->data);
  g_slist_free_full (g_steal_pointer (&self->early), g_free);
}

/* Another one is a restart: by the peer, who wants new credentials of ours as
 * well, or its answer to ours. The new password follows. */
static void
take_ufrag (Peer *self, const gchar *ufrag)
{
  gboolean changed =
      self->remote_ufrag && !g_str_equal (self->remote_ufrag, ufrag);

  if (changed && !self->restarted)
    on_restart (self);
  if (changed)
    g_clear_pointer (&self->remote_pwd, g_free);
  g_free (self->remote_ufrag);
  self->remote_ufrag = g_strdup (ufrag);
  take_credentials (self);
}

static void
take_remote_line (Peer *self, const gchar *line)
{
  if (g_str_has_prefix (line, "a=ice-ufrag:")) {
    take_ufrag (self, line + strlen ("a=ice-ufrag:"));
  } else if (g_str_has_prefix (line, "a=ice-pwd:")) {
    g_free (self->remote_pwd);
    self->remote_pwd = g_strdup (line + strlen ("a=ice-pwd:"));
    take_credentials (self);
  } else if (g_str_has_prefix (line, "a=candidate:")) {
    if (self->remote_ufrag && self->remote_pwd)
      add_remote (self, line);
    else
      self->early = g_slist_append (self->early, g_strdup (line));
  } else if (g_str_equal (line, "a=end-of-candidates")) {
    nice_agent_peer_candidate_gathering_done (self->agent, self->stream);
  }
}

static gboolean
on_stdin (GIOChannel *channel, GIOCondition condition, gpointer user_data)
{
  g_autofree gchar *line = NULL;
  GIOStatus status = g_io_channel_read_line (channel, &line, NULL, NULL, NULL);

  if (status != G_IO_STATUS_NORMAL)
    return status == G_IO_STATUS_AGAIN;
  g_strchomp (line);
  if (g_str_has_prefix (line, "REMOTE "))
    take_remote_line (user_data, line + strlen ("REMOTE "));
  return G_SOURCE_CONTINUE;
}

static void
on_received (NiceAgent *agent, guint stream, guint component, guint size,
    gchar *data, gpointer user_data)
{
  Peer *self = user_data;
  guint64 sequence;

  if (size < SEQUENCE_SIZE)
    return;
  memcpy (&sequence, data, sizeof sequence);
  sequence = GUINT64_FROM_BE (sequence);
  if (sequence >= MAX_PACKETS || self->seen[sequence])
    return;
  self->seen[sequence] = 1;
  if (self->n_seen++ == 0)
    fprintf (stderr, "peer: the first packet came\n");
  self->highest = MAX (self->highest, sequence + 1);
  self->last_received = g_get_monotonic_time ();
}

static gboolean
on_tick (gpointer user_data)
{
  Peer *self = user_data;
  gint64 now = g_get_monotonic_time ();
  guint64 due = (now - self->first_sent) * self->rate / G_USEC_PER_SEC + 1;
  guint8 packet[160] = { 0 };

  for (; self->n_sent < MIN (due, self->n_to_send); self->n_sent++) {
    guint64 sequence = GUINT64_TO_BE (self->n_sent);

    memcpy (packet, &sequence, sizeof sequence);
    nice_agent_send (
        self->agent, self->stream, 1, sizeof packet, (const gchar *) packet);
  }
  if (self->n_sent == self->n_to_send) {
    gint64 end = self->first_sent +
        (gint64) self->n_to_send * G_USEC_PER_SEC / self->rate;

    if (now >= end + LINGER_MAX ||
        (now >= end + LINGER_QUIET &&
            now >= self->last_received + LINGER_QUIET)) {
      g_main_loop_quit (self->loop);
      return G_SOURCE_REMOVE;
    }
  }
  return G_SOURCE_CONTINUE;
}

static void
print_candidate (Peer *self, NiceCandidate *candidate)
{
  g_autofree gchar *line =
      nice_agent_generate_local_candidate_sdp (self->agent, candidate);

  printf ("LOCAL %s\n", line);
}

static void
print_credentials (Peer *self)
{
  g_autofree gchar *ufrag = NULL;
  g_autofree gchar *pwd = NULL;

  nice_agent_get_local_credentials (self->agent, self->stream, &ufrag, &pwd);
  printf ("LOCAL a=ice-ufrag:%s\nLOCAL a=ice-pwd:%s\n", ufrag, pwd);
  printf ("LOCAL a=ice-options:ice2%s\n", self->trickle ? " trickle" : "");
}

static void
print_all (Peer *self)
{
  GSList *candidates =
      nice_agent_get_local_candidates (self->agent, self->stream, 1);

  print_credentials (self);
  for (GSList *l = candidates; l; l = l->next)
    print_candidate (self, l->data);
  g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
}

/* RESTART_AFTER seconds from the first connection on: RFC 8445 9. libnice keeps
 * its candidates and tells new credentials. */
static gboolean
on_restart (gpointer user_data)
{
  Peer *self = user_data;

  self->restarted = TRUE;
  nice_agent_restart_stream (self->agent, self->stream);
  print_all (self);
  printf ("LOCAL a=end-of-candidates\n");
  return G_SOURCE_REMOVE;
}

static void
start_sending (Peer *self)
{
  const gchar *restart = env ("RESTART_AFTER", NULL);

  if (self->connected)
    return;
  self->connected = TRUE;
  self->first_sent = g_get_monotonic_time ();
  on_tick (self); /* the first packet at once */
  g_timeout_add (5, on_tick, self);
  if (restart)
    g_timeout_add (1000 * g_ascii_strtod (restart, NULL), on_restart, self);
}

static void
on_state (NiceAgent *agent, guint stream, guint component, guint state,
    gpointer user_data)
{
  static const gchar *const names[] = { "new", "new", "checking", "connected",
    "completed", "failed" };
  Peer *self = user_data;

  if (state == NICE_COMPONENT_STATE_GATHERING || state >= G_N_ELEMENTS (names))
    return;
  printf ("STATE %s %" G_GINT64_FORMAT "\n", names[state],
      (g_get_monotonic_time () - self->start) / 1000);
  if (state == NICE_COMPONENT_STATE_CONNECTED ||
      state == NICE_COMPONENT_STATE_READY)
    start_sending (self);
  if (state == NICE_COMPONENT_STATE_FAILED)
    g_main_loop_quit (self->loop);
}

static const gchar *
kind_name (const NiceCandidate *candidate)
{
  static const gchar *const names[] = { "host", "srflx", "prflx", "relay" };

  return names[candidate->type];
}

static void
on_selected_pair (NiceAgent *agent, guint stream, guint component,
    NiceCandidate *local, NiceCandidate *remote, gpointer user_data)
{
  gchar addresses[2][NICE_ADDRESS_STRING_LEN];

  printf ("PAIR %s %s %s\n", kind_name (local), kind_name (remote),
      local->transport == NICE_CANDIDATE_TRANSPORT_UDP ? "udp" : "tcp");
  nice_address_to_string (&local->addr, addresses[0]);
  nice_address_to_string (&remote->addr, addresses[1]);
  fprintf (stderr, "peer: selected %s %u %s %u\n", addresses[0],
      nice_address_get_port (&local->addr), addresses[1],
      nice_address_get_port (&remote->addr));
}

static void
on_candidate (NiceAgent *agent, NiceCandidate *candidate, gpointer user_data)
{
  Peer *self = user_data;

  if (self->trickle)
    print_candidate (self, candidate);
}

static void
on_gathered (NiceAgent *agent, guint stream, gpointer user_data)
{
  Peer *self = user_data;

  if (!self->trickle)
    print_all (self);
  printf ("LOCAL a=end-of-candidates\n");
}

/* turn:HOST:PORT[?transport=tcp]; libnice wants an address, and has no TLS. */
static void
use_turn_server (Peer *self, const gchar *uri)
{
  g_auto (GStrv) parts = g_strsplit (uri, ":", -1);
  gboolean tcp = g_str_has_suffix (uri, "?transport=tcp");

  if (g_strv_length (parts) < 2)
    g_error ("TURN_URI: \"%s\" is not turn:HOST:PORT", uri);
  nice_agent_set_relay_info (self->agent, self->stream, 1, parts[1],
      parts[2] ? atoi (parts[2]) : 3478, env ("TURN_USER", ""),
      env ("TURN_PASS", ""),
      tcp ? NICE_RELAY_TYPE_TURN_TCP : NICE_RELAY_TYPE_TURN_UDP);
}

static void
start (Peer *self)
{
  const gchar *stun = g_getenv ("STUN_SERVER");
  const gchar *turn = env ("TURN_URI", NULL);

  self->agent = nice_agent_new_full (g_main_loop_get_context (self->loop),
      NICE_COMPATIBILITY_RFC5245,
      NICE_AGENT_OPTION_CONSENT_FRESHNESS |
          (g_str_equal (env ("NOMINATION", "regular"), "aggressive")
                  ? 0
                  : NICE_AGENT_OPTION_REGULAR_NOMINATION) |
          (self->trickle ? NICE_AGENT_OPTION_ICE_TRICKLE : 0));
  g_object_set (self->agent, "controlling-mode",
      g_str_equal (env ("ICE_ROLE", "controlling"), "controlling"), "upnp",
      FALSE, "ice-tcp", g_str_equal (env ("TCP", "0"), "1"), "force-relay",
      g_str_equal (env ("RELAY_ONLY", "0"), "1"), NULL);
  if (stun && *stun) {
    g_auto (GStrv) parts = g_strsplit (stun, ":", 2);

    g_object_set (self->agent, "stun-server", parts[0], "stun-server-port",
        parts[1] ? atoi (parts[1]) : 3478, NULL);
  }
  g_signal_connect (
      self->agent, "component-state-changed", G_CALLBACK (on_state), self);
  g_signal_connect (self->agent, "new-selected-pair-full",
      G_CALLBACK (on_selected_pair), self);
  g_signal_connect (
      self->agent, "new-candidate-full", G_CALLBACK (on_candidate), self);
  g_signal_connect (
      self->agent, "candidate-gathering-done", G_CALLBACK (on_gathered), self);

  self->stream = nice_agent_add_stream (self->agent, 1);
  if (turn)
    use_turn_server (self, turn);
  nice_agent_attach_recv (self->agent, self->stream, 1,
      g_main_loop_get_context (self->loop), on_received, self);
  if (self->trickle)
    print_credentials (self);
  if (!nice_agent_gather_candidates (self->agent, self->stream))
    g_error ("libnice cannot gather");
}

int
main (void)
{
  Peer self = { .start = g_get_monotonic_time () };
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);
  gboolean success;

  setvbuf (stdout, NULL, _IOLBF, 0);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.trickle = g_str_equal (env ("MODE", "trickle"), "trickle");
  self.rate = CLAMP (atoi (env ("RATE", "100")), 1, 100000);
  self.n_to_send = MIN (
      g_ascii_strtod (env ("SECONDS", "5"), NULL) * self.rate, MAX_PACKETS);
  self.seen = g_malloc0 (MAX_PACKETS);
  g_io_channel_set_flags (input, G_IO_FLAG_NONBLOCK, NULL);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, on_stdin, &self);
  start (&self);
  g_main_loop_run (self.loop);

  printf ("RX %" G_GUINT64_FORMAT "\nLOST %" G_GUINT64_FORMAT "\n", self.n_seen,
      self.highest - self.n_seen);
  success = self.connected && self.n_seen > 0;
  g_clear_object (&self.agent);
  g_slist_free_full (self.early, g_free);
  g_free (self.remote_ufrag);
  g_free (self.remote_pwd);
  g_free (self.seen);
  g_main_loop_unref (self.loop);
  return success ? EXIT_SUCCESS : EXIT_FAILURE;
}
