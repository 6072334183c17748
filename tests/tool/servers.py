#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-ice-1.0 turn and doctor, with a real server and with none.

  servers.py GST_ICE_TOOL PLUGIN_FOLDER
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import certificates
import coturn
import tap

TOOL = sys.argv[1]
PLUGINS = sys.argv[2]
OK, FAILED, USAGE = 0, 1, 2
# Nobody listens to the discard service here, and nothing may.
DEAD = "127.0.0.1:9"
# What an error may take, and what a busy machine and a sanitizer add.
SOON = 2 + (30 if b"libasan" in pathlib.Path(TOOL).read_bytes() else 3)


def tool(*arguments, expect=OK, **environment):
    """(standard output, standard error, seconds) of a run that ends as expected."""
    began = time.monotonic()
    run = subprocess.run(
        [TOOL, *arguments], env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60)
    assert run.returncode == expect, f"{arguments}: exit {run.returncode}\n{run.stdout}{run.stderr}"
    assert coturn.PASSWORD not in run.stdout + run.stderr, "the password is shown"
    return run.stdout, run.stderr, time.monotonic() - began


def need_coturn():
    if not coturn.available():
        raise tap.Skip("no turnserver: apt-get install coturn")


def with_coturn(function, extra=()):
    need_coturn()
    with coturn.Coturn(extra=extra) as turn:
        function(turn)


def uri(turn, more="", password=coturn.PASSWORD):
    return f"turn:{coturn.USER}:{password}@{turn.host_port}{more}"


def turn_works(turn):
    """Every step, in order, and all packets back; what the page documents is there."""
    for more in ("", "?transport=tcp"):
        output, _, _ = tool("turn", "--json", "--seconds", "0.5", "--rate", "200", uri(turn, more))
        found = json.loads(output)
        assert found["ok"] and found["lifetime"] == 600, found
        assert "oturn" in found["software"], found
        assert found["relayed-address"].startswith("127.0.0.1:"), found
        steps = list(found["steps"].values())
        assert list(found["steps"]) == ["allocate", "permission", "channel"] and steps == sorted(steps), found
        echo = found["echo"]
        assert echo["sent"] == 100 and echo["received"] >= 99, found
        assert 0 < echo["rtt-min"] <= echo["rtt-median"] <= echo["rtt-max"] < 1, found
        tap.comment(f"{more or 'udp'}: {found['steps']} {echo}")


def turn_tls():
    """The certificate is checked, and a relay behind a right one is as good as any."""
    need_coturn()
    if not certificates.available():
        raise tap.Skip("no openssl: apt-get install openssl")
    with certificates.Authority() as ca, coturn.Coturn(secure=ca.issue()) as turn:
        server = f"turns:{coturn.USER}:{coturn.PASSWORD}@127.0.0.1:{turn.secure_port}"
        output, _, _ = tool("turn", "--json", "--seconds", "0.2", "--ca-file", str(ca.certificate), server)
        assert json.loads(output)["ok"], output
        output, _, seconds = tool("turn", "--json", server, expect=FAILED)
        assert "unknown" in json.loads(output)["error"]["text"] and seconds < SOON, output


def turn_text(turn):
    output, _, _ = tool("turn", "--seconds", "0.2", uri(turn))
    assert [line.split()[0] for line in output.splitlines()[1:6]] == [
        "software", "allocate", "permission", "channel", "echo"], output
    assert "100 packets a second" in output and "The relay works." in output, output


def turn_environment(turn):
    """Where other users of the machine do not see the password."""
    output, _, _ = tool("turn", "--seconds", "0.1", f"turn:{turn.host_port}", TURN_USER=coturn.USER,
                        TURN_PASS=coturn.PASSWORD)
    assert "The relay works." in output, output


def turn_secret(turn):
    """Credentials of a shared secret (draft-uberti-behave-turn-rest-00)."""
    output, error, _ = tool("turn", "--seconds", "0.1", "--json", f"turn:{turn.host_port}", TURN_SECRET="north-wind")
    assert json.loads(output)["ok"] and "north-wind" not in output + error
    output, _, _ = tool("turn", "--json", f"turn:{turn.host_port}", TURN_SECRET="south-wind", expect=FAILED)
    assert json.loads(output)["error"]["code"] == 401, output


def turn_wrong_password(turn):
    output, _, seconds = tool("turn", "--json", uri(turn, password="wrong-one"), expect=FAILED)
    found = json.loads(output)
    assert not found["ok"] and found["error"]["code"] == 401 and found["echo"]["sent"] == 0, found
    assert "refuses user name or password" in found["error"]["text"] and seconds < SOON, found


def turn_nothing_passes(turn):
    """Allocations, and a server that relays to nobody: the step and the cure are named."""
    output, _, _ = tool("turn", uri(turn), expect=FAILED)
    assert re.search(r"^allocate +[\d.]+ ms", output, re.M), output
    assert "no check passes the relay" in output and "external-ip" in output, output
    assert "echo" not in output, output


def turn_dead():
    for server in (f"turn:a:b@{DEAD}", f"turn:a:b@{DEAD}?transport=tcp", f"turns:a:b@{DEAD}",
                   "turn:a:b@no-such-host.invalid"):
        output, _, seconds = tool("turn", "--json", server, expect=FAILED)
        found = json.loads(output)
        assert not found["ok"] and not found["steps"] and found["error"]["code"] == 701, found
        host = server.partition("@")[2].partition("?")[0]
        assert host in found["error"]["text"], found
        # A resolver of this machine may take its time.
        assert seconds < (SOON if "127" in server else 15), (server, seconds)


