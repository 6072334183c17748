/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What descriptions say of DTLS-SRTP and of RTCP feedback. */
#include "call.h"

#include <string.h>

#define VP8                                                                    \
  "application/x-rtp, media=video, encoding-name=VP8, clock-rate=90000, "      \
  "payload=96"
#define A "sha-256 AA:AA"
#define B "sha-256 BB:BB"

typedef struct
{
  GstIceAgent *a, *b;
  GstIceStream *sa, *sb;
  gchar *offer, *answer;
} Exchange;

static void
exchange_init (Exchange *self, const gchar *send_a, const gchar *send_b)
{
  g_autoptr (GstCaps) a = gst_caps_from_string (send_a);
  g_autoptr (GstCaps) b = gst_caps_from_string (send_b);

  memset (self, 0, sizeof *self);
  self->a = call_new_agent ();
  self->b = call_new_agent ();
  self->sa = gst_ice_agent_request_stream (self->a, "0");
  self->sb = gst_ice_agent_request_stream (self->b, "0");
  gst_ice_stream_set_caps (self->sa, a, a);
  gst_ice_stream_set_caps (self->sb, b, b);
}

static void
exchange_clear (Exchange *self)
{
  gst_object_unref (self->sa);
  gst_object_unref (self->sb);
  gst_object_unref (self->a);
  gst_object_unref (self->b);
  g_free (self->offer);
  g_free (self->answer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Exchange, exchange_clear)

static void
replace (gchar **text, const gchar *what, const gchar *by)
{
  g_auto (GStrv) parts = g_strsplit (*text, what, -1);

  g_assert_cmpuint (g_strv_length (parts), >, 1);
  g_free (*text);
  *text = g_strjoinv (by, parts);
}

static void
make_offer (Exchange *self)
{
  self->offer = gst_ice_agent_create_offer (self->a, NULL);
  g_assert_nonnull (self->offer);
}

static void
finish (Exchange *self)
{
  g_autoptr (GError) error = NULL;

  gst_ice_agent_set_remote_description (self->b, "offer", self->offer, &error);
  g_assert_no_error (error);
  self->answer = gst_ice_agent_create_answer (self->b, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (
      self->a, "answer", self->answer, &error);
  g_assert_no_error (error);
}

static gboolean
is_client (GstIceStream *stream)
{
  gboolean client;

  g_object_get (stream, "dtls-client", &client, NULL);
  return client;
}

static gchar *
remote_fingerprint (GstIceStream *stream)
{
  gchar *fingerprint;

  g_object_get (stream, "remote-fingerprint", &fingerprint, NULL);
  return fingerprint;
}

static void
test_fingerprints (void)
{
  g_auto (Exchange) call = { 0 };
  g_autofree gchar *of_b = NULL, *of_a = NULL;

  g_test_summary ("A stream with a fingerprint is DTLS-SRTP; the answerer "
                  "begins the handshake");
  exchange_init (&call, VP8, VP8);
  g_object_set (call.sa, "fingerprint", A, NULL);
  g_object_set (call.sb, "fingerprint", B, NULL);
  make_offer (&call);
  g_assert_nonnull (strstr (call.offer, "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"));
  g_assert_nonnull (strstr (call.offer, "a=fingerprint:" A "\r\n"));
  g_assert_nonnull (strstr (call.offer, "a=setup:actpass\r\n"));
  finish (&call);
  g_assert_nonnull (strstr (call.answer, "UDP/TLS/RTP/SAVPF"));
  g_assert_nonnull (strstr (call.answer, "a=fingerprint:" B "\r\n"));
  g_assert_nonnull (strstr (call.answer, "a=setup:active\r\n"));
  of_b = remote_fingerprint (call.sa);
  of_a = remote_fingerprint (call.sb);
  g_assert_cmpstr (of_b, ==, B);
  g_assert_cmpstr (of_a, ==, A);
  g_assert_false (is_client (call.sa));
  g_assert_true (is_client (call.sb));
}

static void
test_passive_answer (void)
{
  g_auto (Exchange) call = { 0 };

  g_test_summary ("Who offers to be active is answered by a server");
  exchange_init (&call, VP8, VP8);
  g_object_set (call.sa, "fingerprint", A, NULL);
  g_object_set (call.sb, "fingerprint", B, NULL);
  make_offer (&call);
  replace (&call.offer, "setup:actpass", "setup:active");
  finish (&call);
  g_assert_nonnull (strstr (call.answer, "a=setup:passive\r\n"));
  g_assert_true (is_client (call.sa));
  g_assert_false (is_client (call.sb));
}

static void
test_roles_stay (void)
{
  g_auto (Exchange) call = { 0 };
  g_autofree gchar *offer = NULL, *answer = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("An offer of the other side leaves the handshake its roles");
  exchange_init (&call, VP8, VP8);
  g_object_set (call.sa, "fingerprint", A, NULL);
  g_object_set (call.sb, "fingerprint", B, NULL);
  make_offer (&call);
  finish (&call);
  offer = gst_ice_agent_create_offer (call.b, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (call.a, "offer", offer, &error);
  g_assert_no_error (error);
  answer = gst_ice_agent_create_answer (call.a, &error);
  g_assert_nonnull (strstr (answer, "a=setup:passive\r\n"));
  gst_ice_agent_set_remote_description (call.b, "answer", answer, &error);
  g_assert_no_error (error);
  g_assert_false (is_client (call.sa));
  g_assert_true (is_client (call.sb));
}

static void
test_plain_offer (void)
{
  g_auto (Exchange) call = { 0 };
  g_autofree gchar *fingerprint = NULL;

  g_test_summary ("An offer without one is answered without one");
  exchange_init (&call, VP8, VP8);
  g_object_set (call.sb, "fingerprint", B, NULL);
  make_offer (&call);
  finish (&call);
  g_assert_null (strstr (call.answer, "fingerprint"));
  g_assert_null (strstr (call.answer, "setup"));
  fingerprint = remote_fingerprint (call.sa);
  g_assert_null (fingerprint);
}

static void
test_feedback (void)
{
  g_auto (Exchange) call = { 0 };
  g_autoptr (GstCaps) sent = NULL;

  g_test_summary ("Of the feedback that is offered the answer has a part");
  exchange_init (&call, VP8 ", rtcp-fb-nack-pli=true, rtcp-fb-ccm-fir=true",
      VP8 ", rtcp-fb-nack-pli=true, rtcp-fb-nack=true");
  make_offer (&call);
  g_assert_nonnull (strstr (call.offer, "m=video 9 RTP/AVPF 96\r\n"));
  finish (&call);
  g_assert_nonnull (strstr (call.answer, "a=rtcp-fb:96 nack pli\r\n"));
  g_assert_null (strstr (call.answer, "a=rtcp-fb:96 nack\r\n"));
  g_assert_null (strstr (call.answer, "ccm"));
  sent = gst_ice_stream_get_local_caps (call.sa);
  g_assert_true (gst_structure_has_field (
      gst_caps_get_structure (sent, 0), "rtcp-fb-nack-pli"));
  g_assert_false (gst_structure_has_field (
      gst_caps_get_structure (sent, 0), "rtcp-fb-ccm-fir"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/rfc5763/5/fingerprints", test_fingerprints);
  g_test_add_func ("/rfc8842/5.3/passive-answer", test_passive_answer);
  g_test_add_func ("/rfc8842/5.5/roles-stay", test_roles_stay);
  g_test_add_func ("/rfc8842/5.3/plain-offer", test_plain_offer);
  g_test_add_func ("/rfc4585/4.2/answer", test_feedback);
  return g_test_run ();
}
