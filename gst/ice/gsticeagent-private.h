/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticeagent-pump-private.h"
#include "gsticeagent.h"
#include "gsticedescription-private.h"
#include "gsticeserver-private.h"

G_BEGIN_DECLS

/* Where offer and answer stand (RFC 3264 4, RFC 8829 3.2). */
typedef enum
{
  GST_ICE_EXCHANGE_NONE,
  GST_ICE_EXCHANGE_LOCAL_OFFER,
  GST_ICE_EXCHANGE_REMOTE_OFFER,
  GST_ICE_EXCHANGE_ANSWERED, /* their offer by us, which may be said again */
  GST_ICE_EXCHANGE_DONE,     /* our offer by them */
} GstIceExchange;

/* One m-line of the session: it never goes away, only to port 0
 * (RFC 3264 8). */
typedef struct
{
  GstIceStream *stream; /* (owned) (nullable) NULL: rejected or removed */
  gchar *mid;           /* (owned) (nullable) as it is said */
  GstCaps *caps;        /* (owned) (nullable) what the m-line was about */
  GstCaps *sent;        /* (owned) (nullable) of mlines_before: local caps */
} GstIceMline;

/* A remote candidate that came before the description it belongs to. */
typedef struct
{
  gchar *mid;        /* (owned) (nullable) */
  guint mline_index; /* when there is no mid */
  gchar *candidate;  /* (owned) "" ends */
  gchar *ufrag;      /* (owned) (nullable) beside the candidate */
} GstIceEarlyCandidate;

typedef struct
{
  GMutex lock; /* one exchange at a time; before object and pump lock */
  GstIceExchange exchange, exchange_before; /* a rollback goes back to */
  GPtrArray *mlines;           /* (owned) (element-type GstIceMline) */
  GPtrArray *mlines_before;    /* (owned) (nullable) likewise */
  gboolean settled;            /* an answer was made: the m-lines stay */
  GstIceDescription *remote;   /* (owned) (nullable) the peer's last */
  guint64 session_id, version; /* of our o= line */
  GQueue early;                /* (owned) (element-type GstIceEarlyCandidate) */
} GstIceNegotiation;

typedef struct
{
  gboolean controlling, controlling_set; /* set: the application has decided */
  GstIcePolicy policy;
  GstIceTcpPolicy tcp;
  GstIceTurnOptions turn_options;
  guint16 min_port, max_port;
  gchar *interfaces, *ignore_interfaces; /* (owned) (nullable) */
  GstIceIpFamily ip_family;
  gboolean consent;
  GstIceBundle bundle;
  guint connect_timeout; /* ms */
  gboolean allow_non_ice;
  gint dscp;      /* -1: leave alone */
  gchar *ca_file; /* (owned) (nullable) */
  gboolean dont_fragment, mtu_probing;
  guint16 mux_port;          /* 0: none */
  gchar *external_addresses; /* (owned) (nullable) as it was set */
  GBytes *external;          /* (owned) (nullable) what that means */
  gboolean ice_lite, continual_gathering;
  GstIceNomination nomination;
  GstIcePortMapping port_mapping;
  GstIceMdns mdns;
} GstIceSettings;

struct _GstIceAgent
{
  GstObject parent;

  GMainContext *main_context; /* (owned) (nullable) construct only */
  GstIceNotify *notify;       /* (owned) */
  GstIcePump *pump;           /* (owned) forks share it */
  guint branch;               /* of the pump's core, which is this agent */

  /* Under the object lock. */
  GstIceSettings settings;
  GPtrArray *servers; /* (owned) (element-type GstIceServer) */
  GPtrArray *streams; /* (owned) (element-type GstIceStream) as requested */
  GstIceState state;
  GstIceGatheringState gathering_state;
  gboolean closed;

  struct _IceInterfacesWatch *watch; /* (owned) (nullable) networks */

  GstIceNegotiation negotiation;
};

