#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two pipelines of gst-launch-1.0, and the network of one changes in mid-call.

  elements.py

The pipelines stay as they are: icesink and icesrc move, by a restart that they
signal themselves where it takes one, and the picture is there again because the
encoder is asked for a whole one. It makes no other after its first.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import lab
import tap
from patience import stretched

RATE = 25
# Of pictures before the fault, and after media is there again.
BEFORE, AFTER = 2 * RATE, 2 * RATE
# A new interface is known, a restart signalled and checked; a limit for being
# there at all, the second that issue 4 asks for is roaming.py's.
BACK = 5
SENDER = (f"videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate={RATE}/1 ! "
          "vp8enc deadline=1 keyframe-max-dist=9999 ! rtpvp8pay ! icesink")
# What identity says of each picture; a whole one is no delta unit.
RECEIVER = "icesrc name=in"
SEEN = "rtpvp8depay ! identity name=seen silent=false ! fakesink sync=false"
PICTURE = re.compile(r"last-message = chain .*\(seen:sink\).*flags: \w+ ?([^,]*)")


class Pipeline:
    """gst-launch-1.0 in a box."""

    def __init__(self, place, box, *description):
        environment = dict(os.environ)
        # Plugins with sanitizers in a program without.
        if environment.get("ICE_LIBASAN"):
            environment |= {"LD_PRELOAD": environment["ICE_LIBASAN"], "ASAN_OPTIONS": "detect_leaks=0"}
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [*place.prefix(box), "gst-launch-1.0", "-v", "-m", *" ".join(description).split()], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append((time.monotonic(), line.rstrip()))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def pictures(self):
        """(when, whether it is a whole one)"""
        found = ((at, PICTURE.search(line)) for at, line in list(self.lines))
        return [(at, "delta-unit" not in match[1]) for at, match in found if match]

    def wait_for(self, what, seconds, why):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not what():
                left = deadline - time.monotonic()
                assert left > 0 and self.process.poll() is None, f"{why}: not within {seconds:.0f} s, or it has ended"
                self.changed.wait(left)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def told(self, word):
        return [line for _, line in self.lines if word in line]


def play(fault, kinds, alice_sends, **access):
    """Alice's network has the fault; she sends or receives."""
    with lab.Lab(*kinds, **access) as place, tempfile.TemporaryDirectory(prefix="gst-ice-elements-") as folder, \
            coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
        meeting = (f"uri=ice+file://{folder}/call stun-server=stun:{turn.host_port} "
                   f"turn-servers=turn:{coturn.USER}:{coturn.PASSWORD}@{turn.host_port}")
        hosts = ("alice", "bob") if alice_sends else ("bob", "alice")
        receiver = Pipeline(place, hosts[1], RECEIVER, meeting, "!", SEEN)
        sender = Pipeline(place, hosts[0], SENDER, meeting)
        try:
            watch(place, sender, receiver, fault)
        except AssertionError:
            for name, pipeline in (("sender", sender), ("receiver", receiver)):
                tap.comment(f"--- {name}")
                tap.comment("\n".join(line for _, line in pipeline.lines if not PICTURE.search(line))[-6000:])
            raise
        finally:
            sender.end()
            receiver.end()


def watch(place, sender, receiver, fault):
    receiver.wait_for(lambda: len(receiver.pictures()) >= BEFORE, stretched(20), "pictures")
    assert receiver.pictures()[0][1], "the first one is no whole one"
    before = time.monotonic()
    fault(place)
    # What was under way arrives; what is whole was asked for on the new path.
    receiver.wait_for(lambda: any(whole and at > before for at, whole in receiver.pictures()), stretched(BACK),
                      "a whole picture after the network has changed")
    back = next(at for at, whole in receiver.pictures() if whole and at > before)
    receiver.wait_for(lambda: sum(at > back for at, _ in receiver.pictures()) >= AFTER, stretched(20), "pictures again")
    tap.comment(f"a whole picture {back - before:.2f} s after the fault")
    for pipeline in (sender, receiver):
        assert pipeline.process.poll() is None, "a pipeline has ended"
        assert not pipeline.told("ERROR"), pipeline.told("ERROR")
        assert len(pipeline.told("GstIceSelectedPair")) >= 2, "no other pair was selected"


def down(place):
    place.down("alice", "eth0")


def to_cellular(place):
    place.up("alice", "eth1")
    place.down("alice", "eth0")


def main():
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if not reason and not shutil.which("gst-launch-1.0"):
        reason = "no gst-launch-1.0: apt-get install gstreamer1.0-tools"
    if not reason and subprocess.run(["gst-inspect-1.0", "--exists", "vp8enc"], check=False).returncode != 0:
        reason = "no vp8enc: apt-get install gstreamer1.0-plugins-good"
    if reason:
        tap.skip_all(reason)
        return
    hard = ("port-restricted", "port-restricted")
    cases = []
    for what, alice_sends in (("the sender", True), ("the receiver", False)):
        cases += [
            (f"{what} loses an interface",
             lambda alice_sends=alice_sends: play(down, hard, alice_sends, second="port-restricted")),
            (f"{what} goes from Wi-Fi to cellular",
             lambda alice_sends=alice_sends: play(to_cellular, hard, alice_sends, second="symmetric", second_up=False)),
        ]
    tap.run(cases, at_once=2)


if __name__ == "__main__":
    main()
