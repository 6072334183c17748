/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 6544: a pair of TCP candidates is checked over a connection, which has to
 * be opened first, and may be lost. */
#include "checker-tcp.h"

#include "../purity.h"

/* A connection that lasted shorter was of no use; so many of them in a row and
 * the pair is given up. */
#define LASTING (30 * ICE_SECOND)
#define MAX_LOST 4
/* One that was opened again for media and brought no answer for so long. */
#define MUTE (1 * ICE_SECOND)

/* Opening. */

static gboolean
is_for (IceChecklistSet *set, IcePair *pair, gpointer id)
{
  return pair->connecting == GPOINTER_TO_UINT (id);
}

static IcePair *
find_connecting (IceChecklistSet *set, guint id)
{
  return ice_checklist_set_find_pair (set, is_for, GUINT_TO_POINTER (id));
}

/* The pair whose connection hangs for the longest time makes room. */
static gboolean
give_one_up (IceChecklistSet *set, const IcePair *pair)
{
  IceConnection *connection;
  IcePair *victim;

  for (guint i = 0;
       (connection = ice_gatherer_get_connection (set->gatherer, i)); i++) {
    if (connection->opened || !connection->overdue ||
        connection->local->stream != pair->local->stream ||
        connection->local->component != pair->local->component)
      continue;
    victim = find_connecting (set, connection->id);
    if (victim) {
      ice_checklist_fail (set, victim);
      return TRUE;
    }
  }
  return FALSE;
}

static IceConnection *
open_connection (IceChecklistSet *set, const IcePair *pair, IceTime now)
{
  IceConnection *connection = ice_gatherer_connect (
      set->gatherer, pair->local, &pair->remote->address, now);

  if (connection == NULL && give_one_up (set, pair))
    connection = ice_gatherer_connect (
        set->gatherer, pair->local, &pair->remote->address, now);
  return connection;
}

/* Back to what connections are opened from, unless that is gone as well. */
static gboolean
detach (IceChecklistSet *set, IcePair *pair)
{
  IceCandidate *base = ice_gatherer_host_candidate (
      set->gatherer, ice_candidate_base_socket (pair->local));

  if (base == NULL)
    return FALSE;
  ice_pair_set_local (pair, base);
  return TRUE;
}

static gboolean
is_superseded (IceChecklistSet *set, IcePair *pair, gpointer user)
{
  const IcePair *heir = user;

  return pair->reopening && pair->component == heir->component &&
      pair->generation != heir->generation &&
      ice_candidate_base_socket (pair->local) ==
      ice_candidate_base_socket (heir->local) &&
      ice_address_equal (&pair->remote->address, &heir->remote->address);
}

/* RFC 6544 7.1: by these ports there can be but one connection. The one that a
 * pair of before the restart waits for, or by which nothing came, makes room.
 */
static void
make_room (IceChecklistSet *set, IcePair *heir, IceTime now)
{
  IcePair *pair = ice_checklist_set_find_pair (set, is_superseded, heir);
  const IceConnection *connection;

  if (pair == NULL)
    return;
  if (pair->connecting) {
    ice_gatherer_close_connection (set->gatherer, pair->connecting);
    pair->connecting = 0;
  }
  connection =
      ice_gatherer_find_connection (set->gatherer, pair->local->socket);
  if (connection == NULL || now - connection->opened_at < MUTE)
    return;
  ice_component_unaccept_local (
      pair->component, set->context, set->gatherer, pair->local);
  ice_gatherer_close_connection (set->gatherer, connection->id);
  ice_pair_drop_checks (pair);
  detach (set, pair);
}

gboolean
ice_checker_connect (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  IceConnection *connection = NULL;

  if (pair->connecting)
    return FALSE;
  if (ice_pair_is_connected (pair))
    return TRUE;
  /* RFC 6544 7.1: an existing connection is used; between two addresses with
   * ports there can be but one. */
  if (pair->local->tcp_type == ICE_TCP_TYPE_SO) {
    make_room (set, pair, now);
    connection = ice_gatherer_find_connection_to (
        set->gatherer, pair->local, &pair->remote->address);
  }
  if (connection) {
    ice_pair_set_local (pair, connection->local);
    return TRUE;
  }
  if (pair->local->tcp_type != ICE_TCP_TYPE_PASSIVE)
    connection = open_connection (set, pair, now);
  if (connection)
    pair->connecting = connection->id;
  else
    ice_checklist_fail (set, pair);
  return FALSE;
}

IcePair *
ice_checker_connected (
    IceChecklistSet *set, IceConnection *connection, IceTime now)
{
  IcePair *pair = find_connecting (set, connection->id);

  if (pair) {
    pair->connecting = 0;
    ice_pair_set_local (pair, connection->local);
  }
  return pair;
}

void
ice_checker_overdue (IceChecklistSet *set, IceConnection *connection)
{
  IcePair *pair = find_connecting (set, connection->id);

  connection->overdue = TRUE;
  if (pair)
    ice_checklist_thaw_mates (set, pair);
}

