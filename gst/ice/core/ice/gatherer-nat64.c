/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts without IPv4 reach it through a translator, if they know its prefix:
 * what the resolver makes of a certain name tells it (RFC 7050). It is asked
 * for when there is an IPv4 address to reach, and no other way to. */
#include "gatherer-private.h"

#include "../purity.h"

/* As the addresses of a server; RFC 7050 3 would take the record's TTL, which
 * GResolver does not tell. A failure is asked for again at the next gathering
 * that needs it. */
#define PREFIX_LIFETIME (300 * ICE_SECOND)

/* Whether IPv6 is all that this host has got. */
static gboolean
has_only_ipv6 (const IceGatherer *self)
{
  gboolean ipv6 = FALSE;

  for (guint i = 0; i < self->interfaces->len; i++) {
    const IceAddress *address =
        &g_array_index (self->interfaces, IceInterfaceAddress, i).address;
    const IceAddressClass what = ice_address_classify (address);

    if (what == ICE_ADDRESS_LOOPBACK || what == ICE_ADDRESS_LINK_LOCAL)
      continue;
    if (address->family == ICE_FAMILY_IPV4)
      return FALSE;
    ipv6 = TRUE;
  }
  return ipv6 && self->config.only_family != ICE_FAMILY_IPV4;
}

static void
ask (IceGatherer *self)
{
  IceOutput *output;

  if (self->nat64.state == ICE_GATHER_RESOLVE_ASKED)
    return;
  self->nat64.state = ICE_GATHER_RESOLVE_ASKED;
  self->nat64.request = ice_context_new_id (self->context);
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_RESOLVE);
  output->resolve.request = self->nat64.request;
  output->resolve.host = g_strdup (ICE_NAT64_NAME);
}

gboolean
ice_gatherer_translate (IceGatherer *self, const IceAddress *ipv4, IceTime now,
    IceAddress *ret_address)
{
  if (self->closed || ipv4->family != ICE_FAMILY_IPV4 || !has_only_ipv6 (self))
    return FALSE;
  if (self->nat64.state != ICE_GATHER_RESOLVE_KNOWN ||
      now >= self->nat64.resolved_at + PREFIX_LIFETIME)
    ask (self);
  /* An old prefix holds until the new one is known. */
  return self->nat64.prefix.length > 0 &&
      ice_nat64_embed (&self->nat64.prefix, ipv4, ret_address);
}

gboolean
ice_gather_nat64_resolved (IceGatherer *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now)
{
  gboolean found = FALSE;

  if (self->nat64.state != ICE_GATHER_RESOLVE_ASKED ||
      request != self->nat64.request)
    return FALSE;
  for (guint i = 0; i < n_addresses && !found; i++)
    found = ice_nat64_find_prefix (&addresses[i], &self->nat64.prefix);
  self->nat64.state = ICE_GATHER_RESOLVE_KNOWN;
  self->nat64.resolved_at = now;
  if (!found)
    self->nat64.prefix.length = 0;
  ice_log (self->context, ICE_LOG_INFO, ICE_LOG_GATHER, "NAT64: %s",
      found ? "there is a prefix" : "no prefix is known");
  return TRUE;
}

gboolean
ice_gather_nat64_is_asked (const IceGatherer *self)
{
  return self->nat64.state == ICE_GATHER_RESOLVE_ASKED;
}
