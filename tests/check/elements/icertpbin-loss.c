/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls between two icertpbin over a network that loses packets. */
#include "half.h"

#include <string.h>

/* Each LOSS-th packet of the media is lost, never what is sent again. */
#define LOSS 20
/* So many must be lost before anything is said of them. */
#define ENOUGH 10

/* A NACK may have to wait for the next report (RFC 4585 3.5.2), some seconds:
 * with one second 9 of 12 were repaired under sanitizers and load. */
#define VIDEO                                                                  \
  "videotestsrc is-live=true ! video/x-raw,width=320,height=240 ! "            \
  "vp8enc deadline=1 target-bitrate=1000000 ! rtpvp8pay ! c."
#define BIN                                                                    \
  "icertpbin name=c uri=ice+file://%s agent::interfaces=lo latency=3000 %s "

typedef struct
{
  const gchar *sender, *receiver; /* properties */
  gboolean dtls, repaired;
} Way;

typedef struct
{
  GMutex lock;
  gint media_ssrc;      /* atomic: of the first packet that was sent */
  guint n_sent, n_lost; /* of the media */
  guint n_again;        /* under another SSRC */
  guint8 lost[1 << 16]; /* by sequence number */
  guint8 seen[1 << 16]; /* came out at the other side */
  guint n_seen;
  guint8 media_payload, again_payload;
} Wire;

static Wire *
wire_new (void)
{
  Wire *self = g_new0 (Wire, 1);

  g_mutex_init (&self->lock);
  return self;
}

static void
wire_free (Wire *self)
{
  g_mutex_clear (&self->lock);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Wire, wire_free)

/* TRUE: lost. The header is in the clear with SRTP, too (RFC 3711 3.1). */
static gboolean
wire_carry (Wire *self, const guint8 header[12])
{
  const guint8 payload = header[1] & 0x7f;
  const guint16 seqnum = GST_READ_UINT16_BE (header + 2);
  const gint ssrc = (gint) GST_READ_UINT32_BE (header + 8);

  /* RFC 5761 4: RTCP. */
  if (header[0] >> 6 != 2 || (payload >= 64 && payload <= 95))
    return FALSE;
  if (self->n_sent == 0) {
    self->media_ssrc = ssrc;
    self->media_payload = payload;
  }
  if (ssrc != self->media_ssrc) {
    self->n_again++;
    self->again_payload = payload;
    return FALSE;
  }
  if (++self->n_sent % LOSS != 0)
    return FALSE;
  self->n_lost++;
  self->lost[seqnum] = TRUE;
  return TRUE;
}

static gboolean
carry_buffer (Wire *self, GstBuffer *buffer)
{
  guint8 header[12];

  return gst_buffer_extract (buffer, 0, header, 12) == 12 &&
      wire_carry (self, header);
}

static gboolean
carry_in_list (GstBuffer **buffer, guint index, gpointer self)
{
  if (carry_buffer (self, *buffer))
    gst_clear_buffer (buffer);
  return TRUE;
}

