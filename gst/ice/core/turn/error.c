/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "error.h"

#include "../purity.h"

typedef struct
{
  guint code;
  IceTurnRemedy allocate, refresh, create_permission, channel_bind;
} Row;

#define NO ICE_TURN_GIVE_UP
#define AUTH ICE_TURN_AUTHENTICATE
#define REFUSED ICE_TURN_REFUSED
#define STRIP ICE_TURN_STRIP
#define LATER ICE_TURN_TRY_LATER
#define GONE ICE_TURN_GONE
#define OTHER ICE_TURN_OTHER_CREDENTIALS

/* Errors to a CreatePermission or a ChannelBind are "handled as described in
 * Section 5" and in RFC 8489 (RFC 8656 10.3, 12.3). Where they say that the
 * same request is not to be repeated, one without what was optional in it is
 * another request. */
static const Row rows[] = {
  /* RFC 8656 7.4, RFC 8489 10. What is allocated stays where it is. */
  { 300, ICE_TURN_REDIRECT, NO, NO, NO },
  /* RFC 8656 7.4: not again "until it believes the problem has been fixed". */
  { 400, STRIP, STRIP, NO, NO },
  /* RFC 8489 9.2.5 */
  { 401, AUTH, AUTH, AUTH, AUTH },
  /* RFC 8656 7.4, 10.2, 12.2: administratively prohibited. */
  { 403, NO, NO, NO, NO },
  /* RFC 8016 3.1.4, 3.2.4: mobility is forbidden, the rest is not. */
  { 405, STRIP, STRIP, NO, NO },
  /* RFC 8656 7.4, RFC 8489 6.3.4 */
  { 420, STRIP, STRIP, NO, NO },
  /* RFC 3489 11.2.9: stale credentials, wrong integrity, no user name. */
  { 430, REFUSED, REFUSED, REFUSED, REFUSED },
  { 431, REFUSED, REFUSED, REFUSED, REFUSED },
  { 432, REFUSED, REFUSED, REFUSED, REFUSED },
  /* RFC 8656 5, 7.4, 8.3 */
  { 437, ICE_TURN_ANOTHER_SOCKET, GONE, GONE, GONE },
  /* RFC 8489 9.2.5, RFC 8656 8.3 */
  { 438, AUTH, AUTH, AUTH, AUTH },
  /* RFC 8656 7.4: MUST NOT be retried for that family. */
  { 440, STRIP, NO, NO, NO },
  /* RFC 8656 5: the credentials that made it; 7.4: not to an Allocate. */
  { 441, NO, OTHER, OTHER, OTHER },
  /* RFC 8656 7.4 */
  { 442, NO, NO, NO, NO },
  /* RFC 8656 8.2, 10.2, 12.2: that family is not in the allocation. */
  { 443, STRIP, STRIP, NO, NO },
  /* RFC 8656 7.4: "wait at least 1 minute". */
  { 486, ICE_TURN_BAR, LATER, NO, NO },
  /* RFC 8489 14.8: "The client should try again." */
  { 500, LATER, LATER, LATER, LATER },
  /* RFC 8656 7.4: at once without EVEN-PORT and RESERVATION-TOKEN, else after
   * a minute; 10.2, 12.2: no room for it now. */
  { 508, STRIP, LATER, LATER, LATER },
  /* RFC 3489 11.2.9: "The client should not retry." */
  { 600, NO, NO, NO, NO },
};

IceTurnRemedy
ice_turn_error_remedy (guint16 method, guint code)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (rows[i].code != code)
      continue;
    switch (method) {
      case ICE_STUN_ALLOCATE:
        return rows[i].allocate;
      case ICE_STUN_REFRESH:
        return rows[i].refresh;
      case ICE_STUN_CREATE_PERMISSION:
        return rows[i].create_permission;
      default:
        return rows[i].channel_bind;
    }
  }
  /* RFC 8489 6.3.4: of those that nobody knows only 500 to 599 may be sent
   * again. */
  return code >= 500 && code <= 599 ? LATER : NO;
}
