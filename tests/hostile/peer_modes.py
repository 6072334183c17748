# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the other end of a call, or a stranger, can do to an agent.

`gst-ice-1.0 peer` is the agent. Each mode is a short scene: what is done, then
what must have come of it, and most end with an honest call that must succeed.
"""

import asyncio
import contextlib
import os
import struct

import lab
import stun

BUSY = {"SECONDS": "0.3", "RATE": "100"}
# Only what somebody stops is stopped before that.
LONG = {"SECONDS": "60", "RATE": "50"}
# What must not come has had its time by then: two RTO and more.
WATCH = 1.2


class Scene:
    """A tool, a peer with some sockets on loopback, and where the tool is."""

    def __init__(self, tool, peer, places):
        self.tool, self.peer, self.places = tool, peer, places

    @property
    def place(self):
        return self.places[0]

    @property
    def at(self):
        """The tool's socket that has checked us."""
        return next((source for source, _ in self.peer.checks), None)

    async def introduce(self):
        """The tool knows us, and we know where it is."""
        self.peer.introduce(self.tool, *(place.address for place in self.places))
        await self.tool.wait(lambda: self.at, "its first check")

    def send(self, data, place=None):
        (place or self.place).send(data, self.at)

    def codes(self, place=None):
        """Of the answers to our checks from this place; 0 is success."""
        return [0 if m.klass == stun.SUCCESS else m.code for m in (place or self.place).replies]

    async def answered(self, n, place=None):
        await self.tool.wait(lambda: len(self.codes(place)) >= n, f"{n} answers, not {self.codes(place)}")

    async def connected(self):
        await self.tool.wait(lambda: {"connected", "completed"} & set(self.tool.states()), "connected")

    async def media(self):
        """Both ways: what it sends we answer."""
        await self.tool.wait(lambda n=len(self.peer.media): len(self.peer.media) > n + 5, "media")

    async def call(self):
        """The peer is honest from now on: a call must come of it."""
        self.peer.spoil, self.peer.mute = None, False
        if self.peer.controlling:
            self.send(self.peer.check(use_candidate=True))
        await self.connected()
        assert await self.tool.finish() == 0, "no call in the end"

    async def watch(self):
        """While nothing may come; the tool lives on."""
        await asyncio.sleep(WATCH)
        assert self.tool.alive(), f"it ended: {self.tool.errors}"


@contextlib.asynccontextmanager
async def scene(role="controlling", n_places=1, settings=BUSY, spoil=None):
    """role is the tool's."""
    peer = lab.IcePeer()
    peer.controlling, peer.spoil = role == "controlled", spoil
    tool = await lab.Tool.start("peer", ICE_ROLE=role, **settings)
    places = []
    try:
        # Where it has an address of its own, loopback is no way to anywhere.
        await tool.wait(lambda: tool.local("ice-pwd") and tool.host(), "credentials and an address")
        places += [await lab.Place(peer, tool.host()).open() for _ in range(n_places)]
        peer.know(tool)
        yield Scene(tool, peer, places)
    finally:
        for place in places:
            place.close()
        await tool.kill()


# Requests.


async def honest(role):
    async with scene(role) as s:
        await s.introduce()
        await s.call()
        assert s.peer.media and s.tool.number("LOST") is not None


async def bad_requests(make, codes):
    """Checks that are not to be believed: refused or ignored, never answered
    with success, and they neither connect nor nominate."""
    async with scene("controlled") as s:
        s.peer.mute = True
        await s.introduce()
        n = len(make(s.peer))
        for data in make(s.peer):
            s.send(data)
        s.send(s.peer.check())  # answered after all of these
        await s.tool.wait(lambda: 0 in s.codes(), "the answer to a good check")
        got = [code for code in s.codes() if code != 0]
        assert s.codes().count(0) == 1 and set(got) <= set(codes) and len(got) <= n, f"{n} checks: {s.codes()}"
        assert "connected" not in s.tool.states() and not s.tool.pairs()
        await s.call()


def spoilt(good):
    """One bit flipped in each byte. Not in the type of FINGERPRINT: as an
    attribute of another name behind the integrity it would be none at all."""
    return [
        good[:at] + bytes((good[at] ^ 0x10,)) + good[at + 1:] for at in range(len(good)) if at not in (len(good) - 8, len(good) - 7)]


def unsigned(peer):
    return [peer.check(use_candidate=True, unsigned=True)]


