/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A mosquitto of our own, on loopback, with its files in a scratch folder. */
typedef struct
{
  gchar *folder, *config; /* (owned) */
  guint16 port;
  GPid pid; /* 0: not running */
} Broker;

gboolean broker_is_installed (void);
/* @more: lines of mosquitto.conf. Not running yet. */
Broker *broker_new (const gchar *more);
/* Returns when it takes connections. */
void broker_start (Broker *self);
/* SIGKILL: it says nothing to anybody. */
void broker_kill (Broker *self);
/* For a child before it is another program: a test that fails aborts, and
 * leaves nothing running. */
void broker_die_with_parent (gpointer unused);
void broker_free (Broker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Broker, broker_free)
/* That nobody has at the moment. */
guint16 broker_pick_port (void);
/* (transfer full) the name of a file in its folder */
gchar *broker_file (Broker *self, const gchar *name);

G_END_DECLS
