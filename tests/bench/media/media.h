/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What media costs: two ends of one transport, a wire to set it up by, and the
 * packets that were counted. Every variant is measured by the same code. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Lines between the two ends while they get to know each other. */
typedef struct
{
  gint fd;
  GString *rest;      /* read and not yet a line */
  const gchar *relay; /* (nullable) HOST:PORT of the sender's TURN server */
  guint coalesce;     /* us that the receiver may wait */
  gint port;          /* that media comes to */
} Wire;

void wire_init (Wire *self, gint fd);
void wire_send (Wire *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);
/* (transfer full) never NULL: a wire that ends is the end of the program */
gchar *wire_receive (Wire *self);

/* How it is asked for on the command line. */
typedef struct
{
  const gchar *variant;
  gint size;      /* bytes of a packet */
  gint list;      /* packets of a GstBufferList; 1: buffers */
  gint processes; /* 1 or 2 */
  gint packets;   /* how many */
  gint window;    /* under way at most */
  gint rate;      /* a second; 0: as many as go */
  gint flood;     /* a second, by a stranger to the receiver's port */
  gint coalesce;
  gchar *relay; /* (nullable) */
} Settings;

#define LATENCIES_MAX (1 << 20)

/* In memory that both ends have. */
typedef struct
{
  gint received;            /* (atomic) packets */
  gint waiting;             /* (atomic) the sender sleeps until there is room */
  gint done;                /* (atomic) the sender has sent all */
  gint port;                /* (atomic) the receiver's */
  gint n_flood;             /* (atomic) packets */
  gint64 flood_us;          /* that took */
  gint64 first_us, last_us; /* of the receiver */
  gdouble send_cpu, receive_cpu; /* seconds */
  gint n_latencies;
  guint latencies[LATENCIES_MAX]; /* ns */
} Shared;

typedef struct
{
  const gchar *name;
  /* (transfer full) the element, PLAYING and connected; NULL when it has none
   * and brings functions of its own. */
  GstElement *(*connect) (Wire *wire, gboolean sender);
  void (*send) (Wire *wire, const Settings *settings, Shared *shared);
  void (*receive) (Wire *wire, const Settings *settings, Shared *shared);
} Variant;

extern const Variant variant_ice, variant_udp, variant_raw;
#ifdef HAVE_NICE
extern const Variant variant_nice;
#endif

/* flood.c: until the sender has sent all. */
void flood_run (const Settings *settings, Shared *shared);

/* flow.c: a window, so that nothing is lost, at the same price for all. */
void flow_wait (const Settings *settings, Shared *shared, gint n_sent);
/* @data: the first of them, for its time. Receiver's thread. */
void flow_received (
    const Settings *settings, Shared *shared, gint n, const guint8 *data);
/* Stamps @data, and sleeps until packet @index is due. */
void flow_pace (const Settings *settings, gint index, gint64 start_ns);
void flow_stamp (guint8 *data);
gint64 flow_now_ns (void);

G_END_DECLS
