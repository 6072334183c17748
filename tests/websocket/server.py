#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-ice-1.0 serve and peers that were written by others, well-behaved and not.

  server.py GST_ICE_TOOL
"""

import asyncio
import base64
import json
import os
import socket
import struct
import time
import urllib.error
import urllib.request

from serve import Server

import tap  # noqa: E402

try:
    import websockets
    from wspeer import LinesPeer, Peer, hello_simple, run
except ImportError:
    tap.skip_all("python3-websockets is not installed")
    raise SystemExit(0) from None

OFFER = {"type": "offer", "sdp": "v=0\r\n"}
ANSWER = {"type": "answer", "sdp": "v=0\r\n"}
CANDIDATE = {"candidate": "candidate:1 1 UDP 2122252543 192.0.2.1 61764 typ host", "sdpMid": "0", "sdpMLineIndex": 0}


def get(server, path, method="GET", data=None):
    request = urllib.request.Request(server.http + path, method=method, data=data)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def metric(server, name):
    _, text, _ = get(server, "/metrics")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"gst_ice_{name} "))


def until(condition, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "does not come true"
        time.sleep(0.02)


async def refused(url, status, **options):
    try:
        async with Peer(url, **options):
            pass
    except websockets.InvalidStatusCode as error:
        assert error.status_code == status, error.status_code
        return
    raise AssertionError(f"{url} is open")


async def pages():
    with Server() as server:
        status, text, headers = get(server, "/health")
        assert (status, json.loads(text)) == (200, {"status": "ok"}) and headers["Cache-Control"] == "no-store"
        assert "gst_ice_peers 0" in get(server, "/metrics")[1]
        status, text, headers = get(server, "/")
        assert status == 200 and "ROOM" in text and "default-src 'none'" in headers["Content-Security-Policy"]
        # A room by its address in a browser: a page with one script, and nothing else let in.
        status, text, headers = get(server, "/room")
        assert status == 200 and "/page.js" in text and "default-src 'none'" in headers["Content-Security-Policy"]
        assert "WebSocket" in get(server, "/page.js")[1]
        assert get(server, "/" + "x" * 300)[0] == 404
        assert get(server, "/", method="HEAD")[0] == 200
        assert get(server, "/", method="POST", data=b"x" * 100000)[0] == 405


async def origins():
    """RFC 6455 10.2"""
    with Server("--origin", "https://friend.example") as server:
        url = f"{server.plain}/cam"
        for origin in (f"http://127.0.0.1:{server.port}", "https://friend.example"):
            async with Peer(url, origin=origin):
                pass
        for origin in ("https://evil.example", f"http://127.0.0.1:{server.port}.evil.example", "null"):
            await refused(url, 403, origin=origin)


async def tokens():
    with Server("--token", "everywhere", "--token", "here cam") as server:
        for room, token, status in (
                ("cam", None, 401), ("cam", "", 401), ("cam", "nope", 401), ("cam", "here", None),
                ("dog", "here", 401), ("dog", "everywhere", None), ("cam", "here cam", 401)):
            headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
            url = f"{server.plain}/{room}"
            if status:
                await refused(url, status, extra_headers=headers)
            else:
                async with Peer(url, extra_headers=headers):
                    pass
                async with Peer(f"{url}?token={token}"):
                    pass


async def lines_meet():
    """Who came first offers, unless one is told to wait; what they say goes across word by word, and nothing else."""
    with Server() as server:
        url = f"{server.plain}/cam"
        for first, second, offerer in (("auto", "auto", 0), ("answer", "auto", 1), ("auto", "offer", 1)):
            async with LinesPeer(url, first) as a:
                await a.enter()
                async with LinesPeer(url, second) as b:
                    await b.enter()
                    assert a.id != b.id
                    await a.expect(type="ready", role="answer" if offerer else "offer", peer=b.id, resumed=0)
                    await b.expect(type="ready", role="offer" if offerer else "answer", peer=a.id, resumed=0)
                    for message in (OFFER, CANDIDATE, {"candidate": "", "sdpMid": "0"}):
                        await a.say(message)
                        assert await b.hear() == message
                    await b.say(ANSWER)
                    assert await a.hear() == ANSWER
                    await b.say({"type": "bye", "reason": "eos"})
                    await a.expect(type="bye", reason="eos")
                    # After it there is nobody to talk to.
                    await a.say(CANDIDATE)
                    await b.silent()
                # A clean end frees the place for the next, at once.
                async with LinesPeer(url, second) as c:
                    await c.enter()
                    await a.expect(type="ready", peer=c.id, resumed=0)


async def lines_refused():
    with Server() as server:
        url = f"{server.plain}/cam"
        async with LinesPeer(url) as a, LinesPeer(url) as b:
            await a.enter()
            await a.expect(type="ready")
            await b.enter()
            await b.expect(type="ready")
            for role in ("auto", "offer", "answer"):
                async with LinesPeer(url, role) as stranger:
                    message = await stranger.expect(type="refused")
                    assert "two peers" in message["text"]
                    await stranger.closed(1013)
            # The names that others see are no keys.
            for name in (a.id, b.id):
                async with LinesPeer(url, key=name, claim=a.id) as stranger:
                    await stranger.expect(type="refused")
            await a.say(CANDIDATE)
            assert await b.hear() == CANDIDATE
            await a.silent(0.1)
        async with LinesPeer(url, "offer") as a:
            await a.enter()
            async with LinesPeer(url, "offer") as b:
                assert "role=offer" in (await b.expect(type="refused"))["text"]
        for first, code in (("nonsense", 1007), ("{}", 1007), ({"type": "hello", "key": "short"}, 1008),
                            ('{"type":"hello","type":"hello"}', 1007)):
            async with Peer(f"{url}?dialect=lines") as peer:
                await peer.say(first)
                await peer.expect(type="refused")
                await peer.closed(code)
        async with LinesPeer(f"{server.plain}/") as peer:
            assert "room" in (await peer.expect(type="refused"))["text"]


async def lines_only():
    """What is no line of a session goes nowhere, and is the last thing its peer said."""
    with Server() as server:
        url = f"{server.plain}/cam"
        for odd in ("x", {"type": "welcome"}, {"type": "ready", "role": "offer", "peer": "x"}, {"type": "left"},
                    {"type": "hello", "key": 32 * "a"}, "[1]", "{" * 100):
            async with LinesPeer(url) as a, LinesPeer(url) as b:
                for peer in (a, b):
                    await peer.enter()
                    await peer.expect(type="ready")
                await a.say(odd)
                await a.closed(1007)
                await b.expect(type="left")


async def lines_return():
    """A connection is lost: who comes back with its key goes on, and nobody else gets its place meanwhile."""
    with Server() as server:
        url = f"{server.plain}/cam"
        async with LinesPeer(url) as a, LinesPeer(url) as b:
            for peer in (a, b):
                await peer.enter()
                await peer.expect(type="ready")
            b.socket.transport.abort()
            async with LinesPeer(url) as stranger:
                await stranger.silent()
                async with LinesPeer(url, key=b.key, claim=a.id) as again:
                    assert await again.enter() == b.id
                    await again.expect(type="ready", peer=a.id, resumed=1)
                    await a.expect(type="ready", peer=b.id, resumed=1)
                    await stranger.expect(type="refused")
                    # Its own old connection, open but dead, is not in its way.
                    async with LinesPeer(url, key=b.key, claim=a.id) as third:
                        await third.enter()
                        await third.expect(type="ready", resumed=1)
                        await again.closed(1000)
                        third.socket.transport.abort()
                        # Two seconds later it is gone.
                        await a.expect(type="ready", resumed=1)
                        await a.expect(type="left", reason="gone")


async def lines_new_server():
    """The server was away, its rooms are empty: the first to return keeps the other place for whom it talks to."""
    with Server() as server:
        url = f"{server.plain}/cam"
        async with LinesPeer(url) as a, LinesPeer(url) as b:
            await a.enter()
            await b.enter()
    with Server() as server:
        url = f"{server.plain}/cam"
        async with LinesPeer(url, key=a.key, claim=b.id) as a2:
            assert await a2.enter() == a.id
            async with LinesPeer(url) as stranger, LinesPeer(url, claim=a.id) as liar:
                await stranger.silent()
                await liar.silent()
                async with LinesPeer(url, key=b.key, claim=a.id) as b2:
                    await b2.enter()
                    await b2.expect(type="ready", peer=a.id, resumed=1)
                    await a2.expect(type="ready", peer=b.id, resumed=1)
                    await stranger.expect(type="refused")
                    await liar.expect(type="refused")


async def simple():
    """The protocol of gst-examples: HELLO, SESSION, and what the server answers."""
    with Server() as server:
        async with Peer(server.plain) as a, Peer(server.plain) as b, Peer(server.plain) as c:
            await hello_simple(a, "alice")
            await hello_simple(b, "bob")
            await c.say("HELLO alice")
            await c.closed(1002)
            async with Peer(server.plain) as d:
                await hello_simple(d, "dora")
                await d.say("SESSION nobody")
                assert await d.hear() == "ERROR peer 'nobody' not found"
                await a.say("SESSION bob")
                assert await a.hear() == "SESSION_OK"
                await d.say("SESSION bob")
                assert await d.hear() == "ERROR peer 'bob' busy"
                for text in (json.dumps({"sdp": OFFER}), "OFFER_REQUEST", "anything at all"):
                    await a.say(text)
                    heard = await b.hear()
                    assert heard == (json.loads(text) if text[0] == "{" else text), heard
                await d.say("what?")
                assert (await d.hear()).startswith("ERROR invalid msg")
            await a.socket.close()
            await b.closed(1000)


async def simple_rooms():
    with Server() as server:
        async with Peer(server.plain) as a, Peer(server.plain) as b, Peer(server.plain) as c:
            for peer, name, room in ((a, "alice", "1"), (b, "bob", "1"), (c, "carol", "2")):
                await hello_simple(peer, name)
                await peer.say(f"ROOM {room}")
                if peer is b:
                    assert await peer.hear() == "ROOM_OK alice"
                    assert await a.hear() == "ROOM_PEER_JOINED bob"
                else:
                    assert await peer.hear() == "ROOM_OK"
            await b.say("ROOM_PEER_MSG alice hello there")
            assert await a.hear() == "ROOM_PEER_MSG bob hello there"
            await a.say("ROOM_PEER_LIST")
            assert await a.hear() == "ROOM_PEER_LIST bob"
            # Across rooms: neither a message nor a session.
            for text in ("ROOM_PEER_MSG carol hello", "ROOM_PEER_MSG nobody hello"):
                await a.say(text)
                assert "not found" in await a.hear()
            await c.silent()
            await b.socket.close()
            assert await a.hear() == "ROOM_PEER_LEFT bob"


async def webrtc():
    """Signalling v1 of gst-plugins-rs, as its messages are published."""
    with Server() as server:
        async with Peer(server.plain) as p, Peer(server.plain) as c, Peer(server.plain) as w:
            ids = {}
            for peer, version in ((p, None), (c, None), (w, "v1_1")):
                if version:
                    await peer.say({"type": "setProtocolVersion", "version": version})
                ids[peer] = (await peer.expect(type="welcome"))["peerId"]
            await w.say({"type": "setPeerStatus", "roles": ["listener"], "meta": {}, "peerId": ids[w]})
            await p.say({"type": "setPeerStatus", "roles": ["producer"], "meta": {"name": "cam"}, "peerId": ids[p]})
            await w.expect(type="peerStatusChanged", roles=["producer"], meta={"name": "cam"}, peerId=ids[p])
            await c.say({"type": "setPeerStatus", "roles": ["producer"], "peerId": ids[p]})
            await c.expect(type="error")
            await c.say({"type": "list"})
            await c.expect(type="list", producers=[{"id": ids[p], "meta": {"name": "cam"}}])
            await c.say({"type": "startSession", "peerId": ids[w]})
            await c.expect(type="error")
            await c.say({"type": "startSession", "peerId": ids[p]})
            session = (await c.expect(type="sessionStarted", peerId=ids[p]))["sessionId"]
            await p.expect(type="startSession", peerId=ids[c], sessionId=session, offer=None)
            await p.say({"type": "peer", "sessionId": session, "sdp": OFFER})
            await c.expect(type="peer", sessionId=session, sdp=OFFER)
            await c.say({"type": "peer", "sessionId": session, "sdp": OFFER})
            await c.expect(type="error")
            await c.say({"type": "peer", "sessionId": session, "sdp": ANSWER})
            await p.expect(type="peer", sessionId=session, sdp=ANSWER)
            await c.say({"type": "peer", "sessionId": session, "ice": {"candidate": "x", "sdpMLineIndex": 1, "sdpMid": "v"}})
            await p.expect(type="peer", ice={"candidate": "x", "sdpMLineIndex": 1})
            # Not one's own session.
            for message in ({"type": "peer", "sdp": ANSWER}, {"type": "endSession"}):
                await w.say({**message, "sessionId": session})
                await w.expect(type="error")
            await p.silent(0.1)
            # An offer that comes with the wish, and an end with a reason for who understands it.
            await w.say({"type": "startSession", "peerId": ids[p], "offer": "v=0"})
            other = (await w.expect(type="sessionStarted"))["sessionId"]
            await p.expect(type="startSession", sessionId=other, offer="v=0")
            await p.say({"type": "endSession", "sessionId": other})
            await w.expect(type="endSessionV1_1", sessionId=other, error=None)
            await p.socket.close()
            await c.expect(type="endSession", sessionId=session)
            await w.expect(type="peerStatusChanged", roles=[], peerId=ids[p])


async def slow_hello():
    """Who says hello late was taken for one of gst-plugins-rs, and is served all the same."""
    with Server() as server:
        async with Peer(f"{server.plain}/cam") as a, Peer(f"{server.plain}/cam") as b:
            for peer in (a, b):
                await peer.expect(type="welcome")
            await a.say({"type": "hello", "key": 32 * "a", "role": "auto"})
            await a.expect(type="welcome", room="cam")
            await b.say("HELLO bob")
            assert await b.hear() == "HELLO"
        until(lambda: metric(server, "rooms") == 0)


async def rooms_apart():
    """Paths are rooms, for all dialects, and dialects do not meet."""
    with Server() as server:
        async with Peer(f"{server.plain}/a?dialect=gst-webrtc") as p, Peer(f"{server.plain}/b?dialect=gst-webrtc") as c:
            own = (await p.expect(type="welcome"))["peerId"]
            await p.say({"type": "setPeerStatus", "roles": ["producer"], "meta": {}})
            await c.expect(type="welcome")
            await c.say({"type": "list"})
            await c.expect(type="list", producers=[])
            await c.say({"type": "startSession", "peerId": own})
            await c.expect(type="error")
            await p.silent(0.1)
        async with Peer(f"{server.plain}/a") as a, Peer(f"{server.plain}/b") as b:
            await hello_simple(a, "alice")
            await hello_simple(b, "alice")
            await b.say("SESSION bob")
            assert "not found" in await b.hear()
        async with LinesPeer(f"{server.plain}/a") as a, LinesPeer(f"{server.plain}/b") as b:
            await a.enter()
            await b.enter()
            await a.silent()
            await a.say(OFFER)
            await b.silent()


class Raw:
    """An open WebSocket without a library: any bytes."""

    def __init__(self, server, room="cam", deflate=False):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 10)
        key = base64.b64encode(os.urandom(16)).decode()
        extra = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
        self.socket.sendall(
            f"GET /{room} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n".encode())
        self.answer = b""
        while b"\r\n\r\n" not in self.answer:
            self.answer += self.socket.recv(1)
        assert b" 101 " in self.answer, self.answer

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def frame(self, opcode, payload=b"", final=True, masked=True, reserved=0, size=None):
        size = len(payload) if size is None else size
        head = bytes([(0x80 if final else 0) | reserved | opcode])
        bit = 0x80 if masked else 0
        head += bytes([bit | size]) if size < 126 else \
            bytes([bit | 126]) + struct.pack(">H", size) if size < 65536 else \
            bytes([bit | 127]) + struct.pack(">Q", size)
        mask = os.urandom(4) if masked else b""
        body = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload)) if masked else payload
        self.socket.sendall(head + mask + body)

    def read(self):
        """(opcode, payload) of the next frame; None at the end."""
        head = self._exactly(2)
        if head is None:
            return None
        size = head[1] & 127
        if size == 126:
            size, = struct.unpack(">H", self._exactly(2))
        return head[0] & 15, self._exactly(size)

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.socket.recv(n - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            data += more
        return data

    def closed(self, code):
        while (frame := self.read()) and frame[0] != 8:
            pass
        assert frame, "ended without a close"
        assert struct.unpack(">H", frame[1][:2])[0] == code, frame
        assert self.read() is None


async def frames():
    """RFC 6455 5.1 to 5.5, 8.1: each closes with its code, and hurts nobody else."""
    big = b"x" * 70000
    table = (
        (1002, lambda raw: raw.frame(1, b"{}", masked=False)),
        (1002, lambda raw: raw.frame(1, b"{}", reserved=0x40)),
        (1002, lambda raw: raw.frame(3, b"x")),
        (1002, lambda raw: raw.frame(0, b"x")),
        (1002, lambda raw: (raw.frame(1, b"x", final=False), raw.frame(1, b"y"))),
        (1002, lambda raw: raw.frame(9, b"x" * 126)),
        (1002, lambda raw: raw.frame(9, b"x", final=False)),
        (1002, lambda raw: raw.frame(8, b"x")),
        (1003, lambda raw: raw.frame(2, b"x")),
        (1007, lambda raw: raw.frame(1, b"\xff\xfe")),
        (1007, lambda raw: raw.frame(1, b"a\0b")),
        (1007, lambda raw: raw.frame(8, b"\x03\xe8\xff")),
        (1008, lambda raw: (raw.frame(1, b"x", final=False), raw.frame(0, b"", final=False))),
        (1009, lambda raw: raw.frame(1, big)),
        (1009, lambda raw: raw.frame(1, b"", size=2 ** 62)),
        (1009, lambda raw: [raw.frame(1 if i == 0 else 0, big[:30000], final=False) for i in range(3)]),
    )
    with Server() as server:
        async with LinesPeer(f"{server.plain}/other") as witness:
            await witness.enter()
            for code, misbehave in table:
                with Raw(server) as raw:
                    misbehave(raw)
                    raw.closed(code)
            with Raw(server, deflate=True) as raw:
                assert b"permessage-deflate" not in raw.answer
                raw.frame(9, b"are you there")
                assert raw.read() == (10, b"are you there")
                # In three pieces with a ping between: RFC 6455 5.4.
                text = json.dumps({"type": "hello", "key": "k" * 32}).encode()
                raw.frame(1, text[:5], final=False)
                raw.frame(9, b"now")
                raw.frame(0, text[5:9], final=False)
                raw.frame(0, text[9:])
                assert raw.read() == (10, b"now")
                assert b"welcome" in raw.read()[1]
                raw.frame(8, struct.pack(">H", 1000))
                raw.closed(1000)
            await witness.silent(0.1)


async def floods():
    """50 messages a second, twenty seconds' worth at once; who says more is closed, and the others do not notice."""
    with Server("--rate", "50") as server:
        async with LinesPeer(f"{server.plain}/cam") as a, LinesPeer(f"{server.plain}/cam") as b:
            for peer in (a, b):
                await peer.enter()
                await peer.expect(type="ready")
            async with Peer(f"{server.plain}/flood?dialect=gst-webrtc") as flood:
                await flood.expect(type="welcome")
                try:
                    for _ in range(2000):
                        await flood.say({"type": "list"})
                except websockets.ConnectionClosed:
                    pass
                await flood.closed(1008)
            async with Peer(f"{server.plain}/flood?dialect=gst-webrtc") as flood:
                await flood.expect(type="welcome")
                try:
                    for _ in range(60):
                        await flood.say({"type": "x", "fill": 60000 * "x"})
                except websockets.ConnectionClosed:
                    pass
                await flood.closed(1008)
            assert metric(server, "floods_total") >= 1
            await a.say(CANDIDATE)
            assert await b.hear() == CANDIDATE


