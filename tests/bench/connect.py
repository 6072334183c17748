#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long two agents take to connect: ours, libnice's and aioice's in turn.

  connect.py BUILD_DIR [--rounds 5] [--quick] [--json FILE]

Each agent is a process in a network namespace of its own, between them lines
that take time (tests/netns/lab.py); signalling is by pipes and takes none. The
clock starts when both have said their first line, so that what a machine takes
to start programs is not counted. connected: the later of the two; completed:
likewise, where an agent says so; media: the later of the two first packets.
Round trips are between the two agents, and where there is nothing but relays,
from each of them to the server. Needs root, nftables, TUN devices and coturn.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "interop"), str(HERE.parent / "netns")]

PYTHON = "/usr/bin/python3"  # Debian's, which sees python3-aioice
DEAD_STUN = "198.51.100.98:3478"
AGENTS = ("ice", "nice", "aioice")
# libnice as it is by default, which is how it connects soonest.
AS_BY_DEFAULT = {"nice": {"NOMINATION": "aggressive"}}
KEYS = ("connected_ms", "completed_ms", "media_ms")

# name, ms of a round trip, what is asked for, what the lab is besides
CASES = [
    ("host, no delay", 0, "host", {}),
    ("host, 50 ms", 50, "host", {}),
    ("host, 100 ms", 100, "host", {}),
    ("first pair dead, 50 ms", 50, "host", {"families": ("46", "46"), "broken": {"a": "6"}}),
    ("first pair dead, 100 ms", 100, "host", {"families": ("46", "46"), "broken": {"a": "6"}}),
    ("relay only, 50 ms", 50, "relay", {}),
    ("relay only, 100 ms", 100, "relay", {}),
    ("dead STUN, no trickle, 50 ms", 50, "dead-stun", {}),
    ("host, 50 ms, 10 % lost each way", 50, "host", {"loss": 5}),
]
# What is asked of ours: the case, the key, how many round trips and ms at most.
GOALS = [
    ("host, 50 ms", "connected_ms", 1, 5),
    ("host, 100 ms", "connected_ms", 1, 5),
    ("first pair dead, 50 ms", "connected_ms", 1, 10),
    ("first pair dead, 100 ms", "connected_ms", 1, 10),
    ("first pair dead, 50 ms", "completed_ms", 1.5, 0),
    ("first pair dead, 100 ms", "completed_ms", 1.5, 0),
    ("host, 50 ms", "media_ms", 1.6, 0),
    ("host, 100 ms", "media_ms", 1.6, 0),
    ("relay only, 50 ms", "connected_ms", 4.5, 0),
    ("relay only, 100 ms", "connected_ms", 4.5, 0),
]


def unavailable():
    import boxes
    import coturn
    import lab

    return lab.unavailable() or boxes.no_tun() or (None if coturn.available() else "no coturn: apt-get install coturn")


def programs(build):
    """The argv of each agent that is there."""
    found = {"ice": [str(build / "gst" / "tools" / "gst-ice-1.0"), "peer"]}
    nice = build / "tests" / "interop" / "nice-peer"
    if nice.exists():
        found["nice"] = [str(nice)]
    if subprocess.run([PYTHON, "-c", "import aioice"], capture_output=True).returncode == 0:
        found["aioice"] = [PYTHON, str(HERE.parent / "interop" / "aioice-peer.py")]
    return found


def since_ready(alice, bob, key):
    ready_at = max(alice.spoke_at, bob.spoke_at)
    times = [getattr(agent, key) for agent in (alice, bob)]
    return round(1000 * (max(times) - ready_at), 2) if None not in times else None


def call(argv, place, environment):
    """One call's times; connected_ms is None where there was none."""
    import driver
    import pair

    alice, bob = driver.agents(argv, place, {"SECONDS": "0.3", "RATE": "100", **environment})
    pair.run(alice, bob, timeout=30)
    times = {f"{key.removesuffix('_at')}_ms": since_ready(alice, bob, key)
             for key in ("connected_at", "completed_at", "first_packet_at")}
    times["media_ms"] = times.pop("first_packet_ms")
    return times


