/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clocks of RFC 8656, a case for each rule, by section. */
#include "allocation-lab.h"

#include "gst/ice/core/turn/channel-data.h"

/* Packets to a server that does not answer; TRUE when a request of @method was
 * among them. */
static gboolean
swallow (Lab *lab, guint16 method)
{
  IcePacket *packet;
  IceStunMessage message;
  gboolean found = FALSE;

  while ((packet = ice_allocation_take_packet (lab->allocation))) {
    found |= ice_stun_message_parse (
                 &message, ICE_BYTES (packet->data, packet->size)) &&
        message.klass == ICE_STUN_REQUEST && message.method == method;
    ice_packet_unref (packet);
  }
  return found;
}

static void
run_in_silence (Lab *lab, IceTime time)
{
  IceTime end = lab->now + time;

  while (ice_allocation_deadline (lab->allocation) <= end) {
    sleep_once (lab);
    swallow (lab, 0);
    note_events (lab);
  }
  lab->now = end;
}

/* "It is suggested that the client refresh the allocation roughly 1 minute
 * before it expires." */
static void
test_refresh (void)
{
  static const guint lifetimes[] = { 300, 600, 3600 };

  for (guint i = 0; i < G_N_ELEMENTS (lifetimes); i++) {
    Lab lab;

    lab_init (&lab);
    lab.server.lifetime = lifetimes[i];
    allocate (&lab);
    run_for (&lab, (lifetimes[i] - 61) * ICE_SECOND);
    g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 0);
    run_for (&lab, 2 * ICE_SECOND);
    g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 1);
    g_assert_cmpuint (lab.server.last_lifetime, ==, lifetimes[i]);
    lab_clear (&lab);
  }
}

/* A farewell that is lost is repeated, as every request. */
static void
test_farewell_is_resent (void)
{
  Lab lab;
  guint n = 0;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_release (lab.allocation, lab.now);
  n += swallow (&lab, ICE_STUN_REFRESH);
  while (ice_allocation_deadline (lab.allocation) != ICE_TIME_NEVER) {
    sleep_once (&lab);
    n += swallow (&lab, ICE_STUN_REFRESH);
  }
  g_assert_cmpuint (n, ==, ICE_STUN_RC);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);
}

/* "The Permission Lifetime MUST be 300 seconds." */
static void
test_permission_lifetime (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  run_in_silence (&lab, 299 * ICE_SECOND);
  g_assert_true (
      ice_allocation_is_permitted (lab.allocation, &lab.peer, lab.now));
  run_in_silence (&lab, 1 * ICE_SECOND);
  g_assert_false (
      ice_allocation_is_permitted (lab.allocation, &lab.peer, lab.now));
  g_assert_cmpuint (lab.n_events[ICE_TURN_PERMISSION_REFUSED], ==, 1);
  lab_clear (&lab);
}

/* "a permission is uniquely identified by its associated IP address": ports do
 * not matter. */
static void
test_permission_is_for_an_address (void)
{
  Lab lab;
  IceAddress other;

  lab_init (&lab);
  allocate (&lab);
  other = lab.peer;
  other.port++;
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  ice_allocation_permit (lab.allocation, &other, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 1);
  /* The second port keeps it when the first does not need it any more. */
  ice_allocation_forget (lab.allocation, &lab.peer);
  run_for (&lab, 900 * ICE_SECOND);
  g_assert_true (ice_allocation_is_permitted (lab.allocation, &other, lab.now));
  lab_clear (&lab);
}

/* Renewed while it is in use, and no longer. */
static void
test_permission_is_renewed (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  run_for (&lab, 1200 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 6);
  ice_allocation_forget (lab.allocation, &lab.peer);
  run_for (&lab, 1200 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 6);
  g_assert_false (
      ice_allocation_is_permitted (lab.allocation, &lab.peer, lab.now));
  lab_clear (&lab);
}

/* 12: "0x4000 through 0x4FFF: These values are the allowed channel numbers". */
static void
test_channel_numbers (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  for (guint i = 0; i < 128; i++) {
    lab.peer.port = (guint16) (1000 + i);
    ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
    exchange (&lab);
    g_assert_cmpuint (lab.server.last_channel, ==, 0x4000 + i);
  }
  lab_clear (&lab);
}

/* 12: "Channel bindings last for 10 minutes unless refreshed". */
static void
test_channel_lifetime (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.lifetime = 3600;
  allocate (&lab);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  run_for (&lab, 539 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CHANNEL_BIND], ==, 1);
  run_for (&lab, 2 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CHANNEL_BIND], ==, 2);
  run_in_silence (&lab, 598 * ICE_SECOND);
  g_assert_cmpuint (
      ice_allocation_channel (lab.allocation, &lab.peer), ==, 0x4000);
  run_in_silence (&lab, 1 * ICE_SECOND);
  g_assert_cmpuint (ice_allocation_channel (lab.allocation, &lab.peer), ==, 0);
  g_assert_cmpuint (lab.n_events[ICE_TURN_CHANNEL_LOST], ==, 1);
  lab_clear (&lab);
}

