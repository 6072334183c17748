/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "proxy-lookup.h"

#include "proxy-private.h"
#include "service.h"

/* As IceResolve: the loop's thread asks, waits and answers, the service's knows
 * GProxyResolver. Only the loop's touches what stands below the gap. */
struct _IceProxyLookup
{
  gatomicrefcount ref_count;
  gchar *uri;                /* (owned) (nullable) what is to be reached */
  GCancellable *cancellable; /* (owned) */
  IceLoop *loop;             /* (owned) */

  IceTimer *timer;         /* (owned) (nullable) */
  IceProxyLookupFunc func; /* (nullable) once answered or cancelled */
  gpointer user_data;
};

typedef struct
{
  IceProxyLookup *lookup; /* (owned) */
  gchar **uris;           /* (owned) (nullable) */
  GError *error;          /* (owned) (nullable) */
} Answer;

static IceProxyLookup *
lookup_ref (IceProxyLookup *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
lookup_unref (gpointer user_data)
{
  IceProxyLookup *self = user_data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->uri);
  g_object_unref (self->cancellable);
  ice_loop_unref (self->loop);
  g_free (self);
}

/* The one way out: at most one call of func, and the loop's reference. */
static void
finish (IceProxyLookup *self, gchar **uris, const GError *error)
{
  IceProxyLookupFunc func = self->func;

  if (func == NULL)
    return;
  self->func = NULL;
  g_clear_pointer (&self->timer, ice_timer_free);
  func ((const gchar *const *) uris, error, self->user_data);
  lookup_unref (self);
}

static void
deliver (gpointer user_data)
{
  Answer *answer = user_data;

  finish (answer->lookup, answer->uris, answer->error);
}

static void
answer_free (gpointer user_data)
{
  Answer *self = user_data;

  lookup_unref (self->lookup);
  g_strfreev (self->uris);
  g_clear_error (&self->error);
  g_free (self);
}

static void
looked_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answer *answer = g_new0 (Answer, 1);

  answer->lookup = user_data;
  answer->uris = g_proxy_resolver_lookup_finish (
      G_PROXY_RESOLVER (source), result, &answer->error);
  ice_loop_invoke (answer->lookup->loop, deliver, answer, answer_free);
}

static gboolean
look_up (gpointer user_data)
{
  IceProxyLookup *self = user_data;

  g_proxy_resolver_lookup_async (g_proxy_resolver_get_default (), self->uri,
      self->cancellable, looked_up, lookup_ref (self));
  return G_SOURCE_REMOVE;
}

static void
timed_out (gpointer user_data)
{
  IceProxyLookup *self = user_data;
  g_autoptr (GError) error =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
          "The system does not say in time whether there is a proxy: set "
          "proxy=direct:// or the proxy's URI");

  g_cancellable_cancel (self->cancellable);
  finish (self, NULL, error);
}

IceProxyLookup *
ice_proxy_lookup_start (IceLoop *loop, const gchar *host, guint16 port,
    IceTime timeout, IceProxyLookupFunc func, gpointer user_data)
{
  IceProxyLookup *self = g_new0 (IceProxyLookup, 1);
  g_autofree gchar *authority = ice_proxy_make_authority (host, port);

  g_atomic_ref_count_init (&self->ref_count);
  /* What CONNECT makes is what https: asks proxies for. */
  self->uri = g_strdup_printf ("https://%s", authority ? authority : "invalid");
  self->cancellable = g_cancellable_new ();
  self->loop = ice_loop_ref (loop);
  self->func = func;
  self->user_data = user_data;
  self->timer = ice_timer_new (loop, timed_out, self);
  ice_timer_set (self->timer, ice_loop_now () + timeout);
  ice_service_invoke (look_up, lookup_ref (self), lookup_unref);
  return self;
}

void
ice_proxy_lookup_cancel (IceProxyLookup *self)
{
  if (self == NULL || self->func == NULL)
    return;
  self->func = NULL;
  g_clear_pointer (&self->timer, ice_timer_free);
  g_cancellable_cancel (self->cancellable);
  lookup_unref (self);
}
