# SPDX-License-Identifier: LGPL-2.1-or-later
"""A telephone that the test plays by hand, over UDP: it answers as it likes."""

import re
import socket
import time

import phones

import tap

ANSWER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 8
a=rtpmap:8 PCMA/8000
{more}a=sendrecv
"""


class Message:
    def __init__(self, text):
        self.text = text
        head, _, self.body = text.partition("\r\n\r\n")
        self.first, *self.lines = head.split("\r\n")
        self.method = self.first.split(" ")[0]

    def all(self, name):
        return [line for line in self.lines if line.lower().startswith(name.lower() + ":")]

    def get(self, name):
        found = self.all(name)
        return found[0].split(":", 1)[1].strip() if found else None


class FakePhone:
    """with FakePhone() as phone: phone.uri, phone.expect("INVITE"), phone.answer(invite, "200 OK", tag, sdp)."""

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.uri = f"sip:bob@127.0.0.1:{self.port};transport=udp"
        self.media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.media.bind(("127.0.0.1", 0))
        self.peer = None
        self.cseq = 100
        return self

    def __exit__(self, *unused):
        self.socket.close()
        self.media.close()

    def sdp(self, more=""):
        return ANSWER.format(port=self.media.getsockname()[1], more=more).replace("\n", "\r\n")

    def receive(self, timeout=10):
        self.socket.settimeout(timeout)
        data, self.peer = self.socket.recvfrom(65536)
        return Message(data.decode(errors="replace"))

    def expect(self, what, timeout=10):
        """A request by its method, or a response to the last request by its number; others are not for us."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"no {what}"
            message = self.receive(left)
            if message.method == what:
                return message
            if message.first.startswith(f"SIP/2.0 {what} ") and message.get("CSeq").startswith(f"{self.cseq} "):
                return message
            tap.comment(f"(while waiting for {what}: {message.first})")
            # Keep what is not waited for from being sent again.
            if message.method in ("INFO", "OPTIONS", "PRACK"):
                self.answer(message, "200 OK", "")

    def send(self, text):
        self.socket.sendto(text.encode() if isinstance(text, str) else text, self.peer)

    def answer(self, request, status, tag="", body="", kind="application/sdp", more=()):
        to = request.get("To")
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        lines = [f"SIP/2.0 {status}", *request.all("Via"), f"From: {request.get('From')}", f"To: {to}",
                 f"Call-ID: {request.get('Call-ID')}", f"CSeq: {request.get('CSeq')}",
                 f"Contact: <sip:bob@127.0.0.1:{self.port}>", *more]
        if body:
            lines.append(f"Content-Type: {kind}")
        self.send("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]))

    def request(self, invite, method, tag, body="", kind="application/sdp", more=(), length=None):
        """In the dialog that the INVITE made."""
        self.cseq += 1
        target = re.search(r"<(sips?:[^>]+)>", invite.get("Contact")).group(1)
        lines = [f"{method} {target} SIP/2.0",
                 f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{method}{self.cseq}",
                 f"From: {invite.get('To')};tag={tag}", f"To: {invite.get('From')}",
                 f"Call-ID: {invite.get('Call-ID')}", f"CSeq: {self.cseq} {method}", "Max-Forwards: 70",
                 f"Contact: <sip:bob@127.0.0.1:{self.port}>", *more]
        if body:
            lines.append(f"Content-Type: {kind}")
        self.send("\r\n".join([*lines, f"Content-Length: {len(body) if length is None else length}", "", body]))

    def invite(self, uri, peer, body, more=(), call_id=None, kind="application/sdp", length=None):
        """From outside; returns its text."""
        self.peer = peer
        self.cseq += 1
        lines = [f"INVITE {uri} SIP/2.0",
                 f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bKinvite{self.cseq}",
                 f"From: <sip:eve@127.0.0.1:{self.port}>;tag=eve{self.cseq}", f"To: <{uri}>",
                 f"Call-ID: {call_id or f'call{self.cseq}@eve'}", f"CSeq: {self.cseq} INVITE", "Max-Forwards: 70",
                 f"Contact: <sip:eve@127.0.0.1:{self.port}>", *more, f"Content-Type: {kind}",
                 f"Content-Length: {len(body) if length is None else length}"]
        text = "\r\n".join([*lines, "", body])
        self.send(text)
        return Message(text)

    def packets(self, seconds=0.5):
        """Datagrams that come to the address of the description."""
        n, deadline = 0, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.media.settimeout(left)
            try:
                self.media.recv(2048)
                n += 1
            except TimeoutError:
                break
        return n


def call(fake, properties=""):
    return phones.phone(fake.uri, properties)
