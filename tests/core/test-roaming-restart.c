/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8445 9: where a path cannot be mended without signalling, the core says
 * that a restart is needed, soon, once, and again only after a while. */
#include "duo.h"

#define RENOMINATES                                                            \
  (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)
#define PLAIN (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE)

static gboolean
blackout (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  const gboolean *dark = duo->user;

  *ret_delay = 25 * ICE_MSEC;
  return !*dark;
}

static void
start (Duo *duo, gboolean *dark, guint options)
{
  duo_init (duo, 1);
  *dark = FALSE;
  duo->user = dark;
  duo->path = blackout;
  duo->gaps = TRUE;
  duo_start (duo, options);
  duo->media = TRUE;
  duo_run_for (duo, 20 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (duo->ends[i].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpuint (duo->ends[i].n_restarts_needed, ==, 0);
  }
}

/* Both change their credentials, and the candidates are trickled. */
static void
restart (Duo *duo)
{
  for (guint i = 0; i < 2; i++)
    ice_core_restart (duo->ends[i].core, 0, duo->now);
  for (guint i = 0; i < 2; i++) {
    DuoEnd *end = &duo->ends[i], *other = &duo->ends[!i];

    g_assert_true (ice_core_set_remote_credentials (end->core, end->stream,
        ice_core_get_local_ufrag (other->core, other->stream),
        ice_core_get_local_pwd (other->core, other->stream), duo->now));
  }
}

/* Nothing comes any more: the controlling side asks within half a second, the
 * other one a moment later. Nobody hears that: it is asked again, less and less
 * often. */
static void
test_path_silent (void)
{
  const guint options[] = { PLAIN, RENOMINATES };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++) {
    gboolean dark;
    IceTime begin;
    Duo duo;

    start (&duo, &dark, options[i]);
    begin = duo.now;
    dark = TRUE;
    duo_run_for (&duo, 5 * ICE_SECOND);
    for (guint j = 0; j < 2; j++) {
      g_assert_cmpuint (duo.ends[j].n_restarts_needed, ==, 1);
      g_assert_cmpint (duo.ends[j].restart_reason, ==, ICE_RESTART_PATH_SILENT);
      g_assert_cmpint (duo.ends[j].restart_at - begin, <=, 700 * ICE_MSEC);
    }
    g_assert_cmpint (
        duo.ends[0].restart_at, <=, duo.ends[1].restart_at - 100 * ICE_MSEC);
    duo_run_for (&duo, 600 * ICE_SECOND);
    for (guint j = 0; j < 2; j++) {
      g_assert_cmpuint (duo.ends[j].n_restarts_needed, >=, 4);
      g_assert_cmpuint (duo.ends[j].n_restarts_needed, <=, 6);
    }
    duo_clear (&duo);
  }
}

/* A short outage asks for nothing. */
static void
test_short_outage (void)
{
  gboolean dark;
  Duo duo;

  start (&duo, &dark, PLAIN);
  for (guint i = 0; i < 300; i++) {
    dark = TRUE;
    duo_run_for (&duo, 300 * ICE_MSEC);
    dark = FALSE;
    duo_run_for (&duo, 7 * ICE_SECOND + i * 10 * ICE_MSEC);
  }
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (duo.ends[i].n_restarts_needed, ==, 0);
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
  }
  duo_clear (&duo);
}

/* The peer does not renominate, and the address of the path goes: said at once,
 * but not before there is another; and the restart mends it. */
static void
test_address_lost (void)
{
  for (guint late = 0; late < 2; late++) {
    gboolean dark;
    Duo duo;
    DuoEnd *alice = &duo.ends[0];

    start (&duo, &dark, PLAIN);
    duo_remove_address (&duo, 0, 0);
    if (late) {
      duo_tell_interfaces (&duo, 0);
      duo_run_for (&duo, 1 * ICE_SECOND);
      g_assert_cmpuint (alice->n_restarts_needed, ==, 0);
    }
    duo_add_address (&duo, 0, "198.51.100.9");
    duo_tell_interfaces (&duo, 0);
    g_assert_cmpuint (alice->n_restarts_needed, ==, 1);
    g_assert_cmpint (alice->restart_reason, ==, ICE_RESTART_ADDRESS_LOST);
    duo_run_for (&duo, 100 * ICE_MSEC); /* signalling */
    restart (&duo);
    duo_run_for (&duo, 400 * ICE_MSEC);
    for (guint i = 0; i < 2; i++)
      g_assert_cmpint (duo.ends[i].media_received, >=, duo.now - 60 * ICE_MSEC);
    g_assert_true (duo_is_at (&duo, 0, "198.51.100.9"));
    duo_run_for (&duo, 20 * ICE_SECOND);
    g_assert_cmpuint (alice->n_restarts_needed, ==, 1);
    g_assert_cmpint (alice->state, ==, ICE_STATE_COMPLETED);
    duo_clear (&duo);
  }
}

