/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which variant of ICE an agent plays: its properties, and what the peer's
 * description says of it. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include <string.h>

#include "gsticeenumtypes.h"
#include "io/interfaces-watch.h"
#include "io/loop.h"

enum
{
  PROP_ICE_LITE,
  PROP_NOMINATION,
  PROP_CONTINUAL_GATHERING,
  PROP_MDNS,
  N_PROPERTIES
};

static void
apply (GstIceAgent *self)
{
  gboolean lite, aggressive, continual;
  IceCore *core;

  GST_OBJECT_LOCK (self);
  lite = self->settings.ice_lite;
  aggressive = self->settings.nomination == GST_ICE_NOMINATION_AGGRESSIVE;
  continual = self->settings.continual_gathering;
  GST_OBJECT_UNLOCK (self);
  core = gst_ice_agent_lock_core (self);
  ice_core_set_lite (core, lite);
  ice_core_set_aggressive (core, aggressive);
  ice_core_set_continual (core, continual);
  gst_ice_pump_unlock (self->pump);
  gst_ice_agent_watch_if_wanted (self);
  gst_ice_agent_apply_gather_config (self);
}

/* Continual gathering follows the network by itself; who has connected to
 * restart-needed does so by signalling. */
void
gst_ice_agent_watch_if_wanted (GstIceAgent *self)
{
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  wanted = self->settings.continual_gathering;
  GST_OBJECT_UNLOCK (self);
  if (!wanted)
    wanted = g_signal_has_handler_pending (
        self, gst_ice_agent_signals[GST_ICE_AGENT_RESTART_NEEDED], 0, TRUE);
  gst_ice_agent_watch_interfaces (self, wanted);
}

void
gst_ice_agent_update_interfaces (GstIceAgent *self)
{
  g_autofree gchar *allow = NULL, *ignore = NULL;

  GST_OBJECT_LOCK (self);
  allow = g_strdup (self->settings.interfaces);
  ignore = g_strdup (self->settings.ignore_interfaces);
  GST_OBJECT_UNLOCK (self);
  gst_ice_pump_update_interfaces (self->pump, allow, ignore);
}

gboolean
gst_ice_agent_allows_names (GstIceAgent *self)
{
  gboolean allowed;

  GST_OBJECT_LOCK (self);
  allowed = self->settings.mdns != GST_ICE_MDNS_OFF;
  GST_OBJECT_UNLOCK (self);
  /* Before the first gathering nobody has told where to ask. */
  if (allowed && !gst_ice_pump_has_interfaces (self->pump))
    gst_ice_agent_update_interfaces (self);
  return allowed;
}

static void
weak_ref_free (gpointer weak)
{
  g_weak_ref_clear (weak);
  g_free (weak);
}

/* Service thread. */
static gboolean
on_interfaces_changed (gpointer weak)
{
  g_autoptr (GstIceAgent) self = g_weak_ref_get (weak);

  if (self && gst_ice_agent_check_open (self, NULL))
    gst_ice_agent_update_interfaces (self);
  return G_SOURCE_CONTINUE;
}

void
gst_ice_agent_watch_interfaces (GstIceAgent *self, gboolean watch)
{
  IceInterfacesWatch *old, *made = NULL;
  GWeakRef *weak;
  gboolean same;

  GST_OBJECT_LOCK (self);
  same = watch == (self->watch != NULL);
  GST_OBJECT_UNLOCK (self);
  if (same)
    return;
  if (watch) {
    weak = g_new0 (GWeakRef, 1);
    g_weak_ref_init (weak, self);
    made =
        ice_interfaces_watch_new (on_interfaces_changed, weak, weak_ref_free);
  }
  GST_OBJECT_LOCK (self);
  old = self->watch;
  self->watch = made;
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&old, ice_interfaces_watch_free);
}

gboolean
gst_ice_agent_set_policy_property (
    GstIceAgent *self, guint which, const GValue *value)
{
  if (which >= N_PROPERTIES)
    return gst_ice_agent_set_port_property (self, which - N_PROPERTIES, value);
  GST_OBJECT_LOCK (self);
  switch (which) {
    case PROP_ICE_LITE:
      self->settings.ice_lite = g_value_get_boolean (value);
      break;
    case PROP_NOMINATION:
      self->settings.nomination = g_value_get_enum (value);
      break;
    case PROP_CONTINUAL_GATHERING:
      self->settings.continual_gathering = g_value_get_boolean (value);
      break;
    case PROP_MDNS:
      self->settings.mdns = g_value_get_enum (value);
      break;
    default:
      GST_OBJECT_UNLOCK (self);
      return FALSE;
  }
  GST_OBJECT_UNLOCK (self);
  apply (self);
  gst_ice_agent_sync_role (self);
  return TRUE;
}

/* Object lock. */
gboolean
gst_ice_agent_get_policy_property (
    GstIceAgent *self, guint which, GValue *value)
{
  switch (which) {
    case PROP_ICE_LITE:
      g_value_set_boolean (value, self->settings.ice_lite);
      return TRUE;
    case PROP_NOMINATION:
      g_value_set_enum (value, self->settings.nomination);
      return TRUE;
    case PROP_CONTINUAL_GATHERING:
      g_value_set_boolean (value, self->settings.continual_gathering);
      return TRUE;
    case PROP_MDNS:
      g_value_set_enum (value, self->settings.mdns);
      return TRUE;
    default:
      return gst_ice_agent_get_port_property (
          self, which - N_PROPERTIES, value);
  }
}

