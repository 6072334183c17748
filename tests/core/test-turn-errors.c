/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every error to every method: what follows, and how many requests it takes.
 * The server says the same for ever. */
#include "allocation-lab.h"

#include "gst/ice/core/turn/error.h"

typedef enum
{
  FAILED,  /* of Allocate */
  LOST,    /* the allocation is no more, at once */
  KEPT,    /* it is used till its end, and asked about no more */
  ASKED,   /* it is asked about till its end */
  REFUSED, /* other credentials are wanted; it is used till its end */
  NO_PEER, /* the permission or the channel is not to be had */
} Outcome;

typedef struct
{
  guint n_requests; /* signed, so after the challenge */
  Outcome outcome;
} Cell;

typedef struct
{
  guint code;
  Cell allocate, refresh, create_permission, channel_bind;
} Row;

/* A server that refuses credentials is asked four times in all, of which an
 * Allocate spends the first on being challenged. */
static const Row rows[] = {
  { 300, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 400, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 401, { 1, FAILED }, { 2, REFUSED }, { 2, REFUSED }, { 2, REFUSED } },
  { 403, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 405, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 420, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 430, { 1, FAILED }, { 1, REFUSED }, { 1, REFUSED }, { 1, REFUSED } },
  { 431, { 1, FAILED }, { 1, REFUSED }, { 1, REFUSED }, { 1, REFUSED } },
  { 432, { 1, FAILED }, { 1, REFUSED }, { 1, REFUSED }, { 1, REFUSED } },
  { 437, { 1, FAILED }, { 1, LOST }, { 1, LOST }, { 1, LOST } },
  { 438, { 3, FAILED }, { 4, REFUSED }, { 4, REFUSED }, { 4, REFUSED } },
  { 440, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 441, { 1, FAILED }, { 1, REFUSED }, { 1, REFUSED }, { 1, REFUSED } },
  { 442, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 443, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 486, { 1, FAILED }, { 4, ASKED }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 500, { 1, FAILED }, { 4, ASKED }, { 2, NO_PEER }, { 2, NO_PEER } },
  { 508, { 1, FAILED }, { 4, ASKED }, { 2, NO_PEER }, { 2, NO_PEER } },
  { 600, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  /* RFC 8489 6.3.4: those that nobody knows. */
  { 399, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 499, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
  { 599, { 1, FAILED }, { 4, ASKED }, { 2, NO_PEER }, { 2, NO_PEER } },
  { 699, { 1, FAILED }, { 1, KEPT }, { 1, NO_PEER }, { 1, NO_PEER } },
};

static void
check_allocate (const Row *row)
{
  Lab lab;

  lab_init (&lab);
  lab.server.error[ICE_STUN_ALLOCATE] = row->code;
  ice_allocation_request (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
  g_assert_cmpuint (lab.event.code, ==, row->code);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==,
      1 + row->allocate.n_requests);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);
}

static void
check_outcome (
    Lab *lab, const Cell *cell, guint16 method, guint code, guint n_before)
{
  guint n_requests = lab->server.n_requests[method] - n_before;

  g_test_message ("%u requests", n_requests);
  g_assert_cmpuint (n_requests, ==, cell->n_requests);
  g_assert_cmpuint (
      lab->n_events[ICE_TURN_REFUSED_US], ==, cell->outcome == REFUSED ? 1 : 0);
  if (cell->outcome == LOST) {
    g_assert_cmpint (lab->event.type, ==, ICE_TURN_LOST);
    g_assert_cmpuint (lab->event.code, ==, code);
    g_assert_cmpint (lab->allocation->state, ==, ICE_ALLOCATION_GONE);
  } else {
    g_assert_cmpint (lab->allocation->state, ==, ICE_ALLOCATION_ACTIVE);
  }
}

static void
check_refresh (const Row *row)
{
  const Cell *cell = &row->refresh;
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_REFRESH] = row->code;
  /* Until just before what is asked for in time would end. */
  run_for (&lab, (cell->outcome == ASKED ? 567 : 599) * ICE_SECOND);
  if (cell->outcome == ASKED) {
    g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], >=, 2);
    g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_ACTIVE);
    run_for (&lab, 33 * ICE_SECOND);
    g_assert_cmpint (lab.event.type, ==, ICE_TURN_LOST);
    g_assert_cmpuint (
        lab.server.n_requests[ICE_STUN_REFRESH], ==, cell->n_requests);
  } else {
    check_outcome (&lab, cell, ICE_STUN_REFRESH, row->code, 0);
    run_for (&lab, 1 * ICE_SECOND);
    g_assert_cmpint (lab.event.type, ==, ICE_TURN_LOST);
  }
  g_assert_cmpuint (lab.n_events[ICE_TURN_LOST], ==, 1);
  lab_clear (&lab);
}

