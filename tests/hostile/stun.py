# SPDX-License-Identifier: LGPL-2.1-or-later
"""STUN, well formed or not (RFC 8489, RFC 8656): what a liar needs.

Nothing here is shared with the library under test, so that one mistake does
not hide the other.
"""

import hashlib
import hmac
import os
import socket
import struct
import zlib

COOKIE = 0x2112A442
REQUEST, INDICATION, SUCCESS, ERROR = range(4)
BINDING, ALLOCATE, REFRESH, SEND, DATA, CREATE_PERMISSION, CHANNEL_BIND = 1, 3, 4, 6, 7, 8, 9

USERNAME, MESSAGE_INTEGRITY, ERROR_CODE = 0x0006, 0x0008, 0x0009
CHANNEL_NUMBER, LIFETIME, XOR_PEER_ADDRESS, DATA_VALUE = 0x000C, 0x000D, 0x0012, 0x0013
REALM, NONCE, XOR_RELAYED_ADDRESS = 0x0014, 0x0015, 0x0016
MESSAGE_INTEGRITY_SHA256, XOR_MAPPED_ADDRESS = 0x001C, 0x0020
PRIORITY, USE_CANDIDATE = 0x0024, 0x0025
PASSWORD_ALGORITHMS, SOFTWARE, ALTERNATE_SERVER, FINGERPRINT = 0x8002, 0x8022, 0x8023, 0x8028
ICE_CONTROLLED, ICE_CONTROLLING = 0x8029, 0x802A
UNKNOWN_REQUIRED = 0x7ABC


def attribute(kind, value=b""):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def address(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return struct.pack("!BBH", 0, 2 if ":" in host else 1, port) + socket.inet_pton(family, host)


def xor(value, tid):
    """The value of an address attribute, XORed (RFC 8489 14.2); twice it is itself."""
    mask = struct.pack("!I", COOKIE) + tid
    return value[:2] + bytes(a ^ b for a, b in zip(value[2:4], mask)) + bytes(a ^ b for a, b in zip(value[4:], mask))


def xor_address(kind, host, port, tid):
    return attribute(kind, xor(address(host, port), tid))


def error(code, reason=b""):
    return attribute(ERROR_CODE, struct.pack("!HBB", 0, code // 100, code % 100) + reason)


def long_term_key(user, realm, password, sha256=False):
    digest = hashlib.sha256 if sha256 else hashlib.md5
    return digest(user.encode() + b":" + realm + b":" + password.encode()).digest()


class Builder:
    """build = Builder(SUCCESS, BINDING, tid).add(...).sign(key).bytes()"""

    def __init__(self, klass, method, tid=None):
        self.kind = (method & 0xF) | (method & 0x70) << 1 | (method & 0xF80) << 2 | (klass & 1) << 4 | (klass & 2) << 7
        self.tid = tid or os.urandom(12)
        self.body = b""

    def add(self, *attributes):
        self.body += b"".join(attributes)
        return self

    def head(self, extra=0):
        return struct.pack("!HHI", self.kind, len(self.body) + extra, COOKIE) + self.tid

    def sign(self, key, sha256=False, spoil=lambda mac: mac):
        if key is not None:
            size, digest = (32, hashlib.sha256) if sha256 else (20, hashlib.sha1)
            mac = hmac.new(key, self.head(4 + size) + self.body, digest).digest()
            self.add(attribute(MESSAGE_INTEGRITY_SHA256 if sha256 else MESSAGE_INTEGRITY, spoil(mac)))
        return self

    def bytes(self, fingerprint=True):
        if fingerprint:
            crc = zlib.crc32(self.head(8) + self.body) ^ 0x5354554E
            self.add(attribute(FINGERPRINT, struct.pack("!I", crc)))
        return self.head() + self.body


class Message:
    """Message.parse(datagram): None if it is not STUN. The library's own
    packets are read strictly: a malformed one is a fault."""

    @classmethod
    def parse(cls, data):
        if len(data) < 20 or data[0] > 3 or struct.unpack_from("!I", data, 4)[0] != COOKIE:
            return None
        self = cls()
        kind, size = struct.unpack_from("!HH", data)
        assert size == len(data) - 20, "length of a STUN message of the library"
        self.klass = (kind >> 4 & 1) | (kind >> 7 & 2)
        self.method = (kind & 0xF) | (kind >> 1 & 0x70) | (kind >> 2 & 0xF80)
        self.tid, self.data = data[8:20], data
        self.attributes, self.offsets = {}, {}
        at = 20
        while at < len(data):
            kind, size = struct.unpack_from("!HH", data, at)
            if kind not in self.attributes:
                self.attributes[kind] = data[at + 4:at + 4 + size]
                self.offsets[kind] = at
            padding = data[at + 4 + size:at + 4 + size + (-size % 4)]
            assert padding == bytes(len(padding)), "padding of the library is zero"
            at += 4 + size + (-size % 4)
        return self

    def get(self, kind):
        return self.attributes.get(kind)

    def verify(self, key, sha256=False):
        kind, size, digest = (
            (MESSAGE_INTEGRITY_SHA256, 32, hashlib.sha256) if sha256 else (MESSAGE_INTEGRITY, 20, hashlib.sha1))
        if kind not in self.offsets:
            return False
        at = self.offsets[kind]
        head = self.data[:2] + struct.pack("!H", at - 20 + 4 + size) + self.data[4:20]
        return hmac.compare_digest(self.attributes[kind], hmac.new(key, head + self.data[20:at], digest).digest())

    def address(self, kind):
        """(host, port) of an XORed address."""
        value = xor(self.attributes[kind], self.tid)
        family = socket.AF_INET6 if value[1] == 2 else socket.AF_INET
        return socket.inet_ntop(family, value[4:]), struct.unpack_from("!H", value, 2)[0]

    @property
    def code(self):
        value = self.attributes[ERROR_CODE]
        return value[2] * 100 + value[3]
