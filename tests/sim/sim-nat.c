/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-nat.h"

typedef struct
{
  IceAddress inside;
  guint16 outside;
  IceAddress to;    /* its destination, as far as the mapping depends on it */
  GArray *contacts; /* (owned) IceAddress: who was sent something */
  IceTime used_at;  /* RFC 4787 4.3: the last packet that left */
} Mapping;

struct _SimNat
{
  IceAddress public_ip;
  SimNatRules rules;
  SimNat *outer; /* (unowned) (nullable) */
  guint16 next_port;
  GPtrArray *mappings; /* (owned) Mapping */
};

const gchar *
sim_nat_rules_to_string (const SimNatRules *rules)
{
  static const gchar *const names[3][3] = {
    { "EIM/EIF", "EIM/ADF", "EIM/APDF" }, { "ADM/EIF", "ADM/ADF", "ADM/APDF" },
    { "APDM/EIF", "APDM/ADF", "APDM/APDF" }
  };

  return rules->firewall ? "firewall" : names[rules->mapping][rules->filtering];
}

static void
mapping_free (Mapping *mapping)
{
  g_array_unref (mapping->contacts);
  g_free (mapping);
}

SimNat *
sim_nat_new (const gchar *public_ip, const SimNatRules *rules,
    guint16 first_port, SimNat *outer)
{
  SimNat *self = g_new0 (SimNat, 1);

  if (!rules->firewall && !ice_address_parse (&self->public_ip, public_ip, 0))
    g_error ("“%s” is no IP address", public_ip);
  self->rules = *rules;
  self->outer = outer;
  self->next_port = first_port;
  self->mappings =
      g_ptr_array_new_with_free_func ((GDestroyNotify) mapping_free);
  return self;
}

void
sim_nat_free (SimNat *self)
{
  g_ptr_array_unref (self->mappings);
  g_free (self);
}

const SimNatRules *
sim_nat_rules (const SimNat *self)
{
  return &self->rules;
}

SimNat *
sim_nat_outer (const SimNat *self)
{
  return self->outer;
}

gboolean
sim_nat_has_ip (const SimNat *self, const IceAddress *address)
{
  return ice_address_same_ip (&self->public_ip, address);
}

void
sim_nat_reboot (SimNat *self)
{
  g_ptr_array_set_size (self->mappings, 0);
}

/* What a rule looks at: nothing, the IP, or the IP and the port. */
static gboolean
is_same (SimDepend depend, const IceAddress *a, const IceAddress *b)
{
  switch (depend) {
    case SIM_DEPEND_NOTHING:
      return TRUE;
    case SIM_DEPEND_ADDRESS:
      return ice_address_same_ip (a, b);
    default:
      return ice_address_equal (a, b);
  }
}

static void
forget_old (SimNat *self, IceTime now)
{
  if (self->rules.timeout == 0)
    return;
  for (guint i = self->mappings->len; i-- > 0;) {
    Mapping *mapping = g_ptr_array_index (self->mappings, i);

    if (now - mapping->used_at >= self->rules.timeout)
      g_ptr_array_remove_index_fast (self->mappings, i);
  }
}

static gboolean
is_port_taken (const SimNat *self, guint16 port)
{
  for (guint i = 0; i < self->mappings->len; i++) {
    const Mapping *mapping = g_ptr_array_index (self->mappings, i);

    if (mapping->outside == port)
      return TRUE;
  }
  return FALSE;
}

static guint16
choose_port (SimNat *self, const IceAddress *inside)
{
  if (self->rules.firewall ||
      (self->rules.preserves_ports && !is_port_taken (self, inside->port)))
    return inside->port;
  while (is_port_taken (self, self->next_port))
    self->next_port++;
  return self->next_port++;
}

static Mapping *
map_out (SimNat *self, const IceAddress *inside, const IceAddress *to)
{
  Mapping *mapping;

  for (guint i = 0; i < self->mappings->len; i++) {
    mapping = g_ptr_array_index (self->mappings, i);
    if (ice_address_equal (&mapping->inside, inside) &&
        is_same (self->rules.mapping, &mapping->to, to))
      return mapping;
  }
  mapping = g_new0 (Mapping, 1);
  mapping->inside = *inside;
  mapping->to = *to;
  mapping->outside = choose_port (self, inside);
  mapping->contacts = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  g_ptr_array_add (self->mappings, mapping);
  return mapping;
}

static gboolean
has_contact (
    const Mapping *mapping, SimDepend depend, const IceAddress *address)
{
  for (guint i = 0; i < mapping->contacts->len; i++)
    if (is_same (
            depend, &g_array_index (mapping->contacts, IceAddress, i), address))
      return TRUE;
  return FALSE;
}

void
sim_nat_out (
    SimNat *self, IceAddress *source, const IceAddress *to, IceTime now)
{
  Mapping *mapping;

  forget_old (self, now);
  mapping = map_out (self, source, to);
  mapping->used_at = now;
  if (!has_contact (mapping, SIM_DEPEND_PORT, to))
    g_array_append_val (mapping->contacts, *to);
  if (self->rules.firewall)
    return;
  *source = self->public_ip;
  source->port = mapping->outside;
}

gboolean
sim_nat_in (SimNat *self, IceAddress *to, const IceAddress *from, IceTime now)
{
  forget_old (self, now);
  for (guint i = 0; i < self->mappings->len; i++) {
    const Mapping *mapping = g_ptr_array_index (self->mappings, i);

    if (mapping->outside != to->port ||
        (self->rules.firewall && !ice_address_equal (&mapping->inside, to)) ||
        !has_contact (mapping, self->rules.filtering, from))
      continue;
    *to = mapping->inside;
    return TRUE;
  }
  return FALSE;
}
