/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates as SIP's INFO and WHIP's PATCH carry them. */
#include "gst/signallers/sdpfrag.h"

#include <string.h>

#include "target.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const gchar *reason = NULL;
  g_autoptr (GstIceSdpfrag) first =
      gst_ice_sdpfrag_parse ((const gchar *) data, size, &reason);
  g_autoptr (GstIceSdpfrag) second = NULL;
  g_autofree gchar *text = NULL, *again = NULL;

  g_assert_true ((first == NULL) == (reason != NULL));
  if (first == NULL)
    return 0;
  /* What was understood is said again so that it means the same. */
  text = gst_ice_sdpfrag_to_string (first);
  reason = NULL;
  second = gst_ice_sdpfrag_parse (text, strlen (text), &reason);
  if (second == NULL) {
    /* Session lines written out for each section may take more room. */
    g_assert_cmpstr (reason, ==, "too long");
    return 0;
  }
  g_assert_cmpuint (first->sections->len, ==, second->sections->len);
  again = gst_ice_sdpfrag_to_string (second);
  g_assert_cmpstr (text, ==, again);
  return 0;
}
