#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds out what a NAT does, as RFC 5780 would, with a server of two addresses.

  probe.py reflect IP IP2         answers, in the middle; prints "ready"
  probe.py ask IP IP2 [SOURCE]    asks, from the inside; prints what it found as JSON
  probe.py hairpin IP IP2         whether a packet to an own outside address comes back
  probe.py count IP IP2 N         of N requests, how many were answered, and the median time in ms
"""

import json
import selectors
import socket
import statistics
import struct
import sys
import time

PORT, PORT_2 = 7001, 7002
TIMEOUT = 3
# For what is not expected to come: it is asked for beside what does come.
SHORT = 0.5
# RFC 8489 5: a Binding request, with the magic cookie.
STUN = struct.pack("!HHI", 1, 0, 0x2112A442) + b"probe0probe0"
PLAIN = b"\x16\x03\x01" + b"no STUN, TLS."


def places(address, address_2):
    """Where the reflector listens; requests name these by index."""
    return [(address, PORT), (address, PORT_2), (address_2, PORT)]


def reflect_datagram(sock, socks):
    request, client = sock.recvfrom(64)
    # First a stranger's packet, if asked for, then the answer: the path keeps
    # the order, so with the answer it is known whether the stranger was let
    # in, and nobody has to wait for silence.
    if request.startswith(b"from "):
        socks[int(request[5:])].sendto(b"stranger", client)
    sock.sendto(request if request.startswith(b"echo ") else f"{client[0]} {client[1]}".encode(), client)


def reflect_stream(connection, selector):
    try:
        data = connection.recv(64)
        if data:
            connection.send(data)
            return
    except OSError:
        pass  # it went away
    selector.unregister(connection)
    connection.close()


def reflect(servers):
    selector = selectors.DefaultSelector()
    socks = []
    for server in servers:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(server)
        selector.register(sock, selectors.EVENT_READ, "datagram")
        socks.append(sock)
    for port in (PORT, 443):
        listener = socket.create_server((servers[2][0], port))
        selector.register(listener, selectors.EVENT_READ, "listener")
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data == "datagram":
                reflect_datagram(key.fileobj, socks)
            elif key.data == "listener":
                connection, _ = key.fileobj.accept()
                selector.register(connection, selectors.EVENT_READ, "stream")
            else:
                reflect_stream(key.fileobj, selector)


def bound(source, kind):
    """A socket of the address's family, at that address."""
    sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, kind)
    sock.bind((source, 0))
    return sock


class Asker:
    def __init__(self, source):
        self.sock = bound(source, socket.SOCK_DGRAM)
        self.sock.settimeout(TIMEOUT)

    def ask(self, server, request=b"seen"):
        """(address and port the server saw, whether a stranger came in)"""
        self.sock.sendto(request, server)
        stranger = False
        while True:
            data, sender = self.sock.recvfrom(64)
            if data == b"stranger":
                stranger = True
            elif sender[:2] == server:
                address, port = data.decode().split()
                return (address, int(port)), stranger


def find(servers, source):
    asker = Asker(source)
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
    ports = [port for _, port in mapped]
    if ports[0] == asker.sock.getsockname()[1]:
        port = "kept"
    else:
        port = "sequential" if ports == list(range(ports[0], ports[0] + 3)) else "changed"
    return {"mapping": mapping, "filtering": filtering, "port": port}


def passing(servers, source):
    """What comes to a server and back, all asked for at once."""
    address = servers[2][0]
    wanted = {"tcp": (PORT, PLAIN), "tcp443": (443, PLAIN), "stun443": (443, STUN)}
    selector = selectors.DefaultSelector()
    found = set()
    udp = bound(source, socket.SOCK_DGRAM)
    udp.sendto(b"seen", servers[0])
    selector.register(udp, selectors.EVENT_READ, "udp")
    for name, (port, _) in wanted.items():
        sock = bound(source, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.connect_ex((address, port))
        selector.register(sock, selectors.EVENT_WRITE, name)
    while len(found) < len(wanted) + 1:
        events = selector.select(SHORT)
        if not events:
            break
        for key, event in events:
            if event & selectors.EVENT_WRITE:
                if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    selector.unregister(key.fileobj)
                    continue
                key.fileobj.send(wanted[key.data][1])
                selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
            else:
                if key.fileobj.recv(64):
                    found.add(key.data)
                selector.unregister(key.fileobj)
    return sorted(found)


def ask(servers, source):
    found = {"passes": passing(servers, source)}
    if "udp" in found["passes"]:
        found |= find(servers, source)
    return found


def hairpin(servers):
    """RFC 4787 6: from one socket to what another one's server sees."""
    asker, sender = Asker("0.0.0.0"), Asker("0.0.0.0")
    mapped, _ = asker.ask(servers[0])
    # Twice, so that the sender has a mapping of its own.
    sender.ask(servers[0])
    sender.sock.sendto(b"round", mapped)
    asker.sock.settimeout(SHORT)
    try:
        return asker.sock.recv(64) == b"round"
    except TimeoutError:
        return False


def count(servers, n):
    """Answers are told apart by what they are said to come from."""
    asker = Asker("0.0.0.0")
    asker.sock.settimeout(0)
    times, sent = [], {}
    for i in range(n):
        sent[i] = time.monotonic()
        asker.sock.sendto(f"echo {i}".encode(), servers[0])
        times += received(asker.sock, sent, 0.003)
    return {"answered": len(times) + len(last := received(asker.sock, sent, SHORT)),
            "ms": round(1000 * statistics.median(times + last or [0]), 1)}


def received(sock, sent, seconds):
    """Times of the answers that come within so many seconds."""
    end = time.monotonic() + seconds
    times = []
    while (rest := end - time.monotonic()) > 0:
        sock.settimeout(rest)
        try:
            word, _, number = sock.recv(64).decode().partition(" ")
        except TimeoutError:
            break
        if word == "echo":
            times.append(time.monotonic() - sent.pop(int(number)))
    return times


if __name__ == "__main__":
    servers = places(sys.argv[2], sys.argv[3])
    if sys.argv[1] == "reflect":
        reflect(servers)
    elif sys.argv[1] == "hairpin":
        print(json.dumps(hairpin(servers)))
    elif sys.argv[1] == "count":
        print(json.dumps(count(servers, int(sys.argv[4]))))
    else:
        print(json.dumps(ask(servers, sys.argv[4] if len(sys.argv) > 4 else "0.0.0.0")))
