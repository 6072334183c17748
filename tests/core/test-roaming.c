/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mid-call the path goes, and media is back within a second (issue 4): silence
 * of regular media is the signal to probe at once (design 9.3). Media is a
 * packet every 20 ms both ways. */
#include "duo.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)

/* What does not pass any more, and which way. */
typedef struct
{
  const gchar *blocked; /* (nullable) an address, of either side */
  const gchar *from;    /* (nullable) an address that nothing leaves from */
  guint16 dead_ports;   /* by hundreds, that a NAT has forgotten; 0: none */
} Lab;

static gboolean
is_one (const IceAddress *address, const gchar *ip)
{
  IceAddress other;

  return ip && ice_address_parse (&other, ip, 0) &&
      ice_address_same_ip (address, &other);
}

static gboolean
lab_path (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  const Lab *lab = duo->user;

  *ret_delay = 25 * ICE_MSEC;
  return !is_one (from, lab->blocked) && !is_one (to, lab->blocked) &&
      !is_one (from, lab->from) &&
      (lab->dead_ports == 0 || to->port / 100 != lab->dead_ports);
}

static void
start (Duo *duo, Lab *lab, guint n_addresses, gboolean continual)
{
  duo_init (duo, n_addresses);
  duo->user = lab;
  duo->path = lab_path;
  duo->gaps = TRUE;
  for (guint i = 0; i < 2 && continual; i++)
    ice_core_set_continual (duo->ends[i].core, TRUE);
  duo_start (duo, OPTIONS);
  duo->media = TRUE;
  duo_run_for (duo, 20 * ICE_SECOND);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (duo->ends[i].state, ==, ICE_STATE_COMPLETED);
}

/* The longest time without media at either end from now on, as a user has it:
 * until it comes again, and goes on coming. */
static void
assert_outage (Duo *duo, IceTime most)
{
  IceTime longest[2] = { 0 }, last[2];

  for (guint i = 0; i < 2; i++)
    last[i] = duo->ends[i].media_received;
  for (IceTime end = duo->now + 4 * ICE_SECOND; duo->now < end;) {
    duo_run_for (duo, 5 * ICE_MSEC);
    for (guint i = 0; i < 2; i++) {
      longest[i] = MAX (longest[i], duo->now - last[i]);
      last[i] = duo->ends[i].media_received;
    }
  }
  g_test_message ("outage %d ms, %d ms", (gint) (longest[0] / ICE_MSEC),
      (gint) (longest[1] / ICE_MSEC));
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (longest[i], <=, most);
    g_assert_cmpint (duo->ends[i].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpuint (duo->ends[i].n_failed, ==, 0);
  }
}

/* One of two networks dies, of either side, with no word from the kernel. */
static void
test_survivor (void)
{
  for (guint broken = 0; broken < 2; broken++) {
    Lab lab = { 0 };
    Duo duo;

    start (&duo, &lab, 2, FALSE);
    lab.blocked = broken ? "192.0.2.2" : "192.0.2.1";
    assert_outage (&duo, 600 * ICE_MSEC);
    g_assert_true (duo_agrees (&duo));
    duo_clear (&duo);
  }
}

/* It dies one way only: who hears nothing tells the other by knocking. */
static void
test_one_way (void)
{
  for (guint broken = 0; broken < 2; broken++) {
    Lab lab = { 0 };
    Duo duo;

    start (&duo, &lab, 2, FALSE);
    lab.from = broken ? "192.0.2.2" : "192.0.2.1";
    assert_outage (&duo, 900 * ICE_MSEC);
    duo_clear (&duo);
  }
}

/* A NAT gives another port, and what goes to the old one is lost; at any time,
 * so also when a consent request is just on its way; and with spare pairs, that
 * have nothing in common with it, and are as lost behind that NAT. */
static void
test_nat_rebinding (void)
{
  for (guint i = 0; i < 400; i++) {
    guint behind = i % 2;
    Lab lab = { 0 };
    Duo duo;

    start (&duo, &lab, i % 4 < 2 ? 1 : 4, FALSE);
    duo_run_for (&duo, i * 13 * ICE_MSEC);
    lab.dead_ports = duo.ends[behind].local.port / 100;
    duo.ends[behind].nat_shift = 100;
    assert_outage (&duo, 800 * ICE_MSEC);
    g_assert_cmpuint (
        duo.ends[!behind].remote.port / 100, ==, lab.dead_ports + 1);
    duo_clear (&duo);
  }
}

/* The address that media goes by is taken away from either side, and another
 * was there, or comes in the same instant. */
static void
test_address_goes (void)
{
  for (guint i = 0; i < 4; i++) {
    guint mobile = i & 1;
    gboolean early = i & 2;
    Lab lab = { 0 };
    Duo duo;

    start (&duo, &lab, 1, TRUE);
    duo_add_address (&duo, mobile, "198.51.100.9");
    if (early) {
      duo_tell_interfaces (&duo, mobile);
      duo_run_for (&duo, 5 * ICE_SECOND);
    }
    duo_remove_address (&duo, mobile, 0);
    duo_tell_interfaces (&duo, mobile);
    assert_outage (&duo, 500 * ICE_MSEC);
    g_assert_true (duo_is_at (&duo, mobile, "198.51.100.9"));
    duo_clear (&duo);
  }
}

/* Media that ends, and one that starts and stops, moves nothing. */
static void
test_media_pauses (void)
{
  Lab lab = { 0 };
  guint n[2];
  Duo duo;

  start (&duo, &lab, 2, FALSE);
  n[0] = duo.ends[0].n_selected;
  n[1] = duo.ends[1].n_selected;
  for (guint i = 0; i < 30; i++) {
    duo.media = i % 2;
    duo_run_for (&duo, (300 + 200 * i) * ICE_MSEC);
  }
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (duo.ends[i].n_selected, ==, n[i]);
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
  }
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/roaming/survivor", test_survivor);
  g_test_add_func ("/roaming/one-way", test_one_way);
  g_test_add_func ("/roaming/nat-rebinding", test_nat_rebinding);
  g_test_add_func ("/roaming/address-goes", test_address_goes);
  g_test_add_func ("/roaming/media-pauses", test_media_pauses);
  return g_test_run ();
}
