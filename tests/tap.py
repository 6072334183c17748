# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test Anything Protocol, so that Meson counts each case of a script."""

import concurrent.futures
import threading
import time
import traceback

# What a case says is kept until it is over: cases may run side by side.
said = threading.local()


class Skip(Exception):
    """Raised by a case that cannot run here; says why."""


def comment(text):
    for line in str(text).splitlines():
        if hasattr(said, "lines"):
            said.lines.append(f"# {line}")
        else:
            print(f"# {line}", flush=True)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)


def run_case(number, name, function):
    """The line that tells how it went."""
    start = time.monotonic()
    try:
        function()
        result = f"ok {number} - {name}"
    except Skip as reason:
        result = f"ok {number} - {name} # SKIP {reason}"
    except Exception:
        comment(traceback.format_exc())
        result = f"not ok {number} - {name}"
    comment(f"{name}: {time.monotonic() - start:.2f} s")
    return result


def run_quietly(number, name, function):
    """All the lines a case makes, for when it is over."""
    said.lines = []
    result = run_case(number, name, function)
    return [*said.lines, result]


def run(cases, at_once=1):
    """cases: (name, function) pairs; a function that returns has passed.

    at_once: so many run side by side; the lines stay in order.
    """
    cases = list(cases)
    print(f"1..{len(cases)}", flush=True)
    if at_once == 1:
        for number, (name, function) in enumerate(cases, 1):
            print(run_case(number, name, function), flush=True)
        return
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for lines in pool.map(run_quietly, range(1, len(cases) + 1), *zip(*cases)):
            print("\n".join(lines), flush=True)
