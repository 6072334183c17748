#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls by icertpbin between processes, as a user makes, ends and gets wrong."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import tap  # noqa: E402
from shell import FRAME, Shell, complaints, have, scratch  # noqa: E402

BIN = "icertpbin name=c uri=ice+file://{place} {properties} "
VIDEO = "videotestsrc is-live=true {buffers} ! vp8enc deadline=1 ! rtpvp8pay ! c. "
AUDIO = "audiotestsrc is-live=true {buffers} ! opusenc ! rtpopuspay ! c. "
SEE = "c. ! application/x-rtp,media=video ! rtpvp8depay ! vp8dec ! videoconvert ! checksumsink hash=md5 "
HEAR = "c. ! application/x-rtp,media=audio ! rtpopusdepay ! opusdec ! audioconvert ! checksumsink hash=sha1 "
SOUND = r"^\d+:\d\d:\d\d\.\d+ [0-9a-f]{40}$"


def line(text, folder, properties="", buffers=""):
    return text.format(place=f"{folder}/call", properties=properties, buffers=buffers)


def expect_quiet(*shells):
    for shell in shells:
        assert not complaints(shell), f"{shell.line}\n{shell.output}"


def both_ways(properties):
    with scratch() as folder, \
            Shell(line("-m " + BIN + VIDEO + AUDIO + SEE + HEAR, folder, properties)) as a, \
            Shell(line("-m " + BIN + AUDIO + VIDEO + SEE + HEAR, folder, properties)) as b:
        for shell in (a, b):
            shell.wait_for(FRAME, count=20)
            shell.wait_for(SOUND, count=20)
        # Whoever hangs up ends the call on both sides.
        assert a.interrupt() == 0, a.output
        b.wait_for("GstIcePeer, .*bye")
        assert b.wait() == 0, b.output
        expect_quiet(a, b)


def hung_up_by_viewer():
    with scratch() as folder, Shell(line(BIN + VIDEO, folder)) as a, Shell(line(BIN + SEE, folder)) as b:
        b.wait_for(FRAME, count=20)
        assert b.interrupt() == 0, b.output
        assert a.wait() == 0, a.output
        expect_quiet(a, b)


def ends_of_both():
    with scratch() as folder, \
            Shell(line(BIN + VIDEO + HEAR, folder, buffers="num-buffers=40")) as a, \
            Shell(line(BIN + AUDIO + SEE, folder, buffers="num-buffers=60")) as b:
        assert a.wait() == 0 and b.wait() == 0, a.output + b.output
        assert a.count(SOUND) > 20 and b.count(FRAME) > 10, a.output + b.output
        expect_quiet(a, b)


def a_file():
    """It is not over before its first picture was seen, nor quicker than it plays."""
    if not have("matroskademux"):
        raise tap.Skip("no matroskademux")
    clip = HERE.parents[1] / "examples/clip.webm"
    for properties in ("", "dtls-srtp=true"):
        with scratch() as folder, \
                Shell(line(f"filesrc location={clip} ! matroskademux ! video/x-vp8 ! rtpvp8pay ! {BIN}",
                           folder, properties)) as a, \
                Shell(line(BIN + SEE, folder, properties)) as b:
            first, _ = b.wait_for(FRAME)
            last, _ = b.wait_for(FRAME, count=60)
            # 60 frames of 25 or 30 in a second.
            assert last - first > 1, b.output
            assert a.wait(40) == 0 and b.wait() == 0, a.output + b.output
            assert b.count(FRAME) >= 60
            expect_quiet(a, b)


def line_a():
    """Line A of the users' note: no infrastructure."""
    with scratch() as folder, \
            Shell(line("videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! icesink uri=ice+file://{place}",
                       folder)) as a, \
            Shell(line("icesrc uri=ice+file://{place} ! decodebin ! videoconvert ! checksumsink hash=md5",
                       folder)) as b:
        b.wait_for(FRAME, count=20)
        expect_quiet(a, b)


