/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8839 7: one offer, several answers, over real sockets. */
#include "call.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "gst/ice/gsticeagent-private.h"
#include "gst/ice/gsticetransport-private.h"

#define N_PEERS 3

/* Who offers is agents[0]; the others are its forks. Peers answer. */
typedef struct
{
  Side agents[N_PEERS], peers[N_PEERS];
  gchar *offer; /* (owned) */
  gchar *turn;  /* (owned) (nullable) URI: the offer has relayed candidates */
} Fork;

static gboolean
is_gathered (GstIceAgent *agent)
{
  GstIceGatheringState state;

  g_object_get (agent, "gathering-state", &state, NULL);
  return state == GST_ICE_GATHERING_STATE_COMPLETE;
}

static gboolean
is_connected (GstIceAgent *agent)
{
  GstIceState state = call_state (agent);

  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

static void
make_offer (Fork *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *first = NULL;

  side_init (&self->agents[0], call_new_agent ());
  if (self->turn) {
    g_object_set (self->agents[0].agent, "policy", GST_ICE_POLICY_RELAY, NULL);
    gst_ice_agent_add_server_with_credentials (
        self->agents[0].agent, self->turn, "alice", "wonderland", &error);
    g_assert_no_error (error);
  }
  first = gst_ice_agent_create_offer (self->agents[0].agent, &error);
  g_assert_no_error (error);
  wait_until (is_gathered (self->agents[0].agent));
  self->offer = gst_ice_agent_create_offer (self->agents[0].agent, &error);
  g_assert_no_error (error);
}

static void
fork_agent (Fork *self, guint index)
{
  g_autoptr (GError) error = NULL;
  GstIceAgent *agent = gst_ice_agent_fork (self->agents[0].agent, &error);

  g_assert_no_error (error);
  side_init (&self->agents[index], agent);
}

/* (transfer full) the answer of the peer @index, with all its candidates. */
static gchar *
make_answer (Fork *self, guint index)
{
  Side *peer = &self->peers[index];
  g_autoptr (GError) error = NULL;
  g_autofree gchar *first = NULL;
  gchar *answer;

  side_init (peer, call_new_agent ());
  gst_ice_agent_set_remote_description (
      peer->agent, "offer", self->offer, &error);
  g_assert_no_error (error);
  first = gst_ice_agent_create_answer (peer->agent, &error);
  g_assert_no_error (error);
  wait_until (is_gathered (peer->agent));
  answer = gst_ice_agent_create_answer (peer->agent, &error);
  g_assert_no_error (error);
  return answer;
}

static void
take_answer (Fork *self, guint index, const gchar *type, const gchar *answer)
{
  g_autoptr (GError) error = NULL;

  gst_ice_agent_set_remote_description (
      self->agents[index].agent, type, answer, &error);
  g_assert_no_error (error);
}

static Fork *
fork_new (void)
{
  Fork *self = g_new0 (Fork, 1);

  make_offer (self);
  for (guint i = 1; i < N_PEERS; i++)
    fork_agent (self, i);
  return self;
}

static void
fork_connect (Fork *self)
{
  for (guint i = 0; i < N_PEERS; i++) {
    g_autofree gchar *answer = make_answer (self, i);

    take_answer (self, i, "answer", answer);
  }
  for (guint i = 0; i < N_PEERS; i++)
    wait_until (is_connected (self->agents[i].agent) &&
        is_connected (self->peers[i].agent));
}

static void
fork_free (Fork *self)
{
  for (guint i = 0; i < N_PEERS; i++) {
    if (self->agents[i].events)
      side_clear (&self->agents[i]);
    if (self->peers[i].events)
      side_clear (&self->peers[i]);
  }
  g_free (self->offer);
  g_free (self->turn);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fork, fork_free)

static void
exchange (Fork *self, guint index)
{
  /* What is sent before there is a route is dropped. */
  wait_until (is_connected (self->agents[index].agent) &&
      is_connected (self->peers[index].agent));
  call_exchange (
      self->agents[index].stream, self->peers[index].stream, 20, 100 + index);
  call_exchange (
      self->peers[index].stream, self->agents[index].stream, 20, 200 + index);
}

/* Until so many have a socket of their own; a 5-tuple has one only. */
static void
exchange_until (Fork *self, guint n_lanes)
{
  wait_until (({
    guint n = 0;

    for (guint i = 0; i < N_PEERS; i++) {
      g_autoptr (GstIceTransport) transport =
          gst_ice_stream_get_transport (self->agents[i].stream, 1);

      exchange (self, i);
      n += gst_ice_link_has_lane (gst_ice_transport_get_link (transport));
    }
    n == n_lanes || !g_strcmp0 (g_getenv ("GST_ICE_UDP_BATCH"), "generic");
  }));
}

static guint16
local_port (GstIceStream *stream)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);
  g_autoptr (GstIceCandidate) local = NULL;

  g_object_get (transport, "selected-local", &local, NULL);
  g_assert_nonnull (local);
  return gst_ice_candidate_get_port (local);
}

