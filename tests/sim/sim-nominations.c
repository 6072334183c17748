/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-watch.h"

#include <string.h>

/* One component in one generation, and what was nominated there. */
typedef struct
{
  guint transport;
  gchar *username; /* (owned) both ufrags: the generation */
  guint socket;
  IceAddress peer, relay;
  gboolean done; /* it was answered */
} Nomination;

struct _SimNominations
{
  SimNet *net;     /* (unowned) */
  SimHost *host;   /* (unowned) */
  GArray *made;    /* (owned) Nomination */
  GHashTable *ids; /* (owned) of requests that were judged when first sent */
  gboolean several, any;
};

static void
nomination_clear (gpointer nomination)
{
  g_free (((Nomination *) nomination)->username);
}

SimNominations *
sim_nominations_new (SimNet *net, SimHost *host)
{
  SimNominations *self = g_new0 (SimNominations, 1);

  self->net = net;
  self->host = host;
  self->made = g_array_new (FALSE, FALSE, sizeof (Nomination));
  g_array_set_clear_func (self->made, nomination_clear);
  self->ids = g_hash_table_new_full (
      g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  return self;
}

void
sim_nominations_free (SimNominations *self)
{
  g_array_unref (self->made);
  g_hash_table_unref (self->ids);
  g_free (self);
}

void
sim_nominations_allow (SimNominations *self, gboolean aggressive)
{
  self->several = TRUE;
  self->any = aggressive;
}

static gboolean
is_same_pair (const Nomination *a, const Nomination *b)
{
  return a->socket == b->socket && ice_address_equal (&a->peer, &b->peer) &&
      ice_address_equal (&a->relay, &b->relay);
}

static void
check_only_one (SimNominations *self, Nomination *nomination)
{
  const gchar *name = sim_host_name (self->host);

  for (guint i = 0; i < self->made->len; i++) {
    Nomination *old = &g_array_index (self->made, Nomination, i);

    if (old->transport != nomination->transport ||
        strcmp (old->username, nomination->username) != 0)
      continue;
    /* RFC 8445 8.1.1: "Once the controlling agent has successfully nominated
     * a candidate pair, [it] MUST NOT nominate another pair". */
    if (old->done && !is_same_pair (old, nomination))
      sim_net_violate (self->net, "I2: %s/%u nominated two pairs", name,
          nomination->transport);
    if (!is_same_pair (old, nomination)) {
      nomination_clear (old);
      *old = *nomination;
      return;
    }
    nomination_clear (nomination);
    return;
  }
  g_array_append_val (self->made, *nomination);
}

void
sim_nominations_sent (SimNominations *self, guint socket,
    const IceAddress *peer, const IceAddress *relay, gboolean valid,
    const IceStunMessage *message)
{
  const gchar *name = sim_host_name (self->host);
  Nomination nomination = { sim_host_socket_transport (self->host, socket),
    NULL, socket, *peer, *relay, FALSE };
  IceBytes username;

  /* A request that is resent says what was right when it was made. */
  if (!ice_stun_message_has (message, ICE_STUN_USE_CANDIDATE) ||
      !g_hash_table_add (
          self->ids, g_bytes_new (message->id, ICE_STUN_ID_SIZE)))
    return;
  if (!sim_host_is_controlling (self->host))
    sim_net_violate (self->net, "I2: %s nominated while controlled", name);
  if (!valid && !self->any)
    sim_net_violate (
        self->net, "I2: %s nominated a pair that is not valid", name);
  if (self->several ||
      !ice_stun_message_find (message, ICE_STUN_USERNAME, &username))
    return;
  nomination.username =
      g_strndup ((const gchar *) username.data, username.size);
  check_only_one (self, &nomination);
}

void
sim_nominations_answered (SimNominations *self, guint socket,
    const IceAddress *peer, const IceAddress *relay,
    const IceStunMessage *message)
{
  Nomination answered = { .socket = socket, .peer = *peer, .relay = *relay };
  g_autoptr (GBytes) id = g_bytes_new_static (message->id, ICE_STUN_ID_SIZE);

  if (!g_hash_table_contains (self->ids, id))
    return;
  for (guint i = 0; i < self->made->len; i++) {
    Nomination *nomination = &g_array_index (self->made, Nomination, i);

    if (is_same_pair (nomination, &answered))
      nomination->done = TRUE;
  }
}
