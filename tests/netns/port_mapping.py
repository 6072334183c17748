#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ports mapped by a real router: miniupnpd, by PCP and by UPnP IGD.

  port_mapping.py GST_ICE_TOOL

Two symmetric NATs, no TURN server: without a mapping there is no path at all.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import lab
import pair
import tap
from driver import agents, call
from patience import stretched

# miniupnpd maps nothing for a router whose address is reserved, as those for
# documentation are: this one is next to them, and exists in the lab only.
PUBLIC = "203.0.114.10"

CONFIGURATION = """
ext_ifname=out
listening_ip=in
http_port=0
enable_natpmp={pcp}
enable_upnp={upnp}
secure_mode=yes
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=mapped_forward
upnp_nat_chain=mapped_in
upnp_nat_postrouting_chain=mapped_out
uuid=11111111-2222-3333-4444-555555555555
allow 1024-65535 10.0.0.0/8 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""

TABLES = """
table inet miniupnpd {
  chain forward { type filter hook forward priority 0; policy accept; jump mapped_forward; }
  chain prerouting { type nat hook prerouting priority -100; policy accept; jump mapped_in; }
  chain postrouting { type nat hook postrouting priority 99; policy accept; jump mapped_out; }
  chain mapped_forward { }
  chain mapped_in { }
  chain mapped_out { }
}
"""

READY = {"pcp": "Listening for NAT-PMP/PCP", "upnp": "HTTP listening on port"}


def wait_for(what, deadline=10):
    end = time.monotonic() + deadline
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def give_public_address(place, side="b"):
    """The gateway's first address, as its router's program sees it."""
    gateway = f"nat-{side}"
    link, = json.loads(place.execute(gateway, "ip", "-j", "-4", "address", "show", "dev", "out", capture_output=True).stdout)
    own = "{local}/{prefixlen}".format(**link["addr_info"][0])
    for command in (
            f"address del {own} dev out", f"address add {PUBLIC}/32 dev out", f"address add {own} dev out",
            f"route replace default via {lab.ROUTER[side]} dev out"):
        place.ip(gateway, *command.split())
    place.ip("wan", "route", "add", f"{PUBLIC}/32", "via", lab.OUTSIDE[side])


@contextlib.contextmanager
def router(place, protocol, side="b"):
    """miniupnpd in the gateway. Yields what tells the mappings there are."""
    gateway = f"nat-{side}"
    give_public_address(place, side)
    place.execute(gateway, "nft", "-f", "-", input=TABLES)
    place.execute(gateway, "nft", "insert", "rule", "ip", "lab", "forward", "ct", "status", "dnat", "accept")
    with tempfile.TemporaryDirectory(prefix="gst-ice-router-") as folder:
        log = pathlib.Path(folder, "log")
        configuration = pathlib.Path(folder, "conf")
        configuration.write_text(CONFIGURATION.format(
            pcp="yes" if protocol == "pcp" else "no", upnp="yes" if protocol == "upnp" else "no"))
        with log.open("w") as output:
            process = subprocess.Popen(
                [*place.prefix(gateway), "miniupnpd", "-d", "-f", str(configuration), "-P", f"{folder}/pid"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: READY[protocol] in log.read_text() or process.poll() is not None)
            assert process.poll() is None, log.read_text()

            def mappings():
                rules = place.execute(gateway, "nft", "list", "chain", "inet", "miniupnpd", "mapped_in", capture_output=True)
                return re.findall(r"udp dport (\d+)", rules.stdout)
            yield mappings
        except BaseException:
            tap.comment(log.read_text())
            raise
        finally:
            process.terminate()
            process.wait()


def direct(tool, protocol):
    """What the router maps is a path where there was none, and goes with the call."""
    with lab.Lab("symmetric", "symmetric") as place, router(place, protocol) as mappings, \
            coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
        alice, bob = call(tool, place, {"STUN_SERVER": turn.host_port}, {}, {"PORT_MAPPING": "1"})
        mapped = [candidate for candidate in bob.candidates if PUBLIC in candidate]
        assert len(mapped) == 1 and " typ srflx raddr 10.2.0.2 " in mapped[0], bob.candidates
        assert not alice.relayed and not bob.relayed, (alice.pair, bob.pair)
        # The program has ended; who tells the router does so last.
        wait_for(lambda: not mappings())


def without(tool):
    """The same without asking the router: the path above was its doing."""
    with lab.Lab("symmetric", "symmetric") as place, router(place, "pcp") as mappings, \
            coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
        alice, bob = agents(tool, place, {"STUN_SERVER": turn.host_port})
        try:
            pair.run(alice, bob, timeout=4)
        finally:
            for agent in (alice, bob):
                if agent.process.poll() is None:
                    agent.process.kill()
                agent.process.wait()
        assert alice.pair is None and bob.pair is None, (alice.pair, bob.pair)
        assert not mappings()


def gather(tool, place, *options):
    run = subprocess.run(
        [*place.prefix("bob"), tool, "gather", "--json", "--port-mapping", *options], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60)
    found = json.loads(run.stdout)
    return found["seconds"], [row for row in found["candidates"] if row["type"] == "srflx"]


def refused(tool):
    """A router without any of it costs no more than the search."""
    with lab.Lab("none", "symmetric") as place:
        seconds, found = gather(tool, place)
        assert not found, found
        assert seconds < stretched(6), seconds


def main():
    tool = sys.argv[1]
    reason = lab.unavailable()
    for program, package in (("turnserver", "coturn"), ("miniupnpd", "miniupnpd-nftables")):
        if not reason and not shutil.which(program):
            reason = f"no {program}: apt-get install {package}"
    if reason:
        tap.skip_all(reason)
        return
    cases = [
        ("port mapping: without it no path", lambda: without(tool)),
        ("port mapping: PCP", lambda: direct(tool, "pcp")),
        ("port mapping: no such router", lambda: refused(tool)),
    ]
    plugins = os.environ.get("GST_PLUGIN_PATH_1_0", os.environ.get("GST_PLUGIN_PATH", ""))
    if any(pathlib.Path(folder, "igd", "libgsticeigd.so").exists() for folder in plugins.split(":")):
        cases.append(("port mapping: UPnP IGD", lambda: direct(tool, "upnp")))
    else:
        tap.comment("UPnP IGD is not tried: the plugin iceigd was not built (libgupnp-igd-1.0-dev)")
    tap.run(cases, at_once=2)


if __name__ == "__main__":
    main()
