/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "endpoint-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Progress: gst-launch prints it and holds PLAYING while it is under way. One
 * global flag there, so the agent speaks once, by one of its elements. */

static void
post_progress (GstIceEndpoint *self, GstProgressType type, const gchar *code,
    const gchar *text)
{
  g_autoptr (GstElement) speaker = gst_ice_endpoint_ref_speaker (self);

  if (speaker != NULL)
    gst_element_post_message (speaker,
        gst_message_new_progress (GST_OBJECT (speaker), type, code, text));
}

void
gst_ice_endpoint_start_progress (GstIceEndpoint *self)
{
  gboolean wait = FALSE;
  GList *l;

  g_mutex_lock (&self->lock);
  for (l = self->members; l != NULL; l = l->next)
    wait = wait || ((GstIceMember *) l->data)->wait_for_connection;
  wait =
      wait && self->progress == GST_ICE_PROGRESS_NONE && self->failure == NULL;
  if (wait)
    self->progress = GST_ICE_PROGRESS_RUNNING;
  g_mutex_unlock (&self->lock);
  if (wait)
    post_progress (
        self, GST_PROGRESS_TYPE_START, "gather", _ ("Gathering candidates"));
}

/* TRUE: it was running, and goes on or not. */
static gboolean
take_progress (GstIceEndpoint *self, gboolean over)
{
  gboolean running;

  g_mutex_lock (&self->lock);
  running = self->progress == GST_ICE_PROGRESS_RUNNING;
  if (running && over)
    self->progress = GST_ICE_PROGRESS_OVER;
  g_mutex_unlock (&self->lock);
  return running;
}

void
gst_ice_endpoint_progress (
    GstIceEndpoint *self, const gchar *code, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  if (!take_progress (self, FALSE))
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  post_progress (self, GST_PROGRESS_TYPE_CONTINUE, code, text);
}

void
gst_ice_endpoint_abort_progress (
    GstIceEndpoint *self, GstProgressType type, const gchar *text)
{
  if (take_progress (self, TRUE))
    post_progress (self, type, "connect", text);
}

/* "192.168.1.7:50212 host/udp" */
static gchar *
describe_candidate (GstIceTransport *transport, const gchar *which)
{
  static const gchar *const kinds[] = { "host", "srflx", "prflx", "relay" };
  g_autoptr (GstIceCandidate) candidate = NULL;
  const gchar *address;
  gboolean is_ipv6;

  g_object_get (transport, which, &candidate, NULL);
  if (candidate == NULL)
    return g_strdup ("?");
  address = gst_ice_candidate_get_address (candidate);
  is_ipv6 = strchr (address, ':') != NULL;
  return g_strdup_printf ("%s%s%s:%u %s/%s", is_ipv6 ? "[" : "", address,
      is_ipv6 ? "]" : "", gst_ice_candidate_get_port (candidate),
      kinds[gst_ice_candidate_get_kind (candidate)],
      gst_ice_candidate_get_protocol (candidate));
}

/* In milliseconds; 0 when no selected pair has answered a check, as with a
 * peer without ICE. */
static gdouble
selected_rtt (GstIceEndpoint *self)
{
  g_autoptr (GstStructure) stats = gst_ice_endpoint_get_stats (self);
  gint i;

  for (i = 0; i < gst_structure_n_fields (stats); i++) {
    const GValue *value = gst_structure_get_value (
        stats, gst_structure_nth_field_name (stats, i));
    const GstStructure *pair = GST_VALUE_HOLDS_STRUCTURE (value)
        ? gst_value_get_structure (value)
        : NULL;
    gboolean selected = FALSE;
    gdouble rtt;

    if (pair != NULL &&
        gst_structure_get_boolean (pair, "selected", &selected) && selected &&
        gst_structure_get_double (pair, "current-round-trip-time", &rtt))
      return rtt * 1000;
  }
  return 0;
}

/* (transfer full) (nullable) that of a member, or the agent's first: those of a
 * bin come later. */
static GstIceTransport *
ref_transport (GstIceEndpoint *self)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self->agent);
  GstIceTransport *transport = NULL;
  guint i;

  for (i = 0; i < members->len && transport == NULL; i++)
    transport = gst_ice_member_ref_transport (g_ptr_array_index (members, i));
  if (transport == NULL && members->len > 0 && streams->len > 0)
    transport =
        gst_ice_stream_get_transport (g_ptr_array_index (streams, 0), 1);
  return transport;
}

void
gst_ice_endpoint_complete_progress (GstIceEndpoint *self)
{
  g_autofree gchar *local = NULL, *remote = NULL, *rtt_text = NULL;
  g_autofree gchar *text = NULL;
  g_autoptr (GstIceTransport) transport = ref_transport (self);
  gdouble rtt;

  if (transport == NULL || !take_progress (self, TRUE))
    return;
  local = describe_candidate (transport, "selected-local");
  remote = describe_candidate (transport, "selected-remote");
  rtt = selected_rtt (self);
  rtt_text = rtt > 0 ? g_strdup_printf (_ (", rtt %.1f ms"), rtt) : NULL;
  text = g_strdup_printf (_ ("Connected in %.2f s: %s <-> %s%s"),
      (g_get_monotonic_time () - self->started_at) / (gdouble) G_USEC_PER_SEC,
      local, remote, rtt_text != NULL ? rtt_text : "");
  post_progress (self, GST_PROGRESS_TYPE_COMPLETE, "connect", text);
}

