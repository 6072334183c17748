#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Relayed calls through a coturn that is reached over TCP, and through one that
is killed in mid-call and comes back, over whatever it is reached.

  turn-stream.py GST_ICE_TOOL
"""

import functools
import json
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import certificates
import coturn
import pair
import tap

TOOL = sys.argv[1]
RATE = 200


def uri(turn, transport):
    if transport in ("tls", "dtls"):
        host = turn.host_port.rpartition(":")[0]
        return f"turns:{host}:{turn.secure_port}?transport={'tcp' if transport == 'tls' else 'udp'}"
    return f"turn:{turn.host_port}?transport={transport}"


def agents(turn, seconds, transports, **more):
    """Both relayed, each over its own transport."""
    return [
        pair.Agent(role, [TOOL, "peer"], {
            "ICE_ROLE": role, "RELAY_ONLY": "1", "TURN_URI": uri(turn, transport),
            "TURN_USER": coturn.USER, "TURN_PASS": coturn.PASSWORD, "SECONDS": str(seconds), "RATE": str(RATE), **more})
        for role, transport in zip(("controlling", "controlled"), transports)]


def check(ended, both, received):
    for agent in both:
        tap.comment(agent.report())
    try:
        assert ended, "an agent had to be ended"
        for agent in both:
            assert agent.process.returncode == 0, f"{agent.name} ended with {agent.process.returncode}"
            assert agent.pair[:2] == ("relay", "relay"), agent.pair
            assert agent.received >= received, f"{agent.name} received {agent.received} packets, not {received:.0f}"
    except AssertionError:
        for agent in both:
            tap.comment(f"--- {agent.name}")
            tap.comment("\n".join(agent.log))
        raise


def call(transports, address="127.0.0.1"):
    with coturn.Coturn(address) as turn:
        both = agents(turn, 1, transports)
        check(pair.run(*both), both, RATE)


def restarted(transport, down, patience):
    """Killed, and there again after some seconds: media then within patience."""
    with certificates.Authority() as ca, coturn.Coturn(secure=ca.issue()) as turn:
        seconds = down + patience + 3
        both = agents(turn, seconds, (transport, transport), CONTINUAL="1", CA_FILE=str(ca.certificate))
        away = []

        def restart():
            """Once media flows both ways."""
            for agent in both:
                while not (agent.completed_at and agent.first_packet_at) and agent.process.poll() is None:
                    time.sleep(0.01)
            # It is in mid-call: no event says that the channels are bound.
            time.sleep(1)
            began = time.monotonic()
            turn.kill()
            # Not waiting: the accident, whose length is the case.
            time.sleep(down)
            turn.start()
            away.append(time.monotonic() - began)

        accident = threading.Thread(target=restart)
        accident.start()
        ended = pair.run(*both, timeout=60)
        accident.join()
        for agent in both:
            tap.comment(f"{agent.name}: silent for {agent.lost / RATE:.2f} s, the server was away for {away[0]:.2f} s")
        check(ended, both, (seconds - away[0] - patience) * RATE)


def wrong_password():
    with coturn.Coturn() as turn:
        run = subprocess.run(
            [TOOL, "gather", "--json", "-t", f"turn:{coturn.USER}:wrong-one@{turn.host_port}?transport=tcp"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    found = json.loads(run.stdout)
    assert [e["code"] for e in found["errors"]] == [401], found
    assert "wrong-one" not in run.stdout + run.stderr


def refused():
    """Nobody listens: told at once, with the cause."""
    run = subprocess.run(
        [TOOL, "gather", "--json", "-t", f"turn:a:b@127.0.0.1:{coturn.free_port()}?transport=tcp"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    found = json.loads(run.stdout)
    assert [e["code"] for e in found["errors"]] == [701], found
    assert "refused" in found["errors"][0]["text"], found
    assert found["complete"] and found["candidates"], found


def main():
    tap.run([
        ("both over TCP", functools.partial(call, ("tcp", "tcp"))),
        ("one over TCP, the other over UDP", functools.partial(call, ("tcp", "udp"))),
        ("both over TCP and IPv6", functools.partial(call, ("tcp", "tcp"), "::1")),
        ("wrong password", wrong_password),
        ("nobody listens", refused),
    ] + [
        (f"{name}, over {transport.upper()}", functools.partial(restarted, transport, down, patience))
        for name, down in (("restarted at once", 0), ("away for four seconds", 4))
        for transport, patience in (("udp", 3), ("tcp", 5), ("tls", 5), ("dtls", 5))
    ])


if __name__ == "__main__":
    if coturn.available():
        main()
    else:
        tap.skip_all("no turnserver: apt-get install coturn")
