/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocation-lab.h"

#include "gst/ice/core/turn/channel-data.h"

static void
test_allocate (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  g_assert_cmpuint (lab.n_events[ICE_TURN_CHALLENGED], ==, 1);
  g_assert_cmpuint (lab.n_events[ICE_TURN_ALLOCATED], ==, 1);
  g_assert_true (
      ice_address_equal (&lab.allocation->relayed, &lab.server.relayed));
  g_assert_true (
      ice_address_equal (&lab.allocation->mapped, &lab.server.mapped));
  g_assert_cmpuint (lab.server.last_family, ==, 0);
  lab_clear (&lab);
}

static void
test_ipv6 (void)
{
  Lab lab;

  lab_init_with (&lab, FAKE_PASSWORD, ICE_FAMILY_IPV6);
  lab.server.relayed = address ("2001:db8::1", 49152);
  allocate (&lab);
  g_assert_cmpuint (lab.server.last_family, ==, 2);
  lab_clear (&lab);

  /* RFC 8656 7.3: another family than wanted is given back. */
  lab_init_with (&lab, FAKE_PASSWORD, ICE_FAMILY_IPV6);
  ice_allocation_request (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);
}

typedef struct
{
  guint32 given;
  guint believed; /* 0: refused */
  guint refresh_after;
} Lifetime;

static void
test_lifetimes (void)
{
  static const Lifetime rows[] = { { 0, 0, 0 }, { 1, 60, 30 }, { 59, 60, 30 },
    { 60, 60, 30 }, { 100, 100, 50 }, { 120, 120, 60 }, { 600, 600, 540 },
    { 86400, 86400, 86340 }, { 86401, 86400, 86340 },
    { G_MAXUINT32, 86400, 86340 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Lab lab;

    lab_init (&lab);
    lab.server.lifetime = rows[i].given;
    ice_allocation_request (lab.allocation, lab.now);
    exchange (&lab);
    if (rows[i].believed == 0) {
      g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
      g_assert_cmpuint (lab.event.code, ==, ICE_TURN_NONSENSE);
    } else {
      g_assert_cmpuint (lab.allocation->lifetime, ==, rows[i].believed);
      g_assert_cmpint (lab.allocation->refresh_at, ==,
          lab.now + rows[i].refresh_after * ICE_SECOND);
    }
    lab_clear (&lab);
  }
}

/* A server that grants one second cannot make us a storm. */
static void
test_lifetime_one (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.lifetime = 1;
  allocate (&lab);
  run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], <=, 20);
  lab_clear (&lab);
}

static void
test_relayed_of_no_use (void)
{
  static const gchar *const ips[] = { "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "240.0.0.1", "::", "ff02::1", "::ffff:192.0.2.1" };

  for (guint i = 0; i < G_N_ELEMENTS (ips); i++) {
    Lab lab;

    lab_init (&lab);
    lab.server.relayed = address (ips[i], 49152);
    ice_allocation_request (lab.allocation, lab.now);
    exchange (&lab);
    g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
    g_assert_cmpuint (lab.n_events[ICE_TURN_ALLOCATED], ==, 0);
    g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 1);
    lab_clear (&lab);
  }
}

static void
test_wrong_password (void)
{
  Lab lab;

  lab_init_with (&lab, "wrong", ICE_FAMILY_NONE);
  ice_allocation_request (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
  g_assert_cmpuint (lab.event.code, ==, 401);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], <=, 4);
  g_assert_cmpint (
      ice_allocation_deadline (lab.allocation), ==, ICE_TIME_NEVER);
  lab_clear (&lab);

  lab_init_with (&lab, NULL, ICE_FAMILY_NONE);
  ice_allocation_request (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.event.code, ==, 401);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 1);
  lab_clear (&lab);
}

