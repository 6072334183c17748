#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls by way of kamailio, as registrar and proxy over TLS; what it refuses; and what happens when it dies."""

import functools
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import phones  # noqa: E402
from phones import BYE, CONNECTED, expect_error, hangs_up, hears, phone

import certificates  # noqa: E402
import tap  # noqa: E402

PASSWORD = "s3cret@/?&=#%"
WRONG = "Sesame-Cl0sed"

# RFC 5922 7.1: a server is known by a URI or a name, not by an address.
NAMES = "URI:sip:127.0.0.1,DNS:localhost"

# Kamailio 5.6 signs nothing in TLS 1.3 where OpenSSL is 3.0.
CONFIG = """#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=2
tcp_connection_lifetime=3600
disable_tcp=no
enable_tls=yes
auto_aliases=no
alias="127.0.0.1:{port}"
listen=tls:127.0.0.1:{port}
mpath="{modules}"
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "nathelper.so"
modparam("tls", "tls_method", "TLSv1.2")
modparam("tls", "private_key", "{key}")
modparam("tls", "certificate", "{certificate}")
modparam("registrar", "received_avp", "$avp(RECEIVED)")
modparam("nathelper", "received_avp", "$avp(RECEIVED)")
request_route {{
  if (!mf_process_maxfwd_header("10")) {{
    sl_send_reply("483", "Too Many Hops");
    exit;
  }}
  force_rport();
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("$td", "{password}", "0")) {{
      www_challenge("$td", "0");
      exit;
    }}
    fix_nated_register();
    save("location");
    exit;
  }}
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  if (has_totag()) {{
    if (loose_route()) {{
      handle_ruri_alias();
      t_relay();
    }} else if (!is_method("ACK")) {{
      sl_send_reply("404", "Not Here");
    }} else if (t_check_trans()) {{
      t_relay();
    }}
    exit;
  }}
  t_check_trans();
  if (!pv_proxy_authenticate("$fd", "{password}", "0")) {{
    proxy_challenge("$fd", "0");
    exit;
  }}
  consume_credentials();
  record_route();
  add_contact_alias();
  if (!lookup("location")) {{
    sl_send_reply("404", "Not Found");
    exit;
  }}
  t_on_reply("ANSWERED");
  t_relay();
}}
onreply_route[ANSWERED] {{
  add_contact_alias();
}}
"""


def modules():
    for path in pathlib.Path("/usr/lib").glob("*/kamailio/modules/tls.so"):
        return f"{path.parent}/"
    return None


def program():
    return shutil.which("kamailio", path=os.environ.get("PATH", "") + ":/usr/sbin")


