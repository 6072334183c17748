/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/ice/io/tls.h"
#include "tls-support.h"

G_BEGIN_DECLS

#define HOST "relay.example.org"

/* Both ends. */
typedef struct
{
  IceStages *stages; /* (owned) */
  IceStage *stage;   /* (unowned) its only one */
  SSL_CTX *context;  /* (owned) */
  SSL *ssl;          /* (owned) (nullable) the server */
  BIO *in, *out;     /* (unowned) the server's */
  GString *heard;    /* (owned) by the server, plain */
  GString *said;     /* (owned) by the server, as our frames saw it */
  gsize sent;        /* bytes from us to the server */
  gsize step;        /* bytes at a time from the server to us, 0: all */
  gboolean datagrams;
  guint lose; /* datagrams of ours that are to be lost */
} IoTlsPair;

/* @ca: a file; port 5349 of @host. */
void io_pair_init (IoTlsPair *self, const IoIdentity *server, const gchar *host,
    const gchar *ca, gboolean datagrams);
void io_pair_clear (IoTlsPair *self);
/* Tickets of @other's server are this one's, too. */
void io_pair_share (IoTlsPair *self, IoTlsPair *other);
/* Until nobody has anything to say. */
void io_pair_run (IoTlsPair *self);
void io_pair_start_server (IoTlsPair *self);
/* What the server wrote comes to us; FALSE: nothing. */
gboolean io_pair_carry_up (IoTlsPair *self);
void io_pair_talk (IoTlsPair *self);

void io_pair_assert_open (IoTlsPair *self);
/* It failed, and says so. */
void
io_pair_assert_said (IoTlsPair *self, IceStageError code, const gchar *what);

G_END_DECLS
