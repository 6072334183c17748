# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real proxies of our own on loopback, ended with the test that started them."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import coturn

USER = "carol"
PASSWORD = "s3cret"


class Proxy:
    """with Proxy() as proxy: proxy.uri (), proxy.log_text ()."""

    program = None
    scheme = "http"

    def __init__(self, auth=False):
        self.auth = auth
        self.port = coturn.free_port()

    @classmethod
    def available(cls):
        path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
        return shutil.which(cls.program, path=path)

    def uri(self, password=PASSWORD):
        user = f"{USER}:{password}@" if self.auth else ""
        return f"{self.scheme}://{user}127.0.0.1:{self.port}"

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gst-ice-proxy-")
        self.path = pathlib.Path(self.folder.name)
        self.path.chmod(0o777)  # squid gives root away
        self.log = open(self.path / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [self.available(), *self.arguments()], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 15
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                text = self.log_text()
                self.__exit__()
                raise RuntimeError(f"{self.program} did not start:\n{text}")
            time.sleep(0.02)
        return self

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def log_text(self):
        return "\n".join(
            file.read_text(encoding="utf-8", errors="replace") for file in self.path.iterdir()
            if file.name.endswith("log"))

    def __exit__(self, *unused):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


class Tinyproxy(Proxy):
    """HTTP, with Basic."""

    program = "tinyproxy"

    def arguments(self):
        config = self.path / "conf"
        config.write_text(
            f"Port {self.port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 50\n"
            f"LogLevel Connect\n" + (f"BasicAuth {USER} {PASSWORD}\n" if self.auth else ""), encoding="utf-8")
        return ["-d", "-c", str(config)]


class Squid(Proxy):
    """HTTP, with Digest."""

    program = "squid"
    helper = "/usr/lib/squid/digest_file_auth"

    @classmethod
    def available(cls):
        return super().available() if os.path.exists(cls.helper) else None

    def arguments(self):
        config = self.path / "conf"
        users = self.path / "users"
        users.write_text(f"{USER}:{PASSWORD}\n", encoding="utf-8")
        users.chmod(0o644)
        config.write_text(
            f"auth_param digest program {self.helper} {users}\n"
            "auth_param digest children 1\nauth_param digest realm ice\n"
            "acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n"
            f"http_port 127.0.0.1:{self.port}\ncache deny all\npid_filename none\n"
            f"access_log stdio:{self.path}/access.log\ncache_log {self.path}/cache.log\n"
            "netdb_filename none\nshutdown_lifetime 0 seconds\nvisible_hostname proxy.test\n", encoding="utf-8")
        return ["-N", "-f", str(config)]


class Microsocks(Proxy):
    """SOCKS5, with user and password."""

    program = "microsocks"
    scheme = "socks5"

    def arguments(self):
        auth = ["-u", USER, "-P", PASSWORD] if self.auth else []
        return ["-i", "127.0.0.1", "-p", str(self.port), *auth]
