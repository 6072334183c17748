/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ICE-lite as our own role, against full peers of ours and lite ones. */
#include "duo.h"

#include "gst/ice/core/stun/builder.h"
#include "gst/ice/core/stun/message.h"

static void
start_with_lite (Duo *duo, guint n_addresses, guint lite_end)
{
  duo_init (duo, n_addresses);
  ice_core_set_lite (duo->ends[lite_end].core, TRUE);
  ice_core_set_remote_lite (duo->ends[!lite_end].core, TRUE, duo->now);
  duo_start (duo, ICE_OPTION_ICE2);
}

/* It answers, the full side nominates, and it never asks anything itself. */
static void
test_completes (void)
{
  for (guint lite = 0; lite < 2; lite++) {
    Duo duo;

    start_with_lite (&duo, 1, lite);
    duo_run_for (&duo, 1 * ICE_SECOND);
    g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
    g_assert_true (duo_agrees (&duo));
    g_assert_cmpuint (duo.n_requests[lite], ==, 0);
    g_assert_cmpuint (duo.ends[lite].n_selected, ==, 1);
    g_assert_true (duo.ends[lite].nominated);
    duo_clear (&duo);
  }
}

/* RFC 8445 5.2: one candidate per component and family, and no server asked. */
static void
test_candidates (void)
{
  IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_STUN,
    .host = "203.0.113.9",
    .port = 3478,
    .url = "stun:203.0.113.9" };
  Duo duo;

  duo_init (&duo, 3);
  duo_add_address (&duo, 1, "2001:db8::2");
  ice_core_set_lite (duo.ends[1].core, TRUE);
  ice_core_add_server (duo.ends[1].core, &server);
  ice_core_add_server (duo.ends[0].core, &server);
  ice_core_set_remote_lite (duo.ends[0].core, TRUE, duo.now);
  duo_start (&duo, ICE_OPTION_ICE2);
  g_assert_cmpuint (duo.ends[0].n_local, ==, 3);
  g_assert_cmpuint (duo.ends[1].n_local, ==, 2);
  g_assert_cmpuint (duo.ends[1].n_ended, ==, 1);
  duo_run_for (&duo, 3 * ICE_SECOND);
  g_assert_cmpuint (duo.n_requests[1], ==, 0);
  g_assert_cmpuint (duo.n_requests[0], >, 0);
  duo_clear (&duo);
}

/* RFC 8445 6.1.1: the full side controls whatever signalling decided, and a
 * full side that does not know is told by 487. */
static void
test_roles (void)
{
  Duo duo;

  start_with_lite (&duo, 1, 0);
  g_assert_false (ice_core_get_controlling (duo.ends[0].core));
  g_assert_true (ice_core_get_controlling (duo.ends[1].core));
  ice_core_set_controlling (duo.ends[0].core, TRUE);
  g_assert_false (ice_core_get_controlling (duo.ends[0].core));
  duo_clear (&duo);

  duo_init (&duo, 1);
  ice_core_set_lite (duo.ends[0].core, TRUE);
  duo_start (&duo, ICE_OPTION_ICE2);
  g_assert_false (ice_core_get_controlling (duo.ends[1].core));
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_true (ice_core_get_controlling (duo.ends[1].core));
  g_assert_false (ice_core_get_controlling (duo.ends[0].core));
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

/* RFC 8445 7.3.2: without USE-CANDIDATE a request is answered, and that is
 * all: no pair, no route, whatever the number of requests. */
static void
test_only_nomination_counts (void)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  Duo duo;
  DuoEnd *lite = &duo.ends[1];
  g_autofree gchar *username = NULL;
  g_autoptr (IceStunKey) key = NULL;

  duo_init (&duo, 1);
  ice_core_set_lite (lite->core, TRUE);
  duo_start (&duo, ICE_OPTION_ICE2);
  username = g_strdup_printf ("%s:%s",
      ice_core_get_local_ufrag (lite->core, lite->stream),
      ice_core_get_local_ufrag (duo.ends[0].core, duo.ends[0].stream));
  key = ice_stun_key_new_short_term (
      ice_core_get_local_pwd (lite->core, lite->stream));
  for (guint i = 0; i < 50; i++) {
    guint8 id[ICE_STUN_ID_SIZE] = { 'i', 'd', i };
    IceStunBuilder builder;
    g_autoptr (IcePacket) packet = NULL;
    IceDatagram in = { .socket = lite->sockets[0].id,
      .from = duo_address ("203.0.113.77", 4000 + i) };

    ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
    ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
    ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, 1862270975u);
    ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLING, 1);
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
    ice_stun_builder_add_fingerprint (&builder);
    packet = ice_stun_builder_end (&builder);
    in.data = ICE_BYTES (packet->data, packet->size);
    g_assert_cmpint (
        ice_core_receive (lite->core, &in, duo.now), ==, ICE_VERDICT_OK);
  }
  duo_pump (&duo);
  ice_core_get_pair_stats (lite->core, pairs);
  g_assert_cmpuint (pairs->len, ==, 0);
  g_assert_cmpuint (lite->route_socket, ==, 0);
  g_assert_cmpint (lite->state, ==, ICE_STATE_CHECKING);
  duo_clear (&duo);
}

