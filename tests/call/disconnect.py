#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The peer goes: with a word, or without one."""

import pathlib
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import tap  # noqa: E402
from shell import FRAME, Shell, complaints, scratch  # noqa: E402

# -m prints what is on the bus.
SEND = "-m videotestsrc is-live=true {buffers} ! vp8enc deadline=1 ! rtpvp8pay ! icesink uri={uri} {properties}"
RECEIVE = "-m icesrc uri={uri} {properties} ! decodebin ! videoconvert ! checksumsink hash=md5"
STATE = r"GstIceState, .*new=\(GstIceState\){}"
# How much later than it is a line may be read here.
SLACK = 0.15


class Call:
    """with Call(...) as (sender, receiver): pictures come."""

    def __init__(self, properties="", buffers=""):
        self.properties = properties
        self.buffers = buffers

    def __enter__(self):
        self.folder = scratch()
        words = {"uri": f"ice+file://{self.folder.name}/call", "properties": self.properties, "buffers": self.buffers}
        self.sender = Shell(SEND.format(**words))
        self.sender.wait_for("Waiting for the peer")
        self.receiver = Shell(RECEIVE.format(**words))
        self.receiver.wait_for(FRAME, count=30)
        return self.sender, self.receiver

    def __exit__(self, *unused):
        self.receiver.__exit__()
        self.sender.__exit__()
        self.folder.cleanup()


def kill(shell, other):
    """When that was, on the clock of the other."""
    shell.kill()
    return time.monotonic() - other.started


def since(then, shell, pattern, timeout):
    when, match = shell.wait_for(pattern, timeout)
    return when - then, match


def expect_between(least, seconds, most):
    assert least <= seconds <= most + SLACK, f"after {seconds:.2f} s, not {least} to {most}"


def expect_disconnected(then, shell, most):
    after, _ = since(then, shell, STATE.format("disconnected"), most + 5)
    expect_between(0, after, most)


def expect_lost(then, shell, disconnected, state="failed"):
    expect_disconnected(then, shell, disconnected)
    # RFC 7675 5.1: 30 s after the last answer; answers come every 4 to 6 s.
    after, _ = since(then, shell, STATE.format(state), 40)
    expect_between(24, after, 30)
    assert shell.count("GstIceConsentLost, ") == 1, shell.output


def sender_killed_error():
    with Call("on-disconnect=error auto-restart=false") as (sender, receiver):
        then = kill(sender, receiver)
        expect_disconnected(then, receiver, 1.5)
        # gst-launch-1.0 takes an ERROR at once and ends: what was posted just
        # before it may not be printed, or in the middle of it.
        after, _ = since(then, receiver, "ERROR: from element .*has not answered for 30 seconds", 40)
        expect_between(24, after, 30)
        assert receiver.wait() != 0, "exit status 0"


def sender_killed_eos():
    with Call("on-disconnect=eos auto-restart=false") as (sender, receiver):
        then = kill(sender, receiver)
        expect_lost(then, receiver, 1.5)
        after, _ = since(then, receiver, "^Got EOS from element", 2)
        expect_between(24, after, 31)
        assert receiver.wait() == 0, "exit status"


def sender_killed_restart():
    with Call("on-disconnect=error") as (sender, receiver):
        then = kill(sender, receiver)
        # Silence is reason enough to offer one: the network may have changed.
        after, _ = since(then, receiver, "GstIceRestart, .*path-silent", 3)
        expect_between(0.3, after, 1.6)
        expect_lost(then, receiver, 1.5, state="new")
        since(then, receiver, "GstIceRestart, .*path-lost", 1)
        # Ten seconds for somebody to answer the restart.
        after, _ = since(then, receiver, "^ERROR: from element .*has not answered for 30 seconds", 15)
        expect_between(34, after, 41)


def receiver_killed():
    with Call("on-disconnect=eos auto-restart=false") as (sender, receiver):
        then = kill(receiver, sender)
        # It only sends: consent alone tells, every 4 to 6 s.
        expect_lost(then, sender, 7)
        since(then, sender, "^Got EOS from element", 2)
        assert sender.wait() == 0, "exit status"


def waits():
    with Call("auto-restart=false") as (sender, receiver):
        then = kill(sender, receiver)
        expect_lost(then, receiver, 1.5)
        # The receiver waits on: for whoever comes next.
        seen = receiver.count(FRAME)
        with Shell(sender.line):
            receiver.wait_for(FRAME, count=seen + 30)
        assert receiver.process.poll() is None and not complaints(receiver), receiver.output


def interrupted():
    with Call() as (sender, receiver):
        then = time.monotonic() - receiver.started
        assert sender.interrupt() == 0
        after, _ = since(then, receiver, "^Got EOS from element", 5)
        tap.comment(f"EOS {after:.3f} s after the signal")
        expect_between(0, after, 0.5)
        assert receiver.wait() == 0, "exit status"
        assert not complaints(receiver), receiver.output


def ended():
    with Call(buffers="num-buffers=60") as (sender, receiver):
        sent, _ = sender.wait_for("^Got EOS from element")
        after, _ = since(sent + sender.started - receiver.started, receiver, "^Got EOS from element", 5)
        expect_between(-0.5, after, 0.5)
        assert sender.wait() == 0 and receiver.wait() == 0, "exit status"
        n = receiver.count(FRAME)
        assert n == 60, f"{n} of 60 pictures"


def replaced(role):
    """Who was killed is started again, and the call goes on without the other noticing more."""
    with Call() as (sender, receiver):
        stays, goes = (receiver, sender) if role == "sender" else (sender, receiver)
        goes.kill()
        before = receiver.count(FRAME)
        with Shell(goes.line) as again:
            watcher = stays if role == "sender" else again
            watcher.wait_for(FRAME, 10, count=before + 10 if role == "sender" else 10)
            assert stays.process.poll() is None and not complaints(stays), stays.output


SLOW = {
    "the sender is killed, on-disconnect=error": sender_killed_error,
    "the sender is killed, on-disconnect=eos": sender_killed_eos,
    "the sender is killed, on-disconnect=error, auto-restart": sender_killed_restart,
    "the receiver is killed, on-disconnect=eos": receiver_killed,
    "the sender is killed, on-disconnect=wait": waits,
}


class Background(threading.Thread):
    """Half a minute of waiting for each of them: at once."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.failure = None
        self.start()

    def run(self):
        try:
            self.function()
        except Exception:
            self.failure = traceback.format_exc()

    def result(self):
        self.join()
        assert self.failure is None, self.failure


def slow_cases():
    running = {}
    for name, function in SLOW.items():

        def result(name=name):
            if not running:
                running.update({name: Background(function) for name, function in SLOW.items()})
            running[name].result()

        yield name, result


def main():
    tap.run([
        ("the sender is interrupted", interrupted),
        ("the sender reaches its end", ended),
        ("another sender comes for the killed one", lambda: replaced("sender")),
        ("another receiver comes for the killed one", lambda: replaced("receiver")),
        *slow_cases(),
    ])


if __name__ == "__main__":
    main()
