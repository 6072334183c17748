#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ice+stdio: between two people who paste, and between two commands by socat."""

import base64
import json
import os
import pathlib
import pty
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tap

PICTURE = ("videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=30/1 ! "
           "vp8enc deadline=1 ! rtpvp8pay")
VIEW = "decodebin ! videoconvert ! checksumsink"
# checksumsink prints a line for each frame.
FRAME = re.compile(rb"\d+:\d\d:\d\d\.\d+ [0-9a-f]{40}\b")
# What can be pasted; the terminal shows what was pasted, too.
LINE = re.compile(rb"gst-ice1:[A-Za-z0-9+/=]+(?=\r?\n)")
CONNECTED = b"Connected in"


class Person:
    """gst-launch-1.0 at a terminal of its own, with somebody who types."""

    def __init__(self, line):
        self.output = b""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execvp("gst-launch-1.0", ["gst-launch-1.0", *shlex.split(line)])
        self.modes = termios.tcgetattr(self.terminal)

    def read(self):
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # its other end is closed
            return False
        self.output += data
        return bool(data)

    def type(self, text):
        while text:
            text = text[os.write(self.terminal, text[:512]):]

    def restored(self):
        return termios.tcgetattr(self.terminal)[3] == self.modes[3]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.child, signal.SIGINT)
        deadline = time.monotonic() + 10
        while os.waitpid(self.child, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self.child, signal.SIGKILL)
                os.waitpid(self.child, 0)
                raise AssertionError("gst-launch-1.0 did not end")
            time.sleep(0.02)
        os.close(self.terminal)


def wait(people, condition, what, timeout=20):
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for person in people:
            selector.register(person.terminal, selectors.EVENT_READ, person)
        while not condition():
            assert time.monotonic() < deadline, what + ": " + repr([p.output[-600:] for p in people])
            for key, _ in selector.select(0.1):
                if not key.data.read():
                    selector.unregister(key.fd)


def line_of(person, people):
    wait(people, lambda: LINE.search(person.output), "a line to give away")
    return LINE.search(person.output).group()


def paste(change=lambda line: line):
    with Person(f"{PICTURE} ! icesink signaller=stdio") as caller, \
            Person(f"icesrc signaller=stdio ! {VIEW}") as callee:
        people = (caller, callee)
        offer = line_of(caller, people)
        assert not LINE.search(callee.output), "who answers has nothing to say yet"
        callee.type(b"what was that?\n")
        given = change(offer)
        callee.type(given + b"\n")
        wait(people, lambda: set(LINE.findall(callee.output)) - {given}, "an answer")
        answer, = set(LINE.findall(callee.output)) - {given}
        assert json.loads(base64.b64decode(answer.partition(b":")[2]))["type"] == "answer"
        caller.type(answer + b"\n")
        wait(people, lambda: all(CONNECTED in p.output for p in people), "connected")
        wait(people, lambda: len(FRAME.findall(callee.output)) >= 5, "pictures")
        # Nothing else was said.
        said = set(LINE.findall(caller.output) + LINE.findall(callee.output))
        assert said <= {offer, given, answer}, said - {offer, given, answer}
        os.kill(callee.child, signal.SIGINT)
        wait(people, callee.restored, "the terminal as it was")


def longer(line):
    """Longer than the kernel lets a line of a terminal be."""
    message = json.loads(base64.b64decode(line.partition(b":")[2]))
    message["sdp"] += "".join(f"a=x-padding:{i:0100d}\r\n" for i in range(60))
    longer_line = b"gst-ice1:" + base64.b64encode(json.dumps(message).encode())
    assert len(longer_line) > 8192
    return longer_line


def socat():
    """Line C of the note, without the ssh in it."""
    if not shutil.which("socat"):
        raise tap.Skip("no socat")
    result = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"gst-ice-socat-{os.getpid()}"
    command = [
        "socat",
        f"EXEC:gst-launch-1.0 -q icesrc signaller=stdio ! decodebin ! videoconvert ! jpegenc ! filesink location={result}",
        "EXEC:gst-launch-1.0 -q " + PICTURE.replace(",", "\\,").replace(":", "\\:") + " ! icesink signaller=stdio",
    ]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while not (result.exists() and result.stat().st_size > 5000):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline, "no picture came"
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        result.unlink(missing_ok=True)


if __name__ == "__main__":
    tap.run([
        ("line B: each prints one line and reads one", paste),
        ("a line of more than 8 kB", lambda: paste(longer)),
        ("line C: socat", socat),
    ])
