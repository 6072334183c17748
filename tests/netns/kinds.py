# SPDX-License-Identifier: LGPL-2.1-or-later
r"""What gateways do, as rules for nft, in the words of RFC 4787 4 and 5.

  kind                mapping               filtering             ports
  none                no translation        nothing               kept
  full-cone           endpoint-independent  endpoint-independent  random
  address-restricted  endpoint-independent  address-dependent     random
  port-restricted     endpoint-independent  address and port      random
  port-preserving     endpoint-independent  address and port      kept
  symmetric           address and port      address and port      random
  symmetric-seq       address and port      address and port      one after another
  cgn, cgn-sym        port-restricted behind port-restricted, behind symmetric
  udp-blocked         port-preserving, TCP only
  tcp443              port-preserving, TCP to port 443 only
  tls443              the same, and what looks like STUN is dropped there
  blocked             nothing leaves

The inside is "in", "in2", the outside "out". conntrack filters by address and
port, always: what lets in more needs DNAT, and a record of who may come in.

What a NAT keeps out is dropped, and in the forward or input hook: a packet that
the gateway itself accepted would confirm a conntrack entry that occupies the
reply tuple, and the next packet on the way out would get another port.
"""

import dataclasses
import itertools

# A NAT forgets what is silent (RFC 4787 4.3: not before two minutes).
TIMEOUT = "5m"

HEAD = """
table ip lab
delete table ip lab
table ip lab {
"""

INPUT = """
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "out" drop
    iifname "in*" ip daddr %(outside)s drop
  }
"""

FORWARD = """
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "in*" oifname "out" accept
    iifname "out" ct state established,related accept
    %(hairpin)s
  }
"""

# The kernel picks a port at random. A later chain learns which one an inside
# address and port got first, and the flows after it ask for the same. A missed
# look-up falls through to the next rule.
LEARNT = """
  map eim {
    type inet_proto . ipv4_addr . inet_service : inet_service
    flags timeout
    timeout %(timeout)s
    size 65536
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "out" meta l4proto { tcp, udp } snat ip to %(outside)s : meta l4proto . ip saddr . th sport map @eim
    oifname "out" snat to %(outside)s fully-random
    %(hairpin_source)s
  }
  chain learn {
    type filter hook postrouting priority 300;
    oifname "out" ct direction original meta l4proto { tcp, udp } update @eim { meta l4proto . ct original ip saddr . ct original proto-src : ct reply proto-dst }
    %(learn_more)s
  }
"""

# The way back of what was learnt, for packets nobody asked for.
BACK = """
  map back {
    type inet_proto . inet_service : ipv4_addr . inet_service
    flags timeout
    timeout %(timeout)s
    size 65536
  }
  chain prerouting {
    type nat hook prerouting priority -100;
    iifname "out" meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @back
    iifname "in*" ip daddr %(outside)s meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @back
  }
"""

LEARN_BACK = (
    'oifname "out" ct direction original meta l4proto { tcp, udp } '
    "update @back { meta l4proto . ct reply proto-dst : ct original ip saddr . ct original proto-src }")

# RFC 4787 6: both ends of a hairpinned flow see the other's outside address.
HAIRPIN_SOURCE = (
    'iifname "in*" oifname "in*" ct status dnat meta l4proto { tcp, udp } '
    "snat ip to %(outside)s : meta l4proto . ip saddr . th sport map @eim\n    "
    'iifname "in*" oifname "in*" ct status dnat snat to %(outside)s fully-random')
HAIRPIN_FORWARD = 'iifname "in*" oifname "in*" ct status dnat accept'

OPEN_FORWARD = """
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "in*" oifname "out" accept
    iifname "out" ct status dnat accept
    iifname "out" ct state established,related accept
    %(hairpin)s
  }
"""

ADDRESS_FORWARD = """
  set perm {
    type inet_proto . ipv4_addr . inet_service . ipv4_addr
    flags timeout
    timeout %(timeout)s
    size 65536
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "in*" oifname "out" meta l4proto { tcp, udp } update @perm { meta l4proto . ip saddr . th sport . ip daddr }
    iifname "in*" oifname "out" accept
    iifname "out" meta l4proto . ip daddr . th dport . ip saddr @perm accept
    iifname "out" ct state established,related ip protocol icmp accept
    %(hairpin)s
  }
"""

KEPT = """
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "out" snat to %(outside)s
  }
"""

RANDOM = """
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "out" snat to %(outside)s fully-random
  }
"""

