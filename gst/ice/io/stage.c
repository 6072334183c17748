/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "stage.h"

/* What is empty keeps no more memory than this: one burst is not for ever. */
#define KEEP_MAX (64 * 1024)

G_DEFINE_QUARK (ice - stage - error - quark, ice_stage_error)

static void
writer_empty (IceWriter *self)
{
  if (self->allocated > KEEP_MAX)
    ice_writer_clear (self);
  self->size = 0;
}

/* One stage */

void
ice_stage_init (IceStage *self, const IceStageClass *klass)
{
  self->klass = klass;
  self->state = ICE_STAGE_HANDSHAKING;
}

static void
stage_free (IceStage *self)
{
  g_clear_error (&self->error);
  ice_writer_clear (&self->below);
  ice_writer_clear (&self->above);
  self->klass->free (self);
}

void
ice_stage_write_below (IceStage *self, IceBytes bytes)
{
  ice_write_bytes (&self->below, bytes);
}

void
ice_stage_write_above (IceStage *self, IceBytes bytes)
{
  ice_write_bytes (&self->above, bytes);
}

static gboolean
stage_is_over (const IceStage *self)
{
  return self->state == ICE_STAGE_CLOSED || self->state == ICE_STAGE_FAILED;
}

void
ice_stage_opened (IceStage *self)
{
  if (self->state == ICE_STAGE_HANDSHAKING)
    self->state = ICE_STAGE_OPEN;
}

void
ice_stage_closed (IceStage *self)
{
  if (!stage_is_over (self))
    self->state = ICE_STAGE_CLOSED;
}

void
ice_stage_fail (IceStage *self, GError *error)
{
  if (stage_is_over (self)) {
    g_error_free (error);
    return;
  }
  self->state = ICE_STAGE_FAILED;
  self->error = error;
}

void
ice_stage_fail_literal (
    IceStage *self, IceStageError code, const gchar *message)
{
  ice_stage_fail (self, g_error_new_literal (ICE_STAGE_ERROR, code, message));
}

static void
stage_start (IceStage *self)
{
  if (self->started || stage_is_over (self))
    return;
  self->started = TRUE;
  if (self->klass->start)
    self->klass->start (self);
}

static void
stage_receive (IceStage *self, IceBytes bytes)
{
  if (bytes.size > 0 && self->started && !stage_is_over (self))
    self->klass->receive (self, bytes);
}

static void
stage_send (IceStage *self, IceBytes bytes)
{
  if (bytes.size > 0 && self->state == ICE_STAGE_OPEN)
    self->klass->send (self, bytes);
}

static void
stage_end (IceStage *self)
{
  if (stage_is_over (self))
    return;
  if (self->klass->end)
    self->klass->end (self);
  if (self->state == ICE_STAGE_OPEN)
    ice_stage_closed (self);
  ice_stage_fail_literal (self, ICE_STAGE_ERROR_TRUNCATED,
      "the connection was closed before it was ready");
}

/* The stack */

struct _IceStages
{
  GPtrArray *stages; /* (owned) (element-type IceStage) from the socket up */
  gsize written;     /* of what waits for the socket */
  gsize n_handshake; /* bytes that came before it was open */
};

IceStages *
ice_stages_new (void)
{
  IceStages *self = g_new0 (IceStages, 1);

  self->stages = g_ptr_array_new_with_free_func ((GDestroyNotify) stage_free);
  return self;
}

void
ice_stages_free (IceStages *self)
{
  g_ptr_array_unref (self->stages);
  g_free (self);
}

void
ice_stages_push (IceStages *self, IceStage *stage)
{
  g_ptr_array_add (self->stages, stage);
}

static IceStage *
nth (const IceStages *self, guint i)
{
  return g_ptr_array_index (self->stages, i);
}

static IceStage *
bottom (const IceStages *self)
{
  return nth (self, 0);
}

static IceStage *
top (const IceStages *self)
{
  return nth (self, self->stages->len - 1);
}

static IceBytes
bytes_of (const IceWriter *writer)
{
  return ICE_BYTES (writer->data, writer->size);
}

/* What one stage says to the other goes its way. Upwards first: that is where
 * answers come from, and the way down takes them along. */
static void
settle (IceStages *self)
{
  guint n = self->stages->len;

  for (guint i = 0; i + 1 < n; i++) {
    IceStage *lower = nth (self, i), *upper = nth (self, i + 1);

    if (lower->state == ICE_STAGE_OPEN)
      stage_start (upper);
    stage_receive (upper, bytes_of (&lower->above));
    writer_empty (&lower->above);
    if (lower->state == ICE_STAGE_CLOSED)
      stage_end (upper);
  }
  for (guint i = n; i-- > 1;) {
    IceStage *upper = nth (self, i), *lower = nth (self, i - 1);

    stage_send (lower, bytes_of (&upper->below));
    writer_empty (&upper->below);
  }
}

