#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-launch-1.0 by way of a mosquitto, which dies in the middle."""

import contextlib
import getpass
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "call")]

import tap  # noqa: E402
from shell import Shell, complaints  # noqa: E402

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
SEND = "videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! vp8enc deadline=1 ! rtpvp8pay ! icesink"
VIEW = "decodebin ! videoconvert ! checksumsink"
# A line for each frame.
FRAME = r"^\d+:\d\d:\d\d\.\d+ [0-9a-f]{40}$"
CONNECTED = "Connected in"


class Broker:
    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.config = pathlib.Path(folder) / "mosquitto.conf"
        self.config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", self.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert time.monotonic() < deadline and self.process.poll() is None, "no mosquitto"
            time.sleep(0.01)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def broker():
    with tempfile.TemporaryDirectory(prefix="gst-ice-mqtt-") as folder:
        one = Broker(folder)
        try:
            one.start()
            yield one
        finally:
            one.kill()


def uri(one, query=""):
    return f"ice+mqtt://127.0.0.1:{one.port}/calls/garden{query}"


def more_frames(shell, n=10):
    shell.wait_for(FRAME, count=shell.count(FRAME) + n)


def call():
    with broker() as one, Shell(f"{SEND} uri={uri(one, '?secret=roses')}") as sender:
        sender.wait_for("Waiting for the peer")
        with Shell(f"icesrc uri={uri(one, '?secret=roses')} ! {VIEW}") as receiver:
            for shell in (sender, receiver):
                shell.wait_for("The peer is there")
                shell.wait_for(CONNECTED)
            more_frames(receiver)
            assert receiver.interrupt() == 0
        assert sender.interrupt() == 0
        assert not complaints(sender) + complaints(receiver), complaints(sender) + complaints(receiver)


def killed():
    """Media does not mind; the bye of the sender, after the broker is back, is heard."""
    with broker() as one, Shell(f"{SEND} uri={uri(one)}") as sender, \
            Shell(f"icesrc uri={uri(one)} ! {VIEW}") as receiver:
        sender.wait_for(CONNECTED)
        more_frames(receiver)
        one.kill()
        more_frames(receiver, 30)
        one.start()
        more_frames(receiver, 90)
        assert sender.interrupt() == 0
        assert receiver.wait() == 0, receiver.output
        assert not complaints(receiver), complaints(receiver)


def late():
    """The receiver comes while there is no broker: told so; then there is one."""
    with broker() as one:
        one.kill()
        with Shell(f"icesrc uri={uri(one)} ! {VIEW}") as receiver:
            when, _ = receiver.wait_for("^ERROR: from element.*No connection to the broker .*Connection refused")
            tap.comment(f"{when:.2f} s")
            assert when < 2.5
            receiver.wait()


if __name__ == "__main__":
    if not MOSQUITTO:
        tap.skip_all("no mosquitto")
    else:
        tap.run([
            ("a call", call),
            ("the broker dies in mid-call and comes back", killed),
            ("there is no broker", late),
        ])
