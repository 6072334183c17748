/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsconn.h"

#include <string.h>

#include "wsrandom.h"

/* A line that is silent is asked, and dead when it does not answer: well under
 * what NATs and proxies forget in. */
#define PING_EVERY_S 10
#define DEAD_AFTER (25 * G_TIME_SPAN_SECOND)
#define CLOSE_WITHIN (G_TIME_SPAN_SECOND)
#define CHUNK 16384

struct _GstIceWsConn
{
  guint refs;                /* its owner, its watch, a write, a reader */
  GstIceWsPoller *poller;    /* (owned) */
  GstIceWsWatch *watch;      /* (owned) (nullable) when done */
  GIOStream *stream;         /* (owned) */
  GSocket *socket;           /* (owned) under it */
  GCancellable *cancellable; /* (owned) */
  gboolean is_client;
  GstIceWsConnFuncs funcs; /* none once it was closed or freed */
  gpointer user_data;
  GstIceWsReader reader;
  guint8 chunk[CHUNK];
  GByteArray *unsent;  /* (owned) waits for the write that is under way */
  GByteArray *sending; /* (owned) (nullable) */
  gboolean close_sent;
  guint failed; /* close code for what it said; 0: it may go on */
  guint heard;  /* close code that it said; 0: none yet */
  gboolean done;
  gint64 heard_at, closing_at;
};

static void write_more (GstIceWsConn *self);

static void
conn_unref (gpointer data)
{
  GstIceWsConn *self = data;

  if (--self->refs > 0)
    return;
  gst_ice_ws_reader_clear (&self->reader);
  g_byte_array_unref (self->unsent);
  g_object_unref (self->stream);
  g_object_unref (self->socket);
  g_object_unref (self->cancellable);
  gst_ice_ws_poller_unref (self->poller);
  g_free (self);
}

/* The stream ends; reads and writes under way come back and let go. */
static void
finish (GstIceWsConn *self, guint code, const gchar *reason)
{
  const GstIceWsConnFuncs funcs = self->funcs;

  if (self->done)
    return;
  self->done = TRUE;
  memset (&self->funcs, 0, sizeof self->funcs);
  gst_ice_ws_poller_remove (self->poller, self->watch);
  g_cancellable_cancel (self->cancellable);
  g_io_stream_close_async (self->stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
  if (funcs.closed != NULL)
    funcs.closed (self, code, reason, self->user_data);
  conn_unref (self);
}

static void
on_written (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GstIceWsConn *self = user_data;
  const gboolean ok = g_output_stream_write_all_finish (
      G_OUTPUT_STREAM (object), result, NULL, NULL);

  g_clear_pointer (&self->sending, g_byte_array_unref);
  if (!ok)
    finish (self, GST_ICE_WS_ABNORMAL, NULL);
  else if (self->heard != 0 && self->unsent->len == 0)
    finish (self, self->heard, NULL);
  else if (self->failed != 0 && self->unsent->len == 0 && !self->done)
    g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
  else
    write_more (self);
  conn_unref (self);
}

static void
write_more (GstIceWsConn *self)
{
  if (self->done || self->sending != NULL || self->unsent->len == 0)
    return;
  self->sending = self->unsent;
  self->unsent = g_byte_array_new ();
  self->refs++;
  g_output_stream_write_all_async (g_io_stream_get_output_stream (self->stream),
      self->sending->data, self->sending->len, G_PRIORITY_DEFAULT,
      self->cancellable, on_written, self);
}

/* RFC 6455 5.3: what a client sends has one, which nobody may guess. FALSE:
 * there is none, and this is the end. */
static gboolean
make_mask (GstIceWsConn *self, guint8 *bytes, const guint8 **ret_mask)
{
  g_autoptr (GError) error = NULL;

  *ret_mask = self->is_client ? bytes : NULL;
  if (!self->is_client || gst_ice_ws_random (bytes, 4, &error))
    return TRUE;
  finish (self, GST_ICE_WS_ABNORMAL, error->message);
  return FALSE;
}

static void
send_frame (
    GstIceWsConn *self, GstIceWsOpcode opcode, const gchar *payload, gsize size)
{
  guint8 bytes[4];
  const guint8 *mask;

  if (self->done || self->close_sent)
    return;
  if (self->unsent->len + size > GST_ICE_WS_MAX_UNSENT) {
    finish (self, GST_ICE_WS_ABNORMAL, "it does not read what it is sent");
    return;
  }
  if (!make_mask (self, bytes, &mask))
    return;
  gst_ice_ws_append (self->unsent, opcode, payload, size, mask);
  write_more (self);
}

void
gst_ice_ws_conn_send (GstIceWsConn *self, const gchar *text)
{
  send_frame (self, GST_ICE_WS_TEXT, text, strlen (text));
}

void
gst_ice_ws_conn_close (GstIceWsConn *self, guint code, const gchar *reason)
{
  guint8 bytes[4];
  const guint8 *mask;

  if (self->done || self->close_sent || !make_mask (self, bytes, &mask))
    return;
  gst_ice_ws_append_close (self->unsent, code, reason, mask);
  self->close_sent = TRUE;
  self->closing_at = g_get_monotonic_time ();
  write_more (self);
}

/* RFC 6455 5.5.1: answered by one with the same code. */
static void
handle_close (GstIceWsConn *self, const GstIceWsMessage *message)
{
  const guint code = message->close_code;

  self->heard = code;
  gst_ice_ws_conn_close (
      self, code == GST_ICE_WS_NO_STATUS ? GST_ICE_WS_NORMAL : code, NULL);
  /* Ours was there before, or goes behind what is being written. */
  if (self->sending == NULL)
    finish (self, code, message->text);
}

static void
handle (GstIceWsConn *self, const GstIceWsMessage *message)
{
  switch (message->opcode) {
    case GST_ICE_WS_TEXT:
      if (self->funcs.text != NULL && !self->close_sent)
        self->funcs.text (self, message->text, message->size, self->user_data);
      break;
    case GST_ICE_WS_PING:
      send_frame (self, GST_ICE_WS_PONG, message->text, message->size);
      break;
    case GST_ICE_WS_CLOSE:
      handle_close (self, message);
      break;
    default:
      break;
  }
}

static void
handle_all (GstIceWsConn *self)
{
  GstIceWsMessage message;
  GstIceWsReadStatus status = GST_ICE_WS_READ_MESSAGE;

  while (!self->done && status == GST_ICE_WS_READ_MESSAGE) {
    status = gst_ice_ws_reader_pop (&self->reader, &message);
    if (status == GST_ICE_WS_READ_MESSAGE)
      handle (self, &message);
  }
  if (status != GST_ICE_WS_READ_FAILED || self->done)
    return;
  /* RFC 6455 7.1.7. What still comes is read and not looked at: a socket that
   * is closed before that takes our last word with it. */
  gst_ice_ws_conn_close (self, message.close_code, NULL);
  self->failed = message.close_code;
}

static void
end (GstIceWsConn *self)
{
  if (self->failed != 0)
    finish (self, self->failed, "malformed frame");
  else if (self->heard != 0)
    finish (self, self->heard, NULL);
  else
    finish (self, GST_ICE_WS_ABNORMAL, NULL);
}

/* The other side has had its time to answer ours. */
static void
check_closing (GstIceWsConn *self)
{
  if (self->close_sent &&
      g_get_monotonic_time () - self->closing_at >= CLOSE_WITHIN)
    end (self);
}

/* Until there is no more: TLS and the upgrade keep bytes of their own, of which
 * the socket knows nothing. */
static void
read_all (GstIceWsConn *self)
{
  GPollableInputStream *in =
      G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (self->stream));
  gboolean blocked = FALSE;

  self->refs++;
  while (!self->done && !blocked) {
    g_autoptr (GError) error = NULL;
    const gssize n = g_pollable_input_stream_read_nonblocking (
        in, self->chunk, sizeof self->chunk, NULL, &error);

    if (n > 0 && self->failed != 0) {
      check_closing (self);
    } else if (n > 0) {
      self->heard_at = g_get_monotonic_time ();
      gst_ice_ws_reader_push (&self->reader, self->chunk, n);
      handle_all (self);
    } else {
      blocked = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      if (!blocked)
        end (self);
    }
  }
  conn_unref (self);
}

