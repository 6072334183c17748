/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an Allocate asks for beside an address, and what comes of it. */
#include "allocation-lab.h"

static void
lab_init_options (Lab *lab, IceTurnOptions options)
{
  lab_init (lab);
  ice_allocation_set_options (lab->allocation, &options);
}

/* RFC 8656 7.1: "If the client wishes to obtain one IPv6 and one IPv4 relayed
 * transport address". One allocation, permissions and channels in both. */
static void
test_both_families (void)
{
  Lab lab;
  IceAddress peer = address ("2001:db8::7", 5000);

  lab_init_options (&lab, (IceTurnOptions){ .both_families = TRUE });
  lab.server.additional = address ("2001:db8:1::1", 49153);
  allocate (&lab);
  g_assert_cmpuint (lab.server.last_additional, ==, 2);
  g_assert_cmpuint (lab.server.last_family, ==, 0);
  g_assert_true (
      ice_address_equal (&lab.allocation->relayed, &lab.server.relayed));
  g_assert_true (
      ice_address_equal (&lab.allocation->additional, &lab.server.additional));
  g_assert_cmpuint (lab.n_events[ICE_TURN_ALLOCATED], ==, 1);

  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  ice_allocation_permit (lab.allocation, &peer, lab.now);
  ice_allocation_bind (lab.allocation, &peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 2);
  g_assert_true (ice_allocation_is_permitted (lab.allocation, &peer, lab.now));
  g_assert_true (
      ice_allocation_is_permitted (lab.allocation, &lab.peer, lab.now));
  g_assert_cmpuint (ice_allocation_channel (lab.allocation, &peer), !=, 0);
  /* RFC 8656 8.1: one Refresh without a family is for both. */
  run_for (&lab, 590 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 1);
  lab_clear (&lab);
}

/* An older server ignores the attribute, another gives one family and says why
 * (RFC 8656 7.3); rubbish in place of the second costs the second only. */
static void
test_one_of_both (void)
{
  Lab lab;
  IceAddress peer = address ("2001:db8::7", 5000);

  lab_init_options (&lab, (IceTurnOptions){ .both_families = TRUE });
  allocate (&lab);
  g_assert_cmpint (lab.allocation->additional.family, ==, ICE_FAMILY_NONE);
  g_assert_cmpuint (lab.allocation->additional_error, ==, 0);
  /* RFC 8656 10.1: no permission for what it does not relay. */
  ice_allocation_permit (lab.allocation, &peer, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_PERMISSION_REFUSED);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 0);
  lab_clear (&lab);

  lab_init_options (&lab, (IceTurnOptions){ .both_families = TRUE });
  lab.server.address_error = 440;
  allocate (&lab);
  g_assert_cmpuint (lab.allocation->additional_error, ==, 440);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  lab_clear (&lab);

  lab_init_options (&lab, (IceTurnOptions){ .both_families = TRUE });
  lab.server.additional = address ("ff02::1", 49153);
  allocate (&lab);
  g_assert_cmpint (lab.allocation->additional.family, ==, ICE_FAMILY_NONE);
  g_assert_true (
      ice_address_equal (&lab.allocation->relayed, &lab.server.relayed));
  lab_clear (&lab);
}

/* Two addresses where one was asked for: the second does not exist for us. */
static void
test_uninvited_address (void)
{
  Lab lab;
  IceAddress peer = address ("2001:db8::7", 5000);

  lab_init (&lab);
  lab.server.last_additional = 2;
  lab.server.additional = address ("2001:db8:1::1", 49153);
  allocate (&lab);
  g_assert_cmpint (lab.allocation->additional.family, ==, ICE_FAMILY_NONE);
  g_assert_false (ice_allocation_has_family (lab.allocation, peer.family));
  lab_clear (&lab);
}

/* RFC 8656 7.1: EVEN-PORT with R brings a token; with it go neither families
 * nor EVEN-PORT, which fake_turn_note_options() makes sure of. */
static void
test_even_port (void)
{
  Lab lab;
  IceTurnOptions options = { .reserve = TRUE, .both_families = TRUE };

  lab_init_options (&lab, options);
  lab.server.reserves = TRUE;
  allocate (&lab);
  g_assert_cmpmem (lab.server.last_even_port.data,
      lab.server.last_even_port.size, "\x80", 1);
  g_assert_true (lab.allocation->reserved);
  g_assert_cmpmem (lab.allocation->reservation, 8, "12345678", 8);
  memcpy (options.token, lab.allocation->reservation, 8);
  lab_clear (&lab);

  options.has_token = TRUE;
  lab_init_with (&lab, FAKE_PASSWORD, ICE_FAMILY_NONE);
  ice_allocation_set_options (lab.allocation, &options);
  allocate (&lab);
  g_assert_true (lab.server.has_token);
  g_assert_cmpmem (
      lab.server.last_token.data, lab.server.last_token.size, "12345678", 8);
  g_assert_false (lab.allocation->reserved);
  lab_clear (&lab);
}

