/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line from signalling: whatever it is, what we write of it is one line of
 * the grammar, and reads the same. */
#include "gst/ice/core/ice/candidate.h"

#include "target.h"

#include <string.h>

static void
check_candidate (const gchar *line)
{
  g_autoptr (IceCandidate) candidate = NULL;
  g_autoptr (IceCandidate) again = NULL;
  g_autoptr (IceCandidate) copy = NULL;
  g_autofree gchar *written = NULL;
  g_autofree gchar *written_again = NULL;
  const gchar *reason = NULL, *p;
  IceCandidateParse result = ice_candidate_parse (line, &candidate, &reason);

  g_assert_cmpint (result == ICE_CANDIDATE_PARSE_OK, ==, candidate != NULL);
  g_assert_cmpint (result == ICE_CANDIDATE_PARSE_OK, ==, reason == NULL);
  if (!candidate)
    return;

  g_assert_true (ice_is_ice_chars (candidate->foundation));
  g_assert_cmpuint (candidate->component, >=, 1);
  g_assert_cmpuint (candidate->component, <=, 256);
  g_assert_cmpuint (candidate->priority, >=, 1);
  g_assert_cmpuint (candidate->priority, <=, G_MAXINT32);
  ice_address_is_usable (&candidate->address);

  copy = ice_candidate_copy (candidate);
  written = ice_candidate_to_sdp (copy);
  for (p = written; *p; p++)
    g_assert_true (g_ascii_isprint (*p));
  g_assert_cmpint (
      ice_candidate_parse (written, &again, NULL), ==, ICE_CANDIDATE_PARSE_OK);
  written_again = ice_candidate_to_sdp (again);
  g_assert_cmpstr (written, ==, written_again);
}

static void
check_address (const gchar *text)
{
  gchar buffer[ICE_ADDRESS_STRLEN];
  IceAddress address, again;

  if (!ice_address_parse (&address, text, 1))
    return;
  ice_address_classify (&address);
  g_assert_true (ice_address_parse (
      &again, ice_address_ip_to_string (&address, buffer), 1));
  g_assert_true (ice_address_equal (&address, &again));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* There may be no data at all, of which g_strndup() makes NULL. */
  g_autofree gchar *text = g_strndup (size ? (const gchar *) data : "", size);

  check_candidate (text);
  check_address (text);
  if (ice_is_valid_pwd (text))
    g_assert_true (ice_is_valid_ufrag (text));
  return 0;
}
