/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "context.h"

#include "purity.h"

/* RFC 8445 14.2: "Ta SHOULD be 50 ms" unless both sides agree on less. */
#define DEFAULT_TA (50 * ICE_MSEC)
/* A turn that was slept through is lost; a busy loop is forgiven this much. */
#define SLOT_LASTS (50 * ICE_MSEC)

void
ice_context_init (IceContext *self, const IceWorld *world)
{
  *self = (IceContext){ .world = *world, .ta = DEFAULT_TA };
  self->out = g_new (IceOutputs, 1);
  ice_outputs_init (self->out);
  /* The world's clock may start anywhere. */
  self->own_slot = self->next_slot = G_MININT64;
}

void
ice_context_clear (IceContext *self)
{
  if (self->out)
    ice_outputs_clear (self->out);
  g_clear_pointer (&self->out, g_free);
}

guint
ice_context_new_id (IceContext *self)
{
  return ++self->next_id;
}

void
ice_context_random (IceContext *self, guint8 *ret_bytes, gsize size)
{
  self->world.random (self->world.user, ret_bytes, size);
}

gchar *
ice_context_random_ice_chars (IceContext *self, gsize length)
{
  /* RFC 8839 5.1: 64 of them, so six bits of each byte choose one evenly. */
  static const gchar ice_chars[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  gchar *text = g_malloc (length + 1);
  gsize i;

  ice_context_random (self, (guint8 *) text, length);
  for (i = 0; i < length; i++)
    text[i] = ice_chars[text[i] & 63];
  text[length] = '\0';
  return text;
}

void
ice_context_set_ta (IceContext *self, IceTime ta)
{
  /* A slot that was taken before lasts as long as what holds now. */
  if (self->own_slot != G_MININT64)
    self->own_slot += ta - self->ta;
  self->next_slot =
      self->reserved ? MAX (self->next_slot, self->own_slot) : self->own_slot;
  self->ta = ta;
}

gboolean
ice_context_take_slot (IceContext *self, IceTime now)
{
  if (now < self->next_slot)
    return FALSE;

  if (self->reserved && now > self->next_slot + SLOT_LASTS)
    self->reserved = FALSE;
  if (self->world.reserve && !self->reserved) {
    self->reserved = TRUE;
    self->next_slot = self->world.reserve (self->world.user, now);
    if (now < self->next_slot)
      return FALSE;
  }
  self->reserved = FALSE;
  self->own_slot = self->next_slot = now + self->ta;
  return TRUE;
}

void
ice_context_leave_slot (IceContext *self)
{
  self->reserved = FALSE;
  self->next_slot = self->own_slot;
}

void
ice_context_log (IceContext *self, IceLogLevel level, IceLogArea area,
    const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  va_list args;

  if (!self->world.log)
    return;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  self->world.log (self->world.user, level, area, message);
}
