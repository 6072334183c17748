/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pair.h"

#include <string.h>

GType test_signaller_get_type (void);
static void
test_signaller_iface_init (GstIceSignallerInterface *iface, gpointer unused);
G_DEFINE_TYPE_WITH_CODE (TestSignaller, test_signaller, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_ICE_SIGNALLER, test_signaller_iface_init))

static gboolean
start (GstIceSignaller *signaller, GstIceSignallerRole role, GError **error)
{
  return TRUE;
}

/* On its way: it arrives when the sender has returned. */
typedef struct
{
  GstIceSignaller *to; /* (owned) */
  gchar *type, *text;  /* (owned) (nullable) type NULL: a candidate */
  gchar *mid, *ufrag;  /* (owned) (nullable) */
  guint index;
} Mail;

static void
mail_free (gpointer data)
{
  Mail *mail = data;

  g_object_unref (mail->to);
  g_free (mail->type);
  g_free (mail->text);
  g_free (mail->mid);
  g_free (mail->ufrag);
  g_free (mail);
}

static gboolean
mail_arrives (gpointer data)
{
  const Mail *mail = data;

  if (mail->type == NULL)
    gst_ice_signaller_emit_candidate (
        mail->to, mail->mid, mail->index, mail->text, mail->ufrag);
  else if (g_str_equal (mail->type, "bye"))
    gst_ice_signaller_emit_bye (mail->to, mail->text);
  else if (g_str_equal (mail->type, "reject"))
    gst_ice_signaller_emit_rejected (mail->to, mail->text, mail->mid);
  else if (g_str_equal (mail->type, "error"))
    gst_ice_signaller_emit_peer_error (mail->to, mail->text);
  else
    gst_ice_signaller_emit_description (mail->to, mail->type, mail->text);
  return G_SOURCE_REMOVE;
}

static void
post (GstIceSignaller *from, const gchar *type, const gchar *text,
    const gchar *mid, guint index, const gchar *ufrag)
{
  TestSignaller *self = TEST_SIGNALLER (from);
  g_autoptr (GSource) source = g_idle_source_new ();
  Mail *mail;

  if (self->other == NULL)
    return;
  mail = g_new0 (Mail, 1);
  mail->to = g_object_ref (GST_ICE_SIGNALLER (self->other));
  mail->type = g_strdup (type);
  mail->text = g_strdup (text);
  mail->mid = g_strdup (mid);
  mail->index = index;
  mail->ufrag = g_strdup (ufrag);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, mail_arrives, mail, mail_free);
  g_source_attach (source, gst_ice_signaller_get_main_context ());
}

static void
send_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp)
{
  g_async_queue_push (
      TEST_SIGNALLER (signaller)->sent, g_strconcat (type, " ", sdp, NULL));
  post (signaller, type, sdp, NULL, 0, NULL);
}

static void
send_candidate (GstIceSignaller *signaller, const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag)
{
  g_atomic_int_inc (&TEST_SIGNALLER (signaller)->n_candidates);
  post (signaller, NULL, candidate, mid, mline_index, ufrag);
}

static void
send_reject (GstIceSignaller *signaller, const gchar *reason, const gchar *text)
{
  post (signaller, "reject", reason, text, 0, NULL);
}

static void
send_error (GstIceSignaller *signaller, const gchar *text)
{
  post (signaller, "error", text, NULL, 0, NULL);
}

static gboolean
can_trickle (GstIceSignaller *signaller)
{
  return !TEST_SIGNALLER (signaller)->no_trickle;
}

static void
send_bye (GstIceSignaller *signaller, const gchar *reason)
{
  post (signaller, "bye", reason, NULL, 0, NULL);
}

static void
stop (GstIceSignaller *signaller)
{
  g_atomic_int_set (&TEST_SIGNALLER (signaller)->stopped, TRUE);
}

static void
test_signaller_iface_init (GstIceSignallerInterface *iface, gpointer unused)
{
  iface->start = start;
  iface->send_description = send_description;
  iface->send_candidate = send_candidate;
  iface->send_bye = send_bye;
  iface->send_reject = send_reject;
  iface->send_error = send_error;
  iface->can_trickle = can_trickle;
  iface->stop = stop;
}

static void
test_signaller_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
}

static void
test_signaller_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
}

static void
test_signaller_finalize (GObject *object)
{
  g_async_queue_unref (TEST_SIGNALLER (object)->sent);
  G_OBJECT_CLASS (test_signaller_parent_class)->finalize (object);
}

static void
test_signaller_class_init (TestSignallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = test_signaller_property;
  object_class->set_property = test_signaller_set_property;
  object_class->finalize = test_signaller_finalize;
  g_object_class_override_property (object_class, 1, "uri");
}

static void
test_signaller_init (TestSignaller *self)
{
  self->sent = g_async_queue_new_full (g_free);
}

static void
count (GstIceSession *session, gint *n)
{
  g_atomic_int_inc (n);
}

