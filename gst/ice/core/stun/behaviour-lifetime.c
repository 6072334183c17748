/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 5780 4.6: how long a binding lives that nobody uses. One socket makes it
 * and is silent; then another asks the server to answer to its port. Doubled
 * until it is dead, then halved between the two. */
#include "behaviour-private.h"

#include "../purity.h"

/* NATs of RFC 4787 REQ-5 last two minutes, bad ones 15 s. */
#define FIRST_SILENCE (15 * ICE_SECOND)
#define PRECISION (5 * ICE_SECOND)

static void
make_binding (IceBehaviour *self, IceTime now)
{
  IceStunBuilder builder;

  ice_behaviour_begin (self, &builder);
  ice_behaviour_ask (self, ICE_BEHAVIOUR_TEST_LIFETIME_BIND,
      ICE_BEHAVIOUR_LIFETIME, &self->server, &builder, now);
}

/* RFC 5780 7.5: the port is in the first of two 16-bit words. */
static void
probe_binding (IceBehaviour *self, IceTime now)
{
  const guint16 port =
      self->tests[ICE_BEHAVIOUR_TEST_LIFETIME_BIND].mapped.port;
  IceStunBuilder builder;

  self->search.wait = ICE_TIME_NEVER;
  ice_behaviour_begin (self, &builder);
  ice_stun_builder_add_u32 (
      &builder, ICE_STUN_RESPONSE_PORT, (guint32) port << 16);
  ice_behaviour_ask (self, ICE_BEHAVIOUR_TEST_LIFETIME_PROBE,
      ICE_BEHAVIOUR_MAPPING, &self->server, &builder, now);
  self->tests[ICE_BEHAVIOUR_TEST_LIFETIME_PROBE].answer_socket =
      ICE_BEHAVIOUR_LIFETIME;
}

/* FALSE when enough is known. */
static gboolean
choose_silence (IceBehaviourSearch *search)
{
  if (search->dies == ICE_TIME_NEVER) {
    if (search->lives >= search->limit)
      return FALSE;
    search->silence =
        MIN (MAX (2 * search->lives, FIRST_SILENCE), search->limit);
    return TRUE;
  }
  if (search->dies - search->lives <= MAX (PRECISION, search->lives / 16))
    return FALSE;
  search->silence = (search->lives + search->dies) / 2;
  return TRUE;
}

/* Dead at once is no binding's fault: the server does not do it, or the NAT
 * has several outer addresses. */
static gboolean
take_probe (IceBehaviour *self, gboolean alive)
{
  IceBehaviourSearch *search = &self->search;

  if (alive)
    search->lives = search->silence;
  else if (search->silence == 0)
    return FALSE;
  else
    search->dies = search->silence;
  self->lifetime = search->lives;
  self->lifetime_is_minimum = search->dies == ICE_TIME_NEVER;
  return choose_silence (search);
}

gboolean
ice_behaviour_search (IceBehaviour *self, IceTime now)
{
  IceBehaviourTest *bind = &self->tests[ICE_BEHAVIOUR_TEST_LIFETIME_BIND];
  IceBehaviourTest *probe = &self->tests[ICE_BEHAVIOUR_TEST_LIFETIME_PROBE];

  if (self->search.limit == 0 || !self->nat ||
      bind->state == ICE_BEHAVIOUR_TEST_SILENT ||
      bind->state == ICE_BEHAVIOUR_TEST_REFUSED ||
      probe->state == ICE_BEHAVIOUR_TEST_REFUSED)
    return TRUE;
  if (bind->state == ICE_BEHAVIOUR_TEST_UNUSED) {
    make_binding (self, now);
    return FALSE;
  }
  if (bind->state == ICE_BEHAVIOUR_TEST_ASKED ||
      probe->state == ICE_BEHAVIOUR_TEST_ASKED)
    return FALSE;
  if (probe->state == ICE_BEHAVIOUR_TEST_UNUSED) {
    if (self->search.wait == ICE_TIME_NEVER)
      self->search.wait = now + self->search.silence;
    if (now >= self->search.wait)
      probe_binding (self, now);
    return FALSE;
  }
  if (!take_probe (self, probe->state == ICE_BEHAVIOUR_TEST_ANSWERED))
    return TRUE;
  probe->state = ICE_BEHAVIOUR_TEST_UNUSED;
  make_binding (self, now);
  return FALSE;
}
