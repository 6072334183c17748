/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtc-private.h"

#include <string.h>

#define GST_CAT_DEFAULT gst_ice_webrtc_debug

/* STUN and TURN servers, and the proxy, as webrtcbin knows them: one STUN
 * server, one TURN server, and more of these that were added. */

void
gst_ice_webrtc_warn (GstIceWebRTC *self, const GError *error)
{
  g_autoptr (GObject) bin = g_weak_ref_get (&self->bin);

  GST_WARNING_OBJECT (self, "%s", error->message);
  if (GST_IS_ELEMENT (bin))
    gst_element_message_full_with_details (GST_ELEMENT (bin),
        GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__,
        gst_structure_new (
            "details", "cause", G_TYPE_STRING, "resource", NULL));
}

/* webrtcbin's own rule beyond ours: who and with what stands in the URI of a
 * TURN server, and what has a meaning in a URI is percent-encoded there. */
static gboolean
check_turn (const gchar *uri, GError **error)
{
  const gchar *user = strstr (uri, "://");
  const gchar *at = strrchr (uri, '@');
  const gchar *reason = NULL;

  user = user ? user + 3 : uri + strcspn (uri, ":");
  if (!at || at < user || !memchr (user, ':', at - user))
    reason = "wants USER:PASSWORD@ before the host";
  else if (memchr (user, '/', at - user) || memchr (user, '@', at - user))
    reason = "wants special characters of user and password percent-encoded";
  if (reason)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "A TURN server %s: turn://USER:PASSWORD@HOST[:PORT]", reason);
  return !reason;
}

static void
put_server (GstIceWebRTC *self, const gchar *uri)
{
  g_autoptr (GError) error = NULL;

  if (uri && !gst_ice_agent_add_server (self->agent, uri, &error))
    gst_ice_webrtc_warn (self, error);
}

/* The agent knows no order of servers and no taking away: all again. */
static void
set_all (GstIceWebRTC *self)
{
  g_autofree gchar *stun = NULL, *turn = NULL;
  g_autoptr (GPtrArray) turns = NULL;

  GST_OBJECT_LOCK (self);
  stun = g_strdup (self->stun);
  turn = g_strdup (self->turn);
  turns = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->turns->len; i++)
    g_ptr_array_add (turns, g_strdup (self->turns->pdata[i]));
  GST_OBJECT_UNLOCK (self);

  g_object_set (self->agent, "servers", NULL, NULL);
  put_server (self, stun);
  put_server (self, turn);
  for (guint i = 0; i < turns->len; i++)
    put_server (self, turns->pdata[i]);
}

static void
set_server (GstIceWebRTC *self, gchar **where, const gchar *uri)
{
  gboolean first;

  GST_OBJECT_LOCK (self);
  first = *where == NULL;
  g_free (*where);
  *where = g_strdup (uri && *uri ? uri : NULL);
  GST_OBJECT_UNLOCK (self);
  if (first)
    put_server (self, uri && *uri ? uri : NULL);
  else
    set_all (self);
}

static gchar *
dup_string (GstIceWebRTC *self, gchar **where)
{
  gchar *string;

  GST_OBJECT_LOCK (self);
  string = g_strdup (*where);
  GST_OBJECT_UNLOCK (self);
  return string;
}

static void
gst_ice_webrtc_set_stun_server (GstWebRTCICE *ice, const gchar *uri)
{
  set_server (GST_ICE_WEBRTC (ice), &GST_ICE_WEBRTC (ice)->stun, uri);
}

static gchar *
gst_ice_webrtc_get_stun_server (GstWebRTCICE *ice)
{
  return dup_string (GST_ICE_WEBRTC (ice), &GST_ICE_WEBRTC (ice)->stun);
}

static void
gst_ice_webrtc_set_turn_server (GstWebRTCICE *ice, const gchar *uri)
{
  set_server (GST_ICE_WEBRTC (ice), &GST_ICE_WEBRTC (ice)->turn, uri);
}

static gchar *
gst_ice_webrtc_get_turn_server (GstWebRTCICE *ice)
{
  return dup_string (GST_ICE_WEBRTC (ice), &GST_ICE_WEBRTC (ice)->turn);
}

static gboolean
gst_ice_webrtc_add_turn_server (GstWebRTCICE *ice, const gchar *uri)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (ice);
  g_autoptr (GError) error = NULL;

  if (!check_turn (uri, &error) ||
      !gst_ice_agent_add_server (self->agent, uri, &error)) {
    gst_ice_webrtc_warn (self, error);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  g_ptr_array_add (self->turns, g_strdup (uri));
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
gst_ice_webrtc_set_http_proxy (GstWebRTCICE *ice, const gchar *uri)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (ice);

  GST_OBJECT_LOCK (self);
  g_free (self->http_proxy);
  self->http_proxy = g_strdup (uri);
  GST_OBJECT_UNLOCK (self);
  /* What is wrong with it is told by the agent's "error". */
  g_object_set (self->agent, "proxy", uri, NULL);
}

static gchar *
gst_ice_webrtc_get_http_proxy (GstWebRTCICE *ice)
{
  return dup_string (GST_ICE_WEBRTC (ice), &GST_ICE_WEBRTC (ice)->http_proxy);
}

void
gst_ice_webrtc_copy_servers (GstIceWebRTC *from, GstIceWebRTC *to)
{
  g_autoptr (GPtrArray) turns = g_ptr_array_new_with_free_func (g_free);

  GST_OBJECT_LOCK (from);
  for (guint i = 0; i < from->turns->len; i++)
    g_ptr_array_add (turns, g_strdup (from->turns->pdata[i]));
  GST_OBJECT_UNLOCK (from);
  for (guint i = 0; i < turns->len; i++)
    gst_ice_webrtc_add_turn_server (GST_WEBRTC_ICE (to), turns->pdata[i]);
}

void
gst_ice_webrtc_servers_class_init (GstWebRTCICEClass *klass)
{
  klass->set_stun_server = gst_ice_webrtc_set_stun_server;
  klass->get_stun_server = gst_ice_webrtc_get_stun_server;
  klass->set_turn_server = gst_ice_webrtc_set_turn_server;
  klass->get_turn_server = gst_ice_webrtc_get_turn_server;
  klass->add_turn_server = gst_ice_webrtc_add_turn_server;
  klass->set_http_proxy = gst_ice_webrtc_set_http_proxy;
  klass->get_http_proxy = gst_ice_webrtc_get_http_proxy;
}