/* RFC 8445 8.1.1 for a peer of RFC 5245: the highest of the nominated. */
static void
test_aggressive_peer (void)
{
  Duo duo;

  duo_init (&duo, 3);
  duo_remove_address (&duo, 1, 1);
  duo_remove_address (&duo, 1, 1);
  ice_core_set_lite (duo.ends[1].core, TRUE);
  ice_core_set_remote_lite (duo.ends[0].core, TRUE, duo.now);
  ice_core_set_aggressive (duo.ends[0].core, TRUE);
  duo_start (&duo, 0);
  duo_run_for (&duo, 2 * ICE_SECOND);
  g_assert_true (duo_agrees (&duo));
  g_assert_true (duo_is_at (&duo, 0, "192.0.2.1"));
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

/* Who saw the request that nominates sends it once more, from an address of
 * his own: it is signed, and a lite agent checks nothing. */
static void
test_replayed_nomination (void)
{
  Duo duo;
  DuoEnd *lite = &duo.ends[1];
  g_autofree gchar *username = NULL;
  g_autoptr (IceStunKey) key = NULL;
  guint8 id[ICE_STUN_ID_SIZE] = { 'o', 'n', 'c', 'e' };
  IceStunBuilder builder;
  g_autoptr (IcePacket) packet = NULL;
  IceDatagram in;
  IceAddress route_to;

  start_with_lite (&duo, 1, 1);
  duo_run_for (&duo, 1 * ICE_SECOND);
  route_to = lite->route_to;
  username = g_strdup_printf ("%s:%s",
      ice_core_get_local_ufrag (lite->core, lite->stream),
      ice_core_get_local_ufrag (duo.ends[0].core, duo.ends[0].stream));
  key = ice_stun_key_new_short_term (
      ice_core_get_local_pwd (lite->core, lite->stream));
  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, G_MAXINT32);
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLING, 1);
  ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  in = (IceDatagram){ .socket = lite->sockets[0].id,
    .from = route_to,
    .data = ICE_BYTES (packet->data, packet->size) };
  g_assert_cmpint (
      ice_core_receive (lite->core, &in, duo.now), ==, ICE_VERDICT_OK);
  /* Resent, it is no replay. */
  g_assert_cmpint (
      ice_core_receive (lite->core, &in, duo.now), ==, ICE_VERDICT_OK);
  in.from = duo_address ("203.0.113.77", 4000);
  g_assert_cmpint (
      ice_core_receive (lite->core, &in, duo.now), ==, ICE_VERDICT_UNEXPECTED);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_true (ice_address_equal (&lite->route_to, &route_to));
  g_assert_cmpuint (lite->n_selected, ==, 1);
  duo_clear (&duo);
}