static void
on_readable (gpointer user_data)
{
  read_all (user_data);
}

static gboolean
on_begin (gpointer user_data)
{
  GstIceWsConn *self = user_data;

  handle_all (self);
  read_all (self);
  return G_SOURCE_REMOVE;
}

/* What came with the upgrade; its owner does not know us yet. */
static void
begin_soon (GstIceWsConn *self)
{
  GSource *source = g_idle_source_new ();

  self->refs++;
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, on_begin, self, conn_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_source_unref (source);
}

static void
on_tick (gpointer user_data)
{
  GstIceWsConn *self = user_data;
  const gint64 now = g_get_monotonic_time ();

  if (self->close_sent)
    check_closing (self);
  else if (now - self->heard_at >= DEAD_AFTER)
    finish (self, GST_ICE_WS_ABNORMAL, "it is silent");
  else if (now - self->heard_at >= PING_EVERY_S * G_TIME_SPAN_SECOND)
    send_frame (self, GST_ICE_WS_PING, "", 0);
}

GstIceWsConn *
gst_ice_ws_conn_new (GstIceWsPoller *poller, GIOStream *stream, GSocket *socket,
    gboolean is_client, GBytes *leftover, const GstIceWsConnFuncs *funcs,
    gpointer user_data)
{
  static const GstIceWsPollerFuncs watched = { on_readable, on_tick };
  GstIceWsConn *self = g_new0 (GstIceWsConn, 1);

  self->refs = 2;
  self->poller = gst_ice_ws_poller_ref (poller);
  self->stream = g_object_ref (stream);
  self->socket = g_object_ref (socket);
  self->cancellable = g_cancellable_new ();
  self->is_client = is_client;
  self->funcs = *funcs;
  self->user_data = user_data;
  gst_ice_ws_reader_init (&self->reader, !is_client);
  self->unsent = g_byte_array_new ();
  self->heard_at = g_get_monotonic_time ();
  self->watch = gst_ice_ws_poller_add (poller, socket, &watched, self);
  if (leftover != NULL)
    gst_ice_ws_reader_push (&self->reader, g_bytes_get_data (leftover, NULL),
        g_bytes_get_size (leftover));
  begin_soon (self);
  return self;
}

void
gst_ice_ws_conn_free (GstIceWsConn *self)
{
  memset (&self->funcs, 0, sizeof self->funcs);
  finish (self, GST_ICE_WS_ABNORMAL, NULL);
  conn_unref (self);
}

void
gst_ice_ws_conn_release (GstIceWsConn *self, guint code, const gchar *reason)
{
  memset (&self->funcs, 0, sizeof self->funcs);
  gst_ice_ws_conn_close (self, code, reason);
  conn_unref (self);
}
