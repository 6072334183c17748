#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls of two gst-launch processes that meet over a WebSocket.

  calls.py GST_ICE_TOOL
"""

import re
import signal

from serve import Server, free_port, receiver, sender

import tap  # noqa: E402
from shell import FRAME, Shell, complaints  # noqa: E402

DIALECTS = ("lines", "simple", "gst-webrtc")
# gst-launch's own words when a pipeline is stopped early are none.
QUIET = "GST_DEBUG_NO_COLOR"


def check_quiet(*shells):
    for shell in shells:
        assert not complaints(shell), f"{shell.line}\n{shell.output}"


def call(first, second, frames=10):
    with Shell(first) as one:
        one.wait_for("Waiting for the peer")
        with Shell(second) as two:
            watcher = one if "checksumsink" in first else two
            watcher.wait_for(FRAME, count=frames)
            check_quiet(one, two)


def over(dialect, sender_first):
    with Server("--tls", "self-signed") as server:
        uri = server.place("cam", dialect=dialect)
        lines = [sender(uri), receiver(uri)]
        call(*(lines if sender_first else reversed(lines)))
        assert server.end() == 0


def with_token():
    with Server("--token", "sesame", "--token", "other room") as server:
        call(sender(server.place("cam", token="sesame")), receiver(server.place("cam"), "signaller::token=sesame"))
        assert "sesame" not in server.output


def nick_gst_webrtc():
    """signaller=gst-webrtc, as the note has it."""
    with Server("--dialect", "gst-webrtc") as server:
        for_both = f"signaller=gst-webrtc signaller::uri={server.plain}"
        call(f"{sender('x').replace('uri=x', for_both)}", receiver("x").replace("uri=x", for_both))


def listen(scheme, *parameters):
    port = free_port()
    host = "127.0.0.1"
    query = "&".join(["listen=1", *parameters])
    with Shell(sender(f"{scheme}://{host}:{port}/cam?{query}")) as one:
        _, match = one.wait_for(r'uri="(.*?)"')
        # Who comes late sees as much as who is there already, and so does the next.
        for _ in range(2):
            with Shell(receiver(match.group(1))) as two:
                two.wait_for(FRAME, count=10)
                two.interrupt()
                check_quiet(two)
        check_quiet(one)


def by_property(uri):
    _, _, fingerprint = uri.partition("?fingerprint=")
    return receiver(uri.partition("?")[0], f"signaller::fingerprint={fingerprint}")


def pin_by_property():
    """What goes into the URI may be a property as well."""
    with Server("--tls", "self-signed") as server:
        uri = server.place("cam")
        call(sender(uri), by_property(uri))


def ca_file():
    import certificates
    with certificates.Authority() as authority:
        issued = authority.issue()
        with Server("--cert", str(issued.certificate), "--key", str(issued.key)) as server:
            server.fingerprint = None
            uri = server.place("cam", ca_file=authority.certificate)
            call(sender(uri), receiver(uri))


def playback():
    """What gst-play-1.0 does with the URI."""
    with Server("--tls", "self-signed") as server:
        uri = server.place("cam")
        call(sender(uri), f"playbin uri={uri} video-sink='checksumsink hash=md5'")


def server_restarts():
    """Media goes on without the server; when it is back both are in their room, and a stranger has no place there."""
    port = free_port()
    with Server(port=port) as server:
        uri = server.place("cam")
        with Shell(sender(uri), GST_DEBUG="ice-signal:4", **{QUIET: "1"}) as one:
            one.wait_for("Waiting for the peer")
            with Shell(receiver(uri), GST_DEBUG="ice-signal:4", **{QUIET: "1"}) as two:
                two.wait_for(FRAME)
                assert server.end(signal.SIGKILL) != 0
                two.wait_for("connection ended")
                n = two.count(FRAME)
                two.wait_for(FRAME, count=n + 30)
                with Server(port=port):
                    for shell in (one, two):
                        shell.wait_for("connected to the server", count=2)
                    with Shell(receiver(uri)) as stranger:
                        stranger.wait_for("^ERROR.*has its two peers")
                    n = two.count(FRAME)
                    two.wait_for(FRAME, count=n + 30)
                    assert one.count("met as") == two.count("met as") == 1, one.output + two.output
                    # And the way they have is one: a bye arrives.
                    one.interrupt()
                    when, _ = two.wait_for("EOS")
                    assert two.wait(5) == 0
                check_quiet(one, two)


def vanished_peer():
    """Whose process is killed is gone soon; the next one is served by the same sender."""
    with Server() as server:
        uri = server.place("cam")
        with Shell(sender(uri), GST_DEBUG="ice-signal:4", **{QUIET: "1"}) as one:
            one.wait_for("Waiting for the peer")
            with Shell(receiver(uri)) as two:
                two.wait_for(FRAME)
                two.kill()
            with Shell(receiver(uri)) as three:
                three.wait_for(FRAME, count=10)
            one.wait_for("met as", count=2)


def third_peer():
    with Server() as server:
        uri = server.place("cam")
        with Shell(sender(uri)) as one:
            one.wait_for("Waiting for the peer")
            with Shell(receiver(uri)) as two:
                two.wait_for(FRAME)
                for line in (receiver(uri), sender(uri)):
                    with Shell(line) as three:
                        when, _ = three.wait_for("^ERROR.*has its two peers")
                        assert when < 2, when
                n = two.count(FRAME)
                two.wait_for(FRAME, count=n + 10)
                check_quiet(one, two)


def rooms_apart():
    with Server() as server:
        shells = [Shell(line) for room in ("a", "b") for line in (sender(server.place(room)), receiver(server.place(room)))]
        try:
            ports = []
            for shell in shells:
                _, match = shell.wait_for(r"Connected in .*: \S+:(\d+) \S+ <-> \S+:(\d+) ")
                ports.append(match.groups())
            assert ports[0] == ports[1][::-1] and ports[2] == ports[3][::-1], ports
        finally:
            for shell in shells:
                shell.__exit__()


def two_receivers():
    """Nobody would ever offer: said to who comes second."""
    with Server() as server:
        with Shell(receiver(server.place("cam"))) as one:
            one.wait_for("Waiting for the peer")
            with Shell(receiver(server.place("cam"))) as two:
                two.wait_for("^ERROR.*waits for an offer, too")


CASES = [
    *((f"{dialect}, {'sender' if first else 'receiver'} first",
       lambda dialect=dialect, first=first: over(dialect, first))
      for dialect in DIALECTS for first in (True, False)),
    ("a token", with_token),
    ("signaller=gst-webrtc", nick_gst_webrtc),
    ("listen=1", lambda: listen("ice+ws")),
    ("listen=1, self-signed", lambda: listen("ice+wss", "tls=self-signed")),
    ("listen=1, gst-webrtc", lambda: listen("ice+ws", "dialect=gst-webrtc")),
    ("fingerprint as property", pin_by_property),
    ("ca-file", ca_file),
    ("playbin", playback),
    ("server killed and back in mid-call", server_restarts),
    ("peer killed", vanished_peer),
    ("third peer", third_peer),
    ("rooms are apart", rooms_apart),
    ("two receivers", two_receivers),
]

if __name__ == "__main__":
    tap.run(CASES)
