/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lease.h"

G_BEGIN_DECLS

/* RFC 8656 12: a channel binding lasts 10 minutes; renewed a minute early. */
#define ICE_CHANNEL_LIFETIME (600 * ICE_SECOND)
#define ICE_CHANNEL_RENEW_AFTER (540 * ICE_SECOND)
/* RFC 8656 12: no other number for this peer until 5 minutes after the binding
 * expired, and at the server it may have been made when we last heard. */
#define ICE_CHANNEL_QUARANTINE (ICE_CHANNEL_LIFETIME + 300 * ICE_SECOND)

/* A number that stands for one peer inside an allocation. */
typedef struct
{
  IceAddress peer;
  guint16 number;
  IceLease lease;
} IceChannel;

IceChannel *ice_channel_new (const IceAddress *peer, guint16 number);
void ice_channel_free (IceChannel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceChannel, ice_channel_free)

/* Sends ChannelBind, for the first time or to renew. */
void ice_channel_request (IceChannel *self, IceTurnLink *link, IceTime now);
/* TRUE when packets may leave by it. */
gboolean ice_channel_is_bound (const IceChannel *self);
/* TRUE when the record may be dropped and the peer bound anew. */
gboolean ice_channel_is_stale (const IceChannel *self, IceTime now);
IceTurnAnswer ice_channel_receive (IceChannel *self, IceTurnLink *link,
    const IceStunMessage *answer, IceTime now, guint *ret_code);
/* FALSE when it ended just now. */
gboolean ice_channel_timeout (IceChannel *self, IceTurnLink *link, IceTime now);

G_END_DECLS