/* RFC 7675 3: it answers consent requests and sends none; what the peer sends
 * keeps it going for as long as it comes. */
static void
test_consent_is_answered (void)
{
  Duo duo;

  start_with_lite (&duo, 1, 1);
  duo_run_for (&duo, 600 * ICE_SECOND);
  g_assert_cmpuint (duo.n_requests[1], ==, 0);
  g_assert_cmpuint (duo.n_requests[0], >, 95);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

static gboolean
nothing_passes (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  return FALSE;
}

/* A lite side cannot ask; what it does not hear for 20 s is in doubt, and 30 s
 * without a sign of life end the sending (RFC 7675 5.1's figure). */
static void
test_silence (void)
{
  Duo duo;

  start_with_lite (&duo, 1, 1);
  duo_run_for (&duo, 1 * ICE_SECOND);
  duo.path = nothing_passes;
  duo_run_for (&duo, 21 * ICE_SECOND);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_DISCONNECTED);
  g_assert_cmpuint (duo.ends[1].route_socket, !=, 0);
  duo.path = NULL;
  duo_run_for (&duo, 6 * ICE_SECOND);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  duo.path = nothing_passes;
  duo_run_for (&duo, 31 * ICE_SECOND);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (duo.ends[1].n_consent_lost, ==, 1);
  g_assert_cmpuint (duo.ends[1].route_socket, ==, 0);
  duo_clear (&duo);
}

/* A full peer without RFC 7675 sends keepalive indications, every 15 s. */
static void
test_keepalives_count (void)
{
  Duo duo;

  duo_init (&duo, 1);
  ice_core_set_lite (duo.ends[1].core, TRUE);
  ice_core_set_consent (duo.ends[0].core, FALSE);
  ice_core_set_remote_lite (duo.ends[0].core, TRUE, duo.now);
  duo_start (&duo, ICE_OPTION_ICE2);
  duo_run_for (&duo, 300 * ICE_SECOND);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (duo.ends[1].n_consent_lost, ==, 0);
  duo_clear (&duo);
}

/* One that sends consent requests is alive by those: a Binding indication,
 * which anybody may have sent, is not. */
static void
test_unsigned_is_no_life (void)
{
  guint8 id[ICE_STUN_ID_SIZE] = { 'i' };
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceDatagram in;
  Duo duo;

  start_with_lite (&duo, 1, 1);
  duo_run_for (&duo, 20 * ICE_SECOND);
  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_BINDING, id);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  in = (IceDatagram){ .socket = duo.ends[1].route_socket,
    .from = duo.ends[1].remote,
    .data = ICE_BYTES (packet->data, packet->size) };
  duo.path = nothing_passes;
  for (guint i = 0; i < 31; i++) {
    g_assert_cmpint (
        ice_core_receive (duo.ends[1].core, &in, duo.now), ==, ICE_VERDICT_OK);
    duo_run_for (&duo, 1 * ICE_SECOND);
  }
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_FAILED);
  duo_clear (&duo);
}

/* RFC 8445 8.2, both lite: the same pair on both sides by priority alone, not
 * one request; and media only where the user allowed unchecked paths. */
static void
test_both_lite (void)
{
  for (guint allowed = 0; allowed < 2; allowed++) {
    Duo duo;

    duo_init (&duo, 1);
    for (guint i = 0; i < 2; i++) {
      duo_add_address (&duo, i, i ? "2001:db8::2" : "2001:db8::1");
      ice_core_set_lite (duo.ends[i].core, TRUE);
      ice_core_set_remote_lite (duo.ends[i].core, TRUE, duo.now);
      ice_core_set_allow_non_ice (duo.ends[i].core, allowed);
    }
    duo_start (&duo, ICE_OPTION_ICE2);
    g_assert_true (ice_core_get_controlling (duo.ends[0].core));
    g_assert_false (ice_core_get_controlling (duo.ends[1].core));
    duo.media = TRUE;
    duo_run_for (&duo, 60 * ICE_SECOND);
    for (guint i = 0; i < 2; i++) {
      g_assert_cmpuint (duo.n_requests[i], ==, 0);
      g_assert_cmpint (duo.ends[i].state, ==,
          allowed ? ICE_STATE_COMPLETED : ICE_STATE_FAILED);
      g_assert_cmpuint (duo.ends[i].n_media > 0, ==, allowed);
    }
    if (allowed)
      g_assert_true (duo_agrees (&duo));
    duo_clear (&duo);
  }
}

