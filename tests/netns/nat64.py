#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that has only IPv6 calls one that has only IPv4, by a NAT64.

  nat64.py GST_ICE_TOOL

The servers have only IPv4 as well. lab.py draws it, translator.py has the
translator.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import boxes
import coturn
import driver
import kinds
import lab
import pair
import tap
import translator
from patience import stretched

SOON_MS = 1000


def place_of(left, right):
    return lab.Lab(left, right, families=("6", "4"), nat64=True)


def proved():
    """The translator, and what is asked to find it, before a call is made."""
    for kind in ("none", "port-restricted", "symmetric"):
        with place_of(kind, "none") as place:
            place.prove()
            assert place.translator.resolved() == {"64:ff9b::c000:aa", "64:ff9b::c000:ab"}
            shown = place.execute("alice", "ip", "-4", "address", "show", "dev", "eth0", capture_output=True).stdout
            assert not shown, shown
        assert not place.translator


def is_relayed(agent, relays):
    """By its addresses: the peer sees a relay at the translator's address, and
    says so, and then it is a peer-reflexive one (RFC 8445 7.2.5.3.1)."""
    return any(pair.untranslated(*address) in relays for address in agent.selected())


def call(tool, left, right):
    with place_of(left, right) as place:
        place.prove()
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            alice, bob = driver.call(tool, place, driver.servers(turn))
    assert alice.candidate_types() == ["host", "relay", "srflx"], alice.candidates
    relays = alice.addresses("relay") | bob.addresses("relay")
    relayed = kinds.theory(left, right) == "relayed"
    for agent in (alice, bob):
        assert is_relayed(agent, relays) == relayed, agent.selections
        assert agent.connected_ms <= stretched(SOON_MS), agent.connected_ms


def main():
    tool = sys.argv[1]
    reason = lab.unavailable() or boxes.no_tun() or translator.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    callers = [("port-restricted", "none"), ("port-restricted", "port-restricted"), ("symmetric", "none"),
             ("symmetric", "port-restricted")]
    tap.run([
        ("the translator is one", proved),
        *[(f"RFC 7050: {left} behind NAT64, {right}", lambda left=left, right=right: call(tool, left, right))
          for left, right in callers],
    ], at_once=2)


if __name__ == "__main__":
    main()
