/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "udp-batch.h"

G_BEGIN_DECLS

/* For socket.c and lane.c. */
struct _IceSocket
{
  gatomicrefcount ref_count; /* the watch holds one until close */
  GSocket *gsocket;          /* (owned) */
  gint fd;                   /* (unowned) gsocket's */
  IceAddress local;
  const IceUdp *udp;
  IceSocketEvents events;
  gpointer user_data; /* (unowned) */
  IceWatch *watch;    /* (owned) (nullable) the loop thread's; NULL: closed, or
                         paused */

  gint revoked;       /* atomic */
  gint full;          /* atomic: a sender waits for writable */
  gint segment_limit; /* atomic */
  gint dscp;          /* atomic */
  gboolean dont_fragment;

  /* Of a second socket on the port of another. */
  IceSocket *base; /* (owned) (nullable) whose events are ours */
  IceAddress to;   /* what it is connected to */
  gboolean paused; /* somebody else than the loop reads */
  /* (nullable) FALSE: the loop does not read now. */
  gboolean (*may_read) (gpointer user_data);
  gpointer may_read_data; /* (unowned) */

  GPtrArray *lanes; /* (nullable) (element-type IceSocket) (unowned) on ours */
  gint n_strays;    /* atomic: packets that are on their way to the loop */

  GMutex lock;   /* for loop: senders against close */
  IceLoop *loop; /* (owned) (nullable) until close */
};

/* A descriptor with all its options, not bound yet. */
gboolean
ice_socket_create (IceSocket *self, const IceAddress *local, GError **error);
/* From here on events come. */
gboolean ice_socket_start (IceSocket *self, IceLoop *loop, GError **error);
/* After paused has changed. */
void ice_socket_update_watch (IceSocket *self);
void ice_socket_receive (IceSocket *self);
void ice_socket_take_errors (IceSocket *self);
/* Any thread. (transfer full) (nullable) */
IceLoop *ice_socket_dup_loop (IceSocket *self);
IceSocket *ice_socket_alloc (IceUdpBatch batch);

G_END_DECLS
