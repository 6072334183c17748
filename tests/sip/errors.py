#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a telephone may answer, and a stranger send: each is an error with its cause, or leaves the phone in order."""

import functools
import socket
import sys
import threading

import phones  # noqa: E402
from fakephone import FakePhone, call
from phones import BYE, CONNECTED, expect_error, hears, phone, waits

import tap  # noqa: E402

ICE = ("a=ice-ufrag:fake\na=ice-pwd:fakefakefakefakefakefake\n"
       "a=candidate:1 1 UDP 2130706431 127.0.0.1 {port} typ host\n")


def answered(status, cause, words):
    """The phone answers with this, once it is called."""
    with FakePhone() as fake:
        def play():
            fake.answer(fake.expect("INVITE"), status, "a")

        thread = threading.Thread(target=play)
        thread.start()
        try:
            expect_error(fake.uri, "", cause, words)
        finally:
            thread.join()


def redirected():
    """RFC 3261 26.3.2.2: a call that is sent elsewhere is given up."""
    with FakePhone() as fake, FakePhone() as elsewhere:
        def play():
            fake.answer(fake.expect("INVITE"), "302 Moved Temporarily", "a",
                        more=[f"Contact: <sip:eve@127.0.0.1:{elsewhere.port}>"])

        thread = threading.Thread(target=play)
        thread.start()
        try:
            expect_error(fake.uri, "", "signalling-lost", "sends the call elsewhere")
        finally:
            thread.join()


def unanswered():
    with FakePhone() as fake:
        done = []

        def play():
            invite = fake.expect("INVITE")
            fake.answer(invite, "180 Ringing", "a")
            cancel = fake.expect("CANCEL")
            fake.answer(cancel, "200 OK")
            fake.answer(invite, "487 Request Terminated", "a")
            done.append(fake.expect("ACK"))

        thread = threading.Thread(target=play)
        thread.start()
        try:
            expect_error(fake.uri, "ring-timeout=1", "signalling-lost", "was called for 1 s and did not answer")
        finally:
            thread.join()
        assert done, "the call was not cancelled"


def silent():
    with FakePhone() as fake:
        expect_error(fake.uri, "timeout=1", "resource", "No answer from the SIP server")


def unreachable(uri, words="cannot be reached"):
    expect_error(uri, "", "resource", words)


def refused_port(transport):
    unreachable(f"sip:bob@127.0.0.1:{phones.free_port()};transport={transport}")