/* What leaves the sender. */
static GstPadProbeReturn
on_wire (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Wire *self = user_data;
  gboolean lost = FALSE;

  g_mutex_lock (&self->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    lost = carry_buffer (self, info->data);
  } else {
    info->data = gst_buffer_list_make_writable (info->data);
    gst_buffer_list_foreach (info->data, carry_in_list, self);
  }
  g_mutex_unlock (&self->lock);
  return lost ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

/* All that comes out after the jitterbuffer. */
static void
on_out (GstElement *sink, GstBuffer *buffer, GstPad *pad, Wire *self)
{
  guint8 header[12];

  g_assert_cmpuint (gst_buffer_extract (buffer, 0, header, 12), ==, 12);
  g_mutex_lock (&self->lock);
  self->seen[GST_READ_UINT16_BE (header + 2)] = TRUE;
  self->n_seen++;
  g_mutex_unlock (&self->lock);
}

/* Of what was lost and is not on its way any more: later ones are there.
 * @ret_repaired: what came nevertheless. */
static guint
count_settled (Wire *self, guint *ret_repaired)
{
  guint n = 0, seqnum;

  *ret_repaired = 0;
  g_mutex_lock (&self->lock);
  for (seqnum = 0; seqnum < G_N_ELEMENTS (self->lost); seqnum++) {
    const guint next = (seqnum + 1) % G_N_ELEMENTS (self->lost);

    if (!self->lost[seqnum] || !self->seen[next])
      continue;
    n++;
    *ret_repaired += self->seen[seqnum];
  }
  g_mutex_unlock (&self->lock);
  return n;
}

/* The icesink of RTP: that of RTCP alone has no encoder and no funnel. */
static void
watch_carriers (Half *half, Wire *wire)
{
  g_autoptr (GstElement) bin =
      gst_bin_get_by_name (GST_BIN (half->pipeline), "c");
  GstIterator *sinks =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (bin), "icesink");
  GValue item = G_VALUE_INIT;

  while (gst_iterator_next (sinks, &item) == GST_ITERATOR_OK) {
    g_autoptr (GstPad) pad =
        gst_element_get_static_pad (g_value_get_object (&item), "sink");

    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_wire,
        wire, NULL);
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (sinks);
}

static const Way ways[] = {
  { "retransmission=true", "retransmission=true", FALSE, TRUE },
  { "retransmission=true dtls-srtp=true", "retransmission=true dtls-srtp=true",
      TRUE, TRUE },
  { "", "", FALSE, FALSE },
  { "retransmission=true", "", FALSE, FALSE },
  { "", "retransmission=true", FALSE, FALSE },
};

static void
test_loss (gconstpointer data)
{
  const Way *way = data;
  const gchar *place = half_place ();
  g_autoptr (Wire) wire = wire_new ();
  guint repaired = 0, settled = 0;
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;
  g_autoptr (GstElement) out = NULL;

  g_test_summary ("Each 20th packet is lost; when both sides retransmit all "
                  "come, or else none of them");
  if (!half_have ("rtpbin", "rtprtxsend", "vp8enc", "rtpvp8pay", NULL) ||
      (way->dtls && !half_have ("dtlssrtpenc", "srtpenc", NULL)))
    return;
  a = half_new (BIN VIDEO, place, way->sender);
  b = half_new (BIN "c. ! fakesink name=out", place, way->receiver);
  out = gst_bin_get_by_name (GST_BIN (b->pipeline), "out");
  g_signal_connect (out, "handoff", G_CALLBACK (on_out), wire);
  half_connect (a, b);
  half_wait (a, b, half_n_buffers (b) > 0);
  watch_carriers (a, wire);
  half_wait (a, b, (settled = count_settled (wire, &repaired)) >= ENOUGH);

  half_set_state (a, GST_STATE_NULL);
  half_set_state (b, GST_STATE_NULL);
  g_test_message ("%u lost for good or not, %u repaired by %u packets", settled,
      repaired, wire->n_again);
  g_assert_cmpuint (repaired, ==, way->repaired ? settled : 0);
  if (!way->repaired) {
    g_assert_cmpuint (wire->n_again, ==, 0);
    return;
  }
  g_assert_cmpuint (wire->n_again, >=, repaired);
  g_assert_cmpuint (wire->again_payload, !=, wire->media_payload);
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);

  g_test_add_data_func ("/rfc4588/4/both", &ways[0], test_loss);
  g_test_add_data_func ("/rfc4588/4/dtls", &ways[1], test_loss);
  g_test_add_data_func ("/rfc4588/8/neither", &ways[2], test_loss);
  g_test_add_data_func ("/rfc4588/8/sender-only", &ways[3], test_loss);
  g_test_add_data_func ("/rfc4588/8/receiver-only", &ways[4], test_loss);
  return half_run ();
}
