/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an Allocate request may ask for beside one relayed address, what the
 * answer says to it, and asking again without what was refused. */
#include "allocation-private.h"

#include <string.h>

#include "../../base/bytes.h"
#include "../purity.h"

/* RFC 8489 14.1, RFC 8656 18.6: the family is the first of four bytes. */
#define FAMILY_IPV4 0x01u
#define FAMILY_IPV6 0x02u
/* RFC 8656 18.7: R, and seven bits for future use. */
#define EVEN_PORT_RESERVE 0x80
/* The ticket is the server's and opaque (RFC 8016 3.1.2), and goes back in a
 * request: one that leaves no room in a packet of 1280 bytes is of no use. */
#define TICKET_MAX 1024

/* RFC 8656 7.1 says which of them exclude each other:
 *
 *   RESERVATION-TOKEN  without EVEN-PORT and either address family;
 *   EVEN-PORT with R   without ADDITIONAL-ADDRESS-FAMILY;
 *   REQUESTED-         without ADDITIONAL-ADDRESS-FAMILY. */
static gboolean
asks_for_both (const IceTurnOptions *options)
{
  return options->both_families && !options->reserve && !options->has_token;
}

static void
add_family (IceStunBuilder *builder, guint16 type, guint family)
{
  ice_stun_builder_add_u32 (builder, type, family << 24);
}

void
ice_allocation_add_options (const IceAllocation *self, IceStunBuilder *builder)
{
  static const guint8 even_port = EVEN_PORT_RESERVE;
  const IceTurnOptions *options = &self->options;

  if (options->has_token) {
    ice_stun_builder_add_bytes (builder, ICE_STUN_RESERVATION_TOKEN,
        ICE_BYTES (options->token, sizeof options->token));
  } else {
    if (asks_for_both (options)) {
      add_family (builder, ICE_STUN_ADDITIONAL_ADDRESS_FAMILY, FAMILY_IPV6);
      add_family (
          builder, ICE_STUN_DRAFT_ADDITIONAL_ADDRESS_FAMILY, FAMILY_IPV6);
    } else if (self->family != ICE_FAMILY_NONE) {
      add_family (builder, ICE_STUN_REQUESTED_ADDRESS_FAMILY,
          self->family == ICE_FAMILY_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4);
    }
    if (options->reserve)
      ice_stun_builder_add_bytes (
          builder, ICE_STUN_EVEN_PORT, ICE_BYTES (&even_port, 1));
  }
  if (options->dont_fragment)
    ice_stun_builder_add_flag (builder, ICE_STUN_DONT_FRAGMENT);
  /* RFC 8016 3.1.1: of length zero, which asks for one. */
  if (options->mobility)
    ice_stun_builder_add_flag (builder, ICE_STUN_MOBILITY_TICKET);
}

/* What the answer says. */

/* RFC 8656 18.12: family, then as in ERROR-CODE. 0 when there is none. */
static guint
get_address_error (const IceStunMessage *answer)
{
  IceBytes value;

  if (!ice_stun_message_find (answer, ICE_STUN_ADDRESS_ERROR_CODE, &value) ||
      value.size < 4)
    return 0;
  return (value.data[2] & 7) * 100u + MIN (value.data[3], 99);
}

/* RFC 8656 7.3: one address, or one of each family when both were wanted. */
static void
take_relayed (IceAllocation *self, const IceStunMessage *answer)
{
  gboolean both = asks_for_both (&self->options);
  gsize offset = 0;
  guint16 type;
  IceBytes value;

  self->relayed = self->additional = ICE_ADDRESS_NONE;
  while (ice_stun_message_next (answer, &offset, &type, &value)) {
    IceAddress address;

    if (type != ICE_STUN_XOR_RELAYED_ADDRESS)
      continue;
    if (!ice_stun_message_value_to_xor_address (answer, value, &address) ||
        !ice_address_is_usable (&address)) {
      if (!both)
        return;
    } else if (self->relayed.family == ICE_FAMILY_NONE) {
      self->relayed = address;
    } else if (address.family != self->relayed.family) {
      self->additional = address;
    }
    if (!both || self->additional.family != ICE_FAMILY_NONE)
      return;
  }
}

