/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../stun/message.h"

G_BEGIN_DECLS

/* What a client does about an error of a TURN server. Each is bounded: at most
 * four requests come of one, whatever the server goes on saying. */
typedef enum
{
  /* This request has failed. An allocation that a Refresh cannot prolong is
   * used until it expires. */
  ICE_TURN_GIVE_UP,
  /* Again, with what the challenge says (RFC 8489 9.2.5). */
  ICE_TURN_AUTHENTICATE,
  /* The password is wrong, or too old: other credentials are wanted. */
  ICE_TURN_REFUSED,
  /* Again at once, without the optional attributes that it refuses; a request
   * that has none has failed. */
  ICE_TURN_STRIP,
  /* Again a moment later: an Allocate, a permission and a channel once, a
   * Refresh as often as its lifetime allows. */
  ICE_TURN_TRY_LATER,
  /* The same at another server. */
  ICE_TURN_REDIRECT,
  /* The same from another socket. */
  ICE_TURN_ANOTHER_SOCKET,
  /* No allocation from this server for a minute. */
  ICE_TURN_BAR,
  /* There is no such allocation any more. */
  ICE_TURN_GONE,
  /* The allocation belongs to other credentials: back to those that made it. */
  ICE_TURN_OTHER_CREDENTIALS,
} IceTurnRemedy;

IceTurnRemedy ice_turn_error_remedy (guint16 method, guint code);

G_END_DECLS
