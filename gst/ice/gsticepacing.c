/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepacing.h"

#include "gsticepacing-private.h"

/* RFC 8445 14.2: no agent starts a transaction less than 5 ms after another
 * one on the same host. */
#define DEFAULT_INTERVAL (5 * ICE_MSEC)

static GMutex lock;
static IceTime interval = DEFAULT_INTERVAL;
static IceTime next_slot = G_MININT64;

/* Nothing is called while the lock is held, so it nests in any other. */
IceTime
gst_ice_pacing_reserve (gpointer unused, IceTime now)
{
  IceTime slot;

  g_mutex_lock (&lock);
  slot = MAX (now, next_slot);
  next_slot = slot + interval;
  g_mutex_unlock (&lock);
  return slot;
}

/**
 * gst_ice_set_process_pacing:
 * @milliseconds: the interval, or 0 for none
 *
 * Sets how long all agents of this process together wait between one new STUN
 * or TURN transaction and the next: connectivity checks and the questions of
 * gathering. Consent requests, refreshes and retransmissions are exempt. Each
 * agent keeps to its own interval besides, which it agrees upon with its peer
 * (`a=ice-pacing`, RFC 8839 5.10).
 *
 * The default of 5 ms is what RFC 8445 section 14.2 demands of a host on the
 * open Internet: 200 transactions a second, so that the checks of many agents
 * do not add up to a flood. A thousand calls that begin at once then take the
 * time that this allows. Only a server in a network of its own, whose uplink
 * bears what all its calls send, may set it to 0, which lifts the limit.
 *
 * Any thread may call it at any time; what was reserved already stays.
 */
void
gst_ice_set_process_pacing (guint milliseconds)
{
  g_mutex_lock (&lock);
  interval = milliseconds * ICE_MSEC;
  if (interval == 0)
    next_slot = G_MININT64;
  g_mutex_unlock (&lock);
}

/**
 * gst_ice_get_process_pacing:
 *
 * Tells what gst_ice_set_process_pacing() set.
 *
 * Returns: milliseconds, 5 unless it was changed, 0 for no limit
 */
guint
gst_ice_get_process_pacing (void)
{
  guint milliseconds;

  g_mutex_lock (&lock);
  milliseconds = (guint) (interval / ICE_MSEC);
  g_mutex_unlock (&lock);
  return milliseconds;
}
