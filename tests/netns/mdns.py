#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Candidates with names in place of addresses, on one link without any server.

      alice  10.9.0.1  fd00:9::1  ------------------  10.9.0.2  fd00:9::2  bob

  mdns.py GST_ICE_TOOL
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import boxes
import pair
import tap
from patience import stretched

SECONDS = 1
RATE = 100
IPV4 = {"alice": "10.9.0.1", "bob": "10.9.0.2"}
IPV6 = {"alice": "fd00:9::1", "bob": "fd00:9::2"}
NAME = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.local$")


class Link:
    """Two hosts on one cable."""

    def __init__(self, families="46"):
        self.families = families
        name = f"ice{os.getpid()}-{next(boxes.numbers)}"
        self.boxes = {host: boxes.Box(name, host, ipv6=True) for host in ("alice", "bob")}

    def __enter__(self):
        hosts = self.boxes
        boxes.root_batch([f"netns add {box.namespace}" for box in hosts.values()])
        boxes.root_batch([f"link add name eth0 netns {hosts['alice'].namespace} type veth "
                          f"peer name eth0 netns {hosts['bob'].namespace}"])
        for name, box in hosts.items():
            box.add("link set eth0 up")
            if "4" in self.families:
                box.add(f"address add {IPV4[name]}/24 dev eth0")
            if "6" in self.families:
                box.add(f"address add {IPV6[name]}/64 dev eth0 nodad")
            box.start()
        return self

    def __exit__(self, *unused):
        boxes.remove(list(self.boxes.values()))

    def prefix(self, host):
        return self.boxes[host].prefix


def addresses_in(agent):
    """Of interfaces, in anything that the agent said."""
    return [line for line in agent.log for ip in (*IPV4.values(), *IPV6.values()) if ip in line]


def call(tool, link, left, right):
    common = {"SECONDS": str(SECONDS), "RATE": str(RATE), "MODE": "trickle"}
    alice = pair.Agent("alice", [*link.prefix("alice"), tool, "peer"],
                       {**common, "ICE_ROLE": "controlling", "MDNS": left})
    bob = pair.Agent("bob", [*link.prefix("bob"), tool, "peer"], {**common, "ICE_ROLE": "controlled", "MDNS": right})
    ended = pair.run(alice, bob, timeout=30)
    for agent in (alice, bob):
        tap.comment(agent.report())
    try:
        assert ended, "an agent had to be ended"
        for agent in (alice, bob):
            assert agent.process.returncode == 0, f"{agent.name} ended with {agent.process.returncode}"
            assert agent.received >= SECONDS * RATE * 0.9, f"{agent.name} received {agent.received}"
    except AssertionError:
        for agent in (alice, bob):
            tap.comment("\n".join([f"--- {agent.name}", *agent.log]))
        raise
    return alice, bob


def both_publish(tool, families):
    with Link(families) as link:
        alice, bob = call(tool, link, "publish", "publish")
    for agent in (alice, bob):
        names = {address for address, _ in agent.addresses("host")}
        # One for each address (the draft, 3.1.1).
        assert len(names) == len(families) and all(map(NAME.match, names)), names
        assert not addresses_in(agent), addresses_in(agent)
        assert agent.connected_ms < stretched(1000), agent.connected_ms
    assert alice.pair[2] == "udp"


def one_publishes(tool, other):
    """Who is off does not look the name up, and is found all the same."""
    with Link() as link:
        alice, bob = call(tool, link, "publish", other)
    assert not [line for line in addresses_in(alice) if IPV4["alice"] in line or IPV6["alice"] in line], alice.log
    assert {address for address, _ in bob.addresses("host")} == {IPV4["bob"], IPV6["bob"]}