/* 12: "the client MUST NOT bind the channel to a different peer, or the peer to
 * a different channel, until five minutes after it expires". */
static void
test_channel_quarantine (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.lifetime = 36000;
  allocate (&lab);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  ice_allocation_forget (lab.allocation, &lab.peer);
  run_for (&lab, 601 * ICE_SECOND);
  g_assert_cmpuint (ice_allocation_channel (lab.allocation, &lab.peer), ==, 0);
  /* The same one to the same peer is allowed at any time. */
  run_for (&lab, 240 * ICE_SECOND);
  lab.server.last_channel = 0;
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.last_channel, ==, 0x4000);
  ice_allocation_forget (lab.allocation, &lab.peer);
  /* Long after, another one; and nobody ever gets that of another peer. */
  run_for (&lab, (600 + 901) * ICE_SECOND);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.last_channel, ==, 0x4001);
  lab_clear (&lab);
}

/* 12.2: "This creates or refreshes a permission". */
static void
test_channel_brings_permission (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CREATE_PERMISSION] = 500;
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_true (
      ice_allocation_is_permitted (lab.allocation, &lab.peer, lab.now));
  lab_clear (&lab);
}

static IcePacket *
send_one (Lab *lab)
{
  g_assert_true (ice_allocation_send (
      lab->allocation, &lab->peer, ICE_BYTES ("hello", 5), lab->now));
  return ice_allocation_take_packet (lab->allocation);
}

/* 12: until the bind succeeds data goes in Send indications; 12.5: over UDP
 * "the padding is not required". */
static void
test_until_bound (void)
{
  Lab lab;
  IceStunMessage message;
  IcePacket *packet;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  swallow (&lab, 0);
  packet = send_one (&lab);
  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  g_assert_cmpuint (message.method, ==, ICE_STUN_SEND);
  ice_packet_unref (packet);
  run_for (&lab, ICE_SECOND);
  packet = send_one (&lab);
  g_assert_cmpmem (packet->data, packet->size, "\x40\0\0\x05hello", 9);
  ice_packet_unref (packet);
  lab_clear (&lab);
}

/* 12.6: "If the length field ... is larger than" what came, or the number is
 * not bound: discarded; up to three bytes of padding are not data. */
static void
test_channel_data (void)
{
  static const struct
  {
    const gchar *bytes;
    gsize size;
    IceTurnVerdict verdict;
  } rows[] = {
    { "\x40\0\0\x05hello", 9, ICE_TURN_DATA },
    { "\x40\0\0\x05hello\0\0\0", 12, ICE_TURN_DATA },
    { "\x40\0\0\x05hello\0\0\0\0", 13, ICE_TURN_NOT_MINE },
    { "\x40\0\0\x06hello", 9, ICE_TURN_NOT_MINE },
    { "\x40\x01\0\x05hello", 9, ICE_TURN_DROPPED },
    { "\x50\0\0\x05hello", 9, ICE_TURN_NOT_MINE },
    { "\x40\0\0\0", 4, ICE_TURN_DATA },
  };
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (IcePacket) packet =
        ice_packet_new_from (ICE_BYTES (rows[i].bytes, rows[i].size));
    IceAddress peer;
    IceBytes payload;

    g_assert_cmpint (
        receive (&lab, packet, &peer, &payload), ==, rows[i].verdict);
    if (rows[i].verdict == ICE_TURN_DATA) {
      g_assert_cmpuint (payload.size, ==, (guint) rows[i].bytes[3]);
      g_assert_true (ice_address_equal (&peer, &lab.peer));
    }
  }
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8656/8/refresh-a-minute-before", test_refresh);
  g_test_add_func ("/rfc8656/8.1/farewell-is-resent", test_farewell_is_resent);
  g_test_add_func ("/rfc8656/9/300-seconds", test_permission_lifetime);
  g_test_add_func (
      "/rfc8656/9/for-an-address", test_permission_is_for_an_address);
  g_test_add_func (
      "/rfc8656/10.1/renewed-while-used", test_permission_is_renewed);
  g_test_add_func ("/rfc8656/12/numbers", test_channel_numbers);
  g_test_add_func ("/rfc8656/12/600-seconds", test_channel_lifetime);
  g_test_add_func ("/rfc8656/12/five-minutes", test_channel_quarantine);
  g_test_add_func (
      "/rfc8656/12.2/brings-permission", test_channel_brings_permission);
  g_test_add_func ("/rfc8656/12.5/until-bound", test_until_bound);
  g_test_add_func ("/rfc8656/12.6/channel-data", test_channel_data);
  return g_test_run ();
}
