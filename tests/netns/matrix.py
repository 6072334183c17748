#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every NAT with every other: connected, direct wherever theory allows, and how fast.

  matrix.py GST_ICE_TOOL                         a selection, once
  matrix.py --all GST_ICE_TOOL [NICE_PEER]       all of it, three times, beside libnice
      --delay MS     one way, on each access line
      --json FILE    what was measured
      --kinds A,B    not all kinds

Ours and libnice's calls take turns in the same laboratory, so that what else
the machine does falls upon both.
"""

import argparse
import json
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import boxes
import coturn
import driver
import kinds
import lab
import lines
import tap

ROUNDS = 3
# Laboratories side by side: calls wait more than they work.
SIDE_BY_SIDE = 2
# Long enough that the selected pair is the last one: of relayed pairs one is
# nominated within a second (nominator.c), and a packet of that may be late.
CALL = {"SECONDS": "2"}
# Of two connections at the same time, who is slower is a matter of chance by
# so much: the scheduler's part in it, and the drivers'.
NOISE_MS = 20

# Each kind with itself, and the pairs that theory tells apart.
SELECTION = [(kind, kind) for kind in kinds.MATRIX] + [
    ("none", "symmetric"), ("symmetric", "full-cone"), ("address-restricted", "symmetric-seq"),
    ("port-restricted", "symmetric"), ("symmetric-seq", "port-preserving"), ("cgn-sym", "cgn"),
]
TOGETHER = [("nat", "relayed"), ("hairpin", "direct"), ("lan", "direct")]


def judge(alice, bob, expected):
    for agent in (alice, bob):
        found = "relayed" if agent.relayed else "direct"
        assert found == expected, f"{agent.name} is {found} by {agent.pair}"


class Cell:
    """Two kinds of NAT, and the calls between them."""

    def __init__(self, left, right, rounds=1, delay=None, together=None, expected=None):
        self.left, self.right = left, right
        self.rounds, self.delay, self.together = rounds, delay, together
        self.expected = expected or kinds.theory(left, right)
        self.times = {}
        self.failures = {}

    def run(self, tool, nice=None):
        with lab.Lab(self.left, self.right, delay=self.delay, together=self.together) as place:
            place.prove()
            with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
                environment = {**driver.servers(turn), **CALL}
                for _ in range(self.rounds):
                    alice, bob = driver.call(tool, place, environment)
                    judge(alice, bob, self.expected)
                    self.times.setdefault("ours", []).append(driver.took(alice, bob))
                    if nice:
                        self.beside(nice, place, environment)

    def beside(self, nice, place, environment):
        """libnice's call. That it fails is a number, and no failure of ours."""
        try:
            alice, bob = driver.call(nice, place, environment)
            judge(alice, bob, self.expected)
            self.times.setdefault("libnice", []).append(driver.took(alice, bob))
        except AssertionError as error:
            self.failures.setdefault("libnice", []).append(str(error))

    def median(self, who):
        return statistics.median(self.times[who]) if self.times.get(who) else None

    def compare(self):
        ours, nice = self.median("ours"), self.median("libnice")
        assert nice is None or ours <= nice + NOISE_MS, f"ours took {ours} ms, libnice {nice} ms: {self.times}"


def selection(tool):
    def case(cell):
        return lambda: cell.run([tool, "peer"])

    cells = [Cell(left, right) for left, right in SELECTION]
    cases = [(f"{cell.left} - {cell.right}: {cell.expected}", case(cell)) for cell in cells]
    cases += [
        (f"both behind one NAT, {together}: {expected}",
         case(Cell("port-restricted", "port-restricted", together=together, expected=expected)))
        for together, expected in TOGETHER]
    tap.run(cases, at_once=SIDE_BY_SIDE)


def show(cells, who):
    """The medians, as a table."""
    names = list(dict.fromkeys(cell.left for cell in cells))
    width = max(map(len, names)) + 2
    tap.comment(f"{who}, ms until both are connected, median of {cells[0].rounds}:")
    tap.comment("".ljust(width) + "".join(name.rjust(width) for name in names))
    found = {(cell.left, cell.right): cell for cell in cells}
    for left in names:
        row = ""
        for right in names:
            cell = found[left, right]
            median = cell.median(who)
            row += (f"{cell.expected} {median:.0f}" if median is not None else "failed").rjust(width)
        tap.comment(left.ljust(width) + row)


def everything(options):
    axes = options.kinds.split(",") if options.kinds else kinds.MATRIX
    cells = [Cell(left, right, ROUNDS, options.delay) for left in axes for right in axes]
    nice = [options.nice_peer] if options.nice_peer else None

    def case(cell):
        def run():
            cell.run([options.tool, "peer"], nice)
            cell.compare()
        return run

    tap.run([(f"{cell.left} - {cell.right}: {cell.expected}", case(cell)) for cell in cells], at_once=SIDE_BY_SIDE)
    for who in ("ours", "libnice") if nice else ("ours",):
        show(cells, who)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump([vars(cell) for cell in cells], out, indent=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--delay", type=float)
    parser.add_argument("--json")
    parser.add_argument("--kinds")
    parser.add_argument("tool")
    parser.add_argument("nice_peer", nargs="?")
    options = parser.parse_args()
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if not reason and options.delay is not None:
        reason = boxes.no_tun() or (None if lines.tool() else "ICE_LAB_DELAY is not set")
    if reason:
        tap.skip_all(reason)
    elif options.all:
        everything(options)
    else:
        selection(options.tool)


if __name__ == "__main__":
    main()
