# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other side of ice+stdio:, played by the test: it answers as it likes."""

import json
import re
import socket

# An answer to one m-line that is sent only.
ANSWER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=ice-options:ice2 trickle
{m_line}
c=IN IP4 {address}
{rtpmap}
a=mid:{mid}
a=recvonly
a=rtcp-mux
a=ice-ufrag:peer
a=ice-pwd:peerpeerpeerpeerpeerpeer
a=candidate:1 1 UDP 2130706431 {address} {port} typ host
a=end-of-candidates
"""


class BlackHole:
    """A bound UDP socket that never answers."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.address, self.port = self.socket.getsockname()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()


def attribute(sdp, name):
    return re.search(rf"^{name}(.*?)\r?$", sdp, re.M).group(1)


def read_offer(shell):
    _, match = shell.wait_for(r'\{"type":"offer".*\}')
    return json.loads(match.group())["sdp"]


def answer(shell, address, port, candidates=True):
    """Answers the offer of a shell: we are at this address, it says; or where
    we are stays unknown, and no end of candidates comes either."""
    offer = read_offer(shell)
    sdp = ANSWER.format(
        m_line="m=" + re.sub(r" \d+ ", f" {port} ", attribute(offer, "m="), count=1),
        rtpmap="a=rtpmap:" + attribute(offer, "a=rtpmap:"),
        mid=attribute(offer, "a=mid:"), address=address, port=port)
    if not candidates:
        sdp = "".join(line for line in sdp.splitlines(True) if "candidate" not in line)
    say(shell, {"type": "answer", "sdp": sdp.replace("\n", "\r\n")})


def say(shell, message):
    shell.process.stdin.write(json.dumps(message).encode() + b"\n")
    shell.process.stdin.flush()


def own_address():
    """An address of this host that an agent would gather; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"
