#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""aioice behind the line protocol of `gst-ice-1.0 peer` (see nice-peer.c).

aioice gathers whole before it signals and wants the remote candidates whole
before it checks, so MODE changes nothing here.
"""

import asyncio
import os
import struct
import sys
import time

import aioice

START = time.monotonic()
LINGER_QUIET = 0.5
LINGER_MAX = 3.0


def say(text):
    print(text, flush=True)


def env(name, fallback=None):
    return os.environ.get(name) or fallback


def host_port(text):
    if not text:
        return None
    host, _, port = text.rpartition(":")
    return (host, int(port))


def make_connection():
    turn = env("TURN_URI")
    relay_only = env("RELAY_ONLY") == "1"
    connection = aioice.Connection(
        ice_controlling=env("ICE_ROLE", "controlling") == "controlling",
        stun_server=host_port(env("STUN_SERVER")),
        turn_server=host_port(turn.split(",")[0].split(":", 1)[1]) if turn else None,
        turn_username=env("TURN_USER"),
        turn_password=env("TURN_PASS"),
        use_ipv6=env("IPV6") == "1",
        transport_policy=aioice.ice.TransportPolicy.RELAY if relay_only else aioice.ice.TransportPolicy.ALL,
    )
    return connection


async def read_remote(connection):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        if not line.startswith("REMOTE a="):
            continue
        name, _, value = line[len("REMOTE a="):].partition(":")
        if name == "ice-ufrag":
            connection.remote_username = value
        elif name == "ice-pwd":
            connection.remote_password = value
        elif name == "candidate":
            await connection.add_remote_candidate(aioice.Candidate.from_sdp(value))
        elif name == "end-of-candidates":
            await connection.add_remote_candidate(None)
            return
    raise ConnectionError("the peer ended before its candidates did")


class Received:
    def __init__(self):
        self.seen = set()
        self.last = time.monotonic()

    async def run(self, connection):
        while True:
            data = await connection.recv()
            if len(data) >= 8:
                if not self.seen:
                    print("peer: the first packet came", file=sys.stderr)
                self.seen.add(struct.unpack_from("!Q", data)[0])
                self.last = time.monotonic()

    @property
    def lost(self):
        return max(self.seen) + 1 - len(self.seen) if self.seen else 0


async def send(connection, received):
    rate = int(env("RATE", "100"))
    total = int(float(env("SECONDS", "5")) * rate)
    first = time.monotonic()
    for number in range(total):
        await asyncio.sleep(max(0, first + number / rate - time.monotonic()))
        await connection.send(struct.pack("!Q", number).ljust(160, b"\0"))
    end = time.monotonic()
    while time.monotonic() < end + LINGER_MAX:
        quiet = min(time.monotonic() - received.last, time.monotonic() - end)
        if quiet >= LINGER_QUIET:
            return
        await asyncio.sleep(LINGER_QUIET - quiet)


async def main():
    connection = make_connection()
    received = Received()
    try:
        say(f"LOCAL a=ice-ufrag:{connection.local_username}")
        say(f"LOCAL a=ice-pwd:{connection.local_password}")
        say("LOCAL a=ice-options:ice2")
        await connection.gather_candidates()
        for candidate in connection.local_candidates:
            say(f"LOCAL a=candidate:{candidate.to_sdp()}")
        say("LOCAL a=end-of-candidates")
        await read_remote(connection)
        say(f"STATE checking {(time.monotonic() - START) * 1000:.0f}")
        await connection.connect()
        say(f"STATE connected {(time.monotonic() - START) * 1000:.0f}")
        pair = connection._nominated[1]
        say(f"PAIR {pair.local_candidate.type} {pair.remote_candidate.type} {pair.local_candidate.transport.lower()}")
        receiver = asyncio.ensure_future(received.run(connection))
        await send(connection, received)
        receiver.cancel()
        return 0 if received.seen else 1
    except ConnectionError as error:
        print(error, file=sys.stderr)
        say(f"STATE failed {(time.monotonic() - START) * 1000:.0f}")
        return 1
    finally:
        say(f"RX {len(received.seen)}")
        say(f"LOST {received.lost}")
        await connection.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
