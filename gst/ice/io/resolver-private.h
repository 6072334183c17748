/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "resolver.h"

G_BEGIN_DECLS

/* What a server's name is worth trying: more only delays the last one. */
#define ICE_RESOLVED_MAX 8

/* Two threads know a lookup: the loop's, which asks, waits and answers, and
 * the service's, where GResolver lives. Only the loop's touches what stands
 * below the gap. */
struct _IceResolve
{
  gatomicrefcount ref_count;
  gchar *service, *protocol; /* (owned) (nullable) no SRV */
  gchar *host;               /* (owned) */
  guint16 port;
  GCancellable *cancellable; /* (owned) */
  IceLoop *loop;             /* (owned) */

  IceTimer *timer;     /* (owned) (nullable) */
  IceResolveFunc func; /* (nullable) once answered or cancelled */
  gpointer user_data;
};

typedef struct
{
  IceAddress addresses[ICE_RESOLVED_MAX];
  guint n_addresses;
} IceResolved;

IceResolve *ice_resolve_ref (IceResolve *self);
void ice_resolve_unref (gpointer self);

/* The service's thread. At most @max of them, in the system's order (RFC 6724),
 * and with a place kept for a family that comes only behind many of the
 * other; none twice. */
void ice_resolved_add (
    IceResolved *self, const GList *addresses, guint16 port, guint max);
/* The first answer counts. */
void ice_resolve_answer (
    IceResolve *self, const IceResolved *found, const GError *error);
/* resolver-service.c */
void ice_resolve_look_up_service (IceResolve *self, GResolver *resolver);

G_END_DECLS
