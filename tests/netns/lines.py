# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a line does to packets: it loses, slows and delays them.

Loss is by nft at the ingress and egress of a device. Never in a peer's output
hook: there sendto() fails with EPERM, and no network does that. Who has which
link-layer address is asked once a second, three times (RFC 4861 10; Linux does
so for ARP as well): were those packets lost, too, then of 100 lines that lose
20 % each way 13 would carry nothing at all for their first two seconds.
"""

import os
import subprocess

LOSS = """
table netdev lose_%(name)s
delete table netdev lose_%(name)s
table netdev lose_%(name)s {
  chain ingress {
    type filter hook ingress device "%(device)s" priority 0; policy accept;
    %(spared)s
    %(rule)s
  }
  chain egress {
    type filter hook egress device "%(device)s" priority 0; policy accept;
    %(spared)s
    %(rule)s
  }
}
"""


SPARED = "meta protocol arp accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;"


def lose(box, device, percent):
    """Each packet, each way, with this probability."""
    # nft 1.0.6 refuses "numgen random mod 10000 < 10000".
    rule = "drop" if percent >= 100 else f"numgen random mod 10000 < {int(percent * 100)} drop" if percent > 0 else ""
    box.nft(LOSS % {"name": device.replace("-", "_"), "device": device, "spared": SPARED, "rule": rule})


def limit(box, device, rate):
    """A line of this rate with a queue of 200 ms, as access lines have."""
    box.execute("tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate, "burst", "4kb", "latency", "200ms")


def tool():
    """Where the build put delay.c, or None: Meson sets it for its tests."""
    return os.environ.get("ICE_LAB_DELAY")


class Relay:
    """The program that holds packets back between two TUN devices."""

    def __init__(self, ms):
        self.ms = ms
        self.lines = []
        self.process = None

    def add(self, box, device, other, other_device):
        self.lines.append(f"{box.namespace},{device},{other.namespace},{other_device}")

    def start(self):
        self.process = subprocess.Popen(
            [tool(), str(self.ms), *self.lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the delaying program did not start")

    def set_delay(self, ms):
        """From now on; packets under way keep their time."""
        self.process.stdin.write(f"{ms}\n")
        self.process.stdin.flush()

    def stop(self):
        if self.process is None:
            return
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
