#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What our TURN client asks for beside an address, at a real coturn.

  turn-options.py TURN_CLIENT
"""

import ipaddress
import pathlib
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import coturn
import tap


def have_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def ask(turn, what):
    """The facts that turn-client printed, as lists by name."""
    shown = subprocess.run(
        [sys.argv[1], turn.address, str(turn.port), coturn.USER, coturn.PASSWORD, what],
        capture_output=True, text=True, check=True, timeout=30)
    tap.comment(shown.stdout)
    facts = {}
    for line in shown.stdout.splitlines():
        name, value = line.split(" ", 1)
        facts.setdefault(name, []).append(value)
    return facts


def family(address):
    return ipaddress.ip_address(address.rsplit(":", 1)[0].strip("[]")).version


def port(address):
    return int(address.rsplit(":", 1)[1])


def both_families():
    if not have_ipv6():
        raise tap.Skip("no IPv6 loopback")
    with coturn.Coturn(extra=["--relay-ip=::1"]) as turn:
        facts = ask(turn, "both-families")
    assert family(facts["relayed"][0]) == 4, facts
    assert family(facts["additional"][0]) == 6, facts
    assert facts["echo"] == ["1", "1"], facts


def one_family():
    with coturn.Coturn() as turn:
        facts = ask(turn, "both-families")
    assert family(facts["relayed"][0]) == 4, facts
    assert "additional" not in facts, facts
    assert facts["echo"] == ["1"], facts


def even_port():
    with coturn.Coturn() as turn:
        facts = ask(turn, "even-port")
    first, second = (port(address) for address in facts["relayed"])
    assert first % 2 == 0, facts
    assert second == first + 1, facts


def mobility():
    with coturn.Coturn(extra=["--mobility"]) as turn:
        facts = ask(turn, "mobility")
    assert facts["moved"] == ["1"], facts
    assert facts["new-ticket"] == ["1"], facts
    assert facts["echo"] == ["1"], facts


def mobility_forbidden():
    with coturn.Coturn() as turn:
        facts = ask(turn, "mobility")
    assert "relayed" in facts, facts
    assert "moved" not in facts, facts


def dont_fragment():
    with coturn.Coturn() as turn:
        facts = ask(turn, "dont-fragment")
    assert facts["echo"] == ["1"], facts


def main():
    if not coturn.available():
        tap.skip_all("no turnserver: apt-get install coturn")
        return
    tap.run([
        ("both families (RFC 8656 7.1)", both_families),
        ("one family of both (RFC 8656 7.3)", one_family),
        ("even port and reservation (RFC 8656 7.1)", even_port),
        ("mobility (RFC 8016)", mobility),
        ("mobility forbidden (RFC 8016 3.1)", mobility_forbidden),
        ("don't fragment (RFC 8656 7.1, 11.1)", dont_fragment),
    ])


if __name__ == "__main__":
    main()