def nobody_may(tool):
    """Two that publish, and the other's names are not asked for: no call."""
    with Link() as link:
        alice = pair.Agent("alice", [*link.prefix("alice"), tool, "peer"], {"SECONDS": "1", "MDNS": "publish"})
        bob = pair.Agent("bob", [*link.prefix("bob"), tool, "peer"],
                         {"SECONDS": "1", "MDNS": "publish", "ICE_ROLE": "controlled"})
        pair.run(alice, bob, timeout=4, tamper=lambda agent, line: re.sub(r"\S+\.local", "nobody.local", line))
    for agent in (alice, bob):
        assert agent.connected_ms is None, agent.connected_ms


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def avahi(link, host, name):
    """avahi-daemon in the box of the host, on a message bus of its own."""
    box = link.boxes[host]
    with tempfile.TemporaryDirectory() as folder:
        # Its files are in /run/avahi-daemon, wherever it runs: only there.
        pathlib.Path(folder, "bus.conf").write_text(
            '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" '
            '"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd"><busconfig>'
            f"<type>system</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>"
            '<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>'
            '<allow receive_sender="*"/></policy></busconfig>')
        pathlib.Path(folder, "avahi.conf").write_text(
            f"[server]\nhost-name={name}\nuse-ipv4=yes\nuse-ipv6=no\nallow-interfaces=eth0\nenable-dbus=yes\n"
            "[publish]\npublish-workstation=no\npublish-hinfo=no\n"
            # A candidate's name has one address (the draft, 3.2.2).
            "publish-aaaa-on-ipv4=no\n")
        script = (f"mount -t tmpfs none /run && mkdir -p /run/avahi-daemon && "
                  f"exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f {folder}/avahi.conf")
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus"}
        bus = subprocess.Popen(["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={folder}/bus.conf"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        daemon = None
        try:
            wait_for(pathlib.Path(folder, "bus").exists, 10, "the message bus")
            daemon = subprocess.Popen([*box.prefix, "unshare", "--mount", "sh", "-c", script], env=environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            started = []
            for line in daemon.stdout:
                started.append(line)
                if "Server startup complete" in line:
                    break
            else:
                raise tap.Skip("avahi-daemon does not start here: " + "".join(started[-2:]).strip())
            yield lambda asked: subprocess.run(
                [*box.prefix, "avahi-resolve", "--name", asked], env=environment, capture_output=True, text=True,
                timeout=20)
        finally:
            for process in filter(None, (daemon, bus)):
                process.terminate()
                process.wait()


def need_avahi():
    for program, package in (("avahi-daemon", "avahi-daemon"), ("avahi-resolve", "avahi-utils"),
                             ("dbus-daemon", "dbus")):
        if not shutil.which(program):
            raise tap.Skip(f"no {program}: apt-get install {package}")


def found_by_avahi(tool):
    """A daemon of others resolves our name, and we leave it alone on port 5353."""
    need_avahi()
    with Link("4") as link, avahi(link, "bob", "bob") as resolve:
        alice = subprocess.Popen(
            [*link.prefix("alice"), tool, "peer"], env={**os.environ, "MDNS": "publish", "SECONDS": "20"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            name = next(m.group(1) for m in map(re.compile(r"(\S+\.local) \d+ typ host").search, alice.stdout) if m)
            answer = resolve(name)
            tap.comment(answer.stdout + answer.stderr)
            assert answer.stdout.split() == [name, IPV4["alice"]], answer
        finally:
            alice.terminate()
            alice.wait()


def finds_avahi(tool):
    """The name of a host that a daemon answers for, as a remote candidate."""
    need_avahi()
    with Link("4") as link, avahi(link, "bob", "bobs-host"):
        listen = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('10.9.0.2', 9876)); "
                  "print('ready', flush=True); s.settimeout(20); print(s.recvfrom(2000)[1][0], flush=True)")
        bob = subprocess.Popen([*link.prefix("bob"), "/usr/bin/python3", "-c", listen], stdout=subprocess.PIPE, text=True)
        assert bob.stdout.readline() == "ready\n"
        alice = subprocess.Popen([*link.prefix("alice"), tool, "peer"], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, text=True, env={**os.environ, "SECONDS": "20"})
        try:
            began = time.monotonic()
            for line in ("a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx",
                         "a=candidate:1 1 udp 2122262783 bobs-host.local 9876 typ host"):
                alice.stdin.write(f"REMOTE {line}\n")
            alice.stdin.flush()
            assert bob.stdout.readline() == f"{IPV4['alice']}\n"
            tap.comment(f"checked after {(time.monotonic() - began) * 1000:.0f} ms")
        finally:
            for process in (alice, bob):
                process.kill()
                process.wait()


def heard_on_the_link(tool):
    """RFC 6762 8.3 and 10.1: what a third host hears of an agent's life."""
    with Link("4") as link:
        listen = ("import socket, struct, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                  "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('224.0.0.251', 5353)); "
                  "s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, "
                  "socket.inet_aton('224.0.0.251') + socket.inet_aton('10.9.0.2')); print('ready', flush=True)\n"
                  "while True:\n d, a = s.recvfrom(2000)\n print(a[0], a[1], d.hex(), flush=True)")
        bob = subprocess.Popen([*link.prefix("bob"), "/usr/bin/python3", "-c", listen], stdout=subprocess.PIPE, text=True)
        try:
            assert bob.stdout.readline() == "ready\n"
            alice = subprocess.Popen([*link.prefix("alice"), tool, "peer"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, env={**os.environ, "MDNS": "publish"})
            name = next(m.group(1) for m in map(re.compile(r"(\S+)\.local \d+ typ host").search, alice.stdout) if m)
            host, port, data = bob.stdout.readline().split()
            assert (host, port) == (IPV4["alice"], "5353"), (host, port)
            record = bytes([len(name)]) + name.encode() + b"\5local\0\0\1\x80\1"
            ttl = bytes.fromhex(data).split(record)[1][:4]
            assert ttl == bytes([0, 0, 0, 120]), data
            assert bytes.fromhex(data).split(record)[1][6:10] == socket.inet_aton(IPV4["alice"])
            alice.stdin.close()
            alice.wait(timeout=10)
            # Goodbye, behind a second announcement perhaps.
            end = threading.Timer(10, bob.kill)
            end.start()
            while bytes.fromhex(data).split(record)[1][:4] != bytes(4):
                line = bob.stdout.readline()
                assert line, "no goodbye within 10 s"
                data = line.split()[2]
            end.cancel()
        finally:
            bob.kill()
            bob.wait()


def main():
    tool = sys.argv[1]
    reason = boxes.unavailable("table ip t {}")
    if reason:
        tap.skip_all(reason)
        return
    tap.run([
        ("mdns: both publish, IPv4 and IPv6", lambda: both_publish(tool, "46")),
        ("mdns: both publish, IPv4", lambda: both_publish(tool, "4")),
        ("mdns: both publish, IPv6", lambda: both_publish(tool, "6")),
        ("mdns: one publishes, the other resolves", lambda: one_publishes(tool, "resolve")),
        ("mdns: one publishes, the other is off", lambda: one_publishes(tool, "off")),
        ("mdns: a name that nobody has leads nowhere", lambda: nobody_may(tool)),
        ("mdns: announced, and withdrawn at the end", lambda: heard_on_the_link(tool)),
        ("mdns: avahi finds our name", lambda: found_by_avahi(tool)),
        ("mdns: we find the name of avahi", lambda: finds_avahi(tool)),
    ])


if __name__ == "__main__":
    main()
