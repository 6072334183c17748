/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allocations that move with us (RFC 8016). */
#include "gather-lab.h"

static const gchar *const wired[] = { "10.0.0.2", NULL };

typedef struct
{
  Lab lab;
  LabServer *server;
  IceCandidate *relayed; /* (unowned) */
  guint socket;          /* where it was */
  IceAddress peer, wireless;
} Move;

static void
move_init (Move *self, const gchar *ticket)
{
  IceGathererConfig config = { .relay_only = TRUE, .mobility = TRUE };
  Lab *lab = &self->lab;

  lab_init (lab, TRUE);
  ice_gatherer_set_config (lab->gatherer, &config);
  lab_set_addresses (lab, wired);
  self->peer = address ("192.0.2.77", 5000);
  self->wireless = address ("10.1.0.2", 0);
  self->server = lab_add_server (lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  self->server->turn.ticket = ticket;
  self->server->fixed_relayed = TRUE;
  lab_gather (lab, 1, 1);
  lab_run_for (lab, ICE_SECOND);
  self->relayed = lab_find (lab, ICE_CANDIDATE_RELAYED);
  g_assert_nonnull (self->relayed);
  self->socket = self->relayed->socket;
  ice_gatherer_bind_channel (
      lab->gatherer, self->relayed, &self->peer, lab->now);
  lab_run_for (lab, ICE_SECOND);
  g_assert_cmpuint (
      ice_gatherer_channel (lab->gatherer, self->relayed, &self->peer), !=, 0);
}

static gboolean
start (Move *self)
{
  return ice_gatherer_move (
      self->lab.gatherer, self->socket, &self->wireless, self->lab.now);
}

static gboolean
is_open (Move *self, guint socket)
{
  return lab_find_socket (&self->lab, socket)->open;
}

/* The local address that its packets leave from. */
static const IceAddress *
way_out (Move *self)
{
  g_autoptr (IcePacket) packet = ice_packet_new_from (ICE_BYTES ("media", 5));
  Lab *lab = &self->lab;
  guint socket = 0;

  ice_gatherer_transmit (
      lab->gatherer, self->relayed, &self->peer, packet, lab->now);
  for (IceOutput *output = lab->context.out->first; output;
       output = output->next) {
    if (output->type == ICE_OUTPUT_TRANSMIT)
      socket = output->transmit.socket;
  }
  g_assert_cmpuint (socket, !=, 0);
  lab_settle (lab);
  return &lab_find_socket (lab, socket)->address;
}

static void
assert_alive (Move *self)
{
  Lab *lab = &self->lab;

  lab_run_for (lab, 1800 * ICE_SECOND);
  g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
  g_assert_cmpuint (self->server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  g_assert_cmpuint (
      ice_gatherer_channel (lab->gatherer, self->relayed, &self->peer), !=, 0);
}

/* The ticket goes out from the new address; until the answer the old one is
 * used, then the new one, with permission and channel as they were. */
static void
test_moves (void)
{
  Move self;
  Lab *lab = &self.lab;

  move_init (&self, "first");
  self.server->turn.ticket = "second";
  g_assert_true (start (&self));
  g_assert_false (start (&self)); /* it is on its way */
  lab_run_for (lab, 15 * ICE_MSEC);
  g_assert_true (self.server->turn.has_ticket);
  g_assert_cmpmem (self.server->turn.last_ticket.data,
      self.server->turn.last_ticket.size, "first", 5);
  g_assert_true (
      ice_address_same_ip (&self.server->turn.mapped, &self.wireless));
  g_assert_cmpstr (wired[0], ==, "10.0.0.2");
  g_assert_cmpuint (way_out (&self)->ip[1], ==, 0);
  g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 0);

  lab_run_for (lab, 15 * ICE_MSEC);
  g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 1);
  g_assert_cmpuint (lab->event.former_socket, ==, self.socket);
  g_assert_cmpuint (self.relayed->socket, !=, self.socket);
  g_assert_cmpuint (way_out (&self)->ip[1], ==, 1);
  assert_alive (&self);

  /* Once more, with the ticket that came back. */
  self.socket = self.relayed->socket;
  self.wireless = address ("10.2.0.2", 0);
  self.server->turn.ticket = "third";
  g_assert_true (start (&self));
  lab_run_for (lab, 15 * ICE_MSEC);
  g_assert_cmpmem (self.server->turn.last_ticket.data,
      self.server->turn.last_ticket.size, "second", 6);
  lab_run_for (lab, ICE_SECOND);
  g_assert_cmpuint (way_out (&self)->ip[1], ==, 2);
  assert_alive (&self);
  lab_clear (lab);
}

