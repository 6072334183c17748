/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

/* Who makes streams only when it is known what they are for: the m-lines of an
 * answer are those of the offer (RFC 3264 6). */

static guint signal_prepare;

void
gst_ice_session_install_prepare (GstIceSessionClass *klass)
{
  /**
   * GstIceSession::prepare:
   * @self: the session
   * @offer: (nullable): the peer's offer as text; %NULL before one of ours
   *
   * The last moment at which streams may be requested, and given their caps,
   * for the description that is about to be made: ours, or the answer to
   * @offer, which was parsed and is within the limits of this library. Runs in
   * the service thread with no lock held; signalling waits for it.
   */
  signal_prepare = g_signal_new ("prepare", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

gboolean
gst_ice_session_prepare (GstIceSession *self, const gchar *offer)
{
  g_signal_emit (self, signal_prepare, 0, offer);
  return !gst_ice_session_has_ended (self);
}
