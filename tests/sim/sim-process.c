/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-process.h"

/* RFC 8445 14.2: "MUST NOT be sent more often than once every 5 ms". */
#define PACING_MIN (5 * ICE_MSEC)

struct _SimProcess
{
  SimNet *net;         /* (unowned) */
  SimSecrets *secrets; /* (unowned) (nullable) */
  IceTime next_slot;
  IceTime began_at; /* 0: nobody did */
};

SimProcess *
sim_process_new (SimNet *net, SimSecrets *secrets)
{
  SimProcess *self = g_new0 (SimProcess, 1);

  self->net = net;
  self->secrets = secrets;
  return self;
}

void
sim_process_free (SimProcess *self)
{
  g_free (self);
}

static void
process_random (gpointer user, guint8 *ret_bytes, gsize size)
{
  SimProcess *self = user;

  for (gsize i = 0; i < size; i++)
    ret_bytes[i] = sim_net_random (self->net) >> 32;
}

static void
process_log (
    gpointer user, IceLogLevel level, IceLogArea area, const gchar *message)
{
  SimProcess *self = user;

  if (self->secrets)
    sim_secrets_check (self->secrets, message, "a log line");
  sim_net_trace (self->net, "      core: %s", message);
}

static IceTime
process_reserve (gpointer user, IceTime now)
{
  SimProcess *self = user;
  IceTime at = MAX (now, self->next_slot);

  self->next_slot = at + PACING_MIN;
  return at;
}

IceWorld
sim_process_world (SimProcess *self)
{
  gboolean heard = self->secrets || sim_net_is_traced (self->net);

  return (IceWorld){
    .random = process_random,
    .log = heard ? process_log : NULL,
    .log_level = ICE_LOG_LOG,
    .reserve = process_reserve,
    .user = self,
  };
}

void
sim_process_began (SimProcess *self, const gchar *name)
{
  IceTime now = sim_net_now (self->net);

  if (self->began_at && now - self->began_at < PACING_MIN)
    sim_net_violate (self->net,
        "I8: %s begins a transaction %d us after the last one of its process",
        name, (gint) (now - self->began_at));
  self->began_at = now;
}
