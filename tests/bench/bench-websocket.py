#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-ice-1.0 serve with peers that wait and calls that are set up beside them.

  bench-websocket.py BUILD_DIR [IDLE CALLS_PER_SECOND SECONDS]

In the clear and by TLS, a server of its own each time. Says what the server
used: its share of one core while calls were set up, and its memory.
"""

import os
import pathlib
import resource
import subprocess
import sys
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "websocket"))
sys.argv = [sys.argv[0], str(BUILD / "gst/tools/gst-ice-1.0"), *sys.argv[2:]]

from serve import Server  # noqa: E402


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """MB"""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(name, *arguments):
    numbers = sys.argv[2:5] or ["2000", "200", "10"]
    with Server(*arguments) as server:
        empty = memory(server.process.pid)
        bench = subprocess.Popen(
            [BUILD / "tests/bench/bench-websocket", "127.0.0.1", str(server.port), *numbers,
             *([server.fingerprint] if server.fingerprint else [])], stdout=subprocess.PIPE, text=True)
        lines = []
        for line in bench.stdout:
            lines.append(line.rstrip())
            if "peers wait" in line:
                start, used = time.monotonic(), processor_seconds(server.process.pid)
                held = memory(server.process.pid)
        seconds = time.monotonic() - start
        share = (processor_seconds(server.process.pid) - used) / seconds
        status = bench.wait()
        print(f"{name}: {'; '.join(lines)}")
        print(f"  the server used {100 * share:.0f} % of a core, {empty:.0f} MB empty, {held:.0f} MB with those that wait")
        return status


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    environment = {"GST_PLUGIN_PATH_1_0": f"{BUILD}/ext", "GST_PLUGIN_SYSTEM_PATH_1_0": "",
                   "GST_REGISTRY": f"{BUILD}/tests/bench-registry.bin"}
    os.environ.update(environment)
    statuses = [run("in the clear"), run("by TLS", "--tls", "self-signed")]
    print(f"load of this host: {os.getloadavg()[0]:.1f}")
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
