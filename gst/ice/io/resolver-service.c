/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SRV (RFC 2782), and the names that it names. All of it in the service's
 * thread. The host itself is asked for at the same time: most have no SRV, and
 * that costs no round trip then. S-NAPTR, which RFC 5928 has before SRV,
 * GResolver does not know. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>

#include "io-log.h"
#include "resolver-private.h"

/* So many targets are looked up; what SRV puts first is what it means. */
#define MAX_TARGETS 4
/* Once something is known, this long for the rest: a DNS server that is silent
 * about SRV, or one slow name of several, does not cost the others. */
#define GRACE_MS 300

typedef enum
{
  SRV_ASKED,
  SRV_NONE,  /* nothing is said, or nobody answers */
  SRV_FOUND, /* there are targets */
  SRV_ABSENT /* "the service is decidedly not available at this domain" */
} Srv;

typedef struct
{
  guint16 port;
  gboolean done;
  GList *addresses; /* (owned) (nullable) of GInetAddress */
} Target;

typedef struct
{
  guint ref_count;
  IceResolve *resolve; /* (owned) */
  Srv srv;
  GPtrArray *targets; /* (owned) (element-type Target) in the order of SRV */
  Target *host;       /* (owned) */
  GError *error;      /* (owned) (nullable) of the host */
  GSource *grace;     /* (owned) (nullable) */
  gboolean impatient; /* it is over */
  gboolean answered;
} Lookup;

/* One name on its way. */
typedef struct
{
  Lookup *lookup; /* (owned) */
  Target *target; /* (unowned) the lookup's */
} Question;

static Target *
target_new (guint16 port)
{
  Target *self = g_new0 (Target, 1);

  self->port = port;
  return self;
}

static void
target_free (Target *self)
{
  g_resolver_free_addresses (self->addresses);
  g_free (self);
}

static Lookup *
lookup_ref (Lookup *self)
{
  self->ref_count++;
  return self;
}

static void
lookup_unref (Lookup *self)
{
  if (--self->ref_count > 0)
    return;
  ice_resolve_unref (self->resolve);
  g_ptr_array_unref (self->targets);
  target_free (self->host);
  g_clear_error (&self->error);
  g_free (self);
}

/* What is known */

static void
answer (Lookup *self, const IceResolved *found, const GError *error)
{
  self->answered = TRUE;
  if (self->grace)
    g_source_destroy (self->grace);
  g_clear_pointer (&self->grace, g_source_unref);
  ice_resolve_answer (self->resolve, found, error);
}

static void
answer_with_targets (Lookup *self)
{
  IceResolved found = { .n_addresses = 0 };
  g_autoptr (GError) error = NULL;

  /* Both families of each. */
  for (guint i = 0; i < self->targets->len; i++) {
    const Target *target = g_ptr_array_index (self->targets, i);

    ice_resolved_add (&found, target->addresses, target->port,
        MAX (2, ICE_RESOLVED_MAX / self->targets->len));
  }
  if (found.n_addresses == 0)
    error = g_error_new (G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
        "The servers that “%s” names for _%s._%s (SRV) have no addresses",
        self->resolve->host, self->resolve->service, self->resolve->protocol);
  answer (self, &found, error);
}

static void
answer_with_host (Lookup *self)
{
  IceResolved found = { .n_addresses = 0 };

  ice_resolved_add (
      &found, self->host->addresses, self->host->port, ICE_RESOLVED_MAX);
  answer (self, &found, self->error);
}

static void
answer_absent (Lookup *self)
{
  g_autoptr (GError) error =
      g_error_new (G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
          "“%s” says that it has no service _%s._%s (SRV): choose another "
          "transport, or write the port into the URI",
          self->resolve->host, self->resolve->service, self->resolve->protocol);

  answer (self, NULL, error);
}

/* Whether all are done; *ret_any: one of them has an address. */
static gboolean
targets_are_done (const Lookup *self, gboolean *ret_any)
{
  gboolean all = TRUE;

  *ret_any = FALSE;
  for (guint i = 0; i < self->targets->len; i++) {
    const Target *target = g_ptr_array_index (self->targets, i);

    all &= target->done;
    *ret_any |= target->addresses != NULL;
  }
  return all;
}

static void advance (Lookup *self);

