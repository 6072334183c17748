#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The network changes in mid-call: how long either end is without media.

  roaming.py GST_ICE_TOOL [NAME...]

Media flows both ways, 100 packets a second. Then a NAT forgets its mappings, or
an interface goes; what is signalled takes 100 ms. Each end says the longest
time without a packet, and that is a second at most. NAMEs are parts of those of
the cases to run.
"""

import dataclasses
import heapq
import pathlib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import driver
import lab
import pair
import tap

OUTAGE_MAX = 1000  # ms, issue 4
SIGNALLING = 0.1  # s, one way
BEFORE, AFTER = 5, 4  # s of media
SECONDS = BEFORE + AFTER


class Signalling:
    """Takes lines from one agent to the other, in order, each after a while."""

    def __init__(self, peers):
        self.peers = peers
        self.lines = []
        self.number = 0
        self.changed = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def tamper(self, agent, attribute):
        with self.changed:
            heapq.heappush(self.lines, (time.monotonic() + SIGNALLING, self.number, self.peers[agent], attribute))
            self.number += 1
            self.changed.notify()

    def run(self):
        while True:
            with self.changed:
                if self.ended:
                    return
                if not self.lines:
                    self.changed.wait()
                    continue
                wait = self.lines[0][0] - time.monotonic()
                if wait > 0:
                    self.changed.wait(wait)
                    continue
                _, _, agent, attribute = heapq.heappop(self.lines)
            agent.tell(attribute)

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify()
        self.thread.join()


@dataclasses.dataclass
class Case:
    """place: arguments of the Lab; fault: what happens to it."""
    name: str
    place: tuple
    fault: object
    second: str = None
    second_up: bool = True
    alice: dict = dataclasses.field(default_factory=dict)
    both: dict = dataclasses.field(default_factory=dict)
    mobility: bool = False


def later(agents, fault, done):
    """The fault, when media has flowed for a while."""
    while not all(agent.connected_ms for agent in agents):
        if done.wait(0.02):
            return
    if not done.wait(BEFORE):
        fault()


def measure(tool, case, role):
    """The outage of alice and bob in ms, and what they said."""
    with lab.Lab(*case.place, second=case.second, second_up=case.second_up) as place:
        extra = ["--mobility"] if case.mobility else []
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan"), extra=extra) as turn:
            other = {"controlling": "controlled", "controlled": "controlling"}[role]
            environment = {**driver.servers(turn), "SECONDS": str(SECONDS), **case.both}
            alice, bob = driver.agents(
                tool, place, environment, {"ICE_ROLE": role, **case.alice}, {"ICE_ROLE": other})
            signalling, done = Signalling({alice: bob, bob: alice}), threading.Event()
            fault = threading.Thread(target=later, args=((alice, bob), lambda: case.fault(place), done))
            fault.start()
            try:
                ended = pair.run(alice, bob, timeout=SECONDS + 20, tamper=signalling.tamper)
            finally:
                done.set()
                fault.join()
                signalling.end()
    return ended, alice, bob


TABLE = []


def check(tool, case, role):
    """A busy machine gets a second chance."""
    for attempt in range(2):
        ended, alice, bob = measure(tool, case, role)
        bad = None
        for agent in (alice, bob):
            if not ended or agent.process.returncode != 0:
                bad = f"{agent.name} ended with {agent.process.returncode}"
            elif agent.received < 100 * SECONDS - (OUTAGE_MAX + 500) / 10 or agent.gap > OUTAGE_MAX:
                # The gap ends with a packet; media that never came back has too few.
                bad = f"{agent.name} was without media for {agent.gap} ms, and received {agent.received} packets"
        TABLE.append((case.name, role, alice.gap, bob.gap, alice.pair, bob.pair))
        tap.comment(f"outage {alice.gap} ms at alice, {bob.gap} ms at bob; {alice.pair}, {bob.pair}")
        if not bad:
            return
        driver.report(alice, bob)
    raise AssertionError(bad)


CONTINUAL = {"CONTINUAL": "1"}
RESTART = {"AUTO_RESTART": "1"}
RELAY = {"RELAY_ONLY": "1"}


def port(place):
    place.rebind("a")


def address(place):
    place.rebind("a", address=True)


def down(place):
    place.down("alice", "eth0")


def unplug(place):
    place.unplug("alice", "eth0")


def to_cellular(place):
    place.up("alice", "eth1")
    place.down("alice", "eth0")


EASY = ("port-restricted", "none")
HARD = ("port-restricted", "port-restricted")
RELAYED = ("symmetric", "symmetric")
CASES = [
    Case("another port", EASY, port, both=CONTINUAL),
    Case("another port, the peer behind a NAT, too", HARD, port, both=CONTINUAL),
    Case("another address", EASY, address, both=CONTINUAL),
    Case("another address, the peer behind a NAT, too", HARD, address, both=CONTINUAL),
    Case("relayed, another port", RELAYED, port, both={**CONTINUAL, **RELAY}),
    Case("relayed, another address", RELAYED, address, both={**CONTINUAL, **RELAY}),
    Case("relayed, another port, with a ticket", RELAYED, port, both={**CONTINUAL, **RELAY, "TURN_MOBILITY": "1"},
         mobility=True),
    Case("eth0 goes, eth1 is there", EASY, down, second="symmetric", both=CONTINUAL),
    Case("eth0 goes dead, eth1 is there", EASY, unplug, second="port-restricted", both=CONTINUAL),
    Case("eth0 goes, eth1 comes", EASY, to_cellular, second="symmetric", second_up=False, both=CONTINUAL),
    Case("eth0 goes, eth1 comes, the peer behind a NAT, too", HARD, to_cellular, second="symmetric", second_up=False,
         both=CONTINUAL),
    Case("another port, by restart", HARD, port, alice=RESTART),
    Case("another address, by restart", HARD, address, alice=RESTART),
    Case("relayed, another port, by restart", RELAYED, port, alice=RESTART, both=RELAY),
    Case("eth0 goes, eth1 comes, by restart", HARD, to_cellular, second="symmetric", second_up=False, alice=RESTART),
]


def main():
    tool, names = sys.argv[1], sys.argv[2:]
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    cases = [
        (f"{case.name}; alice is {role}", lambda case=case, role=role: check(tool, case, role))
        for case in CASES for role in ("controlling", "controlled")
        if not names or any(name in f"{case.name}; {role}" for name in names)]
    tap.run(cases, at_once=2)
    for name, role, *gaps, mine, theirs in sorted(TABLE):
        tap.comment(f"{name:55} {role:12} alice {gaps[0]:5} ms, bob {gaps[1]:5} ms  {'/'.join((mine or ('none',))[:2])}")


if __name__ == "__main__":
    main()
