#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Relayed calls through a coturn that is reached through a proxy, and proxies
that are dead or refuse: that costs the servers behind them, and is told within
two seconds.

  turn-proxy.py GST_ICE_TOOL
"""

import functools
import json
import pathlib
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import coturn
import pair
import proxies
import tap

TOOL = sys.argv[1]
RATE = 200


def call(kind, auth, host="127.0.0.1"):
    """Both are relayed only, and all they say is said to the proxy."""
    with coturn.Coturn() as turn, kind(auth) as proxy:
        both = [
            pair.Agent(role, [TOOL, "peer"], {
                "ICE_ROLE": role, "RELAY_ONLY": "1", "TURN_URI": f"turn:{host}:{turn.port}?transport=tcp",
                "TURN_USER": coturn.USER, "TURN_PASS": coturn.PASSWORD, "SECONDS": "1", "RATE": str(RATE),
                "PROXY": proxy.uri()})
            for role in ("controlling", "controlled")]
        ended = pair.run(*both)
        log = proxy.log_text()
        for agent in both:
            tap.comment(agent.report())
        try:
            assert ended, "an agent had to be ended"
            for agent in both:
                assert agent.process.returncode == 0, f"{agent.name} ended with {agent.process.returncode}"
                assert agent.pair[:2] == ("relay", "relay"), agent.pair
                assert agent.received >= RATE, f"{agent.name} received {agent.received} packets"
                assert proxies.PASSWORD not in "\n".join(agent.log)
            assert f"{host}:{turn.port}" in log, "the proxy was not asked"
        except AssertionError:
            for agent in both:
                tap.comment("\n".join(agent.log))
            tap.comment(log)
            raise


def gather(proxy, turn_port, *more):
    run = subprocess.run(
        [TOOL, "gather", "--json", "--proxy", proxy, "-t",
         f"turn:{coturn.USER}:{coturn.PASSWORD}@127.0.0.1:{turn_port}?transport=tcp", *more],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=40)
    assert run.returncode in (0, 1), run.stderr
    assert "wrong-one" not in run.stdout + run.stderr
    assert proxies.PASSWORD not in run.stdout + run.stderr
    found = json.loads(run.stdout)
    tap.comment(json.dumps(found["errors"]))
    return found


def assert_told(found, *words):
    """One error, in time, that names the proxy; and the host candidates."""
    assert len(found["errors"]) == 1, found
    error = found["errors"][0]
    assert error["seconds"] < 2, error
    for word in ("proxy", *words):
        assert word in error["text"], error
    assert found["complete"] and found["candidates"], found


def wrong_password(kind):
    with coturn.Coturn() as turn, kind(True) as proxy:
        assert_told(gather(proxy.uri("wrong-one"), turn.port), "refuses user or password", str(proxy.port))


def no_password(kind):
    with coturn.Coturn() as turn, kind(True) as proxy:
        proxy.auth = False  # as far as the URI goes
        assert_told(gather(proxy.uri(), turn.port), "wants a user", str(proxy.port))


def nobody_listens(scheme):
    port = coturn.free_port()
    assert_told(gather(f"{scheme}://127.0.0.1:{port}", 3478), f"127.0.0.1:{port}", "refused")


def at_most_thrice(case):
    """Two seconds are what it takes on a machine that has time."""
    @functools.wraps(case)
    def run(*args):
        for attempt in range(3):
            try:
                return case(*args)
            except AssertionError:
                if attempt == 2:
                    raise
    return run


@at_most_thrice
def silent(scheme):
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert_told(gather(f"{scheme}://127.0.0.1:{port}", 3478), f"127.0.0.1:{port}", "no answer")


@at_most_thrice
def dead():
    """Nothing comes back, not even for a SYN: its queue is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        assert_told(gather(f"http://127.0.0.1:{address[1]}", 3478), f"127.0.0.1:{address[1]}", "does not answer")
        for filler in fillers:
            filler.close()


def dead_server(kind):
    """The proxy lives, and the server behind it does not."""
    with kind() as proxy:
        port = coturn.free_port()
        found = gather(proxy.uri(), port)
        assert_told(found, f"127.0.0.1:{proxy.port}")


def beside():
    """What is wrong with the proxy costs nothing else: UDP goes its own way."""
    with coturn.Coturn() as turn:
        port = coturn.free_port()
        found = gather(f"http://127.0.0.1:{port}", turn.port, "-s", turn.host_port,
                       "-t", f"turn:{coturn.USER}:{coturn.PASSWORD}@{turn.host_port}")
        assert_told(found, f"127.0.0.1:{port}")
        assert [c for c in found["candidates"] if c["type"] == "relay"], found


def wrong_uri():
    found = gather("https://carol:wrong-one@proxy.test", 3478)
    assert_told(found, "write http://")


def direct():
    with coturn.Coturn() as turn:
        found = gather("direct://", turn.port)
        assert not found["errors"], found
        assert [c for c in found["candidates"] if c["type"] == "relay"], found


def cases():
    for kind in (proxies.Tinyproxy, proxies.Squid, proxies.Microsocks):
        name = kind.program
        if kind is not proxies.Squid:
            yield f"{name}", kind, functools.partial(call, kind, False)
            yield f"{name}, a dead server behind it", kind, functools.partial(dead_server, kind)
        yield f"{name} with a password", kind, functools.partial(call, kind, True)
        yield f"{name} looks the name up", kind, functools.partial(call, kind, True, "localhost")
        yield f"{name}, wrong password", kind, functools.partial(wrong_password, kind)
        yield f"{name}, no password", kind, functools.partial(no_password, kind)


def main():
    kinds = {kind.program: kind.available() for _, kind, _ in cases()}
    for name, there in kinds.items():
        if not there:
            tap.comment(f"left out: no {name}, apt-get install {name}")
    tap.run([
        *((name, check) for name, kind, check in cases() if kind.available()),
        ("nobody listens, http", functools.partial(nobody_listens, "http")),
        ("nobody listens, socks5", functools.partial(nobody_listens, "socks5")),
        ("silent, http", functools.partial(silent, "http")),
        ("silent, socks5", functools.partial(silent, "socks5")),
        ("dead", dead),
        ("UDP beside a dead proxy", beside),
        ("a wrong URI", wrong_uri),
        ("direct://", direct),
    ])


if __name__ == "__main__":
    if coturn.available():
        main()
    else:
        tap.skip_all("no turnserver: apt-get install coturn")
