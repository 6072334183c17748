/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ear.h"

static void hear (Ear *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
hear (Ear *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_async_queue_push (self->heard, g_strdup_vprintf (format, args));
  va_end (args);
}

static void
on_ready (GstIceSignaller *signaller, gboolean offerer, Ear *self)
{
  hear (self, "ready %s", offerer ? "offerer" : "answerer");
}

static void
on_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp, Ear *self)
{
  hear (self, "%s %s", type, sdp);
}

static void
on_candidate (GstIceSignaller *signaller, const gchar *mid, guint index,
    const gchar *candidate, const gchar *ufrag, Ear *self)
{
  hear (self, "candidate %s %u %s %s", mid ? mid : "-", index, candidate,
      ufrag ? ufrag : "-");
}

static void
on_bye (GstIceSignaller *signaller, const gchar *reason, Ear *self)
{
  hear (self, "bye %s", reason ? reason : "-");
}

static void
on_peer (GstIceSignaller *signaller, gboolean joined, Ear *self)
{
  hear (self, "peer %s", joined ? "joined" : "left");
}

static void
on_rejected (GstIceSignaller *signaller, const gchar *reason, const gchar *text,
    Ear *self)
{
  hear (self, "rejected %s %s", reason, text ? text : "-");
}

static void
on_peer_error (GstIceSignaller *signaller, const gchar *text, Ear *self)
{
  hear (self, "peer-error %s", text);
}

static void
on_error (GstIceSignaller *signaller, const GError *error, Ear *self)
{
  hear (self, "error %s", error->message);
}

void
ear_init (Ear *self, const gchar *uri)
{
  g_autoptr (GError) error = NULL;

  self->heard = g_async_queue_new_full (g_free);
  self->signaller = gst_ice_signaller_new_from_uri (uri, &error);
  g_assert_no_error (error);
  g_signal_connect (self->signaller, "ready", G_CALLBACK (on_ready), self);
  g_signal_connect (
      self->signaller, "description", G_CALLBACK (on_description), self);
  g_signal_connect (
      self->signaller, "candidate", G_CALLBACK (on_candidate), self);
  g_signal_connect (self->signaller, "bye", G_CALLBACK (on_bye), self);
  g_signal_connect (self->signaller, "peer", G_CALLBACK (on_peer), self);
  g_signal_connect (
      self->signaller, "rejected", G_CALLBACK (on_rejected), self);
  g_signal_connect (
      self->signaller, "peer-error", G_CALLBACK (on_peer_error), self);
  g_signal_connect (self->signaller, "error", G_CALLBACK (on_error), self);
}

static gboolean
drained (gpointer user_data)
{
  g_async_queue_push (user_data, g_strdup ("drained"));
  return G_SOURCE_REMOVE;
}

void
ear_drain (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (g_free);

  g_main_context_invoke (gst_ice_signaller_get_main_context (), drained, queue);
  g_free (g_async_queue_timeout_pop (queue, EAR_TIMEOUT));
}

void
ear_clear (Ear *self)
{
  gst_ice_signaller_stop (self->signaller);
  ear_drain ();
  g_signal_handlers_disconnect_by_data (self->signaller, self);
  g_clear_object (&self->signaller);
  g_clear_pointer (&self->heard, g_async_queue_unref);
}

void
ear_start (Ear *self, GstIceSignallerRole role)
{
  g_autoptr (GError) error = NULL;

  gst_ice_signaller_start (self->signaller, role, &error);
  g_assert_no_error (error);
}

void
ear_expect (Ear *self, const gchar *text)
{
  g_autofree gchar *heard =
      g_async_queue_timeout_pop (self->heard, EAR_TIMEOUT);

  g_assert_cmpstr (heard, ==, text);
}

void
ear_expect_nothing (Ear *self, gint64 during)
{
  g_autofree gchar *heard = g_async_queue_timeout_pop (self->heard, during);

  g_assert_cmpstr (heard, ==, NULL);
}
