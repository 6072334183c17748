/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "trickle.h"

#include <string.h>

#include "../../gst/signallers/sdpfrag.h"

/* All that a peer may say in one call: 64 restarts of 100 candidates. */
#define MAX_SEEN 6400

struct _GstIceSipTrickle
{
  GstIceSdpfrag *sent; /* (owned) what the peer was told, or will be */
  gboolean news;       /* not all of it yet */
  gboolean in_flight;  /* RFC 8840 4.4: one INFO at a time */
  GHashTable *seen;    /* (owned) (element-type utf8) of the peer's */
};

GstIceSipTrickle *
gst_ice_sip_trickle_new (void)
{
  GstIceSipTrickle *self = g_new0 (GstIceSipTrickle, 1);

  self->sent = gst_ice_sdpfrag_new ();
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
gst_ice_sip_trickle_free (GstIceSipTrickle *self)
{
  gst_ice_sdpfrag_free (self->sent);
  g_hash_table_unref (self->seen);
  g_free (self);
}

void
gst_ice_sip_trickle_describe (GstIceSipTrickle *self, const gchar *sdp)
{
  const gchar *reason = NULL;
  /* A description is a piece of itself. */
  GstIceSdpfrag *said = gst_ice_sdpfrag_parse (sdp, strlen (sdp), &reason);

  if (said == NULL)
    return;
  gst_ice_sdpfrag_free (self->sent);
  self->sent = said;
  self->news = FALSE;
}

static GstIceSdpfragSection *
find_section (GstIceSipTrickle *self, const gchar *mid)
{
  guint i;

  for (i = 0; i < self->sent->sections->len; i++) {
    GstIceSdpfragSection *section = g_ptr_array_index (self->sent->sections, i);

    if (g_strcmp0 (section->mid, mid) == 0)
      return section;
  }
  return NULL;
}

/* RFC 8840 4.4: each INFO repeats all candidates of this ufrag and pwd that
 * were sent before, in the same order, those of the description too: INFOs may
 * overtake each other. */
void
gst_ice_sip_trickle_add (GstIceSipTrickle *self, const gchar *mid,
    const gchar *candidate, const gchar *ufrag)
{
  GstIceSdpfragSection *section = find_section (self, mid);

  if (section == NULL || section->end ||
      (ufrag != NULL && g_strcmp0 (ufrag, section->ufrag) != 0))
    return;
  if (*candidate == '\0')
    section->end = TRUE;
  else
    g_ptr_array_add (section->candidates, g_strdup (candidate));
  self->news = TRUE;
}

gchar *
gst_ice_sip_trickle_next (GstIceSipTrickle *self)
{
  if (!self->news || self->in_flight)
    return NULL;
  self->news = FALSE;
  self->in_flight = TRUE;
  return gst_ice_sdpfrag_to_string (self->sent);
}

void
gst_ice_sip_trickle_done (GstIceSipTrickle *self)
{
  self->in_flight = FALSE;
}

static gboolean
is_new (GstIceSipTrickle *self, const GstIceSdpfragSection *section,
    const gchar *candidate)
{
  gchar *key =
      g_strdup_printf ("%s %s %s", section->mid != NULL ? section->mid : "",
          section->ufrag != NULL ? section->ufrag : "", candidate);

  if (g_hash_table_size (self->seen) < MAX_SEEN)
    return g_hash_table_add (self->seen, key);
  g_free (key);
  return FALSE;
}

const gchar *
gst_ice_sip_trickle_take (GstIceSipTrickle *self, const gchar *body, gsize size,
    GstIceSipTrickleFunc func, gpointer user_data)
{
  const gchar *reason = NULL;
  g_autoptr (GstIceSdpfrag) piece = gst_ice_sdpfrag_parse (body, size, &reason);
  guint i, j;

  if (piece == NULL)
    return reason;
  for (i = 0; i < piece->sections->len; i++) {
    const GstIceSdpfragSection *section =
        g_ptr_array_index (piece->sections, i);
    /* RFC 8840 9.2: a=mid tells which; who leaves it out means the order. */
    const guint index = section->mid == NULL ? i : G_MAXUINT;

    for (j = 0; j < section->candidates->len; j++) {
      const gchar *candidate = g_ptr_array_index (section->candidates, j);

      if (is_new (self, section, candidate))
        func (section->mid, index, candidate, section->ufrag, user_data);
    }
    if (section->end && is_new (self, section, ""))
      func (section->mid, index, "", section->ufrag, user_data);
  }
  return NULL;
}
