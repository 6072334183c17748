# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test Anything Protocol, so that Meson counts each case of a script."""

import time
import traceback


class Skip(Exception):
    """Raised by a case that cannot run here; says why."""


def comment(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)


def run(cases):
    """cases: (name, function) pairs; a function that returns has passed."""
    cases = list(cases)
    print(f"1..{len(cases)}", flush=True)
    for number, (name, function) in enumerate(cases, 1):
        start = time.monotonic()
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:
            comment(traceback.format_exc())
            print(f"not ok {number} - {name}", flush=True)
        comment(f"{name}: {time.monotonic() - start:.2f} s")