static void
test_errors (void)
{
  static const guint codes[] = { 300, 400, 403, 420, 437, 440, 441, 442, 486,
    500, 508, 699, 438 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    Lab lab;

    lab_init (&lab);
    lab.server.error[ICE_STUN_ALLOCATE] = codes[i];
    lab.server.alternate = address ("198.51.100.9", 3478);
    ice_allocation_request (lab.allocation, lab.now);
    exchange (&lab);
    g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
    g_assert_cmpuint (lab.event.code, ==, codes[i]);
    g_assert_cmpint (lab.allocation->alternate.family, ==,
        codes[i] == 300 ? ICE_FAMILY_IPV4 : ICE_FAMILY_NONE);
    g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], <=, 4);
    lab_clear (&lab);
  }
}

/* Success and errors that are not signed are as if they never came; so is a
 * success with the MAC of another key. */
static void
test_forged (void)
{
  static const guint codes[] = { 0, 300, 403, 437, 500 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    Lab lab;

    lab_init (&lab);
    lab.server.unsigned_answers = TRUE;
    lab.server.error[ICE_STUN_ALLOCATE] = codes[i];
    ice_allocation_request (lab.allocation, lab.now);
    exchange (&lab);
    g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_REQUESTED);
    g_assert_cmpuint (lab.n_events[ICE_TURN_FAILED], ==, 0);
    run_for (&lab, 40 * ICE_SECOND);
    g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
    g_assert_cmpuint (lab.event.code, ==, ICE_TURN_NO_ANSWER);
    lab_clear (&lab);
  }
}

static void
test_unknown_required (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.extra_attribute = 0x7abc;
  ice_allocation_request (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
  lab_clear (&lab);
}

/* Four hours: never expired, refreshed with a new nonce now and then, the NAT
 * binding kept open, at most one packet every few seconds. */
static void
test_long_life (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  for (guint hour = 0; hour < 4; hour++) {
    lab.server.nonce = hour % 2 ? "nonce-1" : "nonce-2";
    run_for (&lab, 3600 * ICE_SECOND);
    g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_ACTIVE);
    g_assert_true (
        ice_allocation_is_permitted (lab.allocation, &lab.peer, lab.now));
    g_assert_cmpuint (
        ice_allocation_channel (lab.allocation, &lab.peer), ==, 0x4000);
  }
  g_assert_cmpuint (lab.n_events[ICE_TURN_CHANNEL_BOUND], ==, 1);
  g_assert_cmpuint (lab.n_events[ICE_TURN_CHANNEL_LOST], ==, 0);
  g_assert_cmpuint (lab.server.n_indications[ICE_STUN_BINDING], >, 800);
  g_assert_cmpuint (lab.server.n_indications[ICE_STUN_BINDING], <=, 961);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], <, 40);
  lab_clear (&lab);
}

static void
test_lost (void)
{
  Lab lab;

  /* The server was restarted. */
  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_REFRESH] = 437;
  run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_LOST);
  g_assert_cmpuint (lab.event.code, ==, 437);
  g_assert_cmpuint (lab.n_events[ICE_TURN_LOST], ==, 1);
  lab_clear (&lab);

  /* It ends it itself. */
  lab_init (&lab);
  allocate (&lab);
  lab.server.lifetime = 0;
  run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_LOST);
  g_assert_cmpuint (lab.event.code, ==, ICE_TURN_NONSENSE);
  lab_clear (&lab);

  /* It forgot us, as a CreatePermission finds out. */
  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CREATE_PERMISSION] = 437;
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_LOST);
  lab_clear (&lab);
}

/* It is asked for until it expires, but not for ever. */
static void
test_refresh_fails (void)
{
  static const guint codes[] = { 400, 401, 403, 438, 441, 500 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    Lab lab;

    lab_init (&lab);
    allocate (&lab);
    lab.server.error[ICE_STUN_REFRESH] = codes[i];
    run_for (&lab, 601 * ICE_SECOND);
    g_assert_cmpuint (lab.n_events[ICE_TURN_LOST], ==, 1);
    g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], <=, 16);
    g_assert_cmpint (
        ice_allocation_deadline (lab.allocation), ==, ICE_TIME_NEVER);
    lab_clear (&lab);
  }
}

