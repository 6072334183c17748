#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything that is measured, in one go: media, scale, connect and core.

  run.py BUILD_DIR [--rounds 3] [--quick] [--only media,core]
         [--json FILE] [--html FILE]

BUILD_DIR is a release build; what is measured is built in it first. Each part
can be run by itself (media.py, scale.py, connect.py). An hour with all rounds,
ten minutes with --quick --rounds 1; a machine that does nothing else is meant.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import connect
import media
import page
import rounds
import scale

TARGETS = {
    "media": ["tests/bench/bench-media", "gst/elements/libgstice.so"],
    "scale": ["tests/bench/bench-scale", "gst/elements/libgstice.so"],
    "connect": ["gst/tools/gst-ice-1.0", "tests/netns/delay"],
    "core": ["tests/core/bench-core"],
}
# Where Meson found libnice.
OPTIONAL_TARGETS = {"connect": ["tests/interop/nice-peer"]}
# What bench-core says that is a rate.
CORE_RATE = re.compile(r"^(connects|checks|forged checks): (\d+)", re.MULTILINE)
CORE_NAMES = {"connects": "sessions connected", "checks": "checks answered", "forged checks": "forged checks looked at"}


def build(directory, parts):
    known = subprocess.run(
        ["ninja", "-C", str(directory), "-t", "targets", "all"], check=True, capture_output=True, text=True).stdout
    targets = [target for part in parts for target in TARGETS[part]]
    targets += [target for part in parts for target in OPTIONAL_TARGETS.get(part, ()) if f"\n{target}:" in known]
    subprocess.run(["ninja", "-C", str(directory), *targets], check=True, stdout=subprocess.DEVNULL)


def run_media(directory, n_rounds, quick):
    with tempfile.TemporaryDirectory() as place:
        result = pathlib.Path(place) / "media.json"
        subprocess.run(
            [sys.executable, str(HERE / "media.py"), str(directory), "--rounds", str(n_rounds), "--json", str(result),
             *(["--quick"] if quick else [])], check=True)
        found = json.loads(result.read_text())
    return found, page.media_parts(
        found, media.THROUGHPUT, media.LATENCY, media.RELAYED, media.FLOODED)


def run_scale(directory, n_rounds, quick):
    found = scale.measure(directory, n_rounds, quick)
    scale.print_results(found)
    return found, page.scale_parts(found, scale.RUNS)


def run_connect(directory, n_rounds, quick):
    reason = connect.unavailable()
    if reason:
        print(f"connect: not measured: {reason}")
        return None, []
    found = connect.measure(directory, n_rounds, quick)
    connect.print_results(found)
    return found, page.connect_parts(found, connect.CASES, connect.AGENTS)


def run_core(directory, n_rounds, quick):
    seeds, connects, checks = ("100", "1000", "20000") if quick else ("1000", "5000", "200000")
    found = []
    for _ in range(n_rounds):
        said = subprocess.run(
            [str(directory / "tests" / "core" / "bench-core"), seeds, connects, checks], capture_output=True, text=True)
        found.append({CORE_NAMES[name]: {"per_s": int(rate)} for name, rate in CORE_RATE.findall(said.stdout)})
    print()
    for name in CORE_NAMES.values():
        print(f"the core alone, {name} in a second of CPU: {rounds.show(rounds.values(found, name, 'per_s'), '{:.0f}')}")
    return found, page.core_parts(found)


PARTS = {"media": run_media, "scale": run_scale, "connect": run_connect, "core": run_core}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="fewer packets, pairs and seconds")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--html", type=pathlib.Path)
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    unknown = set(wanted) - set(PARTS)
    if unknown:
        parser.error(f"--only: there is no {' or '.join(sorted(unknown))}")
    directory = arguments.build.resolve()
    build(directory, wanted)
    found, parts = {}, []
    for name in wanted:
        found[name], more = PARTS[name](directory, arguments.rounds, arguments.quick)
        parts += more
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.html:
        arguments.html.write_text(page.document("What it costs", parts))


if __name__ == "__main__":
    main()