/* RFC 8016 3.2.4: refused, it stays where it was, and does not try again. */
static void
test_refused (void)
{
  static const guint codes[] = { 400, 403, 405, 437, 441, 500 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    Move self;
    Lab *lab = &self.lab;
    guint n_open = 0;

    move_init (&self, "first");
    self.server->turn.dislikes[0].attribute = ICE_STUN_MOBILITY_TICKET;
    self.server->turn.dislikes[0].code = codes[i];
    g_assert_true (start (&self));
    lab_run_for (lab, ICE_SECOND);
    g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 0);
    g_assert_cmpuint (self.relayed->socket, ==, self.socket);
    for (guint j = 0; j < lab->sockets->len; j++)
      n_open += g_array_index (lab->sockets, LabSocket, j).open;
    g_assert_cmpuint (n_open, ==, 1);
    g_assert_false (start (&self));
    g_assert_cmpuint (self.server->turn.n_requests[ICE_STUN_REFRESH], ==, 1);
    assert_alive (&self);
    lab_clear (lab);
  }
}

/* A stale nonce is no refusal. */
static void
test_stale_nonce (void)
{
  Move self;

  move_init (&self, "first");
  self.server->turn.nonce = "nonce-2";
  g_assert_true (start (&self));
  lab_run_for (&self.lab, ICE_SECOND);
  g_assert_cmpuint (self.lab.n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 1);
  g_assert_cmpuint (self.server->turn.n_requests[ICE_STUN_REFRESH], ==, 2);
  assert_alive (&self);
  lab_clear (&self.lab);
}

/* Nobody answers there: the ticket is kept for another attempt. */
static void
test_silence (void)
{
  Move self;
  Lab *lab = &self.lab;

  move_init (&self, "first");
  self.server->dead = TRUE;
  g_assert_true (start (&self));
  lab_run_for (lab, 45 * ICE_SECOND);
  self.server->dead = FALSE;
  g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 0);
  g_assert_true (is_open (&self, self.socket));
  g_assert_true (start (&self));
  lab_run_for (lab, ICE_SECOND);
  g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 1);
  assert_alive (&self);
  lab_clear (lab);
}

/* The old address is gone before the answer: what is on its way is there, and
 * what is refused then is lost. */
static void
test_old_socket_fails (void)
{
  for (guint refused = 0; refused < 2; refused++) {
    Move self;
    Lab *lab = &self.lab;

    move_init (&self, "first");
    if (refused) {
      self.server->turn.dislikes[0].attribute = ICE_STUN_MOBILITY_TICKET;
      self.server->turn.dislikes[0].code = 400;
    }
    g_assert_true (start (&self));
    lab_settle (lab);
    ice_gatherer_socket_failed (
        lab->gatherer, self.socket, "network is down", lab->now);
    lab_settle (lab);
    g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 1);
    g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
    lab_run_for (lab, ICE_SECOND);
    g_assert_cmpuint (
        lab->n_events[ICE_GATHER_CANDIDATE_LOST], ==, refused ? 1 : 0);
    if (!refused)
      assert_alive (&self);
    lab_clear (lab);
  }
}

/* The new one does not open. */
static void
test_new_socket_fails (void)
{
  Move self;

  move_init (&self, "first");
  self.lab.refuse_sockets = TRUE;
  g_assert_true (start (&self));
  lab_run_for (&self.lab, ICE_SECOND);
  self.lab.refuse_sockets = FALSE;
  g_assert_cmpuint (self.lab.n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 0);
  g_assert_true (start (&self));
  lab_run_for (&self.lab, ICE_SECOND);
  g_assert_cmpuint (self.lab.n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 1);
  assert_alive (&self);
  lab_clear (&self.lab);
}

