/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

/* Two agents in one process. "ours" is for an element under test, which gets
 * it as a property; "theirs" is held by the test. They connect when told. */
typedef struct
{
  GstIceAgent *ours, *theirs; /* (owned) */
  GstIceStream *our_stream;   /* (owned) "0" */
  GstIceStream *their_stream; /* (owned) "0" */
  GstIceTransport *transport; /* (owned) theirs */
} Wire;

Wire *wire_new (void);
void wire_free (Wire *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Wire, wire_free)

/* Offer, answer, candidates; returns when both are connected. */
void wire_connect (Wire *self);

/* Everything that was under way on the service thread is done. */
void wire_drain (void);

/* (transfer full) the next packet that came to the test's side, within the
 * time or NULL. */
GBytes *wire_receive (Wire *self, gint64 timeout);
/* The test's side sends a packet of one byte value. */
void wire_send (Wire *self, guint8 first, gsize size);

/* The first byte of the next packet; fails the test when none comes. */
guint8 wire_expect (Wire *self);
void wire_expect_nothing (Wire *self, gint64 during);