/* RFC 8656 7.4: a token that is too old costs a request, not the relay. */
static void
test_token_refused (void)
{
  Lab lab;

  lab_init_options (&lab, (IceTurnOptions){ .has_token = TRUE });
  lab.server.dislikes[0].attribute = ICE_STUN_RESERVATION_TOKEN;
  lab.server.dislikes[0].code = 508;
  allocate (&lab);
  g_assert_false (lab.server.has_token);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 3);
  lab_clear (&lab);
}

static void
test_dont_fragment (void)
{
  Lab lab;
  IceStunMessage message;
  IcePacket *packet;

  lab_init_options (&lab, (IceTurnOptions){ .dont_fragment = TRUE });
  allocate (&lab);
  g_assert_true (lab.server.has_dont_fragment);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_true (ice_allocation_send (
      lab.allocation, &lab.peer, ICE_BYTES ("hello", 5), lab.now));
  packet = ice_allocation_take_packet (lab.allocation);
  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  g_assert_true (ice_stun_message_has (&message, ICE_STUN_DONT_FRAGMENT));
  ice_packet_unref (packet);
  lab_clear (&lab);

  /* RFC 8656 7.4: 420 that names it: again without, and never in a Send. */
  lab_init_options (
      &lab, (IceTurnOptions){ .dont_fragment = TRUE, .both_families = TRUE });
  lab.server.dislikes[0].attribute = ICE_STUN_DONT_FRAGMENT;
  lab.server.dislikes[0].code = 420;
  allocate (&lab);
  g_assert_false (lab.allocation->options.dont_fragment);
  g_assert_true (lab.allocation->options.both_families);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  ice_allocation_send (
      lab.allocation, &lab.peer, ICE_BYTES ("hello", 5), lab.now);
  packet = ice_allocation_take_packet (lab.allocation);
  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  g_assert_false (ice_stun_message_has (&message, ICE_STUN_DONT_FRAGMENT));
  ice_packet_unref (packet);
  lab_clear (&lab);
}

/* RFC 8016 3.1.1: a ticket is asked for by an empty one. */
static void
test_ticket_is_asked_for (void)
{
  Lab lab;

  lab_init_options (&lab, (IceTurnOptions){ .mobility = TRUE });
  lab.server.ticket = "first class";
  allocate (&lab);
  g_assert_true (lab.server.has_ticket);
  g_assert_cmpuint (lab.server.last_ticket.size, ==, 0);
  g_assert_nonnull (lab.allocation->ticket);
  g_assert_cmpuint (g_bytes_get_size (lab.allocation->ticket), ==, 11);
  /* RFC 8016 3.2.1: not in a Refresh from where it was. */
  run_for (&lab, 590 * ICE_SECOND);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_false (lab.server.has_ticket);
  lab_clear (&lab);

  /* Uninvited. */
  lab_init (&lab);
  lab.server.ticket = "first class";
  allocate (&lab);
  g_assert_null (lab.allocation->ticket);
  lab_clear (&lab);
}

/* RFC 8016 3.1.4: 405 is about the ticket, not about the allocation. */
static void
test_mobility_forbidden (void)
{
  Lab lab;

  lab_init_options (
      &lab, (IceTurnOptions){ .mobility = TRUE, .dont_fragment = TRUE });
  lab.server.dislikes[0].attribute = ICE_STUN_MOBILITY_TICKET;
  lab.server.dislikes[0].code = 405;
  allocate (&lab);
  g_assert_false (lab.allocation->options.mobility);
  g_assert_true (lab.allocation->options.dont_fragment);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 3);
  lab_clear (&lab);
}

/* It dislikes one thing after the other: the fourth request has none of them
 * left and is the last. */
static void
test_fussy_server (void)
{
  Lab lab;

  lab_init_options (&lab,
      (IceTurnOptions){
          .both_families = TRUE, .mobility = TRUE, .dont_fragment = TRUE });
  lab.server.dislikes[0].attribute = ICE_STUN_MOBILITY_TICKET;
  lab.server.dislikes[0].code = 405;
  lab.server.dislikes[1].attribute = ICE_STUN_DONT_FRAGMENT;
  lab.server.dislikes[1].code = 420;
  lab.server.dislikes[2].attribute = ICE_STUN_ADDITIONAL_ADDRESS_FAMILY;
  lab.server.dislikes[2].code = 440;
  allocate (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 4);
  lab_clear (&lab);
}

/* RFC 8656 18.13: what is in the attribute; 11.6: never data. */
static IcePacket *
icmp (const IceAddress *peer, IceBytes value, gboolean with_data)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda, 0x7a };
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  ice_stun_builder_add_bytes (&builder, ICE_STUN_ICMP, value);
  if (with_data)
    ice_stun_builder_add_bytes (
        &builder, ICE_STUN_DATA_ATTRIBUTE, ICE_BYTES ("data", 4));
  return ice_stun_builder_end (&builder);
}

