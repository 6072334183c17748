#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What media costs: our elements, libnice's, udpsink/udpsrc and the kernel alone.

  media.py BUILD_DIR [--rounds 5] [--quick] [--json FILE] [--html FILE]

Beside them: what the sender pays through coturn, if there is one, and media
while a stranger floods the port it comes to, which only elements that know
their peer can tell apart.

Each round runs all variants in turn; what counts are the ratios within a
round, for a machine is never the same twice. Two processes over loopback
unless said otherwise, and a window of packets under way, so that nothing is
lost. A release build is meant. As root the default receive buffer is raised
for the time of the run, or the window would be as small as libnice's sockets.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

import coturn
import page

RMEM_DEFAULT = pathlib.Path("/proc/sys/net/core/rmem_default")
RMEM_WANTED = 8 << 20

# name, variant, list, processes, packets for a run of about a second
THROUGHPUT = [
    ("raw single", "raw", 1, 2, 150000),
    ("raw GSO 8", "raw", 8, 2, 400000),
    ("raw GSO 32", "raw", 32, 2, 1600000),
    ("udp single", "udp", 1, 2, 120000),
    ("udp list 32", "udp", 32, 2, 150000),
    ("nice single", "nice", 1, 2, 120000),
    ("nice list 8", "nice", 8, 2, 150000),
    ("nice list 32", "nice", 32, 2, 150000),
    ("nice list 64", "nice", 64, 2, 150000),
    ("ice single", "ice", 1, 2, 120000),
    ("ice single, 50 us to wait", "ice", 1, 2, 120000),
    ("ice list 8", "ice", 8, 2, 400000),
    ("ice list 32", "ice", 32, 2, 800000),
    ("ice list 64", "ice", 64, 2, 800000),
    ("nice list 32, one process", "nice", 32, 1, 150000),
    ("ice list 32, one process", "ice", 32, 1, 800000),
]
# name, variant, list, packets: few enough for a server that takes 7 us for each.
RELAYED = [
    ("nice single, relayed", "nice", 1, 40000),
    ("nice list 32, relayed", "nice", 32, 60000),
    ("ice single, relayed", "ice", 1, 40000),
    ("ice list 32, relayed", "ice", 32, 60000),
]
RELAY_WINDOW = 96
# 1,000 packets of media a second under so many from a stranger.
FLOOD = 1000000
FLOODED = [("nice under a flood", "nice"), ("ice under a flood", "ice")]
# What is compared: name, the two of a ratio, and what it should be at most.
RATIOS = [
    ("CPU a packet, lists of 32", "ice list 32", "nice list 32", "cpu_us", 1 / 6),
    ("CPU a packet, lists of 8", "ice list 8", "nice list 8", "cpu_us", 1 / 3.5),
    ("CPU a packet, lists of 64", "ice list 64", "nice list 64", "cpu_us", None),
    ("CPU a packet, lists of 32, one process", "ice list 32, one process", "nice list 32, one process", "cpu_us", None),
    ("CPU a packet, single", "ice single", "nice single", "cpu_us", 0.8),
    ("CPU a packet, single, receive-coalesce=50", "ice single, 50 us to wait", "nice single", "cpu_us", 0.65),
    ("CPU a packet, single, to udpsink", "ice single", "udp single", "cpu_us", 1.0),
    ("CPU a packet, lists of 32, to the kernel alone", "ice list 32", "raw GSO 32", "cpu_us", 3.5),
]
# The other way round: at least.
RATES = [
    ("packets a second, lists of 32", "ice list 32", "nice list 32", "pps", 5.0),
    ("packets a second, lists of 8", "ice list 8", "nice list 8", "pps", 3.5),
]
LATENCY = [(f"{variant} at {rate // 1000}k/s", variant, rate) for rate in (1000, 10000) for variant in ("raw", "udp", "nice", "ice")]


@contextlib.contextmanager
def receive_buffers():
    """Large enough for the window, for those who do not ask for one."""
    before = RMEM_DEFAULT.read_text() if os.access(RMEM_DEFAULT, os.W_OK) else None
    if before is None:
        yield False
        return
    RMEM_DEFAULT.write_text(str(RMEM_WANTED))
    try:
        yield True
    finally:
        RMEM_DEFAULT.write_text(before)


class Bench:
    def __init__(self, build, window):
        self.program = build / "tests" / "bench" / "bench-media"
        self.window = window
        self.environment = {
            **os.environ,
            "GST_PLUGIN_PATH": str(build / "gst" / "elements"),
            "GST_REGISTRY": str(build / "bench-registry.bin"),
        }

    def run(self, variant, **options):
        options.setdefault("window", self.window)
        argv = [str(self.program), variant]
        for name, value in options.items():
            argv += [f"--{name}", str(value)]
        try:
            ended = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            print(f"  {' '.join(argv[1:])}: not within two minutes", file=sys.stderr)
            return None
        if ended.returncode != 0:
            print(f"  {' '.join(argv[1:])}: {ended.stderr.strip()}", file=sys.stderr)
            return None
        return json.loads(ended.stdout)


def spread(values):
    return min(values), statistics.median(values), max(values)