typedef enum
{
  GST_ICE_AGENT_NEW_CANDIDATE,
  GST_ICE_AGENT_GATHERING_DONE,
  GST_ICE_AGENT_END_OF_CANDIDATES,
  GST_ICE_AGENT_LOCAL_DESCRIPTION,
  GST_ICE_AGENT_SELECTED_PAIR,
  GST_ICE_AGENT_CANDIDATE_ERROR,
  GST_ICE_AGENT_CREDENTIALS_NEEDED,
  GST_ICE_AGENT_NEW_REMOTE_CANDIDATE,
  GST_ICE_AGENT_FIRST_CHECK,
  GST_ICE_AGENT_ERROR,
  GST_ICE_AGENT_WARNING,
  GST_ICE_AGENT_CONSENT_LOST,
  GST_ICE_AGENT_RESTART_NEEDED,
  GST_ICE_AGENT_N_SIGNALS
} GstIceAgentSignal;

extern guint gst_ice_agent_signals[GST_ICE_AGENT_N_SIGNALS];

/* gsticeagent.c */

/* gst_ice_pump_lock: commands that name no stream are this agent's. */
IceCore *gst_ice_agent_lock_core (GstIceAgent *self);
/* (transfer full) @branch of the pump of @origin, with nothing in it. */
GstIceAgent *gst_ice_agent_new_fork (GstIceAgent *origin, guint branch);

/* FALSE, and GST_ICE_ERROR_CLOSED, after close. */
gboolean gst_ice_agent_check_open (GstIceAgent *self, GError **error);
/* (transfer full) (nullable) */
GstIceStream *gst_ice_agent_find_stream (GstIceAgent *self, const gchar *name);
/* (transfer full) (nullable) by the core's ids */
GstIceStream *gst_ice_agent_find_core_stream (GstIceAgent *self, guint id);
GstIceStream *gst_ice_agent_find_transport (
    GstIceAgent *self, guint transport, guint *ret_component);
/* Starts what was not started in this generation. (element-type
 * GstIceStream) */
void gst_ice_agent_gather_streams (GstIceAgent *self, GPtrArray *streams);
/* @func runs as signals do (design 9.12): ordered, no lock held; not at all
 * when the agent goes first. */
void gst_ice_agent_dispatch (
    GstIceAgent *self, GSourceFunc func, gpointer data, GDestroyNotify destroy);

/* gsticeagent-signals.c */
void gst_ice_agent_install_signals (void);

/* gsticeagent-events.c */

/* GstIceNotifyFunc for an IceOutput. */
void gst_ice_agent_handle_output (GstIceAgent *self, gpointer output);
/* Notification thread: the properties that sum up the streams. */
void gst_ice_agent_update_states (GstIceAgent *self);
/* Have them run there. */
void gst_ice_agent_queue_update_states (GstIceAgent *self);
/* Emits "error" or "warning"; @error is copied. */
void gst_ice_agent_queue_error (GstIceAgent *self, const GError *error);
void gst_ice_agent_queue_notify (
    GstIceAgent *self, GObject *object, const gchar *property);
/* For the session: emits "local-description". */
void gst_ice_agent_emit_local_description (
    GstIceAgent *self, const gchar *type, const gchar *sdp);

/* gsticeagent-properties.c */
/* Tells the core, for the next gathering. */
void gst_ice_agent_apply_gather_config (GstIceAgent *self);
gint gst_ice_agent_get_dscp (GstIceAgent *self);
void gst_ice_agent_install_properties (GObjectClass *klass);
void gst_ice_settings_init (GstIceSettings *self);
void gst_ice_settings_clear (GstIceSettings *self);
/* Offer and answer decide unless the application did. Returns the role that
 * holds. */
void gst_ice_agent_decide_role (GstIceAgent *self, gboolean controlling);
void gst_ice_agent_set_role (GstIceAgent *self, gboolean controlling);
/* (transfer full for @server) */
void gst_ice_agent_take_server (GstIceAgent *self, GstIceServer *server);
gboolean gst_ice_agent_put_server (GstIceAgent *self, const gchar *uri,
    const gchar *username, const gchar *password, GError **error);

