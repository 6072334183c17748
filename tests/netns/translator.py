# SPDX-License-Identifier: LGPL-2.1-or-later
"""NAT64 for a gateway: nat64.c translates, and a name tells the prefix.

The host has no IPv4. What it sends to an address of the prefix the gateway
forwards to the device "in64", and the IPv4 packet that comes out there is
translated by the gateway's rules for its "in*": the mapping and the filtering
are those of its kind.
"""

import contextlib
import ipaddress
import os
import pathlib
import shutil
import subprocess
import time

# RFC 6052 2.1.
PREFIX = ipaddress.IPv6Network("64:ff9b::/96")
# RFC 7050 8.2.
NAME = "ipv4only.arpa"
WELL_KNOWN = ("192.0.0.170", "192.0.0.171")
DEVICE = "in64"
# What fits the host's line has 20 bytes more there.
MTU = 1480

FORWARD = f"""
table ip6 lab {{
  chain forward {{
    iifname "in" oifname "{DEVICE}" accept
    iifname "{DEVICE}" oifname "in" accept
  }}
}}
"""


def tool():
    """Where the build put nat64.c, or None: Meson sets it for its tests."""
    return os.environ.get("ICE_LAB_NAT64")


def dnsmasq():
    return shutil.which("dnsmasq", path=os.environ.get("PATH", "") + ":/usr/sbin")


def unavailable():
    """Why there is no NAT64 here, or None; beside boxes.no_tun()."""
    if not tool():
        return "ICE_LAB_NAT64 is not set"
    return None if dnsmasq() else "no dnsmasq: apt-get install dnsmasq-base"


def embed(address):
    """RFC 6052 2.2."""
    return str(PREFIX[int(ipaddress.IPv4Address(address))])


class Translator:
    """The translator of one gateway (a Box), and the resolver of its host."""

    def __init__(self, gateway, host, ipv6, router, ipv4):
        self.gateway, self.host = gateway, host
        self.ipv6, self.router, self.ipv4 = ipv6, router, ipv4
        self.etc = pathlib.Path("/etc/netns") / host.namespace
        self.program = self.dns = None

    def start(self):
        """After its boxes have begun."""
        self.program = subprocess.Popen(
            [tool(), self.gateway.namespace, DEVICE, str(PREFIX.network_address), self.ipv6, self.ipv4],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.program.stdout.readline() != "ready\n":
            raise RuntimeError("the translator did not start")
        self.gateway.ip(
            f"link set {DEVICE} up", f"route add {self.ipv4}/32 dev {DEVICE} mtu {MTU}",
            f"route add {PREFIX} dev {DEVICE}")
        self.gateway.nft(FORWARD)
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text(f"nameserver {self.router}\noptions timeout:1\n", encoding="ascii")
        records = [*WELL_KNOWN, *map(embed, WELL_KNOWN)]
        self.dns = subprocess.Popen(
            [*self.gateway.prefix, dnsmasq(), "--keep-in-foreground", "--no-resolv", "--no-hosts",
             "--conf-file=/dev/null", "--port=53", f"--listen-address={self.router}", "--bind-interfaces",
             "--pid-file=", "--user=root", *(f"--host-record={NAME},{address}" for address in records)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while embed(WELL_KNOWN[0]) not in self.resolved():
            if time.monotonic() > deadline or self.dns.poll() is not None:
                raise RuntimeError("dnsmasq did not start")

    def resolved(self):
        """What the host's resolver makes of the name."""
        asked = subprocess.run(
            [*self.host.prefix, "getent", "ahostsv6", NAME], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return {line.split()[0] for line in asked.stdout.splitlines()}

    def stop(self):
        if self.dns:
            self.dns.terminate()
            self.dns.wait()
        if self.program:
            self.program.stdin.close()
            self.program.wait()
            self.program.stdout.close()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.etc)
