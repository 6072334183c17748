#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What many agents in one process cost: ours, and libnice's in one main context.

  scale.py BUILD_DIR [--rounds 3] [--quick] [--json FILE]

Pairs of agents on loopback, one component each, gathered before the clock
starts; consent on. CPU is of the whole process, user and system, for each pair;
memory, of what making and connecting has added. A release build is meant.
"""

import argparse
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import rounds

# name, variant, pairs, seconds held, ms between new checks of the process,
# with elements
RUNS = [
    ("ice 100", "ice", 100, 12, 0, False),
    ("nice 100", "nice", 100, 12, 0, False),
    ("ice 1000", "ice", 1000, 12, 0, False),
    ("nice 1000", "nice", 1000, 12, 0, False),
    ("ice 5000", "ice", 5000, 60, 0, False),
    ("ice 1000, 5 ms a check", "ice", 1000, 1, 5, False),
    ("ice 100, elements", "ice", 100, 5, 0, True),
    ("nice 100, elements", "nice", 100, 5, 0, True),
]
# In a hurry, and without what takes minutes.
QUICK_HOLD, QUICK_PAIRS = 6, 1000

# title, key, unit
COLUMNS = [
    ("pairs/s connecting", "pairs_per_s", "{:.0f}"),
    ("connect CPU us/pair", "connect_cpu_us", "{:.0f}"),
    ("settle us/(pair s)", "settle_cpu_us", "{:.0f}"),
    ("idle us/(pair s)", "idle_cpu_us", "{:.1f}"),
    ("RSS KiB/pair", "rss_kib", "{:.1f}"),
    ("threads", "threads", "{:.0f}"),
    ("fds/pair", "fds", "{:.2f}"),
    ("disconnected for a while", "disconnected", "{:.0f}"),
    ("consents lost", "lost", "{:.0f}"),
]


def measure(build, n_rounds, quick=False):
    """The rounds, as rounds.py has them."""
    program = build / "tests" / "bench" / "bench-scale"
    environment = {
        **os.environ,
        "GST_PLUGIN_PATH": str(build / "gst" / "elements"),
        "GST_REGISTRY": str(build / "bench-registry.bin"),
    }
    found = []
    for number in range(n_rounds):
        print(f"scale: round {number + 1} of {n_rounds}", file=sys.stderr)
        found.append({
            name: rounds.run_json(
                [program, variant, "--pairs", str(pairs), "--hold", str(min(hold, QUICK_HOLD) if quick else hold),
                 "--pacing", str(pacing), *(["--elements"] if elements else [])], env=environment)
            for name, variant, pairs, hold, pacing, elements in RUNS if not quick or pairs <= QUICK_PAIRS})
    return found


def print_results(found):
    print(f"\nmin/median/max of {len(found)} rounds")
    for name, *_ in RUNS:
        cells = [f"{title} {rounds.show(rounds.values(found, name, key), form)}" for title, key, form in COLUMNS]
        if any(rounds.values(found, name, "threads")):
            print(f"{name}:\n  " + ", ".join(cells))
    print()
    for pairs in (100, 1000):
        for what, key in (("idle CPU", "idle_cpu_us"), ("memory", "rss_kib")):
            rounds.print_ratio(f"{what} a pair to libnice's, {pairs} pairs",
                               rounds.ratios(found, f"ice {pairs}", f"nice {pairs}", key))
        rounds.print_ratio(f"rate of connecting to libnice's, {pairs} pairs",
                           rounds.ratios(found, f"ice {pairs}", f"nice {pairs}", "pairs_per_s"), 2.0, least=True)
    rounds.print_ratio("idle CPU a pair, 5,000 pairs to 100",
                       rounds.ratios(found, "ice 5000", "ice 100", "idle_cpu_us"), 1.3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK_PAIRS} pairs, {QUICK_HOLD} s each")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    found = measure(arguments.build.resolve(), arguments.rounds, arguments.quick)
    print_results(found)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
