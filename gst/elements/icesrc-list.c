/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icesrc-list.h"

#include "early.h"

/* To which elements whole batches go. */

static GstPadChainListFunction default_chain_list;

/* What a pad has that knows no lists: it passes on their buffers one by one. */
static GstPadChainListFunction
find_default (void)
{
  static gsize once;

  if (g_once_init_enter (&once)) {
    g_autoptr (GstPad) pad =
        gst_object_ref_sink (gst_pad_new (NULL, GST_PAD_SINK));

    default_chain_list = GST_PAD_CHAINLISTFUNC (pad);
    g_once_init_leave (&once, 1);
  }
  return default_chain_list;
}

static gboolean
knows_lists (GstPad *pad)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

  return peer && GST_PAD_CHAINLISTFUNC (peer) != find_default ();
}

/* srtpdec before 1.24.11 uses a buffer after it has dropped its reference, when
 * others have one: the list that it was in. */
static gboolean
srtpdec_is_sound (void)
{
  guint major, minor, micro, nano;

  gst_version (&major, &minor, &micro, &nano);
  return major > 1 || minor > 24 || (minor == 24 && micro >= 11);
}

/* DTLS keys mean SRTP, and it all starts with DTLS. */
static gboolean
is_for_srtp (GstPad *pad, GstBufferList *list)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const guint n = gst_buffer_list_length (list);

  if (caps && gst_caps_get_size (caps) > 0 &&
      g_str_has_prefix (
          gst_structure_get_name (gst_caps_get_structure (caps, 0)),
          "application/x-srt"))
    return TRUE;
  for (guint i = 0; i < n; i++) {
    if (gst_ice_packet_is_dtls (gst_buffer_list_get (list, i)))
      return TRUE;
  }
  return FALSE;
}

gboolean
gst_ice_src_may_push_list (GstPad *pad, GstBufferList *list, gboolean *singly)
{
  if (!*singly && !srtpdec_is_sound ())
    *singly = is_for_srtp (pad, list);
  return !*singly && knows_lists (pad);
}

void
gst_ice_src_take_apart (GQueue *queue, GstBufferList *list)
{
  const guint n = gst_buffer_list_length (list);

  for (guint i = 0; i < n; i++)
    g_queue_push_tail (queue, gst_buffer_ref (gst_buffer_list_get (list, i)));
  gst_buffer_list_unref (list);
}
