#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The laboratory is what it says it is: each gateway, each line, each fault."""

import concurrent.futures
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import boxes
import lab
import lines
import tap
from patience import stretched

# At once: the probes wait more than they work.
SIDE_BY_SIDE = 4


def prove(*arguments, **options):
    with lab.Lab(*arguments, **options) as place:
        place.prove()


def every_kind():
    """Two at a time; four labs side by side, and none hears of the others."""
    pairs = list(zip(lab.KINDS, reversed(lab.KINDS)))
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(lambda pair: prove(*pair), pairs))


def hairpinning():
    """RFC 4787 6, and who is in one LAN needs none of it."""
    for together in ("nat", "hairpin", "lan"):
        for kind in ("full-cone", "port-restricted"):
            prove(kind, kind, together=together)


def mapped_port(place, host):
    found = place.execute(
        host, sys.executable, "-c",
        "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(3); s.bind(('0.0.0.0', 5000));"
        f"s.sendto(b'seen', ('{lab.SERVER}', 7001)); print(s.recv(64).decode())", capture_output=True)
    return tuple(found.stdout.split())


def rebinding():
    """The same socket has another port, then another address, and the kind stays."""
    with lab.Lab("port-restricted", "full-cone") as place:
        place.prove()
        first, again = mapped_port(place, "alice"), mapped_port(place, "alice")
        assert first == again, (first, again)
        place.rebind("a")
        second = mapped_port(place, "alice")
        assert second != first and second[0] == first[0], (first, second)
        place.rebind("a", address=True)
        third = mapped_port(place, "alice")
        assert third[0] == lab.OUTSIDE_NEXT["a"], third
        place.rebind("b")
        place.prove()


def addresses(place, host):
    links = json.loads(place.execute(host, "ip", "-j", "-4", "address", capture_output=True).stdout)
    return {link["ifname"]: [info["local"] for info in link["addr_info"]] for link in links if link["ifname"] != "lo"}


def interfaces():
    """down takes the addresses away; the other interface carries on."""
    with lab.Lab("port-restricted", "none", second="symmetric") as place:
        place.prove()
        assert addresses(place, "alice") == {"eth0": ["10.1.0.2"], "eth1": ["10.3.0.2"]}
        assert mapped_port(place, "alice")[0] == lab.OUTSIDE["a"]
        place.down("alice", "eth0")
        assert addresses(place, "alice") == {"eth1": ["10.3.0.2"]}, addresses(place, "alice")
        assert mapped_port(place, "alice")[0] == lab.OUTSIDE["c"]
        place.up("alice", "eth0")
        place.prove()
        assert mapped_port(place, "alice")[0] == lab.OUTSIDE["a"]
    with lab.Lab("port-restricted", "none", second="symmetric", second_up=False) as place:
        assert addresses(place, "alice") == {"eth0": ["10.1.0.2"]}
        place.up("alice", "eth1")
        assert addresses(place, "alice") == {"eth0": ["10.1.0.2"], "eth1": ["10.3.0.2"]}


def losing():
    """20 % each way: 64 % of the requests are answered; then all, then none."""
    with lab.Lab("none", "port-restricted", loss=20) as place:
        answered = place.probe("bob", "count", "500")["answered"]
        # Six standard deviations.
        assert 256 < answered < 384, answered
        place.set_loss(0)
        assert place.probe("bob", "count", "100")["answered"] == 100
        place.blackhole("b")
        assert place.probe("bob", "count", "20")["answered"] == 0
        place.blackhole("b", False)
        assert place.probe("bob", "count", "20")["answered"] == 20


def delaying():
    if boxes.no_tun() or not lines.tool():
        raise tap.Skip(boxes.no_tun() or "ICE_LAB_DELAY is not set")
    with lab.Lab("symmetric", "cgn", delay=15) as place:
        place.prove()
        for host in ("alice", "bob"):
            took = place.probe(host, "count", "50")
            assert took["answered"] == 50 and 30 <= took["ms"] < 30 + stretched(15), took
        place.relay.set_delay(30)
        assert 60 <= place.probe("alice", "count", "50")["ms"] < 60 + stretched(20)


def clean():
    """Nothing stays: no namespace, no process in one."""
    with lab.Lab("cgn", "symmetric") as place:
        name = place.name
        child = subprocess.Popen([*place.prefix("alice"), "sleep", "600"])
    assert child.wait(5) != 0
    shown = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert name not in shown, shown


def main():
    reason = lab.unavailable()
    if reason:
        tap.skip_all(reason)
        return
    tap.run([
        ("every kind of gateway", every_kind),
        ("RFC 4787 6: hairpinning", hairpinning),
        ("NAT rebinding", rebinding),
        ("interfaces", interfaces),
        ("loss", losing),
        ("delay", delaying),
        ("nothing stays", clean),
    ])


if __name__ == "__main__":
    main()
