/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gatherer.h"

G_BEGIN_DECLS

/* The stream connections that checks go over (RFC 6544). To everybody else a
 * connection is a socket with a host candidate of its own, so that what belongs
 * to the socket of a candidate belongs to one connection: the pair, the answer
 * to a check, the source of media, the route. */
typedef struct
{
  guint id;
  IceCandidate *local; /* (owned) its socket is the connection, its endpoint the
                          socket of the candidate it comes from */
  IceAddress remote;
  gboolean opened, accepted;
  gboolean valid;    /* a signed check came over it, or was answered */
  gboolean overdue;  /* pairs that wait for its success do not any more */
  IceTime opened_at; /* asked for, until it opened */
  IceTime used_at;   /* likewise, and when a signed check came last */
} IceConnection;

/* Of one component, whoever opened them: strangers may connect, too. */
#define ICE_MAX_CONNECTIONS 32

/* CONNECT from @local, which is active or simultaneous-open. NULL: too many, or
 * its socket is gone; (unowned). */
IceConnection *ice_gatherer_connect (IceGatherer *self,
    const IceCandidate *local, const IceAddress *remote, IceTime now);
/* A connection that came to the socket of a passive or simultaneous-open
 * candidate. NULL: refused. */
IceConnection *ice_gatherer_accept (
    IceGatherer *self, guint listener, const IceAddress *remote, IceTime now);
/* (nullable) NULL when it is none that is being opened. */
IceConnection *ice_gatherer_connection_opened (
    IceGatherer *self, guint id, const IceAddress *bound, IceTime now);
/* (unowned) (nullable) */
IceConnection *ice_gatherer_find_connection (IceGatherer *self, guint id);
/* An open one between these two; (unowned) (nullable). */
IceConnection *ice_gatherer_find_connection_to (
    IceGatherer *self, const IceCandidate *local, const IceAddress *remote);
/* By index, until NULL. */
IceConnection *ice_gatherer_get_connection (IceGatherer *self, guint index);
/* With CLOSE_SOCKET; @id may be gone already. */
void ice_gatherer_close_connection (IceGatherer *self, guint id);
/* It closed by itself. */
void ice_gatherer_forget_connection (IceGatherer *self, guint id);

G_END_DECLS
