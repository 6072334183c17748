# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-ice-1.0 as a process that is waited for by conditions, and an ICE peer
that is honest until told otherwise."""

import asyncio
import json
import os
import signal
import struct
import sys

import stun

TOOL = sys.argv[1] if len(sys.argv) > 1 else None
UFRAG, PWD = "evil", "theworldoftwentyfourchars"
# No mode needs as long: it is for what hangs.
PATIENCE = 30


class Tool:
    """One run of the tool. Everything it prints is kept."""

    def __init__(self):
        self.lines, self.errors = [], []
        self.news = asyncio.Condition()
        self.process = None
        self.readers = []

    @classmethod
    async def start(cls, *arguments, **environment):
        self = cls()
        self.process = await asyncio.create_subprocess_exec(
            TOOL, *arguments, env={**os.environ, **environment}, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        self.readers = [
            asyncio.create_task(self.read(self.process.stdout, self.lines)),
            asyncio.create_task(self.read(self.process.stderr, self.errors))]
        return self

    async def read(self, stream, lines):
        async for line in stream:
            lines.append(line.decode(errors="replace").rstrip("\n"))
            await self.notify()
        await self.notify()

    async def notify(self):
        async with self.news:
            self.news.notify_all()

    @property
    def ended(self):
        return all(reader.done() for reader in self.readers)

    async def wait(self, condition, what, seconds=PATIENCE):
        """Until it holds; looked at whenever something was printed, and by and
        by, for it may be about what a server has counted."""

        async def until():
            while not condition():
                assert not self.ended, f"ended before {what}"
                async with self.news:
                    try:
                        await asyncio.wait_for(self.news.wait(), 0.05)
                    except asyncio.TimeoutError:
                        pass

        try:
            await asyncio.wait_for(until(), seconds)
        except asyncio.TimeoutError:
            raise AssertionError(f"not within {seconds} s: {what}") from None

    def tell(self, *attributes):
        for attribute in attributes:
            self.process.stdin.write(f"REMOTE {attribute}\n".encode())

    def local(self, name):
        start = f"LOCAL a={name}:"
        return next((line[len(start):] for line in self.lines if line.startswith(start)), None)

    def host(self):
        """Its first IPv4 address."""
        lines = (line.split() for line in self.lines if line.startswith("LOCAL a=candidate:"))
        return next((words[5] for words in lines if ":" not in words[5]), None)

    def states(self):
        return [line.split()[1] for line in self.lines if line.startswith("STATE ")]

    def pairs(self):
        return [line.split()[1:] for line in self.lines if line.startswith("PAIR ")]

    def number(self, word):
        return next((int(line.split()[1]) for line in self.lines if line.startswith(word + " ")), None)

    def json(self):
        return json.loads("\n".join(self.lines))

    def alive(self):
        return self.process.returncode is None

    async def end(self, expect=(0, 1)):
        """Its exit status, when it ends by itself or is told to. Nothing but
        these is right, whatever was done to it."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.finish(expect)

    async def finish(self, expect=(0, 1)):
        try:
            await asyncio.wait_for(asyncio.gather(self.process.wait(), *self.readers), PATIENCE)
        except asyncio.TimeoutError:
            raise AssertionError("it does not end") from None
        text = "\n".join(self.errors)
        for word in ("Sanitizer", "runtime error", "CRITICAL", "WARNING **", "a-seeded-secret"):
            assert word not in text and word not in "\n".join(self.lines), f"{word} in:\n{text}"
        assert self.process.returncode in expect, f"exit {self.process.returncode}\n{text}"
        return self.process.returncode

    async def kill(self):
        """For the end of a test that failed."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await asyncio.gather(self.process.wait(), *self.readers)


class IcePeer:
    """The other end of a call, with knobs.

    receive(data, source, reply) takes a packet of the tool's, wherever it came
    from; reply sends back to there.
    """

    def __init__(self):
        self.tool_ufrag = self.tool_pwd = None
        self.controlling = False
        self.tie_breaker = 1
        self.checks = []  # (source, Message) requests of the tool's, in order
        self.answers = {}  # tid -> Message, of ours
        self.media = []  # (sequence, source)
        self.n_sent = 0
        self.spoil = None  # (peer, request, source, honest) -> datagrams, None: honest
        self.mute = False

    def know(self, tool):
        self.tool_ufrag, self.tool_pwd = tool.local("ice-ufrag"), tool.local("ice-pwd")

    def receive(self, data, source, reply):
        message = stun.Message.parse(data)
        if message is None:
            self.take_media(data, source, reply)
        elif message.klass == stun.REQUEST:
            self.take_check(message, source, reply)
        elif message.klass in (stun.SUCCESS, stun.ERROR):
            self.answers[message.tid] = message

    def take_check(self, request, source, reply):
        """Its checks are always signed, whole and for us."""
        assert request.verify(PWD.encode()), "a check of the tool's is not signed"
        assert request.get(stun.USERNAME) == f"{UFRAG}:{self.tool_ufrag}".encode(), request.get(stun.USERNAME)
        self.checks.append((source, request))
        if self.mute:
            return
        honest = self.success(request, source)
        answers = self.spoil(self, request, source, honest) if self.spoil else None
        for answer in [honest] if answers is None else answers:
            reply(answer)

    def take_media(self, data, source, reply):
        self.media.append((struct.unpack_from("!Q", data)[0], source))
        if not self.mute:
            reply(self.packet())

    def packet(self, sequence=None):
        """As the tool counts them."""
        if sequence is None:
            sequence, self.n_sent = self.n_sent, self.n_sent + 1
        return struct.pack("!Q", sequence) + bytes(152)

    def success(self, request, mapped, key=PWD.encode(), spoil=lambda mac: mac, extra=b"", behind=b""):
        builder = stun.Builder(stun.SUCCESS, stun.BINDING, request.tid)
        builder.add(extra, stun.xor_address(stun.XOR_MAPPED_ADDRESS, *mapped, request.tid))
        return builder.sign(key, spoil=spoil).add(behind).bytes()

    def error(self, request, code, key=PWD.encode(), tid=None):
        return stun.Builder(stun.ERROR, stun.BINDING, tid or request.tid).add(stun.error(code)).sign(key).bytes()

    def check(self, use_candidate=False, username=None, key=None, unsigned=False, behind=b"", extra=b"",
              controlling=None, priority=1862270975, tid=None, spoil=lambda mac: mac):
        builder = stun.Builder(stun.REQUEST, stun.BINDING, tid)
        controlling = self.controlling if controlling is None else controlling
        if username is None:
            username = f"{self.tool_ufrag}:{UFRAG}"
        builder.add(
            stun.attribute(stun.USERNAME, username.encode()),
            stun.attribute(stun.PRIORITY, struct.pack("!I", priority)),
            stun.attribute(
                stun.ICE_CONTROLLING if controlling else stun.ICE_CONTROLLED, struct.pack("!Q", self.tie_breaker)),
            extra)
        if use_candidate:
            builder.add(stun.attribute(stun.USE_CANDIDATE))
        if not unsigned:
            builder.sign(self.tool_pwd.encode() if key is None else key, spoil=spoil)
        return builder.add(behind).bytes()

    def introduce(self, tool, *places):
        """Tells the tool who we are and where."""
        tool.tell(f"a=ice-ufrag:{UFRAG}", f"a=ice-pwd:{PWD}", "a=ice-options:ice2", "a=ice-pacing:5")
        for number, (host, port) in enumerate(places):
            tool.tell(f"a=candidate:{number + 1} 1 udp {2130706431 - number} {host} {port} typ host")


class Place(asyncio.DatagramProtocol):
    """A socket of a peer's: place = await Place(peer, host).open()."""

    def __init__(self, peer, host):
        self.peer, self.host = peer, host

    async def open(self):
        self.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(self.host, 0))
        self.address = self.transport.get_extra_info("sockname")
        self.replies = []  # answers to what this socket asked
        return self

    def datagram_received(self, data, source):
        message = stun.Message.parse(data)
        if message and message.klass in (stun.SUCCESS, stun.ERROR):
            self.replies.append(message)
        self.peer.receive(data, source, lambda reply: self.send(reply, source))

    def send(self, data, to):
        self.transport.sendto(data, to)

    def close(self):
        self.transport.close()
