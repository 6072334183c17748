/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Inside the pump: for gsticeagent-pump.c and gsticeagent-perform.c only. */

#include "gsticeagent-pump-private.h"
#include "gsticeports-private.h"
#include "gsticemux-private.h"
#include "io/mdns.h"
#include "io/resolver.h"

G_BEGIN_DECLS

/* One transport of the core. Found under the lock, because any thread may add
 * or remove one; but for link and dscp it belongs to the loop. */
typedef struct
{
  gatomicrefcount ref_count;
  guint transport;
  guint branch;
  GstIceLink *link; /* (owned) */
  gint dscp;        /* (atomic) -1: the default */
  guint socket;     /* of the route, 0: none */
  IceAddress to;    /* likewise */
  guint16 channel;  /* likewise, 0: none */
  gboolean touched; /* packets were pushed that nobody was woken for */
} GstIcePath;

GstIcePath *gst_ice_path_new (guint transport, guint branch);
GstIcePath *gst_ice_path_ref (GstIcePath *self);
void gst_ice_path_unref (GstIcePath *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIcePath, gst_ice_path_unref)

typedef struct _GstIceDetour GstIceDetour;
typedef struct _GstIceTrust GstIceTrust;
typedef struct _GstIcePumpLane GstIcePumpLane;

typedef struct
{
  guint id;
  GstIcePump *pump;  /* (unowned) closes the socket before it goes */
  IceSocket *socket; /* (owned) (nullable) of either of these one */
  IceTcp *tcp;       /* (owned) (nullable) */
  GstIceMuxShare
      *share; /* (owned) (nullable) UDP: the socket is others', too */
  gboolean conflict_told;
  GstIceDetour *detour; /* (owned) (nullable) TCP: until it is opened */
  GstIceTrust *trust;   /* (owned) (nullable) TLS: until it is known */
  gboolean opened;      /* TCP: a connection that was */
  GstIcePath *path;     /* (owned) (nullable) what it was opened for */
} GstIcePumpSocket;

/* Where media may come from (design 3): an address, or a TURN channel. */
typedef struct
{
  guint socket;
  guint16 channel; /* 0: none */
  IceAddress from;
} GstIceAcceptKey;

typedef struct
{
  GstIceAcceptKey key;
  GstIcePath *path; /* (owned) */
  IceAddress peer;  /* behind the channel; equals key.from otherwise */
} GstIceAccept;

/* An agent: the one that the pump was made for, or a fork of it. */
typedef struct
{
  guint branch;
  GstIceNotify *notify; /* (owned) */
  gboolean leaving;     /* no path is added any more */
} GstIceMember;

struct _GstIcePump
{
  gatomicrefcount ref_count;
  gchar *name; /* (owned) of the first agent, for the log */
  GstIceNotifyFunc handle_output;
  /* (owned) (nullable) No thread could be made. It changes with the mux, on its
   * own thread and under the lock. */
  IceLoop *loop;
  gint kicked; /* (atomic) the loop is going to look at the outputs */

  GMutex lock;       /* for what follows */
  IceCore *core;     /* (owned) */
  GHashTable *paths; /* (owned) transport id -> GstIcePath */
  IceSocketOptions options;
  gchar *ca_file;     /* (owned) (nullable) */
  gchar *proxy;       /* (owned) (nullable) secret; NULL: as the system says */
  GPtrArray *members; /* (owned) (element-type GstIceMember) oldest first */
  GHashTable *owners; /* (owned) id of a stream or transport -> its branch */
  guint last_server;  /* id given out */
  GstIceMux *mux;     /* (owned) (nullable) for sockets that may share a port */
  GArray *interfaces; /* (owned) (nullable) (element-type IceInterface) used */

  /* The loop's. */
  gboolean closed;
  IceTimer *timer;      /* (owned) (nullable) made on first use */
  GHashTable *sockets;  /* (owned) socket id -> GstIcePumpSocket */
  GHashTable *accepts;  /* (owned) GstIceAcceptKey -> GstIceAccept */
  GHashTable *lanes;    /* (owned) transport id -> GstIcePumpLane */
  GHashTable *resolves; /* (owned) (nullable) what perform started */
  GHashTable *proxies;  /* (owned) (nullable) URI -> IceProxy */
  GstIcePorts *ports;   /* (owned) (nullable) made on first use */
  GHashTable *names;    /* (owned) (nullable) our mDNS name -> IceMdnsName */
  GPtrArray *touched;   /* (owned) (element-type GstIcePath) */
  GArray *control;      /* (owned) guint: packets of a batch for the core */
  guint n_shares;       /* of @sockets */
};

/* gsticeagent-members.c: an output is for one of them, or for nobody any more.
 * (transfer full) @output */
