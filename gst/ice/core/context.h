/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "output.h"

G_BEGIN_DECLS

typedef enum
{
  ICE_LOG_WARNING, /* odd, went on */
  ICE_LOG_INFO,    /* a handful per call */
  ICE_LOG_DEBUG,   /* one per decision */
  ICE_LOG_LOG,     /* per packet */
} IceLogLevel;

typedef enum
{
  ICE_LOG_GATHER,
  ICE_LOG_CHECK,
  ICE_LOG_STUN,
  ICE_LOG_TURN,
} IceLogArea;

/* What the world lends the core: dice, an ear, and its share of what all agents
 * of a process may send. They are called from inside core calls and must not
 * call back. No secret is ever passed to log. */
typedef struct
{
  void (*random) (gpointer user, guint8 *ret_bytes, gsize size);
  void (*log) (gpointer user, IceLogLevel level, IceLogArea area,
      const gchar *message); /* (nullable) */
  IceLogLevel log_level;     /* messages above it are not even formatted */
  /* (nullable) RFC 8445 14.2: a moment, not before @now, at which one new
   * transaction may leave, and nobody else's does. NULL: nobody else is. */
  IceTime (*reserve) (gpointer user, IceTime now);
  gpointer user; /* (unowned) */
} IceWorld;

/* Shared by the parts of one core. */
typedef struct
{
  IceWorld world;
  IceOutputs *out; /* (owned) what was decided since the last take */
  guint next_id;   /* the last one given; never reused, whatever it names */

  /* RFC 8445 14.2: new gathering and check transactions are Ta apart;
   * consent, refreshes and retransmissions are exempt (design 9.4). */
  IceTime ta;
  IceTime own_slot;  /* Ta after the last transaction */
  IceTime next_slot; /* no new transaction before this */
  gboolean reserved; /* ... which is then ours among all agents */
} IceContext;

void ice_context_init (IceContext *self, const IceWorld *world);
void ice_context_clear (IceContext *self);
guint ice_context_new_id (IceContext *self);
void ice_context_random (IceContext *self, guint8 *ret_bytes, gsize size);
/* (transfer full) @length characters of RFC 8839's ice-char, uniform. */
gchar *ice_context_random_ice_chars (IceContext *self, gsize length);
void ice_context_set_ta (IceContext *self, IceTime ta);
/* TRUE, and the slot is taken, when Ta has elapsed since the last one and it is
 * this agent's turn in its process. Otherwise ask again at next_slot. */
gboolean ice_context_take_slot (IceContext *self, IceTime now);
/* Nothing waits for the turn that was reserved. */
void ice_context_leave_slot (IceContext *self);
void ice_context_log (IceContext *self, IceLogLevel level, IceLogArea area,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

#define ice_log(ctx, level, area, ...)                                         \
  G_STMT_START                                                                 \
  {                                                                            \
    if ((ctx)->world.log && (level) <= (ctx)->world.log_level)                 \
      ice_context_log ((ctx), (level), (area), __VA_ARGS__);                   \
  }                                                                            \
  G_STMT_END

G_END_DECLS
