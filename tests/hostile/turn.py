# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TURN server on loopback that is honest until its mode says otherwise.

A mode names a method, and a lie: a function that is asked for each signed
request of that method and returns the datagrams to send instead, or None to
be honest this time. What came is counted; the modes' pass conditions are in
turn_modes.py.
"""

import asyncio
import collections
import struct

import stun

USER, PASSWORD, REALM = "mallory", "a-seeded-secret", b"hostile.test"
RELAYED = ("127.0.0.1", 50123)
LIFETIME = 600
HOST = "127.0.0.1"


class Turn(asyncio.DatagramProtocol):
    """server = await Turn(mode).open(); server.port"""

    def __init__(self, mode=None, peer=None, servers=None):
        self.mode = mode
        self.peer = peer  # an IcePeer behind the relay
        self.servers = servers if servers is not None else [self]
        self.nonce = b"nonce-of-%d" % id(self)
        self.realm = REALM
        self.sha256 = False
        self.challenge_extra = b""  # attributes in each 401 and 438
        self.requests = []  # (source, method, signed), without retransmissions
        self.tids = set()
        self.n_lies = 0
        self.n_again = 0  # retransmissions
        self.goodbyes = collections.Counter()  # Refreshes of lifetime 0 by source
        self.bad = []  # what an honest server could not have been sent
        self.permissions, self.channels = set(), {}
        # Datagrams come in order, so that a client may send behind its
        # CreatePermission, whose answer it has not seen yet.
        self.asked, self.n_early = set(), 0
        self.allocated = False
        self.client = None
        self.transport = None

    async def open(self):
        self.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(HOST, 0))
        self.port = self.transport.get_extra_info("sockname")[1]
        return self

    def close(self):
        self.transport.close()

    @property
    def key(self):
        return stun.long_term_key(USER, self.realm, PASSWORD, self.sha256)

    def count(self, method, signed=None):
        """New requests of the client's socket that made most: it may have
        several interfaces."""
        sources = collections.Counter(
            source for source, m, s in self.requests if m == method and signed in (None, s))
        return max(sources.values(), default=0)

    # What an honest server says.

    def answer(self, klass, request, *attributes):
        return stun.Builder(klass, request.method, request.tid).add(*attributes)

    def signed(self, klass, request, *attributes):
        return self.answer(klass, request, *attributes).sign(self.key, self.sha256).bytes()

    def challenge(self, request, code=401, realm=None, nonce=None):
        return self.answer(
            stun.ERROR, request, stun.error(code), stun.attribute(stun.REALM, self.realm if realm is None else realm),
            stun.attribute(stun.NONCE, self.nonce if nonce is None else nonce), self.challenge_extra).bytes()

    def refuse(self, request, code, *attributes, reason=b""):
        return self.signed(stun.ERROR, request, stun.error(code, reason), *attributes)

    def allocation(self, request, relayed=RELAYED, lifetime=LIFETIME, extra=b""):
        """The attributes of a success; None leaves one out."""
        attributes = [extra]
        if relayed:
            attributes.append(stun.xor_address(stun.XOR_RELAYED_ADDRESS, *relayed, request.tid))
        attributes.append(stun.xor_address(stun.XOR_MAPPED_ADDRESS, *self.client, request.tid))
        if lifetime is not None:
            attributes.append(stun.attribute(stun.LIFETIME, struct.pack("!I", lifetime)))
        return attributes

    def honest(self, request):
        if request.method == stun.BINDING:
            mapped = stun.xor_address(stun.XOR_MAPPED_ADDRESS, *self.client, request.tid)
            return self.answer(stun.SUCCESS, request, mapped).bytes()
        if request.get(stun.NONCE) is None:
            return self.challenge(request)
        if request.get(stun.NONCE) != self.nonce:
            return self.challenge(request, 438)
        if not request.verify(self.key, self.sha256):
            return self.challenge(request)
        return self.grant(request)

    def grant(self, request):
        attributes = []
        if request.method == stun.ALLOCATE:
            self.allocated = True
            attributes = self.allocation(request)
        elif request.method == stun.REFRESH:
            wanted = struct.unpack("!I", request.get(stun.LIFETIME))[0]
            attributes = [stun.attribute(stun.LIFETIME, struct.pack("!I", min(wanted, LIFETIME)))]
        elif request.method == stun.CREATE_PERMISSION:
            self.permissions.add(request.address(stun.XOR_PEER_ADDRESS)[0])
        elif request.method == stun.CHANNEL_BIND:
            number = struct.unpack_from("!H", request.get(stun.CHANNEL_NUMBER))[0]
            self.channels[number] = request.address(stun.XOR_PEER_ADDRESS)
            self.permissions.add(self.channels[number][0])
        return self.signed(stun.SUCCESS, request, *attributes)

    # What comes.

    def datagram_received(self, data, source):
        self.client = source
        request = stun.Message.parse(data)
        if request is None:
            self.take_channel_data(data)
        elif request.klass == stun.INDICATION:
            if request.method == stun.SEND:
                self.take_from_client(request.get(stun.DATA_VALUE), request.address(stun.XOR_PEER_ADDRESS), None)
        elif request.klass == stun.REQUEST:
            self.take_request(request)
        elif request.klass == stun.SUCCESS:
            self.bad.append(f"a success came to the server: {data[:20].hex()}")

    def take_request(self, request):
        signed = request.get(stun.NONCE) is not None
        if request.tid in self.tids:
            self.n_again += 1
        else:
            self.tids.add(request.tid)
            self.requests.append((self.client, request.method, signed))
            if request.method == stun.REFRESH and request.get(stun.LIFETIME) == bytes(4):
                self.goodbyes[self.client] += 1
        if signed and request.method in (stun.CREATE_PERMISSION, stun.CHANNEL_BIND):
            self.asked.add(request.address(stun.XOR_PEER_ADDRESS)[0])
        answers = None
        mode = self.mode
        if mode and mode.method == request.method and (signed or mode.unsigned) and (
                mode.lies is None or self.n_lies < mode.lies):
            answers = mode.lie(self, request)
            self.n_lies += answers is not None
        if answers is None:
            answers = [self.honest(request)]
        for answer in answers:
            self.send(answer)

    def send(self, datagram):
        self.transport.sendto(datagram, self.client)

    # The peer behind the relay.

    def take_channel_data(self, data):
        number, size = struct.unpack_from("!HH", data)
        if number not in self.channels or size > len(data) - 4:
            self.bad.append(f"ChannelData on {number:#x}, which is not bound")
            return
        self.take_from_client(data[4:4 + size], self.channels[number], number)

    def take_from_client(self, payload, peer, channel):
        if peer[0] not in self.asked:
            self.bad.append(f"data to {peer} without permission")
        elif peer[0] not in self.permissions:
            self.n_early += 1
        elif self.peer:
            self.peer.receive(payload, RELAYED, lambda reply: self.pass_on(reply, peer, channel))

    def pass_on(self, payload, peer, channel=None):
        if channel is None:
            self.send(self.data_indication(payload, peer))
        else:
            self.send(struct.pack("!HH", channel, len(payload)) + payload)

    @staticmethod
    def data_indication(payload, peer):
        builder = stun.Builder(stun.INDICATION, stun.DATA)
        return builder.add(
            stun.xor_address(stun.XOR_PEER_ADDRESS, *peer, builder.tid),
            stun.attribute(stun.DATA_VALUE, payload)).bytes(fingerprint=False)
