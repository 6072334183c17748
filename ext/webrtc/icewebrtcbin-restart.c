/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtcbin-private.h"

#include <gst/sdp/sdp.h>
#include <string.h>
#include <unistd.h>

#define GST_CAT_DEFAULT gst_ice_webrtc_bin_debug

/* ICE restart (RFC 8839 4.4.1.1.1): webrtcbin, up to the present, makes the
 * credentials of a transport once and writes them into each description. Here
 * others are put in their place: into an offer whose options say "ice-restart",
 * and into the answer to an offer that restarts. webrtcbin hands those of the
 * description that is set on to the agent, which restarts then. Later
 * descriptions have to repeat them. */

/* RFC 8839 5.4: at least 24 and 128 bits of randomness. Base64 writes three
 * octets as four ice-chars. */
#define UFRAG_SIZE 6
#define PWD_SIZE 18

typedef struct
{
  GstIceWebRTCBin *bin;
  gchar *type; /* (owned) "offer" or "answer", the field's name, too */
  gboolean restart;
  GstPromise *promise; /* (owned) (nullable) of the application */
} Wrapped;

static void
wrapped_free (gpointer data)
{
  Wrapped *self = data;

  gst_object_unref (self->bin);
  g_free (self->type);
  if (self->promise)
    gst_promise_unref (self->promise);
  g_free (self);
}

/* (transfer full) (nullable) NULL-terminated: ufrag, pwd; NULL: the system has
 * no randomness to give. */
static gchar **
make_credentials (void)
{
  guint8 random[UFRAG_SIZE + PWD_SIZE];
  gchar **credentials;

  if (getentropy (random, sizeof (random)) < 0)
    return NULL;
  credentials = g_new0 (gchar *, 3);
  credentials[0] = g_base64_encode (random, UFRAG_SIZE);
  credentials[1] = g_base64_encode (random + UFRAG_SIZE, PWD_SIZE);
  return credentials;
}

static gboolean
set_attribute (GstSDPMedia *media, const gchar *key, const gchar *value)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    GstSDPAttribute changed;

    if (g_strcmp0 (attribute->key, key) != 0)
      continue;
    gst_sdp_attribute_set (&changed, key, value);
    gst_sdp_media_replace_attribute (media, i, &changed);
    return TRUE;
  }
  return FALSE;
}

/* (nullable) */
static const gchar *
ufrag_of (const GstWebRTCSessionDescription *description, guint i)
{
  return description && i < gst_sdp_message_medias_len (description->sdp)
      ? gst_sdp_media_get_attribute_val (
            gst_sdp_message_get_media (description->sdp, i), "ice-ufrag")
      : NULL;
}

/* The peer's offer of m-line @i has other credentials than what is in use. */
static gboolean
peer_restarts (GstIceWebRTCBin *self, guint i)
{
  g_autoptr (GstWebRTCSessionDescription) current = NULL;
  g_autoptr (GstWebRTCSessionDescription) pending = NULL;
  g_autoptr (GstElement) inner = gst_ice_webrtc_bin_ref_inner (self);
  const gchar *before, *now;

  if (!inner)
    return FALSE;
  g_object_get (inner, "current-remote-description", &current,
      "pending-remote-description", &pending, NULL);
  before = ufrag_of (current, i);
  now = ufrag_of (pending, i);
  return before && now && !g_str_equal (before, now);
}

static void
replace (const Wrapped *wrapped, GstSDPMedia *media, guint i)
{
  GstIceWebRTCBin *self = wrapped->bin;
  g_autofree gchar *generated =
      g_strdup (gst_sdp_media_get_attribute_val (media, "ice-ufrag"));
  const gboolean restart = wrapped->restart || peer_restarts (self, i);
  gchar **credentials;

  if (!generated)
    return;
  g_mutex_lock (&self->lock);
  /* M-lines of a bundle have the same. */
  credentials = g_hash_table_lookup (self->proposed, generated);
  if (restart && !credentials) {
    credentials = make_credentials ();
    if (credentials)
      g_hash_table_insert (self->proposed, g_strdup (generated), credentials);
  }
  if (!credentials)
    credentials = g_hash_table_lookup (self->credentials, generated);
  if (credentials) {
    set_attribute (media, "ice-ufrag", credentials[0]);
    set_attribute (media, "ice-pwd", credentials[1]);
  }
  g_mutex_unlock (&self->lock);
}