static gboolean
is_as_wanted (const IceAllocation *self)
{
  return self->relayed.family != ICE_FAMILY_NONE &&
      (self->family == ICE_FAMILY_NONE || asks_for_both (&self->options) ||
          self->relayed.family == self->family);
}

static void
take_reservation (IceAllocation *self, const IceStunMessage *answer)
{
  IceBytes token;

  self->reserved = self->options.reserve &&
      ice_stun_message_find (answer, ICE_STUN_RESERVATION_TOKEN, &token) &&
      token.size == sizeof self->reservation;
  if (self->reserved)
    memcpy (self->reservation, token.data, token.size);
}

void
ice_allocation_take_ticket (IceAllocation *self, const IceStunMessage *answer)
{
  IceBytes ticket;

  if (!self->options.mobility ||
      !ice_stun_message_find (answer, ICE_STUN_MOBILITY_TICKET, &ticket) ||
      ticket.size == 0 || ticket.size > TICKET_MAX)
    return;
  g_clear_pointer (&self->ticket, g_bytes_unref);
  self->ticket = g_bytes_new (ticket.data, ticket.size);
}

gboolean
ice_allocation_take_options (IceAllocation *self, const IceStunMessage *answer)
{
  take_relayed (self, answer);
  if (!is_as_wanted (self))
    return FALSE;
  if (asks_for_both (&self->options) &&
      self->additional.family == ICE_FAMILY_NONE)
    self->additional_error = get_address_error (answer);
  take_reservation (self, answer);
  ice_allocation_take_ticket (self, answer);
  return TRUE;
}

/* Asking for less. */

static gboolean
take_out (gboolean *option)
{
  gboolean was_asked = *option;

  *option = FALSE;
  return was_asked;
}

static gboolean
take_all_out (IceTurnOptions *options)
{
  gboolean any = options->both_families || options->reserve ||
      options->dont_fragment || options->mobility || options->has_token;

  *options = (IceTurnOptions){ 0 };
  return any;
}

static gboolean
take_out_named (IceTurnOptions *options, guint16 type)
{
  switch (type) {
    case ICE_STUN_ADDITIONAL_ADDRESS_FAMILY:
    case ICE_STUN_DRAFT_ADDITIONAL_ADDRESS_FAMILY:
      return take_out (&options->both_families);
    case ICE_STUN_EVEN_PORT:
      return take_out (&options->reserve);
    case ICE_STUN_RESERVATION_TOKEN:
      return take_out (&options->has_token);
    case ICE_STUN_DONT_FRAGMENT:
      return take_out (&options->dont_fragment);
    case ICE_STUN_MOBILITY_TICKET:
      return take_out (&options->mobility);
    default:
      return FALSE;
  }
}

/* RFC 8489 14.9: a list of types. */
static gboolean
take_out_unknown (IceTurnOptions *options, const IceStunMessage *answer)
{
  IceBytes list;
  IceReader in;
  guint16 type;
  gboolean any = FALSE;

  if (!ice_stun_message_find (answer, ICE_STUN_UNKNOWN_ATTRIBUTES, &list))
    return take_all_out (options);
  ice_reader_init (&in, list);
  while (ice_read_u16 (&in, &type))
    any |= take_out_named (options, type);
  return any;
}

gboolean
ice_allocation_strip (IceAllocation *self, guint code,
    const IceStunMessage *answer, gboolean last_try)
{
  IceTurnOptions *options = &self->options;
  gboolean any;

  switch (code) {
    case 405:
      any = take_out (&options->mobility);
      break;
    case 420:
      any = take_out_unknown (options, answer);
      break;
    case 440:
    case 443:
      any = take_out (&options->both_families);
      break;
    case 508:
      /* RFC 8656 7.4: "remove or modify this attribute and try again
       * immediately". */
      any = take_out (&options->has_token) || take_out (&options->reserve) ||
          take_out (&options->both_families);
      break;
    default:
      any = take_all_out (options);
      break;
  }
  if (any && last_try)
    take_all_out (options);
  return any;
}
