/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtcbin-private.h"

#include <string.h>

#define GST_CAT_DEFAULT gst_ice_webrtc_bin_debug

/* Signals of webrtcbin go out under our name, actions go in: both are tables
 * and one marshaller each. */

#define MAX_PARAMS 3

typedef struct
{
  const gchar *name;
  GType result;
  guint n_params;
  GType params[MAX_PARAMS];
} Signal;

/* The types are functions: no static table. */
static guint
list_signals (Signal *ret)
{
  const Signal signals[] = {
    { "on-negotiation-needed", G_TYPE_NONE, 0, { 0 } },
    { "on-ice-candidate", G_TYPE_NONE, 2, { G_TYPE_UINT, G_TYPE_STRING } },
    { "on-new-transceiver", G_TYPE_NONE, 1,
        { GST_TYPE_WEBRTC_RTP_TRANSCEIVER } },
    { "on-data-channel", G_TYPE_NONE, 1, { GST_TYPE_WEBRTC_DATA_CHANNEL } },
    { "prepare-data-channel", G_TYPE_NONE, 2,
        { GST_TYPE_WEBRTC_DATA_CHANNEL, G_TYPE_BOOLEAN } },
    { "request-aux-sender", GST_TYPE_ELEMENT, 1,
        { GST_TYPE_WEBRTC_DTLS_TRANSPORT } },
  };

  memcpy (ret, signals, sizeof (signals));
  return G_N_ELEMENTS (signals);
}

static guint
list_actions (Signal *ret)
{
  const GType promise = GST_TYPE_PROMISE, structure = GST_TYPE_STRUCTURE;
  const GType description = GST_TYPE_WEBRTC_SESSION_DESCRIPTION;
  const Signal actions[] = {
    { "create-offer", G_TYPE_NONE, 2, { structure, promise } },
    { "create-answer", G_TYPE_NONE, 2, { structure, promise } },
    { "set-local-description", G_TYPE_NONE, 2, { description, promise } },
    { "set-remote-description", G_TYPE_NONE, 2, { description, promise } },
    { "add-ice-candidate", G_TYPE_NONE, 2, { G_TYPE_UINT, G_TYPE_STRING } },
    { "get-stats", G_TYPE_NONE, 2, { GST_TYPE_PAD, promise } },
    { "add-transceiver", GST_TYPE_WEBRTC_RTP_TRANSCEIVER, 2,
        { GST_TYPE_WEBRTC_RTP_TRANSCEIVER_DIRECTION, GST_TYPE_CAPS } },
    { "get-transceivers", G_TYPE_ARRAY, 0, { 0 } },
    { "get-transceiver", GST_TYPE_WEBRTC_RTP_TRANSCEIVER, 1, { G_TYPE_INT } },
    { "add-turn-server", G_TYPE_BOOLEAN, 1, { G_TYPE_STRING } },
    { "create-data-channel", GST_TYPE_WEBRTC_DATA_CHANNEL, 2,
        { G_TYPE_STRING, structure } },
#if GST_CHECK_VERSION(1, 23, 1)
    { "add-ice-candidate-full", G_TYPE_NONE, 3,
        { G_TYPE_UINT, G_TYPE_STRING, promise } },
#endif
  };

  memcpy (ret, actions, sizeof (actions));
  return G_N_ELEMENTS (actions);
}

#define MAX_SIGNALS 16

static void
emit_on (gpointer instance, const gchar *name, GValue *result, guint n_values,
    const GValue *values)
{
  GValue copies[MAX_PARAMS + 1] = { G_VALUE_INIT };
  const guint id = g_signal_lookup (name, G_OBJECT_TYPE (instance));

  g_value_init (&copies[0], G_OBJECT_TYPE (instance));
  g_value_set_object (&copies[0], instance);
  for (guint i = 1; i < n_values; i++) {
    g_value_init (&copies[i], G_VALUE_TYPE (&values[i]));
    g_value_copy (&values[i], &copies[i]);
  }
  g_signal_emitv (copies, id, 0, result);
  for (guint i = 0; i < n_values; i++)
    g_value_unset (&copies[i]);
}

/* Out */

typedef struct
{
  GClosure closure;
  const gchar *name; /* (unowned) static */
  GWeakRef bin;
} OutClosure;

