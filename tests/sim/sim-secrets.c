/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-secrets.h"

#include <string.h>

struct _SimSecrets
{
  SimNet *net;        /* (unowned) */
  GPtrArray *secrets; /* (owned) gchar */
};

SimSecrets *
sim_secrets_new (SimNet *net)
{
  SimSecrets *self = g_new0 (SimSecrets, 1);

  self->net = net;
  self->secrets = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
sim_secrets_free (SimSecrets *self)
{
  g_ptr_array_unref (self->secrets);
  g_free (self);
}

void
sim_secrets_add (SimSecrets *self, const gchar *secret)
{
  if (!g_ptr_array_find_with_equal_func (
          self->secrets, secret, g_str_equal, NULL))
    g_ptr_array_add (self->secrets, g_strdup (secret));
}

void
sim_secrets_check (SimSecrets *self, const gchar *text, const gchar *where)
{
  for (guint i = 0; text && i < self->secrets->len; i++)
    if (strstr (text, g_ptr_array_index (self->secrets, i)))
      sim_net_violate (self->net, "I13: a secret in %s: %s", where, text);
}
