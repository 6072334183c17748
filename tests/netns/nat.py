#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`gst-ice-1.0 nat` behind real NATs (lab.py draws them), and coturn as the server.

  nat.py GST_ICE_TOOL
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import lab
import tap

VERDICT = {"none": "no NAT", "port-restricted": "Direct calls are likely", "symmetric": "a relay is needed"}


def discover(tool, kind):
    with lab.Lab(kind, "none") as place:
        place.prove()
        with coturn.Coturn(
                lab.SERVER, 3478, prefix=place.prefix("wan"), extra=[f"--listening-ip={lab.SERVER_2}"]) as turn:
            run = subprocess.run(
                [*place.prefix("alice"), tool, "nat", "--json", "--server", turn.host_port],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    tap.comment(run.stdout + run.stderr)
    assert run.returncode == 0, run.returncode
    found = json.loads(run.stdout)
    expected = lab.EXPECTED[kind]
    assert (found["mapping"], found["filtering"]) == (expected["mapping"], expected["filtering"])
    assert found["nat"] == (kind != "none") and found["fragments"]
    assert found.get("hairpinning") == (None if kind == "none" else False)
    assert VERDICT[kind] in found["verdict"]


def blocked(tool):
    """Nobody answers: that is no NAT, and is said in one sentence."""
    with lab.Lab("symmetric", "none") as place:
        run = subprocess.run(
            [*place.prefix("alice"), tool, "nat", "--server", "198.51.100.99"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and "UDP to it is blocked" in run.stderr, run


def main():
    tool = sys.argv[1]
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if reason:
        tap.skip_all(reason)
        return
    cases = [(f"nat: {kind}", lambda kind=kind: discover(tool, kind)) for kind in VERDICT]
    tap.run([*cases, ("nat: UDP blocked", lambda: blocked(tool))])


if __name__ == "__main__":
    main()
