#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong is on the bus soon, and names the thing, the cause and the cure."""

import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop"), str(HERE)]

import coturn  # noqa: E402
import peer  # noqa: E402
import tap  # noqa: E402
from shell import FRAME, Shell, scratch  # noqa: E402

SOON = 2
PICTURE = "videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay"
SOUND = "audiotestsrc is-live=true ! alawenc ! rtppcmapay"
RECEIVE = "icesrc uri={uri} ! decodebin ! videoconvert ! checksumsink hash=md5"


def expect_error(line, *words, status=True):
    """An ERROR with these words within two seconds, and no exit status of 0."""
    with Shell(line) as shell:
        when, match = shell.wait_for(r"^ERROR: from element .*?: (.*)", 10)
        assert when <= SOON, f"after {when:.2f} s"
        assert not status or shell.wait(5) != 0, "exit status 0"
        for word in words:
            assert word in match.group(1), f"“{word}” is not in: {match.group(1)}"


def settings(folder):
    uri = f"ice+file://{folder}/call"
    occupied = pathlib.Path(folder, "file")
    occupied.write_text("not a folder")
    yield "unknown scheme", "uri=ice+foo:///tmp/call", ["ice+foo:", "ice+file:///tmp/call"]
    yield "no scheme", "uri=call", ["ice+file:///tmp/call"]
    yield "no path", "uri=ice+file:", ["ice+file:///tmp/call"]
    yield "no meeting place", "", ["“uri”", "“agent”", "ice+file:///tmp/call"]
    yield "stun-server without scheme", f"uri={uri} stun-server=nonsense", ["“nonsense”", "stun:HOST"]
    yield "stun-server without host", f"uri={uri} stun-server=stun://:99", ["“stun://:99”", "stun:HOST"]
    yield ("turn-servers with bad port", f"uri={uri} turn-servers=turn:alice:sesame@192.0.2.1:99999",
           ["192.0.2.1:99999", "port from 1 to 65535"])
    yield ("agent::servers with bad port", f"uri={uri} agent::servers=turn:alice:sesame@192.0.2.1:99999",
           ["192.0.2.1:99999", "port from 1 to 65535"])
    yield "no such folder", f"uri=ice+file://{folder}/nowhere/call", [f"{folder}/nowhere/call", "No such", "folder"]
    yield "a file as folder", f"uri=ice+file://{occupied}/call", [f"{occupied}/call", "Not a directory", "folder"]


def setting_cases():
    """The table is made for its names once and, in a folder of its own, again for each case."""
    with scratch() as folder:
        names = [name for name, *_ in settings(folder)]
    for number, name in enumerate(names):
        for element in ("icesink", "icesrc"):

            def case(number=number, element=element):
                with scratch() as folder:
                    _, properties, words = list(settings(folder))[number]
                    line = f"{PICTURE} ! icesink {properties}" if element == "icesink" else \
                        f"icesrc {properties} ! fakesink"
                    expect_error(line, *words)

            yield f"{element}: {name}", case


def unwritable_folder():
    if os.geteuid() == 0:
        raise tap.Skip("root may write everywhere")
    with scratch() as folder:
        os.chmod(folder, 0o500)
        expect_error(f"{PICTURE} ! icesink uri=ice+file://{folder}/call", f"{folder}/call", "denied", "folder")


def third_caller():
    with scratch() as folder:
        uri = f"ice+file://{folder}/call"
        with Shell(f"{PICTURE} ! icesink uri={uri}") as sender:
            sender.wait_for("Waiting for the peer")
            with Shell(RECEIVE.format(uri=uri)) as receiver:
                receiver.wait_for(FRAME)
                expect_error(f"{PICTURE} ! icesink uri={uri}", f"{folder}/call", "choose another path")
                expect_error(RECEIVE.format(uri=uri), f"{folder}/call", "choose another path")
                n = receiver.count(FRAME)
                receiver.wait_for(FRAME, count=n + 10)


def stdio_closed():
    # gst-launch-1.0 has this from us: an empty standard input.
    for line in (f"{SOUND} ! icesink uri=ice+stdio:", "icesrc uri=ice+stdio: ! fakesink"):
        with Shell(line) as shell:
            shell.process.stdin.close()
            when, match = shell.wait_for(r"^ERROR: from element .*?: (.*)")
            assert when <= SOON, f"after {when:.2f} s"
            assert "Standard input ended" in match.group(1) and "connect it" in match.group(1), match.group(1)
            assert shell.wait(5) != 0, "exit status 0"


def call_with(properties, check):
    """A direct call whose sides have these properties; check (sender, receiver) while pictures come."""
    with scratch() as folder:
        uri = f"ice+file://{folder}/call"
        with Shell(f"{PICTURE} ! icesink uri={uri} {properties}") as sender:
            sender.wait_for("Waiting for the peer")
            with Shell(RECEIVE.format(uri=f"{uri} {properties}")) as receiver:
                first, _ = receiver.wait_for(FRAME)
                check(sender, receiver, first)