static void
on_bye (GstIceSession *session, const gchar *reason, Side *self)
{
  g_atomic_int_inc (&self->n_byes);
  g_async_queue_push (
      self->heard, g_strconcat ("bye ", reason != NULL ? reason : "-", NULL));
}

static void
on_error (GstIceSession *session, const GError *error, Side *self)
{
  g_atomic_int_inc (&self->n_errors);
  g_async_queue_push (self->heard,
      g_strdup_printf ("error %d %s", error->code, error->message));
}

static void
on_incoming (
    GstIceSession *session, const gchar *sdp, gboolean first, Side *self)
{
  g_async_queue_push (
      self->heard, g_strconcat ("incoming", first ? " first" : "", NULL));
}

static void
on_rejected (
    GstIceSession *session, const gchar *reason, const gchar *text, Side *self)
{
  g_async_queue_push (self->heard,
      g_strconcat ("rejected ", reason, text != NULL ? ": " : "", text, NULL));
}

static void
on_held (GstIceSession *session, GParamSpec *pspec, Side *self)
{
  gboolean held;

  g_object_get (session, "held", &held, NULL);
  g_async_queue_push (self->heard, g_strdup (held ? "held" : "resumed"));
}

void
side_init (Side *self)
{
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GError) error = NULL;

  memset (self, 0, sizeof *self);
  self->agent = gst_ice_agent_new ();
  g_object_set (self->agent, "interfaces", "lo", NULL);
  stream = gst_ice_agent_request_stream (self->agent, "0");
  self->signaller = g_object_new (TEST_TYPE_SIGNALLER, NULL);
  self->session =
      gst_ice_session_new (self->agent, GST_ICE_SIGNALLER (self->signaller));
  g_signal_connect (
      self->session, "negotiated", G_CALLBACK (count), &self->n_negotiated);
  self->heard = g_async_queue_new_full (g_free);
  g_signal_connect (self->session, "bye", G_CALLBACK (on_bye), self);
  g_signal_connect (self->session, "error", G_CALLBACK (on_error), self);
  g_signal_connect (self->session, "incoming", G_CALLBACK (on_incoming), self);
  g_signal_connect (self->session, "rejected", G_CALLBACK (on_rejected), self);
  g_signal_connect (self->session, "notify::held", G_CALLBACK (on_held), self);
  g_assert_true (gst_ice_session_start (
      self->session, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
}

static gboolean
quit (gpointer user_data)
{
  g_async_queue_push (user_data, user_data);
  return G_SOURCE_REMOVE;
}

void
drain (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new ();

  g_main_context_invoke (gst_ice_signaller_get_main_context (), quit, queue);
  g_assert_nonnull (g_async_queue_timeout_pop (queue, TIMEOUT));
}

void
side_clear (Side *self)
{
  gst_ice_session_bye (self->session, "over");
  drain ();
  gst_object_unref (self->session);
  g_object_unref (self->signaller);
  gst_ice_agent_close_async (self->agent, NULL, NULL, NULL);
  gst_object_unref (self->agent);
  g_async_queue_unref (self->heard);
}

void
wire (Side *a, Side *b)
{
  side_init (a);
  side_init (b);
  a->signaller->other = b->signaller;
  b->signaller->other = a->signaller;
}

void
unwire (Side *a, Side *b)
{
  gst_ice_session_bye (a->session, "over");
  drain ();
  gst_ice_session_bye (b->session, "over");
  drain ();
  side_clear (a);
  side_clear (b);
}

void
ready (Side *self, gboolean offerer)
{
  gst_ice_signaller_emit_ready (GST_ICE_SIGNALLER (self->signaller), offerer);
}

gboolean
is_connected (const Side *self)
{
  GstIceState state;

  g_object_get (self->agent, "state", &state, NULL);
  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

GstIceSessionState
session_state (const Side *self)
{
  GstIceSessionState state;

  g_object_get (self->session, "state", &state, NULL);
  return state;
}

gchar *
next_sent (Side *self, const gchar *type)
{
  gchar *sent = g_async_queue_timeout_pop (self->signaller->sent, TIMEOUT);

  g_assert_nonnull (sent);
  g_assert_true (g_str_has_prefix (sent, type));
  return sent;
}

void
expect_heard (Side *self, const gchar *text)
{
  g_autofree gchar *heard = g_async_queue_timeout_pop (self->heard, TIMEOUT);

  g_assert_cmpstr (heard, ==, text);
}

gchar *
ufrag_of (const gchar *sdp)
{
  const gchar *line = strstr (sdp, "a=ice-ufrag:");

  g_assert_nonnull (line);
  line += strlen ("a=ice-ufrag:");
  return g_strndup (line, strcspn (line, "\r\n"));
}

void
connect_sides (Side *a, Side *b)
{
  ready (a, TRUE);
  ready (b, FALSE);
  gst_ice_session_set_ready (a->session);
  gst_ice_session_set_ready (b->session);
  wait_until (is_connected (a) && is_connected (b));
}
