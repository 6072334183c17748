/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Options of a=ice-options (RFC 8839 5.6) that change what ICE does. */
typedef enum
{
  ICE_OPTION_ICE2 = 1 << 0,         /* RFC 8445 10 */
  ICE_OPTION_TRICKLE = 1 << 1,      /* RFC 8838 */
  ICE_OPTION_RENOMINATION = 1 << 2, /* ice-renomination-01 3 */
} IceOption;

/* Which variant of ICE is played with one peer: what the application wants,
 * what the peer says, and, by the functions below, what follows from both.
 * Everything else asks these and never the fields. */
typedef struct
{
  gboolean lite;          /* RFC 8445 2.5: we are */
  gboolean aggressive;    /* wanted: RFC 5245 8.1.1.2 */
  gboolean continual;     /* wanted */
  gboolean wants_control; /* the role that signalling gave us */

  gboolean remote_lite;
  gboolean remote_known; /* its options were read */
  guint remote_options;  /* IceOption */
} IcePolicy;

/* Whether every check nominates. RFC 8445 10: who says `ice2` is nominated to
 * by one check only, and so is who may be renominated to. */
gboolean ice_policy_is_aggressive (const IcePolicy *self);
/* Nominations may be followed by others. We always offer it. */
gboolean ice_policy_renominates (const IcePolicy *self);
/* Candidates come and go as long as the session lasts. */
gboolean ice_policy_is_continual (const IcePolicy *self);
/* It may still turn out so: the peer has not been heard. */
gboolean ice_policy_may_be_continual (const IcePolicy *self);
/* RFC 8445 6.1.1: TRUE when this side controls. */
gboolean ice_policy_controls (const IcePolicy *self);
/* Of another peer: what the application wants is the same. */
void ice_policy_fork (IcePolicy *self, const IcePolicy *origin);
/* RFC 8445 8.2: both are lite, nobody checks anything. */
gboolean ice_policy_is_unchecked (const IcePolicy *self);

G_END_DECLS