void gst_ice_pump_tell (GstIcePump *self, IceOutput *output);
/* Under the lock. (nullable) */
GstIceMember *gst_ice_pump_find_member (GstIcePump *self, guint branch);
/* Under the lock. FALSE when nobody has @id. */
gboolean
gst_ice_pump_find_owner (GstIcePump *self, guint id, guint *ret_branch);
void gst_ice_pump_init_members (GstIcePump *self);
void gst_ice_pump_clear_members (GstIcePump *self);

/* gsticeagent-mux.c: the loop's. */

/* TRUE: the pump is another loop's from here on, where it runs again. */
gboolean gst_ice_pump_move (GstIcePump *self);
/* FALSE when the socket is to have a port of its own. */
gboolean gst_ice_pump_open_shared (GstIcePump *self, GstIcePumpSocket *socket,
    const IceOutput *output, const IceSocketOptions *options, GError **error);
/* Shares learn by which user fragments requests for them begin. */
void gst_ice_pump_update_shares (GstIcePump *self);

/* gsticeagent-pump.c: any thread. @func may run on a loop that is ours no more:
 * it asks gst_ice_pump_is_elsewhere, and if so has itself invoked again. */
void gst_ice_pump_invoke (GstIcePump *self, IceLoopFunc func);
gboolean gst_ice_pump_is_elsewhere (GstIcePump *self);
/* (transfer full) (nullable) */
IceLoop *gst_ice_pump_dup_loop (GstIcePump *self);
/* (element-type GstIcePath) */
GPtrArray *gst_ice_pump_list_paths (GstIcePump *self);
/* (transfer full) (nullable) */
GstIcePath *gst_ice_pump_find_path (GstIcePump *self, guint transport);
/* Loop thread: take and perform until nothing is left, then set the timer. */
void gst_ice_pump_run (GstIcePump *self);

/* gsticeagent-perform.c: loop thread, no lock held. */
/* A packet to @to was: paths there learn what the kernel knows. */
void gst_ice_pump_too_big (
    GstIcePump *self, const GstIcePumpSocket *socket, const IceAddress *to);
void gst_ice_pump_perform (GstIcePump *self, const IceOutput *output);
void gst_ice_pump_init_tables (GstIcePump *self);
void gst_ice_pump_clear_tables (GstIcePump *self);

/* gsticeagent-lane.c: likewise. */
void gst_ice_pump_init_lanes (GstIcePump *self);
void gst_ice_pump_route_changed (GstIcePump *self, GstIcePath *path);
void gst_ice_pump_accept_changed (GstIcePump *self, const GstIceAcceptKey *key);
void gst_ice_pump_close_lanes_of (GstIcePump *self, guint socket);
void gst_ice_pump_close_idle_lanes (GstIcePump *self, IceTime now);

/* gsticeagent-portmap.c: likewise. A socket without a mapping is fine. */
void gst_ice_pump_map_port (GstIcePump *self, const IceOutput *output);
void gst_ice_pump_unmap_port (GstIcePump *self, guint socket);
/* gsticeagent-mdns.c: (transfer full) for @lookup's user */
IceMdnsLookup *gst_ice_pump_look_up (GstIcePump *self, const IceOutput *output,
    IceTime timeout, IceResolveFunc func, gpointer user_data);
void gst_ice_pump_publish (GstIcePump *self, const IceOutput *output);
void gst_ice_pump_withdraw (GstIcePump *self, const IceOutput *output);

/* gsticeagent-tcp.c: the same for streams. */
void gst_ice_pump_listen (GstIcePump *self, const IceOutput *output);
void gst_ice_pump_connect (GstIcePump *self, const IceOutput *output);
/* The same for a socket that is in the table; it leaves it when it fails. */
void
gst_ice_pump_connect_socket (GstIcePumpSocket *socket, const IceOutput *output);

/* gsticeagent-trust.c: NULL when @socket need not wait. Otherwise it is
 * connected later, if it is still there. */
GstIceTrust *
gst_ice_trust_await (GstIcePumpSocket *socket, const IceOutput *output);
void gst_ice_trust_free (GstIceTrust *self);

/* gsticeagent-dial.c: what CONNECT asks for, and what it has to pass through.
 * @tunnel: (transfer full) (nullable) of the proxy at @via (nullable).
 * (transfer full) (nullable) */
IceTcp *gst_ice_pump_dial (GstIcePump *self, const IceOutput *output,
    IceStage *tunnel, const IceAddress *via, const IceSocketOptions *options,
    const IceTcpEvents *events, gpointer user_data, GError **error);

/* gsticeagent-pump.c: what came to a socket, which may be gone afterwards. */
void gst_ice_pump_take_packets (
    const GstIcePumpSocket *from, IceRxPacket *packets, guint n_packets);
extern const IceSocketEvents gst_ice_pump_socket_events;

G_END_DECLS