static void
out_marshal (GClosure *closure, GValue *result, guint n_values,
    const GValue *values, gpointer hint, gpointer marshal_data)
{
  OutClosure *out = (OutClosure *) closure;
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (&out->bin);

  if (!self)
    return;
  emit_on (self, out->name, result, n_values, values);
  if (g_str_equal (out->name, "on-negotiation-needed"))
    gst_ice_webrtc_bin_need_offer (self);
  else if (g_str_equal (out->name, "on-ice-candidate"))
    gst_ice_webrtc_bin_send_candidate (
        self, g_value_get_uint (&values[1]), g_value_get_string (&values[2]));
}

static void
out_finalize (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (&((OutClosure *) closure)->bin);
}

void
gst_ice_webrtc_bin_connect_signals (GstIceWebRTCBin *self)
{
  Signal signals[MAX_SIGNALS];
  const guint n = list_signals (signals);

  for (guint i = 0; i < n; i++) {
    GClosure *closure = g_closure_new_simple (sizeof (OutClosure), NULL);

    ((OutClosure *) closure)->name = g_intern_string (signals[i].name);
    g_weak_ref_init (&((OutClosure *) closure)->bin, self);
    g_closure_add_finalize_notifier (closure, NULL, out_finalize);
    g_closure_set_marshal (closure, out_marshal);
    g_signal_connect_closure (self->inner, signals[i].name, closure, FALSE);
  }
}

/* In */

static gboolean
wants_restart (const GValue *options)
{
  const GstStructure *structure = g_value_get_boxed (options);
  gboolean restart = FALSE;

  if (structure)
    gst_structure_get_boolean (structure, "ice-restart", &restart);
  return restart;
}

/* Some calls are looked at on their way. @values: of the action, copies */
static void
prepare (GstIceWebRTCBin *self, const gchar *name, GValue *values)
{
  if (g_str_equal (name, "create-offer"))
    g_value_take_boxed (&values[2],
        gst_ice_webrtc_bin_wrap_description (self, "offer",
            wants_restart (&values[1]), g_value_get_boxed (&values[2])));
  else if (g_str_equal (name, "create-answer"))
    g_value_take_boxed (&values[2],
        gst_ice_webrtc_bin_wrap_description (
            self, "answer", FALSE, g_value_get_boxed (&values[2])));
  else if (g_str_equal (name, "set-local-description"))
    gst_ice_webrtc_bin_take_description (self, g_value_get_boxed (&values[1]));
  else if (g_str_equal (name, "get-stats")) {
    GstPad *pad = g_value_get_object (&values[1]);

    g_value_take_object (
        &values[1], pad ? gst_ice_webrtc_bin_inner_pad (pad) : NULL);
    g_value_take_boxed (&values[2],
        gst_ice_webrtc_bin_wrap_stats (self, g_value_get_boxed (&values[2])));
  }
}

static void
in_marshal (GClosure *closure, GValue *result, guint n_values,
    const GValue *values, gpointer hint, gpointer marshal_data)
{
  GstIceWebRTCBin *self = g_value_get_object (&values[0]);
  g_autoptr (GstElement) inner = gst_ice_webrtc_bin_ref_inner (self);
  GValue copies[MAX_PARAMS + 1] = { G_VALUE_INIT };

  if (!inner)
    return;
  for (guint i = 1; i < n_values; i++) {
    g_value_init (&copies[i], G_VALUE_TYPE (&values[i]));
    g_value_copy (&values[i], &copies[i]);
  }
  prepare (self, closure->data, copies);
  emit_on (inner, closure->data, result, n_values, copies);
  for (guint i = 1; i < n_values; i++)
    g_value_unset (&copies[i]);
}

void
gst_ice_webrtc_bin_install_signals (GObjectClass *klass)
{
  const GType type = G_TYPE_FROM_CLASS (klass);
  Signal list[MAX_SIGNALS];
  guint n = list_signals (list);

  for (guint i = 0; i < n; i++)
    g_signal_newv (list[i].name, type, G_SIGNAL_RUN_LAST, NULL, NULL, NULL,
        NULL, list[i].result, list[i].n_params, list[i].params);
  n = list_actions (list);
  for (guint i = 0; i < n; i++) {
    GClosure *closure = g_closure_new_simple (
        sizeof (GClosure), (gpointer) g_intern_string (list[i].name));

    g_closure_set_marshal (closure, in_marshal);
    g_signal_newv (list[i].name, type, G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
        closure, NULL, NULL, NULL, list[i].result, list[i].n_params,
        list[i].params);
  }
}