/* Another address comes, and the path works: a second later, if it is still
 * there; with continual gathering it is gathered on instead. */
static void
test_address_new (void)
{
  gboolean dark;
  Duo duo;
  DuoEnd *alice = &duo.ends[0];

  start (&duo, &dark, PLAIN);
  duo_add_address (&duo, 0, "198.51.100.9");
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 500 * ICE_MSEC);
  duo_remove_address (&duo, 0, 1);
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 5 * ICE_SECOND);
  g_assert_cmpuint (alice->n_restarts_needed, ==, 0);
  duo_add_address (&duo, 0, "198.51.100.9");
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 1100 * ICE_MSEC);
  g_assert_cmpuint (alice->n_restarts_needed, ==, 1);
  g_assert_cmpint (alice->restart_reason, ==, ICE_RESTART_ADDRESS_NEW);
  restart (&duo);
  duo_run_for (&duo, 5 * ICE_SECOND);
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 5 * ICE_SECOND);
  g_assert_cmpuint (alice->n_restarts_needed, ==, 1);
  g_assert_cmpuint (alice->n_sockets, ==, 2);
  duo_clear (&duo);

  duo_init (&duo, 1);
  ice_core_set_continual (alice->core, TRUE);
  duo_start (&duo, RENOMINATES);
  duo_run_for (&duo, 5 * ICE_SECOND);
  duo_add_address (&duo, 0, "198.51.100.9");
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 5 * ICE_SECOND);
  g_assert_cmpuint (alice->n_restarts_needed, ==, 0);
  duo_clear (&duo);
}

/* Another port, and the peer will not follow without a restart. */
static void
test_rebound (void)
{
  gboolean dark;
  IceTime begin;
  Duo duo;

  start (&duo, &dark, PLAIN);
  begin = duo.now;
  duo.ends[0].nat_shift = 100;
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_cmpuint (duo.ends[0].n_restarts_needed, ==, 1);
  g_assert_cmpint (duo.ends[0].restart_at - begin, <=, 500 * ICE_MSEC);
  restart (&duo);
  duo_run_for (&duo, 20 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpint (duo.ends[i].media_received, >=, duo.now - 60 * ICE_MSEC);
  }
  g_assert_cmpuint (duo.ends[0].n_restarts_needed, ==, 1);
  duo_clear (&duo);
}

/* Its socket breaks, and there is no other pair: failed, by cause resource, is
 * no reason to leave it at that. Such a transport takes no pair of the
 * application's either: only a restart brings it back. */
static void
test_path_lost (void)
{
  IceAddress local, remote;
  gboolean dark;
  Duo duo;
  DuoEnd *alice = &duo.ends[0];

  start (&duo, &dark, RENOMINATES);
  local = alice->local;
  remote = alice->remote;
  ice_core_socket_failed (
      alice->core, alice->sockets[0].id, "the test says so", duo.now);
  alice->n_sockets = 0;
  duo_pump (&duo);
  g_assert_cmpint (alice->state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (alice->n_restarts_needed, ==, 1);
  g_assert_cmpint (alice->restart_reason, ==, ICE_RESTART_PATH_LOST);
  g_assert_cmpint (ice_core_set_selected_pair (
                       alice->core, alice->transport, &local, &remote, duo.now),
      ==, ICE_VERDICT_REFUSED);
  restart (&duo);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_cmpint (alice->state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8445/9/path-silent", test_path_silent);
  g_test_add_func ("/rfc8445/9/short-outage", test_short_outage);
  g_test_add_func ("/rfc8445/9/address-lost", test_address_lost);
  g_test_add_func ("/rfc8445/9/address-new", test_address_new);
  g_test_add_func ("/rfc8445/9/rebound", test_rebound);
  g_test_add_func ("/rfc8445/9/path-lost", test_path_lost);
  return g_test_run ();
}
