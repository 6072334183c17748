/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "settings.h"

G_BEGIN_DECLS

/* What icesrc and icesink have in common: properties, the agent they find, the
 * stream and component they use. Lives inside the element. */

typedef struct _GstIceEndpoint GstIceEndpoint;
typedef struct _GstIceMember GstIceMember;

typedef enum
{
  GST_ICE_ON_DISCONNECT_WAIT,
  GST_ICE_ON_DISCONNECT_EOS,
  GST_ICE_ON_DISCONNECT_ERROR,
} GstIceOnDisconnect;

/* The element hears of what happens to its transport; no lock is held. */
typedef struct
{
  void (*state_changed) (GstIceMember *self);
  /* Another path: the decoder at its end may need a keyframe. */
  void (*path_changed) (GstIceMember *self);
  /* No more media: the peer said bye, or left and on-disconnect says so. */
  void (*ended) (GstIceMember *self);
  /* In READY, with stream and transport: what the element connects to them
   * with itself as data is disconnected before they go. */
  void (*joined) (GstIceMember *self);
  /* In NULL again. */
  void (*left) (GstIceMember *self);
  /* Of a bin, in the service thread: a description is about to be made, or an
   * @offer (nullable) taken; it was; signalling or the peer said it is over. */
  void (*prepare) (GstIceMember *self, const gchar *offer);
  void (*negotiated) (GstIceMember *self);
} GstIceMemberFuncs;

typedef enum
{
  GST_ICE_MEMBER_ELEMENT, /* icesrc, icesink: has a stream and speaks for it */
  GST_ICE_MEMBER_BIN,     /* has no stream itself; hears of all */
  GST_ICE_MEMBER_PAD,     /* of that bin: what comes in is sent by a stream */
  GST_ICE_MEMBER_CARRIER, /* element in that bin: carries what pads send */
} GstIceMemberKind;

typedef enum
{
  GST_ICE_MEMBER_ASKING, /* the m-line is not known */
  GST_ICE_MEMBER_KNOWN,
} GstIceMemberMline;

struct _GstIceMember
{
  GstElement *element; /* (unowned) it has us inside */
  GstPad *pad;         /* (unowned) */
  gboolean is_sink;
  GstIceMemberKind kind;
  const GstIceMemberFuncs *funcs;

  /* properties, under the object lock of the element */
  GstIceAgent *agent; /* (owned) (nullable) as set */
  gchar *stream_name; /* (owned) */
  guint component;
  gchar *uri;                 /* (owned) (nullable) */
  GstIceSignaller *signaller; /* (owned) (nullable) as set */
  GstIceSignaller *made;      /* (owned) (nullable) */
  gchar *made_for;            /* (owned) (nullable) its uri, as it was set */
  gchar *stun_server;         /* (owned) (nullable) */
  gchar *turn_servers;        /* (owned) (nullable) */
  GstIceOnDisconnect on_disconnect;
  gboolean wait_for_connection, auto_restart, report_failure;
  GstIceAgentSettings *settings; /* (owned) the child "agent" */
  GstIceAgent *context_agent;    /* (owned) (nullable) of gst.ice.agent */

  gboolean retransmits; /* of a pad: its m-line has RFC 4588 */

  /* from READY on */
  GstIceEndpoint *endpoint;   /* (owned) (nullable) */
  GstIceStream *stream;       /* (owned) (nullable) */
  GstIceTransport *transport; /* (owned) (nullable) */
  gint state;                 /* GstIceState, atomic */
  gint parted;                /* atomic: the peer said bye */

  /* the endpoint's, under its lock */
  gboolean active; /* was in PAUSED */
  gboolean ended;  /* EOS */
  guint n_asked;   /* how often the other side of the pad was */
  GstIceMemberMline mline;
  GstCaps *caps; /* (owned) (nullable) of the m-line; NULL: none of its own */
};

enum
{
  GST_ICE_MEMBER_PROP_0,
  GST_ICE_MEMBER_PROP_AGENT,
  GST_ICE_MEMBER_PROP_STREAM,
  GST_ICE_MEMBER_PROP_COMPONENT,
  GST_ICE_MEMBER_PROP_URI,
  GST_ICE_MEMBER_PROP_SIGNALLER,
  GST_ICE_MEMBER_PROP_STUN_SERVER,
  GST_ICE_MEMBER_PROP_TURN_SERVERS,
  GST_ICE_MEMBER_PROP_ICE_TRANSPORT_POLICY,
  GST_ICE_MEMBER_PROP_WAIT_FOR_CONNECTION,
  GST_ICE_MEMBER_PROP_CONNECT_TIMEOUT,
  GST_ICE_MEMBER_PROP_ON_DISCONNECT,
  GST_ICE_MEMBER_PROP_AUTO_RESTART,
  GST_ICE_MEMBER_PROP_REPORT_FAILURE,
  GST_ICE_MEMBER_PROP_STATS,
  GST_ICE_MEMBER_PROP_STATE,
  GST_ICE_MEMBER_N_PROPS,
};

GType gst_ice_on_disconnect_get_type (void);

/* In class_init: ids below GST_ICE_MEMBER_N_PROPS are taken. */
void gst_ice_member_install_properties (GObjectClass *klass);
/* The same without stream and component. */
void gst_ice_member_install_bin_properties (GObjectClass *klass);
void gst_ice_member_init (GstIceMember *self, GstElement *element, GstPad *pad,
    const GstIceMemberFuncs *funcs);
void gst_ice_member_clear (GstIceMember *self);
/* A pad of a bin that is a member itself; it joins when the bin says so. */
void gst_ice_member_init_pad (GstIceMember *self, GstElement *bin, GstPad *pad,
    const GstIceMemberFuncs *funcs);
/* (transfer none) of icesrc, icesink or a bin */
GstIceMember *gst_ice_member_of (GstElement *element);
/* FALSE: not one of ours. */
gboolean
gst_ice_member_set_property (GstIceMember *self, guint id, const GValue *value);
gboolean
gst_ice_member_get_property (GstIceMember *self, guint id, GValue *value);
/* (transfer full) the child "agent" or "signaller" */
GObject *gst_ice_member_get_child (GstIceMember *self, const gchar *name);
/* GInterfaceInitFunc of GstChildProxy, with these two children. */
void gst_ice_member_child_proxy_init (gpointer iface, gpointer unused);
void gst_ice_member_set_context (GstIceMember *self, GstContext *context);

/* (transfer full) (nullable) what uri and signaller ask for; NULL without
 * error: nothing */
GstIceSignaller *
gst_ice_member_find_signaller (GstIceMember *self, GError **error);

/* Joins the session in READY, begins it in PAUSED, leaves it in NULL. An error
 * was posted when it fails. */
GstStateChangeReturn gst_ice_member_change_state (GstIceMember *self,
    GstElementClass *parent_class, GstStateChange transition);

/* (transfer full) (nullable) NULL in state NULL. For threads other than those
 * of state changes and data. */
GstIceTransport *gst_ice_member_ref_transport (GstIceMember *self);
GstIceStream *gst_ice_member_ref_stream (GstIceMember *self);
/* FALSE: no change. */
gboolean gst_ice_member_set_state (GstIceMember *self, GstIceState state);
gboolean gst_ice_member_is_connected (GstIceMember *self);
/* (transfer full) */
GstStructure *gst_ice_member_get_stats (GstIceMember *self);

G_END_DECLS
