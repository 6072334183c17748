/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One port, two agents: whose a packet is, and whose it never is. */
#include "call.h"
#include "stranger.h"

#include "gst/ice/gsticemux-private.h"
#include "tests/io/io-support.h"

#include <string.h>

typedef struct
{
  GstIceMux *mux;
  GstIceMuxShare *shares[2];
  guint n_received[2];      /* under io_lock */
  gboolean close_on_packet; /* the first one, itself */
} Lab;

typedef struct
{
  Lab *lab;
  guint index;
} LabSide;

static LabSide sides[2];

static void
on_packets (IceSocket *socket, IceRxPacket *packets, guint n_packets,
    gpointer user_data)
{
  const LabSide *side = user_data;
  Lab *lab = side->lab;

  if (lab->close_on_packet)
    for (guint i = 0; i < 2; i++)
      g_clear_pointer (&lab->shares[i], gst_ice_mux_share_close);
  io_lock ();
  lab->n_received[side->index] += n_packets;
  io_unlock ();
}

static const IceSocketEvents events = { .packets = on_packets };

static void
open_shares (gpointer user_data)
{
  static const gchar *const ufrags[] = { "alpha", "beta" };
  const IceAddress local = { .family = ICE_FAMILY_IPV4,
    .ip = { 127, 0, 0, 1 } };
  const IceSocketOptions options = { .dscp = -1 };
  Lab *self = user_data;

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GPtrArray) list = g_ptr_array_new ();
    g_autoptr (GError) error = NULL;

    sides[i] = (LabSide){ self, i };
    g_ptr_array_add (list, (gpointer) ufrags[i]);
    self->shares[i] = gst_ice_mux_open (
        self->mux, &local, &options, &events, &sides[i], &error);
    g_assert_no_error (error);
    g_assert_true (gst_ice_mux_share_set_ufrags (self->shares[i], list));
    /* Nobody else has it from now on. */
    if (i == 1) {
      g_ptr_array_insert (list, 0, (gpointer) ufrags[0]);
      g_assert_false (gst_ice_mux_share_set_ufrags (self->shares[1], list));
    }
  }
}

static void
close_shares (gpointer user_data)
{
  Lab *self = user_data;

  for (guint i = 0; i < 2; i++)
    g_clear_pointer (&self->shares[i], gst_ice_mux_share_close);
}

static void
lab_init (Lab *self)
{
  memset (self, 0, sizeof *self);
  self->mux = gst_ice_mux_acquire (find_free_port ());
  g_assert_nonnull (self->mux);
  io_run (gst_ice_mux_get_loop (self->mux), open_shares, self);
}

static void
lab_clear (Lab *self)
{
  const guint16 port = gst_ice_mux_get_port (self->mux);

  io_run (gst_ice_mux_get_loop (self->mux), close_shares, self);
  g_assert_true (is_free (port));
  gst_ice_mux_unref (self->mux);
}

/* Waits until both and nobody have had so many. */
static void
lab_expect (Lab *self, guint n_first, guint n_second, guint n_strangers)
{
  io_lock ();
  io_wait_for (self->n_received[0] + self->n_received[1] +
          gst_ice_mux_get_n_strangers (self->mux) >=
      n_first + n_second + n_strangers);
  g_assert_cmpuint (self->n_received[0], ==, n_first);
  g_assert_cmpuint (self->n_received[1], ==, n_second);
  io_unlock ();
  g_assert_cmpuint (gst_ice_mux_get_n_strangers (self->mux), ==, n_strangers);
}

static void
test_by_ufrag (void)
{
  Stranger stranger;
  guint16 port;
  Lab lab;

  g_test_summary ("Requests are told apart by the first half of USERNAME; what "
                  "names nobody is counted and handed to nobody");
  lab_init (&lab);
  port = gst_ice_mux_get_port (lab.mux);
  stranger_init (&stranger);
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 1, "alpha:peer");
  lab_expect (&lab, 1, 0, 0);
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 2, "beta:peer");
  lab_expect (&lab, 1, 1, 0);
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 3, "gamma:peer");
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 4, ":alpha");
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 5, "alphabet:x");
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 6, NULL);
  stranger_send_stun (&stranger, port, ICE_STUN_INDICATION, 7, NULL);
  stranger_send_stun (&stranger, port, ICE_STUN_SUCCESS, 8, NULL);
  stranger_send (&stranger, port, "\x80media", 6);
  lab_expect (&lab, 1, 1, 7);
  stranger_clear (&stranger);
  lab_clear (&lab);
}

static const IceAddress *lab_from;

static void
accept_first (gpointer lab)
{
  gst_ice_mux_share_accept (((Lab *) lab)->shares[0], lab_from, TRUE);
}

