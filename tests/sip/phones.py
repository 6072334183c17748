# SPDX-License-Identifier: LGPL-2.1-or-later
"""Telephones of ours: gst-launch-1.0 with a tone that goes out, and ears for the one that comes in."""

import pathlib
import re
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "call"), str(HERE.parent / "interop")]

from shell import Shell  # noqa: E402

import tap  # noqa: E402

# What "level" says of decoded sound, in dB: a tone of ours has -5 to -8, silence -120 and less.
LEVEL = re.compile(r"level, .*? rms=\(GValueArray\)< (-?[\d.]+|-inf)")
LOUD = r"level, .*? rms=\(GValueArray\)< -\d\.|level, .*? rms=\(GValueArray\)< -[12]\d\."
CONNECTED = r"\(connect\) Connected in"
BYE = r"GstIcePeer, .*event=\(string\)bye, reason=\(string\)([a-z-]*)"
# Whoever cannot be called is told of within so many seconds.
SOON = 2
EARS = "decodebin ! audioconvert ! level interval=100000000 ! fakesink"


def tone(frequency=880):
    return (f"audiotestsrc is-live=true freq={frequency} ! audio/x-raw,rate=8000,channels=1"
            " ! alawenc ! rtppcmapay max-ptime=20000000 min-ptime=20000000")


def phone(uri, properties="", frequency=880, **environment):
    """Speaks and hears; properties are of the signaller."""
    settings = " ".join(f"signaller::{name}" for name in properties.split())
    return Shell(f"-m {tone(frequency)} ! icesink name=mouth signaller=sip signaller::uri={uri} {settings}"
                 f" icesrc name=ear ! {EARS}", **environment)


def free_port():
    """Of UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            try:
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def is_bound(port):
    return any(f":{port:04X} " in pathlib.Path("/proc/net", table).read_text().split("sl", 1)[1]
               for table in ("udp", "tcp"))


def waits(shell):
    """It can be called: what is sent to a port that is not open yet is lost."""
    shell.wait_for(r"\(signal\) Waiting for the peer")
    port = int(re.search(r"sips?:[^ ]*?:(\d+)[^ ]*listen=1", shell.line).group(1))
    deadline = time.monotonic() + 10
    while not is_bound(port):
        assert time.monotonic() < deadline, f"nobody waits at port {port}\n{shell.output}"
        time.sleep(0.01)


def hears(shell, count=5, timeout=15):
    """So many tenths of a second of sound."""
    shell.wait_for(LOUD, timeout=timeout, count=count)


def hangs_up(shell, other):
    """^C here ends the call there; returns the reason that is shown there."""
    shell.interrupt()
    _, match = other.wait_for(BYE)
    return match.group(1)


def expect_error(uri, properties, cause, words, secret=None, within=SOON):
    """The error on the bus, with its cause, in a pipeline of this process."""
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    Gst.init(None)
    settings = " ".join(f"signaller::{name}" for name in properties.split())
    start = time.monotonic()
    pipeline = Gst.parse_launch(
        f"{tone()} ! icesink signaller=sip signaller::uri={uri} {settings} icesrc ! fakesink")
    try:
        pipeline.set_state(Gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, Gst.MessageType.ERROR)
        when = time.monotonic() - start
        assert message is not None, "no error"
        error, _ = message.parse_error()
        found = message.parse_error_details().get_string("cause")
        tap.comment(f"{when:.2f} s, {found}: {error.message}")
        assert found == cause and words in error.message
        assert secret is None or secret not in error.message
        assert when <= within
    finally:
        pipeline.set_state(Gst.State.NULL)