static void
test_server_dies (void)
{
  Lab lab;
  IcePacket *packet;
  IceTime end;

  lab_init (&lab);
  allocate (&lab);
  end = lab.now + 600 * ICE_SECOND;
  while (lab.allocation->state == ICE_ALLOCATION_ACTIVE) {
    sleep_once (&lab);
    while ((packet = ice_allocation_take_packet (lab.allocation)))
      ice_packet_unref (packet);
  }
  g_assert_cmpint (lab.now, ==, end);
  g_assert_true (ice_allocation_next_event (lab.allocation, &lab.event));
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_LOST);
  lab_clear (&lab);
}

static void
test_release (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_release (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.last_lifetime, ==, 0);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);

  /* RFC 8656 8.3: 437 to that is a success. */
  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_REFRESH] = 437;
  ice_allocation_release (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  g_assert_cmpuint (lab.n_events[ICE_TURN_LOST], ==, 0);
  lab_clear (&lab);

  /* Nobody answers. */
  lab_init (&lab);
  allocate (&lab);
  ice_allocation_release (lab.allocation, lab.now);
  for (guint i = 0; i < ICE_STUN_RC; i++)
    sleep_once (&lab);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);

  /* Nothing to give back. */
  lab_init (&lab);
  ice_allocation_release (lab.allocation, lab.now);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  g_assert_null (ice_allocation_take_packet (lab.allocation));
  lab_clear (&lab);
}

static void
test_send (void)
{
  Lab lab;
  IceBytes hello = ICE_BYTES ("hello", 5);
  IcePacket *packet;

  lab_init (&lab);
  allocate (&lab);
  g_assert_false (
      ice_allocation_send (lab.allocation, &lab.peer, hello, lab.now));

  /* Right behind the request, before its answer. */
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  g_assert_true (
      ice_allocation_send (lab.allocation, &lab.peer, hello, lab.now));
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_indications[ICE_STUN_SEND], ==, 1);
  g_assert_true (ice_address_equal (&lab.server.last_peer, &lab.peer));

  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  g_assert_true (
      ice_allocation_send (lab.allocation, &lab.peer, hello, lab.now));
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_indications[ICE_STUN_SEND], ==, 2);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_CHANNEL_BOUND);
  g_assert_cmpuint (lab.event.channel, ==, 0x4000);

  g_assert_true (
      ice_allocation_send (lab.allocation, &lab.peer, hello, lab.now));
  packet = ice_allocation_take_packet (lab.allocation);
  g_assert_cmpmem (packet->data, packet->size, "\x40\0\0\x05hello", 9);
  ice_packet_unref (packet);
  lab_clear (&lab);
}

/* A payload nobody could send is refused, not a critical. */
static void
test_send_giant (void)
{
  Lab lab;
  g_autofree guint8 *bytes = g_malloc0 (70000);
  IcePacket *packet;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  g_assert_true (ice_allocation_send (
      lab.allocation, &lab.peer, ICE_BYTES (bytes, 65452), lab.now));
  g_assert_false (ice_allocation_send (
      lab.allocation, &lab.peer, ICE_BYTES (bytes, 65453), lab.now));
  while ((packet = ice_allocation_take_packet (lab.allocation))) {
    g_assert_cmpuint (packet->size, <=, 65507);
    ice_packet_unref (packet);
  }
  lab_clear (&lab);
}

static IceTurnVerdict
receive_data (Lab *lab, const IceAddress *from, const gchar *text)
{
  g_autoptr (IcePacket) packet = fake_turn_data (&lab->server, from, text);
  IceAddress peer = ICE_ADDRESS_NONE;
  IceBytes payload = ICE_BYTES_NONE;
  IceTurnVerdict verdict = receive (lab, packet, &peer, &payload);

  if (verdict == ICE_TURN_DATA) {
    g_assert_true (ice_address_equal (&peer, from));
    g_assert_cmpmem (payload.data, payload.size, text, strlen (text));
  }
  return verdict;
}