static void
accept_second (gpointer lab)
{
  gst_ice_mux_share_accept (((Lab *) lab)->shares[1], lab_from, TRUE);
}

static void
release_second (gpointer lab)
{
  gst_ice_mux_share_accept (((Lab *) lab)->shares[1], lab_from, FALSE);
}

/* As the core would after a signed answer from there. */
static void
prove_second (gpointer lab)
{
  const guint8 id[ICE_STUN_ID_SIZE] = { 9 };
  IceStunBuilder builder;
  IcePacket *packet;

  ice_stun_builder_init (&builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, id);
  packet = ice_stun_builder_end (&builder);
  gst_ice_mux_share_note_taken (((Lab *) lab)->shares[1], lab_from,
      ICE_BYTES (packet->data, packet->size));
  ice_packet_unref (packet);
}

static void
test_by_source (void)
{
  Stranger stranger;
  IceLoop *loop;
  guint16 port;
  Lab lab;

  g_test_summary ("Media goes by its source: to who came first, but to who has "
                  "proof of it in any case, and then not even checks from "
                  "there reach another agent (design 9.9)");
  lab_init (&lab);
  loop = gst_ice_mux_get_loop (lab.mux);
  port = gst_ice_mux_get_port (lab.mux);
  stranger_init (&stranger);
  lab_from = &stranger.address;

  io_run (loop, accept_first, &lab);
  io_run (loop, accept_second, &lab);
  stranger_send (&stranger, port, "\x80media", 6);
  lab_expect (&lab, 1, 0, 0);
  io_run (loop, prove_second, &lab);
  stranger_send (&stranger, port, "\x80media", 6);
  lab_expect (&lab, 1, 1, 0);
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 1, "alpha:evil");
  lab_expect (&lab, 1, 1, 1);
  stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, 2, "old:evil");
  lab_expect (&lab, 1, 2, 1);
  io_run (loop, release_second, &lab);
  stranger_send (&stranger, port, "\x80media", 6);
  lab_expect (&lab, 2, 2, 1);
  stranger_clear (&stranger);
  lab_clear (&lab);
}

static void
ask_by_second (gpointer lab)
{
  const guint8 id[ICE_STUN_ID_SIZE] = { 3, 3, 3, 3 };
  IceStunBuilder builder;
  IcePacket *packet;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  packet = ice_stun_builder_end (&builder);
  gst_ice_mux_share_note_packet (
      ((Lab *) lab)->shares[1], ICE_BYTES (packet->data, packet->size));
  ice_packet_unref (packet);
}

static void
test_by_transaction (void)
{
  Stranger stranger;
  guint16 port;
  Lab lab;

  g_test_summary ("Answers go to who has asked, whatever they come from");
  lab_init (&lab);
  port = gst_ice_mux_get_port (lab.mux);
  stranger_init (&stranger);
  io_run (gst_ice_mux_get_loop (lab.mux), ask_by_second, &lab);
  stranger_send_stun (&stranger, port, ICE_STUN_SUCCESS, 3, NULL);
  lab_expect (&lab, 0, 1, 0);
  stranger_send_stun (&stranger, port, ICE_STUN_ERROR, 4, NULL);
  lab_expect (&lab, 0, 1, 1);
  stranger_clear (&stranger);
  lab_clear (&lab);
}

static void
send_both (gpointer user_data)
{
  const Lab *lab = user_data;
  const guint16 port = gst_ice_mux_get_port (lab->mux);
  Stranger stranger;

  /* On the loop's thread, so that they make one batch. */
  stranger_init (&stranger);
  for (guint i = 0; i < 4; i++)
    stranger_send_stun (&stranger, port, ICE_STUN_REQUEST, (guint8) i,
        i % 2 ? "beta:x" : "alpha:x");
  stranger_clear (&stranger);
}

static void
test_close_in_batch (void)
{
  guint16 port;
  Lab lab;

  g_test_summary ("Who is closed by another one's packet gets none of its own, "
                  "and the port is free at once");
  lab_init (&lab);
  port = gst_ice_mux_get_port (lab.mux);
  lab.close_on_packet = TRUE;
  io_run (gst_ice_mux_get_loop (lab.mux), send_both, &lab);
  io_lock ();
  io_wait_for (lab.n_received[0] == 2);
  g_assert_cmpuint (lab.n_received[1], ==, 0);
  io_unlock ();
  wait_until (is_free (port));
  lab_clear (&lab);
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mux/by-ufrag", test_by_ufrag);
  g_test_add_func ("/mux/by-source", test_by_source);
  g_test_add_func ("/mux/by-transaction", test_by_transaction);
  g_test_add_func ("/mux/close-in-batch", test_close_in_batch);
  return call_run_tests ();
}
