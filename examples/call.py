#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A video call whose signalling the application does itself.

Alice and Bob live in one process here. Between two machines, say() would write
to your own channel, and hear() be called for what comes out of it.

Exit status 0: Bob saw Alice.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstIce", "1.0")
from gi.repository import GLib, Gst, GstIce

ENOUGH_FRAMES = 30
DEADLINE_SECONDS = 30


class Side:
    def __init__(self, name, controlling, launch):
        # Signals come in the main context: nothing here needs a lock.
        self.agent = GstIce.Agent(name=name, controlling=controlling, main_context=GLib.MainContext.default())
        self.agent.connect("new-candidate", self.on_new_candidate)
        self.agent.connect("end-of-candidates", lambda _, stream: self.say("candidate", "", stream.get_name()))
        self.agent.connect("selected-pair", self.on_selected_pair)
        self.pipeline = Gst.parse_launch(launch)
        self.pipeline.get_by_name("ice").set_property("agent", self.agent)

    def say(self, kind, text, mid=None):
        print(f"{self.agent.get_name()} says {kind} {mid or ''}\n{text}")
        self.other.hear(kind, text, mid)

    def hear(self, kind, text, mid):
        if kind == "candidate":
            self.agent.add_remote_candidate(mid, text)
            return
        self.agent.set_remote_description(kind, text)
        if kind == "offer":
            self.say("answer", self.agent.create_answer())

    def on_new_candidate(self, agent, stream, candidate):
        self.say("candidate", candidate.to_sdp(), stream.get_name())

    def on_selected_pair(self, agent, stream, component, local, remote):
        print(f"{agent.get_name()} sends from {local.get_address()} to {remote.get_address()}")


def main():
    Gst.init(None)
    loop = GLib.MainLoop()
    alice = Side("alice", True, "videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! icesink name=ice stream=video")
    bob = Side("bob", False, "icesrc name=ice stream=video ! decodebin ! fakesink name=screen signal-handoffs=true")
    alice.other, bob.other = bob, alice

    frames = 0

    def on_frame(screen, buffer, pad):
        nonlocal frames
        frames += 1
        if frames == ENOUGH_FRAMES:
            loop.quit()

    bob.pipeline.get_by_name("screen").connect("handoff", on_frame)
    for side in (alice, bob):
        side.pipeline.set_state(Gst.State.PLAYING)

    # What Alice is going to send becomes the m-line of her offer.
    caps = Gst.Caps.from_string("application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000")
    alice.agent.request_stream("video").set_caps(caps, None)
    alice.say("offer", alice.agent.create_offer())
    GLib.timeout_add_seconds(DEADLINE_SECONDS, loop.quit)
    loop.run()

    for side in (alice, bob):
        side.pipeline.set_state(Gst.State.NULL)
    print(f"bob saw {frames} frames")
    return 0 if frames >= ENOUGH_FRAMES else 1


if __name__ == "__main__":
    sys.exit(main())
