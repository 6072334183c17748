/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lease.h"

G_BEGIN_DECLS

/* RFC 8656 9: a permission MUST last 300 s; it is renewed a minute early,
 * which leaves a lost transaction time to be repeated. */
#define ICE_PERMISSION_LIFETIME (300 * ICE_SECOND)
#define ICE_PERMISSION_RENEW_AFTER (240 * ICE_SECOND)

/* Leave to exchange packets with one IP address through an allocation. */
typedef struct
{
  IceAddress peer; /* port 0: permissions know no ports (RFC 8656 9) */
  GArray *users;   /* (element-type IceAddress) (owned) who needs it */
  IceLease lease;
} IcePermission;

IcePermission *ice_permission_new (const IceAddress *peer);
void ice_permission_free (IcePermission *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcePermission, ice_permission_free)

/* FALSE when there are too many. */
gboolean ice_permission_add_user (IcePermission *self, const IceAddress *user);
void ice_permission_remove_user (IcePermission *self, const IceAddress *user);
/* Sends CreatePermission, for the first time or to renew. */
void
ice_permission_request (IcePermission *self, IceTurnLink *link, IceTime now);
/* TRUE when packets may pass. They may as soon as the request is out: the
 * server handles datagrams in order, and its answer can be late or lost. */
gboolean ice_permission_is_open (const IcePermission *self, IceTime now);
IceTurnAnswer ice_permission_receive (IcePermission *self, IceTurnLink *link,
    const IceStunMessage *answer, IceTime now, guint *ret_code);
/* FALSE when it ended just now. */
gboolean
ice_permission_timeout (IcePermission *self, IceTurnLink *link, IceTime now);

G_END_DECLS
