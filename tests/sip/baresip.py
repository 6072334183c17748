#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls between gst-ice and baresip, in both directions: ICE, sound both ways, and either side hangs up.

baresip gathers no candidates on loopback, so all of it runs in a network namespace with an interface of its own.
"""

import array
import functools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import wave

import phones  # noqa: E402
from phones import BYE, CONNECTED, hears, phone, waits

import tap  # noqa: E402

ADDRESS = "10.77.0.1"
MODULES = pathlib.Path("/usr/lib/baresip/modules")
OURS, THEIRS = 880, 440  # Hz

CONFIG = """poll_method epoll
sip_listen {address}:{port}
audio_player aubridge,ear
audio_source ausine,{tone}
audio_alert aubridge,alert
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
net_interface lab0
rtcp_mux {mux}
rtp_ports 30000-31000
snd_path {folder}
module_path {modules}
module g711.so
module opus.so
module ausine.so
module aubridge.so
module sndfile.so
module ice.so
module_app account.so
module_app menu.so
module ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
"""


class Baresip:
    """with Baresip(codecs) as peer: peer.uri, peer.dial(uri), peer.hang_up(), peer.heard()."""

    def __init__(self, codecs="PCMA,PCMU", mux=True):
        self.mux = "yes" if mux else "no"
        self.port, self.control = phones.free_port(), phones.free_port()
        self.uri = f"sip:bob@{ADDRESS}:{self.port};transport=udp"
        self.account = f"<sip:bob@{ADDRESS}:{self.port}>;regint=0;medianat=ice;answermode=auto" \
                       f";audio_codecs={codecs}"

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gst-ice-baresip-")
        self.path = pathlib.Path(self.folder.name)
        (self.path / "config").write_text(CONFIG.format(
            address=ADDRESS, port=self.port, control=self.control, folder=self.path, modules=MODULES, tone=THEIRS,
            mux=self.mux))
        (self.path / "accounts").write_text(self.account + "\n")
        (self.path / "contacts").write_text("")
        self.log = open(self.path / "log", "w", encoding="utf-8")
        # It ends when its standard input does.
        self.process = subprocess.Popen(
            ["baresip", "-f", self.path, "-v"], cwd=self.path, stdin=subprocess.PIPE, stdout=self.log,
            stderr=subprocess.STDOUT)
        self.socket = self.connect()
        self.reader = threading.Thread(target=self.drain, daemon=True)
        self.reader.start()
        return self

    def connect(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection((ADDRESS, self.control), 1)
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, self.log_text()
                time.sleep(0.05)

    def drain(self):
        try:
            self.socket.settimeout(None)
            while self.socket.recv(65536):
                pass
        except OSError:
            pass

    def command(self, name, parameters=""):
        text = json.dumps({"command": name, "params": parameters, "token": "test"})
        self.socket.sendall(f"{len(text)}:{text},".encode())

    def dial(self, uri):
        self.command("dial", uri)

    def hang_up(self):
        self.command("hangup")

    def log_text(self):
        return (self.path / "log").read_text(errors="replace")

    def wait_for(self, text, timeout=10):
        deadline = time.monotonic() + timeout
        while text not in self.log_text():
            assert time.monotonic() < deadline, f"baresip does not say “{text}”:\n{self.log_text()}"
            time.sleep(0.05)

    def heard(self):
        """(seconds, Hz) of what was decoded and is not silence; complete soon after the call is over."""
        seconds, crossings = 0.0, 0
        for path in self.path.glob("*-dec.wav"):
            with wave.open(str(path)) as file:
                channels, rate = file.getnchannels(), file.getframerate()
                samples = array.array("h", file.readframes(file.getnframes()))[::channels]
            step = rate // 50
            for start in range(0, len(samples) - step, step):
                block = samples[start:start + step]
                if max(block) > 1000 and min(block) < -1000:
                    seconds += step / rate
                    crossings += sum(a < 0 <= b for a, b in zip(block, block[1:]))
        return seconds, crossings / seconds if seconds else 0

    def __exit__(self, *unused):
        self.socket.close()
        self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


def talk(peer, shell, we_hang_up):
    shell.wait_for(CONNECTED)
    hears(shell, 10)
    if we_hang_up:
        shell.interrupt()
    else:
        peer.hang_up()
        _, match = shell.wait_for(BYE)
        assert match.group(1) == "bye"
    # Of a call that began and ended in one second of the clock it says no more.
    peer.wait_for("audio: destroyed")
    deadline = time.monotonic() + 5
    while (heard := peer.heard())[0] < 0.5 and time.monotonic() < deadline:
        time.sleep(0.1)
    seconds, frequency = heard
    tap.comment(f"baresip heard {seconds:.2f} s of {frequency:.0f} Hz")
    assert seconds >= 0.5 and abs(frequency - OURS) < 60
    _, match = shell.wait_for(r"Connected in .*")
    tap.comment(match.group())
    assert "ICE" in peer.log_text() or "ice:" in peer.log_text(), peer.log_text()


def we_call(we_hang_up):
    with Baresip() as peer, phone(peer.uri, "", OURS) as shell:
        talk(peer, shell, we_hang_up)


def it_calls(we_hang_up, mux=True):
    port = phones.free_port()
    with phone(f"sip:{ADDRESS}:{port};transport=udp?listen=1", "", OURS) as shell, Baresip(mux=mux) as peer:
        waits(shell)
        peer.dial(f"sip:alice@{ADDRESS}:{port}")
        talk(peer, shell, we_hang_up)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdin=subprocess.DEVNULL)


def make_interface():
    ip("link", "set", "lo", "up")
    ip("link", "add", "lab0", "type", "veth", "peer", "name", "lab1")
    ip("address", "add", f"{ADDRESS}/24", "dev", "lab0")
    ip("link", "set", "lab0", "up")
    ip("link", "set", "lab1", "up")


def main():
    if shutil.which("baresip") is None:
        tap.skip_all("no baresip: apt-get install baresip-core")
        return
    if not (MODULES / "ice.so").exists():
        tap.skip_all("this baresip has no module ice")
        return
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        tap.skip_all("needs root, unshare and ip: baresip gathers nothing on loopback")
        return
    if "--inside" not in sys.argv:
        os.execvp("unshare", ["unshare", "--net", sys.executable, __file__, "--inside"])
    make_interface()
    tap.run([
        ("we call, we hang up", functools.partial(we_call, True)),
        ("we call, baresip hangs up", functools.partial(we_call, False)),
        ("baresip calls, we hang up", functools.partial(it_calls, True)),
        ("baresip calls and hangs up", functools.partial(it_calls, False)),
        ("baresip calls with RTCP beside RTP", functools.partial(it_calls, True, mux=False)),
    ])


if __name__ == "__main__":
    main()
