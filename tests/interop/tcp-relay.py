#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""RFC 6062 with coturn: a peer is connected to, and a peer connects.

  tcp-relay.py TCP_RELAY
"""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import coturn
import tap


def relay():
    with coturn.Coturn() as turn:
        run = subprocess.run(
            [sys.argv[1], turn.address, str(turn.port), coturn.USER, coturn.PASSWORD], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60)
        turn.log.seek(0)
        log = turn.log.read()
    if run.returncode != 0:
        tap.comment(log[-4000:])
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["allocated", "connected to a peer", "a peer connected"], run.stdout


if __name__ == "__main__":
    if coturn.available():
        tap.run([("coturn: Connect and ConnectionAttempt", relay)])
    else:
        tap.skip_all("no turnserver: apt-get install coturn")
