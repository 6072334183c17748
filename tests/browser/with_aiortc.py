#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""icewebrtcbin and aiortc, which neither trickles nor is a browser."""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

try:
    import aiortc
except ImportError:
    print("1..0 # SKIP there is no python3-aiortc")
    sys.exit(0)

from gstpeer import GstPeer  # noqa: E402

ENOUGH = 20


async def count(track, seen):
    try:
        while True:
            seen.append(await track.recv())
    except aiortc.mediastreams.MediaStreamError:
        pass  # its connection was closed


async def until(condition, what):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")


async def call():
    seen, tasks = [], []
    # Without this it asks a public server.
    theirs = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    theirs.on("track", lambda track: tasks.append(asyncio.ensure_future(count(track, seen))))
    with GstPeer() as ours:
        offer = ours.offer()
        await until(lambda: ours.bin.get_property("ice-gathering-state").value_nick == "complete", "candidates")
        lines = "".join(f"a={candidate}\r\n" for candidate in ours.candidates)
        await theirs.setRemoteDescription(aiortc.RTCSessionDescription(offer + lines, "offer"))
        await theirs.setLocalDescription(await theirs.createAnswer())
        ours.finish(theirs.localDescription.sdp)
        await until(lambda: len(seen) >= ENOUGH, "pictures")
        await theirs.close()


print("1..1")
asyncio.run(call())
print("ok 1 aiortc/we-offer", flush=True)