def plain_server():
    """Whoever speaks no TLS closes, or says something else."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def play():
            connection, _ = server.accept()
            connection.recv(100)
            connection.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=play)
        thread.start()
        try:
            unreachable(f"sips:bob@127.0.0.1:{server.getsockname()[1]}")
        finally:
            thread.join()


def establish(fake, shell, tag="a", more=""):
    invite = fake.expect("INVITE")
    fake.answer(invite, "200 OK", tag, fake.sdp(more))
    fake.expect("ACK")
    return invite


def without_ice():
    """RFC 8839 4.2.1.2: a peer without ICE is sent media where its description says, as long as the call lasts."""
    with FakePhone() as fake, call(fake) as shell:
        invite = establish(fake, shell)
        assert fake.packets() > 10
        fake.request(invite, "BYE", "a")
        fake.expect("200")
        _, match = shell.wait_for(BYE)
        assert match.group(1) == "bye"
        fake.packets(0.2)
        assert fake.packets() == 0, "media goes on after the call"


def without_ice_forbidden():
    """And is not where that is not allowed: the call is hung up."""
    with FakePhone() as fake:
        def play():
            establish(fake, None)
            fake.answer(fake.expect("BYE"), "200 OK")

        thread = threading.Thread(target=play)
        thread.start()
        try:
            expect_error(fake.uri, "allow-non-ice=false", "resource", "does no ICE")
        finally:
            thread.join()
        assert fake.packets(0.2) == 0


def forked():
    """RFC 3261 13.2.2.4: two phones take the call; the first has it, the second is told BYE."""
    with FakePhone() as fake, call(fake) as shell:
        invite = establish(fake, shell, "first")
        fake.answer(invite, "200 OK", "second", fake.sdp())
        bye = fake.expect("BYE")
        assert "tag=second" in bye.get("To"), bye.text
        fake.answer(bye, "200 OK")
        assert fake.packets() > 10 and not shell.count(BYE)


def other_phone():
    """RFC 8839 7: one phone says how it would answer, another one picks up: that one is offered new credentials."""
    with FakePhone() as fake, call(fake) as shell:
        invite = fake.expect("INVITE")
        fake.answer(invite, "183 Session Progress", "first", fake.sdp(ICE.format(port=9)))
        fake.answer(invite, "200 OK", "second", fake.sdp(ICE.format(port=9)))
        fake.expect("ACK")
        again = fake.expect("INVITE")
        assert "tag=second" in again.get("To")
        before, after = (m.body.split("a=ice-ufrag:")[1].split("\r\n")[0] for m in (invite, again))
        assert before != after
        fake.answer(again, "200 OK", "second", fake.sdp())
        fake.expect("ACK")
        assert fake.packets() > 10


def candidates():
    """RFC 8840 4.4, RFC 6086 4.2.2: what INFO brings, and what is refused of it."""
    fragment = "m=audio 9 RTP/AVP 8\r\na=mid:0\r\na=ice-ufrag:fake\r\n" \
               "a=candidate:2 1 UDP 2130706430 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
    kind = "application/trickle-ice-sdpfrag"
    package = ["Info-Package: trickle-ice"]
    with FakePhone() as fake, call(fake) as shell:
        invite = establish(fake, shell, more=ICE.format(port=9))
        assert "trickle-ice" in invite.get("Supported") and invite.get("Recv-Info") == "trickle-ice"
        for body, content, more, expected in (
                (fragment, kind, package, "200"), (fragment, kind, package, "200"),
                (fragment, kind, ["Info-Package: other"], "469"), (fragment, "text/plain", package, "415"),
                ("no fragment", kind, package, "400"), ("", kind, package, "415"), ("Signal=5", "application/dtmf", [], "415"),
                (fragment * 500, kind, package, "400")):
            fake.request(invite, "INFO", "a", body, content, more)
            fake.expect(expected)
        fake.request(invite, "BYE", "a")
        fake.expect("200")
        shell.wait_for(BYE)


LIES = {
    "another type of body": ("415", dict(body="hello", kind="text/plain")),
    "no session description": ("488", dict(body="hello")),
    "a body that is cut": ("400", dict(body="v=0\r\n", length=60000)),
    "a negative length": ("400", dict(body="v=0\r\n", length=-1)),
    "a huge body": ("488", dict(body="v=0\r\n" + "a=x\r\n" * 11000)),
    "lines in a header": ("488", dict(body="v=0\r\n", more=["Subject: x\r\na=candidate:1 1 UDP 1 192.0.2.1 9 typ host"])),
    "64 KiB of headers": ("488", dict(body="v=0\r\n", more=[f"X-{i}: {'y' * 100}" for i in range(500)])),
    "an unknown extension": ("420", dict(body="v=0\r\n", more=["Require: teleport"])),
    "a body with zeros": ("415", dict(body="v=0\r\no=- 1 1 IN IP4 \0\r\n")),
}


def lies():
    """None of them keeps the next caller from being heard."""
    port = phones.free_port()
    uri = f"sip:127.0.0.1:{port};transport=udp"
    with phone(f"{uri}?listen=1") as callee, FakePhone() as fake:
        waits(callee)
        for name, (expected, lie) in LIES.items():
            fake.invite(uri, ("127.0.0.1", port), **lie)
            fake.expect(expected)
            tap.comment(f"{name}: {expected}")
        for rubbish in (b"", b"\0" * 1000, b"INVITE\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"BYE sip:x SIP/2.0\r\n\r\n",
                        b"\r\n" * 1000, b"INVITE sip:a SIP/2.0\r\nVia: x\r\n" + b"Via: y\r\n" * 5000 + b"\r\n"):
            fake.send(rubbish)
        with phone(f"sip:alice@127.0.0.1:{port};transport=udp") as caller:
            for shell in (callee, caller):
                shell.wait_for(CONNECTED)
                hears(shell)
        assert not callee.count(r"CRITICAL|Sanitizer|core dumped"), callee.output


def without_offer():
    """RFC 3261 13.2.1: an INVITE without offer is answered by ours; the ACK has the answer."""
    port = phones.free_port()
    with phone(f"sip:127.0.0.1:{port};transport=udp?listen=1") as callee, FakePhone() as fake:
        waits(callee)
        invite = fake.invite(f"sip:127.0.0.1:{port}", ("127.0.0.1", port), "")
        offer = fake.expect("200")
        assert "a=candidate:" in offer.body and "m=audio" in offer.body, offer.text
        sdp = fake.sdp()
        fake.send("\r\n".join([
            f"ACK sip:127.0.0.1:{port} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{fake.port};branch=z9hG4bKack",
            f"From: {offer.get('From')}", f"To: {offer.get('To')}", f"Call-ID: {offer.get('Call-ID')}",
            f"CSeq: {invite.get('CSeq').split(' ')[0]} ACK", "Max-Forwards: 70", "Content-Type: application/sdp",
            f"Content-Length: {len(sdp)}", "", sdp]))
        assert fake.packets() > 10


def forged():
    """RFC 3261 26: a BYE or CANCEL of a stranger ends nothing."""
    with FakePhone() as fake, FakePhone() as stranger, call(fake) as shell:
        invite = establish(fake, shell)
        stranger.peer = fake.peer
        for tag, call_id in (("guess", invite.get("Call-ID")), ("a", "other@call")):
            forged_invite = type(invite)(invite.text.replace(invite.get("Call-ID"), call_id))
            stranger.request(forged_invite, "BYE", tag)
            stranger.expect("481")
        assert fake.packets() > 10 and not shell.count(BYE)


def options():
    """RFC 3261 11.2: whoever asks is told what is understood here."""
    port = phones.free_port()
    with phone(f"sip:127.0.0.1:{port};transport=udp?listen=1") as callee, FakePhone() as fake:
        waits(callee)
        fake.peer = ("127.0.0.1", port)
        fake.send(f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{fake.port};branch=z9hG4bKo\r\n"
                  "From: <sip:eve@127.0.0.1>;tag=e\r\nTo: <sip:127.0.0.1>\r\nCall-ID: o\r\n"
                  f"CSeq: {fake.cseq} OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
        answer = fake.expect("200")
        assert "UPDATE" in answer.get("Allow"), answer.text


def main():
    tap.run([
        ("/rfc3261/21.4.24/busy", functools.partial(answered, "486 Busy Here", "signalling-lost", "is busy")),
        ("/rfc3261/21.6.2/declined", functools.partial(answered, "603 Decline", "signalling-lost", "declines")),
        ("/rfc3261/21.4.18/unavailable",
         functools.partial(answered, "480 Temporarily Unavailable", "signalling-lost", "is not reachable now")),
        ("/rfc3261/21.4.26/not-acceptable",
         functools.partial(answered, "488 Not Acceptable Here", "signalling-lost", "takes none")),
        ("/rfc3261/21.5/server-error", functools.partial(answered, "500 Oops", "signalling-lost", "cannot be called")),
        ("/rfc3261/8.1.3.4/redirected", redirected),
        ("/rfc3261/9/no-answer-is-canceled", unanswered),
        ("/rfc3261/17.1.1.2/silence", silent),
        ("nobody at the port, udp", functools.partial(refused_port, "udp")),
        ("nobody at the port, tcp", functools.partial(refused_port, "tcp")),
        ("a server without TLS", plain_server),
        ("a host that is unknown", functools.partial(unreachable, "sip:bob@nonexistent.invalid")),
        ("/rfc8839/4.2.1.2/peer-without-ice", without_ice),
        ("a peer without ICE where that is forbidden", without_ice_forbidden),
        ("/rfc3261/13.2.2.4/forked", forked),
        ("/rfc8839/7/another-phone-picks-up", other_phone),
        ("/rfc8840/4.4/candidates-by-info", candidates),
        ("/rfc3261/13.2.1/without-offer", without_offer),
        ("/rfc3261/26/forged-bye", forged),
        ("/rfc3261/11.2/options", options),
        ("lies", lies),
    ])


if __name__ == "__main__":
    sys.exit(main())
