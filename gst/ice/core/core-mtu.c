/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The path MTU of what carries media (RFC 8899). Only where packets go straight
 * to the peer: what a relay does with them behind it is not ours to see. */
#include "core-private.h"

#include "purity.h"

static gboolean
is_measured (const IceCore *self, const IceComponent *component)
{
  const IcePair *pair = component->selected;

  return self->mtu_probing && pair && component->nominated &&
      pair->local->kind != ICE_CANDIDATE_RELAYED &&
      pair->local->protocol == ICE_PROTOCOL_UDP && !pair->reopening;
}

static void
tell (IceCore *self, IceComponent *component)
{
  IceOutput *output;

  if (component->mtu.mtu == component->told_mtu)
    return;
  component->told_mtu = component->mtu.mtu;
  if (component->told_mtu == 0)
    return;
  ice_log (&self->context, ICE_LOG_INFO, ICE_LOG_CHECK,
      "transport %u: the path takes packets of %u bytes", component->id,
      component->told_mtu);
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_PATH_MTU);
  output->path_mtu.transport = component->id;
  output->path_mtu.mtu = component->told_mtu;
}

void
ice_core_run_mtu (IceCore *self, IceComponent *component, IceTime now)
{
  IcePair *pair = component->selected;
  guint size;

  if (!is_measured (self, component)) {
    ice_mtu_stop (&component->mtu);
    component->told_mtu = 0;
    return;
  }
  if (!component->mtu.running || component->mtu.pair != pair->id) {
    ice_mtu_start (&component->mtu, pair->id, pair->rtt, now);
    component->told_mtu = 0;
  }
  while ((size = ice_mtu_timeout (&component->mtu, now)) > 0)
    ice_checker_send_sized (component->stream->set, pair, size, now);
  tell (self, component);
}

void
ice_core_set_mtu_probing (IceCore *self, gboolean probing)
{
  self->mtu_probing = probing;
}
