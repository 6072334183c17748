#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with a WebSocket is on the bus within two seconds, with its cause and its cure, and without a secret.

  errors.py GST_ICE_TOOL
"""

import base64
import hashlib
import os
import socket
import subprocess
import threading
import time

from serve import TOOL, Server, free_port, receiver, sender

import certificates  # noqa: E402
import tap  # noqa: E402
from shell import FRAME, Shell  # noqa: E402

SOON = 2
SECRET = "sesame-3b1f9a"


def expect(uri, *words, line=receiver, more=()):
    """From both elements; what they say has these words."""
    with Shell(line(uri, *more)) as shell:
        when, match = shell.wait_for(r"^ERROR: from element .*?: (.*)", 10)
        assert when <= SOON, f"after {when:.2f} s: {match.group(1)}"
        for word in words:
            assert word in match.group(1), f"“{word}” is not in: {match.group(1)}"
        assert shell.wait(5) != 0
        assert SECRET not in shell.output, shell.output


def both(uri, *words, more=()):
    for line in (receiver, sender):
        expect(uri, *words, line=line, more=more)


def settings():
    host = "ice+wss://127.0.0.1:1/cam"
    yield "no host", "ice+wss:///cam", ["host", "listen=1"]
    yield "no room", "ice+wss://127.0.0.1:1", ["names no room"]
    yield "unknown parameter", f"{host}?color=red", ["“color”", "dialect"]
    yield "unknown dialect", f"{host}?dialect=klingon", ["“dialect=klingon”", "dialect=gst-webrtc"]
    yield "bad role", f"{host}?role=boss", ["“role=boss”", "role=offer"]
    yield "bad fingerprint", f"{host}?fingerprint=sha-256:12", ["“fingerprint”", "64 hexadecimal"]
    yield "bad boolean", f"{host}?insecure=maybe", ["“insecure=maybe”", "insecure=true"]
    yield "bad token", f"{host}?token={SECRET}%20x", ["token has characters"]
    yield "user in the URI", f"ice+wss://alice:{SECRET}@127.0.0.1:1/cam", ["?token="]
    yield "in the clear elsewhere", "ice+ws://192.0.2.1:1/cam", ["in the clear", "ice+wss:", "insecure=true"]
    yield "tls without listen", f"{host}?tls=self-signed", ["listen=1", "fingerprint"]
    yield "listen without certificate", "ice+wss://127.0.0.1:1/cam?listen=1", ["tls=self-signed", "cert=FILE"]
    yield "listen in the clear elsewhere", "ice+ws://0.0.0.0:1/cam?listen=1", ["in the clear", "insecure=true"]
    yield "listen, simple", "ice+ws://127.0.0.1:1/cam?listen=1&dialect=simple", ["gst-ice-1.0 serve"]
    yield "blank in simple", f"{host}?dialect=simple&id=a%20b", ["blank"]
    yield "blank in the host", "ice+ws://a%20b/cam", ["HOST"]
    yield "header in the room", "ice+ws://127.0.0.1:1/a%0d%0ab", ["room", "control characters"]


def setting_cases():
    for name, uri, words in settings():
        yield f"setting: {name}", lambda uri=uri, words=words: both(uri, *words)


def header_property():
    expect("ice+ws://127.0.0.1:1/cam", "“headers”", "Name: value", more=["signaller::headers=nonsense"])
    expect("ice+ws://127.0.0.1:1/cam", "“headers”", more=["signaller::headers=X:%0d%0aY"])
    expect("ice+ws://127.0.0.1:1/cam", "“dialect”", more=["signaller::dialect=none"])


def nobody_there():
    both(f"ice+ws://127.0.0.1:{free_port()}/cam", "Cannot reach 127.0.0.1", "refused", "running")


def no_such_name():
    expect("ice+wss://nowhere.invalid/cam", "nowhere.invalid", "host and port")


def silent():
    """It takes the connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        for scheme in ("ice+ws", "ice+wss"):
            expect(f"{scheme}://127.0.0.1:{hole.getsockname()[1]}/cam", "does not answer")


class Answering:
    """A server that sends these bytes to whoever connects."""

    def __init__(self, answer):
        self.answer = answer

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.recv(4096)
                client.sendall(self.answer)

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


