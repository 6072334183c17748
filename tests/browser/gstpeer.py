# SPDX-License-Identifier: LGPL-2.1-or-later
"""One icewebrtcbin in this process, for tests that talk to it."""

import queue
import re
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)

# Seven bars: white on the left, blue on the right.
VIDEO = ("videotestsrc is-live=true pattern=smpte75 ! video/x-raw,width=320,height=240,framerate=30/1 ! "
         "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=60 target-bitrate=500000 ! rtpvp8pay pt=96 picture-id-mode=2")
AUDIO = "audiotestsrc is-live=true wave=ticks ! opusenc ! rtpopuspay pt=97"


def make_description(kind, text):
    kinds = {"offer": GstWebRTC.WebRTCSDPType.OFFER, "answer": GstWebRTC.WebRTCSDPType.ANSWER}
    _, sdp = GstSdp.SDPMessage.new_from_text(text)
    return GstWebRTC.WebRTCSessionDescription.new(kinds[kind], sdp)


class GstPeer:
    """with GstPeer(...) as peer: peer.offer(), peer.events, peer.n_frames."""

    def __init__(self, settings="", source=VIDEO, turn=(), element="icewebrtcbin", decode=True):
        self.settings = settings
        self.source = [source] if isinstance(source, str) else source or []
        self.turn = turn
        self.element = element
        self.decode = decode
        self.pipeline = None
        self.events = queue.Queue()  # (kind, value)
        self.candidates = []
        self.states = []
        self.texts = []
        self.n_frames = 0
        self.channel = None
        self.negotiable = threading.Event()

    def build(self, offer=""):
        """Once; what an answer sends has the payload types of the offer."""
        if self.pipeline:
            return
        vp8 = re.search(r"^a=rtpmap:(\d+) VP8/90000", offer, re.M)
        sources = "".join(f" {line} ! w." for line in self.source).replace("pt=96", f"pt={vp8[1] if vp8 else 96}")
        self.pipeline = Gst.parse_launch(f"{self.element} name=w bundle-policy=max-bundle {self.settings}{sources}")
        if not isinstance(self.pipeline, Gst.Pipeline):
            pipeline = Gst.Pipeline.new(None)
            pipeline.add(self.pipeline)
            self.pipeline = pipeline
        self.bin = self.pipeline.get_by_name("w")
        self.bin.connect("on-negotiation-needed", lambda _: self.negotiable.set())
        self.bin.connect("on-ice-candidate", self.on_candidate)
        self.bin.connect("pad-added", self.on_pad)
        self.bin.connect("on-data-channel", lambda _, channel: self.take(channel))
        self.bin.connect("notify::ice-connection-state", self.on_state)
        for uri in self.turn:
            assert self.bin.emit("add-turn-server", uri), uri

    def play(self, offer=""):
        self.build(offer)
        self.pipeline.set_state(Gst.State.PLAYING)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.pipeline:
            self.pipeline.set_state(Gst.State.NULL)

    # What it says

    def on_candidate(self, _, mline, candidate):
        self.candidates.append(candidate)
        self.events.put(("candidate", {"mline": mline, "candidate": candidate}))

    def on_state(self, element, _):
        self.states.append(element.get_property("ice-connection-state").value_nick)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        line = "queue ! rtpvp8depay ! vp8dec ! videoconvert ! fakesink name=out signal-handoffs=true sync=false"
        sink = Gst.parse_bin_from_description(line if self.decode else "fakesink name=out signal-handoffs=true", True)
        sink.get_by_name("out").connect("handoff", self.on_frame)
        self.pipeline.add(sink)
        pad.link(sink.get_static_pad("sink"))
        sink.sync_state_with_parent()

    def on_frame(self, *_):
        self.n_frames += 1

    def take(self, channel):
        self.channel = channel
        channel.connect("on-message-string", lambda _, text: self.texts.append(text))

    @property
    def state(self):
        return self.bin.get_property("ice-connection-state").value_nick if self.pipeline else "new"

    # What it is told

    def ask(self, action, *arguments):
        promise = Gst.Promise.new()
        self.bin.emit(action, *arguments, promise)
        assert promise.wait() == Gst.PromiseResult.REPLIED, action
        reply = promise.get_reply()
        if reply and reply.has_field("error"):
            raise RuntimeError(f"{action}: {reply.to_string()}")
        # The promise keeps it, and goes.
        return reply.copy() if reply else None

    def create_channel(self):
        self.build()
        self.pipeline.set_state(Gst.State.READY)
        self.take(self.bin.emit("create-data-channel", "talk", None))
        self.play()

    def make(self, kind, restart=False):
        options = Gst.Structure.new_from_string("options,ice-restart=(boolean)true") if restart else None
        reply = self.ask(f"create-{kind}", options)  # what it holds goes with it
        description = reply.get_value(kind)
        text = description.sdp.as_text()
        self.ask("set-local-description", description)
        return text

    def offer(self, restart=False):
        self.play()
        assert self.negotiable.wait(10), "no negotiation needed"
        return self.make("offer", restart)

    def answer(self, offer):
        self.play(offer)
        self.ask("set-remote-description", make_description("offer", offer))
        return self.make("answer")

    def finish(self, answer):
        self.ask("set-remote-description", make_description("answer", answer))

    def add(self, mline, candidate):
        self.bin.emit("add-ice-candidate", mline, candidate)

    def send(self, text):
        self.channel.emit("send-string", text)

    def stats(self):
        """Fields of all objects, by id."""
        reply = self.ask("get-stats", None)
        found = {}
        for i in range(reply.n_fields()):
            name = reply.nth_field_name(i)
            value = reply.get_value(name)
            if isinstance(value, Gst.Structure):
                found[name] = {value.nth_field_name(j): value.get_value(value.nth_field_name(j))
                               for j in range(value.n_fields())}
        return found


def wait(condition, what, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)
