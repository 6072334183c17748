/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tcp-turn-lab.h"

/* 4.1: by TCP, with transport 6, sent once, and none of the attributes that
 * "MUST NOT" be there. */
static void
test_allocate (void)
{
  static const guint16 forbidden[] = { ICE_STUN_DONT_FRAGMENT,
    ICE_STUN_EVEN_PORT, ICE_STUN_RESERVATION_TOKEN };
  IcePacket *packet;
  IceStunMessage message;
  guint connection;
  Lab lab;

  lab_init (&lab);
  ice_tcp_allocation_request (lab.allocation, lab.now);
  packet = ice_tcp_allocation_take_packet (lab.allocation, &connection);
  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  for (guint i = 0; i < G_N_ELEMENTS (forbidden); i++)
    g_assert_false (ice_stun_message_has (&message, forbidden[i]));
  ice_packet_unref (packet);
  lab_clear (&lab);

  lab_init (&lab);
  allocate (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_ALLOCATED], ==, 1);
  lab_clear (&lab);
}

static void
test_no_retransmission (void)
{
  Lab lab;

  lab_init (&lab);
  lab.held = TRUE;
  ice_tcp_allocation_request (lab.allocation, lab.now);
  run_for (&lab, 39 * ICE_SECOND);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_FAILED], ==, 0);
  run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_FAILED], ==, 1);
  lab.held = FALSE;
  exchange (&lab);
  g_assert_cmpuint (lab.n_packets, ==, 1);
  lab_clear (&lab);
}

/* 4.2: as any allocation. */
static void
test_refresh (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  connect_peer (&lab);
  run_for (&lab, 7200 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], >=, 12);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], <=, 14);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 0);
  lab_clear (&lab);
}

/* 4.3 */
static void
test_connect (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  connect_peer (&lab);
  g_assert_true (ice_address_equal (&lab.server.last_peer, &lab.peer));
  g_assert_cmpuint (lab.server.last_connection_id, ==, 1000);
  g_assert_false (lab.event.incoming);
  /* Allocate twice and Connect; ConnectionBind went elsewhere. */
  g_assert_cmpuint (lab.n_control, ==, 3);
  g_assert_cmpuint (lab.n_packets, ==, 4);
  lab_clear (&lab);
}

/* 4.3: "Connect requests with the same XOR-PEER-ADDRESS parameter MUST NOT be
 * sent simultaneously"; other peers may be. */
static void
test_same_peer (void)
{
  const IceAddress other = address ("192.0.2.7", 5001);
  Lab lab;
  guint id;

  lab_init (&lab);
  allocate (&lab);
  id = ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  g_assert_cmpuint (id, !=, 0);
  g_assert_cmpuint (
      ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now), ==, 0);
  g_assert_cmpuint (
      ice_tcp_allocation_connect (lab.allocation, &other, lab.now), !=, 0);
  exchange (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_OPEN], ==, 2);
  g_assert_cmpuint (
      ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now), ==, 0);
  ice_tcp_allocation_disconnect (lab.allocation, id);
  g_assert_cmpuint (
      ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now), !=, 0);
  lab_clear (&lab);
}

/* 4.3: 447 "MUST wait at least 10 seconds". */
static void
test_447 (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CONNECT] = 447;
  ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
  g_assert_cmpuint (lab.event.code, ==, 447);
  run_for (&lab, 10 * ICE_SECOND - 1);
  g_assert_cmpuint (
      ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now), ==, 0);
  run_for (&lab, 1);
  lab.server.error[ICE_STUN_CONNECT] = 0;
  connect_peer (&lab);
  lab_clear (&lab);
}

/* 5.2: 446, 403 and others end this connection, 437 all. */
static void
test_connect_errors (void)
{
  static const guint codes[] = { 400, 403, 443, 446, 500, 699 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    const IceAddress other = address ("192.0.2.8", 1);
    Lab lab;

    lab_init (&lab);
    allocate (&lab);
    connect_peer (&lab);
    lab.server.error[ICE_STUN_CONNECT] = codes[i];
    ice_tcp_allocation_connect (lab.allocation, &other, lab.now);
    exchange (&lab);
    g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
    g_assert_cmpuint (lab.event.code, ==, codes[i]);
    g_assert_true (ice_address_equal (&lab.event.peer, &other));
    g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECT], ==, 2);
    g_assert_cmpuint (lab.allocation->connections->len, ==, 1);
    lab_clear (&lab);
  }
}

static void
test_connect_437 (void)
{
  const IceAddress other = address ("192.0.2.8", 1);
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  connect_peer (&lab);
  lab.server.error[ICE_STUN_CONNECT] = 437;
  ice_tcp_allocation_connect (lab.allocation, &other, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_LOST], ==, 1);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 2);
  g_assert_cmpuint (lab.allocation->connections->len, ==, 0);
  g_assert_cmpint (
      ice_tcp_allocation_deadline (lab.allocation), ==, ICE_TIME_NEVER);
  lab_clear (&lab);
}

