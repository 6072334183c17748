#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long it takes over lines that take time: gathering, and a relayed call.

  times.py GST_ICE_TOOL [NICE_PEER]
"""

import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import boxes
import coturn
import driver
import lab
import lines
import pair
import tap

# Two addresses: what is asked of one twice may be asked once.
DEAD_TURN, DEAD_STUN = "198.51.100.99:3478", "198.51.100.98:3478"
ROUNDS = 5
# Issue 4: with STUN and TURN at 60 ms; and so long after the last answer where a
# server is dead.
GATHERED_MS = 500
# Two round trips to the allocation, and two to the answer of a check that passes
# the server twice each way, the permission in front of it.
RELAY_RTT = 4.5
# What a loaded machine adds, in all.
NOISE_MS = 40


def gather(tool, place, environment):
    """The agent, and the seconds until it said that gathering is done: without
    trickle it says nothing before."""
    began_at = time.monotonic()
    agent = pair.Agent("alice", [*place.prefix("alice"), tool, "peer"], {**environment, "MODE": "full", "SECONDS": "1"})
    try:
        while "LOCAL a=end-of-candidates" not in agent.log:
            said = agent.read_lines()
            assert said is not None, agent.log
            for line in said:
                agent.take(line)
        return agent, time.monotonic() - began_at
    finally:
        pair.end(agent.process)


def gathering(tool, *dead):
    """From exec on. The last answer takes three round trips, less what the
    process takes to begin. dead: "turn", one beside the live one; "stun", which is
    instead of the live one: the allocation tells what it would."""
    with lab.Lab("port-restricted", "none", delay=30) as place:
        place.prove()
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            environment = driver.servers(turn)
            if "turn" in dead:
                environment["TURN_URI"] = f"{turn.uri},turn:{DEAD_TURN}"
            if "stun" in dead:
                environment["STUN_SERVER"] = DEAD_STUN
            times = []
            for _ in range(ROUNDS):
                agent, seconds = gather(tool, place, environment)
                assert agent.candidate_types() == ["host", "relay", "srflx"], agent.candidates
                times.append(round(1000 * seconds))
    tap.comment(f"gathered {times} ms after exec")
    assert statistics.median(times) <= GATHERED_MS + (180 if dead else 0) + NOISE_MS, times


def relay_only(tool, nice, rtt=50):
    """The median of ROUNDS, in round trips to the server."""
    with lab.Lab("none", "none", delay=rtt / 2) as place:
        place.prove()
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            environment = {**driver.servers(turn), "RELAY_ONLY": "1", "SECONDS": "0.3"}
            found = {}
            for _ in range(ROUNDS):
                for who, program in (("ours", tool), ("libnice", nice and [nice])):
                    if program:
                        found.setdefault(who, []).append(
                            round(driver.took_since_ready(*driver.call(program, place, environment))))
    for who, times in found.items():
        tap.comment(f"{who}: {times} ms, median {statistics.median(times) / rtt:.2f} round trips")
    assert statistics.median(found["ours"]) <= RELAY_RTT * rtt + NOISE_MS, found


def main():
    tool, nice = sys.argv[1], (sys.argv[2:] or [None])[0]
    reason = lab.unavailable() or boxes.no_tun() or (None if lines.tool() else "ICE_LAB_DELAY is not set")
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    tap.run([
        ("gathering-done at 60 ms", lambda: gathering(tool)),
        ("gathering-done at 60 ms, a dead TURN server beside", lambda: gathering(tool, "turn")),
        ("gathering-done at 60 ms, a dead STUN server", lambda: gathering(tool, "stun")),
        ("gathering-done at 60 ms, both of these", lambda: gathering(tool, "turn", "stun")),
        ("relay only at 50 ms", lambda: relay_only(tool, nice)),
    ])


if __name__ == "__main__":
    main()