def wrong_integrity(peer):
    def cut(size):
        return peer.check(use_candidate=True, spoil=lambda mac: mac[:size])

    return [
        peer.check(use_candidate=True, key=b"guess"), peer.check(use_candidate=True, key=b""),
        peer.check(use_candidate=True, key=lab.PWD.encode()), cut(0), cut(4), cut(19),
        peer.check(use_candidate=True, spoil=lambda mac: mac + b"\0" * 4),
        peer.check(use_candidate=True, spoil=lambda mac: mac[:-1] + bytes((mac[-1] ^ 1,)))]


def usernames(peer):
    ours, theirs = peer.tool_ufrag, lab.UFRAG
    return [
        peer.check(use_candidate=True, username=name) for name in (
            "", ":", ours, ours + ":", ours[:-1] + ":" + theirs, ours[:1] + ":" + theirs, ours + "x:" + theirs,
            ours + " :" + theirs, ours.swapcase() + ":" + theirs, theirs + ":" + ours, ours + "\0:" + theirs,
            ours + theirs, "x" * 508, ours + "+" * 400 + ":" + theirs)]


def corrupted(peer):
    return spoilt(peer.check(use_candidate=True))


def truncated(peer):
    good = peer.check(use_candidate=True)
    return [good[:size] for size in range(len(good))]


def lengths(peer):
    """Attributes that claim more than there is; lengths of the whole that lie."""
    good = peer.check(use_candidate=True)
    made = [good[:2] + struct.pack("!H", size) + good[4:] for size in (0, 4, len(good) - 24, len(good) - 16, 0xFFFC)]
    for claim in (1, 4, 500, 0xFFFF):
        builder = stun.Builder(stun.REQUEST, stun.BINDING)
        builder.add(struct.pack("!HH", stun.USERNAME, claim))
        made.append(builder.bytes(fingerprint=False))
    return made + [good + b"\0", good + good]


async def attributes_after_integrity():
    """USE-CANDIDATE and a role behind the integrity are invisible."""
    async with scene("controlled", settings=LONG) as s:
        await s.introduce()
        behind = stun.attribute(stun.USE_CANDIDATE) + stun.attribute(stun.ICE_CONTROLLED, b"\xff" * 8)
        s.send(s.peer.check(behind=behind + stun.attribute(stun.UNKNOWN_REQUIRED)))
        await s.answered(1)
        await s.connected()
        await s.watch()
        assert s.codes() == [0] and "completed" not in s.tool.states(), (s.codes(), s.tool.states())
        s.send(s.peer.check(use_candidate=True))
        await s.tool.wait(lambda: "completed" in s.tool.states(), "the nomination that was signed")
        await s.tool.end(expect=(0,))


async def unknown_required():
    """RFC 8489 6.3.1: 420, and it is no check."""
    async with scene("controlled") as s:
        s.peer.mute = True
        await s.introduce()
        s.send(s.peer.check(use_candidate=True, extra=stun.attribute(stun.UNKNOWN_REQUIRED)))
        await s.answered(1)
        assert s.codes() == [420] and not s.tool.pairs()
        await s.call()


async def use_candidate_from_controlled():
    """Who is controlled nominates nothing."""
    async with scene("controlling") as s:
        s.peer.mute = True
        await s.introduce()
        s.send(s.peer.check(use_candidate=True))
        await s.answered(1)
        assert not s.tool.pairs(), s.tool.pairs()
        await s.call()


# Answers.


def forged_answer(make):
    """make(peer, request, source) -> datagrams, before the honest answer."""

    async def mode():
        forged = ("192.0.2.77", 7777)

        def spoil(peer, request, source, honest):
            return [*make(peer, request, forged), honest]

        async with scene("controlling", spoil=spoil) as s:
            await s.introduce()
            await s.connected()
            assert await s.tool.finish() == 0
            # The forged mapping would have been a peer-reflexive candidate.
            assert all(pair[:2] == ["host", "host"] for pair in s.tool.pairs()), s.tool.pairs()

    return mode


async def unsigned_only():
    """No answer that is not signed ever connects."""

    def spoil(peer, request, source, honest):
        return [
            peer.success(request, source, key=None), peer.success(request, source, key=b"other"),
            peer.success(request, source, key=peer.tool_pwd.encode())]

    async with scene("controlling", spoil=spoil) as s:
        await s.introduce()
        await s.tool.wait(lambda: len(s.peer.checks) >= 2, "the check again")
        await s.watch()
        assert "connected" not in s.tool.states()
        assert len({request.tid for _, request in s.peer.checks}) <= 4, "it gave up and began again"
        await s.call()


