/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsframe.h"

#include <string.h>

/* RFC 6455 5.5: control frames are short and in one piece. */
#define MAX_CONTROL 125
/* RFC 6455 1.3 */
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#define FIN 0x80
#define RESERVED 0x70
#define MASK 0x80
#define SIZE_16 126
#define SIZE_64 127

typedef struct
{
  gboolean final;
  guint opcode;
  guint64 size;
  guint8 mask[4];
  gsize header; /* bytes */
} Frame;

void
gst_ice_ws_reader_init (GstIceWsReader *self, gboolean masked)
{
  memset (self, 0, sizeof *self);
  self->masked = masked;
  self->bytes = g_byte_array_new ();
  self->message = g_byte_array_new ();
  self->control = g_byte_array_new ();
}

void
gst_ice_ws_reader_clear (GstIceWsReader *self)
{
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_clear_pointer (&self->message, g_byte_array_unref);
  g_clear_pointer (&self->control, g_byte_array_unref);
}

void
gst_ice_ws_reader_push (GstIceWsReader *self, const guint8 *bytes, gsize size)
{
  if (self->read > 0) {
    g_byte_array_remove_range (self->bytes, 0, self->read);
    self->read = 0;
  }
  g_byte_array_append (self->bytes, bytes, size);
}

static GstIceWsReadStatus
fail (GstIceWsMessage *message, guint code)
{
  memset (message, 0, sizeof *message);
  message->close_code = code;
  return GST_ICE_WS_READ_FAILED;
}

/* RFC 6455 5.2: the shortest form of a length is the only one. */
static GstIceWsReadStatus
read_size (const guint8 *at, gsize left, Frame *frame)
{
  const guint n_bytes = frame->size == SIZE_16 ? 2 : 8;
  guint i;

  if (frame->size < SIZE_16)
    return GST_ICE_WS_READ_MESSAGE;
  if (left < 2 + n_bytes)
    return GST_ICE_WS_READ_MORE;
  frame->size = 0;
  for (i = 0; i < n_bytes; i++)
    frame->size = frame->size << 8 | at[2 + i];
  frame->header += n_bytes;
  return frame->size >= (n_bytes == 2 ? SIZE_16 : G_MAXUINT16 + 1)
      ? GST_ICE_WS_READ_MESSAGE
      : GST_ICE_WS_READ_FAILED;
}

static GstIceWsReadStatus
read_header (GstIceWsReader *self, Frame *frame)
{
  const guint8 *at = self->bytes->data + self->read;
  const gsize left = self->bytes->len - self->read;
  GstIceWsReadStatus status;

  if (left < 2)
    return GST_ICE_WS_READ_MORE;
  frame->final = (at[0] & FIN) != 0;
  frame->opcode = at[0] & 0xf;
  frame->size = at[1] & ~MASK;
  frame->header = 2;
  memset (frame->mask, 0, sizeof frame->mask);
  /* No extension was agreed on. */
  if ((at[0] & RESERVED) != 0 || ((at[1] & MASK) != 0) != self->masked)
    return GST_ICE_WS_READ_FAILED;
  status = read_size (at, left, frame);
  if (status != GST_ICE_WS_READ_MESSAGE || !self->masked)
    return status;
  if (left < frame->header + sizeof frame->mask)
    return GST_ICE_WS_READ_MORE;
  memcpy (frame->mask, at + frame->header, sizeof frame->mask);
  frame->header += sizeof frame->mask;
  return GST_ICE_WS_READ_MESSAGE;
}

/* 0: it may come. */
static guint
judge (GstIceWsReader *self, const Frame *frame)
{
  switch (frame->opcode) {
    case GST_ICE_WS_CLOSE:
    case GST_ICE_WS_PING:
    case GST_ICE_WS_PONG:
      return frame->final && frame->size <= MAX_CONTROL
          ? 0
          : GST_ICE_WS_PROTOCOL_ERROR;
    case GST_ICE_WS_TEXT:
      if (self->unfinished)
        return GST_ICE_WS_PROTOCOL_ERROR;
      break;
    case GST_ICE_WS_CONTINUATION:
      if (!self->unfinished)
        return GST_ICE_WS_PROTOCOL_ERROR;
      /* One that brings nothing is only to keep us busy. */
      if (frame->size == 0 && !frame->final)
        return GST_ICE_WS_POLICY;
      break;
    case GST_ICE_WS_BINARY:
      return GST_ICE_WS_UNSUPPORTED;
    default:
      return GST_ICE_WS_PROTOCOL_ERROR;
  }
  return frame->size <=
          GST_ICE_WS_MAX_MESSAGE - (self->unfinished ? self->message->len : 0)
      ? 0
      : GST_ICE_WS_TOO_BIG;
}

static void
append_payload (GstIceWsReader *self, const Frame *frame, GByteArray *to)
{
  const guint8 *from = self->bytes->data + self->read + frame->header;
  const gsize start = to->len;
  gsize i;

  g_byte_array_set_size (to, start + frame->size);
  for (i = 0; i < frame->size; i++)
    to->data[start + i] = from[i] ^ frame->mask[i & 3];
  self->read += frame->header + frame->size;
}

static void
terminate (GByteArray *bytes)
{
  g_byte_array_append (bytes, (const guint8 *) "", 1);
}

