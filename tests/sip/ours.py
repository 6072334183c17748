#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-ice calls gst-ice by SIP: sound both ways over each transport, and either side hangs up."""

import functools
import sys

import phones  # noqa: E402
from phones import CONNECTED, hangs_up, hears, phone, waits

import certificates  # noqa: E402
import tap  # noqa: E402


def uris(scheme, transport, port):
    parameter = f";transport={transport}" if transport else ""
    return f"{scheme}:127.0.0.1:{port}{parameter}?listen=1", f"{scheme}:bob@127.0.0.1:{port}{parameter}"


def call(scheme, transport, caller_ends, here="", there="", **environment):
    listens, calls = uris(scheme, transport, phones.free_port())
    with phone(listens, there, 440) as callee:
        waits(callee)
        with phone(calls, here, 880, **environment) as caller:
            for shell in (caller, callee):
                shell.wait_for(CONNECTED)
            for shell in (caller, callee):
                hears(shell)
            ends, other = (caller, callee) if caller_ends else (callee, caller)
            assert hangs_up(ends, other) == "bye"
            assert not caller.count("^(WARNING|ERROR)"), caller.output
            when, match = caller.wait_for(r"Connected in [\d.]+ s: .*")
            tap.comment(f"{match.group()} (after {when:.2f} s)")


def secure():
    with certificates.Authority() as ca:
        # RFC 5922 7.1: a server is known by a URI or a name, not by an address.
        server = ca.issue("URI:sip:127.0.0.1,DNS:localhost")
        pem = ca.certificate.with_name("both.pem")
        pem.write_text(server.certificate.read_text() + server.key.read_text())
        call("sips", "", True, f"ca-file={ca.certificate}", f"ca-file={ca.certificate} certificate-file={pem}")


def answered_early():
    """The 183 has the answer, reliably: ICE is done, and sound comes, while it rings. Who hangs up now cancels."""
    listens, calls = uris("sip", "udp", phones.free_port())
    with phone(listens, "answer-delay=60000") as callee:
        waits(callee)
        with phone(calls) as caller:
            for shell in (caller, callee):
                hears(shell)
            assert hangs_up(caller, callee) == "canceled"


def main():
    cases = []
    for transport in ("udp", "tcp"):
        for caller_ends in (True, False):
            cases.append((f"{transport}, the {'caller' if caller_ends else 'callee'} hangs up",
                          functools.partial(call, "sip", transport, caller_ends)))
    cases.append(("either transport", functools.partial(call, "sip", "", True)))
    if certificates.available():
        cases.append(("tls, the caller hangs up", secure))
    cases.append(("/rfc3262/3/answered-while-it-rings", answered_early))
    tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