/* Losing. */

/* RFC 6544 11.1: an active or simultaneous-open agent "MUST reopen", a passive
 * one "MUST await an incoming connection request". The selected pair remains,
 * without a route, until consent expires. */
static void
lose_selected (IceChecklistSet *set, IcePair *pair)
{
  pair->reopening = TRUE;
  ice_pair_drop_checks (pair);
  if (pair->local->tcp_type != ICE_TCP_TYPE_PASSIVE)
    ice_checklist_trigger (pair);
}

/* RFC 8445 8.1.1 takes what to nominate from the valid list, which this is not
 * on any more. What the peer nominated (RFC 8445 7.3.1.5) it stands by. */
static void
lose_unselected (IceChecklistSet *set, IcePair *pair)
{
  pair->state = ICE_PAIR_WAITING;
  if (set->controlling && !ice_policy_is_aggressive (&set->policy)) {
    pair->nomination = ICE_NOMINATION_NONE;
    pair->renomination.pending = FALSE;
  }
  ice_pair_drop_checks (pair);
  ice_checklist_trigger (pair);
}

static void
lose_connection (
    IceChecklistSet *set, IcePair *pair, const IceConnection *connection)
{
  IceComponent *component = pair->component;
  gboolean carries = component->selected == pair &&
      pair->nomination == ICE_NOMINATION_DONE &&
      pair->generation == component->stream->generation;
  gboolean passive = pair->local->tcp_type == ICE_TCP_TYPE_PASSIVE;

  if (!detach (set, pair) || pair->n_lost++ >= MAX_LOST ||
      (passive && !carries)) {
    ice_checklist_fail (set, pair);
  } else if (pair->state == ICE_PAIR_FAILED) {
    return;
  } else if (carries) {
    lose_selected (set, pair);
  } else {
    lose_unselected (set, pair);
  }
}

static gboolean
is_on (IceChecklistSet *set, IcePair *pair, gpointer id)
{
  return pair->local->socket == GPOINTER_TO_UINT (id);
}

void
ice_checker_disconnected (
    IceChecklistSet *set, const IceConnection *connection, IceTime now)
{
  gpointer id = GUINT_TO_POINTER (connection->id);
  IcePair *pair = find_connecting (set, connection->id);

  if (pair) {
    pair->connecting = 0;
    /* RFC 6544 11.1: of simultaneous-open candidates both reopen, and it may be
     * the peer whose firewall lets nobody in. */
    if (!pair->reopening || pair->local->tcp_type != ICE_TCP_TYPE_SO)
      ice_checklist_fail (set, pair);
  }
  pair = ice_checklist_set_find_pair (set, is_on, id);
  if (pair == NULL)
    return;
  if (now - connection->opened_at >= LASTING)
    pair->n_lost = 0;
  lose_connection (set, pair, connection);
}

static gboolean
needs (IceChecklistSet *set, IcePair *pair, gpointer id)
{
  return is_for (set, pair, id) ||
      (is_on (set, pair, id) && pair->state != ICE_PAIR_FAILED);
}

gboolean
ice_checker_uses (IceChecklistSet *set, const IceConnection *connection)
{
  return ice_checklist_set_find_pair (
             set, needs, GUINT_TO_POINTER (connection->id)) != NULL;
}

/* Coming from the other side. */

IcePair *
ice_checker_adopt (IceChecklistSet *set, IceComponent *component,
    IceCandidate *local, const IceAddress *remote)
{
  IcePair *pair =
      ice_checklist_find_pair_from (component, local->endpoint, remote);

  if (pair == NULL || ice_pair_is_connected (pair))
    return NULL;
  if (pair->connecting)
    ice_gatherer_close_connection (set->gatherer, pair->connecting);
  pair->connecting = 0;
  ice_pair_set_local (pair, local);
  if (pair->state == ICE_PAIR_IN_PROGRESS || pair->reopening)
    ice_checklist_trigger (pair);
  return pair;
}

IcePair *
ice_checker_find_lost (IceComponent *component, const IceCandidate *local)
{
  IcePair *pair = component->selected;

  if (pair == NULL || local->tcp_type != ICE_TCP_TYPE_PASSIVE ||
      pair->generation != component->stream->generation ||
      ice_candidate_base_socket (pair->local) != local->endpoint ||
      !(pair->reopening || component->consent.disconnected))
    return NULL;
  return pair;
}

void
ice_checker_resume (IceChecklistSet *set, IcePair *pair, IceCandidate *local)
{
  /* Of the old one only the peer knew that it was dead. */
  if (ice_pair_is_connected (pair)) {
    ice_component_unaccept_local (
        pair->component, set->context, set->gatherer, pair->local);
    ice_gatherer_close_connection (set->gatherer, pair->local->socket);
  }
  ice_pair_set_local (pair, local);
  ice_pair_drop_checks (pair);
  pair->reopening = TRUE;
}