static void
remove_candidates (GstSDPMedia *media)
{
  for (guint i = gst_sdp_media_attributes_len (media); i-- > 0;) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);

    if (g_strcmp0 (attribute->key, "candidate") == 0 ||
        g_strcmp0 (attribute->key, "end-of-candidates") == 0)
      gst_sdp_media_remove_attribute (media, i);
  }
}

static void
rewrite (const Wrapped *wrapped, GstWebRTCSessionDescription *description)
{
  GstIceWebRTCBin *self = wrapped->bin;

  g_mutex_lock (&self->lock);
  g_hash_table_remove_all (self->proposed);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < gst_sdp_message_medias_len (description->sdp); i++) {
    GstSDPMedia *media =
        (GstSDPMedia *) gst_sdp_message_get_media (description->sdp, i);

    replace (wrapped, media, i);
    /* Those of the generation before. */
    if (wrapped->restart || peer_restarts (self, i))
      remove_candidates (media);
  }
}

static void
on_description (GstPromise *promise, gpointer data)
{
  Wrapped *wrapped = data;
  g_autoptr (GstWebRTCSessionDescription) description = NULL;
  const GstStructure *reply = NULL;
  GstStructure *answer = NULL;

  if (!wrapped->promise)
    return;
  switch (gst_promise_wait (promise)) {
    case GST_PROMISE_RESULT_REPLIED:
      reply = gst_promise_get_reply (promise);
      break;
    case GST_PROMISE_RESULT_INTERRUPTED:
      gst_promise_interrupt (wrapped->promise);
      return;
    default:
      gst_promise_expire (wrapped->promise);
      return;
  }
  if (reply)
    answer = gst_structure_copy (reply);
  if (answer)
    gst_structure_get (answer, wrapped->type,
        GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, NULL);
  if (description) {
    rewrite (wrapped, description);
    gst_structure_set (answer, wrapped->type,
        GST_TYPE_WEBRTC_SESSION_DESCRIPTION, description, NULL);
  }
  gst_promise_reply (wrapped->promise, answer);
}

GstPromise *
gst_ice_webrtc_bin_wrap_description (GstIceWebRTCBin *self, const gchar *type,
    gboolean restart, GstPromise *promise)
{
  Wrapped *wrapped = g_new0 (Wrapped, 1);

  wrapped->bin = gst_object_ref (self);
  wrapped->type = g_strdup (type);
  wrapped->restart = restart;
  wrapped->promise = promise ? gst_promise_ref (promise) : NULL;
  return gst_promise_new_with_change_func (
      on_description, wrapped, wrapped_free);
}

void
gst_ice_webrtc_bin_take_description (
    GstIceWebRTCBin *self, const GstWebRTCSessionDescription *description)
{
  GHashTableIter iter;
  gpointer generated, credentials;
  gboolean used = FALSE;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->proposed);
  while (g_hash_table_iter_next (&iter, NULL, &credentials)) {
    for (guint i = 0;
         description && i < gst_sdp_message_medias_len (description->sdp); i++)
      used = used ||
          g_strcmp0 (ufrag_of (description, i), ((gchar **) credentials)[0]) ==
              0;
  }
  g_hash_table_iter_init (&iter, self->proposed);
  while (used && g_hash_table_iter_next (&iter, &generated, &credentials))
    g_hash_table_replace (
        self->credentials, g_strdup (generated), g_strdupv (credentials));
  g_mutex_unlock (&self->lock);
}
