/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Frames of the WebSocket protocol (RFC 6455 5), bytes in and messages out.
 * Debian's libsoup puts no bound on a message that comes in fragments, so the
 * frames are read here. */

/* What two peers tell each other is no longer: as GST_ICE_JSON_MAX_SIZE. */
#define GST_ICE_WS_MAX_MESSAGE (64 * 1024)

/* RFC 6455 5.2 */
typedef enum
{
  GST_ICE_WS_CONTINUATION = 0x0,
  GST_ICE_WS_TEXT = 0x1,
  GST_ICE_WS_BINARY = 0x2,
  GST_ICE_WS_CLOSE = 0x8,
  GST_ICE_WS_PING = 0x9,
  GST_ICE_WS_PONG = 0xa,
} GstIceWsOpcode;

/* RFC 6455 7.4.1 */
typedef enum
{
  GST_ICE_WS_NORMAL = 1000,
  GST_ICE_WS_GOING_AWAY = 1001,
  GST_ICE_WS_PROTOCOL_ERROR = 1002,
  GST_ICE_WS_UNSUPPORTED = 1003,
  GST_ICE_WS_NO_STATUS = 1005,
  GST_ICE_WS_ABNORMAL = 1006, /* never on the wire */
  GST_ICE_WS_BAD_DATA = 1007,
  GST_ICE_WS_POLICY = 1008,
  GST_ICE_WS_TOO_BIG = 1009,
  GST_ICE_WS_TRY_AGAIN = 1013,
} GstIceWsCloseCode;

typedef enum
{
  GST_ICE_WS_READ_MORE, /* nothing whole is there */
  GST_ICE_WS_READ_MESSAGE,
  GST_ICE_WS_READ_FAILED, /* close with the code of the message */
} GstIceWsReadStatus;

/* Lives until the next call of the reader it is from. */
typedef struct
{
  GstIceWsOpcode opcode; /* text, close, ping or pong */
  const gchar *text;     /* (unowned) NUL-terminated, UTF-8 if it is text */
  gsize size;
  guint close_code; /* of a close, or why it failed */
} GstIceWsMessage;

typedef struct
{
  gboolean masked;   /* by RFC 6455 5.1 what a client sends is, and only that */
  GByteArray *bytes; /* (owned) not yet read */
  gsize read;        /* how many of them are */
  GByteArray *message; /* (owned) fragments so far, and a NUL */
  gboolean unfinished; /* there are */
  GByteArray *control; /* (owned) of the last control frame, and a NUL */
} GstIceWsReader;

void gst_ice_ws_reader_init (GstIceWsReader *self, gboolean masked);
void gst_ice_ws_reader_clear (GstIceWsReader *self);
void
gst_ice_ws_reader_push (GstIceWsReader *self, const guint8 *bytes, gsize size);
GstIceWsReadStatus
gst_ice_ws_reader_pop (GstIceWsReader *self, GstIceWsMessage *ret_message);

/* @mask (nullable): four random bytes, which a client must have. */
void gst_ice_ws_append (GByteArray *out, GstIceWsOpcode opcode,
    const gchar *payload, gsize size, const guint8 *mask);
void gst_ice_ws_append_close (
    GByteArray *out, guint code, const gchar *reason, const guint8 *mask);

/* (transfer full) Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
gchar *gst_ice_ws_accept_key (const gchar *key);

G_END_DECLS
