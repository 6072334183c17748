/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call whose descriptions are tampered with on the way. */
#include "half.h"

#include <string.h>

/* What one sends comes out of the other, as the test wants it. */
#define TEST_TYPE_PIPE (test_pipe_get_type ())
G_DECLARE_FINAL_TYPE (TestPipe, test_pipe, TEST, PIPE, GObject)

struct _TestPipe
{
  GObject parent;

  TestPipe *other; /* (unowned) */
  gboolean offerer, forges;
  gint started; /* atomic */
};

static void test_pipe_iface_init (GstIceSignallerInterface *iface, gpointer u);
GType test_pipe_get_type (void);
G_DEFINE_TYPE_WITH_CODE (TestPipe, test_pipe, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_ICE_SIGNALLER, test_pipe_iface_init))

static gboolean
start (GstIceSignaller *signaller, GstIceSignallerRole role, GError **error)
{
  g_atomic_int_set (&TEST_PIPE (signaller)->started, TRUE);
  gst_ice_signaller_emit_ready (signaller, TEST_PIPE (signaller)->offerer);
  return TRUE;
}

typedef struct
{
  TestPipe *to;       /* (owned) */
  gchar *type, *text; /* (owned) type (nullable): a candidate */
  gchar *mid, *ufrag; /* (owned) (nullable) */
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

/* It waits for who is late. */
static gboolean
deliver (gpointer data)
{
  Mail *mail = data;
  GstIceSignaller *to = GST_ICE_SIGNALLER (mail->to);

  if (!g_atomic_int_get (&mail->to->started))
    return G_SOURCE_CONTINUE;
  if (mail->type != NULL)
    gst_ice_signaller_emit_description (to, mail->type, mail->text);
  else
    gst_ice_signaller_emit_candidate (
        to, mail->mid, mail->index, mail->text, mail->ufrag);
  return G_SOURCE_REMOVE;
}

static Mail *
post (TestPipe *self, const gchar *type, const gchar *text)
{
  g_autoptr (GSource) source = g_timeout_source_new (20);
  Mail *mail = g_new0 (Mail, 1);

  mail->to = g_object_ref (self->other);
  mail->type = g_strdup (type);
  mail->text = g_strdup (text);
  g_source_set_callback (source, deliver, mail, mail_free);
  g_source_attach (source, gst_ice_signaller_get_main_context ());
  return mail;
}

/* The certificate of somebody else. */
static void
forge (gchar *sdp)
{
  gchar *digit = strstr (sdp, "a=fingerprint:sha-256 ");

  g_assert_nonnull (digit);
  digit += strlen ("a=fingerprint:sha-256 ");
  *digit = *digit == '0' ? '1' : '0';
}

/* In the service thread, as what is posted: it does not go before we return. */
static void
send_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp)
{
  Mail *mail = post (TEST_PIPE (signaller), type, sdp);

  if (TEST_PIPE (signaller)->forges)
    forge (mail->text);
}

static void
send_candidate (GstIceSignaller *signaller, const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag)
{
  Mail *mail = post (TEST_PIPE (signaller), NULL, candidate);

  mail->mid = g_strdup (mid);
  mail->index = mline_index;
  mail->ufrag = g_strdup (ufrag);
}

static void
send_bye (GstIceSignaller *signaller, const gchar *reason)
{
}

static void
stop (GstIceSignaller *signaller)
{
}

static void
test_pipe_iface_init (GstIceSignallerInterface *iface, gpointer unused)
{
  iface->start = start;
  iface->send_description = send_description;
  iface->send_candidate = send_candidate;
  iface->send_bye = send_bye;
  iface->stop = stop;
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_string (value, NULL);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
}