void
ice_stages_start (IceStages *self)
{
  stage_start (bottom (self));
  settle (self);
}

void
ice_stages_receive (IceStages *self, IceBytes bytes)
{
  if (top (self)->above.size == 0)
    writer_empty (&top (self)->above);
  if (ice_stages_get_state (self) == ICE_STAGE_HANDSHAKING) {
    self->n_handshake += bytes.size;
    if (self->n_handshake > ICE_STAGES_HANDSHAKE_MAX) {
      ice_stage_fail_literal (top (self), ICE_STAGE_ERROR_PROTOCOL,
          "the other end sends more than a handshake needs");
      return;
    }
  }
  stage_receive (bottom (self), bytes);
  settle (self);
}

void
ice_stages_send (IceStages *self, IceBytes bytes)
{
  if (ice_stages_get_state (self) != ICE_STAGE_OPEN)
    return;
  stage_send (top (self), bytes);
  settle (self);
}

void
ice_stages_end (IceStages *self)
{
  stage_end (bottom (self));
  settle (self);
}

/* From above: each stage's last words go through those below it. */
void
ice_stages_close (IceStages *self)
{
  for (guint i = self->stages->len; i-- > 0;) {
    IceStage *stage = nth (self, i);

    if (stage->started && stage->klass->close && !stage_is_over (stage))
      stage->klass->close (stage);
    settle (self);
  }
}

void
ice_stages_expire (IceStages *self)
{
  for (guint i = 0; i < self->stages->len; i++) {
    IceStage *stage = nth (self, i);

    if (stage->state != ICE_STAGE_HANDSHAKING)
      continue;
    if (stage->klass->expire)
      stage->klass->expire (stage);
    ice_stage_fail_literal (
        stage, ICE_STAGE_ERROR_TIMED_OUT, "the handshake took too long");
    return;
  }
}

static IceTime
stage_get_timeout (IceStage *self)
{
  return self->klass->get_timeout && self->started && !stage_is_over (self)
      ? self->klass->get_timeout (self)
      : ICE_TIME_NEVER;
}

IceTime
ice_stages_get_timeout (const IceStages *self)
{
  IceTime left = ICE_TIME_NEVER;

  for (guint i = 0; i < self->stages->len; i++)
    left = MIN (left, stage_get_timeout (nth (self, i)));
  return left;
}

void
ice_stages_timeout (IceStages *self)
{
  for (guint i = 0; i < self->stages->len; i++) {
    IceStage *stage = nth (self, i);

    if (stage_get_timeout (stage) == 0)
      stage->klass->timeout (stage);
  }
  settle (self);
}

IceBytes
ice_stages_get_below (const IceStages *self)
{
  const IceWriter *writer = &bottom (self)->below;

  return ICE_BYTES (writer->data ? writer->data + self->written : NULL,
      writer->size - self->written);
}

void
ice_stages_skip_below (IceStages *self, gsize size)
{
  IceWriter *writer = &bottom (self)->below;

  self->written += MIN (size, writer->size - self->written);
  if (self->written < writer->size)
    return;
  self->written = 0;
  writer_empty (writer);
}

IceBytes
ice_stages_take_above (IceStages *self)
{
  IceWriter *writer = &top (self)->above;
  IceBytes bytes = bytes_of (writer);

  /* The memory stays until the next receive writes to it. */
  writer->size = 0;
  return bytes;
}

guint
ice_stages_get_overhead (const IceStages *self)
{
  guint overhead = 0;

  for (guint i = 0; i < self->stages->len; i++)
    overhead += nth (self, i)->klass->overhead;
  return overhead;
}

IceStageState
ice_stages_get_state (const IceStages *self)
{
  IceStageState state = ICE_STAGE_OPEN;

  for (guint i = 0; i < self->stages->len; i++) {
    const IceStage *stage = nth (self, i);

    if (stage->state == ICE_STAGE_FAILED)
      return ICE_STAGE_FAILED;
    if (state == ICE_STAGE_CLOSED)
      continue;
    if (stage->state != ICE_STAGE_OPEN)
      state = stage->state;
  }
  return state;
}

const GError *
ice_stages_get_error (const IceStages *self)
{
  for (guint i = 0; i < self->stages->len; i++) {
    if (nth (self, i)->error)
      return nth (self, i)->error;
  }
  return NULL;
}
