/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "../base/bytes.h"

G_BEGIN_DECLS

/* What lies between a TCP socket and its frames: the tunnel of a proxy, TLS.
 * A stage turns bytes into bytes; it knows no socket, no clock and no thread,
 * and belongs to the loop's. Whoever owns the socket minds the deadline.
 *
 *          frames
 *      send  |  ^  ice_stage_write_above
 *            v  |
 *        [ stage n ]          TLS
 *            |  ^
 *            v  |
 *        [ stage 0 ]          proxy
 *            |  ^  receive
 *            v  |
 *          socket             ice_stage_write_below
 */
typedef enum
{
  ICE_STAGE_HANDSHAKING, /* nothing is sent, nothing comes above */
  ICE_STAGE_OPEN,
  ICE_STAGE_CLOSED, /* the other end has said goodbye as the protocol has it */
  ICE_STAGE_FAILED, /* the error says why */
} IceStageState;

/* A message names the thing, what was wrong with it, and the cure. */
#define ICE_STAGE_ERROR (ice_stage_error_quark ())
typedef enum
{
  ICE_STAGE_ERROR_PROTOCOL,  /* it does not speak what it should */
  ICE_STAGE_ERROR_REFUSED,   /* it speaks it, and does not want to */
  ICE_STAGE_ERROR_AUTH,      /* a proxy wants other credentials */
  ICE_STAGE_ERROR_AGAIN,     /* it works by a new connection: try once more */
  ICE_STAGE_ERROR_UNTRUSTED, /* it has not shown to be who it should */
  ICE_STAGE_ERROR_TRUNCATED, /* it ended without goodbye */
  ICE_STAGE_ERROR_TIMED_OUT,
  ICE_STAGE_ERROR_SETTINGS, /* ours: a file that cannot be read */
} IceStageError;
GQuark ice_stage_error_quark (void);

typedef struct _IceStage IceStage;

/* None is called once the stage is CLOSED or FAILED, but for free. */
typedef struct
{
  const gchar *name; /* for the log */
  guint overhead;    /* bytes that go with what is sent at once */
  /* What is below is open now; who speaks first does so. (nullable) */
  void (*start) (IceStage *self);
  /* From below, from start on. All of it is taken; half a line or record is
   * the stage's to keep, and to bound. */
  void (*receive) (IceStage *self, IceBytes bytes);
  /* From above, while it is open. */
  void (*send) (IceStage *self, IceBytes bytes);
  /* Below nothing more comes. (nullable) closed when open, failed before */
  void (*end) (IceStage *self);
  /* We leave: the last words go below. (nullable) */
  void (*close) (IceStage *self);
  /* The owner has no more patience with the handshake: what to say. (nullable)
   */
  void (*expire) (IceStage *self);
  /* Datagrams get lost: how long from now until timeout is to be called,
   * ICE_TIME_NEVER for not at all. (nullable) both */
  IceTime (*get_timeout) (IceStage *self);
  void (*timeout) (IceStage *self);
  void (*free) (IceStage *self);
} IceStageClass;

/* The first member of each stage; only stage.c touches what is in it. */
struct _IceStage
{
  const IceStageClass *klass;
  IceStageState state;
  gboolean started;
  GError *error;          /* (owned) (nullable) of FAILED */
  IceWriter below, above; /* on their way */
};

/* For stages. */
void ice_stage_init (IceStage *self, const IceStageClass *klass);
void ice_stage_write_below (IceStage *self, IceBytes bytes);
void ice_stage_write_above (IceStage *self, IceBytes bytes);
void ice_stage_opened (IceStage *self);
void ice_stage_closed (IceStage *self);
/* (transfer full) The first failure is the one that counts. */
void ice_stage_fail (IceStage *self, GError *error);
void ice_stage_fail_literal (
    IceStage *self, IceStageError code, const gchar *message);

/* So many bytes may come before all stages are open: certificates are a few
 * thousand, and so are the headers of a proxy. */
#define ICE_STAGES_HANDSHAKE_MAX (128 * 1024)

/* A stack of them, one on the other; all open makes it open, one failed or
 * closed makes it so.
 *
 *  1. push from the socket upwards, start once the socket is connected;
 *  2. receive what was read, send what is to be written (only while open);
 *  3. after each of them, whatever the state is now: write what get_below
 *     holds, tell it by skip_below, and read take_above.
 */
typedef struct _IceStages IceStages;

IceStages *ice_stages_new (void);
void ice_stages_free (IceStages *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceStages, ice_stages_free)
/* (transfer full) */
void ice_stages_push (IceStages *self, IceStage *stage);

void ice_stages_start (IceStages *self);
void ice_stages_receive (IceStages *self, IceBytes bytes);
void ice_stages_send (IceStages *self, IceBytes bytes);
void ice_stages_end (IceStages *self);
void ice_stages_close (IceStages *self);
/* Failed, if it was not open. */
void ice_stages_expire (IceStages *self);
IceTime ice_stages_get_timeout (const IceStages *self);
void ice_stages_timeout (IceStages *self);

/* What waits for the socket. */
IceBytes ice_stages_get_below (const IceStages *self);
void ice_stages_skip_below (IceStages *self, gsize size);
/* What waits for the frames; valid until the next call. */
IceBytes ice_stages_take_above (IceStages *self);

/* Any thread: what the stages add to one packet. */
guint ice_stages_get_overhead (const IceStages *self);
IceStageState ice_stages_get_state (const IceStages *self);
/* (nullable) of the stage that failed. */
const GError *ice_stages_get_error (const IceStages *self);

G_END_DECLS