static void
test_pipe_class_init (TestPipeClass *klass)
{
  G_OBJECT_CLASS (klass)->get_property = get_property;
  G_OBJECT_CLASS (klass)->set_property = set_property;
  g_object_class_install_property (G_OBJECT_CLASS (klass), 1,
      g_param_spec_string ("uri", "URI", "None", NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void
test_pipe_init (TestPipe *self)
{
}

static void
give_signaller (Half *half, TestPipe *pipe)
{
  g_autoptr (GstElement) bin =
      gst_bin_get_by_name (GST_BIN (half->pipeline), "c");

  g_object_set (bin, "signaller", pipe, NULL);
}

static GstPadProbeReturn
count (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

/* @data: the receiver's description is forged, or the sender's, or none. */
static void
test_forged (gconstpointer data)
{
  const gint whose = GPOINTER_TO_INT (data);
  g_autoptr (TestPipe) pa = g_object_new (TEST_TYPE_PIPE, NULL);
  g_autoptr (TestPipe) pb = g_object_new (TEST_TYPE_PIPE, NULL);
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstPad) pad = NULL;
  g_autofree gchar *text = NULL, *cause = NULL;
  gint n_made = 0;

  g_test_summary ("Who finds another certificate than was described sends and "
                  "takes nothing, and says why");
  if (!half_have ("rtpbin", "dtlssrtpenc", "srtpenc", "vp8enc", NULL))
    return;
  a = half_new ("videotestsrc name=source is-live=true ! vp8enc deadline=1 ! "
                "rtpvp8pay ! icertpbin name=c dtls-srtp=true "
                "agent::interfaces=lo");
  b = half_new ("icertpbin name=c dtls-srtp=true agent::interfaces=lo "
                "c. ! fakesink name=out");
  pa->other = pb;
  pb->other = pa;
  pa->offerer = TRUE;
  pa->forges = whose == 1;
  pb->forges = whose == 2;
  give_signaller (a, pa);
  give_signaller (b, pb);
  a->errors_are_expected = whose == 2;
  b->errors_are_expected = whose == 1;
  half_set_state (a, GST_STATE_PLAYING);
  half_set_state (b, GST_STATE_PLAYING);
  if (whose == 0) {
    half_wait (a, b, half_n_buffers (b) >= 5);
    return;
  }
  half_wait (a, b, half_count (whose == 1 ? b : a, GST_MESSAGE_ERROR) > 0);
  text = half_complaint (whose == 1 ? b : a, GST_MESSAGE_ERROR, &cause);
  g_assert_cmpstr (cause, ==, "tls-untrusted");
  g_assert_nonnull (strstr (text, "certificate"));
  /* Of half a second's pictures none comes. */
  source = gst_bin_get_by_name (GST_BIN (a->pipeline), "source");
  pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count, &n_made, NULL);
  half_wait (a, b, g_atomic_int_get (&n_made) >= 15);
  g_assert_cmpint (half_n_buffers (b), ==, 0);
}

/* A session that nobody joins holds what is live back, and forgets it. */
static void
test_nothing_early (void)
{
  g_autoptr (TestPipe) pa = g_object_new (TEST_TYPE_PIPE, NULL);
  g_autoptr (TestPipe) pb = g_object_new (TEST_TYPE_PIPE, NULL);
  g_autoptr (Half) a = NULL;
  g_autoptr (GstElement) bin = NULL;
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstPad) pad = NULL;
  gint n = 0;

  g_test_summary ("Live media before there is a peer is dropped: its source "
                  "does not wait");
  if (!half_have ("rtpbin", "opusenc", NULL))
    return;
  a = half_new ("audiotestsrc name=source is-live=true ! opusenc ! "
                "rtpopuspay ! icertpbin name=c agent::interfaces=lo");
  pa->other = pb;
  pb->other = pa;
  pa->offerer = TRUE;
  give_signaller (a, pa);
  source = gst_bin_get_by_name (GST_BIN (a->pipeline), "source");
  pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count, &n, NULL);
  half_set_state (a, GST_STATE_PLAYING);
  half_wait (a, a, g_atomic_int_get (&n) >= 30);
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);
  g_test_add_data_func (
      "/rfc5763/5/as-described", GINT_TO_POINTER (0), test_forged);
  g_test_add_data_func (
      "/rfc5763/5/forged-offer", GINT_TO_POINTER (1), test_forged);
  g_test_add_data_func (
      "/rfc5763/5/forged-answer", GINT_TO_POINTER (2), test_forged);
  g_test_add_func ("/icertpbin/nothing-early", test_nothing_early);
  return half_run ();
}
