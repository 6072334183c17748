#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers and lines that fail while a call goes on.

  faults.py GST_ICE_TOOL
"""

import pathlib
import re
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import driver
import lab
import tap
from patience import stretched

RATE = 100


def play(tool, place, environment, seconds, *events, left=None, right=None):
    """A call, and (seconds after it connected, function) that happen meanwhile."""
    timers = [threading.Timer(at, function) for at, function in events]

    def begin():
        for timer in timers:
            timer.start()

    try:
        return driver.call(
            tool, place, {**environment, "SECONDS": str(seconds), "RATE": str(RATE)}, left, right, received=0.3,
            connected=begin)
    finally:
        for timer in timers:
            timer.cancel()
            if timer.ident:
                timer.join()


def lost(agents, most):
    """Packets of both ways, as seconds."""
    for agent in agents:
        assert agent.lost <= stretched(most) * RATE, f"{agent.name} lost {agent.lost} packets: more than {most} s"


def server_dies_direct(tool):
    """A direct call has no use for its TURN server."""
    with lab.Lab("port-restricted", "port-restricted") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            lost(play(tool, place, driver.servers(turn), 5, (2, turn.kill)), 0.2)


def server_restarts(tool, transport, most):
    """A relayed call: the allocation is gone, and is made again (issue 4)."""
    with lab.Lab("symmetric", "symmetric") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            def restart():
                turn.kill()
                turn.start()

            environment = {**driver.servers(turn), "TURN_URI": f"turn:{turn.host_port}?transport={transport}",
                           "CONTINUAL": "1"}
            lost(play(tool, place, environment, 12, (3, restart)), most)


def stale_nonces(tool):
    """RFC 8489 9.2.5: a nonce that is good for two seconds costs nothing when a
    restart in mid-call has the allocation looked at."""
    with lab.Lab("symmetric", "symmetric") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan"), extra=["--stale-nonce=2", "--verbose"]) as turn:
            agents = play(tool, place, driver.servers(turn), 8, left={"RESTART_AFTER": "4"})
            lost(agents, 0.2)
            assert all(agent.relayed for agent in agents)
            turn.log.seek(0)
            log = turn.log.read()
    # Each line begins with its second. The restart comes four of them before
    # the farewell, whose nonces are stale as well.
    refused = [int(second) for second in re.findall(r"^(\d+): .* error 438", log, re.M)]
    farewell = [int(second) for second in re.findall(r"^(\d+): .* refreshed, .*lifetime=0$", log, re.M)]
    tap.comment(f"refused in the seconds {refused}, farewell in {farewell}")
    assert refused and farewell and refused[0] <= farewell[0] - 2, log[-4000:]


def quota(tool):
    """RFC 8656 7.2: 486 to one side costs it its relay, and not the call."""
    with lab.Lab("symmetric", "symmetric") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan"), extra=["--user-quota=1"]) as turn:
            agents = driver.call(tool, place, driver.servers(turn))
            with_relay = [agent.name for agent in agents if "relay" in agent.candidate_types()]
            assert len(with_relay) == 1, with_relay
            assert all(agent.relayed for agent in agents)
            assert any("486" in line for agent in agents for line in agent.log)


def blackout(tool):
    """Nothing passes for four seconds: the same pair goes on after that."""
    with lab.Lab("port-restricted", "none") as place:
        agents = play(
            tool, place, {}, 11, (2, lambda: place.blackhole("a")), (6, lambda: place.blackhole("a", False)))
        lost(agents, 5.5)


def narrow(tool):
    """A line of 600 bytes that drops what is larger: checks and small packets
    pass, and nothing waits for an ICMP that does not come."""
    with lab.Lab("port-restricted", "symmetric", mtu=600) as place:
        for side in "ab":
            place.boxes[f"nat-{side}"].nft(
                "table inet hole { chain out { type filter hook output priority 0; icmp type destination-unreachable drop; } ; }")
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            lost(driver.call(tool, place, driver.servers(turn)), 0.1)


def slow_line(tool):
    """512 kbit/s each way: two thirds of it are media."""
    with lab.Lab("port-restricted", "port-restricted", rate="512kbit") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            lost(driver.call(tool, place, {**driver.servers(turn), "RATE": "200", "SECONDS": "3"}), 0.1)


def main():
    tool = sys.argv[1]
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    tap.run([
        ("coturn dies under a direct call", lambda: server_dies_direct(tool)),
        ("coturn restarts under a relayed call, UDP", lambda: server_restarts(tool, "udp", 3)),
        ("coturn restarts under a relayed call, TCP", lambda: server_restarts(tool, "tcp", 5)),
        ("nonces that age", lambda: stale_nonces(tool)),
        ("a quota of one allocation", lambda: quota(tool)),
        ("a blackout of four seconds", lambda: blackout(tool)),
        ("a narrow line, and no word of it", lambda: narrow(tool)),
        ("a slow line", lambda: slow_line(tool)),
    ], at_once=4)


if __name__ == "__main__":
    main()
