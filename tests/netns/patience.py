# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of time on a machine that is slow, or has other things to do.

What an issue promises in milliseconds is measured by the suite netns-long, in
a release build. Here a limit tells a path that was found from one that was
waited for, and those are far apart: it is stretched, and still fails.
"""

import os

# What address and undefined behaviour sanitizers take, TLS included.
SANITIZED = 3
# Of what a machine may be overloaded.
OVERLOAD_MAX = 4


def overload():
    """Programs that want to run, for each processor; 1 when there is room."""
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1), OVERLOAD_MAX)


def stretched(limit):
    """The limit, and what this build and this machine add to it."""
    return limit * (SANITIZED if os.environ.get("ICE_SANITIZED") else 1) * overload()