def line_rtt(place, kind):
    """ms that a packet really takes there and back, or None: on a machine that is
    busy the program that holds packets back is late, too."""
    import lab

    to = lab.SERVER if kind == "relay" else "10.2.0.2"
    if not shutil.which("ping"):
        return None
    said = subprocess.run(
        [*place.prefix("alice"), "ping", "-n", "-q", "-c", "10", "-i", "0.1", to], capture_output=True, text=True)
    found = re.search(r"= [\d.]+/([\d.]+)/", said.stdout)
    return float(found.group(1)) if found else None


@contextlib.contextmanager
def open_case(rtt, kind, options):
    """The lab, and the environment of both agents."""
    import coturn
    import driver
    import lab

    # Two lines from host to host, one from a host to the server.
    one_way = (rtt / 2 if kind == "relay" else rtt / 4) if rtt else None
    with lab.Lab("none", "none", delay=one_way, **options) as place:
        environment = {"IPV6": "1"} if "families" in options else {}
        if kind == "relay":
            with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
                # As each of them reads it.
                yield place, {**driver.servers(turn), "TURN_URI": f"turn:{turn.host_port}", "RELAY_ONLY": "1"}
        elif kind == "dead-stun":
            yield place, {"STUN_SERVER": DEAD_STUN, "MODE": "full"}
        else:
            yield place, environment


def measure(build, n_rounds, quick=False):
    """Rounds as rounds.py has them; a run is called "CASE / AGENT"."""
    os.environ.setdefault("ICE_LAB_DELAY", str(build / "tests" / "netns" / "delay"))
    agents = programs(build)
    found = [{} for _ in range(n_rounds)]
    for name, rtt, kind, options in CASES:
        print(f"connect: {name}", file=sys.stderr)
        with open_case(rtt, kind, options) as (place, environment):
            for each in found:
                for agent, argv in agents.items():
                    # What waits for a dead server for seconds is known by once.
                    if (quick or kind == "dead-stun") and each is not found[0] and agent != "ice":
                        continue
                    each[f"{name} / {agent}"] = call(argv, place, {**environment, **AS_BY_DEFAULT.get(agent, {})})
                each[f"{name} / line"] = {"rtt_ms": line_rtt(place, kind)}
    return found


def print_results(found):
    import rounds

    print(f"\nms from when both were ready, and round trips: min/median/max of {len(found)} rounds")
    for name, rtt, *_ in CASES:
        line = rounds.values(found, f"{name} / line", "rtt_ms")
        print(f"{name}; the line takes {rounds.show(line, '{:.1f}')} ms there and back")
        for agent in AGENTS:
            run = f"{name} / {agent}"
            if not any(run in each for each in found):
                continue
            cells = []
            for key in KEYS:
                times = rounds.values(found, run, key)
                trips = f" ({rounds.spread(times)[1] / rtt:.2f} RTT)" if times and rtt else ""
                cells.append(f"{key.removesuffix('_ms')} {rounds.show(times, '{:.1f}')}{trips}")
            print(f"  {agent}: {', '.join(cells)}; {len(rounds.values(found, run, 'connected_ms'))}"
                  f" of {sum(run in each for each in found)}")
    print()
    trips = {name: rtt for name, rtt, *_ in CASES}
    for name, key, count, more in GOALS:
        times = rounds.values(found, f"{name} / ice", key)
        line = rounds.values(found, f"{name} / line", "rtt_ms")
        if times:
            most = count * trips[name] + more
            really = f" ({count * rounds.spread(line)[1] + more:.0f} with the line as it was)" if line else ""
            print(f"{name}: {key.removesuffix('_ms')} {rounds.spread(times)[1]:.1f} ms, asked at most {most:.0f}{really}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="the others once only")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    reason = unavailable()
    if reason:
        sys.exit(f"connect.py: {reason}")
    found = measure(arguments.build.resolve(), arguments.rounds, arguments.quick)
    print_results(found)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
