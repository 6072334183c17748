#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same scenarios with ourselves, with libnice and with aioice, side by side.

  differential.py GST_ICE_TOOL [NICE_PEER]

Whatever one of them reaches, the others have to reach as well, unless THEIRS
says why that agent cannot. The table is a comment of each scenario.
"""

import functools
import pathlib
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import coturn
import interop
import pair
import tap
import wire

SECONDS = 2
RATE = 100
LATE = 1.5  # s
RESTART_AFTER = "0.7"

# What an agent cannot do, and is not asked to.
THEIRS = {
    ("aioice", "restart by them"): "has no restart",
    ("aioice", "restart by us"): "has no restart",
    ("aioice", "they are aggressive"): "has no aggressive nomination",
}


class Scenario:
    def __init__(self, name, roles=("controlling", "controlled"), mode="trickle", loss=0.0, seed=0, late=(),
                 ours=None, theirs=None, relay=False):
        self.name, self.roles, self.mode, self.loss, self.seed = name, roles, mode, loss, seed
        self.late = late  # the sides whose candidates come late
        self.ours, self.theirs, self.relay = ours or {}, theirs or {}, relay


SCENARIOS = [
    Scenario("we control"),
    Scenario("they control", ("controlled", "controlling")),
    Scenario("full", mode="full"),
    Scenario("our candidates late", late=(0,)),
    Scenario("their candidates late", late=(1,)),
    Scenario("both controlling", ("controlling", "controlling")),
    Scenario("both controlled", ("controlled", "controlled")),
    Scenario("we are aggressive", ours={"NOMINATION": "aggressive"}),
    Scenario("they are aggressive", ("controlled", "controlling"), theirs={"NOMINATION": "aggressive"}),
    Scenario("we are lite", ("controlled", "controlling"), ours={"LITE": "1"}),
    Scenario("restart by us", ours={"RESTART_AFTER": RESTART_AFTER}),
    Scenario("restart by them", theirs={"RESTART_AFTER": RESTART_AFTER}),
    *(Scenario(f"loss {loss:.0%}, seed {seed}", ("controlling", "controlled")[:: 1 - 2 * (seed % 2)], loss=loss, seed=seed)
      for loss, seed in ((0.05, 1), (0.05, 2), (0.2, 1), (0.2, 2))),
    Scenario("relay only", relay=True),
]


class Result:
    def __init__(self, name):
        self.name = name
        self.note = None  # why there is none

    def take(self, scenario, left, right, ended, line):
        agents = (left, right)
        self.ended = ended
        self.ms = [agent.connected_ms for agent in agents]
        self.connected = None not in self.ms
        self.received = [agent.received for agent in agents]
        self.statuses = [agent.process.returncode for agent in agents]
        self.pairs = [agent.pair for agent in agents]
        self.roles = line.roles if line else None
        self.mirrored = line.mirrored if line else None
        self.dropped = line.dropped if line else 0
        self.restarted = "RESTART_AFTER" not in {**scenario.ours, **scenario.theirs} or all(
            sum(text.startswith("LOCAL a=ice-ufrag:") for text in agent.log) > 1 for agent in agents)
        self.log = [text for agent in agents for text in (f"--- {agent.name}", *agent.log)]

    @property
    def faults(self):
        if self.note:
            return []
        least = SECONDS * RATE * 0.3
        return [fault for fault, there in (
            ("not connected", not self.connected),
            ("had to be ended", not self.ended),
            ("different pairs", self.mirrored is False),
            ("no restart", not self.restarted),
            ("two of one role", self.roles and self.roles[0] == self.roles[1]),
            ("no media", any(n < least for n in self.received))) if there]

    def row(self):
        if self.note:
            return f"{self.name:8} {self.note}"
        return (f"{self.name:8} {'/'.join(str(ms) for ms in self.ms):>11} ms"
                f"  {'-' if self.mirrored is None else 'mirrored' if self.mirrored else 'DIFFERENT':9}"
                f"  roles {'/'.join((role or '?')[:10] for role in self.roles) if self.roles else '-':22}"
                f"  pairs {' '.join('-'.join(p[:2]) if p else '?' for p in self.pairs):24}"
                f"  received {'/'.join(map(str, self.received))}"
                f"{f', {self.dropped} dropped' if self.dropped else ''}"
                f"  {', '.join(self.faults) or 'good'}")


def play(scenario, name, ours, theirs, address, turn):
    common = {"SECONDS": str(SECONDS), "RATE": str(RATE), "MODE": scenario.mode}
    if scenario.relay:
        common.update(TURN_URI=f"turn:{turn.host_port}", TURN_USER=coturn.USER, TURN_PASS=coturn.PASSWORD,
                      RELAY_ONLY="1")
    left = pair.Agent("gst-ice", ours, {**common, "ICE_ROLE": scenario.roles[0], **scenario.ours})
    right = pair.Agent(name, theirs, {**common, "ICE_ROLE": scenario.roles[1], **scenario.theirs})
    sides = (left, right)
    result = Result(name)
    with wire.Wire(address, scenario.loss, scenario.seed) as line:
        def tamper(agent, attribute):
            side = sides.index(agent)
            if not scenario.relay:
                attribute = line.put(side, attribute)
            if attribute and side in scenario.late and attribute.startswith(("a=candidate", "a=end-of")):
                timer = threading.Timer(LATE, sides[1 - side].tell, (attribute,))
                timer.daemon = True
                timer.start()
                return None
            return attribute

        ended = pair.run(left, right, timeout=40, tamper=tamper)
        result.take(scenario, left, right, ended, None if scenario.relay else line)
    return result


def compare(scenario, peers, missing, address):
    results = []
    need_turn = scenario.relay and not coturn.available()
    turn = coturn.Coturn(address).__enter__() if scenario.relay and not need_turn else None
    try:
        for name, argv in peers.items():
            why = missing[name] or THEIRS.get((name, scenario.name)) or (need_turn and "no turnserver")
            if why:
                results.append(Result(name))
                results[-1].note = why
            else:
                results.append(play(scenario, name, peers["gst-ice"], argv, address, turn))
    finally:
        if turn:
            turn.__exit__()
    for result in results:
        tap.comment(result.row())
    bad = [result for result in results if result.faults]
    for result in bad:
        tap.comment("\n".join(result.log))
    assert not bad, ", ".join(f"{result.name}: {' and '.join(result.faults)}" for result in bad)
    if all(result.note for result in results):
        raise tap.Skip(results[0].note)


def main():
    ours = [sys.argv[1], "peer"]
    peers = {"gst-ice": ours, "libnice": sys.argv[2:3], "aioice": [interop.PYTHON, str(HERE / "aioice-peer.py")]}
    missing = {
        "gst-ice": None,
        "libnice": None if sys.argv[2:3] else "built without libnice",
        "aioice": None if interop.have_aioice() else "no python3-aioice",
    }
    address = interop.own_address()
    if not address:
        tap.skip_all("libnice and aioice do not use loopback, and this host has no other IPv4 address")
        return
    only = sys.argv[3:]
    tap.run((scenario.name, functools.partial(compare, scenario, peers, missing, address))
            for scenario in SCENARIOS if not only or scenario.name in only)


if __name__ == "__main__":
    main()
