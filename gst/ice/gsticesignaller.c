/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

#include <string.h>

#include "gsticeerror.h"
#include "io/service.h"

/**
 * GstIceSignaller:
 *
 * How session descriptions and candidates travel to the peer and back.
 * Implementations are found by the scheme of a URI or by a nick; a
 * #GstIceSession joins one to a #GstIceAgent.
 */

G_DEFINE_INTERFACE (GstIceSignaller, gst_ice_signaller, G_TYPE_OBJECT)

enum
{
  SIGNAL_READY,
  SIGNAL_DESCRIPTION,
  SIGNAL_CANDIDATE,
  SIGNAL_BYE,
  SIGNAL_REJECTED,
  SIGNAL_PEER_ERROR,
  SIGNAL_PEER,
  SIGNAL_ERROR,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void
gst_ice_signaller_default_init (GstIceSignallerInterface *iface)
{
  const GSignalFlags flags = G_SIGNAL_RUN_LAST;
  const GType type = GST_TYPE_ICE_SIGNALLER;

  /**
   * GstIceSignaller:uri:
   *
   * Where to meet.
   */
  g_object_interface_install_property (iface,
      g_param_spec_string ("uri", "URI", "Where to meet", NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  /**
   * GstIceSignaller::ready:
   * @self: the signaller
   * @offerer: whether this side makes the offer
   *
   * The meeting place is reached. Emitted again when the peer left and the next
   * one may be met.
   */
  signals[SIGNAL_READY] = g_signal_new ("ready", type, flags, 0, NULL, NULL,
      NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
  /**
   * GstIceSignaller::description:
   * @self: the signaller
   * @type: "offer", "pranswer" or "answer"
   * @sdp: the text
   *
   * A description came from the peer.
   */
  signals[SIGNAL_DESCRIPTION] = g_signal_new ("description", type, flags, 0,
      NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstIceSignaller::candidate:
   * @self: the signaller
   * @mid: (nullable): the section
   * @mline_index: its index, #G_MAXUINT when unknown
   * @candidate: the candidate, "" at the end of candidates
   * @ufrag: (nullable): the generation it belongs to
   *
   * A candidate came from the peer.
   */
  signals[SIGNAL_CANDIDATE] =
      g_signal_new ("candidate", type, flags, 0, NULL, NULL, NULL, G_TYPE_NONE,
          4, G_TYPE_STRING, G_TYPE_UINT, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstIceSignaller::bye:
   * @self: the signaller
   * @reason: (nullable): in a word
   *
   * The peer ends the session.
   */
  signals[SIGNAL_BYE] = g_signal_new (
      "bye", type, flags, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * GstIceSignaller::rejected:
   * @self: the signaller
   * @reason: in a word, as gst_ice_session_reject() has them
   * @text: (nullable): for people to read
   *
   * The peer declines our offer.
   */
  signals[SIGNAL_REJECTED] = g_signal_new ("rejected", type, flags, 0, NULL,
      NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstIceSignaller::peer-error:
   * @self: the signaller
   * @text: for people to read
   *
   * The peer could not use what was said, or the server between could not pass
   * it on.
   */
  signals[SIGNAL_PEER_ERROR] = g_signal_new ("peer-error", type, flags, 0, NULL,
      NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * GstIceSignaller::peer:
   * @self: the signaller
   * @joined: whether it came or went
   *
   * The peer is at the meeting place, or left it.
   */
  signals[SIGNAL_PEER] = g_signal_new (
      "peer", type, flags, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
  /**
   * GstIceSignaller::error:
   * @self: the signaller
   * @error: what happened
   *
   * Nothing more will come.
   */
  signals[SIGNAL_ERROR] = g_signal_new (
      "error", type, flags, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

/**
 * gst_ice_signaller_get_main_context: (skip)
 *
 * The context of the thread from which signals leave; implementations attach
 * their sources to it.
 *
 * Returns: (transfer none): the context
 */
GMainContext *
gst_ice_signaller_get_main_context (void)
{
  return ice_service_context ();
}

/**
 * gst_ice_signaller_check:
 * @self: the signaller
 * @error: return location
 *
 * Returns: whether the URI is one that can be used
 */
gboolean
gst_ice_signaller_check (GstIceSignaller *self, GError **error)
{
  g_return_val_if_fail (GST_IS_ICE_SIGNALLER (self), FALSE);

  if (GST_ICE_SIGNALLER_GET_IFACE (self)->check == NULL)
    return TRUE;
  return GST_ICE_SIGNALLER_GET_IFACE (self)->check (self, error);
}

/**
 * gst_ice_signaller_start:
 * @self: the signaller
 * @role: who makes the offer
 * @error: return location
 *
 * Goes to the meeting place.
 *
 * Returns: FALSE when it cannot be reached at all
 */
gboolean
gst_ice_signaller_start (
    GstIceSignaller *self, GstIceSignallerRole role, GError **error)
{
  g_return_val_if_fail (GST_IS_ICE_SIGNALLER (self), FALSE);
  return GST_ICE_SIGNALLER_GET_IFACE (self)->start (self, role, error);
}

/**
 * gst_ice_signaller_send_description:
 * @self: the signaller
 * @type: "offer" or "answer"
 * @sdp: the text
 */
void
gst_ice_signaller_send_description (
    GstIceSignaller *self, const gchar *type, const gchar *sdp)
{
  g_return_if_fail (GST_IS_ICE_SIGNALLER (self));
  g_return_if_fail (type != NULL && sdp != NULL);
  GST_ICE_SIGNALLER_GET_IFACE (self)->send_description (self, type, sdp);
}

/**
 * gst_ice_signaller_send_candidate:
 * @self: the signaller
 * @mid: (nullable): the section
 * @mline_index: its index
 * @candidate: the candidate, "" ends those of the section
 * @ufrag: (nullable): the generation it belongs to
 */
void
gst_ice_signaller_send_candidate (GstIceSignaller *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag)
{
  g_return_if_fail (GST_IS_ICE_SIGNALLER (self));
  g_return_if_fail (candidate != NULL);
  GST_ICE_SIGNALLER_GET_IFACE (self)->send_candidate (
      self, mid, mline_index, candidate, ufrag);
}

/**
 * gst_ice_signaller_send_bye:
 * @self: the signaller
 * @reason: (nullable): in a word
 */
void
gst_ice_signaller_send_bye (GstIceSignaller *self, const gchar *reason)
{
  g_return_if_fail (GST_IS_ICE_SIGNALLER (self));
  GST_ICE_SIGNALLER_GET_IFACE (self)->send_bye (self, reason);
}

/**
 * gst_ice_signaller_send_reject:
 * @self: the signaller
 * @reason: in a word, as gst_ice_session_reject() has them
 * @text: (nullable): for people to read
 *
 * Declines the peer's offer; an agreed session goes on as it was. A signaller
 * that knows no such message says bye.
 */
void
gst_ice_signaller_send_reject (
    GstIceSignaller *self, const gchar *reason, const gchar *text)
{
  GstIceSignallerInterface *iface;

  g_return_if_fail (GST_IS_ICE_SIGNALLER (self));
  g_return_if_fail (reason != NULL);
  iface = GST_ICE_SIGNALLER_GET_IFACE (self);
  if (iface->send_reject != NULL)
    iface->send_reject (self, reason, text);
  else
    iface->send_bye (self, reason);
}

/**
 * gst_ice_signaller_send_error:
 * @self: the signaller
 * @text: for people to read
 *
 * Tells the peer that something it said was of no use. A signaller that knows
 * no such message says nothing.
 */
void
gst_ice_signaller_send_error (GstIceSignaller *self, const gchar *text)
{
  g_return_if_fail (GST_IS_ICE_SIGNALLER (self));
  g_return_if_fail (text != NULL);
  if (GST_ICE_SIGNALLER_GET_IFACE (self)->send_error != NULL)
    GST_ICE_SIGNALLER_GET_IFACE (self)->send_error (self, text);
}

/**
 * gst_ice_signaller_can_trickle:
 * @self: the signaller
 *
 * May candidates follow a description (RFC 8838)? Where they may not, as by
 * copy and paste, or with a peer that is known not to take them, descriptions
 * are sent when this side has gathered.
 *
 * Returns: whether gst_ice_signaller_send_candidate() does something now
 */
gboolean
gst_ice_signaller_can_trickle (GstIceSignaller *self)
{
  g_return_val_if_fail (GST_IS_ICE_SIGNALLER (self), FALSE);
  if (GST_ICE_SIGNALLER_GET_IFACE (self)->can_trickle == NULL)
    return TRUE;
  return GST_ICE_SIGNALLER_GET_IFACE (self)->can_trickle (self);
}

/**
 * gst_ice_signaller_stop:
 * @self: the signaller
 *
 * Leaves the meeting place and nothing behind.
 */
void
gst_ice_signaller_stop (GstIceSignaller *self)
{
  g_return_if_fail (GST_IS_ICE_SIGNALLER (self));
  GST_ICE_SIGNALLER_GET_IFACE (self)->stop (self);
}

/* A signal on its way to the service thread. */
typedef struct
{
  guint signal;
  GValue values[5]; /* (owned) the signaller, then the arguments */
  guint n_values;
} Emission;

static gboolean
emission_run (gpointer data)
{
  Emission *emission = data;

  g_signal_emitv (emission->values, signals[emission->signal], 0, NULL);
  return G_SOURCE_REMOVE;
}

static void
emission_free (gpointer data)
{
  Emission *emission = data;
  guint i;

  for (i = 0; i < emission->n_values; i++)
    g_value_unset (&emission->values[i]);
  g_free (emission);
}

static Emission *
emission_new (GstIceSignaller *self, guint signal)
{
  Emission *emission = g_new0 (Emission, 1);

  emission->signal = signal;
  emission->n_values = 1;
  g_value_init (&emission->values[0], GST_TYPE_ICE_SIGNALLER);
  g_value_set_object (&emission->values[0], self);
  return emission;
}

static GValue *
emission_add (Emission *emission, GType type)
{
  return g_value_init (&emission->values[emission->n_values++], type);
}

static void
emission_go (Emission *emission)
{
  if (ice_service_is_current ()) {
    emission_run (emission);
    emission_free (emission);
  } else {
    ice_service_invoke (emission_run, emission, emission_free);
  }
}

/* Words of a stranger, which end up on a terminal or in a log: one line, none
 * of it a control sequence, not even of C1 (U+0080 to U+009F) or one that turns
 * the direction of writing. (transfer full) (nullable) */
gchar *
gst_ice_signaller_clean_text (const gchar *text)
{
  g_autofree gchar *valid = NULL;
  GString *clean;
  const gchar *p;

  if (text == NULL)
    return NULL;
  valid =
      g_utf8_make_valid (text, strnlen (text, GST_ICE_SIGNALLER_MAX_TEXT * 2));
  clean = g_string_new (NULL);
  for (p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    const gunichar c = g_utf8_get_char (p);

    if (clean->len + g_utf8_skip[*(const guchar *) p] >
        GST_ICE_SIGNALLER_MAX_TEXT)
      break;
    g_string_append_unichar (
        clean, g_unichar_isprint (c) && !g_unichar_isspace (c) ? c : ' ');
  }
  return g_string_free (clean, FALSE);
}

static void
add_text (Emission *emission, const gchar *text)
{
  g_value_take_string (emission_add (emission, G_TYPE_STRING),
      gst_ice_signaller_clean_text (text));
}

/**
 * gst_ice_signaller_emit_ready: (skip)
 * @self: the signaller
 * @offerer: whether this side makes the offer
 */
void
gst_ice_signaller_emit_ready (GstIceSignaller *self, gboolean offerer)
{
  Emission *emission = emission_new (self, SIGNAL_READY);

  g_value_set_boolean (emission_add (emission, G_TYPE_BOOLEAN), offerer);
  emission_go (emission);
}

/**
 * gst_ice_signaller_emit_description: (skip)
 * @self: the signaller
 * @type: "offer", "pranswer" or "answer"
 * @sdp: the text
 */
void
gst_ice_signaller_emit_description (
    GstIceSignaller *self, const gchar *type, const gchar *sdp)
{
  Emission *emission = emission_new (self, SIGNAL_DESCRIPTION);

  g_value_set_string (emission_add (emission, G_TYPE_STRING), type);
  g_value_set_string (emission_add (emission, G_TYPE_STRING), sdp);
  emission_go (emission);
}

/**
 * gst_ice_signaller_emit_candidate: (skip)
 * @self: the signaller
 * @mid: (nullable): the section
 * @mline_index: its index, #G_MAXUINT when unknown
 * @candidate: the candidate, "" at the end
 * @ufrag: (nullable): the generation it belongs to
 */
void
gst_ice_signaller_emit_candidate (GstIceSignaller *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag)
{
  Emission *emission = emission_new (self, SIGNAL_CANDIDATE);

  g_value_set_string (emission_add (emission, G_TYPE_STRING), mid);
  g_value_set_uint (emission_add (emission, G_TYPE_UINT), mline_index);
  g_value_set_string (emission_add (emission, G_TYPE_STRING), candidate);
  g_value_set_string (emission_add (emission, G_TYPE_STRING), ufrag);
  emission_go (emission);
}

/**
 * gst_ice_signaller_emit_bye: (skip)
 * @self: the signaller
 * @reason: (nullable): in a word
 */
void
gst_ice_signaller_emit_bye (GstIceSignaller *self, const gchar *reason)
{
  Emission *emission = emission_new (self, SIGNAL_BYE);

  add_text (emission, reason);
  emission_go (emission);
}

/**
 * gst_ice_signaller_emit_rejected: (skip)
 * @self: the signaller
 * @reason: (nullable): in a word
 * @text: (nullable): for people to read
 */
void
gst_ice_signaller_emit_rejected (
    GstIceSignaller *self, const gchar *reason, const gchar *text)
{
  Emission *emission = emission_new (self, SIGNAL_REJECTED);

  add_text (emission, reason != NULL && *reason != '\0' ? reason : "declined");
  add_text (emission, text);
  emission_go (emission);
}

/**
 * gst_ice_signaller_emit_peer_error: (skip)
 * @self: the signaller
 * @text: (nullable): for people to read
 */
void
gst_ice_signaller_emit_peer_error (GstIceSignaller *self, const gchar *text)
{
  Emission *emission = emission_new (self, SIGNAL_PEER_ERROR);

  add_text (emission, text != NULL ? text : "");
  emission_go (emission);
}

/**
 * gst_ice_signaller_emit_peer: (skip)
 * @self: the signaller
 * @joined: whether it came or went
 */
void
gst_ice_signaller_emit_peer (GstIceSignaller *self, gboolean joined)
{
  Emission *emission = emission_new (self, SIGNAL_PEER);

  g_value_set_boolean (emission_add (emission, G_TYPE_BOOLEAN), joined);
  emission_go (emission);
}

/**
 * gst_ice_signaller_emit_error: (skip)
 * @self: the signaller
 * @error: what happened
 */
void
gst_ice_signaller_emit_error (GstIceSignaller *self, const GError *error)
{
  Emission *emission = emission_new (self, SIGNAL_ERROR);

  g_value_set_boxed (emission_add (emission, G_TYPE_ERROR), error);
  emission_go (emission);
}
