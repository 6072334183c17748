/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One box that translates or filters: the behaviours of RFC 4787. */
#pragma once

#include "gst/ice/base/address.h"

G_BEGIN_DECLS

/* RFC 4787 4.1 and 5: on what of the other end it depends. */
typedef enum
{
  SIM_DEPEND_NOTHING, /* endpoint-independent */
  SIM_DEPEND_ADDRESS,
  SIM_DEPEND_PORT, /* address and port-dependent */
} SimDepend;

typedef struct
{
  SimDepend mapping, filtering;
  gboolean preserves_ports; /* RFC 4787 4.2.1, where the port is free */
  gboolean hairpins;        /* RFC 4787 6 */
  gboolean firewall;        /* filters, but translates nothing */
  gboolean sealed;          /* nothing leaves: a tunnel */
  IceTime timeout;          /* 0: a mapping lives for ever */
} SimNatRules;

/* "EIM/APDF+hairpin", for the trace. */
const gchar *sim_nat_rules_to_string (const SimNatRules *rules);

typedef struct _SimNat SimNat;

SimNat *sim_nat_new (const gchar *public_ip, const SimNatRules *rules,
    guint16 first_port, SimNat *outer);
void sim_nat_free (SimNat *self);
const SimNatRules *sim_nat_rules (const SimNat *self);
/* (unowned) (nullable) the one that this one is behind. */
SimNat *sim_nat_outer (const SimNat *self);
gboolean sim_nat_has_ip (const SimNat *self, const IceAddress *address);
/* A packet leaves: its source is what the other end will see. */
void sim_nat_out (
    SimNat *self, IceAddress *source, const IceAddress *to, IceTime now);
/* A packet comes to @to, which becomes the address inside. FALSE: it may not
 * pass. */
gboolean
sim_nat_in (SimNat *self, IceAddress *to, const IceAddress *from, IceTime now);
/* All mappings are forgotten; ports are not used again. */
void sim_nat_reboot (SimNat *self);

G_END_DECLS