async def answer_from_elsewhere():
    """RFC 8445 7.2.5.2.1: what comes from another address is no success."""

    async with scene("controlling", n_places=2) as s:
        elsewhere = s.places[1]

        def spoil(peer, request, source, honest):
            elsewhere.send(honest, source)
            return []

        s.places.pop()
        s.peer.spoil = spoil
        try:
            await s.introduce()
            await s.watch()
            assert not s.tool.pairs(), s.tool.pairs()
            assert not s.peer.media
        finally:
            elsewhere.close()
        await s.tool.end(expect=(1,))


async def nonsense_mapped():
    """A mapped address that is none makes no candidate and no harm."""

    def spoil(peer, request, source, honest):
        bad = [("0.0.0.0", 0), ("224.0.0.1", 1), ("255.255.255.255", 1), ("::", 1), ("::ffff:127.0.0.1", 1)]
        return [peer.success(request, mapped) for mapped in bad]

    async with scene("controlling", settings=LONG, spoil=spoil) as s:
        await s.introduce()
        await s.watch()
        assert all("prflx" not in pair for pair in s.tool.pairs()), s.tool.pairs()
        await s.tool.end()


async def error_answers(code):
    """A signed error fails the pair; it is not asked for ever. RFC 8445
    7.2.5.1: but for 487."""
    async with scene("controlling", settings=LONG, spoil=lambda p, r, s, h: [p.error(r, code)]) as s:
        await s.introduce()
        await s.watch()
        assert "connected" not in s.tool.states()
        assert len(s.peer.checks) <= 12, f"{len(s.peer.checks)} checks within {WATCH} s"
        await s.tool.end()


async def role_ping_pong():
    """487 to everything: at most four switches, and no storm."""
    async with scene("controlling", settings=LONG, spoil=lambda p, r, s, h: [p.error(r, 487)]) as s:
        await s.introduce()
        await s.watch()
        roles = [request.get(stun.ICE_CONTROLLING) is not None for _, request in s.peer.checks]
        switches = sum(a != b for a, b in zip(roles, roles[1:]))
        assert 1 <= switches <= 4, f"{switches} switches"
        assert len(roles) <= 20, f"{len(roles)} checks within {WATCH} s"
        await s.tool.end()


async def role_claims():
    """The same by requests that claim its role with a tie-breaker of all
    ones."""
    async with scene("controlled", settings=LONG) as s:
        s.peer.mute, s.peer.tie_breaker = True, (1 << 64) - 1
        await s.introduce()
        for number in range(200):
            s.send(s.peer.check(controlling=bool(number % 2)))
        await s.answered(200)
        roles = [request.get(stun.ICE_CONTROLLING) is not None for _, request in s.peer.checks]
        switches = sum(a != b for a, b in zip(roles, roles[1:]))
        assert switches <= 4 and set(s.codes()) <= {0, 487}, (switches, set(s.codes()))
        await s.tool.end()


async def stale_487():
    """One conflict, reported twenty times, is one switch."""
    refused = []

    def spoil(peer, request, source, honest):
        if not refused:
            refused.append(request)
            return [peer.error(request, 487)] * 20
        return [peer.error(refused[0], 487)] * 5 + [honest]

    async with scene("controlling", settings=LONG, spoil=spoil) as s:
        await s.introduce()
        s.peer.controlling = True  # it has given way
        await s.tool.wait(lambda: len(s.peer.checks) >= 2, "the check again")
        await s.connected()
        roles = [request.get(stun.ICE_CONTROLLING) is not None for _, request in s.peer.checks]
        assert sum(a != b for a, b in zip(roles, roles[1:])) == 1, roles
        s.send(s.peer.check(use_candidate=True))
        await s.tool.wait(lambda: "completed" in s.tool.states(), "nominated")
        await s.media()
        await s.tool.end(expect=(0,))


# Nomination and consent.


async def two_nominations():
    """Two pairs are nominated, again and again: one is used, and it stays."""
    async with scene("controlled", n_places=2, settings=LONG) as s:
        await s.introduce()
        for _ in range(20):
            for place in s.places:
                s.send(s.peer.check(use_candidate=True), place)
        await s.answered(20, s.places[0])
        await s.answered(20, s.places[1])
        await s.tool.wait(lambda: "completed" in s.tool.states(), "completed")
        await s.media()
        n = len(s.tool.pairs())
        assert n <= 3, s.tool.pairs()
        for _ in range(20):
            for place in s.places:
                s.send(s.peer.check(use_candidate=True), place)
        await s.answered(40, s.places[0])
        await s.answered(40, s.places[1])
        await s.media()
        assert len(s.tool.pairs()) == n, "the selected pair flaps"
        await s.tool.end(expect=(0,))


