/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtcbin-private.h"

#define GST_CAT_DEFAULT gst_ice_webrtc_bin_debug

/* webrtcbin's get-stats knows two candidates a stream and a pair without
 * figures. What our agent counts is added under ids of its own, "ice-...". */

typedef struct
{
  GstIceWebRTCBin *bin; /* (owned) */
  GstPromise *promise;  /* (owned) (nullable) of the application */
} Wrapped;

static void
wrapped_free (gpointer data)
{
  Wrapped *self = data;

  gst_object_unref (self->bin);
  if (self->promise)
    gst_promise_unref (self->promise);
  g_free (self);
}

/* FALSE: not one of W3C's. */
static gboolean
type_of (const GstStructure *object, GstWebRTCStatsType *ret)
{
  static const struct
  {
    const gchar *name;
    GstWebRTCStatsType type;
  } types[] = {
    { "candidate-pair", GST_WEBRTC_STATS_CANDIDATE_PAIR },
    { "local-candidate", GST_WEBRTC_STATS_LOCAL_CANDIDATE },
    { "remote-candidate", GST_WEBRTC_STATS_REMOTE_CANDIDATE },
    { "transport", GST_WEBRTC_STATS_TRANSPORT },
  };
  const gchar *name = gst_structure_get_string (object, "type");

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    if (g_strcmp0 (name, types[i].name) != 0)
      continue;
    *ret = types[i].type;
    return TRUE;
  }
  return FALSE;
}

static gboolean
is_reference (const gchar *field)
{
  return g_str_equal (field, "id") || g_str_has_suffix (field, "-id");
}

static gboolean
rename_reference (GQuark field, GValue *value, gpointer unused)
{
  if (is_reference (g_quark_to_string (field)) && G_VALUE_HOLDS_STRING (value))
    g_value_take_string (
        value, g_strconcat ("ice-", g_value_get_string (value), NULL));
  return TRUE;
}

/* @timestamp: webrtcbin's, so that all of a report have one */
static void
add_object (GstStructure *stats, const GstStructure *object, gdouble timestamp)
{
  g_autoptr (GstStructure) copy = gst_structure_copy (object);
  GstWebRTCStatsType type;

  if (!type_of (copy, &type))
    return;
  gst_structure_map_in_place (copy, rename_reference, NULL);
  gst_structure_set (copy, "type", GST_TYPE_WEBRTC_STATS_TYPE, type,
      "timestamp", G_TYPE_DOUBLE, timestamp, NULL);
  gst_structure_set (stats, gst_structure_get_string (copy, "id"),
      GST_TYPE_STRUCTURE, copy, NULL);
}

static gdouble
find_timestamp (const GstStructure *stats)
{
  gdouble timestamp = 0;

  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const GValue *value = gst_structure_get_value (
        stats, gst_structure_nth_field_name (stats, i));

    if (GST_VALUE_HOLDS_STRUCTURE (value) &&
        gst_structure_get_double (
            gst_value_get_structure (value), "timestamp", &timestamp))
      return timestamp;
  }
  return g_get_real_time () / 1000.0;
}

static void
add_all (GstIceWebRTCBin *self, GstStructure *stats)
{
  g_autoptr (GstIceWebRTC) ice = gst_ice_webrtc_bin_ref_ice (self);
  g_autoptr (GstIceAgent) agent = gst_ice_webrtc_ref_agent (ice);
  g_autoptr (GstStructure) ours = gst_ice_agent_get_stats (agent);
  const gdouble timestamp = find_timestamp (stats);

  for (gint i = 0; i < gst_structure_n_fields (ours); i++) {
    const GValue *value =
        gst_structure_get_value (ours, gst_structure_nth_field_name (ours, i));

    if (GST_VALUE_HOLDS_STRUCTURE (value))
      add_object (stats, gst_value_get_structure (value), timestamp);
  }
}

static void
on_stats (GstPromise *promise, gpointer data)
{
  Wrapped *wrapped = data;
  const GstStructure *reply;
  GstStructure *answer = NULL;

  if (!wrapped->promise)
    return;
  switch (gst_promise_wait (promise)) {
    case GST_PROMISE_RESULT_REPLIED:
      break;
    case GST_PROMISE_RESULT_INTERRUPTED:
      gst_promise_interrupt (wrapped->promise);
      return;
    default:
      gst_promise_expire (wrapped->promise);
      return;
  }
  reply = gst_promise_get_reply (promise);
  if (reply) {
    answer = gst_structure_copy (reply);
    if (!gst_structure_has_field (answer, "error"))
      add_all (wrapped->bin, answer);
  }
  gst_promise_reply (wrapped->promise, answer);
}

GstPromise *
gst_ice_webrtc_bin_wrap_stats (GstIceWebRTCBin *self, GstPromise *promise)
{
  Wrapped *wrapped = g_new0 (Wrapped, 1);

  wrapped->bin = gst_object_ref (self);
  wrapped->promise = promise ? gst_promise_ref (promise) : NULL;
  return gst_promise_new_with_change_func (on_stats, wrapped, wrapped_free);
}
