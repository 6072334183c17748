#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our agent with libnice and aioice, in both roles, as a lite one and with
aggressive nomination, packets both ways.

  interop.py GST_ICE_TOOL [NICE_PEER]
"""

import functools
import itertools
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import coturn
import pair
import tap

SECONDS = 1
RATE = 100
PYTHON = "/usr/bin/python3"  # Debian's, which sees python3-aioice


def own_address():
    """An IPv4 address of this host that is not loopback, or None."""
    shown = subprocess.run(["ip", "-j", "-4", "address"], capture_output=True, text=True, check=True)
    for link in json.loads(shown.stdout):
        for info in link["addr_info"]:
            if info["scope"] == "global":
                return info["local"]
    return None


def have_aioice():
    return subprocess.run([PYTHON, "-c", "import aioice"], capture_output=True).returncode == 0


def call(ours, theirs, our_role, environment, expected_pair, **only_us):
    roles = ("controlling", "controlled")
    their_role = roles[1 - roles.index(our_role)]
    common = {"SECONDS": str(SECONDS), "RATE": str(RATE), **environment}
    us = pair.Agent("gst-ice", ours, {**common, **only_us, "ICE_ROLE": our_role})
    them = pair.Agent("peer", theirs, {**common, "ICE_ROLE": their_role})
    ended = pair.run(us, them, timeout=30)
    for agent in (us, them):
        tap.comment(agent.report())
    try:
        assert ended, "an agent had to be ended"
        for agent in (us, them):
            assert agent.process.returncode == 0, f"{agent.name} ended with {agent.process.returncode}"
            assert agent.received >= SECONDS * RATE * 0.9, f"{agent.name} received {agent.received}"
        assert us.pair[0] in expected_pair, us.pair
    except AssertionError:
        for agent in (us, them):
            tap.comment(f"--- {agent.name}")
            tap.comment("\n".join(agent.log))
        raise


def direct(ours, theirs, role, mode):
    call(ours, theirs, role, {"MODE": mode}, ("host", "prflx"))


def lite(ours, theirs, mode):
    """RFC 8445 2.5: we only answer, and the peer controls."""
    call(ours, theirs, "controlled", {"MODE": mode}, ("host",), LITE="1")


def aggressive(ours, theirs, mode):
    """RFC 5245 8.1.1.2: these peers do not say ice2."""
    call(ours, theirs, "controlling", {"MODE": mode}, ("host", "prflx"), NOMINATION="aggressive")


def relayed(ours, theirs, role, address):
    with coturn.Coturn(address) as turn:
        environment = {
            "STUN_SERVER": turn.host_port, "TURN_URI": f"turn:{turn.host_port}", "TURN_USER": coturn.USER,
            "TURN_PASS": coturn.PASSWORD, "RELAY_ONLY": "1"}
        call(ours, theirs, role, environment, ("relay",))


def skip(reason):
    raise tap.Skip(reason)


def main():
    ours = [sys.argv[1], "peer"]
    peers = {"libnice": sys.argv[2:3], "aioice": [PYTHON, str(HERE / "aioice-peer.py")]}
    missing = {
        "libnice": None if sys.argv[2:3] else "built without libnice: apt-get install libnice-dev",
        "aioice": None if have_aioice() else "no aioice: apt-get install python3-aioice",
    }
    address = own_address()
    if not address:
        tap.skip_all("libnice and aioice do not use loopback, and this host has no other IPv4 address")
        return
    cases = [(f"our own, we are lite, {mode}", functools.partial(lite, ours, ours, mode)) for mode in ("trickle", "full")]
    for name, role in itertools.product(peers, ("controlling", "controlled")):
        absent = missing[name] and functools.partial(skip, missing[name])
        for mode in ("trickle", "full"):
            cases.append((f"{name}, we are {role}, {mode}",
                          absent or functools.partial(direct, ours, peers[name], role, mode)))
            other = lite if role == "controlled" else aggressive
            cases.append((f"{name}, we are {other.__name__}, {mode}",
                          absent or functools.partial(other, ours, peers[name], mode)))
        no_turn = None if coturn.available() else functools.partial(skip, "no turnserver: apt-get install coturn")
        cases.append((f"{name}, we are {role}, relay only",
                      absent or no_turn or functools.partial(relayed, ours, peers[name], role, address)))
    tap.run(cases)


if __name__ == "__main__":
    main()
