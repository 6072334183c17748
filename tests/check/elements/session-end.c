/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever is told of a change may end the session there and then: it stays
 * ended, and says and hears no more. */
#include "pair.h"

#define VP8                                                                    \
  "application/x-rtp, media=video, encoding-name=VP8, clock-rate=90000, "      \
  "payload=(int)97"

typedef struct
{
  const gchar *property; /* that ends the session */
  gint value;            /* when it comes to this */
  gboolean holds;        /* the peer holds once there is a call */
  gboolean offerer;      /* the one who ends */
  const gchar *sent; /* (nullable) what who ends has said; NULL: nothing yet */
} Ending;

static gint
int_of (GstIceSession *session, const gchar *property)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (session), property, &value);
  return G_VALUE_HOLDS_BOOLEAN (&value) ? g_value_get_boolean (&value)
                                        : g_value_get_enum (&value);
}

static void
on_changed (GstIceSession *session, GParamSpec *pspec, const Ending *ending)
{
  if (int_of (session, pspec->name) == ending->value)
    gst_ice_session_bye (session, "enough");
}

static void
set_caps (Side *self)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_request_stream (self->agent, "0");
  g_autoptr (GstCaps) caps = gst_caps_from_string (VP8);

  gst_ice_stream_set_caps (stream, caps, caps);
}

static void
expect_end (Side *self)
{
  gboolean ended = FALSE;

  while (!ended) {
    g_autofree gchar *heard = g_async_queue_timeout_pop (self->heard, TIMEOUT);

    g_assert_nonnull (heard);
    ended = g_str_equal (heard, "bye enough");
  }
}

static void
test_ending (gconstpointer data)
{
  const Ending *ending = data;
  g_autofree gchar *signal = g_strconcat ("notify::", ending->property, NULL);
  g_autofree gchar *sent = NULL;
  Side a, b, *self = ending->offerer ? &a : &b, *peer = self == &a ? &b : &a;
  gint n_negotiated;

  wire (&a, &b);
  set_caps (&a);
  set_caps (&b);
  if (ending->holds) {
    connect_sides (&a, &b);
    wait_until (g_atomic_int_get (&self->n_negotiated) == 1);
    g_free (next_sent (self, ending->offerer ? "offer" : "answer"));
  }
  n_negotiated = g_atomic_int_get (&self->n_negotiated);
  g_signal_connect (
      self->session, signal, G_CALLBACK (on_changed), (gpointer) ending);
  if (ending->holds) {
    gst_ice_session_hold (peer->session);
  } else {
    ready (&a, TRUE);
    ready (&b, FALSE);
    gst_ice_session_set_ready (a.session);
    gst_ice_session_set_ready (b.session);
  }
  expect_end (peer);
  drain ();
  g_assert_cmpint (session_state (self), ==, GST_ICE_SESSION_STATE_ENDED);
  g_assert_cmpint (self->n_negotiated, ==, n_negotiated);
  g_assert_cmpint (self->n_errors + self->n_byes, ==, 0);
  if (ending->sent != NULL)
    sent = next_sent (self, ending->sent);
  else
    g_assert_cmpint (g_async_queue_length (self->heard), ==, 0);
  g_assert_cmpint (g_async_queue_length (self->signaller->sent), ==, 0);
  unwire (&a, &b);
}

int
main (int argc, char **argv)
{
  static const Ending held = { "held", TRUE, TRUE, FALSE, "answer" };
  static const Ending offering = { "state", GST_ICE_SESSION_STATE_NEGOTIATING,
    FALSE, TRUE, NULL };
  static const Ending offered = { "state", GST_ICE_SESSION_STATE_NEGOTIATING,
    FALSE, FALSE, NULL };
  static const Ending accepted = { "state", GST_ICE_SESSION_STATE_ESTABLISHED,
    FALSE, TRUE, "offer" };
  static const Ending answered = { "state", GST_ICE_SESSION_STATE_ESTABLISHED,
    FALSE, FALSE, "answer" };

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/session/end/held", &held, test_ending);
  g_test_add_data_func ("/session/end/offering", &offering, test_ending);
  g_test_add_data_func ("/session/end/offered", &offered, test_ending);
  g_test_add_data_func ("/session/end/accepted", &accepted, test_ending);
  g_test_add_data_func ("/session/end/answered", &answered, test_ending);
  return g_test_run ();
}
