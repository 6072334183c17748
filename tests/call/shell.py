# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shells that run gst-launch-1.0, read as a user reads them: line by line, with a clock."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time

CLIP = pathlib.Path(__file__).resolve().parents[2] / "examples/clip.webm"
# checksumsink prints a line for each frame.
FRAME = re.compile(r"^\d+:\d\d:\d\d\.\d+ [0-9a-f]{32}$")
COMPLAINT = re.compile(r"^(ERROR|WARNING)|-(CRITICAL|WARNING|ERROR) \*\*|Sanitizer|core dumped", re.M)


class Shell:
    """gst-launch-1.0 with these arguments; `with` ends it."""

    def __init__(self, line, program="gst-launch-1.0", **environment):
        self.line = line
        self.lines = []  # (seconds since exec, text)
        self.news = threading.Condition()
        self.ended = False
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [program, *shlex.split(line)], env={**os.environ, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            now = time.monotonic() - self.started
            with self.news:
                self.lines.append((now, line.decode(errors="replace").rstrip()))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def _find(self, pattern, count):
        n = 0
        for when, text in self.lines:
            match = re.search(pattern, text)
            n += match is not None
            if n == count:
                return when, match
        return None

    def wait_for(self, pattern, timeout=15, count=1):
        """(seconds since exec, match) of the count-th line that matches."""
        deadline = time.monotonic() + timeout
        with self.news:
            while True:
                found = self._find(pattern, count)
                left = deadline - time.monotonic()
                if found is not None:
                    return found
                assert not self.ended, f"ended before “{pattern}”: {self.line}\n{self.output}"
                assert left > 0, f"no “{pattern}” in {timeout} s: {self.line}\n{self.output}"
                self.news.wait(left)

    def count(self, pattern):
        with self.news:
            return sum(re.search(pattern, text) is not None for _, text in self.lines)

    @property
    def output(self):
        return "\n".join(f"{when:7.3f} {text}" for when, text in self.lines)

    def wait(self, timeout=15):
        """Exit status of a process that ends by itself."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not end in {timeout} s: {self.line}\n{self.output}") from None
        self.reader.join(5)
        return status

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.wait(10)

    def kill(self):
        self.process.kill()
        self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.kill()
        self.process.stdin.close()
        self.process.stdout.close()


def scratch():
    return tempfile.TemporaryDirectory(prefix="gst-ice-call-")


def complaints(shell):
    return [text for _, text in shell.lines if COMPLAINT.search(text)]


def launch_environment(build):
    """What the tests of a build folder give to gst-launch-1.0; see tests/meson.build."""
    build = pathlib.Path(build).resolve()
    plugins = subprocess.run(
        ["pkg-config", "--variable=pluginsdir", "gstreamer-1.0"], check=True, capture_output=True, text=True)
    return {
        "GST_PLUGIN_SYSTEM_PATH_1_0": "",
        "GST_PLUGIN_PATH_1_0": f"{build}/gst/elements:{plugins.stdout.strip()}",
        "GST_REGISTRY": f"{build}/tests/registry.bin",
    }


def have(element):
    return subprocess.run(["gst-inspect-1.0", "--exists", element]).returncode == 0
