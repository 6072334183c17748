#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TURN server that is not to be trusted: on the bus within two seconds with the cause tls-untrusted, as a warning
where the call goes on without it, as an error where it cannot."""

import functools
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop"), str(HERE)]

import certificates  # noqa: E402
import coturn  # noqa: E402
import tap  # noqa: E402
from shell import FRAME, Shell, scratch  # noqa: E402

SOON = 2
PICTURE = "videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay"

BAD = {
    "expired": (lambda ca: ca.issue(days=-1), "expired on"),
    "wrong host": (lambda ca: ca.issue("DNS:other.example"), "is for “other.example”"),
    "unknown issuer": (lambda ca: Other(ca).issue(), "unknown to"),
    "self-signed": (lambda ca: ca.self_signed(), "self-signed"),
    "plain text": (lambda ca: None, "speaks no TLS"),
}


class Other:
    """An authority beside the one that is trusted, in the same folder."""

    def __init__(self, ca):
        self.ca = ca

    def issue(self):
        issuer = self.ca.self_signed("DNS:nobody")
        made = certificates.Authority.__new__(certificates.Authority)
        made.folder, made.n_issued = self.ca.folder, 100
        made.certificate, made.key = issuer.certificate, issuer.key
        return made.issue()


def turns(ca, turn):
    port = getattr(turn, "secure_port", turn.port)
    return (f"turn-servers=turns:{coturn.USER}:{coturn.PASSWORD}@127.0.0.1:{port}"
            f" agent::ca-file={ca.certificate}")


def expect(shell, kind, words):
    """-m prints the message with its details."""
    pattern = rf"\({kind}\): GstMessage.*cause\\=\\\(string\\\)tls-untrusted"
    when, _ = shell.wait_for(pattern, 10)
    assert when <= SOON, f"after {when:.2f} s"
    # That there are no candidates may be said before.
    _, match = shell.wait_for(rf"^{kind.upper()}: from element .*?: (.*{re.escape(words)}.*)", 5)
    tap.comment(f"{when:.2f} s: {match.group(1)}")
    assert coturn.PASSWORD not in shell.output


def relayed_only(issue, words):
    with certificates.Authority() as ca, coturn.Coturn(secure=issue(ca)) as turn, scratch() as folder:
        line = f"-m {PICTURE} ! icesink uri=ice+file://{folder}/call ice-transport-policy=relay {turns(ca, turn)}"
        with Shell(line) as shell:
            expect(shell, "warning", words)


def direct(issue, words):
    """The call connects without it."""
    with certificates.Authority() as ca, coturn.Coturn(secure=issue(ca)) as turn, scratch() as folder:
        uri = f"ice+file://{folder}/call"
        with Shell(f"-m {PICTURE} ! icesink uri={uri} {turns(ca, turn)}") as sender:
            sender.wait_for("Waiting for the peer")
            with Shell(f"icesrc uri={uri} ! decodebin ! videoconvert ! checksumsink hash=md5") as receiver:
                receiver.wait_for(FRAME)
                expect(sender, "warning", words)


def trusted():
    """And a picture comes through the one that is."""
    with certificates.Authority() as ca, coturn.Coturn(secure=ca.issue()) as turn, scratch() as folder:
        properties = f"uri=ice+file://{folder}/call ice-transport-policy=relay {turns(ca, turn)}"
        with Shell(f"{PICTURE} ! icesink {properties}") as sender:
            sender.wait_for("Waiting for the peer")
            with Shell(f"icesrc {properties} ! decodebin ! videoconvert ! checksumsink hash=md5") as receiver:
                receiver.wait_for(FRAME, count=10)
                for shell in (sender, receiver):
                    assert not shell.count(r"^(WARNING|ERROR)"), shell.output


def main():
    cases = [("trusted, relayed only", trusted)]
    for name, (issue, words) in BAD.items():
        cases.append((f"{name}, relayed only", functools.partial(relayed_only, issue, words)))
    cases.append(("expired, direct", functools.partial(direct, *BAD["expired"])))
    tap.run(cases)


if __name__ == "__main__":
    if not coturn.available():
        tap.skip_all("no turnserver: apt-get install coturn")
    elif not certificates.available():
        tap.skip_all("no openssl: apt-get install openssl")
    else:
        main()
