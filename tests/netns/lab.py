# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Two hosts behind gateways of chosen kinds, servers in the middle.

      alice            nat-a                      wan                      nat-b             bob
    +-------+       +---------+    .2  .1  +---------------+ .9   .10   +---------+       +-------+
    |  eth0 |-------| in  out |------------| a           b |------------| out  in |-------| eth0  |
    |       |       +---------+            |               |            +---------+       +-------+
    |       |  10.1.0.2   10.1.0.1         |   lo: 198.51.100.10       10.2.0.1   10.2.0.2
    |       |       +---------+            |       198.51.100.11 (a second address, for the probes)
    |  eth1 |-------| in  out |------------| c             |
    +-------+       +---------+  .18   .17 +---------------+
        10.3.0.2      nat-c                 coturn, reflector            outside: 203.0.113.0/24

Each box is a network namespace, each line a veth pair. Names begin with
"ice<pid>-<number>-" and go away with the Lab: nothing is connected to what is
outside of it, so several labs with the same addresses live side by side.

eth1 and nat-c are there if `second` is given. A carrier's NAT has the
customer's own one before it (home-a between alice and nat-a). Where both hosts
are `together`, bob is at the interface in2 of nat-a, or in one LAN with alice.
With `delay` the lines to wan are not veth pairs but a program (delay.c) between
two TUN devices. kinds.py has the gateways.
"""

import ipaddress
import json
import os
import pathlib
import subprocess
import sys

import boxes
import kinds
import lines
import translator

HERE = pathlib.Path(__file__).resolve().parent
SERVER = "198.51.100.10"
SERVER_2 = "198.51.100.11"
SERVER_6 = "2001:db8:53::10"
OUTSIDE = {"a": "203.0.113.2", "b": "203.0.113.10", "c": "203.0.113.18"}
# What a gateway gets instead when its address is renumbered.
OUTSIDE_NEXT = {"a": "203.0.113.3", "b": "203.0.113.11", "c": "203.0.113.19"}
ROUTER = {"a": "203.0.113.1", "b": "203.0.113.9", "c": "203.0.113.17"}
INSIDE = {"a": "10.1.0", "b": "10.2.0", "c": "10.3.0"}
INSIDE_6 = {"a": "2001:db8:a", "b": "2001:db8:b", "c": "2001:db8:c"}
HOST = {"a": "alice", "b": "bob", "c": "alice"}
INTERFACE = {"a": "eth0", "b": "eth0", "c": "eth1"}
# A host without a NAT where somebody else's is a NAT64: to private addresses the
# well-known prefix does not lead (RFC 6052 3.1).
PUBLIC = "192.0.2"
# Between a carrier's gateway and its customer's (RFC 6598).
CARRIER = {"a": "100.64.1", "b": "100.64.2", "c": "100.64.3"}

KINDS = kinds.KINDS
EXPECTED = {name: {key: value for key, value in kind.expected().items() if key != "passes"}
            for name, kind in KINDS.items()}


def unavailable():
    """Why the lab cannot be built here, or None."""
    return boxes.unavailable(KINDS["full-cone"].table(OUTSIDE["a"]))


class Side:
    """One access network: a gateway or two, and an interface of a host."""

    def __init__(self, name, kind, families="4"):
        self.name = name
        self.kind = kind
        self.families = families
        self.outside = OUTSIDE[name]
        self.host = HOST[name]
        self.interface = INTERFACE[name]
        self.inside = INSIDE[name]
        self.nat64 = False
        self.up = True

    @property
    def gateway(self):
        return f"nat-{self.name}"

    @property
    def ipv4(self):
        """Whether there is IPv4 for the host to go by."""
        return "4" in self.families or self.nat64

    @property
    def addresses(self):
        """The host's, with their prefix lengths."""
        found = [f"{self.inside}.2/24"] if "4" in self.families else []
        return found + ([f"{INSIDE_6[self.name]}::2/64"] if "6" in self.families else [])

    @property
    def routers(self):
        found = [f"{self.inside}.1"] if "4" in self.families else []
        return found + ([f"{INSIDE_6[self.name]}::1"] if "6" in self.families else [])

    def configuration(self):
        """ip commands that give the host's interface its addresses and routes.

        What is sent from one of these addresses leaves by this interface,
        though another one has the better default route.
        """
        table = 100 + ord(self.name)
        metric = 100 + ord(self.name)
        commands = [f"link set {self.interface} up"]
        for address, router in zip(self.addresses, self.routers):
            host, _, length = address.partition("/")
            network = ipaddress.ip_interface(address).network
            family = "-6 " if ":" in host else ""
            commands.append(f"address add {address} dev {self.interface}" + (" nodad" if family else ""))
            commands += [
                f"route add default via {router} dev {self.interface} metric {metric}",
                f"route add {network} dev {self.interface} table {table}",
                f"route add default via {router} dev {self.interface} table {table}",
            ]
        return commands

    def rules(self, action):
        """Policy routing; ip cannot say -6 within a batch."""
        table = 100 + ord(self.name)
        for address in self.addresses:
            host = address.partition("/")[0]
            yield ["-6" if ":" in host else "-4", "rule", action, "from", host, "table", str(table)]