/* Credentials go stale on either kind of connection. */
static void
test_stale_nonce (void)
{
  Lab lab;
  guint id;

  lab_init (&lab);
  allocate (&lab);
  lab.server.nonce = "nonce-2";
  id = ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECT], ==, 2);
  lab.server.nonce = "nonce-3";
  ice_tcp_allocation_opened (lab.allocation, id, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECTION_BIND], ==, 2);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_BOUND);
  lab_clear (&lab);
}

static void
test_stale_for_ever (void)
{
  Lab lab;
  guint id;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CONNECT] = 438;
  ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECT], <=, 4);
  g_assert_cmpuint (lab.event.code, ==, 438);
  lab.server.error[ICE_STUN_CONNECT] = 0;
  lab.server.error[ICE_STUN_CONNECTION_BIND] = 438;
  id = ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  ice_tcp_allocation_opened (lab.allocation, id, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECTION_BIND], <=, 4);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
  g_assert_cmpuint (lab.event.code, ==, 438);
  lab_clear (&lab);
}

/* A success without CONNECTION-ID leads nowhere; one that is not signed is
 * none. */
static void
test_connect_useless (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.connection_id = 0;
  ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
  g_assert_cmpuint (lab.event.code, ==, 400);
  lab.server.connection_id = 1000;
  lab.server.unsigned_answers = TRUE;
  ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_OPEN], ==, 0);
  /* 5.2: the server tries for 30 s at least. */
  run_for (&lab, 38 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 1);
  run_for (&lab, 2 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 2);
  g_assert_cmpuint (lab.event.code, ==, ICE_TURN_NO_ANSWER);
  lab_clear (&lab);
}

/* 4.4 */
static void
test_attempt (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_tcp_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  lab.peer.port = 49191;
  g_assert_cmpint (be_called (&lab, &lab.peer, 77), ==, ICE_TURN_HANDLED);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_OPEN);
  g_assert_true (lab.event.incoming);
  run_for (&lab, 29 * ICE_SECOND);
  ice_tcp_allocation_opened (lab.allocation, lab.event.connection, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_BOUND);
  g_assert_cmpuint (lab.server.last_connection_id, ==, 77);
  g_assert_true (ice_address_equal (&lab.event.peer, &lab.peer));
  lab_clear (&lab);
}

/* 5.3: "If no ConnectionBind request associated with this peer data connection
 * is received after 30 seconds", it is closed there. */
static void
test_attempt_too_late (void)
{
  Lab lab;
  guint id;

  lab_init (&lab);
  allocate (&lab);
  ice_tcp_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  be_called (&lab, &lab.peer, 77);
  id = lab.event.connection;
  run_for (&lab, 30 * ICE_SECOND);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
  g_assert_cmpuint (lab.event.connection, ==, id);
  ice_tcp_allocation_opened (lab.allocation, id, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECTION_BIND], ==, 0);
  lab_clear (&lab);
}

/* 4.4: of a peer "for which a permission has been installed". */
static void
test_attempt_of_stranger (void)
{
  const IceAddress stranger = address ("203.0.113.66", 1);
  const IceAddress nowhere = address ("224.0.0.1", 1);
  g_autoptr (IcePacket) no_id = NULL;
  g_autoptr (IcePacket) no_peer = NULL;
  g_autoptr (IcePacket) strange = NULL;
  Lab lab;

  lab_init (&lab);
  g_assert_cmpint (be_called (&lab, &lab.peer, 77), ==, ICE_TURN_DROPPED);
  allocate (&lab);
  g_assert_cmpint (be_called (&lab, &lab.peer, 77), ==, ICE_TURN_DROPPED);
  ice_tcp_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  no_id = attempt (&lab.peer, 0, 0);
  no_peer = attempt (NULL, 77, 0);
  strange = attempt (&lab.peer, 77, 0x7abc);
  g_assert_cmpint (control (&lab, no_id), ==, ICE_TURN_DROPPED);
  g_assert_cmpint (control (&lab, no_peer), ==, ICE_TURN_DROPPED);
  g_assert_cmpint (control (&lab, strange), ==, ICE_TURN_DROPPED);
  g_assert_cmpint (be_called (&lab, &stranger, 77), ==, ICE_TURN_DROPPED);
  g_assert_cmpint (be_called (&lab, &nowhere, 77), ==, ICE_TURN_DROPPED);
  g_assert_cmpint (be_called (&lab, &lab.peer, 77), ==, ICE_TURN_HANDLED);
  g_assert_cmpint (be_called (&lab, &lab.peer, 77), ==, ICE_TURN_DROPPED);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_OPEN], ==, 1);
  lab_clear (&lab);
}

