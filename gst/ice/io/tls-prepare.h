/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop.h"

G_BEGIN_DECLS

/* Whom TLS trusts is read from files: what the system trusts takes 100 to
 * 200 ms, and media waits for whoever does that on the loop's thread. */
typedef struct _IceTlsPreparation IceTlsPreparation;

typedef void (*IceTlsPreparedFunc) (gpointer user_data);

/* Loop thread. NULL: it has been read, and ice_tls_stage_new does not wait.
 * Otherwise a thread reads it and @func runs exactly once, later, unless it is
 * cancelled; with it the preparation is gone. What is wrong with the file
 * ice_tls_stage_new says. */
IceTlsPreparation *ice_tls_prepare (IceLoop *loop, const gchar *ca_file,
    gboolean datagrams, IceTlsPreparedFunc func, gpointer user_data);
/* Loop thread: @func is not called after this. NULL is fine. What is being
 * read is read to its end: the next one wants it. */
void ice_tls_preparation_cancel (IceTlsPreparation *self);

G_END_DECLS
