#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls of `gst-ice-1.0 peer` with itself through real NATs (lab.py draws them).

  calls.py GST_ICE_TOOL
"""

import pathlib
import re
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import lab
import tap
from driver import call, servers
from patience import stretched


GUARD = """
table inet guard {
  counter server { }
  counter elsewhere { }
  chain out {
    type filter hook output priority -300;
    meta l4proto { icmp, icmpv6 } accept
    ip daddr %s udp dport 3478 counter name server accept
    counter name elsewhere
  }
}
"""


def count_packets(place, box, counter):
    """How many the kernel has counted on their way out of the box."""
    listed = place.execute(box, "nft", "list", "counter", "inet", "guard", counter, capture_output=True)
    return int(re.search(r"packets (\d+)", listed.stdout)[1])


def relay_only(tool):
    """Nothing but relayed candidates is told, though a direct path exists, and not one packet goes elsewhere."""
    with lab.Lab("none", "none") as place:
        for box in ("alice", "bob"):
            place.execute(box, "nft", "-f", "-", input=GUARD % lab.SERVER)
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            for agent in call(tool, place, {**servers(turn), "RELAY_ONLY": "1"}):
                assert agent.candidate_types() == ["relay"], agent.candidates
                assert agent.pair[0] == "relay", agent.pair
        for box in ("alice", "bob"):
            assert count_packets(place, box, "server") > 100, "the counters do not count"
            assert count_packets(place, box, "elsewhere") == 0, f"{box} sent elsewhere"


def full(tool):
    """Without trickle: everything is known before anything is said."""
    with lab.Lab("port-restricted", "port-restricted") as place:
        place.prove()
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            for agent in call(tool, place, {**servers(turn), "MODE": "full"}):
                assert not agent.relayed, agent.pair


def wrong_password(tool):
    """A TURN server that refuses us costs neither srflx nor the direct path."""
    with lab.Lab("port-restricted", "port-restricted") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            for agent in call(tool, place, {**servers(turn), "TURN_PASS": "wrong"}):
                assert agent.candidate_types() == ["host", "srflx"], agent.candidates
                assert agent.connected_ms < stretched(2000), agent.connected_ms


def dead_servers(tool):
    """Servers that say nothing delay nothing: they are trickled past."""
    with lab.Lab("none", "none") as place:
        nowhere = "198.51.100.99:3478"
        environment = {
            "STUN_SERVER": nowhere, "TURN_URI": f"turn:{nowhere}", "TURN_USER": "nobody", "TURN_PASS": "nothing"}
        for agent in call(tool, place, environment):
            assert agent.connected_ms < stretched(1000), agent.connected_ms


def mobile(tool, name, net, role):
    """A second address comes in mid-call and the first one goes: media moves without signalling."""
    with lab.Lab("none", "none") as place:
        def on_host(*commands):
            for command in commands:
                subprocess.run([*place.prefix(name), "ip", *command.split()], check=True)

        later = [
            # Not of the same prefix length: the kernel would take it away with the first.
            threading.Timer(3, on_host, [f"address add {net}.9/32 dev eth0"]),
            threading.Timer(6, on_host, [
                f"address del {net}.2/24 dev eth0", f"route replace {net}.1/32 dev eth0 src {net}.9",
                f"route replace default via {net}.1 dev eth0 src {net}.9"]),
        ]
        for timer in later:
            timer.start()
        side = {"ICE_ROLE": role, "CONTINUAL": "1"}
        other = {"ICE_ROLE": "controlled" if role == "controlling" else "controlling"}
        environment = {"SECONDS": "17", "RATE": "100"}
        alice, bob = call(tool, place, environment, *((side, other) if name == "alice" else (other, side)))
        for timer in later:
            timer.join()
        for agent in (alice, bob):
            assert agent.lost <= stretched(250), f"{agent.name} lost {agent.lost} of 1700 packets: more than 2.5 s"
            assert len(agent.pairs) >= 2, agent.pairs


def main():
    tool = sys.argv[1]
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    cases = [
        ("a network goes, the controlling side's", lambda: mobile(tool, "alice", "10.1.0", "controlling")),
        ("a network goes, the controlled side's", lambda: mobile(tool, "bob", "10.2.0", "controlled")),
        ("relay only", lambda: relay_only(tool)),
        ("full, not trickled", lambda: full(tool)),
        ("wrong TURN password", lambda: wrong_password(tool)),
        ("dead servers", lambda: dead_servers(tool)),
    ]
    tap.run(cases, at_once=3)


if __name__ == "__main__":
    main()
