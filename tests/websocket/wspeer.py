# SPDX-License-Identifier: LGPL-2.1-or-later
"""A peer that was written from the formats alone, with another WebSocket library (python3-websockets)."""

import asyncio
import json
import logging
import secrets

import websockets

SOON = 10
# A peer whose process ends is part of the test.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


class Peer:
    """async with Peer(url) as peer: await peer.say(...), await peer.hear()."""

    def __init__(self, url, **options):
        self.url = url
        self.options = {"ping_interval": None, "compression": None, "max_size": None, "close_timeout": 2, **options}

    async def __aenter__(self):
        self.socket = await asyncio.wait_for(websockets.connect(self.url, **self.options), SOON)
        return self

    async def __aexit__(self, *unused):
        await self.socket.close()

    async def say(self, message):
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def hear(self, timeout=SOON):
        text = await asyncio.wait_for(self.socket.recv(), timeout)
        return json.loads(text) if text.startswith("{") else text

    async def expect(self, **members):
        """The next message has these members; it is returned."""
        message = await self.hear()
        for name, value in members.items():
            assert message.get(name.rstrip("_")) == value, f"{name} is not {value!r}: {message}"
        return message

    async def silent(self, seconds=0.3):
        try:
            message = await self.hear(seconds)
        except asyncio.TimeoutError:
            return
        raise AssertionError(f"hears {message}")

    async def closed(self, code=None):
        """Until the other side has closed; what it said before is dropped."""
        try:
            while True:
                await self.hear()
        except websockets.ConnectionClosed:
            pass
        assert code is None or self.socket.close_code == code, self.socket.close_code
        return self.socket.close_code


class LinesPeer(Peer):
    """Our JSON lines: hello, then welcome, then ready when the other one is there."""

    def __init__(self, url, role="auto", key=None, claim=None, **options):
        super().__init__(url, **options)
        self.key = key or secrets.token_hex(16)
        self.hello = {"type": "hello", "key": self.key, "role": role}
        if claim:
            self.hello["peer"] = claim

    async def __aenter__(self):
        await super().__aenter__()
        await self.say(self.hello)
        return self

    async def enter(self):
        self.id = (await self.expect(type="welcome"))["id"]
        return self.id


async def hello_simple(peer, name):
    await peer.say(f"HELLO {name}")
    assert await peer.hear() == "HELLO"


def run(function):
    """An async test as a case."""
    return lambda: asyncio.run(asyncio.wait_for(function(), 60))