def turn_usage():
    for arguments, word in (((), "turn:HOST"), (("stun:127.0.0.1",), "turn:"), (("turn:",), "host"),
                            (("turn:a:b@h", "--rate", "0"), "--rate"), (("turn:a:b@h", "--size", "9999"), "--size"),
                            (("turn:a:b@h", "--seconds", "0"), "--seconds"),
                            (("turn:a:b@h", "--ca-file", "/nowhere"), "/nowhere")):
        output, error, seconds = tool("turn", *arguments, expect=USAGE)
        assert word in error and not output and seconds < SOON, (arguments, output, error)
    assert "--json" in tool("turn", "--help")[0]


def findings(output):
    found = json.loads(output)
    for finding in found["findings"]:
        assert set(finding) <= {"kind", "check", "text", "cure"} and finding["text"], finding
    for kind in ("ok", "note", "warning", "failed"):
        assert found[kind] == sum(finding["kind"] == kind for finding in found["findings"]), found
    assert found["verdict"]
    return {finding["check"]: finding for finding in found["findings"]}


def doctor_well(turn):
    output, _, _ = tool("doctor", "--quick", "--json", "-s", turn.host_port, "-t", uri(turn))
    found = findings(output)
    assert {"plugins", "clock", "stun", "turn", "turn by TCP", "firewall", "port mapping", "mdns", "proxy"} <= set(found)
    for check in ("stun", "turn", "turn by TCP", "firewall"):
        assert found[check]["kind"] == "ok", found[check]


def doctor_text(turn):
    output, _, _ = tool("doctor", "--quick", "-s", turn.host_port)
    assert re.search(r"^ok +stun ", output, re.M) and re.search(r"^ok +firewall +UDP gets out", output, re.M), output


def doctor_dead():
    output, _, _ = tool("doctor", "--quick", "--json", "-s", DEAD, "-t", f"turn:a:b@{DEAD}", expect=FAILED)
    found = findings(output)
    assert found["stun"]["kind"] == found["turn"]["kind"] == found["firewall"]["kind"] == "failed", found
    assert DEAD in found["stun"]["text"] and "ping" in found["firewall"]["cure"], found


def doctor_wrong_password(turn):
    output, _, _ = tool("doctor", "-q", "--json", "-t", uri(turn, password="wrong-one"), expect=FAILED)
    assert "401" in findings(output)["turn"]["text"], output


def doctor_plugins():
    """Those that are missing, and where they are found."""
    output, _, _ = tool("doctor", "-q", "--json", GST_PLUGIN_SYSTEM_PATH_1_0="/nowhere", GST_PLUGIN_PATH_1_0="/nowhere",
                        GST_REGISTRY="/dev/null")
    assert "rtpvp8pay" in output and "gstreamer1.0-plugins-good" in output, output


def doctor_proxy():
    proxy = "http://somebody:" + coturn.PASSWORD + "@192.0.2.80:3128"
    found = findings(tool("doctor", "-q", "--json", http_proxy=proxy, https_proxy=proxy)[0])
    assert "192.0.2.80" in found["proxy"]["text"] or found["proxy"]["text"] == "none is set", found


def doctor_usage():
    for arguments, word in ((("x",), "“x”"), (("-s", "a:b:c"), "port"), (("-t", "http://h"), "turn"),
                            (("--ca-file", "/nowhere"), "/nowhere")):
        output, error, _ = tool("doctor", *arguments, expect=USAGE)
        assert word in error and not output, (arguments, output, error)


def page(turn):
    """The lines of the reference that begin with $ run as they stand there; but
    for serve, which does not end: tests/websocket has it."""
    text = (ROOT / "docs/reference/gst-ice-1.0.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    \$ gst-ice-1\.0 (?!serve)(.*)$", text, re.M)
    assert len(lines) >= 3, lines
    for line in lines:
        line = line.replace("relay.example.org:3478", turn.host_port).replace("alice:secret", f"{coturn.USER}:{coturn.PASSWORD}")
        line = line.replace("stun.example.org", turn.host_port)
        tool(*shlex.split(line))


def main():
    private = ["--denied-peer-ip=0.0.0.0-255.255.255.255"]
    secret = ["--use-auth-secret", "--static-auth-secret=north-wind"]
    tap.run([
        ("turn: every step", lambda: with_coturn(turn_works)),
        ("turn: TLS", turn_tls),
        ("turn: as text", lambda: with_coturn(turn_text)),
        ("turn: credentials of the environment", lambda: with_coturn(turn_environment)),
        ("turn: credentials of a secret", lambda: with_coturn(turn_secret, secret)),
        ("turn: wrong password", lambda: with_coturn(turn_wrong_password)),
        ("turn: nothing passes", lambda: with_coturn(turn_nothing_passes, private)),
        ("turn: nobody there", turn_dead),
        ("turn: usage", turn_usage),
        ("doctor: all is well", lambda: with_coturn(doctor_well)),
        ("doctor: as text", lambda: with_coturn(doctor_text)),
        ("doctor: nobody there", doctor_dead),
        ("doctor: wrong password", lambda: with_coturn(doctor_wrong_password)),
        ("doctor: plugins", doctor_plugins),
        ("doctor: proxy", doctor_proxy),
        ("doctor: usage", doctor_usage),
        ("what the page shows", lambda: with_coturn(page)),
    ])


if __name__ == "__main__":
    main()
