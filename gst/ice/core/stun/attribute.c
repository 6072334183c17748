/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attribute.h"

#include "../purity.h"

typedef struct
{
  guint16 type;
  const gchar *name;
} Attribute;

static const Attribute attributes[] = {
  { ICE_STUN_MAPPED_ADDRESS, "MAPPED-ADDRESS" },
  { ICE_STUN_USERNAME, "USERNAME" },
  { ICE_STUN_MESSAGE_INTEGRITY, "MESSAGE-INTEGRITY" },
  { ICE_STUN_ERROR_CODE, "ERROR-CODE" },
  { ICE_STUN_UNKNOWN_ATTRIBUTES, "UNKNOWN-ATTRIBUTES" },
  { ICE_STUN_CHANNEL_NUMBER, "CHANNEL-NUMBER" },
  { ICE_STUN_LIFETIME, "LIFETIME" },
  { ICE_STUN_XOR_PEER_ADDRESS, "XOR-PEER-ADDRESS" },
  { ICE_STUN_DATA_ATTRIBUTE, "DATA" },
  { ICE_STUN_REALM, "REALM" },
  { ICE_STUN_NONCE, "NONCE" },
  { ICE_STUN_XOR_RELAYED_ADDRESS, "XOR-RELAYED-ADDRESS" },
  { ICE_STUN_REQUESTED_ADDRESS_FAMILY, "REQUESTED-ADDRESS-FAMILY" },
  { ICE_STUN_EVEN_PORT, "EVEN-PORT" },
  { ICE_STUN_REQUESTED_TRANSPORT, "REQUESTED-TRANSPORT" },
  { ICE_STUN_DONT_FRAGMENT, "DONT-FRAGMENT" },
  { ICE_STUN_MESSAGE_INTEGRITY_SHA256, "MESSAGE-INTEGRITY-SHA256" },
  { ICE_STUN_PASSWORD_ALGORITHM, "PASSWORD-ALGORITHM" },
  { ICE_STUN_USERHASH, "USERHASH" },
  { ICE_STUN_XOR_MAPPED_ADDRESS, "XOR-MAPPED-ADDRESS" },
  { ICE_STUN_RESERVATION_TOKEN, "RESERVATION-TOKEN" },
  { ICE_STUN_PRIORITY, "PRIORITY" },
  { ICE_STUN_USE_CANDIDATE, "USE-CANDIDATE" },
  { ICE_STUN_ADDITIONAL_ADDRESS_FAMILY, "ADDITIONAL-ADDRESS-FAMILY" },
  { ICE_STUN_ADDRESS_ERROR_CODE, "ADDRESS-ERROR-CODE" },
  { ICE_STUN_PASSWORD_ALGORITHMS, "PASSWORD-ALGORITHMS" },
  { ICE_STUN_ALTERNATE_DOMAIN, "ALTERNATE-DOMAIN" },
  { ICE_STUN_ICMP, "ICMP" },
  { ICE_STUN_SOFTWARE, "SOFTWARE" },
  { ICE_STUN_ALTERNATE_SERVER, "ALTERNATE-SERVER" },
  { ICE_STUN_FINGERPRINT, "FINGERPRINT" },
  { ICE_STUN_ICE_CONTROLLED, "ICE-CONTROLLED" },
  { ICE_STUN_ICE_CONTROLLING, "ICE-CONTROLLING" },
};

static const Attribute *
find_attribute (guint16 type)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (attributes); i++)
    if (attributes[i].type == type)
      return &attributes[i];
  return NULL;
}

gboolean
ice_stun_attribute_is_known (guint16 type)
{
  return find_attribute (type) != NULL;
}

const gchar *
ice_stun_attribute_name (guint16 type)
{
  const Attribute *attribute = find_attribute (type);

  return attribute ? attribute->name : "unknown attribute";
}
