/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "interfaces.h"

G_BEGIN_DECLS

/* How an address of an interface comes to be in a list of items; the last one
 * is the strongest. */
typedef enum
{
  ICE_FILTER_NO_MATCH,
  ICE_FILTER_ANY,     /* "*" */
  ICE_FILTER_ADDRESS, /* an address or a prefix */
  ICE_FILTER_NAME,    /* a name or a glob */
} IceFilterMatch;

/* Malformed items match nothing. */
IceFilterMatch
ice_interface_filter_match (const gchar *text, const IceInterface *interface);

G_END_DECLS