/* The line a=ice-lite may come after the candidates. */
static void
test_both_lite_late (void)
{
  Duo duo;

  duo_init (&duo, 1);
  for (guint i = 0; i < 2; i++) {
    ice_core_set_lite (duo.ends[i].core, TRUE);
    ice_core_set_allow_non_ice (duo.ends[i].core, TRUE);
  }
  duo_start (&duo, ICE_OPTION_ICE2);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_CHECKING);
  for (guint i = 0; i < 2; i++)
    ice_core_set_remote_lite (duo.ends[i].core, TRUE, duo.now);
  duo_pump (&duo);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  g_assert_true (duo_agrees (&duo));
  duo_clear (&duo);
}

/* RFC 8839 4.4.1.1: it is for the next restart when candidates were told. */
static void
test_restart_turns_lite (void)
{
  Duo duo;
  DuoEnd *end = &duo.ends[1];

  duo_init (&duo, 1);
  duo_start (&duo, ICE_OPTION_ICE2);
  duo_run_for (&duo, 1 * ICE_SECOND);
  ice_core_set_lite (end->core, TRUE);
  duo_run_for (&duo, 7 * ICE_SECOND);
  g_assert_cmpuint (duo.n_requests[1], >, 1);
  for (guint i = 0; i < 2; i++)
    ice_core_restart (duo.ends[i].core, 0, duo.now);
  duo_pump (&duo);
  duo_run_for (&duo, 10 * ICE_MSEC);
  ice_core_set_remote_lite (duo.ends[0].core, TRUE, duo.now);
  for (guint i = 0; i < 2; i++) {
    DuoEnd *other = &duo.ends[!i];

    g_assert_true (
        ice_core_set_remote_credentials (duo.ends[i].core, duo.ends[i].stream,
            ice_core_get_local_ufrag (other->core, other->stream),
            ice_core_get_local_pwd (other->core, other->stream), duo.now));
  }
  duo.n_requests[1] = 0;
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_cmpint (end->state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (duo.n_requests[1], ==, 0);
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc7675/3/unsigned-is-no-life", test_unsigned_is_no_life);
  g_test_add_func ("/lite/replayed-nomination", test_replayed_nomination);
  g_test_add_func ("/rfc8445/2.5/lite-never-checks", test_completes);
  g_test_add_func ("/rfc8445/5.2/lite-candidates", test_candidates);
  g_test_add_func ("/rfc8445/6.1.1/lite-is-controlled", test_roles);
  g_test_add_func (
      "/rfc8445/7.3.2/only-use-candidate-counts", test_only_nomination_counts);
  g_test_add_func (
      "/rfc8445/8.2/lite-with-aggressive-peer", test_aggressive_peer);
  g_test_add_func ("/rfc7675/3/lite-only-answers", test_consent_is_answered);
  g_test_add_func ("/rfc7675/3/lite-hears-silence", test_silence);
  g_test_add_func ("/rfc8445/11/lite-hears-keepalives", test_keepalives_count);
  g_test_add_func ("/rfc8445/8.2/both-lite", test_both_lite);
  g_test_add_func ("/rfc8445/8.2/both-lite-told-late", test_both_lite_late);
  g_test_add_func (
      "/rfc8839/4.4.1/lite-from-a-restart-on", test_restart_turns_lite);
  return g_test_run ();
}
