/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a server of the simulated network does wrong (security.md 4.2). */
#pragma once

#include "gst/ice/core/core.h"

G_BEGIN_DECLS

typedef enum
{
  SIM_TURN_HEALTHY,
  SIM_TURN_DEAD,          /* U1: answers nothing */
  SIM_TURN_REFUSES,       /* U5: Allocate, by an error code */
  SIM_TURN_UNAUTHORIZED,  /* U4: 401 for ever */
  SIM_TURN_STALE,         /* U4: 438 for ever, a new nonce each time */
  SIM_TURN_STALE_SAME,    /* U4: likewise, the same nonce */
  SIM_TURN_CHANGES_REALM, /* U4: with each challenge */
  SIM_TURN_LIES,          /* U9: a relayed address that is none */
  SIM_TURN_UNSIGNED,      /* U10: success without an integrity */
  SIM_TURN_MISSIGNED,     /* U10: signed by another key */
  SIM_TURN_MISTAKES,      /* U10: a transaction that was not asked for */
  SIM_TURN_ODD_LIFETIME,  /* U8: 0, 1, for ever */
  SIM_TURN_FORBIDS,       /* U6: 403 to CreatePermission and ChannelBind */
  SIM_TURN_NO_CHANNELS,   /* U6: 400 to ChannelBind */
  SIM_TURN_N_FAULTS,
} SimTurnFault;

typedef struct
{
  SimTurnFault fault;
  guint code; /* of SIM_TURN_REFUSES */
  guint n_challenges;
} SimTrouble;

const gchar *sim_turn_fault_to_string (SimTurnFault fault);
/* The error code for a request that is @right by itself; 0: none. */
guint
sim_trouble_refuse (const SimTrouble *self, guint16 method, gboolean right);
/* What is challenged with. */
void sim_trouble_challenge (SimTrouble *self, gchar realm[32], gchar nonce[32]);
/* What an Allocate is answered with. */
void sim_trouble_relayed (const SimTrouble *self, IceAddress *relayed);
guint32 sim_trouble_lifetime (const SimTrouble *self, guint32 lifetime);

G_END_DECLS