def of(rounds, name, key):
    return [r[name][key] for r in rounds if r.get(name) and key in r[name]]


def ratios(rounds, first, second, key):
    return [r[first][key] / r[second][key] for r in rounds
            if r.get(first) and r.get(second) and key in r[first] and key in r[second]]


def print_table(size, rounds):
    print(f"\n{size} bytes, min/median/max of {len(rounds)} rounds")
    print(f"{'':28} {'kpps':>20} {'CPU us/packet':>22} {'send':>6} {'receive':>7}")
    for name, *_ in THROUGHPUT:
        cpu, pps = of(rounds, name, "cpu_us"), of(rounds, name, "pps")
        if not cpu:
            continue
        sides = [statistics.median(of(rounds, name, key)) if of(rounds, name, key) else float("nan")
                 for key in ("tx_cpu_us", "rx_cpu_us")]
        print(f"{name:28} {'/'.join(f'{p / 1000:.0f}' for p in spread(pps)):>20}"
              f" {'/'.join(f'{c:.2f}' for c in spread(cpu)):>22} {sides[0]:6.2f} {sides[1]:7.2f}")
    print()
    for rows, word in ((RATIOS, "at most"), (RATES, "at least")):
        for name, first, second, key, goal in rows:
            found = ratios(rounds, first, second, key)
            if found:
                low, middle, high = spread(found)
                aim = f", asked {word} {goal:.3g}" if goal else ""
                print(f"{name}: {middle:.3f} ({low:.3f} to {high:.3f}) of {second}{aim}")


def print_relayed(rounds):
    print(f"\nthrough coturn, 1200 bytes, the sender's CPU a packet, us, min/median/max of {len(rounds)} rounds")
    for name, *_ in RELAYED:
        cpu = of(rounds, name, "tx_cpu_us")
        if cpu:
            print(f"{name:28} {'/'.join(f'{c:.2f}' for c in spread(cpu))}")
    found = ratios(rounds, "ice list 32, relayed", "nice list 32, relayed", "tx_cpu_us")
    if found:
        low, middle, high = spread(found)
        print(f"lists of 32: {middle:.3f} ({low:.3f} to {high:.3f}) of nice, asked at most 0.333")


def print_flooded(rounds):
    print(f"\n1,000 packets a second of media, and a stranger's flood, min/median/max of {len(rounds)} rounds")
    for name, _ in FLOODED:
        found = {key: of(rounds, name, key) for key in ("lost", "p50_us", "p99_us", "flood_pps")}
        if found["lost"]:
            print(f"{name:20}" + "".join(
                f" {key} {'/'.join(f'{v:.0f}' for v in spread(values))}" for key, values in found.items()))


def print_latency(rounds):
    print(f"\nlatency from push to receiver, 1200 bytes, us, min/median/max of {len(rounds)} rounds")
    for name, variant, rate in LATENCY:
        for key in ("p50_us", "p99_us"):
            values = of(rounds, name, key)
            if values:
                print(f"{name:18} {key[:3]}  {'/'.join(f'{v:.0f}' for v in spread(values))}")
    for rate in (1000, 10000):
        for variant in ("udp", "nice", "ice"):
            found = ratios(rounds, f"{variant} at {rate // 1000}k/s", f"raw at {rate // 1000}k/s", "p50_us")
            if found:
                low, middle, high = spread(found)
                print(f"p50 of {variant} to the raw socket's at {rate // 1000}k/s: {middle:.2f} ({low:.2f} to {high:.2f})")


def run_relayed(bench, divisor):
    with coturn.Coturn() as turn:
        return {name: bench.run(variant, list=n, packets=packets // divisor, window=RELAY_WINDOW, relay=turn.host_port)
                for name, variant, n, packets in RELAYED}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a quarter of the packets")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--html", type=pathlib.Path)
    arguments = parser.parse_args()
    divisor = 4 if arguments.quick else 1
    found = {"throughput": {200: [], 1200: []}, "latency": [], "relayed": [], "flooded": []}
    with receive_buffers() as raised:
        bench = Bench(arguments.build.resolve(), 512 if raised else 64)
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            for size, rounds in found["throughput"].items():
                rounds.append({name: bench.run(variant, list=n, processes=processes, packets=packets // divisor, size=size,
                                               coalesce=50 if "to wait" in name else 0)
                               for name, variant, n, processes, packets in THROUGHPUT})
            found["latency"].append({name: bench.run(variant, list=1, rate=rate, packets=rate * 3 // divisor)
                                     for name, variant, rate in LATENCY})
            found["flooded"].append({name: bench.run(variant, list=1, rate=1000, packets=4000 // divisor, flood=FLOOD)
                                     for name, variant in FLOODED})
            if coturn.available():
                found["relayed"].append(run_relayed(bench, divisor))
    for size, rounds in found["throughput"].items():
        print_table(size, rounds)
    print_latency(found["latency"])
    print_relayed(found["relayed"])
    print_flooded(found["flooded"])
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.html:
        arguments.html.write_text(page.media(found, THROUGHPUT, LATENCY, RELAYED, FLOODED))


if __name__ == "__main__":
    main()
