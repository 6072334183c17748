# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Two hosts behind NATs of a chosen kind, servers in the middle.

      alice            nat-a                      wan                      nat-b             bob
    +-------+       +---------+    .2  .1  +---------------+ .5   .6    +---------+       +-------+
    |  eth0 |-------| in  out |------------| a           b |------------| out  in |-------| eth0  |
    +-------+       +---------+            |               |            +---------+       +-------+
    10.1.0.2   10.1.0.1  203.0.113.2       |   lo: 198.51.100.10       203.0.113.6  10.2.0.1   10.2.0.2
                                           |       198.51.100.11 (a second address, for the probes)
                                           +---------------+
                                            coturn, reflector

Each box is a network namespace, each line a veth pair. Names begin with
"ice<pid>-" and go away with the Lab. The kinds (RFC 4787's words):

  none             routed, no translation, nothing filtered
  port-restricted  endpoint-independent mapping, address and port dependent filtering
  symmetric        address and port dependent mapping and filtering

Both translate to random ports: a NAT that keeps the port hides mistakes.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SERVER = "198.51.100.10"
SERVER_2 = "198.51.100.11"
OUTSIDE = {"a": "203.0.113.2", "b": "203.0.113.6"}
ROUTER = {"a": "203.0.113.1", "b": "203.0.113.5"}
INSIDE = {"a": "10.1.0", "b": "10.2.0"}
HOST = {"a": "alice", "b": "bob"}

# What the NATs keep out is dropped before the gateway itself could accept it:
# an accepted stray packet would make a conntrack entry that occupies the reply
# tuple, and the next packet on the way out would get another port.
FIREWALL = """
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "out" drop
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "in" accept
    iifname "out" ct state established,related accept
  }
"""

SYMMETRIC = """
table ip lab {
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "out" snat to %(outside)s fully-random
  }
""" + FIREWALL + "}\n"

# conntrack chooses a random port per flow. A later chain learns which port an
# inside address and port got first, and the flows after it ask for the same.
# A missed look-up falls through to the next rule.
PORT_RESTRICTED = """
table ip lab {
  map eim {
    type inet_proto . ipv4_addr . inet_service : inet_service
    flags timeout
    timeout 5m
    size 65536
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "out" meta l4proto { tcp, udp } snat ip to %(outside)s : meta l4proto . ip saddr . th sport map @eim
    oifname "out" snat to %(outside)s fully-random
  }
  chain learn {
    type filter hook postrouting priority 300;
    oifname "out" meta l4proto { tcp, udp } update @eim { meta l4proto . ct original ip saddr . ct original proto-src : ct reply proto-dst }
  }
""" + FIREWALL + "}\n"

KINDS = {"none": None, "port-restricted": PORT_RESTRICTED, "symmetric": SYMMETRIC}

# What the probes must find before a call uses the NAT.
EXPECTED = {
    "none": {"mapping": "endpoint-independent", "filtering": "endpoint-independent", "port": "kept"},
    "port-restricted": {
        "mapping": "endpoint-independent", "filtering": "address-and-port-dependent", "port": "changed"},
    "symmetric": {
        "mapping": "address-and-port-dependent", "filtering": "address-and-port-dependent", "port": "changed"},
}


def unavailable():
    """Why the lab cannot be built here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        if not shutil.which(program):
            return f"no {program}: apt-get install {package}"
    name = f"ice{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        return f"no network namespaces here: {made.stderr.strip()}"
    try:
        ruled = subprocess.run(
            ["ip", "netns", "exec", name, "nft", "-f", "-"], input=SYMMETRIC % {"outside": OUTSIDE["a"]},
            capture_output=True, text=True)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
    if ruled.returncode != 0:
        return f"nftables cannot translate here: {ruled.stderr.strip().splitlines()[0]}"
    return None


class Lab:
    """with Lab("symmetric", "none") as lab: lab.prefix("alice") + command."""

    def __init__(self, left, right):
        self.kinds = {"a": left, "b": right}
        self.names = []
        self.reflector = None

    def namespace(self, box):
        return f"ice{os.getpid()}-{box}"

    def prefix(self, box):
        """Put before a command, this runs it in the box."""
        return ["ip", "netns", "exec", self.namespace(box)]

    def ip(self, box, *arguments):
        subprocess.run(["ip", "-n", self.namespace(box), *arguments], check=True)

    def execute(self, box, *argv, **options):
        return subprocess.run([*self.prefix(box), *argv], check=True, text=True, **options)

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        for box in ("wan", "nat-a", "nat-b", "alice", "bob"):
            subprocess.run(["ip", "netns", "add", self.namespace(box)], check=True)
            self.names.append(self.namespace(box))
            # The kinds are about IPv4; link-local IPv6 would only add noise.
            self.execute(
                box, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
                f"net.ipv4.ip_forward={int(box in ('wan', 'nat-a', 'nat-b'))}")
            self.ip(box, "link", "set", "lo", "up")
        for address in (SERVER, SERVER_2):
            self.ip("wan", "address", "add", f"{address}/32", "dev", "lo")
        # What leads nowhere vanishes, as on the Internet: an "unreachable" at
        # once would upset the TURN server and help the agents.
        # (A veth to nobody's MAC address: not each kernel has dummy links.)
        self.ip("wan", "link", "add", "name", "void", "type", "veth", "peer", "name", "void-end")
        self.ip("wan", "link", "set", "void", "up")
        self.ip("wan", "link", "set", "void-end", "up")
        self.ip("wan", "neighbour", "add", "192.0.2.254", "lladdr", "02:00:00:00:00:fe", "dev", "void")
        self.ip("wan", "route", "add", "default", "via", "192.0.2.254", "dev", "void", "onlink")
        for side in "ab":
            self.build_side(side)

    def build_side(self, side):
        gateway, host, inside = f"nat-{side}", HOST[side], INSIDE[side]
        self.ip("wan", "link", "add", "name", f"to-{side}", "type", "veth", "peer", "name", "out", "netns", self.namespace(gateway))
        self.ip(gateway, "link", "add", "name", "in", "type", "veth", "peer", "name", "eth0", "netns", self.namespace(host))
        self.ip("wan", "address", "add", f"{ROUTER[side]}/30", "dev", f"to-{side}")
        self.ip(gateway, "address", "add", f"{OUTSIDE[side]}/30", "dev", "out")
        self.ip(gateway, "address", "add", f"{inside}.1/24", "dev", "in")
        self.ip(host, "address", "add", f"{inside}.2/24", "dev", "eth0")
        for box, link in (("wan", f"to-{side}"), (gateway, "out"), (gateway, "in"), (host, "eth0")):
            self.ip(box, "link", "set", link, "up")
        self.ip(gateway, "route", "add", "default", "via", ROUTER[side])
        self.ip(host, "route", "add", "default", "via", f"{inside}.1")
        rules = KINDS[self.kinds[side]]
        if rules:
            self.execute(gateway, "nft", "-f", "-", input=rules % {"outside": OUTSIDE[side]})
        else:
            self.ip("wan", "route", "add", f"{inside}.0/24", "via", OUTSIDE[side])

    def prove(self):
        """Raises unless each NAT is of its kind, asked from its inside."""
        self.start_reflector()
        for side in "ab":
            answer = self.execute(
                HOST[side], sys.executable, str(HERE / "probe.py"), "ask", SERVER, SERVER_2, capture_output=True)
            found = json.loads(answer.stdout)
            if found != EXPECTED[self.kinds[side]]:
                raise AssertionError(f"nat-{side} is not {self.kinds[side]}: {found}")

    def start_reflector(self):
        self.reflector = subprocess.Popen(
            [*self.prefix("wan"), sys.executable, str(HERE / "probe.py"), "reflect", SERVER, SERVER_2],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.reflector.stdout.readline() != "ready\n":
            raise RuntimeError("the reflector did not start")

    def __exit__(self, *unused):
        if self.reflector:
            self.reflector.terminate()
            self.reflector.wait()
            self.reflector.stdout.close()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)
        self.names.clear()
