/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Status codes of SIP (RFC 3261 21) and the words that sessions know. */

/* (transfer none) "busy", "declined", ... for an answer of 300 to 699. */
const gchar *gst_ice_sip_outcome_word (guint status);
/* (transfer none) for people, after the one who was called: "is busy". */
const gchar *gst_ice_sip_outcome_does (guint status);
/* 480 for words that it does not know. @word: (nullable) */
guint gst_ice_sip_outcome_status (const gchar *word);
/* (transfer none) what stands beside @status in a response. */
const gchar *gst_ice_sip_outcome_phrase (guint status);
/* (transfer full) one line of what came from the network, printable. @text:
 * (nullable) */
gchar *gst_ice_sip_clean (const gchar *text);

G_END_DECLS