class Kamailio:
    """with Kamailio(ca) as server: server.port, server.kill()."""

    def __init__(self, ca, identity=None):
        self.identity = identity or ca.issue(NAMES)
        self.ca, self.port, self.process = ca, phones.free_port(), None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gst-ice-kamailio-")
        self.path = pathlib.Path(self.folder.name)
        config = self.path / "config"
        config.write_text(CONFIG.format(port=self.port, modules=modules(), key=self.identity.key,
                                        certificate=self.identity.certificate, password=PASSWORD))
        self.log = open(self.path / "log", "w+", encoding="utf-8")
        try:
            self.start(config)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, config):
        # In the foreground, in one process group, with no control socket.
        self.process = subprocess.Popen(
            [program(), "-DD", "-E", "-f", config, "-m", "32", "-M", "8", "-Y", self.path, "-w", self.path],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + 15
        while not self.listens():
            assert self.process.poll() is None and time.monotonic() < deadline, self.text()
            time.sleep(0.02)

    def text(self):
        return (self.path / "log").read_text(errors="replace")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()

    def registers(self, user="bob", password=PASSWORD):
        return f"sips:{user}:{urllib.parse.quote(password, safe='')}@127.0.0.1:{self.port}?register=1"

    def calls(self, user="bob", password=PASSWORD):
        return f"sips:{user}@127.0.0.1:{self.port}?user=alice&password={urllib.parse.quote(password, safe='')}"

    def trust(self):
        return f"ca-file={self.ca.certificate}"

    def __exit__(self, *unused):
        self.kill()
        self.log.close()
        self.folder.cleanup()


def registered(shell):
    shell.wait_for(r"ice-sip .* registered as", timeout=30)


def wait_phone(server, properties=""):
    return phone(server.registers(), f"{server.trust()} {properties}", 440, GST_DEBUG="ice-sip:4")


def call(caller_ends):
    with certificates.Authority() as ca, Kamailio(ca) as server, wait_phone(server) as callee:
        registered(callee)
        with phone(server.calls(), server.trust()) as caller:
            for shell in (caller, callee):
                shell.wait_for(CONNECTED)
                hears(shell)
            ends, other = (caller, callee) if caller_ends else (callee, caller)
            assert hangs_up(ends, other) == "bye"
            assert not caller.count("^(WARNING|ERROR)"), caller.output
            assert PASSWORD not in caller.output + callee.output


def died():
    """The proxy is gone in mid-call: who asks whether the peer is there, is told so."""
    with certificates.Authority() as ca, Kamailio(ca) as server, wait_phone(server) as callee:
        registered(callee)
        with phone(server.calls(), server.trust()) as caller:
            for shell in (caller, callee):
                hears(shell)
            server.kill()
            start = time.monotonic()
            for shell in (caller, callee):
                _, match = shell.wait_for(BYE, timeout=20)
                assert match.group(1) == "lost"
            tap.comment(f"after {time.monotonic() - start:.2f} s")


def secrets():
    """Neither passwords nor what is as good as one, with all logs of ours and of sofia."""
    logs = {"GST_DEBUG": "ice*:7", "GST_DEBUG_NO_COLOR": "1", "SOFIA_DEBUG": "9", "TPORT_LOG": "1"}
    with certificates.Authority() as ca, Kamailio(ca) as server:
        with phone(server.registers(), server.trust(), 440, **logs) as callee:
            registered(callee)
            with phone(server.calls(), server.trust(), **logs) as caller:
                for shell in (caller, callee):
                    shell.wait_for(CONNECTED)
            for shell in (caller, callee):
                assert shell.count("sofia: ") > 20, "nothing was logged"
                for secret in (PASSWORD, "ice-pwd", "MD5("):
                    assert secret not in shell.output, secret


def refused(registers):
    with certificates.Authority() as ca, Kamailio(ca) as server:
        uri = (server.registers if registers else server.calls)(password=WRONG)
        expect_error(uri, server.trust(), "turn-auth", "does not take the password", WRONG)


def no_password():
    with certificates.Authority() as ca, Kamailio(ca) as server:
        expect_error(f"sips:bob@127.0.0.1:{server.port}", server.trust(), "turn-auth", "asks for a password")


def unknown():
    with certificates.Authority() as ca, Kamailio(ca) as server:
        expect_error(server.calls("nobody"), server.trust(), "signalling-lost", "is not known there")


def unregistered():
    """Who leaves is not called any more."""
    with certificates.Authority() as ca, Kamailio(ca) as server:
        with wait_phone(server) as callee:
            registered(callee)
            callee.interrupt()
        expect_error(server.calls(), server.trust(), "signalling-lost", "is not known there")


def untrusted(issue, words):
    with certificates.Authority() as ca, certificates.Authority() as other:
        with Kamailio(ca, issue(ca, other)) as server:
            expect_error(server.calls(), server.trust(), "tls-untrusted", words)
            expect_error(server.registers(), server.trust(), "tls-untrusted", words)


BAD = {
    "an unknown authority": (lambda ca, other: other.issue(NAMES), "issuer certificate"),
    "another host": (lambda ca, other: ca.issue("DNS:other.example"), "for another host"),
    "self-signed": (lambda ca, other: ca.self_signed(NAMES), "self-signed"),
    "expired": (lambda ca, other: ca.issue(NAMES, days=-1), "expired"),
}


def main():
    if program() is None or modules() is None:
        tap.skip_all("no kamailio with TLS: apt-get install kamailio kamailio-tls-modules")
        return
    if not certificates.available():
        tap.skip_all("no openssl: apt-get install openssl")
        return
    cases = [
        ("the caller hangs up", functools.partial(call, True)),
        ("the callee hangs up", functools.partial(call, False)),
        ("/rfc3261/22.2/wrong-password-to-register", functools.partial(refused, True)),
        ("/rfc3261/22.3/wrong-password-to-call", functools.partial(refused, False)),
        ("no secret is logged", secrets),
        ("no password", no_password),
        ("somebody unknown", unknown),
        ("/rfc3261/10.2.2/registration-is-removed", unregistered),
        ("the proxy dies", died),
    ]
    for name, (issue, words) in BAD.items():
        cases.append((f"a certificate of {name}", functools.partial(untrusted, issue, words)))
    tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
