/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io-log.h"
#include "native.h"
#include "resolver-private.h"
#include "service.h"

/* The answer on its way from one thread to the other. */
typedef struct
{
  IceResolve *resolve; /* (owned) */
  IceResolved found;
  GError *error; /* (owned) (nullable) */
} Answer;

static void resolve_start_lookup (IceResolve *self);
static void resolve_timed_out (gpointer user_data);
static void resolve_answer_literal (gpointer user_data);

IceResolve *
ice_resolve_ref (IceResolve *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
ice_resolve_unref (gpointer user_data)
{
  IceResolve *self = user_data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->host);
  g_free (self->service);
  g_free (self->protocol);
  g_object_unref (self->cancellable);
  ice_loop_unref (self->loop);
  g_free (self);
}

IceResolve *
ice_resolve_start (IceLoop *loop, const gchar *host, guint16 port,
    IceTime timeout, IceResolveFunc func, gpointer user_data)
{
  return ice_resolve_start_service (
      loop, NULL, NULL, host, port, timeout, func, user_data);
}

IceResolve *
ice_resolve_start_service (IceLoop *loop, const gchar *service,
    const gchar *protocol, const gchar *host, guint16 port, IceTime timeout,
    IceResolveFunc func, gpointer user_data)
{
  IceResolve *self;
  IceAddress literal;

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);

  self = g_new0 (IceResolve, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->service = g_strdup (service);
  self->protocol = g_strdup (protocol);
  self->host = g_strdup (host);
  self->port = port;
  self->cancellable = g_cancellable_new ();
  self->loop = ice_loop_ref (loop);
  self->func = func;
  self->user_data = user_data;

  if (ice_address_parse (&literal, host, port)) {
    ice_loop_invoke (loop, resolve_answer_literal, ice_resolve_ref (self),
        ice_resolve_unref);
    return self;
  }
  self->timer = ice_timer_new (loop, resolve_timed_out, self);
  ice_timer_set (self->timer, ice_loop_now () + timeout);
  resolve_start_lookup (self);
  return self;
}

/* The one way out: at most one call of func, and the loop's reference. */
static void
resolve_finish (IceResolve *self, const IceAddress *addresses,
    guint n_addresses, const GError *error)
{
  IceResolveFunc func = self->func;

  if (func == NULL)
    return;
  self->func = NULL;
  g_clear_pointer (&self->timer, ice_timer_free);
  func (addresses, n_addresses, error, self->user_data);
  ice_resolve_unref (self);
}

void
ice_resolve_cancel (IceResolve *self)
{
  if (self == NULL || self->func == NULL)
    return;
  g_return_if_fail (ice_loop_is_current (self->loop));

  self->func = NULL;
  g_clear_pointer (&self->timer, ice_timer_free);
  g_cancellable_cancel (self->cancellable);
  ice_resolve_unref (self);
}

static void
resolve_answer_literal (gpointer user_data)
{
  IceResolve *self = user_data;
  IceAddress literal;

  ice_address_parse (&literal, self->host, self->port);
  resolve_finish (self, &literal, 1, NULL);
}

static void
resolve_timed_out (gpointer user_data)
{
  IceResolve *self = user_data;
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "The name “%s” was not resolved in time: check the network's DNS server",
      self->host);

  GST_DEBUG ("%s", error->message);
  g_cancellable_cancel (self->cancellable);
  resolve_finish (self, NULL, 0, error);
}

/* Back on the loop's thread. */
static void
resolve_deliver (gpointer user_data)
{
  Answer *answer = user_data;

  resolve_finish (answer->resolve, answer->found.addresses,
      answer->found.n_addresses, answer->error);
}

static void
answer_free (gpointer user_data)
{
  Answer *self = user_data;

  ice_resolve_unref (self->resolve);
  g_clear_error (&self->error);
  g_free (self);
}

/* The service's thread */

void
ice_resolve_answer (
    IceResolve *self, const IceResolved *found, const GError *error)
{
  Answer *answer = g_new0 (Answer, 1);

  answer->resolve = ice_resolve_ref (self);
  if (found)
    answer->found = *found;
  if (error)
    answer->error = g_error_copy (error);
  ice_loop_invoke (self->loop, resolve_deliver, answer, answer_free);
}

static void
add (IceResolved *self, GInetAddress *address, guint16 port)
{
  IceAddress *to = &self->addresses[self->n_addresses];
  const guint8 *bytes = g_inet_address_to_bytes (address);
  guint i;

  *to = ICE_ADDRESS_NONE;
  to->port = port;
  to->family = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
      ? ICE_FAMILY_IPV6
      : ICE_FAMILY_IPV4;
  memcpy (to->ip, bytes, g_inet_address_get_native_size (address));
  for (i = 0; i < self->n_addresses; i++) {
    if (ice_address_equal (&self->addresses[i], to))
      return;
  }
  self->n_addresses++;
}

void
ice_resolved_add (
    IceResolved *self, const GList *addresses, guint16 port, guint max)
{
  const guint end = MIN (self->n_addresses + max, ICE_RESOLVED_MAX);
  GSocketFamily first = G_SOCKET_FAMILY_INVALID;
  gboolean mixed = FALSE;
  const GList *l;

  for (l = addresses; l != NULL; l = l->next) {
    GSocketFamily family = g_inet_address_get_family (l->data);

    if (first == G_SOCKET_FAMILY_INVALID)
      first = family;
    if (family != first && !mixed) {
      self->n_addresses = MIN (self->n_addresses, end - 1);
      mixed = TRUE;
    }
    if (self->n_addresses < end)
      add (self, l->data, port);
  }
}

static void
resolve_looked_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  IceResolve *self = user_data;
  g_autoptr (GError) error = NULL;
  GList *addresses =
      g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);
  IceResolved found = { .n_addresses = 0 };

  ice_resolved_add (&found, addresses, self->port, ICE_RESOLVED_MAX);
  ice_resolve_answer (self, &found, error);
  g_resolver_free_addresses (addresses);
  ice_resolve_unref (self);
}

static gboolean
resolve_look_up (gpointer user_data)
{
  IceResolve *self = user_data;
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  if (self->service)
    ice_resolve_look_up_service (self, resolver);
  else
    g_resolver_lookup_by_name_async (resolver, self->host, self->cancellable,
        resolve_looked_up, ice_resolve_ref (self));
  return G_SOURCE_REMOVE;
}

static void
resolve_start_lookup (IceResolve *self)
{
  ice_service_invoke (
      resolve_look_up, ice_resolve_ref (self), ice_resolve_unref);
}