static IceTurnVerdict
receive_icmp (
    Lab *lab, const IceAddress *peer, IceBytes value, gboolean with_data)
{
  g_autoptr (IcePacket) packet = icmp (peer, value, with_data);
  IceAddress from;
  IceBytes payload;
  IceTurnVerdict verdict = receive (lab, packet, &from, &payload);

  note_events (lab);
  return verdict;
}

static void
test_icmp (void)
{
  static const guint8 too_big[] = { 0xff, 0xff, 3, 4, 0, 0, 5, 0xdc };
  static const guint8 longer[] = { 0, 0, 3, 3, 0, 0, 0, 0, 0 };
  Lab lab;
  IceAddress stranger = address ("192.0.2.99", 5000), portless;

  lab_init (&lab);
  allocate (&lab);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  for (guint with_data = 0; with_data < 2; with_data++) {
    g_assert_cmpint (receive_icmp (&lab, &lab.peer,
                         ICE_BYTES (too_big, sizeof too_big), with_data),
        ==, ICE_TURN_HANDLED);
    g_assert_cmpint (lab.event.type, ==, ICE_TURN_PEER_UNREACHABLE);
    g_assert_cmpuint (lab.event.icmp.type, ==, 3);
    g_assert_cmpuint (lab.event.icmp.code, ==, 4);
    g_assert_cmpuint (lab.event.icmp.data, ==, 1500);
    g_assert_true (ice_address_equal (&lab.event.peer, &lab.peer));
  }
  /* 11.5: "otherwise, the port portion is set to zero". */
  portless = lab.peer;
  portless.port = 0;
  g_assert_cmpint (
      receive_icmp (&lab, &portless, ICE_BYTES (too_big, 8), FALSE), ==,
      ICE_TURN_HANDLED);
  /* Malformed, or about a peer without permission. */
  g_assert_cmpint (receive_icmp (&lab, &lab.peer, ICE_BYTES (too_big, 7), TRUE),
      ==, ICE_TURN_DROPPED);
  g_assert_cmpint (receive_icmp (&lab, &lab.peer, ICE_BYTES (longer, 9), TRUE),
      ==, ICE_TURN_DROPPED);
  g_assert_cmpint (
      receive_icmp (&lab, &stranger, ICE_BYTES (too_big, 8), FALSE), ==,
      ICE_TURN_DROPPED);
  g_assert_cmpuint (lab.n_events[ICE_TURN_PEER_UNREACHABLE], ==, 3);
  lab_clear (&lab);
}

static void
test_hard_errors (void)
{
  static const struct
  {
    IceFamily family;
    guint8 type, code;
    gboolean is_hard;
  } rows[] = {
    { ICE_FAMILY_IPV4, 3, 0, TRUE },
    { ICE_FAMILY_IPV4, 3, 1, TRUE },
    { ICE_FAMILY_IPV4, 3, 3, TRUE },
    { ICE_FAMILY_IPV4, 3, 4, FALSE }, /* fragmentation needed */
    { ICE_FAMILY_IPV4, 3, 13, TRUE },
    { ICE_FAMILY_IPV4, 11, 0, FALSE }, /* travelled too long */
    { ICE_FAMILY_IPV4, 1, 0, FALSE },
    { ICE_FAMILY_IPV6, 1, 0, TRUE },
    { ICE_FAMILY_IPV6, 1, 4, TRUE },
    { ICE_FAMILY_IPV6, 2, 0, FALSE }, /* packet too big */
    { ICE_FAMILY_IPV6, 3, 0, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IceIcmpError error = { .type = rows[i].type, .code = rows[i].code };

    g_assert_cmpint (
        ice_icmp_error_is_hard (&error, rows[i].family), ==, rows[i].is_hard);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8656/7.1/both-families", test_both_families);
  g_test_add_func ("/rfc8656/7.3/one-of-both", test_one_of_both);
  g_test_add_func ("/rfc8656/7.3/uninvited-address", test_uninvited_address);
  g_test_add_func ("/rfc8656/7.1/even-port", test_even_port);
  g_test_add_func ("/rfc8656/7.4/token-refused", test_token_refused);
  g_test_add_func ("/rfc8656/7.1/dont-fragment", test_dont_fragment);
  g_test_add_func (
      "/rfc8016/3.1/ticket-is-asked-for", test_ticket_is_asked_for);
  g_test_add_func ("/rfc8016/3.1/forbidden", test_mobility_forbidden);
  g_test_add_func ("/rfc8656/7.4/fussy-server", test_fussy_server);
  g_test_add_func ("/rfc8656/11.6/icmp", test_icmp);
  g_test_add_func ("/rfc8656/11.6/hard-errors", test_hard_errors);
  return g_test_run ();
}
