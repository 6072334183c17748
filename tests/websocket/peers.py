#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-launch and a peer in Python that knows the published formats alone, at one server and at the other's.

  peers.py GST_ICE_TOOL
"""

import asyncio
import json
import re

from serve import PICTURE, Server, free_port, receiver, sender

import peer as sdp_peer  # noqa: E402
import tap  # noqa: E402
from shell import Shell  # noqa: E402

try:
    import websockets
    from wspeer import LinesPeer, Peer, hello_simple, run
except ImportError:
    tap.skip_all("python3-websockets is not installed")
    raise SystemExit(0) from None


def answer_to(offer, port):
    """A peer that is somewhere and never answers a check: what it says is taken, and that is enough here."""
    text = sdp_peer.ANSWER.format(
        m_line="m=" + re.sub(r" \d+ ", f" {port} ", sdp_peer.attribute(offer, "m="), count=1),
        rtpmap="a=rtpmap:" + sdp_peer.attribute(offer, "a=rtpmap:"),
        mid=sdp_peer.attribute(offer, "a=mid:"), address="127.0.0.1", port=port)
    return text.replace("\n", "\r\n")


async def wait_for(shell, pattern, **options):
    return await asyncio.get_running_loop().run_in_executor(None, lambda: shell.wait_for(pattern, **options))


async def lines():
    with Server() as server, sdp_peer.BlackHole("127.0.0.1") as hole, Shell(sender(server.place("cam"))) as shell:
        await wait_for(shell, "Waiting for the peer")
        async with LinesPeer(f"{server.plain}/cam", "answer") as peer:
            await peer.enter()
            await peer.expect(type="ready", role="answer")
            offer = await peer.expect(type="offer")
            assert "a=candidate:" in offer["sdp"] and "VP8/90000" in offer["sdp"]
            await peer.say({"type": "answer", "sdp": answer_to(offer["sdp"], hole.port)})
            await wait_for(shell, "Looking for a path")
            await peer.say({"type": "bye", "reason": "eos"})
        # And for the next one the same again, with credentials of its own.
        async with LinesPeer(f"{server.plain}/cam", "answer") as peer:
            await peer.enter()
            await peer.expect(type="ready")
            again = await peer.expect(type="offer")
            assert sdp_peer.attribute(again["sdp"], "a=ice-pwd:") != sdp_peer.attribute(offer["sdp"], "a=ice-pwd:")


async def lines_restarted_by_us():
    """gst-launch ends: bye, and then it is gone."""
    with Server() as server, Shell(sender(server.place("cam"))) as shell:
        await wait_for(shell, "Waiting for the peer")
        async with LinesPeer(f"{server.plain}/cam", "answer") as peer:
            await peer.enter()
            await peer.expect(type="ready")
            await peer.expect(type="offer")
            await asyncio.get_running_loop().run_in_executor(None, shell.interrupt)
            message = await peer.hear()
            while "candidate" in message:
                message = await peer.hear()
            assert message["type"] in ("bye", "left"), message


async def simple():
    """Called by its name, asked for an offer as the demos do; a session of two words and JSON."""
    with Server() as server, sdp_peer.BlackHole("127.0.0.1") as hole:
        with Shell(sender(f"{server.uri}/?dialect=simple&id=cam")) as shell:
            await wait_for(shell, "Waiting for the peer")
            async with Peer(server.plain) as peer:
                await hello_simple(peer, "viewer")
                heard = "ERROR"
                while heard.startswith("ERROR"):
                    await asyncio.sleep(0.05)
                    await peer.say("SESSION cam")
                    heard = await peer.hear()
                assert heard == "SESSION_OK"
                await peer.say("OFFER_REQUEST")
                offer = (await peer.hear())["sdp"]
                assert offer["type"] == "offer" and "VP8/90000" in offer["sdp"]
                await peer.say({"sdp": {"type": "answer", "sdp": answer_to(offer["sdp"], hole.port)}})
                await peer.say({"ice": {"candidate": f"candidate:2 1 UDP 1 127.0.0.1 {hole.port} typ host",
                                        "sdpMLineIndex": 0}})
                await wait_for(shell, "Looking for a path")


async def simple_calls():
    """gst-launch calls, and the callee waits for its offer."""
    with Server() as server:
        async with Peer(server.plain) as peer:
            await hello_simple(peer, "viewer")
            with Shell(sender(f"{server.uri}/?dialect=simple&peer-id=viewer")):
                offer = (await peer.hear())["sdp"]
                assert offer["type"] == "offer"


async def webrtc_consumer():
    """Their consumer, our producer: list, startSession, offer, answer, endSession, and another session."""
    with Server() as server, sdp_peer.BlackHole("127.0.0.1") as hole:
        with Shell(sender(f"{server.uri}/?dialect=gst-webrtc&room=cam")) as shell:
            async with Peer(server.plain) as peer:
                own = (await peer.expect(type="welcome"))["peerId"]
                await peer.say({"type": "setPeerStatus", "roles": ["listener"], "meta": None, "peerId": own})
                producers = []
                while not producers:
                    await asyncio.sleep(0.05)
                    await peer.say({"type": "list"})
                    producers = (await peer.hear()).get("producers", [])
                assert producers[0]["meta"] == {"name": "cam"}
                for _ in range(2):
                    await peer.say({"type": "startSession", "peerId": producers[0]["id"], "offer": None})
                    session, message = None, await peer.hear()
                    while "sdp" not in message:
                        session = message.get("sessionId", session)
                        message = await peer.hear()
                    assert message["sdp"]["type"] == "offer" and message["sessionId"] == session
                    text = answer_to(message["sdp"]["sdp"], hole.port)
                    await peer.say({"type": "peer", "sessionId": session, "sdp": {"type": "answer", "sdp": text}})
                    await wait_for(shell, "Looking for a path")
                    # One at a time: who comes besides is told so.
                    async with Peer(server.plain) as other:
                        await other.expect(type="welcome")
                        await other.say({"type": "startSession", "peerId": producers[0]["id"]})
                        second = (await other.expect(type="sessionStarted"))["sessionId"]
                        await other.expect(type="endSession", sessionId=second)
                    await peer.say({"type": "endSession", "sessionId": session})


async def webrtc_producer():
    """Their server and producer, our consumer."""
    heard = asyncio.Queue()

    async def serve(connection, *_):
        await connection.send(json.dumps({"type": "welcome", "peerId": "us"}))
        async for text in connection:
            message = json.loads(text)
            await heard.put(message)
            if message["type"] == "list":
                producers = [{"id": "dog", "meta": {"name": "dog"}}, {"id": "cam", "meta": {"name": "cam"}}]
                await connection.send(json.dumps({"type": "list", "producers": producers}))
            if message["type"] == "startSession":
                offer = sdp_peer.ANSWER.format(
                    m_line="m=video 9 RTP/AVP 96", rtpmap="a=rtpmap:96 VP8/90000", mid="video0", address="127.0.0.1",
                    port=9).replace("recvonly", "sendonly").replace("\n", "\r\n")
                await connection.send(json.dumps(
                    {"type": "sessionStarted", "peerId": message["peerId"], "sessionId": "s1"}))
                await connection.send(json.dumps(
                    {"type": "peer", "sessionId": "s1", "sdp": {"type": "offer", "sdp": offer}}))

    async def expect(**members):
        while True:
            message = await asyncio.wait_for(heard.get(), 10)
            if all(message.get(name) == value for name, value in members.items()):
                return message

    port = free_port()
    async with websockets.serve(serve, "127.0.0.1", port, compression=None):
        with Shell(receiver(f"ice+ws://127.0.0.1:{port}/cam?dialect=gst-webrtc", "stream=video0")):
            await expect(type="setPeerStatus", peerId="us", roles=["listener"])
            await expect(type="startSession", peerId="cam")
            answer = await expect(type="peer", sessionId="s1")
            assert answer["sdp"]["type"] == "answer" and "a=mid:video0" in answer["sdp"]["sdp"], answer


async def odd_server():
    """What a server makes up is passed over; the session that comes at last is served."""
    odd = ["", "x", "{", "[]", "[" * 5000, json.dumps({"type": "ready"}), json.dumps({"type": "left"}),
           json.dumps({"type": "offer", "sdp": "v=0"}), json.dumps({"type": "ready", "role": "offer", "peer": 7}),
           json.dumps({"candidate": "candidate:" + 5000 * "1"}), json.dumps({"type": "hello", "key": "x"})]
    offered = asyncio.Event()

    async def serve(connection, *_):
        hello = json.loads(await connection.recv())
        assert hello["type"] == "hello" and len(hello["key"]) == 32
        for text in odd:
            await connection.send(text)
        await connection.send(json.dumps({"type": "ready", "role": "offer", "peer": "x", "resumed": 0}))
        async for text in connection:
            if json.loads(text).get("type") == "offer":
                offered.set()

    port = free_port()
    async with websockets.serve(serve, "127.0.0.1", port):
        with Shell(f"{PICTURE} ! icesink uri=ice+ws://127.0.0.1:{port}/cam") as shell:
            await asyncio.wait_for(offered.wait(), 10)
            assert not shell.count("CRITICAL|ERROR"), shell.output


CASES = [
    ("lines", run(lines)),
    ("lines: gst-launch ends", run(lines_restarted_by_us)),
    ("simple: called", run(simple)),
    ("simple: calling", run(simple_calls)),
    ("gst-webrtc: consumer", run(webrtc_consumer)),
    ("gst-webrtc: server and producer", run(webrtc_producer)),
    ("an odd server", run(odd_server)),
]

if __name__ == "__main__":
    tap.run(CASES)
