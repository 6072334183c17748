#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/flows/call.md shows lines of a call: they are still said, in that form."""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parent / "interop"), str(HERE.parent / "sip")]

import tap  # noqa: E402
from capture import call  # noqa: E402
from coturn import PASSWORD, USER, Coturn, available  # noqa: E402

PAGE = HERE.parents[1] / "docs/flows/call.md"


def form(line):
    """The line without what is another in each call."""
    # In the description or after it: that depends on who was quicker.
    line = re.sub(r"^([AB])(   a=| says candidate: )candidate:", r"\1 candidate:", line)
    line = re.sub(r"^([AB])(   a=end-of-candidates| says candidate: \(no more\))", r"\1 no more", line)
    line = re.sub(r"\[[0-9a-f:]+\]|\b[0-9a-f]*::[0-9a-f]+\b", "ADDRESS", line)
    line = re.sub(r"(ufrag[: ]|ice-pwd:)\S+", r"\1KEY", line)
    return re.sub(r"\d+(\.\d+)*", "N", line)


def shown(kind):
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    assert lines, f"the page shows no {kind}"
    return lines


def expect_said(lines, said):
    forms = {form(line) for line in said}
    missing = [line for line in lines if form(line) not in forms]
    assert not missing, "not said any more:\n" + "\n".join(missing) + "\nsaid:\n" + "\n".join(said)


def both_calls():
    if not available():
        raise tap.Skip("no turnserver (coturn)")
    said = []
    with Coturn() as turn:
        server = f"turn-servers=turn:{USER}:{PASSWORD}@{turn.host_port} agent::interfaces=lo agent::ip-family=ipv4"
        for properties in (server, server + " ice-transport-policy=relay"):
            said += call(properties)
    expect_said(shown("capture"), said)


def invite():
    if subprocess.run(["gst-inspect-1.0", "icesip"], capture_output=True).returncode != 0:
        raise tap.Skip("ext/sip is not built")
    import phones
    from fakephone import FakePhone

    with FakePhone() as fake, phones.phone(fake.uri):
        request = fake.expect("INVITE")
        fake.answer(request, "486 Busy Here", "a")
    expect_said(shown("sip"), request.text.splitlines())


def main():
    tap.run([("the lines of both calls", both_calls), ("the INVITE", invite)])


if __name__ == "__main__":
    main()