async def limits():
    with Server("--max-peers", "3", "--max-per-address", "5") as server:
        async with Peer(f"{server.plain}/a"), Peer(f"{server.plain}/b"), Peer(f"{server.plain}/c"):
            await refused(f"{server.plain}/d", 503)
            idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
            for connection in idle:
                connection.settimeout(5)
            # Those beyond five are hung up on.
            assert sum(hung_up(connection) for connection in idle) >= 6
            for connection in idle:
                connection.close()
        until(lambda: metric(server, "peers") == 0)


def hung_up(connection):
    connection.settimeout(0.2)
    try:
        return connection.recv(1) == b""
    except socket.timeout:
        return False
    except ConnectionResetError:
        return True


async def slow_requests():
    """Who connects and says nothing, or half a request, is hung up on after ten seconds, and is nobody's trouble."""
    with Server() as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
        for connection in idle[::2]:
            connection.sendall(b"GET /cam HTTP/1.1\r\nHost: x\r\nX: ")
        assert get(server, "/health")[0] == 200
        until(lambda: metric(server, "connections") >= 100)
        until(lambda: metric(server, "connections") <= 2, 20)
        for connection in idle:
            until(lambda connection=connection: hung_up(connection))
            connection.close()


async def not_reading():
    """Who does not read what it is sent is closed before it costs more than a megabyte."""
    with Server("--rate", "1000") as server:
        async with LinesPeer(f"{server.plain}/cam") as talker:
            await talker.enter()
            with Raw(server) as deaf:
                deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                deaf.frame(1, json.dumps({"type": "hello", "key": "d" * 32}).encode())
                await talker.expect(type="ready")
                before = memory(server)
                try:
                    for _ in range(300):
                        await talker.say({"type": "offer", "sdp": 60000 * "x"})
                except websockets.ConnectionClosed:
                    pass
                assert memory(server) - before < 16 * 1024, memory(server) - before
        assert get(server, "/health")[0] == 200


