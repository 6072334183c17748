#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long until the first picture: from exec of the later process.

  first-frame.py BUILD_DIR [RUNS [ws|wss]]

Two gst-launch processes on this host as in examples/run.sh, a warm registry,
both orders. A release build is meant. Elements of libnice have no signalling,
so that there is no line of theirs to compare with. With ws or wss they meet at
a gst-ice-1.0 serve in place of a file.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "call"))

from shell import CLIP, FRAME, Shell, launch_environment, scratch  # noqa: E402

SENDERS = {
    "clip": f"filesrc location={CLIP} ! matroskademux name=demux"
            " demux.video_0 ! queue ! rtpvp8pay ! icesink stream=video agent=call sync=true uri={uri}"
            " demux.audio_0 ! queue ! rtpopuspay ! icesink stream=audio agent=call sync=true",
    "live": "videotestsrc is-live=true ! video/x-raw,framerate=30/1 ! vp8enc deadline=1 keyframe-max-dist=3000"
            " ! rtpvp8pay ! icesink uri={uri}",
}
RECEIVERS = {
    "clip": "icesrc stream=video agent=call uri={uri} ! decodebin ! videoconvert ! checksumsink hash=md5"
            " icesrc stream=audio agent=call ! decodebin ! audioconvert ! fakesink",
    "live": "icesrc uri={uri} ! decodebin ! videoconvert ! checksumsink hash=md5",
}


class Folder:
    """A meeting place that is a file."""

    def __enter__(self):
        self.folder = scratch()
        return f"ice+file://{self.folder.__enter__()}/call"

    def __exit__(self, *unused):
        self.folder.__exit__(*unused)


class Room:
    """A meeting place that is a room of a server."""

    def __init__(self, build, tls, environment):
        self.line = [f"{build}/gst/tools/gst-ice-1.0", "serve", "--address", "127.0.0.1", "--port", "0",
                     *(["--tls", "self-signed"] if tls else [])]
        self.environment = environment

    def __enter__(self):
        self.process = subprocess.Popen(
            self.line, env={**os.environ, **self.environment}, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if match := re.match(r"  gst-ice +(\S+)", line):
                return match.group(1).replace("ROOM", "call")
        raise AssertionError("it does not serve")

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def run(kind, later, environment, place):
    with place() as uri:
        lines = {"sender": SENDERS[kind].format(uri=uri), "receiver": RECEIVERS[kind].format(uri=uri)}
        earlier = "receiver" if later == "sender" else "sender"
        with Shell(lines[earlier], **environment) as first:
            first.wait_for("Waiting for the peer")
            # What it starts afterwards is started: this is not its exam.
            time.sleep(0.3)
            with Shell(lines[later], **environment) as second:
                receiver = first if later == "sender" else second
                when, _ = receiver.wait_for(FRAME)
                return when + receiver.started - second.started


def report(name, seconds):
    ms = sorted(1000 * s for s in seconds)
    p95 = ms[max(0, -(-len(ms) * 95 // 100) - 1)]
    print(f"{name:22} min {ms[0]:4.0f}  median {statistics.median(ms):4.0f}  p95 {p95:4.0f}"
          f"  max {ms[-1]:4.0f} ms  ({len(ms)} runs)", flush=True)
    return p95


def main():
    environment = launch_environment(sys.argv[1])
    environment["GST_PLUGIN_PATH_1_0"] += f":{pathlib.Path(sys.argv[1]).resolve()}/ext"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    over = sys.argv[3] if len(sys.argv) > 3 else "file"

    def place():
        return Folder() if over == "file" else Room(sys.argv[1], over == "wss", environment)

    for kind in SENDERS:
        for later in ("receiver", "sender"):
            run(kind, later, environment, place)
            report(f"{kind}, {later} later", [run(kind, later, environment, place) for _ in range(runs)])
    print(f"load of this host: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
