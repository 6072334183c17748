#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many calls over lines that lose packets, and how many of them connect.

  series.py [--runs N] [--json FILE] GST_ICE_TOOL [NICE_PEER]

Ours and libnice's take turns in the same laboratory.
"""

import argparse
import json
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import driver
import lab
import pair
import tap

RUNS = 28
# The side that is first waits for the other, and both settle on one pair.
SECONDS = "8"
# RFC 8863 3: nobody gives up before 39.5 s.
PATIENCE = 60
SIDE_BY_SIDE = 3
# percent on both access lines, the NATs, and the least that must connect.
SERIES = [
    (10, "port-restricted", "port-restricted", 1.0),
    (20, "port-restricted", "port-restricted", 1.0),
    (30, "symmetric", "symmetric", 26 / 28),
]
MEDIAN_MS = 2000


class Series:
    def __init__(self, loss, left, right, least, runs):
        self.loss, self.left, self.right, self.least, self.runs = loss, left, right, least, runs
        self.times = {"ours": [], "libnice": []}
        self.two_pairs = {"ours": 0, "libnice": 0}

    def call(self, who, program, place, environment):
        """Adds the time of a call, if both sides connected."""
        environment = {**environment, "SECONDS": SECONDS}
        alice, bob = driver.agents(program, place, environment)
        ended = pair.run(alice, bob, timeout=PATIENCE)
        if alice.connected_ms is None or bob.connected_ms is None:
            tap.comment(f"{who}: not connected: {alice.states} {bob.states}, ended: {ended}")
            return
        self.times[who].append(driver.took(alice, bob))
        if not driver.one_path(alice, bob, environment):
            self.two_pairs[who] += 1
            tap.comment(f"{who}: two pairs: {alice.states} {alice.selections}, {bob.states} {bob.selections}")

    def run(self, programs):
        with lab.Lab(self.left, self.right) as place:
            place.prove()
            with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
                place.set_loss(self.loss)
                for _ in range(self.runs):
                    for who, program in programs.items():
                        self.call(who, program, place, driver.servers(turn))
        for who in programs:
            tap.comment(self.tell(who))
        assert len(self.times["ours"]) >= self.least * self.runs, self.tell("ours")
        assert self.two_pairs["ours"] == 0, self.tell("ours")
        assert statistics.median(self.times["ours"]) <= MEDIAN_MS, self.tell("ours")

    def tell(self, who):
        times = sorted(self.times[who])
        text = f"{self.loss} % {self.left} - {self.right}, {who}: {len(times)} of {self.runs} connected"
        if times:
            text += f", median {statistics.median(times):.0f} ms, {times[0]} to {times[-1]} ms"
        return text + f", {self.two_pairs[who]} on two pairs"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json")
    parser.add_argument("tool")
    parser.add_argument("nice_peer", nargs="?")
    options = parser.parse_args()
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    programs = {"ours": [options.tool, "peer"]}
    if options.nice_peer:
        programs["libnice"] = [options.nice_peer]
    series = [Series(*numbers, options.runs) for numbers in SERIES]
    tap.run([(f"{one.loss} % lost, {one.left} - {one.right}", lambda one=one: one.run(programs)) for one in series],
            at_once=SIDE_BY_SIDE)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump([vars(one) for one in series], out, indent=1)


if __name__ == "__main__":
    main()
