# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a TURN server can do to a client, and what must come of it.

`gst-ice-1.0 gather` is the client. A mode is a lie about one method (turn.py),
told `lies` times (None: for ever), and the pass condition: whether a relayed
candidate is found, which codes its errors may have, and how many requests of
the method it makes at most. Numbers in names are of security.md: U4, U5 ...
"""

import dataclasses
import os
import struct
import typing

import lab
import stun
import turn
from stun import ALLOCATE, BINDING, ERROR, SUCCESS


@dataclasses.dataclass
class Mode:
    name: str
    lie: typing.Callable = lambda server, request: None
    method: int = ALLOCATE
    lies: typing.Optional[int] = None
    unsigned: bool = False  # lies to requests without credentials, too
    relay: bool = False  # found in spite of it, and the honest one
    codes: typing.Optional[tuple] = ()  # each error has one of these; (): no error; None: whatever
    most: int = 4  # requests, the first without credentials counted
    set_up: typing.Callable = lambda server: None
    seconds: int = 10  # that gather is given
    complete: bool = True  # gathering ends by itself within that


# Words for the tables. Each returns a lie.


def refuse(code, reason=b"", *attributes):
    return lambda server, request: [server.refuse(request, code, *attributes, reason=reason)]


def refuse_unsigned(code):
    """Then the honest answer: the forged one must not have counted."""
    return lambda server, request: [
        server.answer(ERROR, request, stun.error(code)).bytes(), server.honest(request)]


def allocate(**what):
    return lambda server, request: [server.signed(SUCCESS, request, *server.allocation(request, **what))]


FORGED = ("192.0.2.99", 9999)


def forged_first(make):
    """make(server, request, builder) -> bytes; the builder holds a success
    that would relay elsewhere."""

    def lie(server, request):
        builder = server.answer(SUCCESS, request, *server.allocation(request, relayed=FORGED))
        return [make(server, request, builder), server.honest(request)]

    return lie


def wrong_tid(server, request, builder):
    builder.tid = os.urandom(12)
    return builder.sign(server.key).bytes()


def wrong_method(server, request, builder):
    builder.kind = builder.kind & ~0xF | stun.REFRESH
    return builder.sign(server.key).bytes()


def wrong_length(server, request, builder):
    data = bytearray(builder.sign(server.key).bytes())
    struct.pack_into("!H", data, 2, len(data) - 20 + 4)
    return bytes(data)


def flip_fingerprint(server, request, builder):
    data = bytearray(builder.sign(server.key).bytes())
    data[-1] ^= 1
    return bytes(data)


def truncated(server, request):
    """Every beginning of the honest answer, then all of it."""
    honest = server.honest(request)
    return [honest[:size] for size in range(len(honest))] + [honest]


def flipped(server, request):
    """The honest answer with one bit the other way, each in turn."""
    honest = server.honest(request)
    return [
        honest[:at] + bytes((honest[at] ^ 1 << at % 8,)) + honest[at + 1:] for at in range(len(honest))] + [honest]


def behind_integrity(server, request):
    """What stands behind MESSAGE-INTEGRITY was not signed."""
    build = server.answer(SUCCESS, request, *server.allocation(request, relayed=None)).sign(server.key)
    build.add(stun.xor_address(stun.XOR_RELAYED_ADDRESS, *FORGED, request.tid))
    return [build.bytes(), server.honest(request)]


def second_behind_integrity(server, request):
    build = server.answer(SUCCESS, request, *server.allocation(request)).sign(server.key)
    build.add(stun.xor_address(stun.XOR_RELAYED_ADDRESS, *FORGED, request.tid))
    return [build.bytes()]


def twice(server, request):
    """Of an attribute that repeats the first counts (RFC 8489 14)."""
    forged = stun.xor_address(stun.XOR_RELAYED_ADDRESS, *FORGED, request.tid)
    return [server.signed(SUCCESS, request, *server.allocation(request), forged)]


def stale(server, request):
    server.nonce = os.urandom(8).hex().encode()
    return [server.challenge(request, 438)]


def new_realm(server, request):
    server.realm = os.urandom(8).hex().encode()
    return [server.challenge(request)]


def without(*kinds):
    """A challenge that lacks what it is made of."""

    def lie(server, request):
        parts = {stun.REALM: server.realm, stun.NONCE: server.nonce}
        return [server.answer(
            ERROR, request, stun.error(401),
            *(stun.attribute(kind, value) for kind, value in parts.items() if kind not in kinds)).bytes()]

    return lie


def with_nonce(nonce):
    def set_up(server):
        server.nonce = nonce

    return set_up


def with_realm(realm):
    def set_up(server):
        server.realm = realm

    return set_up


# RFC 8489 9.2: bit 0 of the cookie's features, the highest, says PASSWORD-ALGORITHMS.
COOKIE = b"obMatJos2"
ALGORITHMS = stun.attribute(stun.PASSWORD_ALGORITHMS, struct.pack("!HHHH", 2, 0, 1, 0))


def sha256(server):
    server.nonce = COOKIE + b"gAAA" + b"rest"
    server.challenge_extra = ALGORITHMS
    server.sha256 = True


def bid_down_later(server, request):
    """SHA-256 was agreed; now it was never there."""
    server.nonce, server.challenge_extra, server.sha256 = b"plain", b"", False
    return [server.challenge(request, 438)]


def sha1_answer(server, request):
    sha1 = stun.long_term_key(turn.USER, server.realm, turn.PASSWORD)
    forged = server.answer(SUCCESS, request, *server.allocation(request, relayed=FORGED)).sign(sha1).bytes()
    return [forged, server.honest(request)]


def redirect(host, port):
    return lambda server, request: [server.refuse(
        request, 300, stun.attribute(stun.ALTERNATE_SERVER, stun.address(host, port or server.port)))]


def to_the_next(server, request):
    """Round and round among all servers there are."""
    at = server.servers.index(server)
    return redirect(turn.HOST, server.servers[(at + 1) % len(server.servers)].port)(server, request)


def many(server, request):
    return [server.honest(request)] * 200


def filled(*attributes):
    return lambda server, request: [
        server.signed(SUCCESS, request, *server.allocation(request, extra=b"".join(attributes)))]


def rubbish(server, request):
    return [os.urandom(size) for size in range(0, 1500, 50)] + [server.honest(request)]


def answer_as_request(server, request):
    """A request, an indication: no server sends those here."""
    return [
        stun.Builder(klass, method, request.tid).bytes()
        for klass in (stun.REQUEST, stun.INDICATION) for method in (BINDING, ALLOCATE, 0xFFF)] + [server.honest(request)]


def nothing(server, request):
    return []



MODES = [
    Mode("honest", relay=True, most=2),
    # U1
    # Silence is told after 1.8 s.
    Mode("blackhole", nothing, unsigned=True, seconds=4, complete=False, most=1, codes=(701,)),
    Mode("rubbish", rubbish, relay=True, most=2, lies=1),
    # U4
    Mode("stale_nonce_forever", stale, codes=(438,)),
    Mode("stale_nonce_same", lambda s, r: [s.challenge(r, 438)], codes=(438,)),
    Mode("stale_nonce_once", stale, lies=1, relay=True, most=3),
    Mode("unauthorized_forever", lambda s, r: [s.challenge(r)], codes=(401,)),
    Mode("changing_realm", new_realm, codes=(401,)),
    Mode("challenge_without_realm", without(stun.REALM), unsigned=True, codes=(401,), most=1),
    Mode("challenge_without_nonce", without(stun.NONCE), unsigned=True, codes=(401,), most=1),
    Mode("challenge_without_both", without(stun.REALM, stun.NONCE), unsigned=True, codes=(401,), most=1),
    # 3.16
    Mode("binary_nonce", set_up=with_nonce(bytes(range(256))), relay=True, most=2),
    Mode("binary_realm", set_up=with_realm(b"\xff\xfe\0realm"), codes=(401,), most=1),
    Mode("longest_nonce", set_up=with_nonce(b"n" * 763), relay=True, most=2),
    Mode("giant_nonce", set_up=with_nonce(b"n" * 764), codes=(401,), most=1),
    Mode("gigantic_nonce", set_up=with_nonce(b"n" * 60000), codes=(401,), most=1),
    Mode("giant_realm", set_up=with_realm(b"r" * 764), codes=(401,), most=1),
    Mode("empty_nonce", set_up=with_nonce(b""), codes=(401,), most=1),
    # 3.15
    Mode("sha256", set_up=sha256, relay=True, most=2),
    Mode("biddown_no_algorithms", set_up=with_nonce(COOKIE + b"gAAA"), codes=(401,), most=1),
    Mode("biddown_later", bid_down_later, set_up=sha256, codes=(438,), most=2),
    Mode("biddown_answer", sha1_answer, set_up=sha256, relay=True, most=2),
    # U5: one attempt each; 437 may take another socket, 486 and above one more try later.
    *(Mode(f"error_{code}", refuse(code), codes=(code,), most=4) for code in
      (400, 403, 405, 420, 437, 440, 441, 442, 443, 446, 447, 486, 487, 500, 508, 600, 699)),
    *(Mode(f"unsigned_{code}", refuse_unsigned(code), relay=True, most=2, lies=1) for code in
      (300, 400, 403, 437, 441, 486, 500, 508)),
    Mode("error_reason_of_terminal", refuse(403, b"\x1b[2J\x1b]0;owned\x07\"\\\n\r"), codes=(403,), most=2),
    Mode("error_reason_not_utf8", refuse(403, b"\xc3\x28\xff\0hidden"), codes=(403,), most=2),
    Mode("error_reason_longest", refuse(403, b"x" * 763), codes=(403,), most=2),
    # RFC 8489 14.8: fewer than 128 characters. It is no answer then.
    Mode("error_reason_giant", refuse(403, b"x" * 60000), codes=None, most=2, seconds=2, complete=False),
    Mode("error_code_1", lambda s, r: [s.signed(ERROR, r, stun.attribute(stun.ERROR_CODE, b"\0\0\0\1")), s.honest(r)],
         relay=True, most=2, lies=1),
    Mode("error_without_code", lambda s, r: [s.signed(ERROR, r), s.honest(r)], relay=True, most=2, lies=1),
    # U8
    Mode("lifetime_zero", allocate(lifetime=0), codes=(701,), most=2),
    Mode("lifetime_one", allocate(lifetime=1), relay=True, most=2),
    Mode("lifetime_giant", allocate(lifetime=1 << 31), relay=True, most=2),
    Mode("lifetime_int_overflow", allocate(lifetime=0xFFFFFFFF), relay=True, most=2),
    Mode("lifetime_missing", allocate(lifetime=None), relay=True, most=2),
    Mode("lifetime_short", allocate(lifetime=None, extra=stun.attribute(stun.LIFETIME, b"\1\2")), codes=(701,), most=2),
    # U9
    *(Mode(f"relayed_{name}", allocate(relayed=relayed), codes=(701,), most=2) for name, relayed in (
        ("unspecified", ("0.0.0.0", 0)), ("zero_network", ("0.1.2.3", 1000)), ("port_zero", ("127.0.0.1", 0)),
        ("multicast", ("224.0.0.1", 5000)), ("broadcast", ("255.255.255.255", 5000)),
        ("reserved", ("240.0.0.1", 5000)), ("ipv6_unspecified", ("::", 5000)), ("ipv6_multicast", ("ff02::1", 5000)),
        ("mapped_loopback", ("::ffff:127.0.0.1", 5000)), ("mapped_unspecified", ("::ffff:0.0.0.0", 5000)),
        ("missing", None))),
    Mode("relayed_short", allocate(relayed=None, extra=stun.attribute(stun.XOR_RELAYED_ADDRESS, b"\0\1\0\1")),
         codes=(701,), most=2),
    Mode("relayed_family_3", allocate(
        relayed=None, extra=stun.attribute(stun.XOR_RELAYED_ADDRESS, b"\0\3\1\2\1\2\3\4")), codes=(701,), most=2),
    # U10: forged first, then the honest answer; only that one counts.
    *(Mode(name, forged_first(make), relay=True, most=2, lies=1) for name, make in (
        ("success_without_mi", lambda s, r, b: b.bytes()),
        ("success_with_wrong_mi", lambda s, r, b: b.sign(b"another key").bytes()),
        ("success_with_short_mi", lambda s, r, b: b.sign(s.key, spoil=lambda mac: mac[:4]).bytes()),
        ("success_with_empty_mi", lambda s, r, b: b.sign(s.key, spoil=lambda mac: b"").bytes()),
        ("success_with_long_mi", lambda s, r, b: b.sign(s.key, spoil=lambda mac: mac + mac).bytes()),
        ("success_with_sha256_mi", lambda s, r, b: b.sign(s.key, sha256=True).bytes()),
        ("wrong_transaction", wrong_tid), ("wrong_method", wrong_method), ("wrong_length", wrong_length),
        ("wrong_fingerprint", flip_fingerprint))),
    Mode("attribute_after_mi", behind_integrity, codes=(701,), most=2),
    Mode("second_attribute_after_mi", second_behind_integrity, relay=True, most=2),
    Mode("attribute_twice", twice, relay=True, most=2),
    Mode("unknown_required", filled(stun.attribute(stun.UNKNOWN_REQUIRED)), codes=(420,)),
    Mode("unknown_optional", filled(stun.attribute(0xBEEF, b"?" * 100)), relay=True, most=2),
    Mode("truncated", truncated, relay=True, most=2, lies=1),
    Mode("bits_flipped", flipped, relay=True, most=2, lies=1),
    Mode("two_hundred_answers", many, relay=True, most=2),
    Mode("four_thousand_attributes", filled(stun.attribute(0xBEEF) * 4000), relay=True, most=2),
    Mode("giant_software", filled(stun.attribute(stun.SOFTWARE, b"s" * 60000)), relay=True, most=2),
    Mode("answer_as_request", answer_as_request, relay=True, most=2, lies=1),
    # U14: at most two hops, and no address that is nowhere.
    Mode("alternate_itself", redirect(turn.HOST, 0), codes=(300, 701), most=2),
    Mode("alternate_loop", to_the_next, codes=(300, 701), most=2),
    Mode("alternate_nowhere", redirect("0.0.0.0", 3478), codes=(300, 701), most=2),
    Mode("alternate_multicast", redirect("224.0.0.1", 3478), codes=(300, 701), most=2),
    Mode("alternate_other_family", redirect("::1", 3478), codes=(300, 701), most=2),
    Mode("alternate_missing", refuse(300), codes=(300, 701), most=2),
]


async def gather(mode):
    """Runs the tool against servers of this mode. Raises when it fails."""
    servers = []
    for _ in range(3):
        server = await turn.Turn(mode, servers=servers).open()
        if server not in servers:
            servers.append(server)
        mode.set_up(server)
    tool = lab.Tool()
    try:
        tool = await lab.Tool.start(
            "gather", "--json", "--timeout", str(mode.seconds),
            "-t", f"turn:{turn.USER}:{turn.PASSWORD}@{turn.HOST}:{servers[0].port}")
        status = await tool.finish()
        judge(mode, servers, tool.json(), status)
    finally:
        for server in servers:
            server.close()
        await tool.kill()


def judge(mode, servers, found, status):
    relayed = {(c["address"], c["port"]) for c in found["candidates"] if c["type"] == "relay"}
    codes = [e["code"] for e in found["errors"]]
    n = max(server.count(mode.method) for server in servers)

    assert any(c["type"] == "host" for c in found["candidates"]), "its own addresses are missing"
    assert relayed == ({turn.RELAYED} if mode.relay else set()), f"relayed {relayed}, errors {codes}"
    assert found["complete"] == mode.complete, f"complete: {found['complete']}"
    assert n <= mode.most, f"{n} requests, at most {mode.most}"
    assert status == (0 if mode.relay else 1), f"exit {status}"
    if mode.codes:
        assert codes and set(codes) <= set(mode.codes), f"errors {found['errors']}"
    elif mode.codes is not None:
        assert not codes, f"errors {found['errors']}"
    for server in servers:
        assert not server.bad, server.bad
    # RFC 8489 10: a hop is one more server; a loop ends by itself.
    assert sum(server.count(ALLOCATE) > 0 for server in servers) <= 3
    assert sum(server.count(ALLOCATE) for server in servers) <= 8