SEQUENTIAL = """
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "out" meta l4proto { tcp, udp } snat ip to %(outside)s : numgen inc mod 1024 map {
""" + ", ".join(f"{i} : {40000 + i}" for i in range(1024)) + """ }
    oifname "out" snat to %(outside)s
  }
"""


def allowing(*rules):
    """A forward chain that lets out what the rules say."""
    lines = "\n    ".join(f'iifname "in*" oifname "out" {rule}' for rule in rules)
    return f"""
  chain forward {{
    type filter hook forward priority 0; policy drop;
    {lines}
    iifname "out" ct state established,related accept
  }}
"""


# RFC 8489 5: the magic cookie, in the second word of a message. @ih is what
# TCP carries.
NO_STUN = "tcp dport 443 @ih,32,32 0x2112a442 drop"


@dataclasses.dataclass
class Kind:
    """One kind of gateway: the table's contents, and what the probes find."""

    rules: tuple = ()
    mapping: str = "endpoint-independent"
    filtering: str = "address-and-port-dependent"
    port: str = "changed"
    # What comes through to a server: udp, tcp, tcp443, and stun443, which is
    # plain STUN to port 443.
    passes: tuple = ("stun443", "tcp", "tcp443", "udp")
    # A second gateway of this kind between this one and the host.
    behind: str = None

    def expected(self):
        """What probe.py must find out before a call uses it."""
        found = {"passes": list(self.passes)}
        if "udp" in self.passes:
            found |= {"mapping": self.mapping, "filtering": self.filtering, "port": self.port}
        return found

    def table(self, outside, hairpin=False):
        values = {"outside": outside, "timeout": TIMEOUT, "hairpin": "", "hairpin_source": "", "learn_more": ""}
        learnt = LEARNT in self.rules
        rules = list(self.rules)
        if hairpin and learnt:
            values["hairpin"] = HAIRPIN_FORWARD
            values["hairpin_source"] = HAIRPIN_SOURCE % values
            if BACK not in rules:
                # Only for what comes from the inside.
                rules.append(BACK.replace('    iifname "out" meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @back\n', ""))
        if any("map back" in rule for rule in rules):
            values["learn_more"] = LEARN_BACK
        return HEAD + "".join((INPUT + "".join(rules)) % values) + "}\n" if rules else None


EIM, APDM = "endpoint-independent", "address-and-port-dependent"

KINDS = {
    "none": Kind(filtering=EIM, port="kept"),
    "full-cone": Kind((LEARNT, BACK, OPEN_FORWARD), filtering=EIM),
    "address-restricted": Kind((LEARNT, BACK, ADDRESS_FORWARD), filtering="address-dependent"),
    "port-restricted": Kind((LEARNT, FORWARD)),
    "port-preserving": Kind((KEPT, FORWARD), port="kept"),
    "symmetric": Kind((RANDOM, FORWARD), mapping=APDM),
    "symmetric-seq": Kind((SEQUENTIAL, FORWARD), mapping=APDM, port="sequential"),
    "cgn": Kind((LEARNT, FORWARD), behind="port-restricted"),
    "cgn-sym": Kind((RANDOM, FORWARD), mapping=APDM, behind="port-restricted"),
    "udp-blocked": Kind(
        (KEPT, allowing("meta l4proto udp drop", "accept")), passes=("stun443", "tcp", "tcp443")),
    "tcp443": Kind((KEPT, allowing("tcp dport 443 accept")), passes=("stun443", "tcp443")),
    "tls443": Kind((KEPT, allowing(NO_STUN, "tcp dport 443 accept")), passes=("tcp443",)),
    "blocked": Kind((KEPT, allowing("drop")), passes=()),
}

# Those by which UDP goes, the axes of the matrix.
MATRIX = ("none", "full-cone", "address-restricted", "port-restricted", "port-preserving", "symmetric",
          "symmetric-seq", "cgn", "cgn-sym")


def theory(left, right):
    """RFC 4787 4 and 5: "direct" or "relayed".

    Who is mapped anew for each destination is heard only by those that filter
    by address at most: the others wait for the port that the server saw.
    """
    for one, other in itertools.permutations((KINDS[left], KINDS[right])):
        if one.mapping == APDM and other.filtering == APDM:
            return "relayed"
    return "direct"


# A firewall of IPv6: no translation, and in comes what was asked for.
FIREWALL_6 = """
table ip6 lab
delete table ip6 lab
table ip6 lab {
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "in*" oifname "out" accept
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
    iifname "out" ct state established,related accept
  }
}
"""

# A family that is there, and leads nowhere: the addresses, the route, and then
# silence.
BROKEN = """
table %(family)s broken {
  chain forward {
    type filter hook forward priority -10; policy drop;
  }
}
"""
