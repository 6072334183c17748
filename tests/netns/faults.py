#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers and lines that fail while a call goes on.

  faults.py GST_ICE_TOOL
"""

import pathlib
import re
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]

import certificates
import coturn
import driver
import lab
import tap
from patience import stretched

RATE = 100


def play(tool, place, environment, seconds, *events, left=None, right=None):
    """A call, and (seconds after it connected, function) that happen meanwhile."""
    timers = [threading.Timer(at, function) for at, function in events]

    def begin():
        for timer in timers:
            timer.start()

    try:
        return driver.call(
            tool, place, {**environment, "SECONDS": str(seconds), "RATE": str(RATE)}, left, right, received=0.3,
            connected=begin)
    finally:
        for timer in timers:
            timer.cancel()
            if timer.ident:
                timer.join()


def lost(agents, most):
    """Packets of both ways, as seconds."""
    for agent in agents:
        assert agent.lost <= stretched(most) * RATE, f"{agent.name} lost {agent.lost} packets: more than {most} s"


def server_dies_direct(tool):
    """A direct call has no use for its TURN server."""
    with lab.Lab("port-restricted", "port-restricted") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            lost(play(tool, place, driver.servers(turn), 5, (2, turn.kill)), 0.2)


URIS = {
    "UDP": f"turn:{lab.SERVER}:3478?transport=udp",
    "TCP": f"turn:{lab.SERVER}:3478?transport=tcp",
    "TLS": f"turns:{lab.SERVER}:443?transport=tcp",
    "DTLS": f"turns:{lab.SERVER}:443?transport=udp",
}


def relayed(tool, transport, right, most, fault, **environment):
    """A relayed call: the allocation is gone, and is made again (issue 4)."""
    with lab.Lab("symmetric", right) as place, certificates.Authority() as authority:
        identity = authority.issue(f"IP:{lab.SERVER}")
        with coturn.Coturn(
                lab.SERVER, 3478, prefix=place.prefix("wan"), secure=identity, secure_port=443) as turn:
            environment = {**driver.servers(turn), "TURN_URI": URIS[transport], "CA_FILE": str(authority.certificate),
                           **environment}
            agents = play(
                tool, place, environment, 12, (3, lambda: fault(place, turn)), left={"RELAY_ONLY": "1"})
            assert agents[0].relayed, agents[0].pair
            for agent in agents:
                assert not any(line.startswith("RESTART") for line in agent.log), agent.log
                assert len(agent.pairs) > 1, f"{agent.name} stayed on {agent.pairs}"
            lost(agents, most)


def restart(place, turn):
    turn.kill()
    turn.start()


def forget_connections(place, turn):
    """The NAT of one side: what comes from there now, the server does not know."""
    place.rebind("a")


def stale_nonces(tool):
    """RFC 8489 9.2.5: a nonce that is good for two seconds costs nothing when a
    restart in mid-call has the allocation looked at."""
    with lab.Lab("symmetric", "symmetric") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan"), extra=["--stale-nonce=2", "--verbose"]) as turn:
            agents = play(tool, place, driver.servers(turn), 8, left={"RESTART_AFTER": "4"})
            lost(agents, 0.2)
            assert all(agent.relayed for agent in agents)
            log = turn.said()
    # Each line begins with its second. The restart comes four of them before
    # the farewell, whose nonces are stale as well.
    refused = [int(second) for second in re.findall(r"^(\d+): .* error 438", log, re.M)]
    farewell = [int(second) for second in re.findall(r"^(\d+): .* refreshed, .*lifetime=0$", log, re.M)]
    tap.comment(f"refused in the seconds {refused}, farewell in {farewell}")
    assert refused and farewell and refused[0] <= farewell[0] - 2, log[-4000:]


def other_credentials(tool, user):
    """RFC 8656 5: what one user has allocated is not another one's, and coturn
    says 441 to that without signing it. The call goes on by what it has.
    A new password of the same user is taken at once."""
    with lab.Lab("symmetric", "symmetric") as place:
        with coturn.Coturn(
                lab.SERVER, 3478, prefix=place.prefix("wan"), extra=["--stale-nonce=2", "--verbose"],
                password=None) as turn:
            turn.set_user(coturn.USER, coturn.PASSWORD)
            environment = {**driver.servers(turn), "TURN_NEXT_AFTER": "2.5", "TURN_NEXT_USER": user,
                           "TURN_NEXT_PASS": "looking-glass"}
            # What is there already the restart has looked at, by a Refresh.
            agents = play(
                tool, place, environment, 8, (2, lambda: turn.set_user(user, "looking-glass")),
                left={"RESTART_AFTER": "4"})
            lost(agents, 0.2)
            assert all(agent.relayed for agent in agents)
            log = turn.said()
    assert ("error 441" in log) == (user != coturn.USER), log[-4000:]
    # Each end of the call: its allocation, and nothing in its place.
    assert len(re.findall(r"ALLOCATE processed, success", log)) == 2, log[-4000:]
    refreshed = re.findall(r"session (\d+): refreshed, .*lifetime=600$", log, re.M)
    assert len(set(refreshed)) == 2, log[-4000:]


def another_password(tool):
    """coturn is restarted, and does not take the password any more: media flows
    again when the application has configured the new one."""
    with lab.Lab("symmetric", "address-restricted") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            def restart():
                turn.kill()
                turn.password = "looking-glass"
                turn.start()

            left = {"RELAY_ONLY": "1", "TURN_NEXT_AFTER": "5", "TURN_NEXT_USER": coturn.USER,
                    "TURN_NEXT_PASS": "looking-glass"}
            alice, bob = play(tool, place, driver.servers(turn), 12, (3, restart), left=left)
            # Two seconds until it is configured.
            lost((alice, bob), 4)
            assert any(": 401 " in line for line in alice.log), alice.log
            assert alice.relayed and len(alice.pairs) > 1, alice.pairs


def quota(tool):
    """RFC 8656 7.2: 486 to one side costs it its relay, and not the call."""
    with lab.Lab("symmetric", "symmetric") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan"), extra=["--user-quota=1"]) as turn:
            agents = driver.call(tool, place, driver.servers(turn))
            with_relay = [agent.name for agent in agents if "relay" in agent.candidate_types()]
            assert len(with_relay) == 1, with_relay
            assert all(agent.relayed for agent in agents)
            assert any("486" in line for agent in agents for line in agent.log)


def blackout(tool):
    """Nothing passes for four seconds: the same pair goes on after that."""
    with lab.Lab("port-restricted", "none") as place:
        agents = play(
            tool, place, {}, 11, (2, lambda: place.blackhole("a")), (6, lambda: place.blackhole("a", False)))
        lost(agents, 5.5)


def narrow(tool):
    """A line of 600 bytes that drops what is larger: checks and small packets
    pass, and nothing waits for an ICMP that does not come."""
    with lab.Lab("port-restricted", "symmetric", mtu=600) as place:
        for side in "ab":
            place.boxes[f"nat-{side}"].nft(
                "table inet hole { chain out { type filter hook output priority 0; icmp type destination-unreachable drop; } ; }")
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            lost(driver.call(tool, place, driver.servers(turn)), 0.1)


def slow_line(tool):
    """512 kbit/s each way: two thirds of it are media."""
    with lab.Lab("port-restricted", "port-restricted", rate="512kbit") as place:
        with coturn.Coturn(lab.SERVER, 3478, prefix=place.prefix("wan")) as turn:
            lost(driver.call(tool, place, {**driver.servers(turn), "RATE": "200", "SECONDS": "3"}), 0.1)


def main():
    tool = sys.argv[1]
    reason = lab.unavailable()
    if not reason and not coturn.available():
        reason = "no turnserver: apt-get install coturn"
    if not reason and not certificates.available():
        reason = "no openssl: apt-get install openssl"
    if reason:
        tap.skip_all(reason)
        return
    tap.run([
        ("coturn dies under a direct call", lambda: server_dies_direct(tool)),
        *[(f"coturn restarts under a call that is relayed twice, {transport}",
           lambda transport=transport, most=most: relayed(tool, transport, "symmetric", most, restart, CONTINUAL="1"))
          for transport, most in (("UDP", 3), ("TCP", 5))],
        # Nobody hears of the new allocation: the peer meets it by a check.
        *[(f"coturn restarts under a relayed call, no word of it, {transport}",
           lambda transport=transport, most=most: relayed(tool, transport, "address-restricted", most, restart))
          for transport, most in (("UDP", 3), ("TCP", 5), ("TLS", 5), ("DTLS", 5))],
        *[(f"a NAT forgets the connection, no word of it, {transport}",
           lambda transport=transport: relayed(tool, transport, "symmetric", 5, forget_connections))
          for transport in ("TCP", "TLS")],
        ("nonces that age", lambda: stale_nonces(tool)),
        ("another user in mid-call", lambda: other_credentials(tool, "1795370000:alice")),
        ("another password in mid-call", lambda: other_credentials(tool, coturn.USER)),
        ("coturn restarts with another password", lambda: another_password(tool)),
        ("a quota of one allocation", lambda: quota(tool)),
        ("a blackout of four seconds", lambda: blackout(tool)),
        ("a narrow line, and no word of it", lambda: narrow(tool)),
        ("a slow line", lambda: slow_line(tool)),
    ], at_once=4)


if __name__ == "__main__":
    main()