static void
test_without_ticket (void)
{
  Move self;

  move_init (&self, NULL);
  g_assert_false (start (&self));
  g_assert_false (ice_gatherer_move (
      self.lab.gatherer, 4711, &self.wireless, self.lab.now));
  assert_alive (&self);
  lab_clear (&self.lab);
}

/* RFC 8016 1: it is our address that a NAT has changed, not our socket. Silence
 * has the server asked, its 437 brings out the ticket, and the allocation is
 * kept; one that is refused then is lost. */
static void
test_rebound (void)
{
  for (guint i = 0; i < 4; i++) {
    gboolean refused = i & 1;
    Move self;
    Lab *lab = &self.lab;

    move_init (&self, "first");
    self.server->turn.forgot = TRUE;
    self.server->turn.forgot_key = i & 2;
    self.server->turn.ticket = "second";
    if (refused) {
      self.server->turn.dislikes[0].attribute = ICE_STUN_MOBILITY_TICKET;
      self.server->turn.dislikes[0].code = 400;
    }
    ice_gatherer_doubt (lab->gatherer, LAB_STREAM, lab->now);
    lab_run_for (lab, 100 * ICE_MSEC);
    g_assert_cmpuint (self.server->turn.n_requests[ICE_STUN_REFRESH], ==, 2);
    g_assert_cmpuint (
        lab->n_events[ICE_GATHER_CANDIDATE_LOST], ==, refused ? 1 : 0);
    g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 0);
    self.server->turn.forgot = FALSE;
    if (!refused) {
      g_assert_cmpmem (self.server->turn.last_ticket.data,
          self.server->turn.last_ticket.size, "first", 5);
      assert_alive (&self);
    }
    lab_clear (lab);
  }
}

/* RFC 8016 3.2: the address goes, now or before another one comes: what the
 * ticket is for moves there, and the socket that was left is closed. */
static void
test_follows_the_address (void)
{
  static const gchar *const wireless[] = { "10.1.0.2", NULL };
  static const gchar *const none[] = { NULL };

  for (guint late = 0; late < 2; late++) {
    Move self;
    Lab *lab = &self.lab;

    move_init (&self, "first");
    self.server->turn.ticket = "second";
    lab_set_addresses (lab, late ? none : wireless);
    ice_gatherer_follow_addresses (lab->gatherer, lab->now);
    ice_gatherer_update (lab->gatherer, LAB_STREAM, lab->now);
    lab_run_for (lab, ICE_SECOND);
    if (late) {
      g_assert_true (is_open (&self, self.socket));
      g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 0);
      lab_set_addresses (lab, wireless);
      ice_gatherer_follow_addresses (lab->gatherer, lab->now);
      ice_gatherer_update (lab->gatherer, LAB_STREAM, lab->now);
      lab_run_for (lab, ICE_SECOND);
    }
    g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_MOVED], ==, 1);
    g_assert_cmpuint (lab->n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
    g_assert_cmpuint (way_out (&self)->ip[1], ==, 1);
    g_assert_false (is_open (&self, self.socket));
    lab_clear (lab);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8016/3.2/moves", test_moves);
  g_test_add_func ("/rfc8016/3.2/refused", test_refused);
  g_test_add_func ("/rfc8016/3.2/stale-nonce", test_stale_nonce);
  g_test_add_func ("/rfc8016/3.2/silence", test_silence);
  g_test_add_func ("/rfc8016/3.2/old-socket-fails", test_old_socket_fails);
  g_test_add_func ("/rfc8016/3.2/new-socket-fails", test_new_socket_fails);
  g_test_add_func ("/rfc8016/1/rebound", test_rebound);
  g_test_add_func (
      "/rfc8016/3.2/follows-the-address", test_follows_the_address);
  g_test_add_func ("/rfc8016/3.1/without-ticket", test_without_ticket);
  return g_test_run ();
}
