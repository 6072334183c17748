# SPDX-License-Identifier: LGPL-2.1-or-later
"""Network namespaces, and what is done in one of them.

Nothing in here knows a topology: lab.py puts the boxes together.
"""

import contextlib
import itertools
import os
import shutil
import subprocess

# Several labs may live in one process, and several processes side by side.
numbers = itertools.count(1)

# linux/netfilter/nfnetlink.h: the subsystem of conntrack, and its deletion.
NETLINK_NETFILTER = 12
NFNL_SUBSYS_CTNETLINK = 1
IPCTNL_MSG_CT_DELETE = 2
NLM_F_REQUEST, NLM_F_ACK = 1, 4

FLUSH = f"""
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, {NETLINK_NETFILTER})
s.send(struct.pack("=IHHII", 20, {NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE}, {NLM_F_REQUEST | NLM_F_ACK}, 1, 0)
       + struct.pack("!BBH", 0, 0, 0))
error, = struct.unpack_from("=i", s.recv(4096), 16)
raise SystemExit(error)
"""


def root_batch(commands):
    """ip commands outside of all boxes, as one process."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)


class Box:
    """One network namespace. Commands for ip are collected until start()."""

    def __init__(self, lab_name, name, router=False, ipv6=False):
        self.name = name
        self.namespace = f"{lab_name}-{name}"
        self.commands = []
        self.settings = [
            f"net/ipv4/ip_forward={int(router)}",
            f"net/ipv6/conf/all/disable_ipv6={int(not ipv6)}",
            f"net/ipv6/conf/default/disable_ipv6={int(not ipv6)}",
            # A switch is no router: what it forwards no rule of ours sees.
            "net/bridge/bridge-nf-call-*tables=0",
        ]
        if ipv6:
            # Addresses are usable at once, and nobody advertises others.
            self.settings += [
                f"net/ipv6/conf/all/forwarding={int(router)}", "net/ipv6/conf/*/accept_ra=0",
                "net/ipv6/conf/*/accept_dad=0"]

    @property
    def prefix(self):
        """Put before a command, this runs it in the box."""
        return ["ip", "netns", "exec", self.namespace]

    def add(self, *commands):
        self.commands += commands

    def start(self):
        """Settings, and the collected commands, as one process."""
        batch, self.commands = ["link set lo up", *self.commands], []
        script = "".join(
            f"for f in /proc/sys/{path}; do [ ! -e $f ] || echo {value} >$f; done;"
            for path, value in (s.split("=") for s in self.settings))
        self.execute("sh", "-ec", script + "exec ip -batch -", input="\n".join(batch) + "\n")

    def ip(self, *commands):
        """ip commands at once, in mid-call for example."""
        subprocess.run(
            ["ip", "-n", self.namespace, "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)

    def nft(self, rules):
        self.execute("nft", "-f", "-", input=rules)

    def execute(self, *argv, **options):
        return subprocess.run([*self.prefix, *argv], check=True, text=True, **options)

    def flush_conntrack(self):
        """Forgets every connection, as a NAT does that was switched off."""
        self.execute("/usr/bin/python3", "-c", FLUSH)


def processes(namespace):
    found = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def remove(boxes):
    """Takes the namespaces away. What still runs in them is of this lab."""
    for box in boxes:
        for pid in processes(box.namespace):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
    subprocess.run(
        ["ip", "-force", "-batch", "-"], input="".join(f"netns del {box.namespace}\n" for box in boxes), text=True,
        check=False)


def unavailable(rules):
    """Why the lab cannot be built here, or None. rules: an example for nft."""
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
            ["ip", "netns", "exec", name, "nft", "-f", "-"], input=rules, capture_output=True, text=True)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
    if ruled.returncode != 0:
        return f"nftables cannot translate here: {ruled.stderr.strip().splitlines()[0]}"
    return None


def no_tun():
    """Why there is no TUN device, which delays and NAT64 need, or None."""
    try:
        with open("/dev/net/tun", "rb"):
            return None
    except OSError as error:
        return f"no TUN devices here: {error}"
