/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socket.h"

G_BEGIN_DECLS

/* A second socket on the port of another, connected to one address. The kernel
 * steers what comes from there to it, past whatever floods the port, and sends
 * by it without looking for the way. What it brings is the first one's: between
 * bind and connect it gets strangers' packets, too (design 9.9).
 *
 * Whoever waits for media may read it himself, which saves the way through the
 * loop's thread. One of the two reads at any time:
 *
 *            enter              next packet
 *    LOOP ----------> WANTED ---------------> FREE <---------> BUSY
 *     ^                                        |  leave  enter
 *     +----------------------------------------+
 *        the loop looks, and nobody was there
 *
 * so that packets keep their order, and a reader who does not come back loses
 * nothing: the loop takes over. Closing is the loop's, at any time. */
typedef struct _IceLane IceLane;

/* Loop thread. @handed_over (nullable) is called there once a reader who wanted
 * to enter may. G_IO_ERROR_EXISTS when @base has one to @to, or enough of them;
 * G_IO_ERROR_NOT_SUPPORTED where sockets are not ours to connect. */
IceLane *ice_lane_open (IceSocket *base, const IceAddress *to,
    IceLoopFunc handed_over, gpointer user_data, GError **error);
/* Loop thread, but not inside events: they get what came to the port before,
 * which is not to overtake what the lane brings. May close it. */
void ice_lane_settle (IceLane *self);
/* Loop thread. What is left in it goes to the base's events. */
void ice_lane_close (IceLane *self);
IceLane *ice_lane_ref (IceLane *self);
void ice_lane_unref (IceLane *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceLane, ice_lane_unref)

/* Any thread. For sending, to @to only. Closed once the lane is. */
IceSocket *ice_lane_get_socket (IceLane *self);

/* One reader at a time, any thread. FALSE: the loop reads, until @handed_over
 * is called. TRUE: nobody else does before ice_lane_leave. */
gboolean ice_lane_enter (IceLane *self);
void ice_lane_leave (IceLane *self);

/* Between the two. Waits until something comes, somebody wakes, or @timeout is
 * over (ICE_TIME_NEVER: none), and says which. */
typedef enum
{
  ICE_LANE_TIMEOUT = 0,
  ICE_LANE_PACKETS = 1 << 0,
  ICE_LANE_WOKEN = 1 << 1,
} IceLaneNews;
IceLaneNews ice_lane_wait (IceLane *self, IceTime timeout);
/* Between the two. Waits as long as that, unless somebody wakes. */
void ice_lane_nap (IceLane *self, IceTime time);
/* Any thread. The present or the next wait of the reader ends. */
void ice_lane_wake (IceLane *self);

/* Between the two. Reads what is there, without waiting. The packets die with
 * ice_lane_done, before which buffers are cut from them. */
guint ice_lane_read (IceLane *self, IceRxPacket **ret_packets);
void ice_lane_done (IceLane *self);
/* Between the two, before ice_lane_done: not for the reader. The base's events
 * get a copy, on the loop's thread. */
void ice_lane_pass_on (IceLane *self, const IceRxPacket *packet);

G_END_DECLS