def line_g():
    """Line G: rtpbin beside icesrc and icesink on one agent, RTP and RTCP on one port."""
    if not have("x264enc") or not have("avdec_h264"):
        raise tap.Skip("no x264enc or no decoder of H.264")
    text = ("rtpbin name=r latency=50 icesrc agent=call stream=v uri=ice+file://{place} ! r.recv_rtp_sink_0 "
            "videotestsrc is-live=true ! x264enc tune=zerolatency key-int-max=10 ! rtph264pay config-interval=-1 ! "
            "r.send_rtp_sink_0 r.send_rtp_src_0 ! icesink agent=call stream=v "
            "r.send_rtcp_src_0 ! icesink agent=call stream=v sync=false async=false "
            "r. ! rtph264depay ! avdec_h264 ! videoconvert ! checksumsink hash=md5")
    with scratch() as folder, Shell(line(text, folder)) as a, Shell(line(text, folder)) as b:
        for shell in (a, b):
            shell.wait_for(FRAME, count=20)
        expect_quiet(a, b)


def gst_play(uri_of):
    """One command plays what a sender shows and says."""
    if shutil.which("gst-play-1.0") is None:
        raise tap.Skip("no gst-play-1.0 (gstreamer1.0-plugins-base-apps)")
    sinks = "--videosink='checksumsink hash=md5' --audiosink='audioconvert ! checksumsink hash=sha1' --no-interactive "
    with scratch() as folder:
        served, watched = uri_of(folder)
        with Shell(line(f"icertpbin name=c uri={served} " + VIDEO + AUDIO, folder)) as a:
            a.wait_for("Waiting for the peer")
            with Shell(sinks + watched, program="gst-play-1.0") as b:
                b.wait_for(FRAME, count=10)
                b.wait_for(SOUND, count=10)
                assert a.interrupt() == 0, a.output
                assert b.wait() == 0, b.output
            expect_quiet(a)


def by_file(folder):
    return (f"ice+file://{folder}/call",) * 2


def by_websocket(folder):
    if subprocess.run(["gst-inspect-1.0", "icewebsocket"], capture_output=True).returncode != 0:
        raise tap.Skip("ext/websocket is not built")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"ice+ws://127.0.0.1:{free.getsockname()[1]}/room"
    return f"{place}?listen=1", place


def one_encrypts():
    with scratch() as folder, Shell(line(BIN + VIDEO, folder, "dtls-srtp=true")), \
            Shell(line(BIN + SEE, folder)) as b:
        b.wait_for("ERROR: .*set “dtls-srtp” to TRUE here")
        assert b.wait() == 1, b.output
        assert b.count(FRAME) == 0


def missing_plugin():
    """What to install is said at once."""
    with scratch() as folder:
        environment = {
            "GST_REGISTRY": f"{folder}/registry.bin",
            "GST_PLUGIN_LOADING_WHITELIST": os.environ["GST_PLUGIN_LOADING_WHITELIST"].replace(
                "gst-plugins-bad:", ""),
        }
        with Shell(line(BIN, folder, "dtls-srtp=true"), **environment) as a:
            a.wait_for("ERROR: .*install gstreamer1.0-plugins-bad")
            assert a.wait() != 0


def main():
    dtls = have("dtlssrtpenc") and have("srtpenc")

    def needs_dtls(function):
        def run():
            if not dtls:
                raise tap.Skip("no dtlssrtpenc or srtpenc")
            function()
        return run

    tap.run([
        ("line A", line_a),
        ("line G", line_g),
        ("both ways, bundled", lambda: both_ways("latency=50")),
        ("both ways, not bundled", lambda: both_ways("latency=50 agent::bundle=none")),
        ("both ways, bundled and encrypted", needs_dtls(lambda: both_ways("latency=50 dtls-srtp=true"))),
        ("the viewer hangs up", hung_up_by_viewer),
        ("neither has more to send", ends_of_both),
        ("a file", needs_dtls(a_file)),
        ("gst-play-1.0 on ice+file:", lambda: gst_play(by_file)),
        ("gst-play-1.0 on ice+ws:", lambda: gst_play(by_websocket)),
        ("one side encrypts", needs_dtls(one_encrypts)),
        ("a plugin is missing", missing_plugin),
    ])


if __name__ == "__main__":
    main()
