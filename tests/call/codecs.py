#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Live encoders, whose caps are not known before they play, directly and through a TURN server."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop"), str(HERE)]

import coturn  # noqa: E402
import peer  # noqa: E402
import tap  # noqa: E402
from shell import FRAME, Shell, complaints, have, scratch  # noqa: E402

FRAMES = 30
PICTURE = "! decodebin ! videoconvert ! checksumsink hash=md5"
SOUND = "! decodebin ! audioconvert ! checksumsink hash=md5"
CODECS = {
    "H.264": ("videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency ! rtph264pay", PICTURE, ["x264enc"]),
    "VP8": ("videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay", PICTURE, ["vp8enc"]),
    "Opus": ("audiotestsrc is-live=true ! opusenc ! rtpopuspay", SOUND, ["opusenc"]),
    "PCMA": ("audiotestsrc is-live=true ! alawenc ! rtppcmapay", SOUND, ["alawenc"]),
    # Its first picture comes long after an offer is due.
    "late VP8": ("videotestsrc is-live=true ! video/x-raw,framerate=10/1 ! identity sleep-time=90000"
                 " ! queue min-threshold-time=700000000 ! vp8enc deadline=1 ! rtpvp8pay", PICTURE, ["vp8enc"]),
}


def call(codec, properties, path, receiver_first):
    encoder, decoder, elements = CODECS[codec]
    missing = [name for name in elements if not have(name)]
    if missing:
        raise tap.Skip(f"no {missing[0]}")
    with scratch() as folder:
        uri = f"ice+file://{folder}/call"
        lines = [f"{encoder} ! icesink uri={uri} {properties}", f"icesrc uri={uri} {properties} {decoder}"]
        if receiver_first:
            lines.reverse()
        with Shell(lines[0]) as first:
            first.wait_for("Waiting for the peer")
            with Shell(lines[1]) as second:
                receiver, sender = (first, second) if receiver_first else (second, first)
                receiver.wait_for(FRAME, count=FRAMES)
                for shell in (receiver, sender):
                    shell.wait_for(rf"Connected in .*{path}")
                sender.interrupt()
                assert receiver.wait(5) == 0, f"the receiver's exit status\n{receiver.output}"
                for shell in (receiver, sender):
                    assert not complaints(shell), f"complains: {shell.line}\n{shell.output}"


def direct_cases():
    for codec in CODECS:
        for receiver_first in (False, True):
            name = f"{codec}, {'receiver' if receiver_first else 'sender'} first"
            yield name, lambda codec=codec, receiver_first=receiver_first: call(
                codec, "", "host/udp <-> .* (host|prflx)/udp", receiver_first)


def relayed_cases(turn):
    properties = f"ice-transport-policy=relay turn-servers=turn:{coturn.USER}:{coturn.PASSWORD}@{turn.host_port}"
    for codec in CODECS:
        yield f"{codec}, relayed", lambda codec=codec: call(
            codec, properties, "relay/udp <-> .* relay/udp", receiver_first=False)


def main():
    if not coturn.available():
        tap.run(direct_cases())
        return
    with coturn.Coturn(peer.own_address()) as turn:
        tap.run([*direct_cases(), *relayed_cases(turn)])


if __name__ == "__main__":
    main()
