/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tcp.h"

G_BEGIN_DECLS

typedef enum
{
  ICE_TCP_LISTENING,
  ICE_TCP_CONNECTING,
  ICE_TCP_HANDSHAKING, /* of the stages */
  ICE_TCP_OPEN,
} IceTcpState;

/* Whole frames, in the order they go out. */
typedef struct
{
  GQueue frames;  /* (owned) (element-type Frame) */
  gsize size;     /* bytes of media */
  gboolean woken; /* the loop is going to look, or waits for room */
} IceTcpQueue;

struct _IceTcp
{
  gatomicrefcount ref_count; /* the watch holds one until the end */
  GSocket *gsocket;          /* (owned) */
  gint fd;                   /* (unowned) gsocket's */
  gboolean datagrams;
  IceFraming framing;
  IceTcpEvents events;
  gpointer user_data; /* (unowned) */
  gint revoked;       /* atomic */

  /* The loop thread's. */
  IceTcpState state;
  IceAddress local, remote;
  IceWatch *watch; /* (owned) (nullable) NULL: closed */
  IceTimer *pause; /* (owned) (nullable) of accepting */
  IceDeframer deframer;
  IcePacket *writing; /* (owned) (nullable) the frame that is being written */
  gsize written;      /* so much of it is */
  IceStages *stages;  /* (owned) (nullable) */
  IceTimer *deadline; /* (owned) (nullable) of the handshake */
  IceTimer *repeat;   /* (owned) (nullable) of lost datagrams */
  IceTime begun_at;   /* to connect, then the handshake */

  GMutex lock;   /* for what follows */
  IceLoop *loop; /* (owned) (nullable) until the end */
  IceTcpQueue queue;
};

/* tcp.c: it is over; tells so. */
void ice_tcp_end (IceTcp *self, const gchar *reason);

/* Frames that lie in @slab (nullable) are not copied. */
void ice_tcp_deframe (IceTcp *self, IceRxSlab *slab, IceBytes bytes);

/* tcp-stage.c, loop thread: the socket is connected. */
void ice_tcp_begin_handshake (IceTcp *self);
/* Something happened to the stages. */
void ice_tcp_settle_stages (IceTcp *self);
void ice_tcp_receive_datagrams (IceTcp *self);
void ice_tcp_receive_stream (IceTcp *self, IceBytes bytes);
/* The peer sends no more, or @reason. */
void ice_tcp_end_stages (IceTcp *self, const gchar *reason);
/* FALSE: the kernel takes no more now, or @error. */
gboolean ice_tcp_write_below (IceTcp *self, GError **error);

/* tcp-write.c, loop thread. FALSE: the kernel takes no more now, or @error. */
gboolean ice_tcp_write (IceTcp *self, GError **error);
/* Writes, and waits for room or ends as needed. */
void ice_tcp_flush (IceTcp *self);
void ice_tcp_queue_clear (IceTcpQueue *self);
/* (transfer full) (nullable) the next frame. */
IcePacket *ice_tcp_pop (IceTcp *self);

G_END_DECLS