/* What a fork is before its answer comes. */
static void
test_made (void)
{
  g_autoptr (Fork) fork = fork_new ();
  g_autofree gchar *ufrag = NULL, *pwd = NULL;
  g_autoptr (GPtrArray) streams =
      gst_ice_agent_get_streams (fork->agents[0].agent);

  gst_ice_stream_get_local_credentials (fork->agents[0].stream, &ufrag, &pwd);
  for (guint i = 1; i < N_PEERS; i++) {
    g_autofree gchar *same_ufrag = NULL, *same_pwd = NULL, *interfaces = NULL;
    g_autoptr (GPtrArray) ours =
        gst_ice_stream_get_local_candidates (fork->agents[0].stream);
    g_autoptr (GPtrArray) same =
        gst_ice_stream_get_local_candidates (fork->agents[i].stream);
    g_autoptr (GPtrArray) same_streams =
        gst_ice_agent_get_streams (fork->agents[i].agent);
    g_autoptr (GMainContext) context = NULL;
    gboolean controlling;

    g_object_get (fork->agents[i].agent, "interfaces", &interfaces,
        "controlling", &controlling, "main-context", &context, NULL);
    g_assert_cmpstr (interfaces, ==, "lo");
    g_assert_true (controlling);
    g_assert_true (context == g_main_context_default ());
    g_assert_cmpint (call_state (fork->agents[i].agent), ==, GST_ICE_STATE_NEW);
    g_assert_true (is_gathered (fork->agents[i].agent));
    gst_ice_stream_get_local_credentials (
        fork->agents[i].stream, &same_ufrag, &same_pwd);
    g_assert_cmpstr (same_ufrag, ==, ufrag);
    g_assert_cmpstr (same_pwd, ==, pwd);
    g_assert_cmpuint (ours->len, >, 0);
    g_assert_cmpuint (same->len, ==, ours->len);
    g_assert_cmpuint (gst_ice_candidate_get_port (same->pdata[0]), ==,
        gst_ice_candidate_get_port (ours->pdata[0]));
    g_assert_cmpuint (same_streams->len, ==, streams->len);
    g_assert_true (same_streams->pdata[0] != streams->pdata[0]);
  }
}

/* The whole of it: three answers, media apart, one leaves and two go on. */
static void
test_three_answers (void)
{
  g_autoptr (Fork) fork = fork_new ();

  fork_connect (fork);
  for (guint i = 0; i < N_PEERS; i++) {
    exchange (fork, i);
    g_assert_cmpuint (local_port (fork->agents[i].stream), ==,
        local_port (fork->agents[0].stream));
  }
  exchange_until (fork, N_PEERS);
  side_clear (&fork->agents[1]);
  exchange (fork, 0);
  exchange (fork, 2);
  /* The one that made the offer is not needed either. */
  side_clear (&fork->agents[0]);
  exchange (fork, 2);
}

static gboolean
is_closed (Side *side)
{
  return call_state (side->agent) == GST_ICE_STATE_CLOSED;
}

static void
on_closed (GObject *agent, GAsyncResult *result, gpointer done)
{
  g_assert_true (
      gst_ice_agent_close_finish (GST_ICE_AGENT (agent), result, NULL));
  *(gboolean *) done = TRUE;
}

