/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../../base/types.h"

G_BEGIN_DECLS

/* How large a packet the path takes, found by sending some (RFC 8899): padded
 * Binding requests that must not be fragmented. What is lost without a word, as
 * in a black hole, is told from what arrives by the answer alone.
 *
 * Sizes are those of whole IP packets. At most 15 packets for a search, one
 * where the path is an Ethernet's all along. */
typedef struct
{
  gboolean running;
  guint pair;         /* that it is about */
  guint lowest_lost;  /* index of a size that is lost, or their number */
  guint best;         /* one more than the index of the best that arrived */
  guint probe;        /* index of what is asked */
  guint n_sent;       /* of that size */
  IceTime next_at;    /* the next probe, or the next search */
  IceTime patience;   /* for an answer */
  gboolean searching; /* else waiting for the next search */
  guint mtu;          /* as found last; 0: not known */
} IceMtu;

void ice_mtu_start (IceMtu *self, guint pair, IceTime rtt, IceTime now);
void ice_mtu_stop (IceMtu *self);
/* The size of a probe to send now, 0: none. Until it is 0. */
guint ice_mtu_timeout (IceMtu *self, IceTime now);
/* A probe of that size was answered. */
void ice_mtu_answered (IceMtu *self, guint size, IceTime now);
IceTime ice_mtu_deadline (const IceMtu *self);

G_END_DECLS
