#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers by name, with a DNS server of our own in a namespace of our own:

    gst-ice-1.0 gather ---- 127.0.0.1:53 dnsmasq (zone test; slow.test: silent)
                     \\---- 10.99.7.1 coturn        10.99.7.9 nobody

  names.py GST_ICE_TOOL
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "interop"))

import coturn
import tap
from patience import stretched

TOOL = sys.argv[1]
SPACE = f"ice-names-{os.getpid()}"
ADDRESS, NOBODY = "10.99.7.1", "10.99.7.9"
PORT = 5678
DNSMASQ = shutil.which("dnsmasq", path=os.environ.get("PATH", "") + ":/usr/sbin")
GOOD = f"{coturn.USER}:{coturn.PASSWORD}"


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)


class Space:
    """A namespace with one address, a resolv.conf, a DNS and a TURN server."""

    def __enter__(self):
        self.etc = pathlib.Path("/etc/netns") / SPACE
        self.prefix = ["ip", "netns", "exec", SPACE]
        self.dns = self.turn = None
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        run("ip", "netns", "add", SPACE)
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:1\n", encoding="ascii")
        inside = ["ip", "-n", SPACE]
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        run(*inside, "address", "add", f"{ADDRESS}/24", "dev", "v0")
        run(*inside, "link", "set", "v0", "up")
        run(*inside, "link", "set", "v1", "up")
        # A neighbour that takes what is sent to it, and is silent.
        run(*inside, "neighbour", "add", NOBODY, "lladdr", "02:00:00:00:00:09", "dev", "v0")
        self.dns = subprocess.Popen(
            [*self.prefix, DNSMASQ, "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
             "--port=53", "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--user=root",
             "--local=/test/", f"--server=/slow.test/{NOBODY}",
             f"--host-record=turn.test,{ADDRESS}", f"--host-record=dead.test,{NOBODY}",
             f"--srv-host=_turn._udp.call.test,turn.test,{PORT},10,0",
             f"--srv-host=_turn._udp.call.test,dead.test,{PORT},20,0",
             f"--srv-host=_stun._udp.call.test,turn.test,{PORT},10,0",
             f"--srv-host=_turn._tcp.call.test,turn.test,{PORT},10,0",
             "--srv-host=_turn._tcp.absent.test", f"--host-record=absent.test,{ADDRESS}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while subprocess.run([*self.prefix, "getent", "ahostsv4", "turn.test"], capture_output=True).returncode:
            assert time.monotonic() < deadline and self.dns.poll() is None, "dnsmasq did not start"
        self.turn = coturn.Coturn(ADDRESS, PORT, self.prefix)
        self.turn.__enter__()

    def __exit__(self, *unused):
        if self.turn:
            self.turn.__exit__()
        if self.dns:
            self.dns.terminate()
            self.dns.wait()
        subprocess.run(["ip", "netns", "del", SPACE], capture_output=True)
        shutil.rmtree(self.etc, ignore_errors=True)


def gather(space, *servers):
    command = [*space.prefix, TOOL, "gather", "--json", "--timeout", "4"]
    for server in servers:
        command += ["-t" if server.startswith("turn") else "-s", server]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    last = max(c["seconds"] for c in found["candidates"])
    tap.comment(f"last candidate after {last:.3f} s, gathering done after {found['gathered']:.3f} s; " +
                ", ".join(f"{e['seconds']:.2f} s: {e['text']}" for e in found["errors"]))
    found["last"] = last
    return found


def kinds(found):
    return {candidate["type"] for candidate in found["candidates"]}


def srv(transport=""):
    def check():
        with Space() as space:
            found = gather(space, f"turn:{GOOD}@call.test{transport}")
            assert "relay" in kinds(found) and not found["errors"], found
    return check


def srv_stun():
    """The mapping is that of the host: no candidate, and no error."""
    with Space() as space:
        found = gather(space, "stun:call.test")
        assert not found["errors"], found


def port_counts():
    """With a port there is no SRV: the host itself, which call.test is not."""
    with Space() as space:
        found = gather(space, f"turn:{GOOD}@call.test:{PORT}")
        assert "relay" not in kinds(found) and len(found["errors"]) == 1, found
        found = gather(space, f"turn:{GOOD}@turn.test:{PORT}")
        assert "relay" in kinds(found) and not found["errors"], found


def absent():
    with Space() as space:
        found = gather(space, f"turn:{GOOD}@absent.test?transport=tcp")
        assert [e for e in found["errors"] if "no service _turn._tcp" in e["text"]], found


def one_of_each():
    """A live one beside every fault there is: done 0.5 s after the last useful answer."""
    with Space() as space:
        found = gather(
            space, f"turn:{GOOD}@call.test", "stun:call.test", f"stun:{NOBODY}", f"turn:{GOOD}@{NOBODY}",
            "stun:none.test", f"turn:{GOOD}@slow.test", f"turn:alice:wrong@turn.test:{PORT}",
            f"turn:{GOOD}@{NOBODY}?transport=tcp", f"turn:{GOOD}@turn.test:1?transport=tcp")
        assert {"host", "relay"} <= kinds(found), found
        assert found["gathered"] <= found["last"] + stretched(0.6), (found["gathered"], found["last"])
        told = {error["url"].split("?")[0].removeprefix("turn:").removeprefix("stun:") for error in found["errors"]}
        for url in ("none.test:3478", "slow.test:3478", f"{NOBODY}:3478", f"turn.test:{PORT}", "turn.test:1"):
            assert url in told, (url, told)
        for error in found["errors"]:
            assert error["seconds"] < 2 + stretched(0.5), error


def only_slow():
    """A name that hangs: what is known is done without it."""
    with Space() as space:
        found = gather(space, "stun:slow.test")
        assert found["gathered"] < stretched(0.8), found["gathered"]
        assert found["errors"] and found["errors"][0]["seconds"] < 2 + stretched(0.3), found


def main():
    tap.run([
        ("SRV, turn over UDP", srv()),
        ("SRV, turn over TCP", srv("?transport=tcp")),
        ("SRV, stun", srv_stun),
        ("a port in the URI", port_counts),
        ("SRV says that there is none", absent),
        ("one of each fault", one_of_each),
        ("only a slow name", only_slow),
    ])


if __name__ == "__main__":
    if os.geteuid() != 0:
        tap.skip_all("namespaces need root")
    elif not DNSMASQ:
        tap.skip_all("no dnsmasq: apt-get install dnsmasq-base")
    elif not coturn.available():
        tap.skip_all("no turnserver: apt-get install coturn")
    else:
        main()