async def consent_revoked():
    """403, signed: it stops sending at once. Unsigned: it does not care."""
    revoked = []

    def spoil(peer, request, source, honest):
        if len(revoked) == 0:
            return [honest]
        return [peer.error(request, 403, key=revoked[0])]

    async with scene("controlling", settings=LONG, spoil=spoil) as s:
        await s.introduce()
        await s.connected()
        await s.media()
        n = len(s.peer.checks)
        revoked.append(b"not the key")
        await s.tool.wait(lambda: len(s.peer.checks) > n, "a consent check", 8)
        await s.media()  # in spite of it
        n = len(s.peer.checks)
        revoked[0] = lab.PWD.encode()
        await s.tool.wait(lambda: len(s.peer.checks) > n, "another consent check", 8)
        m = len(s.peer.media)
        await s.tool.wait(lambda: "failed" in s.tool.states(), "failed", 2)
        assert len(s.peer.media) <= m + 5, f"{len(s.peer.media) - m} packets after consent was revoked"
        await s.tool.finish()


# Strangers.


async def reflexive_flood():
    """150 sources of signed checks: all are answered, at most 100 checked."""
    async with scene("controlled", settings=LONG) as s:
        s.peer.mute = True
        await s.introduce()
        crowd = [await lab.Place(s.peer, s.place.host).open() for _ in range(150)]
        try:
            for _ in range(3):
                for place in crowd:
                    s.send(s.peer.check(), place)
                await s.tool.wait(lambda: all(place.replies for place in crowd), "answers for all")
            assert all(m.klass == stun.SUCCESS for place in crowd for m in place.replies)
            await s.watch()
            pairs = {request.tid for _, request in s.peer.checks}
            assert len(pairs) <= 100 * 2, f"{len(pairs)} checks"
        finally:
            for place in crowd:
                place.close()
        await s.tool.end()


async def media_of_strangers():
    """Packets from where no check was answered are not the call's."""
    async with scene("controlling", n_places=2, settings={"SECONDS": "0.5", "RATE": "100"}) as s:
        stranger = s.places.pop()
        try:
            await s.introduce()
            await s.connected()
            for sequence in range(1000, 1200):
                s.send(s.peer.packet(sequence), stranger)
            assert await s.tool.finish() == 0
        finally:
            stranger.close()
        assert s.tool.number("RX") <= s.peer.n_sent, f"{s.tool.number('RX')} of {s.peer.n_sent}"
        assert s.tool.number("RX") + s.tool.number("LOST") <= s.peer.n_sent


async def flood(make):
    """5000 packets of a stranger, and in their midst good checks, which are
    answered within the time of three retransmissions."""
    async with scene("controlled", n_places=2, settings=LONG) as s:
        stranger = s.places.pop()
        s.peer.mute = True
        try:
            await s.introduce()
            for number in range(100):
                for data in make(s.peer, number):
                    s.send(data, stranger)
                if number % 10 == 0:
                    s.send(s.peer.check())
                await asyncio.sleep(0)
            for attempt in range(3):
                s.send(s.peer.check(use_candidate=True))
                with contextlib.suppress(AssertionError):
                    await s.tool.wait(lambda: s.codes().count(0), "an answer", 0.5)
                    break
            assert s.codes().count(0), "no good check was answered"
            codes = [code for code in s.codes(stranger)]
            assert len(codes) <= 5000 and set(codes) <= {400, 401}, set(codes)
        finally:
            stranger.close()
        s.peer.mute = False
        s.send(s.peer.check(use_candidate=True))
        await s.connected()
        await s.media()
        await s.tool.end(expect=(0,))


def unsigned_checks(peer, number):
    return [peer.check(unsigned=True) for _ in range(50)]


def guessed_checks(peer, number):
    return [peer.check(key=os.urandom(8)) for _ in range(50)]


def noise(peer, number):
    return [os.urandom((number * 50 + i) % 1400) for i in range(50)]


def stun_noise(peer, number):
    """Looks like STUN by its first eight bytes."""
    return [
        struct.pack("!HHI", (number * 50 + i) & 0x3FFF, i * 4, stun.COOKIE) + os.urandom(12 + i * 4) for i in range(50)]