/* (transfer full) (nullable) */
gchar *gst_ice_agent_dup_server_url (GstIceAgent *self, guint id);

/* gsticeagent-dial.c */
void gst_ice_agent_set_ca_file (GstIceAgent *self, const gchar *ca_file);

/* gsticeagent-proxy.c: (transfer full) (nullable) without the password. */
void gst_ice_agent_set_proxy (GstIceAgent *self, const gchar *uri);
gchar *gst_ice_agent_dup_proxy (GstIceAgent *self);
GParamSpec *gst_ice_agent_make_proxy_property (GParamFlags flags);

/* gsticeagent-policy.c */
void gst_ice_agent_install_policy_properties (GObjectClass *klass, guint first);
/* @which counts from @first above; FALSE when there is none. */
gboolean gst_ice_agent_set_policy_property (
    GstIceAgent *self, guint which, const GValue *value);
gboolean gst_ice_agent_get_policy_property (
    GstIceAgent *self, guint which, GValue *value);
/* Names of candidates may be asked for, on the networks that are used. */
gboolean gst_ice_agent_allows_names (GstIceAgent *self);
/* Networks are watched while continual-gathering is on. */
void gst_ice_agent_watch_interfaces (GstIceAgent *self, gboolean watch);
void gst_ice_agent_watch_if_wanted (GstIceAgent *self);
/* The addresses as they are now, by the agent's filters. */
void gst_ice_agent_update_interfaces (GstIceAgent *self);
/* The property says what the core has decided. */
void gst_ice_agent_sync_role (GstIceAgent *self);
/* What the peer's description says. */
void gst_ice_agent_take_remote_lite (GstIceAgent *self, gboolean lite);
void gst_ice_agent_take_remote_options (GstIceAgent *self, guint options);
/* IceOption flags of the value of a=ice-options. */
guint gst_ice_parse_options (const gchar *text);

/* gsticeagent-ports.c: as those of gsticeagent-policy.c. */
void gst_ice_agent_install_port_properties (GObjectClass *klass, guint first);
gboolean gst_ice_agent_set_port_property (
    GstIceAgent *self, guint which, const GValue *value);
gboolean
gst_ice_agent_get_port_property (GstIceAgent *self, guint which, GValue *value);
/* The object lock is held. */
void
gst_ice_agent_fill_port_config (GstIceAgent *self, IceGathererConfig *config);

/* gsticeexternal.c: FALSE, and GST_ICE_ERROR_INVALID_ARGUMENT, when @text is
 * not what external-addresses may be. @ret_addresses: (transfer full)
 * (nullable) of IceExternalAddress. */
gboolean gst_ice_parse_external_addresses (
    const gchar *text, GBytes **ret_addresses, GError **error);

/* gsticeagent-negotiate.c */
void gst_ice_negotiation_init (GstIceNegotiation *self);
void gst_ice_negotiation_clear (GstIceNegotiation *self);
void gst_ice_agent_forget_mline (GstIceAgent *self, GstIceStream *stream);

/* gsticeagent-trickle.c: credentials or a stream came that some may wait for.
 */
void gst_ice_agent_flush_early (GstIceAgent *self);
/* As the public ones, with the generation that the signalling tells beside the
 * candidate (nullable). Neither @mid nor @index (G_MAXUINT): not known. */
gboolean
gst_ice_agent_take_remote_candidate (GstIceAgent *self, const gchar *mid,
    guint index, const gchar *line, const gchar *ufrag, GError **error);

/* gsticeagent-fork.c: an offer is made, which others may answer as well. */
void gst_ice_agent_expect_forks (GstIceAgent *self);

/* gsticestats.c */
GstStructure *gst_ice_agent_make_stats (GstIceAgent *self);

G_END_DECLS