def odd_servers():
    """RFC 6455 4.1: what is no upgrade is told from what is none of ours."""
    for answer, words in (
            (b"HTTP/1.1 404 Not Found\r\n\r\n", ["HTTP 404", "path"]),
            (b"HTTP/1.1 403 Forbidden\r\n\r\n", ["HTTP 403", "token"]),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ["HTTP 200", "signalling server"]),
            (b"HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n", ["HTTP 301"]),
            (b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", ["no HTTP"]),
            (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", ["answers wrongly"]),
            (b"A: " + 9000 * b"x", ["no HTTP"]),
            (b"", ["No answer from"])):
        with Answering(answer) as server:
            expect(f"ice+ws://127.0.0.1:{server.port}/cam", *words)


class Dismissing(Answering):
    """A server that takes everybody, and sends everybody away at once."""

    def __init__(self):
        super().__init__(None)
        self.calls = []  # when they came

    def _run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.calls.append(time.monotonic())
            with client:
                request = client.recv(4096).decode()
                key = request.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
                accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
                client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n")


def dismissed():
    """Who is sent away again and again comes back ever later: after 0.25, 0.5, 1 and 2 s, and half as much by chance."""
    with Dismissing() as server, Shell(receiver(f"ice+ws://127.0.0.1:{server.port}/cam")):
        end = time.monotonic() + 20
        while len(server.calls) < 5 and time.monotonic() < end:
            time.sleep(0.05)
        pauses = [later - sooner for sooner, later in zip(server.calls, server.calls[1:])]
        tap.comment("again after " + ", ".join(f"{pause:.2f}" for pause in pauses) + " s")
        assert len(pauses) >= 4 and pauses[0] <= 3.7, pauses
        for pause, least in zip(pauses, (0.25, 0.5, 1, 2)):
            assert pause >= least, pauses


def wrong_token():
    with Server("--token", SECRET, "--token", f"{SECRET}2 other") as server:
        both(server.place("cam"), "HTTP 401", "token=")
        both(server.place("cam", token="guess"), "HTTP 401", "token=")
        # That of another room.
        both(server.place("cam", token=f"{SECRET}2"), "HTTP 401", "token=")
        assert SECRET not in server.output


def wrong_tls():
    with Server("--tls", "self-signed") as server:
        bare = server.uri + "/cam"
        both(bare, "certificate", "signed by nobody we know", "ca-file", server.fingerprint)
        both(f"{bare}?fingerprint=sha-256:{64 * '0'}", "not the one of the URI", server.fingerprint)
        both(f"{bare}?ca-file=/nonexistent", "“ca-file”", "/nonexistent")
        both(bare.replace("wss:", "ws:"), "No answer from", "ice+wss:")
    with Server() as server:
        both(f"{server.uri.replace('ws:', 'wss:')}/cam", "TLS", "ice+ws:")


def certificates_of_others():
    with certificates.Authority() as authority:
        for names, days, words in (("DNS:elsewhere.example", 1, ["another host"]),
                                   ("IP:127.0.0.1", -1, ["expired", "clock"])):
            issued = authority.issue(names, days)
            with Server("--cert", str(issued.certificate), "--key", str(issued.key)) as server:
                both(f"{server.uri}/cam?ca-file={authority.certificate}", *words)
                # RFC 9525: whoever knows the certificate itself needs no name.
                expect_picture(f"{server.uri}/cam?fingerprint={server.fingerprint}")


def expect_picture(uri):
    with Shell(sender(uri)) as one:
        one.wait_for("Waiting for the peer")
        with Shell(receiver(uri)) as two:
            two.wait_for(FRAME)


def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as other:
        expect(f"ice+ws://127.0.0.1:{other.getsockname()[1]}/cam?listen=1", "Cannot listen", "in use", line=sender)


def other_room():
    """listen=1 serves one room."""
    port = free_port()
    with Shell(sender(f"ice+ws://127.0.0.1:{port}/cam?listen=1")) as one:
        one.wait_for("The other side uses")
        expect(f"ice+ws://127.0.0.1:{port}/dog", "HTTP 404")


def serve_usage():
    """gst-ice-1.0 serve says what it cannot do, and does not begin."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        for arguments, word in (
                ([], "--tls self-signed"), (["--address", "0.0.0.0"], "--insecure"),
                (["--tls", "yes"], "self-signed"), (["--port", "70000"], "--port"), (["--rate", "0"], "--rate"),
                (["--max-peers", "1"], "--max-peers"), (["x"], "“x”"),
                (["--address", "127.0.0.1", "--dialect", "x"], "gst-webrtc"),
                (["--address", "nonsense", "--insecure"], "no address"),
                (["--cert", "/nonexistent"], "/nonexistent"), (["--key", "k", "--insecure"], "--cert"),
                (["--address", "127.0.0.1", "--token-file", "/nonexistent"], "/nonexistent"),
                (["--address", "127.0.0.1", "--port", str(other.getsockname()[1])], "in use")):
            run = subprocess.run([TOOL, "serve", *arguments], env=os.environ, stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=20)
            assert run.returncode == 2 and word in run.stderr, (arguments, run)


CASES = [
    *setting_cases(),
    ("properties", header_property),
    ("nobody there", nobody_there),
    ("no such name", no_such_name),
    ("a silent server", silent),
    ("odd servers", odd_servers),
    ("sent away at once", dismissed),
    ("wrong token", wrong_token),
    ("wrong TLS", wrong_tls),
    ("certificates of others", certificates_of_others),
    ("port in use", busy_port),
    ("another room", other_room),
    ("serve: usage", serve_usage),
]

if __name__ == "__main__":
    tap.run(CASES)
