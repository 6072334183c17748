/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host candidates that show a name in place of their address
 * (draft-ietf-mmusic-mdns-ice-candidates 3.1): one for each address and agent,
 * made up here, answered for by whoever performs PUBLISH. */
#include "gatherer-private.h"

#include <string.h>

#include "../purity.h"

/* RFC 4122 4.4: the version in the top half of an octet, the variant in the top
 * two bits of another, everything else random. */
static void
make_name (IceGatherer *self, gchar *ret_name)
{
  guint8 uuid[16];

  ice_context_random (self->context, uuid, sizeof uuid);
  uuid[6] = (uuid[6] & 0x0f) | 0x40;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
  for (guint i = 0; i < sizeof uuid; i++) {
    g_snprintf (ret_name, 4, "%02x%s", uuid[i],
        i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
    ret_name += strlen (ret_name);
  }
  strcpy (ret_name, ".local");
}

static const IceInterfaceAddress *
find_interface (const IceGatherer *self, const IceAddress *address)
{
  for (guint i = 0; i < self->interfaces->len; i++) {
    const IceInterfaceAddress *interface =
        &g_array_index (self->interfaces, IceInterfaceAddress, i);

    if (ice_address_same_ip (&interface->address, address))
      return interface;
  }
  return NULL;
}

static const gchar *
find_or_make_name (IceGatherer *self, const IceAddress *address)
{
  const IceInterfaceAddress *interface = find_interface (self, address);
  IceGatherName name = { .address = *address };
  IceOutput *output;

  for (guint i = 0; i < self->names->len; i++) {
    IceGatherName *known = &g_array_index (self->names, IceGatherName, i);

    if (ice_address_same_ip (&known->address, address))
      return known->name;
  }
  name.address.port = 0;
  make_name (self, name.name);
  g_array_append_val (self->names, name);
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_PUBLISH);
  output->publish.name = g_strdup (name.name);
  output->publish.address = name.address;
  output->publish.interface_index = interface ? interface->interface_index : 0;
  return g_array_index (self->names, IceGatherName, self->names->len - 1).name;
}

gboolean
ice_gatherer_hides_hosts (const IceGatherer *self)
{
  return self->config.hide_hosts;
}

void
ice_gather_hide (IceGatherer *self, IceCandidate *host)
{
  /* What the user has told of a NAT (external-addresses) is to be seen. */
  if (self->config.hide_hosts &&
      ice_address_equal (&host->address, &host->base))
    host->host_name = g_strdup (find_or_make_name (self, &host->base));
}

void
ice_gather_forget_names (IceGatherer *self)
{
  for (guint i = self->names->len; i-- > 0;) {
    const IceGatherName *name = &g_array_index (self->names, IceGatherName, i);
    IceOutput *output;

    if (find_interface (self, &name->address))
      continue;
    output = ice_outputs_add (self->context->out, ICE_OUTPUT_WITHDRAW);
    output->withdraw.name = g_strdup (name->name);
    g_array_remove_index (self->names, i);
  }
}

/* The draft, 3.1.2.2: a reflexive candidate with the address of a named one is
 * not redundant, for nobody sees that it is the same. If it is a private
 * address, though, the server is on our side of the NAT, and would give away
 * what the name hides. */
gboolean
ice_gather_is_hidden_twin (const IceCandidate *host, const IceCandidate *mapped)
{
  return host->host_name && mapped->kind == ICE_CANDIDATE_SERVER_REFLEXIVE &&
      ice_address_classify (&mapped->address) == ICE_ADDRESS_GLOBAL;
}
