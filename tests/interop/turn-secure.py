#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Relayed calls through a coturn that is reached over TLS or DTLS, and servers
that are not to be trusted: each refused within two seconds, the check that
failed named, nothing sent in clear.

  turn-secure.py GST_ICE_TOOL
"""

import functools
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import certificates
import coturn
import pair
import tap

TOOL = sys.argv[1]
RATE = 200
SOON = 2
COOKIE = bytes.fromhex("2112a442")


def agent(role, uri, ca, seconds=1):
    return pair.Agent(role, [TOOL, "peer"], {
        "ICE_ROLE": role, "RELAY_ONLY": "1", "TURN_URI": uri, "TURN_USER": coturn.USER, "TURN_PASS": coturn.PASSWORD,
        "CA_FILE": str(ca.certificate), "SECONDS": str(seconds), "RATE": str(RATE)})


def call(uris, address="127.0.0.1"):
    """uris with a place for the host and, by their scheme, one of the ports."""
    with certificates.Authority() as ca, coturn.Coturn(address, secure=ca.issue()) as turn:
        host = f"[{address}]" if ":" in address else address
        both = [agent(role, uri.format(host=host, port=turn.secure_port if "s:" in uri else turn.port), ca)
                for role, uri in zip(("controlling", "controlled"), uris)]
        ended = pair.run(*both)
        for one in both:
            tap.comment(one.report())
        try:
            assert ended, "an agent had to be ended"
            for one in both:
                assert one.process.returncode == 0, f"{one.name} ended with {one.process.returncode}"
                assert one.pair[:2] == ("relay", "relay"), one.pair
                assert one.received >= RATE * 0.98, f"{one.name} received {one.received} packets"
        except AssertionError:
            for one in both:
                tap.comment("\n".join(one.log))
            turn.log.seek(0)
            tap.comment(turn.log.read()[-4000:])
            raise


def gather(uri, ca):
    """What the tool found, and how long it took."""
    began = time.monotonic()
    run = subprocess.run(
        [TOOL, "gather", "--json", "-s" if uri.startswith("stun") else "-t", uri,
         *(["--ca-file", str(ca.certificate)] if ca else [])],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    took = time.monotonic() - began
    assert coturn.PASSWORD not in run.stdout + run.stderr
    return json.loads(run.stdout), took


def stun():
    """A stuns: server answers, and nothing else is known by it (RFC 7064)."""
    with certificates.Authority() as ca, coturn.Coturn(secure=ca.issue()) as turn:
        uri = f"stuns:127.0.0.1:{turn.secure_port}"
        found, _ = gather(uri, ca)
        assert found["errors"] == [] and found["complete"], found
        found, _ = gather(uri, None)
    assert "unknown" in found["errors"][0]["text"], found


def expect_refusal(uri, ca, words):
    found, took = gather(uri, ca)
    tap.comment(f"{took:.2f} s: {found['errors']}")
    assert [error["code"] for error in found["errors"]] == [701], found
    for word in words:
        assert word in found["errors"][0]["text"], f"“{word}” is not in: {found['errors'][0]['text']}"
    assert not [c for c in found["candidates"] if c["type"] == "relay"], found
    assert found["complete"], found
    assert took < SOON, f"after {took:.2f} s"


def untrusted(issue, words, query, trust=True):
    with certificates.Authority() as ca, coturn.Coturn(secure=issue(ca)) as turn:
        expect_refusal(f"turns:{coturn.USER}:{coturn.PASSWORD}@127.0.0.1:{turn.secure_port}{query}",
                       ca if trust else None, words)
        turn.log.seek(0)
        assert "ALLOCATE" not in turn.log.read()


class Eavesdropper:
    """Keeps what is sent to it, and answers as it likes."""

    def __init__(self, answer):
        self.answer = answer
        self.heard = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    while data := connection.recv(4096):
                        self.heard += data
                        if self.answer is None:
                            break
                        connection.sendall(self.answer)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def plain(answer):
    """Whatever answers, it is not TLS, and it hears nothing but a ClientHello."""
    with certificates.Authority() as ca, Eavesdropper(answer) as server:
        expect_refusal(f"turns:{coturn.USER}:{coturn.PASSWORD}@127.0.0.1:{server.port}", ca, ["speaks no TLS"])
        assert server.heard.startswith(b"\x16\x03"), server.heard[:20]
        assert COOKIE not in server.heard and coturn.USER.encode() not in server.heard


def plain_coturn():
    with certificates.Authority() as ca, coturn.Coturn() as turn:
        expect_refusal(f"turns:{coturn.USER}:{coturn.PASSWORD}@127.0.0.1:{turn.port}", ca, ["speaks no TLS"])


def bad_ca_file():
    missing = certificates.Identity("/nonexistent", "ca")
    expect_refusal("turns:a:b@127.0.0.1:9", missing, ["/nonexistent/ca.pem", "ca-file"])


def renewed():
    """The system's trust: what SSL_CERT_FILE names (OpenSSL)."""
    with certificates.Authority() as ca, coturn.Coturn(secure=ca.issue()) as turn:
        before = os.environ["SSL_CERT_FILE"]
        os.environ["SSL_CERT_FILE"] = str(ca.certificate)
        try:
            found, _ = gather(f"turns:{coturn.USER}:{coturn.PASSWORD}@localhost:{turn.secure_port}", None)
        finally:
            os.environ["SSL_CERT_FILE"] = before
    assert found["errors"] == [], found
    assert [c for c in found["candidates"] if c["type"] == "relay"], found


TLS = "turns:{host}:{port}?transport=tcp"
DTLS = "turns:{host}:{port}?transport=udp"
UDP = "turn:{host}:{port}?transport=udp"

BAD = {
    "expired": (lambda ca: ca.issue(days=-1), ["expired on", "127.0.0.1"]),
    "wrong host": (lambda ca: ca.issue("DNS:other.example"), ["is for “other.example” and not for “127.0.0.1”"]),
    "self-signed": (lambda ca: ca.self_signed(), ["self-signed", "ca-file"]),
}


def main():
    cases = [
        ("both over TLS", functools.partial(call, (TLS, TLS))),
        ("both over DTLS", functools.partial(call, (DTLS, DTLS))),
        ("one over TLS, the other over UDP", functools.partial(call, (TLS, UDP))),
        ("both over TLS and IPv6", functools.partial(call, (TLS, TLS), "::1")),
        ("stuns:", stun),
        ("trusted by the system", renewed),
    ]
    for name, (issue, words) in BAD.items():
        for query, transport in (("?transport=tcp", "TLS"), ("?transport=udp", "DTLS")):
            cases.append((f"{name}, {transport}", functools.partial(untrusted, issue, words, query)))
    cases += [
        ("unknown issuer", functools.partial(
            untrusted, lambda ca: ca.issue(), ["issued by “Authority of the test”", "unknown"], "", trust=False)),
        ("plain text", functools.partial(plain, b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("hangs up", functools.partial(plain, None)),
        ("silent", functools.partial(plain, b"")),
        ("a coturn without TLS", plain_coturn),
        ("no such ca-file", bad_ca_file),
    ]
    tap.run(cases)


if __name__ == "__main__":
    if not coturn.available():
        tap.skip_all("no turnserver: apt-get install coturn")
    elif not certificates.available():
        tap.skip_all("no openssl: apt-get install openssl")
    else:
        main()