def expect_warning(shell, *words):
    when, match = shell.wait_for(r"^WARNING: from element .*?: (.*)", 10)
    assert when <= SOON, f"after {when:.2f} s"
    for word in words:
        assert word in match.group(1), f"“{word}” is not in: {match.group(1)}"


def expect_one_warning(*shells):
    for shell in shells:
        assert shell.count(r"^WARNING: from") == 1, f"warned more than once:\n{shell.output}"


def expect_one_warning_each(sender, receiver, *words):
    """And no second one while a second of pictures comes."""
    for shell in (sender, receiver):
        expect_warning(shell, *words)
    receiver.wait_for(FRAME, count=receiver.count(FRAME) + 30)
    expect_one_warning(sender, receiver)


def no_interface():
    for properties, words in {
            "agent::interfaces=nowhere0": ["interfaces", "settings"],
            "agent::min-port=5 agent::max-port=3": ["min-port 5", "max-port 3"]}.items():
        with scratch() as folder, Shell(f"{PICTURE} ! icesink uri=ice+file://{folder}/call {properties}") as shell:
            expect_warning(shell, "No local candidates", *words)
            # Nothing may come, and nothing else will: alone it says no more.
            time.sleep(1)
            expect_one_warning(shell)


def wrong_password():
    with coturn.Coturn() as turn:

        def check(sender, receiver, first):
            expect_one_warning_each(sender, receiver, turn.host_port, "401", "password")

        call_with(f"turn-servers=turn:{coturn.USER}:mistaken@{turn.host_port}", check)


def wrong_password_and_nothing_else():
    with coturn.Coturn() as turn, scratch() as folder:
        line = f"{PICTURE} ! icesink uri=ice+file://{folder}/call ice-transport-policy=relay" \
               f" turn-servers=turn:{coturn.USER}:mistaken@{turn.host_port}"
        with Shell(line) as shell:
            when, match = shell.wait_for(r"^(?:WARNING|ERROR): from element .*?: (.*)", 10)
            assert when <= SOON, f"after {when:.2f} s"
            for word in (turn.host_port, "401", "password"):
                assert word in match.group(1), f"“{word}” is not in: {match.group(1)}"


def dead_server(host_port):
    def check(sender, receiver, first):
        # The same as without: a second would be a delay.
        assert first < 1, f"first picture after {first:.2f} s"
        expect_one_warning_each(sender, receiver, host_port, "heck that the server runs")

    call_with(f"turn-servers=turn:{coturn.USER}:{coturn.PASSWORD}@{host_port}", check)


def silent_server():
    with peer.BlackHole(peer.own_address()) as hole:
        dead_server(f"{hole.address}:{hole.port}")


def refused_port():
    with peer.BlackHole(peer.own_address()) as hole:
        host_port = f"{hole.address}:{hole.port}"
    dead_server(host_port)


def unknown_host():
    def check(sender, receiver, first):
        assert first < 1, f"first picture after {first:.2f} s"
        for shell in (sender, receiver):
            shell.wait_for(r"^WARNING: from element .*nowhere\.invalid", 15)

    call_with(f"turn-servers=turn:{coturn.USER}:{coturn.PASSWORD}@nowhere.invalid", check)


def no_path(candidates, words):
    with peer.BlackHole(peer.own_address()) as hole:
        with Shell(f"{SOUND} ! icesink uri=ice+stdio: connect-timeout=13000") as shell:
            peer.answer(shell, hole.address, hole.port, candidates)
            answered = time.monotonic() - shell.started
            when, match = shell.wait_for(r"^WARNING: from element .*?: (.*)", 15)
            assert 9 <= when - answered <= 11, f"after {when - answered:.2f} s"
            tap.comment(match.group(1))
            for word in words:
                assert word in match.group(1), f"“{word}” is not in: {match.group(1)}"
            when, match = shell.wait_for(r"^ERROR: from element .*?: (.*)", 10)
            assert 12 <= when - answered <= 14.5, f"after {when - answered:.2f} s"
            assert "connect-timeout" in match.group(1), match.group(1)
            assert shell.wait(5) != 0, "exit status 0"


def unreachable_peer():
    no_path(True, ["TURN", "UDP", "firewall"])


def peer_without_candidates():
    no_path(False, ["candidate"])


def main():
    turn = []
    if coturn.available():
        turn = [("wrong TURN password", wrong_password),
                ("wrong TURN password, relay only", wrong_password_and_nothing_else)]
    tap.run([
        *setting_cases(),
        ("unwritable folder", unwritable_folder),
        ("a third caller", third_caller),
        ("ice+stdio: closed", stdio_closed),
        ("no interface is left", no_interface),
        *turn,
        ("a TURN server that never answers", silent_server),
        ("a TURN server that does not run", refused_port),
        ("a TURN server without address", unknown_host),
        ("an unreachable peer", unreachable_peer),
        ("a peer whose candidates are lost", peer_without_candidates),
    ])


if __name__ == "__main__":
    main()
