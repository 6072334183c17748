#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The launch lines of docs/reference/sip.md as they stand, but for the port: the first of a block waits, the second
calls, and who listens hears a tone."""

import functools
import pathlib
import re
import sys

import phones  # noqa: E402
from phones import CONNECTED, hears, waits
from shell import Shell

import tap  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/reference/sip.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.S | re.M)


def call(block):
    port = phones.free_port()
    first, second = (line.removeprefix("gst-launch-1.0 ").replace("5062", str(port))
                     .replace("autoaudiosink", "level interval=100000000 ! fakesink")
                     for line in block.strip().splitlines())
    with Shell(f"-m {first}") as callee:
        waits(callee)
        with Shell(f"-m {second}") as caller:
            for shell, line in ((callee, first), (caller, second)):
                shell.wait_for(CONNECTED)
                if "level" in line:
                    hears(shell)
            for shell in (callee, caller):
                assert not shell.count("^(WARNING|ERROR)"), shell.output


def main():
    blocks = [block for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if "example.org" not in block]
    assert len(blocks) >= 3
    tap.run((f"block {number}", functools.partial(call, block)) for number, block in enumerate(blocks, 1))


if __name__ == "__main__":
    sys.exit(main())
