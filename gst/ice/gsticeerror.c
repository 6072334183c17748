/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeerror.h"

/**
 * gst_ice_error_quark:
 *
 * The domain of the errors that the world makes: names that do not resolve,
 * ports that are taken, credentials that are refused. Each message names the
 * thing and the cure.
 *
 * Returns: the quark of #GST_ICE_ERROR
 */
GQuark
gst_ice_error_quark (void)
{
  return g_quark_from_static_string ("gst-ice-error-quark");
}