/* Element messages */

void
gst_ice_endpoint_post (GstIceEndpoint *self, GstStructure *structure)
{
  g_autoptr (GstElement) speaker = gst_ice_endpoint_ref_speaker (self);

  if (speaker == NULL) {
    gst_structure_free (structure);
    return;
  }
  gst_element_post_message (
      speaker, gst_message_new_element (GST_OBJECT (speaker), structure));
}

/* Errors and warnings */

static const gchar *
cause_of (const GError *error)
{
  if (error->domain != GST_ICE_ERROR)
    return "resource";
  switch ((GstIceError) error->code) {
    case GST_ICE_ERROR_NO_LOCAL_CANDIDATES:
      return "no-local-candidates";
    case GST_ICE_ERROR_NO_REMOTE_CANDIDATES:
      return "no-remote-candidates";
    case GST_ICE_ERROR_ALL_CHECKS_FAILED:
      return "all-checks-failed";
    case GST_ICE_ERROR_TURN_AUTH:
      return "turn-auth";
    case GST_ICE_ERROR_SIGNALLING_LOST:
    case GST_ICE_ERROR_REJECTED:
    case GST_ICE_ERROR_PEER:
      return "signalling-lost";
    case GST_ICE_ERROR_TLS_UNTRUSTED:
      return "tls-untrusted";
    case GST_ICE_ERROR_CONSENT_EXPIRED:
      return "consent-expired";
    default:
      return "resource";
  }
}

static GstResourceError
resource_error_of (const GError *error)
{
  if (error->domain != GST_ICE_ERROR)
    return GST_RESOURCE_ERROR_FAILED;
  switch ((GstIceError) error->code) {
    case GST_ICE_ERROR_INVALID_URI:
    case GST_ICE_ERROR_INVALID_ARGUMENT:
    case GST_ICE_ERROR_INVALID_STATE:
    case GST_ICE_ERROR_NOT_SUPPORTED:
    case GST_ICE_ERROR_CLOSED:
      return GST_RESOURCE_ERROR_SETTINGS;
    case GST_ICE_ERROR_BUSY:
      return GST_RESOURCE_ERROR_BUSY;
    case GST_ICE_ERROR_TURN_AUTH:
    case GST_ICE_ERROR_TLS_UNTRUSTED:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case GST_ICE_ERROR_NO_LOCAL_CANDIDATES:
    case GST_ICE_ERROR_NO_REMOTE_CANDIDATES:
    case GST_ICE_ERROR_ALL_CHECKS_FAILED:
    case GST_ICE_ERROR_NOT_FOUND:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    default:
      return GST_RESOURCE_ERROR_OPEN_READ_WRITE;
  }
}

static void
post (GstElement *element, GstMessageType type, const GError *error)
{
  gst_element_message_full_with_details (element, type, GST_RESOURCE_ERROR,
      resource_error_of (error), g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__,
      gst_structure_new (
          "details", "cause", G_TYPE_STRING, cause_of (error), NULL));
}

void
gst_ice_post_error (GstElement *element, const GError *error)
{
  post (element, GST_MESSAGE_ERROR, error);
}

void
gst_ice_endpoint_post_error (GstIceEndpoint *self, const GError *error)
{
  g_autoptr (GstElement) speaker = gst_ice_endpoint_ref_speaker (self);

  if (speaker != NULL)
    post (speaker, GST_MESSAGE_ERROR, error);
}

void
gst_ice_endpoint_post_warning (GstIceEndpoint *self, const GError *error)
{
  g_autoptr (GstElement) speaker = gst_ice_endpoint_ref_speaker (self);

  if (speaker != NULL)
    post (speaker, GST_MESSAGE_WARNING, error);
}

static GstIceError
server_error_of (guint code, const gchar *cause)
{
  if (g_strcmp0 (cause, "tls-untrusted") == 0)
    return GST_ICE_ERROR_TLS_UNTRUSTED;
  /* RFC 8489 14.8: 401 and its kind. */
  return code >= 400 && code < 500 ? GST_ICE_ERROR_TURN_AUTH
                                   : GST_ICE_ERROR_NOT_FOUND;
}

void
gst_ice_endpoint_post_server_error (GstIceEndpoint *self, const gchar *url,
    guint code, const gchar *cause, const gchar *text)
{
  g_autoptr (GError) error =
      g_error_new_literal (GST_ICE_ERROR, server_error_of (code, cause), text);
  gboolean first;

  gst_ice_endpoint_post (self,
      gst_structure_new ("GstIceServerError", "agent", GST_TYPE_ICE_AGENT,
          self->agent, "url", G_TYPE_STRING, url, "code", G_TYPE_UINT, code,
          "text", G_TYPE_STRING, text, NULL));
  g_mutex_lock (&self->lock);
  first = g_hash_table_add (self->warned_about, g_strdup (url));
  g_mutex_unlock (&self->lock);
  if (first)
    gst_ice_endpoint_post_warning (self, error);
}
