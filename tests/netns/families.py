#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""IPv6 only, both families, and one of them broken.

  families.py GST_ICE_TOOL
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import driver
import lab
import tap
from patience import stretched

# RFC 8421: a family that is broken costs a few checks, and no time-out.
SOON_MS = 1000


def families_of(agent):
    return {"6" if ":" in address else "4" for address in agent.selected()[0][:1] + agent.selected()[1][:1]}


def call(tool, families, expected, broken=None, kind="port-restricted"):
    with lab.Lab(kind, kind, families=families, broken=broken) as place:
        place.prove()
        with coturn.Coturn(
                lab.SERVER, 3478, prefix=place.prefix("wan"),
                extra=[f"--listening-ip={lab.SERVER_6}", f"--relay-ip={lab.SERVER_6}"]) as turn:
            environment = driver.servers(turn)
            six = {**environment, "STUN_SERVER": f"[{lab.SERVER_6}]:3478", "TURN_URI": f"turn:[{lab.SERVER_6}]:3478"}
            sides = [six if "4" not in family else environment for family in families]
            alice, bob = driver.call(tool, place, {}, *sides)
            for agent in (alice, bob):
                assert agent.connected_ms <= stretched(SOON_MS), agent.connected_ms
                assert expected is None or families_of(agent) == {expected}, agent.selections
                assert not agent.relayed or expected is None, agent.pair


def main():
    tool = sys.argv[1]
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    tap.run([
        ("IPv6 only, firewalls on both sides", lambda: call(tool, ("6", "6"), "6")),
        ("both families: IPv6 has no NAT", lambda: call(tool, ("46", "46"), "6", kind="symmetric")),
        ("RFC 8421: IPv6 leads nowhere", lambda: call(tool, ("46", "46"), "4", broken={"a": "6"})),
        ("RFC 8421: IPv4 leads nowhere", lambda: call(tool, ("46", "46"), "6", broken={"b": "4"})),
        ("IPv6 only and both", lambda: call(tool, ("6", "46"), "6")),
    ], at_once=2)


if __name__ == "__main__":
    main()
