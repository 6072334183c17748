#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds out what a NAT does, as RFC 5780 would, with a server of two addresses.

  probe.py reflect IP IP2   answers, in the middle; prints "ready"
  probe.py ask IP IP2       asks, from the inside; prints what it found as JSON
"""

import json
import selectors
import socket
import sys

PORT, PORT_2 = 7001, 7002
TIMEOUT = 2


def places(address, address_2):
    """Where the reflector listens; requests name these by index."""
    return [(address, PORT), (address, PORT_2), (address_2, PORT)]


def reflect(servers):
    selector = selectors.DefaultSelector()
    socks = []
    for server in servers:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(server)
        selector.register(sock, selectors.EVENT_READ)
        socks.append(sock)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            request, client = key.fileobj.recvfrom(64)
            # First a stranger's packet, if asked for, then the answer: the
            # path keeps the order, so with the answer it is known whether the
            # stranger was let in, and nobody has to wait for silence.
            if request.startswith(b"from "):
                socks[int(request[5:])].sendto(b"stranger", client)
            key.fileobj.sendto(f"{client[0]} {client[1]}".encode(), client)


class Asker:
    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("0.0.0.0", 0))
        self.sock.settimeout(TIMEOUT)

    def ask(self, server, request=b"seen"):
        """(address and port the server saw, whether a stranger came in)"""
        self.sock.sendto(request, server)
        stranger = False
        while True:
            data, sender = self.sock.recvfrom(64)
            if data == b"stranger":
                stranger = True
            elif sender == server:
                address, port = data.decode().split()
                return (address, int(port)), stranger


def find(servers):
    asker = Asker()
    first, other_port = asker.ask(servers[0], b"from 1")
    again, other_address = asker.ask(servers[0], b"from 2")
    assert first == again, "a flow changed its mapping"
    # The stray packets above must not have cost the mapping of these flows.
    mapped = [first] + [asker.ask(server)[0] for server in servers[1:]]
    mapping = {1: "endpoint-independent", 3: "address-and-port-dependent"}.get(len(set(mapped)), "address-dependent")
    if other_address:
        filtering = "endpoint-independent"
    else:
        filtering = "address-dependent" if other_port else "address-and-port-dependent"
    kept = first[1] == asker.sock.getsockname()[1]
    return {"mapping": mapping, "filtering": filtering, "port": "kept" if kept else "changed"}


if __name__ == "__main__":
    servers = places(sys.argv[2], sys.argv[3])
    if sys.argv[1] == "reflect":
        reflect(servers)
    else:
        print(json.dumps(find(servers)))