async def replay():
    """All that was said in one session is said again in the next: it is of
    other credentials, so nothing comes of it."""
    said = []
    async with scene("controlled") as s:
        await s.introduce()
        said += [s.peer.check(use_candidate=True, tid=bytes((i,)) * 12) for i in range(8)]
        said += [s.peer.success(request, source) for source, request in s.peer.checks]
        s.send(said[0])
        await s.connected()
        await s.tool.finish()
    async with scene("controlled") as s:
        s.peer.mute = True
        await s.introduce()
        for data in said:
            s.send(data)
        s.send(s.peer.check())
        await s.tool.wait(lambda: 0 in s.codes(), "the answer to a good check")
        assert s.codes().count(0) == 1 and set(s.codes()) <= {0, 401}, s.codes()
        assert "connected" not in s.tool.states()
        await s.call()


async def old_generation():
    """The peer restarts; what was signed for its old credentials does not
    count for the new ones."""
    async with scene("controlling", settings=LONG) as s:
        await s.introduce()
        await s.connected()
        old = list(s.peer.checks)
        s.tool.tell("a=ice-ufrag:next", "a=ice-pwd:anotherpasswordof24chars")
        await s.watch()
        for source, request in old:
            s.send(s.peer.success(request, ("192.0.2.77", 7777)))
        await s.media()  # by the old pair
        assert all("prflx" not in pair for pair in s.tool.pairs()), s.tool.pairs()
        await s.tool.end(expect=(0,))


FORGED_ANSWERS = {
    "unsigned": lambda p, r, f: [p.success(r, f, key=None)],
    "of_other_key": lambda p, r, f: [p.success(r, f, key=b"other")],
    "of_request_key": lambda p, r, f: [p.success(r, f, key=p.tool_pwd.encode())],
    "of_other_transaction": lambda p, r, f: [p.success(stun.Message.parse(p.check()), f)],
    "with_short_integrity": lambda p, r, f: [p.success(r, f, spoil=lambda mac: mac[:8])],
    "unsigned_errors": lambda p, r, f: [p.error(r, code, key=None) for code in (400, 401, 403, 487, 500)],
    "errors_of_other_key": lambda p, r, f: [p.error(r, code, key=b"x") for code in (400, 401, 403, 487, 500)],
    "error_without_code": lambda p, r, f: [stun.Builder(stun.ERROR, stun.BINDING, r.tid).bytes()],
    "corrupted": lambda p, r, f: spoilt(p.success(r, f)),
    "truncated": lambda p, r, f: [h[:size] for h in (p.success(r, f),) for size in range(len(h))],
}

MODES = {
    "honest_controlled": lambda: honest("controlled"),
    "honest_controlling": lambda: honest("controlling"),
    "unsigned_request": lambda: bad_requests(unsigned, {400}),
    "wrong_integrity": lambda: bad_requests(wrong_integrity, {400, 401}),
    "username_not_whole": lambda: bad_requests(usernames, {400, 401}),
    "request_corrupted": lambda: bad_requests(corrupted, {400, 401}),
    "request_truncated": lambda: bad_requests(truncated, {400, 401}),
    "request_lengths": lambda: bad_requests(lengths, {400, 401}),
    "attributes_after_integrity": attributes_after_integrity,
    "unknown_required": unknown_required,
    "use_candidate_from_controlled": use_candidate_from_controlled,
    **{f"answer_{name}": forged_answer(make) for name, make in FORGED_ANSWERS.items()},
    "answer_unsigned_only": unsigned_only,
    "answer_from_elsewhere": answer_from_elsewhere,
    "answer_nonsense_mapped": nonsense_mapped,
    **{f"answer_error_{code}": lambda code=code: error_answers(code) for code in (400, 401, 403, 420, 500, 699)},
    "role_ping_pong": role_ping_pong,
    "role_claims": role_claims,
    "stale_487": stale_487,
    "two_nominations": two_nominations,
    "consent_revoked": consent_revoked,
    "reflexive_flood": reflexive_flood,
    "media_of_strangers": media_of_strangers,
    "flood_unsigned": lambda: flood(unsigned_checks),
    "flood_guessed": lambda: flood(guessed_checks),
    "flood_noise": lambda: flood(noise),
    "flood_stun_noise": lambda: flood(stun_noise),
    "replay": replay,
    "old_generation": old_generation,
}