/* A server that calls without end fills a table of fixed size, for 30 s. */
static void
test_attempt_flood (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_tcp_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  for (guint i = 1; i <= 10000; i++)
    be_called (&lab, &lab.peer, i);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_OPEN], ==, 64);
  g_assert_cmpuint (
      ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now), ==, 0);
  run_for (&lab, 31 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 64);
  connect_peer (&lab);
  lab_clear (&lab);
}

/* 4.5: what comes behind the answer is the peer's, "as is", wherever the
 * segments end. */
static void
test_data (void)
{
  for (guint i = 0; i < 2; i++) {
    static const guint8 stun[] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
    Lab lab;
    guint id;

    lab_init (&lab);
    lab.byte_by_byte = i == 1;
    lab.early = "first words";
    allocate (&lab);
    id = connect_peer (&lab);
    g_assert_cmpstr (lab.heard->str, ==, "first words");
    g_assert_cmpint (read_some (&lab, id, ICE_BYTES (", and more", 10)), ==,
        ICE_TCP_STREAM_PEER);
    g_assert_cmpstr (lab.heard->str, ==, "first words, and more");
    /* What looks like STUN is the peer's as well. */
    g_assert_cmpint (read_some (&lab, id, ICE_BYTES (stun, sizeof stun)), ==,
        ICE_TCP_STREAM_PEER);
    g_assert_cmpuint (lab.heard->len, ==, 21 + sizeof stun);
    lab_clear (&lab);
  }
}

/* 4.5: no data by the control connection. */
static void
test_no_indications (void)
{
  g_autoptr (IcePacket) data = NULL;
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_tcp_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  data = fake_turn_data (&lab.server, &lab.peer, "data");
  g_assert_cmpint (control (&lab, data), ==, ICE_TURN_DROPPED);
  lab_clear (&lab);
}

/* 5.4: what is not the answer ends the data connection. */
static void
test_bind_rubbish (void)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 9 };
  IceStunBuilder builder;

  for (guint i = 0; i < 4; i++) {
    g_autoptr (IcePacket) other = NULL;
    Lab lab;
    guint connection;

    lab_init (&lab);
    allocate (&lab);
    connection =
        ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
    exchange (&lab);
    lab.held = TRUE;
    if (i != 3) /* 3: it speaks before it was asked */
      ice_tcp_allocation_opened (lab.allocation, connection, lab.now);
    ice_stun_builder_init (
        &builder, ICE_STUN_SUCCESS, ICE_STUN_CONNECTION_BIND, id);
    other = ice_stun_builder_end (&builder);
    if (i == 0)
      g_assert_cmpint (
          read_some (&lab, connection, ICE_BYTES ("GET / HTTP/1.1\r\n", 16)),
          ==, ICE_TCP_STREAM_END);
    else
      g_assert_cmpint (
          stream (&lab, connection, other), ==, ICE_TCP_STREAM_END);
    g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
    g_assert_cmpuint (lab.event.code, ==, 400);
    g_assert_cmpint (stream (&lab, connection, other), ==, ICE_TCP_STREAM_END);
    lab_clear (&lab);
  }
}

static void
test_bind_refused (void)
{
  Lab lab;
  guint id;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CONNECTION_BIND] = 400;
  id = ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  ice_tcp_allocation_opened (lab.allocation, id, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
  g_assert_cmpuint (lab.event.code, ==, 400);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECTION_BIND], ==, 1);
  lab_clear (&lab);
}

/* A server that never answers ConnectionBind. */
static void
test_bind_unanswered (void)
{
  Lab lab;
  guint id;

  lab_init (&lab);
  allocate (&lab);
  id = ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  lab.held = TRUE;
  ice_tcp_allocation_opened (lab.allocation, id, lab.now);
  run_for (&lab, 40 * ICE_SECOND);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
  g_assert_cmpuint (lab.event.code, ==, ICE_TURN_NO_ANSWER);
  lab_clear (&lab);
}

/* 4.6, 5.5: either end closes, and it is over; the peer may be connected
 * again. */
static void
test_closed (void)
{
  Lab lab;
  guint id;

  lab_init (&lab);
  allocate (&lab);
  id = connect_peer (&lab);
  ice_tcp_allocation_closed (lab.allocation, id);
  note_events (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TCP_TURN_ENDED);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_LOST], ==, 0);
  ice_tcp_allocation_closed (lab.allocation, id);
  note_events (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 1);
  g_assert_cmpuint (connect_peer (&lab), !=, id);
  lab_clear (&lab);
}

