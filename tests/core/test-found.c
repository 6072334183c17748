/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz targets found in the core: each in the fewest steps. The
 * inputs themselves are in tests/fuzz/corpus. */
#include "harness.h"

/* RFC 8445 9: local credentials change by restart only. A component that comes
 * late is no restart: without this the selected pair belonged to a generation
 * that was no more, and when its consent expired it was chosen again, for
 * ever, at one and the same deadline. */
static void
test_credentials_after_late_component (void)
{
  Harness h;

  harness_complete (&h, TRUE);
  ice_core_add_component (h.core, h.stream, 2);
  g_assert_false (ice_core_set_local_credentials (
      h.core, h.stream, "ours2", "ourpasswordof24lettersxx"));
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_cmpuint (h.n_consent_lost, ==, 1);
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/found/credentials-after-late-component",
      test_credentials_after_late_component);
  return g_test_run ();
}
