#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passwords and keys are in no log, no message, no error and no drawing.

Calls with everything that can be seen turned on: GST_DEBUG=*:7, gst-launch -v
and -m, dot files. Then all of it is searched for what must not be there.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop"), str(HERE)]

import coturn  # noqa: E402
import peer  # noqa: E402
import tap  # noqa: E402
from shell import FRAME, Shell, scratch  # noqa: E402

PASSWORD = "Sesame-0pen"
WRONG = "Sesame-Cl0sed"
ICE_PASSWORD = re.compile(r"a=ice-pwd:([^\\\r\n]+)")
# The parser of launch lines, which logs the line that everybody sees in ps.
NOT_OURS = re.compile(r":_?(?:priv_)?gst_parse_\w+:")


class Lamp:
    """A folder for all that can be seen of some shells."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.shells = []
        self.secrets = {PASSWORD, WRONG}

    def shell(self, name, line):
        dots = self.folder / f"dots-{name}"
        dots.mkdir()
        shell = Shell(f"-v -m {line}", GST_DEBUG="*:7", GST_DEBUG_NO_COLOR="1", G_MESSAGES_DEBUG="all",
                      GST_DEBUG_FILE=str(self.folder / f"log-{name}"), GST_DEBUG_DUMP_DOT_DIR=str(dots))
        self.shells.append(shell)
        return shell

    def learn(self, meeting):
        """The passwords of the generation that is in the meeting files now."""
        for half in ("offer", "answer"):
            text = pathlib.Path(f"{meeting}.{half}").read_text()
            found = ICE_PASSWORD.findall(text)
            assert found, f"no password in {half}"
            self.secrets.update(found)

    def search(self):
        n_bytes = 0
        for shell in self.shells:
            n_bytes += self.examine("output of gst-launch", shell.output)
        for path in self.folder.rglob("*"):
            if path.is_file():
                n_bytes += self.examine(path.name, path.read_text(errors="replace"))
        tap.comment(f"{n_bytes} bytes, {len(self.secrets)} secrets")
        assert n_bytes > 100_000, "nothing was logged"

    def examine(self, name, text):
        for line in text.splitlines():
            for secret in self.secrets:
                assert secret not in line or NOT_OURS.search(line), \
                    f"{name}: {line.replace(secret, '<<the secret>>')}"
        return len(text)


def watch(run):
    with scratch() as seen, scratch() as meeting:
        lamp = Lamp(seen)
        try:
            run(lamp, f"{meeting}/call")
        finally:
            for shell in lamp.shells:
                shell.__exit__()
        lamp.search()


def sound(lamp, meeting, properties):
    uri = f"ice+file://{meeting}"
    sender = lamp.shell("sender", "audiotestsrc is-live=true ! alawenc ! rtppcmapay"
                                  f" ! icesink name=out uri={uri} {properties}")
    sender.wait_for("Waiting for the peer")
    receiver = lamp.shell("receiver", f"icesrc name=in uri={uri} {properties} ! decodebin ! audioconvert"
                                      " ! checksumsink hash=md5")
    receiver.wait_for(FRAME, timeout=30, count=5)
    lamp.learn(meeting)
    sender.interrupt()
    receiver.wait(20)


def call():
    if not coturn.available():
        raise tap.Skip("no turnserver")
    with coturn.Coturn(peer.own_address()) as turn:
        properties = f"turn-servers=turn:{coturn.USER}:{WRONG}@{turn.host_port}"
        watch(lambda lamp, meeting: sound(lamp, meeting, properties))


def relayed_call():
    if not coturn.available():
        raise tap.Skip("no turnserver")
    with coturn.Coturn(peer.own_address(), extra=[f"--user=bob:{PASSWORD}"]) as turn:
        properties = f"ice-transport-policy=relay turn-servers=turn:bob:{PASSWORD}@{turn.host_port}"
        watch(lambda lamp, meeting: sound(lamp, meeting, properties))


def malformed():
    def run(lamp, meeting):
        for number, server in enumerate((
                f"turn:alice:{WRONG}@192.0.2.1:99999", f"turn:alice:{WRONG}@", f"turn:alice:{WRONG}",
                f"turn:alice:{WRONG}@host?transport=pigeon", f"http://alice:{WRONG}@host", f"alice:{WRONG}@host")):
            shell = lamp.shell(str(number), f"icesrc uri=ice+file://{meeting} turn-servers={server} ! fakesink")
            shell.wait_for("^ERROR: from element")
            shell.wait()

    watch(run)


def signallers():
    """Brokers, servers and registrars that are none: what is said of them has no secret."""
    def run(lamp, meeting):
        for number, uri in enumerate((
                f"ice+mqtt://alice:{WRONG}@127.0.0.1:1/room?secret={PASSWORD}",
                f"ice+mqtts://alice:{WRONG}@127.0.0.1:1/room?secret={PASSWORD}",
                f"ice+mqtts://alice:{WRONG}@127.0.0.1:1/room?scret={PASSWORD}",
                f"ice+mqtts://alice:{WRONG}@127.0.0.1:1/room/#?secret={PASSWORD}",
                f"ice+wss://127.0.0.1:1/room?token={PASSWORD}",
                f"ice+wss://127.0.0.1:1/room?tken={PASSWORD}",
                f"ice+nothing://alice:{WRONG}@127.0.0.1:1/room?token={PASSWORD}",
                f"sips:alice:{WRONG}@127.0.0.1:1?password={PASSWORD}")):
            shell = lamp.shell(str(number), f"icesrc uri={uri} ! fakesink")
            shell.wait_for("^ERROR: from element")
            shell.wait()

    watch(run)


def main():
    tap.run([
        ("signallers that cannot be reached", signallers),
        ("servers that cannot be read", malformed),
        ("a call, and a server that refuses the password", call),
        ("a relayed call", relayed_call),
    ])


if __name__ == "__main__":
    main()