/* 5.5: the control connection takes the allocation and all else with it. */
static void
test_control_closed (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  ice_tcp_allocation_permit (lab.allocation, &lab.peer, lab.now);
  connect_peer (&lab);
  be_called (&lab, &lab.peer, 77);
  ice_tcp_allocation_closed (lab.allocation, 0);
  note_events (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 2);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_LOST], ==, 1);
  g_assert_cmpint (
      ice_tcp_allocation_deadline (lab.allocation), ==, ICE_TIME_NEVER);
  ice_tcp_allocation_closed (lab.allocation, 0);
  note_events (&lab);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_LOST], ==, 1);
  lab_clear (&lab);

  lab_init (&lab);
  lab.held = TRUE;
  ice_tcp_allocation_request (lab.allocation, lab.now);
  ice_tcp_allocation_closed (lab.allocation, 0);
  note_events (&lab);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_FAILED], ==, 1);
  lab_clear (&lab);
}

/* 5.5: so does its end by time, and by ours. */
static void
test_expired (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  connect_peer (&lab);
  lab.server.error[ICE_STUN_REFRESH] = 437;
  run_for (&lab, 700 * ICE_SECOND);
  g_assert_cmpuint (lab.n_allocation_events[ICE_TURN_LOST], ==, 1);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 1);
  lab_clear (&lab);
}

static void
test_release (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  connect_peer (&lab);
  ice_tcp_allocation_release (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TCP_TURN_ENDED], ==, 1);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpuint (lab.server.last_lifetime, ==, 0);
  g_assert_cmpint (lab.allocation->allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);
}

/* Peers that are none, or of another family. */
static void
test_bad_peers (void)
{
  const IceAddress peers[] = { address ("0.0.0.0", 1), address ("224.0.0.1", 1),
    address ("192.0.2.7", 0), address ("2001:db8::1", 1),
    address ("::ffff:192.0.2.7", 1) };
  Lab lab;

  lab_init (&lab);
  g_assert_cmpuint (
      ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now), ==, 0);
  allocate (&lab);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    g_assert_cmpuint (
        ice_tcp_allocation_connect (lab.allocation, &peers[i], lab.now), ==, 0);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECT], ==, 0);
  lab_clear (&lab);
}

/* A hundred peers that cannot be reached: the list of them ends somewhere. */
static void
test_447_flood (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CONNECT] = 447;
  for (guint i = 0; i < 100; i++) {
    lab.peer.port = 1000 + i;
    ice_tcp_allocation_connect (lab.allocation, &lab.peer, lab.now);
    exchange (&lab);
  }
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CONNECT], ==, 64);
  run_for (&lab, 10 * ICE_SECOND);
  lab.server.error[ICE_STUN_CONNECT] = 0;
  connect_peer (&lab);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc6062/4.1/allocate", test_allocate);
  g_test_add_func ("/rfc6062/4.1/no-retransmission", test_no_retransmission);
  g_test_add_func ("/rfc6062/4.2/refresh", test_refresh);
  g_test_add_func ("/rfc6062/4.3/connect", test_connect);
  g_test_add_func ("/rfc6062/4.3/same-peer", test_same_peer);
  g_test_add_func ("/rfc6062/4.3/447-waits-ten-seconds", test_447);
  g_test_add_func ("/rfc6062/4.3/447-flood", test_447_flood);
  g_test_add_func ("/rfc6062/4.3/stale-nonce", test_stale_nonce);
  g_test_add_func ("/rfc6062/4.3/stale-for-ever", test_stale_for_ever);
  g_test_add_func ("/rfc6062/4.3/useless-success", test_connect_useless);
  g_test_add_func ("/rfc6062/4.3/bad-peers", test_bad_peers);
  g_test_add_func ("/rfc6062/4.4/attempt", test_attempt);
  g_test_add_func ("/rfc6062/4.4/stranger", test_attempt_of_stranger);
  g_test_add_func ("/rfc6062/4.4/flood", test_attempt_flood);
  g_test_add_func ("/rfc6062/4.5/data", test_data);
  g_test_add_func ("/rfc6062/4.5/no-indications", test_no_indications);
  g_test_add_func ("/rfc6062/4.6/closed", test_closed);
  g_test_add_func ("/rfc6062/5.2/errors", test_connect_errors);
  g_test_add_func ("/rfc6062/5.2/437", test_connect_437);
  g_test_add_func ("/rfc6062/5.3/too-late", test_attempt_too_late);
  g_test_add_func ("/rfc6062/5.4/rubbish", test_bind_rubbish);
  g_test_add_func ("/rfc6062/5.4/refused", test_bind_refused);
  g_test_add_func ("/rfc6062/5.4/unanswered", test_bind_unanswered);
  g_test_add_func ("/rfc6062/5.5/control-closed", test_control_closed);
  g_test_add_func ("/rfc6062/5.5/expired", test_expired);
  g_test_add_func ("/rfc6062/5.5/release", test_release);
  return g_test_run ();
}