/* Closing is of one agent: its calls end, the sockets stay for the others. */
static void
test_close (void)
{
  g_autoptr (Fork) fork = fork_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIceTransport) transport = NULL;
  gboolean done = FALSE;

  fork_connect (fork);
  transport = gst_ice_stream_get_transport (fork->agents[0].stream, 1);
  gst_ice_agent_close_async (fork->agents[0].agent, NULL, on_closed, &done);
  wait_until (done && is_closed (&fork->agents[0]));
  g_assert_null (gst_ice_transport_receive (transport, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (gst_ice_agent_fork (fork->agents[0].agent, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_true (is_connected (fork->agents[1].agent));
  exchange (fork, 1);
  exchange (fork, 2);

  /* A fork of a fork, now that the first one is gone. */
  side_clear (&fork->agents[0]);
  side_clear (&fork->peers[0]);
  side_init (
      &fork->agents[0], gst_ice_agent_fork (fork->agents[1].agent, &error));
  g_assert_no_error (error);
  {
    g_autofree gchar *answer = make_answer (fork, 0);

    take_answer (fork, 0, "answer", answer);
  }
  wait_until (is_connected (fork->agents[0].agent));
  exchange (fork, 0);

  for (guint i = 0; i < N_PEERS; i++) {
    done = FALSE;
    gst_ice_agent_close_async (fork->agents[i].agent, NULL, on_closed, &done);
    wait_until (done && is_closed (&fork->agents[i]));
    done = FALSE;
    gst_ice_agent_close_async (fork->agents[i].agent, NULL, on_closed, &done);
    wait_until (done);
  }
}

/* RFC 8445 7.3: the checks of the second answerer come before its answer, and
 * before there is a fork for it. */
static void
test_late (void)
{
  g_autoptr (Fork) fork = g_new0 (Fork, 1);
  g_autofree gchar *first = NULL, *second = NULL;

  make_offer (fork);
  first = make_answer (fork, 0);
  take_answer (fork, 0, "answer", first);
  wait_until (is_connected (fork->agents[0].agent));
  second = make_answer (fork, 1);
  wait_until (call_state (fork->peers[1].agent) == GST_ICE_STATE_CHECKING);
  call_run_for (300);
  g_assert_false (is_connected (fork->peers[1].agent));
  fork_agent (fork, 1);
  take_answer (fork, 1, "answer", second);
  wait_until (is_connected (fork->agents[1].agent) &&
      is_connected (fork->peers[1].agent));
  exchange (fork, 0);
  exchange (fork, 1);
}

/* RFC 3262: early dialogs answer provisionally; one is picked up at last. */
static void
test_provisional (void)
{
  g_autoptr (Fork) fork = fork_new ();
  g_autofree gchar *first = make_answer (fork, 0);
  g_autofree gchar *second = make_answer (fork, 1);

  take_answer (fork, 0, "pranswer", first);
  take_answer (fork, 1, "pranswer", second);
  wait_until (is_connected (fork->agents[0].agent) &&
      is_connected (fork->agents[1].agent));
  take_answer (fork, 1, "answer", second);
  side_clear (&fork->agents[0]);
  exchange (fork, 1);
}

/* RFC 8445 9: within one dialog, by a new offer of the fork. */
static void
test_restart (void)
{
  g_autoptr (Fork) fork = fork_new ();
  g_autoptr (GError) error = NULL;
  g_autofree gchar *before = NULL, *after = NULL, *kept = NULL;
  g_autofree gchar *offer = NULL, *answer = NULL;
  GstIceAgent *agent, *peer;

  fork_connect (fork);
  agent = fork->agents[1].agent;
  peer = fork->peers[1].agent;
  gst_ice_stream_get_local_credentials (fork->agents[0].stream, &before, NULL);
  gst_ice_agent_restart (agent);
  gst_ice_stream_get_local_credentials (fork->agents[1].stream, &after, NULL);
  gst_ice_stream_get_local_credentials (fork->agents[0].stream, &kept, NULL);
  g_assert_cmpstr (before, ==, kept);
  g_assert_cmpstr (before, !=, after);
  wait_until (is_gathered (agent));
  offer = gst_ice_agent_create_offer (agent, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (offer, after));
  gst_ice_agent_set_remote_description (peer, "offer", offer, &error);
  g_assert_no_error (error);
  wait_until (is_gathered (peer));
  answer = gst_ice_agent_create_answer (peer, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (agent, "answer", answer, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N_PEERS; i++) {
    wait_until (is_connected (fork->agents[i].agent) &&
        is_connected (fork->peers[i].agent));
    exchange (fork, i);
  }
}

static guint
count_objects (GstIceAgent *agent, const gchar *type)
{
  g_autoptr (GstStructure) stats = gst_ice_agent_get_stats (agent);
  guint n = 0;

  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const GValue *value = gst_structure_get_value (
        stats, gst_structure_nth_field_name (stats, i));

    if (GST_VALUE_HOLDS_STRUCTURE (value) &&
        g_strcmp0 (
            gst_structure_get_string (gst_value_get_structure (value), "type"),
            type) == 0)
      n++;
  }
  return n;
}

static void
test_stats (void)
{
  g_autoptr (Fork) fork = fork_new ();

  fork_connect (fork);
  for (guint i = 0; i < N_PEERS; i++) {
    g_assert_cmpuint (
        count_objects (fork->agents[i].agent, "transport"), ==, 1);
    g_assert_cmpuint (
        count_objects (fork->agents[i].agent, "candidate-pair"), >=, 1);
    g_assert_cmpuint (count_objects (fork->agents[i].agent, "remote-candidate"),
        ==, count_objects (fork->peers[i].agent, "local-candidate"));
  }
}

/* A port that is free for UDP and TCP at this moment. */
static guint16
find_port (void)
{
  g_autoptr (GInetAddress) host =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (host, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_assert_true (g_socket_bind (socket, any, TRUE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

/* (transfer full) a TURN server of our own on 127.0.0.1. */
static GSubprocess *
start_turn (guint16 port, const gchar *folder)
{
  g_autofree gchar *listen = g_strdup_printf ("--listening-port=%u", port);
  g_autofree gchar *pid = g_strdup_printf ("--pidfile=%s/pid", folder);
  g_autofree gchar *db = g_strdup_printf ("--userdb=%s/db", folder);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  GSocketConnection *connection = NULL;
  GSubprocess *turn;

  g_subprocess_launcher_set_child_setup (
      launcher, call_die_with_parent, NULL, NULL);
  turn = g_subprocess_launcher_spawn (launcher, &error, "turnserver", "-n",
      "--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout",
      "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", listen,
      "--allow-loopback-peers", "--lt-cred-mech", "--fingerprint",
      "--user=alice:wonderland", "--realm=ice.test", pid, db, NULL);
  g_assert_no_error (error);
  wait_until ((connection = g_socket_client_connect_to_host (
                   client, "127.0.0.1", port, NULL, NULL)) != NULL);
  g_object_unref (connection);
  return turn;
}

static void
check_relayed (Fork *fork)
{
  guint16 port = 0;

  make_offer (fork);
  for (guint i = 1; i < N_PEERS; i++)
    fork_agent (fork, i);
  fork_connect (fork);
  for (guint i = 0; i < N_PEERS; i++) {
    g_autoptr (GstIceTransport) transport =
        gst_ice_stream_get_transport (fork->agents[i].stream, 1);
    g_autoptr (GstIceCandidate) local = NULL;

    g_object_get (transport, "selected-local", &local, NULL);
    g_assert_cmpint (
        gst_ice_candidate_get_kind (local), ==, GST_ICE_CANDIDATE_KIND_RELAYED);
    if (i == 0)
      port = gst_ice_candidate_get_port (local);
    g_assert_cmpuint (gst_ice_candidate_get_port (local), ==, port);
    exchange (fork, i);
  }
  exchange_until (fork, 1);
  side_clear (&fork->agents[0]);
  exchange (fork, 1);
  exchange (fork, 2);
}

/* One allocation carries them all, in a channel each (RFC 8656 12). */
static void
test_relayed (void)
{
  g_autofree gchar *turnserver = g_find_program_in_path ("turnserver");
  g_autofree gchar *folder = NULL;
  g_autoptr (Fork) fork = g_new0 (Fork, 1);
  g_autoptr (GSubprocess) turn = NULL;
  guint16 port;

  if (!turnserver) {
    g_test_skip ("there is no turnserver");
    return;
  }
  folder = g_dir_make_tmp ("gst-ice-fork-XXXXXX", NULL);
  port = find_port ();
  turn = start_turn (port, folder);
  fork->turn = g_strdup_printf ("turn:127.0.0.1:%u", port);
  check_relayed (fork);

  g_subprocess_send_signal (turn, SIGTERM);
  g_subprocess_wait (turn, NULL, NULL);
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *path =
        g_build_filename (folder, i == 0 ? "pid" : "db", NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
}

/* Each signal is of the agent that it is about. */
static void
test_signals (void)
{
  g_autoptr (Fork) fork = fork_new ();
  g_autofree gchar *answer = make_answer (fork, 1);

  take_answer (fork, 1, "answer", answer);
  wait_until (side_saw (&fork->agents[1], "selected-pair") &&
      side_saw (&fork->agents[1], "connected"));
  g_assert_false (side_saw (&fork->agents[0], "selected-pair"));
  g_assert_false (side_saw (&fork->agents[0], "checking"));
  g_assert_cmpuint (fork->agents[2].events->len, ==, 0);
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Fork) fork = g_new0 (Fork, 1);
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GPtrArray) forks =
      g_ptr_array_new_with_free_func (gst_object_unref);
  g_autofree gchar *answer = NULL;
  GstIceAgent *more;

  g_assert_null (gst_ice_agent_fork (agent, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE);
  g_clear_error (&error);

  make_offer (fork);
  answer = make_answer (fork, 0);
  /* Who answers has nothing to fork. */
  g_assert_null (gst_ice_agent_fork (fork->peers[0].agent, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE);
  g_clear_error (&error);

  while ((more = gst_ice_agent_fork (fork->agents[0].agent, &error)))
    g_ptr_array_add (forks, more);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
  g_clear_error (&error);
  g_assert_cmpuint (forks->len, ==, ICE_MAX_BRANCHES - 1);
  take_answer (fork, 0, "answer", answer);
  wait_until (is_connected (fork->agents[0].agent));
  exchange (fork, 0);
}

/* BUNDLE: what carries the others carries their forks. */
static void
test_bundle (void)
{
  g_autoptr (Fork) fork = g_new0 (Fork, 1);
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) second = NULL, forked = NULL;
  g_autoptr (GstIceTransport) first_transport = NULL, transport = NULL;

  g_object_set (agent, "bundle", GST_ICE_BUNDLE_MAX, NULL);
  side_init (&fork->agents[0], g_steal_pointer (&agent));
  second = gst_ice_agent_request_stream (fork->agents[0].agent, "1");
  {
    g_autofree gchar *offer =
        gst_ice_agent_create_offer (fork->agents[0].agent, NULL);

    g_assert_nonnull (offer);
  }
  fork_agent (fork, 1);
  forked = gst_ice_agent_request_stream (fork->agents[1].agent, "1");
  first_transport = gst_ice_stream_get_transport (fork->agents[1].stream, 1);
  transport = gst_ice_stream_get_transport (forked, 1);
  g_assert_true (first_transport == transport);
}

/* Weak links (design 9.20): the offer's agent goes first, or in between. */
static void
test_thousand (void)
{
  g_autoptr (Fork) fork = g_new0 (Fork, 1);
  GstIceAgent *agent = NULL;

  make_offer (fork);
  for (guint i = 0; i < 1000; i++) {
    g_autoptr (GError) error = NULL;
    GstIceAgent *next;

    /* Closing is done by the loop: it may be behind. */
    while (!(next = gst_ice_agent_fork (fork->agents[0].agent, &error))) {
      g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
      g_clear_error (&error);
      call_iterate ();
    }
    if (i % 2 == 0)
      gst_ice_agent_close_async (next, NULL, NULL, NULL);
    gst_clear_object (&agent);
    agent = next;
  }
  gst_clear_object (&agent);
  {
    g_autofree gchar *answer = make_answer (fork, 0);

    take_answer (fork, 0, "answer", answer);
  }
  wait_until (is_connected (fork->agents[0].agent));
  exchange (fork, 0);
}

typedef struct
{
  GstIceAgent *origin; /* (unowned) */
  gint n_made;         /* (atomic) */
} Crowd;

static gpointer
fork_and_go (gpointer user_data)
{
  Crowd *crowd = user_data;

  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstIceAgent) agent = gst_ice_agent_fork (crowd->origin, NULL);
    g_autoptr (GPtrArray) streams = NULL;
    g_autoptr (GstStructure) stats = NULL;

    if (!agent)
      continue;
    streams = gst_ice_agent_get_streams (agent);
    g_assert_cmpuint (streams->len, ==, 1);
    stats = gst_ice_agent_get_stats (agent);
    gst_ice_stream_restart (streams->pdata[0]);
    g_atomic_int_inc (&crowd->n_made);
  }
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (Fork) fork = g_new0 (Fork, 1);
  GThread *threads[4];
  Crowd crowd = { 0 };

  make_offer (fork);
  crowd.origin = fork->agents[0].agent;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("forker", fork_and_go, &crowd);
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstStructure) stats = gst_ice_agent_get_stats (crowd.origin);

    g_assert_nonnull (stats);
    call_iterate ();
  }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (crowd.n_made, >, 0);
  {
    g_autofree gchar *answer = make_answer (fork, 0);

    take_answer (fork, 0, "answer", answer);
  }
  wait_until (is_connected (fork->agents[0].agent));
  exchange (fork, 0);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fork/made", test_made);
  g_test_add_func ("/fork/three-answers", test_three_answers);
  g_test_add_func ("/fork/close", test_close);
  g_test_add_func ("/fork/late", test_late);
  g_test_add_func ("/fork/provisional", test_provisional);
  g_test_add_func ("/fork/restart", test_restart);
  g_test_add_func ("/fork/relayed", test_relayed);
  g_test_add_func ("/fork/stats", test_stats);
  g_test_add_func ("/fork/signals", test_signals);
  g_test_add_func ("/fork/refused", test_refused);
  g_test_add_func ("/fork/bundle", test_bundle);
  g_test_add_func ("/fork/thousand", test_thousand);
  g_test_add_func ("/fork/threads", test_threads);
  return call_run_tests ();
}
