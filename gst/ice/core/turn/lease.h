/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "request.h"

G_BEGIN_DECLS

/* Something a TURN server grants for a fixed time and the client renews while
 * it is wanted: a permission, a channel. The owner builds the requests; the
 * lease knows when, and what the answers mean for it. */
typedef enum
{
  ICE_LEASE_REQUESTED, /* asked for, never granted yet */
  ICE_LEASE_HELD,
  ICE_LEASE_LOST, /* refused, given up or expired */
} IceLeaseState;

typedef struct
{
  IceLeaseState state;
  guint16 method;   /* that asks for it */
  gboolean wanted;  /* FALSE: not renewed, expires in peace */
  gboolean retried; /* the one delayed retry was used */
  IceTurnRequest request;
  IceTime lifetime, renew_after;
  IceTime renew_at, expires_at, lost_at; /* ICE_TIME_NEVER when unset */
} IceLease;

typedef enum
{
  ICE_LEASE_IDLE,
  ICE_LEASE_RENEW, /* build the request and start it */
  ICE_LEASE_ENDED, /* the state became LOST just now */
} IceLeaseStep;

void ice_lease_init (
    IceLease *self, guint16 method, IceTime lifetime, IceTime renew_after);
void ice_lease_clear (IceLease *self);
/* Also called when something else renews it as a side effect. */
void ice_lease_grant (IceLease *self, IceTime now);
void ice_lease_lose (IceLease *self, IceTime now);
/* What is held, and was refused, is asked for again. */
void ice_lease_ask_again (IceLease *self, IceTime now);
/* A lost lease may be asked for again once some time has passed, so that a
 * caller in a loop does not become a storm. */
gboolean ice_lease_may_ask_again (const IceLease *self, IceTime now);
/* RETRY: build the request again and start it. After SUCCESS and ERROR look at
 * the state. */
IceTurnAnswer ice_lease_receive (IceLease *self, IceTurnLink *link,
    const IceStunMessage *answer, IceTime now, guint *ret_code);
IceLeaseStep ice_lease_timeout (IceLease *self, IceTurnLink *link, IceTime now);
IceTime ice_lease_deadline (const IceLease *self);

G_END_DECLS
