/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands.h"

G_BEGIN_DECLS

typedef enum
{
  GST_ICE_FINDING_OK,
  GST_ICE_FINDING_NOTE,    /* worth knowing */
  GST_ICE_FINDING_WARNING, /* some calls will not get through, or not well */
  GST_ICE_FINDING_FAILED,  /* what was asked for does not work */
} GstIceFindingKind;

typedef struct
{
  GstIceFindingKind kind;
  const gchar *check; /* static: what was looked at */
  gchar *text;        /* (owned) what was found */
  gchar *cure;        /* (owned) (nullable) what to do */
} GstIceFinding;

typedef struct
{
  gchar **stun, **turn; /* (owned) (nullable) */
  gchar *ca_file;       /* (owned) (nullable) */
  gboolean quick;       /* what takes longer than three seconds is left out */
  GPtrArray *findings;  /* (owned) (element-type GstIceFinding) */
} GstIceDoctor;

/* @cure (nullable) */
void gst_ice_doctor_find (GstIceDoctor *self, GstIceFindingKind kind,
    const gchar *check, const gchar *cure, const gchar *format, ...)
    G_GNUC_PRINTF (5, 6);

/* doctor-host.c: what needs no network. */
void gst_ice_doctor_look_at_host (GstIceDoctor *self);
/* doctor-network.c: everything at the same time. FALSE, and a message was
 * printed, when a server's URI is wrong. */
gboolean gst_ice_doctor_look_at_network (GstIceDoctor *self);

G_END_DECLS
