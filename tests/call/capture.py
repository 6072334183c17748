# SPDX-License-Identifier: LGPL-2.1-or-later
"""What two sides of a call say, to each other and to their users, in the order in which it was seen.

By ice+stdio: whatever goes from one to the other goes through this script.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parent / "interop"), str(HERE.parent / "sip")]

SEND = "audiotestsrc is-live=true ! alawenc ! rtppcmapay ! icesink signaller=stdio {properties}"
RECEIVE = "icesrc signaller=stdio {properties} ! fakesink"
DEBUG = "ice-gather:6,ice-check:6,ice-stun:6,ice-turn:6"


class Side:
    def __init__(self, name, line, capture, properties):
        self.name = name
        self.capture = capture
        self.other = None
        self.process = subprocess.Popen(
            ["gst-launch-1.0", "-m", *line.format(properties=properties).split()],
            env={**os.environ, "GST_DEBUG": DEBUG, "GST_DEBUG_NO_COLOR": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.thread = threading.Thread(target=self.read, daemon=True)

    def read(self):
        for data in self.process.stdout:
            line = data.decode(errors="replace").rstrip()
            if line.startswith("{"):
                self.capture.say(self.name, json.loads(line))
                try:
                    self.other.process.stdin.write(data)
                    self.other.process.stdin.flush()
                except OSError:
                    pass
            else:
                self.capture.add(f"{self.name}: {tidy(line)}")


def tidy(line):
    """Without what gst-launch-1.0 puts before a message, or GST_DEBUG before a line."""
    line = re.sub(r"^Got message #\d+ from element \"\w+\" \(element\): ", "message ", line)
    return re.sub(r"^\d:\d\d:\d\d\.\d+ +\d+ 0x[0-9a-f]+ (\w+) +(ice-\w+) \S+?:\d+:\w+:(<\w+>)? ?", r"\2 ", line)


class Capture:
    def __init__(self):
        self.lines = []
        self.news = threading.Condition()

    def add(self, line):
        with self.news:
            self.lines.append(line)
            self.news.notify_all()

    def say(self, name, message):
        if "sdp" in message:
            self.add(f"{name} says {message['type']}:")
            for line in message["sdp"].splitlines():
                self.add(f"{name}   {line}")
        elif "candidate" in message:
            self.add(f"{name} says candidate: {message['candidate'] or '(no more)'}")
        else:
            self.add(f"{name} says {message.get('type')}")

    def wait_for(self, pattern, timeout=15):
        with self.news:
            assert self.news.wait_for(
                lambda: any(re.search(pattern, line) for line in self.lines), timeout), \
                f"no {pattern}:\n" + "\n".join(self.lines)


def call(properties):
    """The lines of a call with these properties on both sides."""
    capture = Capture()
    sides = []
    try:
        # B waits already when A comes.
        for name, line in (("B", RECEIVE), ("A", SEND)):
            sides.insert(0, Side(name, line, capture, properties))
            sides[-1].other, sides[0].other = sides[0], sides[-1]
            sides[0].thread.start()
            capture.wait_for(f"{name}: Setting pipeline to PAUSED" if name == "A" else "B: Prerolled, waiting")
        for name in "AB":
            capture.wait_for(rf"{name}: Progress: \(connect\) Connected")
        capture.wait_for("A: .*new=.*completed")
        sides[0].process.send_signal(2)
        capture.wait_for("A says bye")
        for side in sides:
            side.process.wait(10)
    finally:
        for side in sides:
            if side.process.poll() is None:
                side.process.kill()
                side.process.wait()
            side.thread.join(5)
            side.process.stdin.close()
            side.process.stdout.close()
    return capture.lines


def main():
    """Prints both calls: direct, and by relay only."""
    from coturn import PASSWORD, USER, Coturn

    with Coturn() as turn:
        server = f"turn-servers=turn:{USER}:{PASSWORD}@{turn.host_port} agent::interfaces=lo agent::ip-family=ipv4"
        for properties in (server, server + " ice-transport-policy=relay"):
            print("\n".join(call(properties)))
            print()


if __name__ == "__main__":
    main()
