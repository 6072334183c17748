# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a TURN server can do to a call that goes through it.

`gst-ice-1.0 peer` with RELAY_ONLY=1 is the client; the peer it calls is in
the server's process, behind the relay.
"""

import contextlib
import os
import struct

import lab
import peer_modes
import stun
import turn
from stun import ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SUCCESS
from turn_modes import Mode, refuse, stale

PEER = ("198.51.100.8", 4000)
STRANGER = ("203.0.113.66", 6666)


class Call(peer_modes.Scene):
    def __init__(self, tool, peer, server):
        super().__init__(tool, peer, [])
        self.server = server

    async def end(self, status=0):
        """RFC 8656 8.1: it takes its leave, once."""
        got = await self.tool.finish()
        assert got == status, f"exit {got}: {self.tool.errors}"
        assert not self.server.bad, self.server.bad

    def refreshes(self):
        return self.server.count(REFRESH)


@contextlib.asynccontextmanager
async def call(mode=None, settings=None, set_up=lambda server: None, role="controlling"):
    peer = lab.IcePeer()
    peer.controlling = role == "controlled"
    server = await turn.Turn(mode, peer).open()
    set_up(server)
    tool = await lab.Tool.start(
        "peer", ICE_ROLE=role, RELAY_ONLY="1", TURN_URI=f"turn:{turn.HOST}:{server.port}", TURN_USER=turn.USER,
        TURN_PASS=turn.PASSWORD, **(settings or {"SECONDS": "0.5", "RATE": "100"}))
    try:
        await tool.wait(lambda: tool.local("ice-pwd") and tool.local("candidate"), "a relayed candidate")
        peer.know(tool)
        peer.introduce(tool, PEER)
        yield Call(tool, peer, server)
    finally:
        server.close()
        await tool.kill()


async def works(mode, most=None, channel=True):
    """A call in spite of it: everything that was sent comes."""
    async with call(mode) as c:
        await c.end()
        assert c.tool.pairs()[-1][0] == "relay", c.tool.pairs()
        assert len({sequence for sequence, _ in c.peer.media}) >= 45, len(c.peer.media)
        assert bool(c.server.channels) == channel, c.server.channels
        if most:
            assert c.server.count(mode.method) <= most, f"{c.server.count(mode.method)} requests"
        # Others may ask whether the server is still there, once media stops. Who
        # was given another nonce, and has not used it since, says goodbye again.
        goodbyes = 2 if mode and mode.lie is stale else 1
        assert 1 <= min(c.server.goodbyes.values(), default=0), c.server.goodbyes
        assert max(c.server.goodbyes.values()) <= goodbyes, c.server.goodbyes


async def no_storm(mode, most):
    """Nothing comes of it; what was tried was little."""
    async with call(mode, peer_modes.LONG) as c:
        await c.tool.wait(lambda: c.server.n_lies, "the first lie")
        await c.watch()
        assert c.server.count(mode.method) <= most, f"{c.server.count(mode.method)} requests"
        assert "connected" not in c.tool.states() and not c.peer.media
        assert c.server.n_early <= 4, f"{c.server.n_early} packets to where it may not"
        await c.tool.end()
        assert not c.server.bad, c.server.bad


async def lifetime_of_one():
    """RFC 8656 7.3: a second is as good as a minute; it is no storm."""
    mode = Mode("", lambda s, r: [s.signed(SUCCESS, r, *s.allocation(r, lifetime=1))])
    async with call(mode, {"SECONDS": "3", "RATE": "50"}) as c:
        await c.end()
        assert c.refreshes() <= 4, f"{c.refreshes()} Refreshes in 3 s"


async def farewell_unheard():
    """The answer to the last Refresh never comes: that is not waited for."""
    async with call(Mode("", lambda s, r: [], method=REFRESH)) as c:
        await c.end()
        assert set(c.server.goodbyes.values()) == {1}, c.server.goodbyes


async def data_of_strangers():
    """Data indications with addresses that no permission is for, or none."""
    async with call() as c:
        await c.connected()
        for sequence in range(5000, 5100):
            c.server.send(c.server.data_indication(c.peer.packet(sequence), STRANGER))
            # The address is permitted, and no check was answered to that port.
            c.server.send(c.server.data_indication(c.peer.packet(sequence), (PEER[0], PEER[1] + 1)))
        await c.end()
        assert c.tool.number("RX") <= c.peer.n_sent


async def check_of_stranger():
    """A good check that comes from where we permitted nobody is dropped."""
    async with call() as c:
        await c.connected()
        for _ in range(20):
            c.server.send(c.server.data_indication(c.peer.check(), STRANGER))
        await c.end()
        assert not [a for a in c.peer.answers.values() if a.klass == SUCCESS], "it answered"


async def indications_that_lie():
    """Indications without address, without data, inside each other, with
    addresses that are none."""
    def build(*attributes):
        return stun.Builder(stun.INDICATION, stun.DATA).add(*attributes).bytes(fingerprint=False)

    async with call() as c:
        await c.connected()
        data = stun.attribute(stun.DATA_VALUE, c.peer.packet(7000))
        nested = c.server.data_indication(c.server.data_indication(c.peer.packet(7001), PEER), PEER)
        for _ in range(20):
            for lie in (
                    build(), build(data), build(stun.attribute(stun.XOR_PEER_ADDRESS, b"\0\1"), data),
                    build(stun.attribute(stun.XOR_PEER_ADDRESS, b"\0\7\1\1\1\1\1\1"), data),
                    build(data, stun.attribute(stun.UNKNOWN_REQUIRED)), nested,
                    c.server.data_indication(b"", PEER), c.server.data_indication(os.urandom(60000), PEER)):
                c.server.send(lie)
        await c.end()
        assert c.tool.number("RX") <= c.peer.n_sent + 40


async def channel_data(make):
    """make(server, channel, payload) -> a frame; none of them is a packet."""
    async with call() as c:
        await c.connected()
        await c.tool.wait(lambda: c.server.channels, "a channel")
        channel = next(iter(c.server.channels))
        for sequence in range(9000, 9100):
            for frame in make(channel, c.peer.packet(sequence)):
                c.server.send(frame)
        await c.end()
        assert c.tool.number("RX") <= c.peer.n_sent, f"{c.tool.number('RX')} of {c.peer.n_sent}"


def frame(channel, size, payload):
    return struct.pack("!HH", channel, size) + payload


CHANNEL_FRAMES = {
    "unbound": lambda channel, payload: [frame(channel + 1, len(payload), payload), frame(0x4FFF, len(payload), payload)],
    "reserved": lambda channel, payload: [
        frame(number, len(payload), payload) for number in (0x5000, 0x7FFF, 0x3FFF, 0xFFFF)],
    "truncated": lambda channel, payload: [
        frame(channel, len(payload) + 1, payload), frame(channel, 0xFFFF, payload), frame(channel, len(payload), payload)[:3]],
    "empty": lambda channel, payload: [frame(channel, 0, b""), frame(channel, 0, b"")[:2], b""],
}


async def restart():
    """U2: the server was restarted and knows nothing: 437 to all. The call
    goes on as long as it lets it, and what is asked is little."""
    forgot = []

    def forget(server, request):
        return [server.refuse(request, 437)] if forgot and request.method != ALLOCATE else None

    async with call(settings=peer_modes.LONG) as c:
        c.server.mode = Mode("", forget, method=CHANNEL_BIND)
        forgot.append(True)
        await c.connected()
        await c.watch()
        assert c.server.count(CHANNEL_BIND) <= 4 and c.server.count(ALLOCATE) <= 4
        await c.tool.end()


async def server_dies():
    """It is gone in mid-call: the agent lives, says so in time, and does not
    storm. (Silence is `disconnected` after 1.5 s.)"""
    async with call(settings=peer_modes.LONG) as c:
        await c.connected()
        await c.media()
        c.server.close()
        await c.tool.wait(lambda: "disconnected" in c.tool.states(), "disconnected", 8)
        await c.tool.end()


async def duplicates():
    """Whatever passes the relay comes twice, and counts once."""
    async with call() as c:
        once = c.server.send
        c.server.send = lambda datagram: (once(datagram), once(datagram))
        await c.end()
        assert c.tool.number("RX") <= c.peer.n_sent


MODES = {
    "honest": lambda: works(None),
    **{f"stale_once_{name}": lambda method=method: works(Mode("", stale, method=method, lies=1), 3)
       for name, method in (("permission", CREATE_PERMISSION), ("channel", CHANNEL_BIND))},
    **{f"channel_{code}": lambda code=code: works(Mode("", refuse(code), method=CHANNEL_BIND), 2, channel=False)
       for code in (400, 403, 486, 500)},
    "channel_unanswered": lambda: works(Mode("", lambda s, r: [], method=CHANNEL_BIND), 1, channel=False),
    "channel_stale_forever": lambda: works(Mode("", stale, method=CHANNEL_BIND), 4, channel=False),
    **{f"permission_{code}": lambda code=code: no_storm(Mode("", refuse(code), method=CREATE_PERMISSION), 4)
       for code in (400, 403, 437, 443, 486, 500, 508)},
    "permission_stale_forever": lambda: no_storm(Mode("", stale, method=CREATE_PERMISSION), 8),
    "lifetime_of_one": lifetime_of_one,
    "farewell_unheard": farewell_unheard,
    "data_of_strangers": data_of_strangers,
    "check_of_stranger": check_of_stranger,
    "indications_that_lie": indications_that_lie,
    **{f"channeldata_{name}": lambda make=make: channel_data(make) for name, make in CHANNEL_FRAMES.items()},
    "restart": restart,
    "server_dies": server_dies,
    "duplicates": duplicates,
}
