/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../../base/types.h"

G_BEGIN_DECLS

/* RFC 8656 12.4: channel number, length, payload. */
#define ICE_CHANNEL_DATA_HEADER_SIZE 4
/* RFC 8656 12: numbers that may be bound. */
#define ICE_CHANNEL_MIN 0x4000
#define ICE_CHANNEL_MAX 0x4fff

/* FALSE when the datagram is not ChannelData: its number is outside the range,
 * or it claims more bytes than came (RFC 8656 12.6). Padding of up to three
 * bytes may follow the payload (12.5), more than that is something else. */
gboolean ice_channel_data_parse (
    IceBytes datagram, guint16 *ret_channel, IceBytes *ret_payload);
/* (nullable) NULL when the payload does not fit the length field. */
IcePacket *ice_channel_data_new (guint16 channel, IceBytes payload);

G_END_DECLS
