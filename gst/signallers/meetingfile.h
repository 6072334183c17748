/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "jsonlines.h"

G_BEGIN_DECLS

/* One half of a meeting place: a file that one process writes, line by line,
 * and the other reads. Its first line says who writes; while the writer lives
 * it keeps the modification time fresh. */
typedef struct _GstIceMeetingFile GstIceMeetingFile;

/* What a dead process left is replaced. GST_ICE_ERROR_BUSY: a living one has
 * it. */
GstIceMeetingFile *
gst_ice_meeting_file_claim (const gchar *path, GError **error);
/* Another generation of it, for the next reader. */
gboolean gst_ice_meeting_file_renew (GstIceMeetingFile *self, GError **error);
const gchar *gst_ice_meeting_file_get_id (GstIceMeetingFile *self);
/* @line with its end: readers never see a part of it. */
gboolean gst_ice_meeting_file_append (
    GstIceMeetingFile *self, const gchar *line, GError **error);
/* FALSE: somebody took the place. */
gboolean gst_ice_meeting_file_keep (GstIceMeetingFile *self);
/* Removes it. */
void gst_ice_meeting_file_free (GstIceMeetingFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceMeetingFile, gst_ice_meeting_file_free)

/* The half that the other writes. */
typedef struct _GstIcePeerFile GstIcePeerFile;

typedef enum
{
  GST_ICE_PEER_FILE_THERE,
  GST_ICE_PEER_FILE_MISSING,
  GST_ICE_PEER_FILE_TOO_LARGE, /* nothing more of it is read */
} GstIcePeerFileStatus;

GstIcePeerFile *gst_ice_peer_file_new (const gchar *path);
/* Appends what is new to @lines (element-type GstIceLine), some 100 kB at a
 * time; the last words of a file that was removed, too. */
GstIcePeerFileStatus
gst_ice_peer_file_read (GstIcePeerFile *self, GQueue *lines);
void gst_ice_peer_file_free (GstIcePeerFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIcePeerFile, gst_ice_peer_file_free)

G_END_DECLS
