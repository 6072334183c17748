#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-ice-1.0 as a user meets it: what it prints, and its exit status.

  tool.py GST_ICE_TOOL
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import coturn
import pair
import tap

TOOL = sys.argv[1]
OK, FAILED, USAGE = 0, 1, 2


def tool(*arguments, expect=OK, **environment):
    """(standard output, standard error) of a run that ends as expected."""
    run = subprocess.run(
        [TOOL, *arguments], env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60)
    assert run.returncode == expect, f"{arguments}: exit {run.returncode}\n{run.stdout}{run.stderr}"
    return run.stdout, run.stderr


def usage():
    assert "peer" in tool("--help")[0]
    assert "gst-ice-1.0" in tool("--version")[0]
    assert "Usage" in tool(expect=USAGE)[1]
    assert "no command" in tool("dance", expect=USAGE)[1]
    assert "REMOTE" in tool("peer", "--help")[0]
    assert "--json" in tool("gather", "--help")[0]


def peer_settings():
    """What this version cannot do and what nobody can read is said at once."""
    for setting, word in (
            ({"TCP": "maybe"}, "TCP"), ({"LITE": "2"}, "LITE"), ({"NOMINATION": "bold"}, "NOMINATION"),
            ({"SECONDS": "soon"}, "SECONDS"), ({"RATE": "0"}, "RATE"),
            ({"ICE_ROLE": "boss"}, "ICE_ROLE"), ({"MODE": "half"}, "MODE"), ({"RELAY_ONLY": "yes"}, "RELAY_ONLY"),
            ({"TURN_URI": "http://example.org"}, "http"), ({"TURN_URI": "turn:"}, "turn")):
        output, error = tool("peer", expect=USAGE, **setting)
        assert word in error and not output, (setting, output, error)


def peer_without_peer():
    """Standard input ends before anybody spoke: that is not waited out."""
    output, error = tool("peer", expect=FAILED)
    lines = output.splitlines()
    for start in ("LOCAL a=ice-ufrag:", "LOCAL a=ice-pwd:", "LOCAL a=ice-options:", "RX 0", "LOST 0"):
        assert any(line.startswith(start) for line in lines), f"no {start} in {output}"
    assert "standard input ended" in error
    # RFC 8839 4.2.1 and 5.3.
    output, _ = tool("peer", expect=FAILED, LITE="1")
    assert "LOCAL a=ice-lite" in output and "ice-pacing" not in output, output


def peer_rate():
    """RATE and SECONDS are kept, and every packet is counted."""
    settings = {"SECONDS": "1.5", "RATE": "2000"}
    left = pair.Agent("left", [TOOL, "peer"], {**settings, "ICE_ROLE": "controlling"})
    right = pair.Agent("right", [TOOL, "peer"], {**settings, "ICE_ROLE": "controlled"})
    assert pair.run(left, right)
    for agent in (left, right):
        tap.comment(agent.report())
        assert agent.process.returncode == OK
        assert agent.received + agent.lost == 3000, agent.report()
        assert agent.lost <= 30, agent.report()
        assert "connected" in [name for name, _ in agent.states], agent.states


def peer_bad_lines():
    """Lines nobody can read are complained of, and the call goes on."""
    settings = {"SECONDS": "0.3"}
    left = pair.Agent("left", [TOOL, "peer"], {**settings, "ICE_ROLE": "controlling"})
    right = pair.Agent("right", [TOOL, "peer"], {**settings, "ICE_ROLE": "controlled"})
    for line in (b"nonsense\n", b"REMOTE a=candidate:broken\n", b"REMOTE a=rtpmap:0 PCMU/8000\n", b"REMOTE \xff\xfe\n", b"\n"):
        left.process.stdin.write(line)
    assert pair.run(left, right)
    assert left.process.returncode == right.process.returncode == OK
    assert "does not begin with REMOTE" in "\n".join(left.log)


def gather_table():
    output, _ = tool("gather")
    rows = output.splitlines()
    assert rows[0].split()[:4] == ["seconds", "type", "proto", "address"]
    assert any(" host " in row for row in rows[1:])
    assert "Give a STUN server" in rows[-1]