static gboolean
grace_is_over (gpointer user_data)
{
  Lookup *self = user_data;

  self->impatient = TRUE;
  advance (self);
  return G_SOURCE_REMOVE;
}

static void
grace_unref (gpointer user_data)
{
  lookup_unref (user_data);
}

static void
begin_grace (Lookup *self)
{
  if (self->grace || self->impatient)
    return;
  self->grace = g_timeout_source_new (GRACE_MS);
  g_source_set_callback (
      self->grace, grace_is_over, lookup_ref (self), grace_unref);
  g_source_attach (self->grace, g_main_context_get_thread_default ());
}

static void
advance (Lookup *self)
{
  gboolean any, all = targets_are_done (self, &any);
  gboolean host = self->host->addresses != NULL;

  if (self->answered)
    return;
  if (self->srv == SRV_ABSENT)
    answer_absent (self);
  else if (self->srv == SRV_FOUND && (all || (any && self->impatient)))
    answer_with_targets (self);
  else if ((self->srv == SRV_NONE && self->host->done) ||
      (self->srv == SRV_ASKED && host && self->impatient))
    answer_with_host (self);
  else if (self->srv == SRV_FOUND ? any : host)
    begin_grace (self);
}

/* Questions */

static void
name_came (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Question *question = user_data;
  Lookup *self = question->lookup;
  Target *target = question->target;
  g_autoptr (GError) error = NULL;

  target->addresses =
      g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);
  target->done = TRUE;
  if (target == self->host)
    self->error = g_steal_pointer (&error);
  advance (self);
  lookup_unref (self);
}

static void
ask (Lookup *self, GResolver *resolver, Target *target, const gchar *name)
{
  Question *question = g_new (Question, 1);

  *question = (Question){ lookup_ref (self), target };
  g_resolver_lookup_by_name_async (
      resolver, name, self->resolve->cancellable, name_came, question);
}

/* RFC 2782: "A Target of "." means that the service is decidedly not
 * available"; GLib's own resolver leaves it out of its list. */
static gboolean
is_absent (const GList *targets)
{
  return !targets ||
      (!targets->next &&
          (g_str_equal (g_srv_target_get_hostname (targets->data), ".") ||
              *g_srv_target_get_hostname (targets->data) == 0));
}

static void
take_targets (Lookup *self, GResolver *resolver, const GList *targets)
{
  for (const GList *l = targets; l && self->targets->len < MAX_TARGETS;
       l = l->next) {
    if (g_srv_target_get_port (l->data) != 0)
      g_ptr_array_add (
          self->targets, target_new (g_srv_target_get_port (l->data)));
  }
  self->srv = self->targets->len > 0 ? SRV_FOUND : SRV_NONE;
  for (guint i = 0; targets && i < self->targets->len;
       targets = targets->next) {
    if (g_srv_target_get_port (targets->data) != 0)
      ask (self, resolver, g_ptr_array_index (self->targets, i++),
          g_srv_target_get_hostname (targets->data));
  }
}

static void
service_came (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Lookup *self = user_data;
  g_autoptr (GError) error = NULL;
  GList *targets =
      g_resolver_lookup_service_finish (G_RESOLVER (source), result, &error);

  if (error) {
    GST_DEBUG ("no SRV for _%s._%s.%s: %s", self->resolve->service,
        self->resolve->protocol, self->resolve->host, error->message);
    self->srv = SRV_NONE;
  } else if (is_absent (targets)) {
    self->srv = SRV_ABSENT;
  } else if (!self->answered) {
    /* By priority, and by chance and weight among equals. */
    targets = g_srv_target_list_sort (targets);
    take_targets (self, G_RESOLVER (source), targets);
  }
  g_resolver_free_targets (targets);
  advance (self);
  lookup_unref (self);
}

void
ice_resolve_look_up_service (IceResolve *resolve, GResolver *resolver)
{
  Lookup *self = g_new0 (Lookup, 1);

  self->ref_count = 1;
  self->resolve = ice_resolve_ref (resolve);
  self->targets = g_ptr_array_new_with_free_func ((GDestroyNotify) target_free);
  self->host = target_new (resolve->port);
  g_resolver_lookup_service_async (resolver, resolve->service,
      resolve->protocol, resolve->host, resolve->cancellable, service_came,
      lookup_ref (self));
  ask (self, resolver, self->host, resolve->host);
  lookup_unref (self);
}
