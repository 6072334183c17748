/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In mid-call the network changes. What renominator.c cannot mend, because the
 * peer does not renominate or no other pair is left, an ICE restart does (RFC
 * 8445 9), which takes the application's signalling: RESTART_NEEDED. */
#include "core-private.h"

#include "purity.h"

/* No sign of life for so long, at least. */
#define SILENCE (400 * ICE_MSEC)
/* After a path was forsaken, for pairs that are just being made; the
 * controlling side is first, so that seldom both restart. */
#define PATIENCE_CONTROLLING (100 * ICE_MSEC)
#define PATIENCE_CONTROLLED (250 * ICE_MSEC)
/* Every pair is gone, but the peer may make others. */
#define PATIENCE_LOST (300 * ICE_MSEC)
/* A network brings its addresses one after the other. */
#define PATIENCE_NEWS (1 * ICE_SECOND)
/* A restart that brought nothing is wanted again after this long, twice, four
 * times as long, and so on. */
#define AGAIN (10 * ICE_SECOND)
#define MAX_RESTARTS 6
/* The servers are asked when media stopped; when it did not flow not before a
 * second probe, for one may be lost. And not more often than this: they have no
 * part in it when a network just loses much. */
#define ASK_SERVERS_PROBES 2
#define ASK_SERVERS_GAP (5 * ICE_SECOND)

typedef struct
{
  IceTime at; /* ICE_TIME_NEVER: all is well */
  IceRestartReason reason;
} Need;

static gboolean
was_connected (const IceComponent *component)
{
  return component->connected_at != 0 && component->state != ICE_STATE_CLOSED;
}

static IceTime
patience (const IceComponent *component)
{
  return component->stream->set->controlling ? PATIENCE_CONTROLLING
                                             : PATIENCE_CONTROLLED;
}

/* A relayed path whose allocation moves along does not count as lost. */
static gboolean
has_lost_address (const IceCore *self, const IceComponent *component)
{
  const IcePair *selected = component->selected;

  return selected && !ice_pair_is_relayed (selected) &&
      !ice_gatherer_is_local (self->gatherer, selected->local);
}

static Need
component_need (IceCore *self, const IceComponent *component)
{
  const IcePair *selected = component->selected;
  const IceConsent *consent = &component->consent;
  Need need = { .at = ICE_TIME_NEVER };

  if (!was_connected (component) || (selected && selected->without_ice))
    return need;
  if (component->state == ICE_STATE_FAILED)
    need = (Need){ 0, ICE_RESTART_PATH_LOST };
  else if (selected == NULL && component->lost_at)
    need = (Need){ component->lost_at + PATIENCE_LOST, ICE_RESTART_PATH_LOST };
  else if (has_lost_address (self, component))
    need = (Need){ 0, ICE_RESTART_ADDRESS_LOST };
  else if (selected && component->rebound)
    need = (Need){ 0, ICE_RESTART_REBOUND };
  else if (selected && consent->forsaken)
    need = (Need){ MAX (consent->forsaken_at, consent->heard_at + SILENCE) +
          patience (component),
      ICE_RESTART_PATH_SILENT };
  return need;
}

static Need
stream_need (IceCore *self, IceStream *stream)
{
  Need need = { .at = ICE_TIME_NEVER };

  if (stream->set->policy.lite || !stream->gathering)
    return need;
  for (guint i = 0; i < stream->components->len; i++) {
    Need one = component_need (self, g_ptr_array_index (stream->components, i));

    if (one.at < need.at)
      need = one;
  }
  if (need.at == ICE_TIME_NEVER && stream->news_at)
    need = (Need){ stream->news_at + (stream->completed_at ? PATIENCE_NEWS : 0),
      ICE_RESTART_ADDRESS_NEW };
  return need;
}

/* When it is said; ICE_TIME_NEVER: not, or not any more. */
static IceTime
say_at (IceCore *self, const IceStream *stream, const Need *need)
{
  if (need->at == ICE_TIME_NEVER || stream->n_restarts >= MAX_RESTARTS ||
      !ice_gatherer_has_addresses (self->gatherer))
    return ICE_TIME_NEVER;
  if (stream->n_restarts == 0)
    return need->at;
  return MAX (
      need->at, stream->restart_at + (AGAIN << (stream->n_restarts - 1)));
}

/* A NAT on the way may have forgotten not only the path to the peer. */
static void
ask_servers (IceCore *self, IceComponent *component, IceTime now)
{
  const IceConsent *consent = &component->consent;

  if (consent->doubt == ICE_DOUBT_NONE || consent->n_probes == 0 ||
      component->doubted_at == consent->doubt_at ||
      (!consent->stopped && consent->n_probes < ASK_SERVERS_PROBES))
    return;
  component->doubted_at = consent->doubt_at;
  if (component->stream->asked_at &&
      now < component->stream->asked_at + ASK_SERVERS_GAP)
    return;
  component->stream->asked_at = now;
  ice_gatherer_doubt (self->gatherer, component->stream->gather, now);
}

void
ice_core_run_roaming (IceCore *self, IceStream *stream, IceTime now)
{
  IceOutput *output;
  Need need;

  for (guint i = 0; i < stream->components->len; i++)
    ask_servers (self, g_ptr_array_index (stream->components, i), now);
  need = stream_need (self, stream);
  if (need.at == ICE_TIME_NEVER && stream->completed_at)
    stream->n_restarts = 0;
  if (now < say_at (self, stream, &need))
    return;
  stream->restart_at = now;
  stream->n_restarts++;
  stream->news_at = 0;
  ice_log (&self->context, ICE_LOG_INFO, ICE_LOG_CHECK,
      "a restart is needed: %s", ice_restart_reason_to_string (need.reason));
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_RESTART_NEEDED);
  output->restart.stream = stream->id;
  output->restart.reason = need.reason;
}

IceTime
ice_core_roaming_deadline (IceCore *self, IceStream *stream)
{
  Need need = stream_need (self, stream);
  IceTime at = say_at (self, stream, &need);

  return at == ICE_TIME_NEVER ? at : MAX (at, self->settled_at);
}

/* A session that is under way, or was and is being restarted. With continual
 * gathering the address is gathered on instead. */
static gboolean
is_news (IceCore *self, const IceStream *stream)
{
  gboolean connected = FALSE;

  for (guint i = 0; i < stream->components->len; i++)
    connected |= was_connected (g_ptr_array_index (stream->components, i));
  return connected && !ice_policy_is_continual (&stream->set->policy) &&
      ice_gatherer_has_news (self->gatherer, stream->gather);
}

void
ice_core_note_addresses (IceCore *self, IceTime now)
{
  ice_gatherer_follow_addresses (self->gatherer, now);
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    if (!is_news (self, stream))
      stream->news_at = 0;
    else if (stream->news_at == 0)
      stream->news_at = now;
    /* It failed for want of a network, and here is one. */
    stream->n_restarts = MIN (stream->n_restarts, 1);
  }
}