def with_coturn(function):
    if not coturn.available():
        raise tap.Skip("no turnserver: apt-get install coturn")
    with coturn.Coturn() as turn:
        function(turn)


def gather_relay(turn):
    server = f"{coturn.USER}:{coturn.PASSWORD}@{turn.host_port}"
    output, error = tool("gather", "--json", "-t", f"turn:{server}")
    found = json.loads(output)
    relayed = [c for c in found["candidates"] if c["type"] == "relay"]
    assert relayed and relayed[0]["address"] == turn.address, found
    assert found["complete"] and not found["errors"]
    assert coturn.PASSWORD not in output + error


def gather_wrong_password(turn):
    output, error = tool("gather", "--json", "-t", f"turn:{coturn.USER}:wrong-one@{turn.host_port}", expect=FAILED)
    found = json.loads(output)
    assert [e["code"] for e in found["errors"]] == [401], found
    assert "wrong-one" not in output + error


def gather_dead_server():
    port = coturn.free_port()
    output, _ = tool("gather", "--json", "--timeout", "3", "-s", f"127.0.0.1:{port}", expect=FAILED)
    found = json.loads(output)
    assert found["candidates"] and not found["complete"]
    assert [e["code"] for e in found["errors"]] == [701], found


def gather_bad_server():
    _, error = tool("gather", "-s", "http://example.org", expect=USAGE)
    assert "stun" in error


def nat_usage():
    for arguments, word in (((), "--server"), (("-s", "http://example.org"), "port"), (("-s", "127.0.0.1", "x"), "“x”"),
                            (("-s", "127.0.0.1", "--lifetime", "-1"), "--lifetime")):
        output, error = tool("nat", *arguments, expect=USAGE)
        assert word in error and not output, (arguments, output, error)


def nat_of_loopback():
    """coturn does RFC 5780 as soon as it has two addresses."""
    if not coturn.available():
        raise tap.Skip("no turnserver: apt-get install coturn")
    with coturn.Coturn(extra=["--listening-ip=127.0.0.2"]) as turn:
        output, _ = tool("nat", "--json", "--server", turn.host_port)
        found = json.loads(output)
        assert found["mapped-address"] == found["local-address"] and not found["nat"], found
        assert found["other-address"].startswith("127.0.0.2:") and found["supported"], found
        assert found["mapping"] == found["filtering"] == "endpoint-independent", found
        assert found["fragments"] and "hairpinning" not in found, found
        output, _ = tool("nat", STUN_SERVER=turn.host_port)
        rows = output.splitlines()
        assert "NAT              no" in rows and rows[-1].startswith("There is no NAT"), output


def nat_single_address(turn):
    """It shows that there is no NAT, and nothing of a firewall."""
    output, _ = tool("nat", "--json", "-s", turn.host_port)
    found = json.loads(output)
    assert not found["supported"] and not found["nat"] and "filtering" not in found, found


def nat_dead_server():
    output, error = tool("nat", "-s", f"127.0.0.1:{coturn.free_port()}", expect=FAILED)
    assert not output and "does not answer" in error, (output, error)


if __name__ == "__main__":
    tap.run([
        ("usage", usage),
        ("peer: settings", peer_settings),
        ("peer: nobody there", peer_without_peer),
        ("peer: 2000 packets a second", peer_rate),
        ("peer: lines nobody can read", peer_bad_lines),
        ("gather: table", gather_table),
        ("gather: a relay", lambda: with_coturn(gather_relay)),
        ("gather: wrong password", lambda: with_coturn(gather_wrong_password)),
        ("gather: dead server", gather_dead_server),
        ("gather: not a server", gather_bad_server),
        ("nat: usage", nat_usage),
        ("nat: no NAT on loopback", nat_of_loopback),
        ("nat: a server with one address", lambda: with_coturn(nat_single_address)),
        ("nat: dead server", nat_dead_server),
    ])