static void
check_permission (const Row *row)
{
  const Cell *cell = &row->create_permission;
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CREATE_PERMISSION] = row->code;
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  run_for (&lab, 120 * ICE_SECOND);
  check_outcome (&lab, cell, ICE_STUN_CREATE_PERMISSION, row->code, 0);
  if (cell->outcome != LOST)
    g_assert_cmpuint (lab.n_events[ICE_TURN_PERMISSION_REFUSED], ==, 1);
  lab_clear (&lab);
}

static void
check_channel (const Row *row)
{
  const Cell *cell = &row->channel_bind;
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_CHANNEL_BIND] = row->code;
  ice_allocation_bind (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  run_for (&lab, 120 * ICE_SECOND);
  check_outcome (&lab, cell, ICE_STUN_CHANNEL_BIND, row->code, 0);
  /* A channel is a convenience: packets leave without it. */
  g_assert_cmpuint (ice_allocation_channel (lab.allocation, &lab.peer), ==, 0);
  if (cell->outcome != LOST)
    g_assert_true (ice_allocation_send (
        lab.allocation, &lab.peer, ICE_BYTES ("hello", 5), lab.now));
  lab_clear (&lab);
}

static void
test_allocate_cell (gconstpointer row)
{
  check_allocate (row);
}

static void
test_refresh_cell (gconstpointer row)
{
  check_refresh (row);
}

static void
test_permission_cell (gconstpointer row)
{
  check_permission (row);
}

static void
test_channel_cell (gconstpointer row)
{
  check_channel (row);
}

/* RFC 8489 9.2.5: a 401 must say for which realm; one of RFC 3489's time that
 * does not is no challenge. */
static void
test_without_realm (void)
{
  Lab lab;
  IceStunBuilder builder;
  IceStunMessage request;
  g_autoptr (IcePacket) packet = NULL;
  g_autoptr (IcePacket) answer = NULL;
  IceAddress peer;
  IceBytes payload;

  lab_init (&lab);
  ice_allocation_request (lab.allocation, lab.now);
  packet = ice_allocation_take_packet (lab.allocation);
  g_assert_true (ice_stun_message_parse (
      &request, ICE_BYTES (packet->data, packet->size)));
  ice_stun_builder_init (
      &builder, ICE_STUN_ERROR, ICE_STUN_ALLOCATE, request.id);
  ice_stun_builder_add_error (&builder, 401, NULL);
  answer = ice_stun_builder_end (&builder);
  receive (&lab, answer, &peer, &payload);
  note_events (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
  g_assert_cmpuint (lab.event.code, ==, 401);
  g_assert_null (ice_allocation_take_packet (lab.allocation));
  lab_clear (&lab);
}

/* RFC 8656 8.3: the answer to the farewell decides nothing any more; a 438 is
 * worth one more request, with the new nonce. */
static void
test_release_stale_nonce (void)
{
  Lab lab;

  lab_init (&lab);
  allocate (&lab);
  lab.server.nonce = "nonce-2";
  ice_allocation_release (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], ==, 2);
  g_assert_cmpuint (lab.server.last_lifetime, ==, 0);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);

  lab_init (&lab);
  allocate (&lab);
  lab.server.error[ICE_STUN_REFRESH] = 438;
  ice_allocation_release (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_REFRESH], <=, 4);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_GONE);
  lab_clear (&lab);
}

static void
add_row (const Row *row)
{
  static const struct
  {
    const gchar *method;
    GTestDataFunc test;
  } columns[] = { { "allocate", test_allocate_cell },
    { "refresh", test_refresh_cell },
    { "create-permission", test_permission_cell },
    { "channel-bind", test_channel_cell } };

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/rfc8656/7.4/%s/%u", columns[i].method, row->code);

    g_test_add_data_func (path, row, columns[i].test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row (&rows[i]);
  g_test_add_func ("/rfc8489/9.2.5/without-realm", test_without_realm);
  g_test_add_func (
      "/rfc8656/8.3/release-stale-nonce", test_release_stale_nonce);
  return g_test_run ();
}