def memory(server):
    """KiB"""
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as status:
        return int(status.read().split()[1]) * 4


async def graceful_end():
    """RFC 6455 7.4.1: 1001, going away; exit status 0."""
    with Server() as server:
        peers = [LinesPeer(f"{server.plain}/{i}") for i in range(20)]
        for peer in peers:
            await peer.__aenter__()
            await peer.enter()
        start = time.monotonic()
        ending = asyncio.get_running_loop().run_in_executor(None, server.end)
        for peer in peers:
            await peer.closed(1001)
        assert await ending == 0 and time.monotonic() - start < 3
        assert "CRITICAL" not in server.output and "WARNING" not in server.output, server.output


CASES = [
    ("pages", run(pages)),
    ("/rfc6455/10.2/origins", run(origins)),
    ("tokens", run(tokens)),
    ("lines: two peers meet", run(lines_meet)),
    ("lines: who is refused", run(lines_refused)),
    ("lines: only lines", run(lines_only)),
    ("lines: lost and back", run(lines_return)),
    ("lines: another server", run(lines_new_server)),
    ("simple: sessions", run(simple)),
    ("simple: rooms", run(simple_rooms)),
    ("gst-webrtc", run(webrtc)),
    ("a slow hello", run(slow_hello)),
    ("rooms are apart", run(rooms_apart)),
    ("/rfc6455/5/malformed-frames", run(frames)),
    ("floods", run(floods)),
    ("limits", run(limits)),
    ("slow requests", run(slow_requests)),
    ("not reading", run(not_reading)),
    ("/rfc6455/7.4.1/graceful-end", run(graceful_end)),
]

if __name__ == "__main__":
    tap.run(CASES)
