/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* What a signaller says, as text: "ready offerer", "offer v=0", "bye gone". */
typedef struct
{
  GstIceSignaller *signaller; /* (owned) */
  GAsyncQueue *heard;         /* (owned) (element-type utf8) */
} Ear;

#define EAR_TIMEOUT (5 * G_TIME_SPAN_SECOND)

void ear_init (Ear *self, const gchar *uri);
void ear_start (Ear *self, GstIceSignallerRole role);
void ear_expect (Ear *self, const gchar *text);
void ear_expect_nothing (Ear *self, gint64 during);
/* No signal is under way any more. */
void ear_drain (void);
/* Stops it. */
void ear_clear (Ear *self);

G_END_DECLS
