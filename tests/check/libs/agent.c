/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

static void
test_connect (void)
{
  g_autoptr (Call) call = call_new ();

  g_test_summary ("Two agents connect over loopback by offer, answer and "
                  "trickled candidates, and packets pass both ways");
  call_connect (call);
  call_exchange (call->a.stream, call->b.stream, 100, 1000);
  call_exchange (call->b.stream, call->a.stream, 100, 1000);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent/connect", test_connect);
  return g_test_run ();
}
