# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pairs two ICE agents that speak the line protocol of `gst-ice-1.0 peer`.

What one prints as LOCAL the other reads as REMOTE; the rest is kept. The
agents end by themselves; a deadline ends those that do not.
"""

import ipaddress
import os
import re
import selectors
import signal
import subprocess
import time


class Agent:
    """One agent's process, and what it said."""

    def __init__(self, name, argv, env=None):
        self.name = name
        self.candidates = []
        self.states = []  # (name, ms since its start)
        self.pairs = []  # (local type, remote type, protocol)
        self.selections = []  # (when, (address, port), (address, port)): local, remote
        # of the clock that says when
        self.spoke_at = self.connected_at = self.completed_at = self.first_packet_at = None
        self.received = 0
        self.lost = None
        self.gap = None  # ms, the longest without a packet
        self.log = []
        self.half_line = b""
        # Unbuffered: what a buffer held back, select() would not tell about.
        self.process = subprocess.Popen(
            argv, env={**os.environ, **(env or {})}, bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def read_lines(self):
        """What has come by now; None at the end."""
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            return None
        *lines, self.half_line = (self.half_line + data).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in lines]

    def take(self, line):
        """Keeps what the line says. The attribute, if it is for the peer."""
        self.log.append(line)
        self.spoke_at = self.spoke_at or time.monotonic()
        word, _, rest = line.partition(" ")
        if word == "LOCAL":
            if rest.startswith("a=candidate:"):
                self.candidates.append(rest)
            return rest
        if word == "STATE":
            name, ms = rest.split()
            self.states.append((name, int(ms)))
            if name in ("connected", "completed") and self.connected_at is None:
                self.connected_at = time.monotonic()
            if name == "completed" and self.completed_at is None:
                self.completed_at = time.monotonic()
        elif line == "peer: the first packet came":
            self.first_packet_at = time.monotonic()
        elif word == "PAIR":
            self.pairs.append(tuple(rest.split()))
        elif line.startswith("peer: selected "):
            local, local_port, remote, remote_port = rest.split()[1:]
            self.selections.append((time.monotonic(), (local, local_port), (remote, remote_port)))
        elif word == "RX":
            self.received = int(rest)
        elif word == "LOST":
            self.lost = int(rest)
        elif word == "GAP":
            self.gap = int(rest)
        return None

    def tell(self, attribute):
        try:
            self.process.stdin.write(f"REMOTE {attribute}\n".encode())
        except BrokenPipeError:
            pass  # it ended: its exit status tells

    @property
    def connected_ms(self):
        return next((ms for name, ms in self.states if name in ("connected", "completed")), None)

    def selected(self, when=float("inf")):
        """Local and remote address of the selected pair at a time."""
        return next((pair[1:] for pair in reversed(self.selections) if pair[0] <= when), None)

    @property
    def pair(self):
        return self.pairs[-1] if self.pairs else None

    @property
    def relayed(self):
        return self.pair is not None and "relay" in self.pair[:2]

    def addresses(self, kind):
        """(address, port) of each own candidate of the kind."""
        return {tuple(c.split()[4:6]) for c in self.candidates if f" typ {kind}" in c}

    def candidate_types(self):
        return sorted({re.search(r" typ (\w+)", c).group(1) for c in self.candidates})

    def report(self):
        return (f"{self.name}: exit {self.process.returncode}, connected after {self.connected_ms} ms, "
                f"pair {self.pair}, received {self.received}, lost {self.lost}")


def untranslated(address, port):
    """A NAT64 gives each IPv4 address another name (RFC 6052 2.1): its own."""
    if address.startswith("64:ff9b::"):
        address = str(ipaddress.IPv4Address(ipaddress.IPv6Address(address).packed[12:]))
    return address, port


def one_path(left, right, when=float("inf")):
    """Whether both ends had selected the same pair, at a time.

    A NAT between them gives each address another name, but not a relay's: who
    sends through its relay must be answered at the relay's address, and who
    does not must not.
    """
    for agent, peer in ((left, right), (right, left)):
        relays = agent.addresses("relay")
        local, remote = (
            untranslated(*address) for address in (agent.selected(when)[0], peer.selected(when)[1]))
        if (local in relays or remote in relays) and local != remote:
            return False
    return True


def run(left, right, timeout=30, tamper=None, connected=None, enough=None):
    """Lets two Agents talk until both end. TRUE if nobody had to be killed.

    connected() is called when both of them are; when enough() they are ended.

    tamper(agent, attribute) may change an attribute on its way or, by None,
    lose it.
    """
    peers = {left: right, right: left}
    selector = selectors.DefaultSelector()
    for agent in peers:
        selector.register(agent.process.stdout, selectors.EVENT_READ, agent)
    deadline = time.monotonic() + timeout
    try:
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(deadline - time.monotonic()):
                agent = key.data
                lines = agent.read_lines()
                if lines is None:
                    selector.unregister(agent.process.stdout)
                for attribute in filter(None, map(agent.take, lines or ())):
                    if tamper:
                        attribute = tamper(agent, attribute)
                    if attribute:
                        peers[agent].tell(attribute)
                if connected and left.connected_at and right.connected_at:
                    connected()
                    connected = None
            if enough and enough():
                break
        return not selector.get_map()
    finally:
        for agent in peers:
            end(agent.process)


def end(process, patience=5):
    """Ends a child we started, and waits for it."""
    if process.stdin:
        process.stdin.close()
    if process.poll() is None:
        try:
            # It may be on its way out already.
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if process.stdout:
        process.stdout.close()
