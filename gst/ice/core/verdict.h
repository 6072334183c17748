/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What became of a datagram or a command. Anything but OK was counted. */
typedef enum
{
  ICE_VERDICT_OK,
  ICE_VERDICT_MALFORMED,
  ICE_VERDICT_UNAUTHENTICATED,
  ICE_VERDICT_UNEXPECTED, /* no such transaction, socket, stream, generation */
  ICE_VERDICT_REFUSED,    /* by policy: address, cap, state */
  ICE_VERDICT_DUPLICATE,
  ICE_VERDICT_NOT_STUN, /* media from an address that is not accepted */
} IceVerdict;

const gchar *ice_verdict_to_string (IceVerdict verdict);

G_END_DECLS
