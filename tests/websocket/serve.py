# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-ice-1.0 serve, started and ended; certificates for it."""

import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
# Last: there is a secrets.py among them, which others would take for theirs.
sys.path += [str(HERE.parent), str(HERE.parent / "interop"), str(HERE.parent / "call")]

TOOL = sys.argv[1] if len(sys.argv) > 1 else "gst-ice-1.0"
PICTURE = "videotestsrc is-live=true ! video/x-raw,framerate=30/1 ! vp8enc deadline=1 ! rtpvp8pay"
WATCH = "decodebin ! videoconvert ! checksumsink hash=md5"


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Server:
    """Ready when it is entered: it prints where it serves."""

    def __init__(self, *arguments, port=0, address="127.0.0.1"):
        self.arguments = [TOOL, "serve", "--address", address, "--port", str(port), *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.uri = self.fingerprint = None
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if match := re.match(r"Serving (\S+)", line):
                self.uri = match.group(1)
            if match := re.search(r"certificate (sha-256:\S+)", line):
                self.fingerprint = match.group(1)
            # The last line, but for the one of a certificate.
            if "health" in line and (self.uri.startswith("ice+ws:") or self.fingerprint):
                break
            if "certificate" in line:
                break
        assert self.uri, f"does not serve: {self.output}"
        self.port = int(self.uri.rpartition(":")[2])
        self.plain = self.uri.replace("ice+", "")
        self.http = self.plain.replace("ws", "http", 1)
        self.rest = threading.Thread(target=self._read, daemon=True)
        self.rest.start()
        return self

    def _read(self):
        for line in self.process.stdout:
            self.output += line

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(10)
        self.rest.join(5)
        return status

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def place(self, room, **parameters):
        if self.fingerprint:
            parameters.setdefault("fingerprint", self.fingerprint)
        query = "&".join(f"{name.replace('_', '-')}={value}" for name, value in parameters.items())
        return f"{self.uri}/{room}{'?' if query else ''}{query}"


def sender(uri, *more):
    return f"{PICTURE} ! icesink uri={uri} {' '.join(more)}"


def receiver(uri, *more):
    return f"icesrc uri={uri} {' '.join(more)} ! {WATCH}"
