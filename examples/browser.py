#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A picture for a browser, its camera back, and words that come back, too.

    examples/browser.py [URI]

Open what is printed; "Send my camera" there shows the camera here. Without URI
only browsers of this host get in: a camera wants https everywhere else, as
ice+wss://:8443/cam?listen=1&tls=self-signed has it.
"""

import sys
import urllib.parse

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

URI = "ice+ws://127.0.0.1:8443/cam?listen=1"


def on_pad_added(bin, pad, pipeline):
    """Something that the page sends."""
    if pad.direction != Gst.PadDirection.SRC:
        return
    video = pad.get_current_caps().get_structure(0).get_string("media") == "video"
    sink = Gst.parse_bin_from_description(
        "queue ! decodebin ! videoconvert ! autovideosink" if video
        else "queue ! decodebin ! audioconvert ! audioresample ! autoaudiosink", True)
    pipeline.add(sink)
    pad.link(sink.get_static_pad("sink"))
    sink.sync_state_with_parent()


def on_message(bus, message, loop):
    if message.type == Gst.MessageType.ERROR:
        print(message.parse_error()[0].message, file=sys.stderr)
        loop.quit()
    elif message.get_structure() and message.get_structure().get_name() == "GstIcePeer":
        print("The page has left; the next one may come")


def main():
    Gst.init(None)
    uri = sys.argv[1] if len(sys.argv) > 1 else URI
    pipeline = Gst.parse_launch(
        "videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! icewebrtcbin name=w bundle-policy=max-bundle "
        "audiotestsrc is-live=true wave=ticks ! opusenc ! rtpopuspay pt=97 ! w.")
    w = pipeline.get_by_name("w")
    w.set_property("uri", uri)
    w.connect("pad-added", on_pad_added, pipeline)

    # Before the offer, or it is not in there.
    pipeline.set_state(Gst.State.READY)
    channel = w.emit("create-data-channel", "words", None)
    channel.connect("on-open", lambda channel: channel.emit("send-string", "hello page"))
    channel.connect("on-message-string", lambda channel, text: print("The page says:", text, flush=True))

    loop = GLib.MainLoop()
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message, loop)
    pipeline.set_state(Gst.State.PLAYING)
    place = urllib.parse.urlsplit(uri)
    print(f"http{'s' if place.scheme == 'ice+wss' else ''}://{place.netloc}{place.path}", flush=True)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass
    pipeline.set_state(Gst.State.NULL)


main()
