# SPDX-License-Identifier: LGPL-2.1-or-later
"""A coturn of our own, ended with the test that started it."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

USER = "alice"
PASSWORD = "wonderland"
MAGIC_COOKIE = 0x2112A442


def available():
    return shutil.which("turnserver") is not None


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def free_port(address="127.0.0.1"):
    """A port that is free for UDP and TCP at this moment."""
    family = family_of(address)
    while True:
        with socket.socket(family, socket.SOCK_DGRAM) as udp, socket.socket(family) as tcp:
            udp.bind((address, 0))
            port = udp.getsockname()[1]
            try:
                tcp.bind((address, port))
                return port
            except OSError:
                continue


def answers(address, port, timeout=0.1):
    """TRUE if a Binding request (RFC 8489 5) is answered."""
    request = struct.pack("!HHI", 1, 0, MAGIC_COOKIE) + os.urandom(12)
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.sendto(request, (address, port))
            return sock.recv(2048)[8:20] == request[8:20]
        except OSError:
            return False


class Coturn:
    """with Coturn() as turn: turn.uri, USER, PASSWORD.

    prefix is put before the command: `ip netns exec NAME`, for example.
    secure: a certificates.Identity; TLS and DTLS at secure_port then.
    password: None when the users are those of its database, set_user().
    """

    def __init__(self, address="127.0.0.1", port=None, prefix=(), extra=(), secure=None, secure_port=None,
                 password=PASSWORD):
        self.address = address
        self.password = password
        self.port = port or free_port(address)
        self.prefix = list(prefix)
        self.extra = list(extra)
        if secure:
            self.secure_port = secure_port or free_port(address)
            self.extra += [f"--cert={secure.certificate}", f"--pkey={secure.key}",
                           f"--tls-listening-port={self.secure_port}"]
        else:
            self.extra += ["--no-tls", "--no-dtls"]
        self.process = None

    @property
    def host_port(self):
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def uri(self):
        return f"turn:{self.host_port}?transport=udp"

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gst-ice-coturn-")
        self.log = open(os.path.join(self.folder.name, "log"), "w+")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        self.process = subprocess.Popen(
            [*self.prefix, "turnserver", "-n", "--no-cli", "--log-file=stdout",
             f"--listening-ip={self.address}", f"--relay-ip={self.address}", f"--listening-port={self.port}",
             "--allow-loopback-peers", "--lt-cred-mech", "--fingerprint",
             *([f"--user={USER}:{self.password}"] if self.password else []),
             "--realm=ice.test", f"--pidfile={self.folder.name}/pid", f"--userdb={self.folder.name}/db",
             "--min-port=49152", "--max-port=65535", *self.extra],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.wait_until_ready()

    def set_user(self, user, password):
        """In its database; it looks there when a nonce has aged."""
        subprocess.run(
            ["turnadmin", "--add", f"--userdb={self.folder.name}/db", "--realm=ice.test", f"--user={user}",
             f"--password={password}"], check=True, stdin=subprocess.DEVNULL, capture_output=True)

    def said(self):
        """Its log."""
        self.log.seek(0)
        return self.log.read()

    def kill(self):
        """Without a word to anybody."""
        self.process.kill()
        self.process.wait()

    def ready(self):
        if not self.prefix:
            return answers(self.address, self.port)
        return subprocess.run([*self.prefix, sys.executable, __file__, self.address, str(self.port)]).returncode == 0

    def wait_until_ready(self, timeout=10):
        deadline = time.monotonic() + timeout
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise RuntimeError(f"turnserver did not start:\n{self.log.read()}")

    def __exit__(self, *unused):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1], int(sys.argv[2])) else 1)
