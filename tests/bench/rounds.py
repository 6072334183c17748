# SPDX-License-Identifier: LGPL-2.1-or-later
"""What several rounds of the same runs have shown.

A machine is never the same twice: variants run in turn within a round, and what
is compared are the ratios within rounds. A round is {name of the run: {key:
number}}; a run that failed is None.
"""

import json
import statistics
import subprocess
import sys


def run_json(argv, timeout=240, **options):
    """What a program prints as JSON, or None and a line on stderr."""
    try:
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, **options)
    except subprocess.TimeoutExpired:
        print(f"  {' '.join(map(str, argv[1:]))}: not within {timeout} s", file=sys.stderr)
        return None
    if ended.returncode != 0:
        print(f"  {' '.join(map(str, argv[1:]))}: {ended.stderr.strip()}", file=sys.stderr)
        return None
    return json.loads(ended.stdout)


def values(rounds, name, key):
    return [found[name][key] for found in rounds if found.get(name) and found[name].get(key) is not None]


def spread(numbers):
    return min(numbers), statistics.median(numbers), max(numbers)


def show(numbers, form="{:.2f}"):
    """min/median/max, or a dash."""
    return "/".join(form.format(number) for number in spread(numbers)) if numbers else "-"


def ratios(rounds, first, second, key):
    """Of the rounds that have both."""
    found = []
    for each in rounds:
        above, below = (each.get(name) and each[name].get(key) for name in (first, second))
        if above is not None and below:
            found.append(above / below)
    return found


def print_ratio(what, found, goal=None, least=False):
    """goal: at most that much, or at least."""
    if not found:
        return
    low, middle, high = spread(found)
    aim = f", asked at {'least' if least else 'most'} {goal:.3g}" if goal else ""
    print(f"{what}: {middle:.3f} ({low:.3f} to {high:.3f}){aim}")
