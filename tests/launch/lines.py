#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the launch lines of the documentation as they stand.

  lines.py SOURCE_ROOT FILE...

The lines of one block are the shells of one call. Only three things are
changed: /tmp/call is put into a scratch folder, and where a window or a
loudspeaker would be, checksumsink prints a line for each frame. A block passes
when each of those sinks got frames and no process had anything to complain of.
"""

import os
import pathlib
import re
import selectors
import shlex
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tap

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.S | re.M)
HEADING = re.compile(r"^#+ (.*)$", re.M)
SINK = re.compile(r"\bauto(?:video|audio)sink\b")
# Told apart by the length of what they print.
HASHES = {"md5": 32, "sha1": 40, "sha256": 64}
FRAMES = 10
DEADLINE = 30
COMPLAINT = re.compile(r"^(ERROR|WARNING|.*-(CRITICAL|WARNING|ERROR) \*\*)|Sanitizer", re.M)
# What a test host does not have.
ELSEWHERE = re.compile(r"example\.org|v4l2src|ssh |socat")


class Shell:
    """One line, running."""

    def __init__(self, line, scratch, cwd):
        self.line = line
        self.frames = {}
        self.output = ""
        self.half_line = ""
        hashes = iter(HASHES)

        def count_here(_):
            name = next(hashes)
            self.frames[HASHES[name]] = 0
            return f"checksumsink hash={name}"

        line = SINK.sub(count_here, line.replace("/tmp/call", f"{scratch}/call"))
        self.process = subprocess.Popen(
            shlex.split(line), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def read(self):
        data = os.read(self.process.stdout.fileno(), 65536).decode(errors="replace")
        self.output += data
        *lines, self.half_line = (self.half_line + data).split("\n")
        for line in lines:
            length = len(line.rpartition(" ")[2])
            if length in self.frames and re.match(r"\d+:\d\d:\d\d\.\d+ ", line):
                self.frames[length] += 1
        return bool(data)

    @property
    def satisfied(self):
        return all(n >= FRAMES for n in self.frames.values())

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            rest, _ = self.process.communicate(timeout=10)
            self.output += rest.decode(errors="replace")
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError(f"does not end by itself: {self.line}") from None


def watch(shells):
    selector = selectors.DefaultSelector()
    for shell in shells:
        selector.register(shell.process.stdout, selectors.EVENT_READ, shell)
    deadline = time.monotonic() + DEADLINE
    while selector.get_map() and not all(s.satisfied for s in shells) and time.monotonic() < deadline:
        for key, _ in selector.select(deadline - time.monotonic()):
            shell = key.data
            if not shell.read():
                selector.unregister(key.fileobj)
                assert shell.frames and shell.satisfied, f"ended too soon: {shell.line}"
            assert not COMPLAINT.search(shell.output), f"complains: {shell.line}"
    assert all(s.satisfied for s in shells), f"frames: {[list(s.frames.values()) for s in shells]}"


def run_block(lines, root):
    if any(ELSEWHERE.search(line) for line in lines):
        raise tap.Skip("needs a host, a server or a camera elsewhere")
    with tempfile.TemporaryDirectory(prefix="gst-ice-launch-") as scratch:
        shells = []
        try:
            try:
                shells += [Shell(line, scratch, root) for line in lines]
                watch(shells)
            finally:
                for shell in shells:
                    shell.stop()
            for shell in shells:
                assert not COMPLAINT.search(shell.output), f"complains: {shell.line}"
        except AssertionError:
            for shell in shells:
                tap.comment(f"--- {shell.line}")
                tap.comment(shell.output[-4000:])
            raise


def blocks(path):
    """(heading above it, lines) of each block that is all launch lines."""
    text = path.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        lines = match.group(1).replace("\\\n", " ").strip().splitlines()
        if all(line.startswith("gst-launch-1.0 ") for line in lines):
            headings = HEADING.findall(text, 0, match.start())
            yield headings[-1] if headings else "", lines


def main():
    root = pathlib.Path(sys.argv[1])
    cases = []
    for name in sys.argv[2:]:
        for number, (heading, lines) in enumerate(blocks(root / name), 1):
            cases.append((f"{name} {number}: {heading}", lambda lines=lines: run_block(lines, root)))
    tap.run(cases)


if __name__ == "__main__":
    main()