class Lab:
    """with Lab("symmetric", "none") as lab: lab.prefix("alice") + command.

    left, right   kinds of gateway (kinds.py)
    second        the kind of alice's second access, or None
    second_up     whether its interface is up from the beginning
    together      None, "nat" (bob is at alice's gateway), "hairpin" (the same,
                  and it turns packets around), "lan" (one LAN for both)
    families      what each host speaks: "4", "6", "46"
    nat64         whether alice, who speaks "6", reaches IPv4 by a translator
    broken        per side, a family that leads nowhere: {"a": "6"}
    delay         ms one way on each access line, or None for none at all
    loss          percent lost, each way, on each access line
    rate          of each access line, as tc writes it ("2mbit")
    mtu           of the access lines
    """

    def __init__(self, left, right, second=None, second_up=True, together=None, families=("4", "4"), nat64=False,
                 broken=None, delay=None, loss=0, rate=None, mtu=None):
        self.name = f"ice{os.getpid()}-{next(boxes.numbers)}"
        self.kinds = {"a": left, "b": right}
        self.together = together
        self.broken = broken or {}
        self.sides = {"a": Side("a", left, families[0]), "b": Side("b", right, families[1])}
        if together:
            self.sides["b"].kind = self.kinds["b"] = left
        if second:
            self.kinds["c"] = second
            self.sides["c"] = Side("c", second, families[0])
            self.sides["c"].up = second_up
        if nat64:
            self.sides["a"].nat64 = True
            self.sides["b"].inside = PUBLIC if right == "none" else INSIDE["b"]
        self.ipv6 = any("6" in side.families for side in self.sides.values())
        self.delay, self.loss, self.rate, self.mtu = delay, loss, rate, mtu
        self.boxes = {}
        self.reflector = None
        self.relay = None
        self.translator = None

    # What calls and scenarios use.

    def namespace(self, box):
        return self.boxes[box].namespace

    def prefix(self, box):
        """Put before a command, this runs it in the box."""
        return self.boxes[box].prefix

    def ip(self, box, *arguments):
        self.boxes[box].ip(" ".join(arguments))

    def execute(self, box, *argv, **options):
        return self.boxes[box].execute(*argv, **options)

    def down(self, host, interface):
        """The interface goes, and its addresses with it, as NetworkManager does.

        Addresses that stayed would leave by the other interface (Linux is a
        host of the weak model), and that is no loss of an interface.
        """
        side = self.side_of(host, interface)
        for rule in side.rules("del"):
            subprocess.run(["ip", "-n", self.namespace(host), *rule], check=True)
        self.boxes[host].ip(f"address flush dev {interface}", f"link set {interface} down")
        side.up = False

    def up(self, host, interface):
        """The interface comes, with the addresses of before."""
        side = self.side_of(host, interface)
        self.boxes[host].ip(*side.configuration())
        for rule in side.rules("add"):
            subprocess.run(["ip", "-n", self.namespace(host), *rule], check=True)
        side.up = True

    def unplug(self, host, interface, plugged=False):
        """The line is dead, but the host does not see it: nothing passes."""
        side = self.side_of(host, interface)
        self.boxes[side.gateway].ip(f"link set {self.inner_link(side)} {'up' if plugged else 'down'}")

    def rebind(self, side, address=False):
        """The NAT forgets all it knew; with address, it gets another one too.

        Nothing passes meanwhile: a packet between "new table" and "conntrack
        flushed" would teach the new maps the old port.
        """
        gateway, access = self.boxes[f"nat-{side}"], self.sides[side]
        gateway.nft("table ip raw_stop { chain stop { type filter hook prerouting priority -400; drop; } ; }")
        if address:
            following = OUTSIDE_NEXT[side] if access.outside == OUTSIDE[side] else OUTSIDE[side]
            gateway.ip(
                f"address del {access.outside}/29 dev out", f"address add {following}/29 dev out",
                f"route replace default via {ROUTER[side]} dev out")
            access.outside = following
        table = KINDS[access.kind].table(access.outside, self.together == "hairpin")
        assert table, "a router without translation has nothing to forget"
        gateway.nft(table)
        gateway.flush_conntrack()
        gateway.nft("delete table ip raw_stop")

    def set_loss(self, percent):
        """Another loss on each access line, from now on."""
        self.loss = percent
        for side in self.sides.values():
            if self.has_access(side):
                lines.lose(self.boxes["wan"], f"to-{side.name}", percent)

    def blackhole(self, side, on=True):
        """Nothing passes the access line any more, and nobody says so."""
        lines.lose(self.boxes["wan"], f"to-{side}", 100 if on else self.loss)

    # How it is built.

    def side_of(self, host, interface):
        return next(s for s in self.sides.values() if (s.host, s.interface) == (host, interface))

    def has_access(self, side):
        """Whether the side has a line to wan of its own."""
        return not (self.together and side.name == "b")

    def inner_link(self, side):
        """The gateway's link towards the host, or towards the customer's gateway."""
        return "in2" if self.together and side.name == "b" else "in"

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make_boxes(self):
        names = ["wan", "alice", "bob"]
        for side in self.sides.values():
            if self.has_access(side):
                names.append(side.gateway)
            if KINDS[side.kind].behind and not self.together:
                names.append(f"home-{side.name}")
        for name in names:
            self.boxes[name] = boxes.Box(self.name, name, router=name not in ("alice", "bob"), ipv6=self.ipv6)
        boxes.root_batch([f"netns add {box.namespace}" for box in self.boxes.values()])

    def connect(self, box, link, other, other_link):
        return (f"link add name {link} netns {self.namespace(box)} type veth "
                f"peer name {other_link} netns {self.namespace(other)}")

    def build(self):
        self.make_boxes()
        links = []
        wan = self.boxes["wan"]
        for side in self.sides.values():
            if self.has_access(side):
                links += self.plan_access(side)
            links += self.plan_inside(side)
        # What leads nowhere vanishes, as on the Internet: an "unreachable" at
        # once would upset the TURN server and help the agents.
        # (A veth to nobody's MAC address: not each kernel has dummy links.)
        wan.add(
            f"address add {SERVER}/32 dev lo", f"address add {SERVER_2}/32 dev lo",
            "link add name void type veth peer name void-end", "link set void up", "link set void-end up",
            "neighbour add 192.0.2.254 lladdr 02:00:00:00:00:fe dev void",
            "route add default via 192.0.2.254 dev void onlink")
        if self.ipv6:
            wan.add(f"address add {SERVER_6}/128 dev lo nodad",
                    "neighbour add fe80::fe lladdr 02:00:00:00:00:fe dev void",
                    "route add default via fe80::fe dev void onlink")
        boxes.root_batch(links)
        if self.delay is not None:
            self.relay = lines.Relay(self.delay)
            for side in filter(self.has_access, self.sides.values()):
                self.relay.add(self.boxes[side.gateway], "out", wan, f"to-{side.name}")
            self.relay.start()
        # Inner boxes last: their routes need the neighbours' links to be there.
        for name in ("wan", *[n for n in self.boxes if n.startswith(("nat", "home"))], "alice", "bob"):
            self.boxes[name].start()
        self.finish()
        if self.sides["a"].nat64:
            self.translator = translator.Translator(
                self.boxes["nat-a"], self.boxes["alice"], f"{INSIDE_6['a']}::2", f"{INSIDE_6['a']}::1",
                f"{INSIDE['a']}.2")
            self.translator.start()

    def plan_access(self, side):
        """The line between the wan and the gateway."""
        name, wan, gateway = side.name, self.boxes["wan"], self.boxes[side.gateway]
        outer = "/29"
        wan.add(f"link set to-{name} up", f"address add {ROUTER[name]}{outer} dev to-{name}")
        gateway.add(
            "link set out up", f"address add {side.outside}{outer} dev out",
            f"route add default via {ROUTER[name]} dev out")
        if self.mtu:
            wan.add(f"link set to-{name} mtu {self.mtu}")
            gateway.add(f"link set out mtu {self.mtu}")
        if "6" in side.families:
            link = f"{INSIDE_6[name]}:ffff"
            wan.add(f"address add {link}::1/64 dev to-{name} nodad",
                    f"route add {INSIDE_6[name]}::/64 via {link}::2 dev to-{name}")
            gateway.add(f"address add {link}::2/64 dev out nodad", f"route add default via {link}::1 dev out")
        if self.delay is not None:
            return []
        return [self.connect("wan", f"to-{name}", side.gateway, "out")]

    def plan_inside(self, side):
        """From the gateway to the host, by the customer's gateway maybe."""
        name, host = side.name, self.boxes[side.host]
        gateway_name = side.gateway if self.has_access(side) else "nat-a"
        links = []
        if side.up:
            host.add(*side.configuration())
        if self.together == "lan":
            return self.plan_lan(side)
        if KINDS[side.kind].behind and not self.together:
            home = self.boxes[f"home-{name}"]
            links.append(self.connect(side.gateway, "in", home.name, "out"))
            self.boxes[side.gateway].add("link set in up", f"address add {CARRIER[name]}.1/24 dev in")
            home.add("link set out up", f"address add {CARRIER[name]}.2/24 dev out",
                     f"route add default via {CARRIER[name]}.1 dev out")
            gateway_name = home.name
        gateway, inner = self.boxes[gateway_name], self.inner_link(side)
        links.append(self.connect(gateway_name, inner, side.host, side.interface))
        gateway.add(f"link set {inner} up")
        for address, router in zip(side.addresses, side.routers):
            length = address.partition("/")[2]
            gateway.add(f"address add {router}/{length} dev {inner}" + (" nodad" if ":" in router else ""))
        if side.kind == "none" and side.ipv4:
            self.boxes["wan"].add(f"route add {side.inside}.0/24 via {OUTSIDE[name if self.has_access(side) else 'a']}")
        return links

    def plan_lan(self, side):
        """Both hosts at a switch of the gateway, bob with an address of alice's net."""
        gateway, port = self.boxes["nat-a"], f"port-{side.name}"
        if side.name == "a":
            gateway.add("link add name in type bridge", "link set in up",
                        f"address add {INSIDE['a']}.1/24 dev in")
        gateway.add(f"link set {port} master in", f"link set {port} up")
        if side.name == "b":
            self.boxes["bob"].commands = [
                c.replace(f"{INSIDE['b']}.2", f"{INSIDE['a']}.3").replace(INSIDE["b"], INSIDE["a"])
                for c in self.boxes["bob"].commands]
        return [self.connect("nat-a", port, side.host, side.interface)]

    def finish(self):
        """Rules of the gateways, and of what the lines lose."""
        for side in self.sides.values():
            if side.up and self.together != "lan":
                for rule in side.rules("add"):
                    subprocess.run(["ip", "-n", self.namespace(side.host), *rule], check=True)
            if not self.has_access(side):
                continue
            gateway, kind = self.boxes[side.gateway], KINDS[side.kind]
            table = kind.table(side.outside, self.together == "hairpin")
            if table:
                gateway.nft(table)
            if kind.behind and not self.together:
                self.boxes[f"home-{side.name}"].nft(KINDS[kind.behind].table(f"{CARRIER[side.name]}.2"))
            if "6" in side.families:
                gateway.nft(kinds.FIREWALL_6)
            for family in self.broken.get(side.name, ""):
                gateway.nft(kinds.BROKEN % {"family": "ip6" if family == "6" else "ip"})
            if self.loss:
                lines.lose(self.boxes["wan"], f"to-{side.name}", self.loss)
            if self.rate:
                lines.limit(self.boxes["wan"], f"to-{side.name}", self.rate)
                lines.limit(gateway, "out", self.rate)

    def prove(self):
        """Raises unless each gateway is of its kind, asked from its inside."""
        if not self.reflector:
            self.start_reflector()
        sides = [side for side in self.sides.values()
                 if side.ipv4 and "4" not in self.broken.get(side.name, "") and side.up]
        found = self.find(sides)
        # By chance a random port is the one it stands for, or the next one; a
        # gateway of another kind is of another kind the second time, too.
        again = [side for side in sides if found[side.name] != KINDS[side.kind].expected()]
        found |= self.find(again)
        for side in again:
            if found[side.name] != KINDS[side.kind].expected():
                raise AssertionError(f"nat-{side.name} is not {side.kind}: {found[side.name]}")

        if self.together in ("nat", "hairpin") and self.probe("bob", "hairpin") != (self.together == "hairpin"):
            raise AssertionError(f"nat-a: {self.together} is not what it does")

    def find(self, sides):
        """What probe.py says of each gateway, by the names of the sides."""
        found = {}
        for side, asking in [(side, self.ask(side)) for side in sides]:
            answer, _ = asking.communicate()
            found[side.name] = json.loads(answer) if asking.returncode == 0 else f"exit {asking.returncode}"
        return found

    def probe(self, host, *what):
        """probe.py's answer, asked by a host."""
        if not self.reflector:
            self.start_reflector()
        command, *more = what
        answer = self.execute(
            host, sys.executable, str(HERE / "probe.py"), command, SERVER, SERVER_2, *more, capture_output=True)
        return json.loads(answer.stdout)

    def ask(self, side):
        source = "10.1.0.3" if self.together == "lan" and side.name == "b" else f"{side.inside}.2"
        servers = [SERVER, SERVER_2]
        if side.nat64:
            source, servers = f"{INSIDE_6[side.name]}::2", map(translator.embed, servers)
        return subprocess.Popen(
            [*self.prefix(side.host), sys.executable, str(HERE / "probe.py"), "ask", *servers, source],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

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
            self.reflector = None
        if self.relay:
            self.relay.stop()
            self.relay = None
        if self.translator:
            self.translator.stop()
            self.translator = None
        boxes.remove(self.boxes.values())
        self.boxes.clear()
