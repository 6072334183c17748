# SPDX-License-Identifier: LGPL-2.1-or-later
"""A wire between two agents that loses packets by a seed and reads along.

Each candidate of one side is told to the other as a port of ours; what comes
there goes on from the port that stands for its sender. Thus nothing passes
beside the wire, and it knows which pair carries the media and who controls.
"""

import random
import re
import selectors
import socket
import struct
import threading

MAGIC_COOKIE = 0x2112A442
ICE_CONTROLLED, ICE_CONTROLLING = 0x8029, 0x802A
CANDIDATE = re.compile(r"^(a=candidate:\S+ \d+ )(udp|UDP)( \d+ )(\S+) (\d+)( typ .*)$")


def role_in(data):
    """What a Binding request says its sender is, or None."""
    if len(data) < 20 or struct.unpack_from("!HHI", data)[0::2] != (1, MAGIC_COOKIE):
        return None
    at = 20
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("!HH", data, at)
        if kind in (ICE_CONTROLLED, ICE_CONTROLLING):
            return "controlling" if kind == ICE_CONTROLLING else "controlled"
        at += 4 + (size + 3 & ~3)
    return None


class Wire:
    """with Wire(address, loss, seed) as wire: wire.put(side, attribute), sides 0 and 1."""

    def __init__(self, address, loss=0.0, seed=0):
        self.address = address
        self.loss = loss
        self.dice = random.Random(seed)
        self.ports = {}  # (side, its address): our socket that stands for it
        self.roles = [None, None]  # as each side said last
        self.media = [None, None]  # (from, to) of each side's last media, both real
        self.passed = self.dropped = 0
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        self.ended = False
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.ended = True
        self.thread.join()
        for port in self.ports.values():
            port.close()
        self.selector.close()

    def stand_for(self, side, real):
        with self.lock:
            if (side, real) not in self.ports:
                port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                port.bind((self.address, 0))
                port.setblocking(False)
                self.ports[side, real] = port
                self.selector.register(port, selectors.EVENT_READ, (side, real))
            return self.ports[side, real]

    def put(self, side, attribute):
        """The candidate line as the other side may read it; None when it may not."""
        if not attribute.startswith("a=candidate:"):
            return attribute
        line = CANDIDATE.match(attribute)
        if not line or ":" in line[4]:
            return None
        port = self.stand_for(side, (line[4], int(line[5]))).getsockname()[1]
        return f"{line[1]}{line[2]}{line[3]}{self.address} {port}{line[6]}"

    def work(self):
        while not self.ended:
            if not self.selector.get_map():
                threading.Event().wait(0.01)
                continue
            for key, _ in self.selector.select(0.05):
                self.carry(key.fileobj, *key.data)

    def carry(self, port, side, real):
        try:
            data, sender = port.recvfrom(65536)
        except OSError:
            return
        far = 1 - side
        role = role_in(data)
        if role:
            self.roles[far] = role
        elif data[4:8] != struct.pack("!I", MAGIC_COOKIE):
            self.media[far] = (sender, real)
        if self.dice.random() < self.loss:
            self.dropped += 1
            return
        self.passed += 1
        try:
            self.stand_for(far, sender).sendto(data, real)
        except OSError:
            pass  # the agent has ended

    @property
    def mirrored(self):
        """Both send to where the other sends from."""
        return None not in self.media and self.media[0] == self.media[1][::-1]
