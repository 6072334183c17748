# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting without sleeping, a pair of agents, and a server that refuses."""

import socket
import struct
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstIce", "1.0")
from gi.repository import GLib, Gst, GstIce  # noqa: F401 (for api.py)

CONTEXT = GLib.MainContext.default()


def wait(condition, what, seconds=10):
    """Runs the main context until the condition holds."""
    expired = []
    source = GLib.timeout_source_new(int(seconds * 1000))
    source.set_callback(lambda *_: expired.append(True))
    source.attach(CONTEXT)
    try:
        while not condition():
            assert not expired, f"{what}: not within {seconds} s"
            CONTEXT.iteration(True)
    finally:
        source.destroy()


def make_agent(**properties):
    return GstIce.Agent(main_context=CONTEXT, **properties)


class Side:
    """An agent whose signals are remembered: heard["new-candidate"]."""

    SIGNALS = (
        "new-candidate", "gathering-done", "end-of-candidates", "selected-pair", "new-remote-candidate", "first-check",
        "candidate-error", "credentials-needed", "consent-lost", "error", "warning", "local-description",
        "restart-needed")

    def __init__(self, coverage, **properties):
        self.agent = make_agent(**properties)
        self.heard = {name: [] for name in self.SIGNALS}
        for name in self.SIGNALS:
            coverage.listen(self.agent, name, lambda _, *arguments, name=name: self.heard[name].append(arguments))

    def state(self):
        return self.agent.get_property("state")

    def connected(self):
        return self.state() in (GstIce.State.CONNECTED, GstIce.State.COMPLETED)


def trickle(one, other, name):
    """Credentials now, candidates as they come, the end of them as well."""
    theirs = other.agent.request_stream(name)
    theirs.set_remote_credentials(*one.agent.request_stream(name).get_local_credentials())
    one.agent.connect("new-candidate", lambda _, stream, candidate: theirs.add_remote_candidate(candidate))
    one.agent.connect("end-of-candidates", lambda _, stream: theirs.end_remote_candidates())


def connect_pair(coverage, name="data", **properties):
    alice = Side(coverage, controlling=True, **properties)
    bob = Side(coverage, controlling=False, **properties)
    for side in (alice, bob):
        side.transport = side.agent.request_stream(name).get_transport(1)
    trickle(alice, bob, name)
    trickle(bob, alice, name)
    for side in (alice, bob):
        side.agent.gather()
    wait(lambda: alice.connected() and bob.connected(), "a pair connects")
    return alice, bob


class RefusingTurnServer:
    """Answers every Allocate with 401, whoever asks (RFC 8656 7.2)."""

    REALM, NONCE = b"ice.test", b"nonce0123456"

    def __enter__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while True:
            request, sender = self.sock.recvfrom(2048)
            if request == b"end":
                return
            body = self.attribute(0x0009, b"\0\0\4\1Unauthorized")
            body += self.attribute(0x0014, self.REALM) + self.attribute(0x0015, self.NONCE)
            kind = struct.unpack_from("!H", request)[0] | 0x0110  # an error answer to it
            self.sock.sendto(struct.pack("!HH", kind, len(body)) + request[4:20] + body, sender)

    @staticmethod
    def attribute(kind, value):
        return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)

    def __exit__(self, *unused):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"end", ("127.0.0.1", self.port))
        self.thread.join()
        self.sock.close()