static IceTurnVerdict
receive_channel (Lab *lab, guint16 channel)
{
  g_autoptr (IcePacket) packet =
      ice_channel_data_new (channel, ICE_BYTES ("media", 5));
  IceAddress peer = ICE_ADDRESS_NONE;
  IceBytes payload = ICE_BYTES_NONE;
  IceTurnVerdict verdict = receive (lab, packet, &peer, &payload);

  if (verdict == ICE_TURN_DATA) {
    g_assert_true (ice_address_equal (&peer, &lab->peer));
    g_assert_cmpmem (payload.data, payload.size, "media", 5);
  }
  return verdict;
}

/* RFC 8656 11.4: strangers are discarded; another port of a permitted IP is
 * not one. */
static void
test_receive (void)
{
  Lab lab;
  IceAddress stranger = address ("192.0.2.66", 5000);
  IceAddress sibling = address ("192.0.2.7", 5001);

  lab_init (&lab);
  allocate (&lab);
  g_assert_cmpint (receive_data (&lab, &lab.peer, "x"), ==, ICE_TURN_DROPPED);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpint (receive_data (&lab, &lab.peer, "check"), ==, ICE_TURN_DATA);
  g_assert_cmpint (receive_data (&lab, &lab.peer, ""), ==, ICE_TURN_DATA);
  g_assert_cmpint (receive_data (&lab, &sibling, "check"), ==, ICE_TURN_DATA);
  g_assert_cmpint (receive_data (&lab, &stranger, "x"), ==, ICE_TURN_DROPPED);

  g_assert_cmpint (receive_channel (&lab, 0x4000), ==, ICE_TURN_DROPPED);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  /* RFC 8656 12: data may overtake the answer to ChannelBind. */
  g_assert_cmpint (receive_channel (&lab, 0x4000), ==, ICE_TURN_DATA);
  exchange (&lab);
  g_assert_cmpint (receive_channel (&lab, 0x4000), ==, ICE_TURN_DATA);
  g_assert_cmpint (receive_channel (&lab, 0x4001), ==, ICE_TURN_DROPPED);
  lab_clear (&lab);
}

static void
test_permission_refused (void)
{
  Lab lab;
  IceAddress ipv6 = address ("2001:db8::7", 5000);
  IceAddress nowhere = address ("224.0.0.1", 5000);

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CREATE_PERMISSION] = 403;
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_PERMISSION_REFUSED);
  g_assert_true (ice_address_equal (&lab.event.peer, &lab.peer));
  g_assert_cmpuint (lab.event.code, ==, 403);

  /* Asking again is answered without a word to the server. */
  for (guint i = 0; i < 100; i++)
    ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 1);

  /* What the server could not grant is not asked for (RFC 8656 10.1). */
  ice_allocation_permit (lab.allocation, &ipv6, lab.now);
  ice_allocation_permit (lab.allocation, &nowhere, lab.now);
  g_assert_null (ice_allocation_take_packet (lab.allocation));
  lab_clear (&lab);
}

static void
test_permission_cap (void)
{
  Lab lab;
  guint n_refused = 0;

  lab_init (&lab);
  allocate (&lab);
  for (guint i = 0; i < 1000; i++) {
    g_autofree gchar *ip = g_strdup_printf ("198.51.%u.%u", i / 250, i % 250);
    IceAddress peer = address (ip, 5000);

    ice_allocation_permit (lab.allocation, &peer, lab.now);
    ice_allocation_bind (lab.allocation, &peer, lab.now);
  }
  g_assert_cmpuint (lab.allocation->permissions->len, ==, 128);
  g_assert_cmpuint (lab.allocation->channels->len, ==, 128);
  exchange (&lab);
  n_refused = lab.n_events[ICE_TURN_PERMISSION_REFUSED];
  g_assert_cmpuint (n_refused, >=, 1000 - 128);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 128);
  lab_clear (&lab);
}

static void
test_channel_refused (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CHANNEL_BIND] = 400;
  for (guint i = 0; i < 100; i++)
    ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CHANNEL_BIND], ==, 1);
  g_assert_cmpuint (ice_allocation_channel (lab.allocation, &lab.peer), ==, 0);
  /* Send indications go on. */
  g_assert_true (ice_allocation_send (
      lab.allocation, &lab.peer, ICE_BYTES ("x", 1), lab.now));
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_indications[ICE_STUN_SEND], ==, 1);
  lab_clear (&lab);
}

