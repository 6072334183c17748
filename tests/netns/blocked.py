#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where UDP does not get out: by TURN over TCP, TLS and DTLS, and by ICE-TCP
without any server.

  blocked.py GST_ICE_TOOL
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import certificates
import coturn
import driver
import lab
import tap
from patience import stretched

# Of ICE-TCP; libnice takes 2.1 s (networks.md).
TCP_MS = 1000
# Of a relay, found while UDP is still being tried.
RELAY_MS = 2000


class Servers:
    """A coturn for everything; TLS at port 443, as where little else gets out."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        self.authority = certificates.Authority()
        self.authority.__enter__()
        try:
            identity = self.authority.issue(f"IP:{lab.SERVER}")
            self.turn = coturn.Coturn(lab.SERVER, 3478, prefix=self.place.prefix("wan"), secure=identity, secure_port=443)
            self.turn.__enter__()
        except BaseException:
            self.authority.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.turn.__exit__()
        self.authority.__exit__()

    def environment(self, *uris):
        return {**driver.servers(self.turn), "TURN_URI": ",".join(uris), "CA_FILE": str(self.authority.certificate)}


UDP = f"turn:{lab.SERVER}:3478?transport=udp"
TCP = f"turn:{lab.SERVER}:3478?transport=tcp"
TLS = f"turns:{lab.SERVER}:443?transport=tcp"
DTLS = f"turns:{lab.SERVER}:443?transport=udp"
# Plain TURN on the port of TLS: where TLS is looked for, nothing but silence.
PLAIN_443 = f"turn:{lab.SERVER}:443?transport=tcp"


def relayed(tool, left, right, *uris):
    """Connected through the relay, by the protocol that gets out."""
    with lab.Lab(left, right) as place:
        place.prove()
        with Servers(place) as servers:
            alice, bob = driver.call(tool, place, servers.environment(*uris))
            for agent in (alice, bob):
                assert agent.relayed, f"{agent.name} is not relayed, but {agent.pair}"
                assert agent.connected_ms <= stretched(RELAY_MS), agent.connected_ms


def tcp_without_servers(tool, left, right):
    """RFC 6544: one side is reached by TCP."""
    with lab.Lab(left, right) as place:
        place.prove()
        for agent in driver.call(tool, place, {"TCP": "1"}):
            assert agent.pair[2] == "tcp", agent.pair
            assert agent.connected_ms <= stretched(TCP_MS), agent.connected_ms


def udp_comes_first(tool):
    """Where UDP gets out, neither TCP nor a relay is chosen."""
    with lab.Lab("port-restricted", "none") as place:
        place.prove()
        with Servers(place) as servers:
            for agent in driver.call(tool, place, {**servers.environment(UDP, TCP, TLS, DTLS), "TCP": "1"}):
                assert agent.pair[2] == "udp" and not agent.relayed, agent.pair


def nothing_leaves(tool):
    """Blocked: told with its cause at 10 s, and not before the call could fail."""
    with lab.Lab("blocked", "none") as place:
        place.prove()
        with Servers(place) as servers:
            alice, bob = driver.agents(tool, place, servers.environment(UDP, TCP))
            agents = (alice, bob)

            def told(agent):
                return any("No path to the peer after 10.0 s" in line for line in agent.log)

            driver.pair.run(alice, bob, timeout=10 + stretched(3), enough=lambda: all(map(told, agents)))
            for agent in agents:
                assert agent.connected_ms is None, agent.states
                assert told(agent), agent.log


def main():
    tool = sys.argv[1]
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if not reason and not certificates.available():
        reason = "no openssl: apt-get install openssl"
    if reason:
        tap.skip_all(reason)
        return
    relays = [
        ("udp-blocked", "port-restricted", TCP), ("udp-blocked", "udp-blocked", TCP),
        ("udp-blocked", "symmetric", TLS), ("tcp443", "none", TLS), ("tls443", "symmetric", TLS),
        ("tls443", "tls443", TLS), ("tls443", "udp-blocked", PLAIN_443, TLS), ("symmetric", "symmetric", DTLS),
        ("udp-blocked", "tls443", UDP, TCP, DTLS, TLS),
    ]
    names = {UDP: "UDP", TCP: "TCP", TLS: "TLS at 443", DTLS: "DTLS", PLAIN_443: "TCP at 443"}
    cases = [
        (f"{left} - {right}: TURN over {', '.join(names[uri] for uri in uris)}",
         lambda left=left, right=right, uris=uris: relayed(tool, left, right, *uris))
        for left, right, *uris in relays]
    cases += [
        (f"RFC 6544: {left} - {right}, no server", lambda left=left, right=right: tcp_without_servers(tool, left, right))
        for left, right in (("udp-blocked", "none"), ("none", "udp-blocked"))]
    cases += [
        ("UDP comes first", lambda: udp_comes_first(tool)),
        ("nothing leaves", lambda: nothing_leaves(tool)),
    ]
    tap.run(cases, at_once=2)


if __name__ == "__main__":
    main()
