/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8445 14.2: one Ta for each agent, and 5 ms for all of them. */
#include "harness.h"

#define FLOOR (5 * ICE_MSEC)

typedef struct
{
  IceContext context;
  IceTime budget;
  guint n_asked;
} Lender;

static void
no_dice (gpointer user, guint8 *ret_bytes, gsize size)
{
  memset (ret_bytes, 0, size);
}

static IceTime
lend (gpointer user, IceTime now)
{
  Lender *self = user;
  IceTime slot = MAX (now, self->budget);

  self->n_asked++;
  self->budget = slot + FLOOR;
  return slot;
}

static void
lender_init (Lender *self)
{
  IceWorld world = { .random = no_dice, .reserve = lend, .user = self };

  *self = (Lender){ .budget = G_MININT64 };
  ice_context_init (&self->context, &world);
  ice_context_set_ta (&self->context, FLOOR);
}

static void
test_reserve (void)
{
  Lender lender;
  IceContext *context = &lender.context;

  lender_init (&lender);
  g_assert_true (ice_context_take_slot (context, 1000));
  /* Ta of its own goes first and costs the others nothing. */
  g_assert_false (ice_context_take_slot (context, 1000));
  g_assert_cmpuint (lender.n_asked, ==, 1);
  /* Somebody else's turn: asked once, then waited for. */
  lender.budget = 50000;
  g_assert_false (ice_context_take_slot (context, 6000));
  g_assert_false (ice_context_take_slot (context, 49999));
  g_assert_cmpint (context->next_slot, ==, 50000);
  g_assert_cmpuint (lender.n_asked, ==, 2);
  g_assert_true (ice_context_take_slot (context, 50000));
  g_assert_cmpint (context->next_slot, ==, 50000 + FLOOR);
  ice_context_clear (context);
}

/* A turn that nobody waits for is not used later, nor is one slept through. */
static void
test_leave (void)
{
  Lender lender;
  IceContext *context = &lender.context;

  lender_init (&lender);
  lender.budget = 50000;
  g_assert_false (ice_context_take_slot (context, 1000));
  ice_context_leave_slot (context);
  g_assert_cmpint (context->next_slot, ==, G_MININT64);
  g_assert_false (ice_context_take_slot (context, 50000));
  g_assert_cmpint (context->next_slot, ==, 50000 + FLOOR);
  g_assert_cmpuint (lender.n_asked, ==, 2);
  lender.budget = 10 * ICE_SECOND;
  g_assert_false (ice_context_take_slot (context, ICE_SECOND));
  g_assert_cmpint (context->next_slot, ==, 10 * ICE_SECOND);
  ice_context_clear (context);
}

/* The peer's value comes while a turn is reserved. */
static void
test_new_ta (void)
{
  Lender lender;
  IceContext *context = &lender.context;

  lender_init (&lender);
  g_assert_true (ice_context_take_slot (context, 1000));
  lender.budget = 20000;
  g_assert_false (ice_context_take_slot (context, 6000));
  ice_context_set_ta (context, 50 * ICE_MSEC);
  g_assert_cmpint (context->next_slot, ==, 51000);
  ice_context_set_ta (context, 5 * ICE_MSEC);
  g_assert_cmpint (context->next_slot, >=, 20000);
  ice_context_clear (context);
}

#define N_AGENTS 20
#define N_REMOTES 5

typedef struct
{
  Harness agents[N_AGENTS];
  IceTime budget, last;
  guint n_new;
} Crowd;

static Harness *
crowd_next (Crowd *self)
{
  Harness *next = &self->agents[0];

  for (guint i = 1; i < N_AGENTS; i++) {
    if (self->agents[i].deadline < next->deadline)
      next = &self->agents[i];
  }
  return next;
}

/* What left is a new transaction when its id was not seen before. */
static void
crowd_look (Crowd *self, Harness *agent, GHashTable *seen)
{
  Sent *sent;

  while ((sent = g_queue_pop_head (&agent->sent)) != NULL) {
    g_autoptr (GBytes) id = g_bytes_new (sent->packet->data + 8, 12);

    if (g_hash_table_add (seen, g_steal_pointer (&id))) {
      if (self->n_new++ > 0)
        g_assert_cmpint (agent->now - self->last, >=, FLOOR);
      self->last = agent->now;
    }
    sent_free (sent);
  }
}

/* Twenty agents that begin at once: 100 checks, 5 ms apart, each agent's Ta
 * kept, and no turn lost. */
static void
test_all_agents (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (
      g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  Crowd crowd = { .budget = G_MININT64 };
  IceTime begun;

  for (guint i = 0; i < N_AGENTS; i++) {
    Harness *agent = &crowd.agents[i];

    harness_init (agent, TRUE);
    agent->budget = &crowd.budget;
    agent->dice = i;
    harness_gather (agent);
    harness_credentials (agent);
    for (guint j = 0; j < N_REMOTES; j++) {
      g_autofree gchar *foundation = g_strdup_printf ("%u", j);

      harness_add_remote (
          agent, ICE_CANDIDATE_HOST, "192.0.2.2", j + 1, foundation);
    }
    crowd_look (&crowd, agent, seen);
  }
  begun = crowd.agents[0].now;
  while (crowd.n_new < N_AGENTS * N_REMOTES) {
    Harness *agent = crowd_next (&crowd);

    harness_run_until (agent, agent->deadline);
    crowd_look (&crowd, agent, seen);
  }
  g_assert_cmpint (crowd.last - begun, ==, (N_AGENTS * N_REMOTES - 1) * FLOOR);
  for (guint i = 0; i < N_AGENTS; i++)
    harness_clear (&crowd.agents[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8445/14.2/reserve", test_reserve);
  g_test_add_func ("/rfc8445/14.2/leave", test_leave);
  g_test_add_func ("/rfc8445/14.2/new-ta", test_new_ta);
  g_test_add_func ("/rfc8445/14.2/all-agents", test_all_agents);
  return g_test_run ();
}