/* The server will not renew it: Send indications from then on, and later the
 * same number again. */
static void
test_channel_lost (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  lab.server.error[ICE_STUN_CHANNEL_BIND] = 400;
  run_for (&lab, 545 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_TURN_CHANNEL_LOST], ==, 1);
  g_assert_cmpuint (ice_allocation_channel (lab.allocation, &lab.peer), ==, 0);
  g_assert_true (ice_allocation_send (
      lab.allocation, &lab.peer, ICE_BYTES ("x", 1), lab.now));
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_indications[ICE_STUN_SEND], ==, 1);

  lab.server.error[ICE_STUN_CHANNEL_BIND] = 0;
  run_for (&lab, 60 * ICE_SECOND);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (
      ice_allocation_channel (lab.allocation, &lab.peer), ==, 0x4000);

  /* It turns out that the server forgot everything. */
  lab.server.error[ICE_STUN_CHANNEL_BIND] = 437;
  run_for (&lab, 545 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_TURN_LOST], ==, 1);
  lab_clear (&lab);
}

/* What is forgotten is not renewed. */
static void
test_forget (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  ice_allocation_forget (lab.allocation, &lab.peer);
  run_for (&lab, 3600 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 1);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CHANNEL_BIND], ==, 1);
  g_assert_cmpuint (lab.allocation->permissions->len, ==, 0);
  g_assert_cmpuint (lab.allocation->channels->len, ==, 0);
  lab_clear (&lab);
}

/* Answers to no question, of every kind, change nothing. */
static void
test_not_mine (void)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 9 };
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  for (guint klass = ICE_STUN_REQUEST; klass <= ICE_STUN_ERROR; klass++) {
    for (guint16 method = 0; method < 16; method++) {
      g_autoptr (IcePacket) packet = NULL;
      IceStunBuilder builder;
      IceAddress peer;
      IceBytes payload;

      ice_stun_builder_init (&builder, klass, method, id);
      packet = ice_stun_builder_end (&builder);
      g_assert_cmpint (
          receive (&lab, packet, &peer, &payload), !=, ICE_TURN_DATA);
    }
  }
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_ACTIVE);
  g_assert_null (ice_allocation_take_packet (lab.allocation));
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/allocation/allocate", test_allocate);
  g_test_add_func ("/allocation/ipv6", test_ipv6);
  g_test_add_func ("/allocation/lifetimes", test_lifetimes);
  g_test_add_func ("/allocation/lifetime-one", test_lifetime_one);
  g_test_add_func ("/allocation/relayed-of-no-use", test_relayed_of_no_use);
  g_test_add_func ("/allocation/wrong-password", test_wrong_password);
  g_test_add_func ("/allocation/errors", test_errors);
  g_test_add_func ("/allocation/forged", test_forged);
  g_test_add_func ("/allocation/unknown-required", test_unknown_required);
  g_test_add_func ("/allocation/long-life", test_long_life);
  g_test_add_func ("/allocation/lost", test_lost);
  g_test_add_func ("/allocation/refresh-fails", test_refresh_fails);
  g_test_add_func ("/allocation/server-dies", test_server_dies);
  g_test_add_func ("/allocation/release", test_release);
  g_test_add_func ("/allocation/send", test_send);
  g_test_add_func ("/allocation/send-giant", test_send_giant);
  g_test_add_func ("/allocation/receive", test_receive);
  g_test_add_func ("/allocation/permission-refused", test_permission_refused);
  g_test_add_func ("/allocation/permission-cap", test_permission_cap);
  g_test_add_func ("/allocation/channel-refused", test_channel_refused);
  g_test_add_func ("/allocation/channel-lost", test_channel_lost);
  g_test_add_func ("/allocation/forget", test_forget);
  g_test_add_func ("/allocation/not-mine", test_not_mine);
  return g_test_run ();
}