/* RFC 6455 5.5.1: a code, and a reason in UTF-8; or nothing. */
static GstIceWsReadStatus
take_close (GstIceWsReader *self, GstIceWsMessage *message)
{
  const gsize size = message->size;

  message->close_code = GST_ICE_WS_NO_STATUS;
  if (size == 0)
    return GST_ICE_WS_READ_MESSAGE;
  if (size == 1)
    return fail (message, GST_ICE_WS_PROTOCOL_ERROR);
  message->close_code = self->control->data[0] << 8 | self->control->data[1];
  message->text += 2;
  message->size -= 2;
  if (!g_utf8_validate (message->text, message->size, NULL))
    return fail (message, GST_ICE_WS_BAD_DATA);
  return GST_ICE_WS_READ_MESSAGE;
}

static GstIceWsReadStatus
take_control (
    GstIceWsReader *self, const Frame *frame, GstIceWsMessage *message)
{
  g_byte_array_set_size (self->control, 0);
  append_payload (self, frame, self->control);
  terminate (self->control);
  message->opcode = frame->opcode;
  message->text = (const gchar *) self->control->data;
  message->size = frame->size;
  message->close_code = 0;
  return frame->opcode == GST_ICE_WS_CLOSE ? take_close (self, message)
                                           : GST_ICE_WS_READ_MESSAGE;
}

/* Whole once its last fragment is there. */
static GstIceWsReadStatus
take_data (GstIceWsReader *self, const Frame *frame, GstIceWsMessage *message)
{
  if (!self->unfinished)
    g_byte_array_set_size (self->message, 0);
  append_payload (self, frame, self->message);
  self->unfinished = !frame->final;
  if (self->unfinished)
    return GST_ICE_WS_READ_MORE;
  message->opcode = GST_ICE_WS_TEXT;
  message->size = self->message->len;
  message->close_code = 0;
  terminate (self->message);
  message->text = (const gchar *) self->message->data;
  /* RFC 6455 8.1; and nothing that is said here has a NUL. */
  if (!g_utf8_validate (message->text, message->size, NULL))
    return fail (message, GST_ICE_WS_BAD_DATA);
  return GST_ICE_WS_READ_MESSAGE;
}

GstIceWsReadStatus
gst_ice_ws_reader_pop (GstIceWsReader *self, GstIceWsMessage *message)
{
  GstIceWsReadStatus status = GST_ICE_WS_READ_MORE;
  Frame frame;
  guint code;

  while (status == GST_ICE_WS_READ_MORE) {
    status = read_header (self, &frame);
    if (status == GST_ICE_WS_READ_FAILED)
      return fail (message, GST_ICE_WS_PROTOCOL_ERROR);
    if (status == GST_ICE_WS_READ_MORE)
      return status;
    code = judge (self, &frame);
    if (code != 0)
      return fail (message, code);
    if (self->bytes->len - self->read < frame.header + frame.size)
      return GST_ICE_WS_READ_MORE;
    status = frame.opcode >= GST_ICE_WS_CLOSE
        ? take_control (self, &frame, message)
        : take_data (self, &frame, message);
  }
  return status;
}

void
gst_ice_ws_append (GByteArray *out, GstIceWsOpcode opcode, const gchar *payload,
    gsize size, const guint8 *mask)
{
  const guint8 masked = mask != NULL ? MASK : 0;
  guint8 header[14] = { FIN | opcode };
  gsize n = 2, start, i;

  if (size < SIZE_16) {
    header[1] = masked | size;
  } else if (size <= G_MAXUINT16) {
    header[1] = masked | SIZE_16;
    header[n++] = size >> 8;
    header[n++] = size;
  } else {
    header[1] = masked | SIZE_64;
    for (i = 0; i < 8; i++)
      header[n++] = (guint64) size >> (56 - 8 * i);
  }
  if (mask != NULL) {
    memcpy (header + n, mask, 4);
    n += 4;
  }
  g_byte_array_append (out, header, n);
  start = out->len;
  g_byte_array_append (out, (const guint8 *) payload, size);
  for (i = 0; mask != NULL && i < size; i++)
    out->data[start + i] ^= mask[i & 3];
}

void
gst_ice_ws_append_close (
    GByteArray *out, guint code, const gchar *reason, const guint8 *mask)
{
  gchar payload[MAX_CONTROL];
  gsize size = 2;

  payload[0] = code >> 8;
  payload[1] = code;
  if (reason != NULL) {
    const gchar *end = reason + MIN (strlen (reason), sizeof payload - 2);

    g_utf8_validate (reason, end - reason, &end);
    memcpy (payload + 2, reason, end - reason);
    size += end - reason;
  }
  gst_ice_ws_append (out, GST_ICE_WS_CLOSE, payload, size, mask);
}

gchar *
gst_ice_ws_accept_key (const gchar *key)
{
  g_autoptr (GChecksum) sha1 = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize size = sizeof digest;

  g_checksum_update (sha1, (const guchar *) key, -1);
  g_checksum_update (sha1, (const guchar *) ACCEPT_GUID, -1);
  g_checksum_get_digest (sha1, digest, &size);
  return g_base64_encode (digest, size);
}
