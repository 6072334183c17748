# SPDX-License-Identifier: LGPL-2.1-or-later
"""One call in a laboratory: two agents, signalling by pipes, packets both ways."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import pair
import tap

# The pair is nominated a second after the first one answers.
SECONDS = 2
RATE = 100


def servers(turn):
    return {"STUN_SERVER": turn.host_port, "TURN_URI": turn.uri, "TURN_USER": coturn.USER, "TURN_PASS": coturn.PASSWORD}


def agents(tool, place, environment, left=None, right=None):
    """Alice, who controls, and bob. tool: of ours, or the argv of another agent."""
    argv = [tool, "peer"] if isinstance(tool, str) else list(tool)
    common = {"SECONDS": str(SECONDS), "RATE": str(RATE), **environment}
    sides = (("alice", {"ICE_ROLE": "controlling", **(left or {})}), ("bob", {"ICE_ROLE": "controlled", **(right or {})}))
    return [pair.Agent(name, [*place.prefix(name), *argv], {**common, **side}) for name, side in sides]


def report(alice, bob):
    """All that was said, for a case that failed."""
    for agent in (alice, bob):
        tap.comment(f"--- {agent.name}")
        tap.comment("\n".join(agent.log))


def one_path(alice, bob, environment):
    """Whether both were on one pair when the first of them fell silent: after
    that the other one may look for a better way to it."""
    silent_at = min(alice.connected_at, bob.connected_at) + float(environment.get("SECONDS", SECONDS))
    return pair.one_path(alice, bob, silent_at)


def call(tool, place, environment, left=None, right=None, timeout=30, received=0.9, connected=None):
    """The two agents of a call that connected. received: the least part of the
    packets, for paths that lose some. connected() is called when both are."""
    alice, bob = agents(tool, place, environment, left, right)
    ended = pair.run(alice, bob, timeout=timeout, connected=connected)
    packets = float(environment.get("SECONDS", SECONDS)) * float(environment.get("RATE", RATE))
    for agent in (alice, bob):
        tap.comment(agent.report())
    try:
        assert ended, "an agent had to be ended"
        for agent in (alice, bob):
            assert agent.process.returncode == 0, f"{agent.name} ended with {agent.process.returncode}"
            assert agent.received >= packets * received, f"{agent.name} received {agent.received}"
        assert one_path(alice, bob, environment), f"two pairs: {alice.selections} and {bob.selections}"
    except AssertionError:
        report(alice, bob)
        raise
    return alice, bob


def took(alice, bob):
    """ms until both were connected, each counted from its own start."""
    return max(alice.connected_ms, bob.connected_ms)


def took_since_ready(alice, bob):
    """ms until both were connected, from when both had begun: what a loaded
    machine takes to start a program is not counted."""
    return 1000 * (max(alice.connected_at, bob.connected_at) - max(alice.spoke_at, bob.spoke_at))
