/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that say which variant of ICE is played: lite or full, how is
 * nominated, whether gathering ends; and what the peer can do of it. */
#include "core-private.h"

#include "purity.h"

/* RFC 8445 6.1.1. */
static void
update_role (IceChecklistSet *set)
{
  gboolean controls = ice_policy_controls (&set->policy);

  if (set->controlling != controls)
    ice_checklist_set_switch_role (set, controls, FALSE);
}

void
ice_core_set_controlling (IceCore *self, gboolean controlling)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set == NULL)
    return;
  set->policy.wants_control = controlling;
  update_role (set);
}

gboolean
ice_core_get_controlling (const IceCore *self)
{
  const IceChecklistSet *set = ice_core_current_set (self);

  return set && set->controlling;
}

void
ice_core_apply_gather_config (IceCore *self)
{
  ice_gatherer_config_release (&self->config.gather);
  self->config.gather = self->next_gather;
  ice_gatherer_config_hold (&self->config.gather);
  ice_gatherer_set_config (self->gatherer, &self->config.gather);
  for (guint i = 0; i < self->sets->len; i++) {
    IceChecklistSet *set = g_ptr_array_index (self->sets, i);

    if (set->policy.lite == self->config.gather.lite)
      continue;
    set->policy.lite = self->config.gather.lite;
    update_role (set);
  }
}

static void
apply_when_idle (IceCore *self)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->gathering)
      return; /* candidates were told by the old one */
  }
  ice_core_apply_gather_config (self);
}

void
ice_core_set_gather_config (IceCore *self, const IceGathererConfig *config)
{
  gboolean lite = self->next_gather.lite;

  if (ice_core_current_set (self) == NULL)
    return;
  ice_gatherer_config_release (&self->next_gather);
  self->next_gather = *config;
  ice_gatherer_config_hold (&self->next_gather);
  self->next_gather.lite = lite;
  apply_when_idle (self);
}

void
ice_core_set_lite (IceCore *self, gboolean lite)
{
  if (ice_core_current_set (self) == NULL)
    return;
  self->next_gather.lite = lite;
  apply_when_idle (self);
}

gboolean
ice_core_get_lite (const IceCore *self)
{
  return self->config.gather.lite;
}

void
ice_core_set_continual (IceCore *self, gboolean continual)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    set->policy.continual = continual;
}

static void
update_gathering (IceCore *self, IceTime now)
{
  for (guint i = 0; i < self->streams->len; i++) {
    const IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->gathering && ice_policy_is_continual (&stream->set->policy))
      ice_gatherer_update (self->gatherer, stream->gather, now);
  }
}

void
ice_core_ask_new_servers (IceCore *self, IceTime now)
{
  self->has_new_server = FALSE;
  for (guint i = 0; i < self->streams->len; i++) {
    const IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->gathering && ice_policy_is_continual (&stream->set->policy))
      ice_gatherer_ask_servers (self->gatherer, stream->gather, now);
  }
}

void
ice_core_set_interfaces (IceCore *self, const IceInterfaceAddress *addresses,
    guint n_addresses, IceTime now)
{
  ice_gatherer_set_interfaces (self->gatherer, addresses, n_addresses);
  if (self->closed)
    return;
  ice_core_note_addresses (self, now);
  update_gathering (self, now);
  ice_core_settle (self, now);
}

void
ice_core_set_aggressive (IceCore *self, gboolean aggressive)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    set->policy.aggressive = aggressive;
}

/* Candidates may have come before the line that makes them pairs. */
static void
form_unchecked (IceChecklistSet *set, IceTime now)
{
  for (guint i = 0; i < set->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (set->streams, i);

    if (ice_stream_is_active (stream))
      ice_checklist_activate (set, stream, now);
  }
}

void
ice_core_set_remote_lite (IceCore *self, gboolean lite, IceTime now)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set == NULL || self->closed || set->policy.remote_lite == lite)
    return;
  set->policy.remote_lite = lite;
  update_role (set);
  if (ice_policy_is_unchecked (&set->policy))
    form_unchecked (set, now);
  ice_core_settle (self, now);
}

void
ice_core_set_remote_options (IceCore *self, guint options, IceTime now)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set == NULL || self->closed)
    return;
  set->policy.remote_known = TRUE;
  set->policy.remote_options = options;
  for (guint i = 0; i < set->streams->len; i++)
    ice_core_end_candidates (self, g_ptr_array_index (set->streams, i));
  /* Networks that came while the peer was still silent. */
  update_gathering (self, now);
  ice_core_settle (self, now);
}

guint
ice_core_get_remote_options (const IceCore *self)
{
  const IceChecklistSet *set = ice_core_current_set (self);

  return set ? set->policy.remote_options : 0;
}