void
gst_ice_agent_install_policy_properties (GObjectClass *klass, guint first)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstIceAgent:ice-lite:
   *
   * Whether this side is a lite implementation (RFC 8445 2.5), for hosts that
   * everybody can reach: one host candidate per component and IP version, no
   * servers asked, no checks sent; checks are answered, and media goes where a
   * full peer nominates. The peer controls. It asks for no consent (RFC 7675
   * 3); sending ends 30 s after the last sign of life of the peer. With a peer
   * that is lite, too, nothing is checked at all: see
   * #GstIceAgent:allow-non-ice. Before gathering, or for the next restart.
   */
  g_object_class_install_property (klass, first + PROP_ICE_LITE,
      g_param_spec_boolean (
          "ice-lite", "ICE-lite", "Answer checks and send none", FALSE, flags));
  /**
   * GstIceAgent:nomination:
   *
   * How this side nominates when it controls: after its checks (RFC 8445
   * 8.1.1), or by every check (RFC 5245 8.1.1.2), a round trip earlier. Peers
   * that say `ice2` or `renomination` are nominated to the regular way all the
   * same (RFC 8445 10).
   */
  g_object_class_install_property (klass, first + PROP_NOMINATION,
      g_param_spec_enum ("nomination", "Nomination",
          "How pairs are nominated to peers of RFC 5245",
          GST_TYPE_ICE_NOMINATION, GST_ICE_NOMINATION_REGULAR, flags));
  /**
   * GstIceAgent:continual-gathering:
   *
   * Whether candidates are gathered as long as the session lasts: network
   * addresses that come are gathered, told by #GstIceAgent::new-candidate and
   * checked, those that go take their candidates along, and media moves to what
   * is left, without an ICE restart. Both sides have to say `trickle` and
   * `renomination` (ice-renomination-01); otherwise addresses count when
   * candidates are gathered next. #GstIceAgent::end-of-candidates does not come
   * while it is on.
   */
  g_object_class_install_property (klass, first + PROP_CONTINUAL_GATHERING,
      g_param_spec_boolean ("continual-gathering", "Continual gathering",
          "Gather as networks come and go", FALSE, flags));
  /**
   * GstIceAgent:mdns:
   *
   * What is done with multicast DNS. Browsers hide their addresses behind names
   * like `1f4712db-ea17-4bcf-a596-105139dfd8bf.local`
   * (draft-ietf-mmusic-mdns-ice-candidates); these are asked for on the
   * networks that the agent uses, by IPv4 and IPv6 (RFC 6762), and when nobody
   * has answered within 300 ms also of GResolver. With `publish` host
   * candidates of ours have such names as well, one for each address, for which
   * the agent answers on that network until it is closed; candidates, SDP and
   * statistics then show no address of an interface. Neither needs a daemon.
   * Peers elsewhere reach us by the reflexive and relayed candidates of
   * #GstIceAgent:servers. Publishing counts before gathering, or for the next
   * restart; with #GstIceAgent:policy `relay` nothing is asked or published.
   */
  g_object_class_install_property (klass, first + PROP_MDNS,
      g_param_spec_enum ("mdns", "mDNS", "What is done with multicast DNS",
          GST_TYPE_ICE_MDNS, GST_ICE_MDNS_RESOLVE, flags));
  gst_ice_agent_install_port_properties (klass, first + N_PROPERTIES);
}

void
gst_ice_agent_sync_role (GstIceAgent *self)
{
  gboolean controlling =
      ice_core_get_controlling (gst_ice_agent_lock_core (self));
  gboolean changed;

  gst_ice_pump_unlock (self->pump);
  GST_OBJECT_LOCK (self);
  changed = self->settings.controlling != controlling;
  self->settings.controlling = controlling;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_ice_agent_queue_notify (self, G_OBJECT (self), "controlling");
}

void
gst_ice_agent_take_remote_lite (GstIceAgent *self, gboolean lite)
{
  ice_core_set_remote_lite (
      gst_ice_agent_lock_core (self), lite, ice_loop_now ());
  gst_ice_pump_unlock (self->pump);
  gst_ice_agent_sync_role (self);
}

void
gst_ice_agent_take_remote_options (GstIceAgent *self, guint options)
{
  ice_core_set_remote_options (
      gst_ice_agent_lock_core (self), options, ice_loop_now ());
  gst_ice_pump_unlock (self->pump);
}

guint
gst_ice_parse_options (const gchar *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  guint options = 0;

  for (guint i = 0; words[i]; i++) {
    if (g_str_equal (words[i], "ice2"))
      options |= ICE_OPTION_ICE2;
    else if (g_str_equal (words[i], "trickle"))
      options |= ICE_OPTION_TRICKLE;
    else if (g_str_equal (words[i], "renomination"))
      options |= ICE_OPTION_RENOMINATION;
  }
  return options;
}
