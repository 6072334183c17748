/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "tls-prepare.h"

#include "tls-private.h"

/* The loop's thread asks and is answered, a thread of the pool reads. Only the
 * loop's touches func. */
struct _IceTlsPreparation
{
  IceLoop *loop;  /* (owned) */
  gchar *ca_file; /* (owned) (nullable) */
  gboolean datagrams;
  IceTlsPreparedFunc func; /* (nullable) once answered or cancelled */
  gpointer user_data;
};

static void
preparation_free (gpointer user_data)
{
  IceTlsPreparation *self = user_data;

  g_free (self->ca_file);
  ice_loop_unref (self->loop);
  g_free (self);
}

static void
finish (gpointer user_data)
{
  IceTlsPreparation *self = user_data;
  IceTlsPreparedFunc func = self->func;

  self->func = NULL;
  if (func)
    func (self->user_data);
}

/* The pool's reference goes with the answer. */
static void
read_trust (gpointer data, gpointer unused)
{
  IceTlsPreparation *self = data;
  IceTlsTrust trust;

  if (ice_tls_get_trust (self->ca_file, self->datagrams, &trust, NULL))
    SSL_CTX_free (trust.context);
  ice_loop_invoke (self->loop, finish, self, preparation_free);
}

/* One thread: what it reads those that wait want as well. GLib ends it when it
 * has had nothing to do for a while. */
static GThreadPool *
get_pool (void)
{
  static gsize pool = 0;

  if (g_once_init_enter (&pool))
    g_once_init_leave (
        &pool, (gsize) g_thread_pool_new (read_trust, NULL, 1, FALSE, NULL));
  return (GThreadPool *) pool;
}

IceTlsPreparation *
ice_tls_prepare (IceLoop *loop, const gchar *ca_file, gboolean datagrams,
    IceTlsPreparedFunc func, gpointer user_data)
{
  IceTlsPreparation *self;

  if (ice_tls_has_trust (ca_file, datagrams))
    return NULL;
  self = g_new0 (IceTlsPreparation, 1);
  self->loop = ice_loop_ref (loop);
  self->ca_file = g_strdup (ca_file);
  self->datagrams = datagrams;
  self->func = func;
  self->user_data = user_data;
  g_thread_pool_push (get_pool (), self, NULL);
  return self;
}

void
ice_tls_preparation_cancel (IceTlsPreparation *self)
{
  if (self)
    self->func = NULL;
}
