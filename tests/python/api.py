#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public method and signal of the GIR, from Python.

  api.py GstIce-1.0.gir

The last case reads the GIR and fails when something in it was not used here.
"""

import pathlib
import socket
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from support import CONTEXT, GLib, Gst, GstIce, RefusingTurnServer, Side, connect_pair, make_agent, trickle, wait

import gircoverage
import tap
from gi.repository import Gio, GObject

LINE = "candidate:3 1 udp 1677729535 203.0.113.9 40001 typ srflx raddr 10.0.0.2 rport 5000 ufrag EsAw"
UNREACHABLE = "candidate:1 1 udp 2130706431 198.51.100.77 9 typ host"
VP8 = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"

coverage = gircoverage.Coverage(sys.argv[1], GstIce)


def raises(domain_code, function, *arguments):
    try:
        function(*arguments)
    except GLib.Error as error:
        assert error.matches(GstIce.error_quark(), domain_code), error
        return
    raise AssertionError(f"{function} did not fail")


def candidate():
    parsed = GstIce.Candidate.new_from_sdp(LINE)
    assert parsed.get_kind() == GstIce.CandidateKind.SERVER_REFLEXIVE
    assert (parsed.get_address(), parsed.get_port()) == ("203.0.113.9", 40001)
    assert (parsed.get_related_address(), parsed.get_related_port()) == ("10.0.0.2", 5000)
    assert (parsed.get_protocol(), parsed.get_component(), parsed.get_priority()) == ("udp", 1, 1677729535)
    assert (parsed.get_foundation(), parsed.get_ufrag()) == ("3", "EsAw")
    assert parsed.get_tcp_type() is None and parsed.get_relay_protocol() is None and parsed.get_url() is None
    again = GstIce.Candidate.new_from_sdp(parsed.to_sdp())
    assert again.to_sdp() == parsed.to_sdp()
    raises(GstIce.Error.INVALID_CANDIDATE, GstIce.Candidate.new_from_sdp, "candidate:nonsense")


def names():
    one = GstIce.Agent.get_by_name("python-test")
    assert one == GstIce.Agent.get_by_name("python-test")
    assert one.get_name() == "python-test"
    assert GstIce.Agent.new() != GstIce.Agent.new()


def pacing():
    assert GstIce.get_process_pacing() == 5
    GstIce.set_process_pacing(0)
    assert GstIce.get_process_pacing() == 0
    GstIce.set_process_pacing(5)


def packets():
    """One packet, a list, and the end: by signal and by receive()."""
    alice, bob = connect_pair(coverage)
    got = []
    coverage.listen(bob.transport, "packet", lambda _, packet: got.append(packet.get_data()))
    assert alice.transport.send(GLib.Bytes(b"one"))
    buffers = Gst.BufferList.new()
    for text in (b"two", b"three"):
        buffers.insert(-1, Gst.Buffer.new_wrapped(text))
    assert alice.transport.send_list(buffers) == (True, 2)
    wait(lambda: len(got) == 3, "packets by signal")
    assert got == [b"one", b"two", b"three"], got

    # A full socket is not to be had on loopback: the signal itself has to do.
    written = []
    coverage.listen(alice.transport, "writable", lambda _: written.append(True))
    alice.transport.emit("writable")
    assert written

    received = []

    def read():
        while len(received) < 2:
            batch = alice.transport.receive(None)
            received.extend(batch.get(i).extract_dup(0, 100) for i in range(batch.length()))

    reader = threading.Thread(target=read)
    reader.start()
    bob.transport.send(GLib.Bytes(b"four"))
    bob.transport.send(GLib.Bytes(b"five"))
    reader.join(10)
    assert received == [b"four", b"five"], received

    cancellable = Gio.Cancellable()
    cancellable.cancel()
    try:
        alice.transport.receive(cancellable)
        raise AssertionError("receive() was not cancelled")
    except GLib.Error as error:
        assert error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)


def what_a_pair_tells():
    alice, bob = connect_pair(coverage)
    for side in (alice, bob):
        wait(lambda side=side: all(side.heard[name] for name in (
            "selected-pair", "gathering-done", "end-of-candidates", "first-check")), "signals of a pair")
        stream, component, local, remote = side.heard["selected-pair"][-1]
        assert stream == side.agent.request_stream("data") and component == 1
        assert local.get_protocol() == remote.get_protocol() == "udp"
        assert side.transport.get_property("selected-local").to_sdp() == local.to_sdp()
        side.transport.set_property("receive-coalesce", 250)
        assert side.transport.get_property("receive-coalesce") == 250
    stream = alice.agent.request_stream("data")
    # A binding that frees the list must leave the objects alone.
    n_refs = stream.__grefcount__
    for _ in range(8):
        assert alice.agent.get_streams() == [stream]
        assert len(stream.get_local_candidates()) > 0 and len(stream.get_remote_candidates()) > 0
    assert stream.__grefcount__ == n_refs
    ours = {(c.get_address(), c.get_port()) for c in stream.get_local_candidates()}
    assert ours == {(c.get_address(), c.get_port()) for _, c in alice.heard["new-candidate"]}, ours
    assert {c.get_address() for c in stream.get_remote_candidates()} >= {
        c.get_address() for _, c in bob.heard["new-candidate"]}
    stats = alice.agent.get_stats()
    assert stats.get_name() == "application/x-gst-ice-stats", stats.to_string()

    local, remote = alice.heard["selected-pair"][-1][2:]
    assert stream.set_selected_pair(1, local, remote)

    closed = []
    alice.agent.close_async(None, lambda agent, result: closed.append(agent.close_finish(result)))
    wait(lambda: closed, "close")
    assert closed == [True]
    assert alice.state() == GstIce.State.CLOSED
    raises(GstIce.Error.CLOSED, alice.transport.send, GLib.Bytes(b"late"))
    bob.agent.remove_stream(bob.agent.request_stream("data"))
    assert bob.agent.get_streams() == []


def asynchronously():
    """gather_async and connect_async, credentials of our own, SDP lines."""
    alice, bob = Side(coverage, controlling=True), Side(coverage, controlling=False)
    streams = {side: side.agent.request_stream("0") for side in (alice, bob)}
    streams[alice].set_local_credentials("alic", "a" * 22)
    assert tuple(streams[alice].get_local_credentials()) == ("alic", "a" * 22)
    gathered, connected = [], []
    for side, stream in streams.items():
        side.transport = stream.get_transport(1)
        side.transport.connect_async(None, lambda t, r: connected.append(t.connect_finish(r)))
        stream.gather_async(None, lambda s, r: gathered.append(s.gather_finish(r)))
    wait(lambda: gathered == [True, True], "gathering")

    # Bob hears no candidate: Alice's checks tell him where she is.
    ufrag, pwd = streams[alice].get_local_credentials()
    for line in (f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{pwd}", "a=ice-options:trickle"):
        assert streams[bob].add_remote_sdp(line)
    streams[alice].set_remote_credentials(*streams[bob].get_local_credentials())
    for found in streams[bob].get_local_candidates():
        assert streams[alice].add_remote_sdp("a=" + found.to_sdp())
    assert streams[alice].add_remote_sdp("a=end-of-candidates")
    raises(GstIce.Error.NOT_SUPPORTED, streams[alice].add_remote_sdp, "a=rtpmap:0 PCMU/8000")
    wait(lambda: connected == [True, True], "connecting")
    wait(lambda: bob.heard["new-remote-candidate"], "a peer-reflexive candidate")
    assert bob.heard["new-remote-candidate"][0][1].get_kind() == GstIce.CandidateKind.PEER_REFLEXIVE


def describe(alice, bob):
    offer = alice.agent.create_offer()
    assert bob.agent.set_remote_description("offer", offer)
    answer = bob.agent.create_answer()
    assert alice.agent.set_remote_description("answer", answer)
    return offer, answer


def descriptions():
    """Offer, answer, candidates by mid and by index, caps, and a restart."""
    alice, bob = Side(coverage, controlling=True), Side(coverage, controlling=False)
    stream = alice.agent.request_stream("video")
    stream.set_caps(Gst.Caps.from_string(VP8), None)
    bob.agent.request_stream("video")
    alice.agent.connect("new-candidate", lambda _, s, c: bob.agent.add_remote_candidate("video", c.to_sdp()))
    alice.agent.connect("end-of-candidates", lambda _, s: bob.agent.add_remote_candidate("video", ""))
    bob.agent.connect("new-candidate", lambda _, s, c: alice.agent.add_remote_candidate_at(0, c.to_sdp()))
    offer, answer = describe(alice, bob)
    assert "VP8/90000" in offer and "VP8/90000" in answer, (offer, answer)
    wait(lambda: alice.connected() and bob.connected(), "offer and answer connect")
    assert stream.get_local_caps().get_structure(0)["encoding-name"] == "VP8"
    assert bob.agent.request_stream("video").get_remote_caps().get_structure(0)["payload"] == 96
    raises(GstIce.Error.INVALID_SDP, bob.agent.set_remote_description, "offer", "no SDP at all")

    before = stream.get_local_credentials()
    alice.agent.restart()
    assert stream.get_local_credentials() != before
    describe(alice, bob)
    n_pairs = len(alice.heard["selected-pair"])
    wait(lambda: len(alice.heard["selected-pair"]) > n_pairs, "the restart ends in a new pair")
    stream.restart()
    stream.restart_with_credentials("abcd", "p" * 22)
    assert tuple(stream.get_local_credentials()) == ("abcd", "p" * 22)


def forks():
    """One offer, two answers, media apart; the one that offered goes first."""
    caller = make_agent(interfaces="lo")
    raises(GstIce.Error.INVALID_STATE, caller.fork)
    caller.request_stream("0")
    caller.create_offer()
    wait(lambda: caller.get_property("gathering-state") == GstIce.GatheringState.COMPLETE, "gathering")
    offer = caller.create_offer()
    callers = [caller, caller.fork()]
    callees = [make_agent(interfaces="lo") for _ in callers]
    got = {agent: [] for agent in callers}
    for agent, callee in zip(callers, callees):
        assert agent.request_stream("0").get_local_credentials() == caller.request_stream("0").get_local_credentials()
        transport = agent.request_stream("0").get_transport(1)
        transport.connect("packet", lambda _, packet, agent=agent: got[agent].append(packet.get_data()))
        callee.request_stream("0")
        assert callee.set_remote_description("offer", offer)
        callee.create_answer()
        wait(lambda: callee.get_property("gathering-state") == GstIce.GatheringState.COMPLETE, "gathering")
        assert agent.set_remote_description("answer", callee.create_answer())
    connected = (GstIce.State.CONNECTED, GstIce.State.COMPLETED)
    wait(lambda: all(agent.get_property("state") in connected for agent in callers + callees), "both answers connect")
    for number, callee in enumerate(callees):
        assert callee.request_stream("0").get_transport(1).send(GLib.Bytes(b"%d" % number))
    wait(lambda: all(got.values()), "media of both")
    assert [got[agent] for agent in callers] == [[b"0"], [b"1"]], got

    closed = []
    caller.close_async(None, lambda agent, result: closed.append(agent.close_finish(result)))
    wait(lambda: closed, "close")
    raises(GstIce.Error.CLOSED, caller.fork)
    assert callees[1].request_stream("0").get_transport(1).send(GLib.Bytes(b"more"))
    wait(lambda: len(got[callers[1]]) == 2, "media after the first agent is closed")


def variants():
    """A lite side, an aggressive one, one that goes on gathering: what they say and that they connect."""
    alice = Side(coverage, controlling=True, nomination=GstIce.Nomination.AGGRESSIVE, continual_gathering=True)
    bob = Side(coverage, controlling=True, ice_lite=True)
    assert alice.agent.get_property("nomination") == GstIce.Nomination.AGGRESSIVE
    assert alice.agent.get_property("continual-gathering") and bob.agent.get_property("ice-lite")
    assert not bob.agent.get_property("controlling"), "a lite side does not control"
    for side in (alice, bob):
        side.agent.request_stream("video").set_caps(Gst.Caps.from_string(VP8), Gst.Caps.from_string(VP8))
    alice.agent.connect("new-candidate", lambda _, s, c: bob.agent.add_remote_candidate("video", c.to_sdp()))
    bob.agent.connect("new-candidate", lambda _, s, c: alice.agent.add_remote_candidate("video", c.to_sdp()))
    offer, answer = describe(alice, bob)
    assert "a=ice-options:ice2 trickle renomination" in offer and "ice-lite" not in offer, offer
    assert "a=ice-lite" in answer and "ice-pacing" not in answer, answer
    wait(lambda: alice.connected() and bob.connected(), "a lite side connects")
    assert alice.agent.get_property("controlling") and not bob.agent.get_property("controlling")
    assert not alice.heard["end-of-candidates"], "gathering goes on"

    # Who hides tells names in place of addresses, and connects.
    erin, frank = Side(coverage, mdns=GstIce.Mdns.PUBLISH), Side(coverage, mdns=GstIce.Mdns.RESOLVE)
    assert Side(coverage, mdns=GstIce.Mdns.OFF).agent.get_property("mdns") == GstIce.Mdns.OFF
    for side in (erin, frank):
        side.agent.request_stream("video").set_caps(Gst.Caps.from_string(VP8), Gst.Caps.from_string(VP8))
    told = []
    erin.agent.connect("new-candidate", lambda _, s, c: told.append(c.get_address()))
    erin.agent.connect("new-candidate", lambda _, s, c: frank.agent.add_remote_candidate("video", c.to_sdp()))
    frank.agent.connect("new-candidate", lambda _, s, c: erin.agent.add_remote_candidate("video", c.to_sdp()))
    describe(erin, frank)
    wait(lambda: erin.connected() and frank.connected(), "who hides connects")
    assert told and all(address.endswith(".local") for address in told), told

    # Two lite sides check nothing, so they have to be allowed.
    carol, dave = (Side(coverage, ice_lite=True, allow_non_ice=True) for _ in range(2))
    for side in (carol, dave):
        side.agent.request_stream("video").set_caps(Gst.Caps.from_string(VP8), Gst.Caps.from_string(VP8))
    carol.agent.connect("new-candidate", lambda _, s, c: dave.agent.add_remote_candidate("video", c.to_sdp()))
    dave.agent.connect("new-candidate", lambda _, s, c: carol.agent.add_remote_candidate("video", c.to_sdp()))
    describe(carol, dave)
    wait(lambda: carol.connected() and dave.connected(), "two lite sides connect")
    assert carol.agent.get_property("controlling") and not dave.agent.get_property("controlling")


def servers():
    side = Side(coverage)
    raises(GstIce.Error.INVALID_URI, side.agent.add_server, "http://stun.example.org")
    with RefusingTurnServer() as server:
        url = f"turn:127.0.0.1:{server.port}"
        assert side.agent.add_server_with_credentials(url, "alice", "wrong")
        assert "wrong" not in side.agent.get_property("servers")
        side.agent.request_stream("0").get_transport(1)
        side.agent.gather()
        wait(lambda: side.heard["candidate-error"] and side.heard["credentials-needed"], "the refusal")
        shown, code, text = side.heard["candidate-error"][0]
        assert code == 401 and str(server.port) in shown and "wrong" not in shown + text, (shown, code, text)
    assert side.agent.get_property("tcp") == GstIce.TcpPolicy.NONE
    side.agent.set_property("tcp", GstIce.TcpPolicy.ALL)
    options = GstIce.TurnOptions.EVEN_PORT | GstIce.TurnOptions.DONT_FRAGMENT
    side.agent.set_property("turn-options", options)
    assert side.agent.get_property("turn-options") == options


def ports_and_marks():
    """One port for two agents, addresses of a NAT, what a packet may be, and how it is marked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    callers = [Side(coverage, controlling=True, mux_port=port, interfaces="lo") for _ in range(2)]
    for caller in callers:
        callee = Side(coverage, controlling=False, interfaces="lo")
        trickle(caller, callee, "data")
        trickle(callee, caller, "data")
        caller.agent.gather()
        callee.agent.gather()
        wait(lambda: caller.connected() and callee.connected(), "an agent on a shared port connects")
        stream = caller.agent.request_stream("data")
        assert {candidate.get_port() for candidate in stream.get_local_candidates()} == {port}
    assert callers[0].agent.get_property("mux-port") == port
    assert f"mux-port-{port}" in callers[0].agent.get_stats().to_string()

    side = Side(coverage, mtu_probing=True, dont_fragment=False, external_addresses="192.0.2.1=127.0.0.1")
    assert side.agent.get_property("mtu-probing") and not side.agent.get_property("dont-fragment")
    side.agent.set_property("external-addresses", "nowhere")
    wait(lambda: side.heard["error"], "a wrong address")
    assert "nowhere" in side.heard["error"][0][0].message
    assert side.agent.get_property("external-addresses") == "192.0.2.1=127.0.0.1"

    buffer = Gst.Buffer.new_wrapped(b"marked")
    assert GstIce.buffer_get_traffic_meta(buffer) is None
    GstIce.buffer_add_traffic_meta(buffer, 46, GstIce.Ecn.ECT_1)
    meta = GstIce.buffer_get_traffic_meta(buffer)
    assert (meta.dscp, meta.ecn) == (46, GstIce.Ecn.ECT_1)
    assert GstIce.traffic_meta_api_get_type().name == "GstIceTrafficMetaAPI"
    assert GstIce.DSCP_DEFAULT == -1


class PlainServer:
    """Something that listens, and is no TLS server."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.answer, daemon=True).start()
        return self

    def answer(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        except OSError:
            return

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def untrusted_servers():
    side, heard = Side(coverage), []
    side.agent.connect("candidate-error::tls-untrusted", lambda _, *arguments: heard.append(arguments))
    side.agent.connect("candidate-error::turn-auth", lambda _, *arguments: heard.append(None))
    with PlainServer() as server:
        side.agent.add_server(f"turns:alice:secret@127.0.0.1:{server.port}")
        side.agent.request_stream("0").get_transport(1)
        side.agent.gather()
        wait(lambda: heard, "the refusal")
    url, code, text = heard[0]
    assert url == f"turns:127.0.0.1:{server.port}?transport=tcp" and code == 701, heard
    assert "speaks no TLS" in text and "secret" not in text, text
    assert side.heard["candidate-error"] == heard

    assert side.agent.get_property("ca-file") is None
    side.agent.set_property("ca-file", "/nonexistent/ca.pem")
    assert side.agent.get_property("ca-file") == "/nonexistent/ca.pem"
    wait(lambda: side.heard["error"], "the complaint")
    error = side.heard["error"][0][0]
    assert error.matches(GstIce.error_quark(), GstIce.Error.INVALID_ARGUMENT), error
    assert "/nonexistent/ca.pem" in error.message and "ca-file" in error.message, error.message


def tokens():
    side = Side(coverage)
    add = side.agent.add_server_with_token
    key = GLib.Bytes(b"sixteen bytes...")
    raises(GstIce.Error.INVALID_ARGUMENT, add, "turn:127.0.0.1:9", "kid", GLib.Bytes(b""), key, 0)
    raises(GstIce.Error.INVALID_ARGUMENT, add, "stun:127.0.0.1:9", "kid", GLib.Bytes(b"token"), key, 0)
    assert add("turn:127.0.0.1:9", "kid", GLib.Bytes(b"token"), key, 61)
    assert side.agent.get_property("servers") == "turn:kid@127.0.0.1:9?transport=udp"
    wait(lambda: side.heard["credentials-needed"], "a minute before the token expires")


class MemorySignaller(GObject.Object, GstIce.Signaller):
    """A signaller in Python: what one sends the other emits."""

    uri = GObject.Property(type=str)

    def __init__(self):
        super().__init__()
        self.log = []
        self.started = False

    def do_start(self, role):
        self.started = True
        if self.other.started:
            # The second to come finds the first, who then offers.
            for signaller in (self, self.other):
                signaller.emit("peer", True)
            self.other.emit("ready", True)
            self.emit("ready", False)
        return True

    def do_send_description(self, kind, sdp):
        self.log.append(kind)
        self.other.emit("description", kind, sdp)

    def do_send_candidate(self, mid, mline_index, text, ufrag):
        self.log.append("candidate")
        self.other.emit("candidate", mid, mline_index, text, ufrag)

    def do_send_bye(self, reason):
        self.other.emit("bye", reason)

    def do_send_reject(self, reason, text):
        self.other.emit("rejected", reason, text)

    def do_send_error(self, text):
        self.other.emit("peer-error", text)

    def do_can_trickle(self):
        return True

    def do_stop(self):
        self.started = False


def session():
    sides = [Side(coverage, controlling=True), Side(coverage, controlling=False)]
    signallers = [MemorySignaller(), MemorySignaller()]
    signallers[0].other, signallers[1].other = reversed(signallers)
    heard = []
    sessions = []
    for side, signaller in zip(sides, signallers):
        stream = side.agent.request_stream("video")
        stream.set_caps(Gst.Caps.from_string(VP8), None)
        for name in ("ready", "description", "candidate", "peer", "bye", "error"):
            coverage.listen(signaller, name, lambda *_, name=name: (heard.append(name), CONTEXT.wakeup()))
        one = GstIce.Session.new(side.agent, signaller)
        for name in ("prepare", "negotiated", "bye", "error", "restarting"):
            coverage.listen(one, name, lambda *_, name=name: (heard.append(f"session {name}"), CONTEXT.wakeup()))
        sessions.append(one)
    for one in sessions:
        one.set_ready()
        assert one.start(GstIce.SignallerRole.AUTO)
    wait(lambda: all(side.connected() for side in sides), "a session connects")
    wait(lambda: heard.count("session negotiated") >= 2, "negotiated")
    assert sides[0].heard["local-description"][0][0] == "offer"
    # What was gathered in time is in the description: then only the end of the candidates travels by itself.
    wait(lambda: {"ready", "description", "candidate", "peer"} <= set(heard), "signals of a signaller")

    sessions[0].renegotiate()
    wait(lambda: signallers[0].log.count("offer") >= 2, "another offer")
    sessions[0].restart()
    wait(lambda: signallers[0].log.count("offer") >= 3, "an offer that restarts")
    # The network changes; the agent's word is heard unless that is switched off.
    stream = sides[0].agent.request_stream("video")
    assert sessions[0].get_property("auto-restart")
    sessions[1].set_property("auto-restart", False)
    wait(lambda: heard.count("session negotiated") >= 6, "the restart is answered")
    n_offers = [one.log.count("offer") for one in signallers]
    sides[1].agent.emit("restart-needed", sides[1].agent.request_stream("video"), "path-silent")
    sides[0].agent.emit("restart-needed", stream, "address-lost")
    wait(lambda: signallers[0].log.count("offer") > n_offers[0], "a restart because the agent needs one")
    assert "session restarting" in heard and sides[0].heard["restart-needed"][0] == (stream, "address-lost")
    assert heard.count("session restarting") == 1 and signallers[1].log.count("offer") == n_offers[1]
    signallers[0].emit("error", GLib.Error("the channel broke", "g-io-error-quark", Gio.IOErrorEnum.FAILED))
    wait(lambda: "session error" in heard, "the signaller's error")
    sessions[0].bye("over")
    wait(lambda: "session bye" in heard, "bye")


def calling():
    """To ring and be declined, to be accepted, to hold, and to hear of errors."""
    sides = [Side(coverage, controlling=True), Side(coverage, controlling=False)]
    signallers = [MemorySignaller(), MemorySignaller()]
    signallers[0].other, signallers[1].other = reversed(signallers)
    heard = []

    def hear(instance, name):
        coverage.listen(instance, name, lambda _, *a, name=name: (heard.append((name, *a)), CONTEXT.wakeup()))

    sessions = []
    for side, signaller in zip(sides, signallers):
        side.agent.request_stream("video").set_caps(Gst.Caps.from_string(VP8), Gst.Caps.new_any())
        sessions.append(GstIce.Session.new(side.agent, signaller))
    caller, callee = sessions
    callee.props.auto_accept = False
    hear(callee, "incoming")
    hear(caller, "rejected")
    hear(signallers[0], "rejected")
    hear(caller, "error")
    for one in sessions:
        one.set_ready()
        assert one.start(GstIce.SignallerRole.AUTO)

    wait(lambda: heard, "it rings")
    assert heard[0][0] == "incoming" and heard[0][1].startswith("v=0") and heard[0][2] is True
    assert callee.props.state == GstIce.SessionState.NEGOTIATING
    callee.reject("busy", "later, please")
    wait(lambda: len(heard) >= 4, "declined")
    assert heard.count(("rejected", "busy", "later, please")) == 2, heard
    assert next(h for h in heard if h[0] == "error")[1].matches(GstIce.error_quark(), GstIce.Error.REJECTED)
    assert caller.props.reason == callee.props.reason == "busy"

    signallers[0].emit("ready", True)
    wait(lambda: len(heard) >= 5, "it rings again")
    callee.accept()
    wait(lambda: all(side.connected() for side in sides), "accepted")
    streams = [side.agent.request_stream("video") for side in sides]
    caller.hold()
    wait(lambda: callee.props.held and caller.props.holding, "held")
    wait(lambda: streams[1].props.current_direction == GstIce.Direction.RECVONLY, "it only receives")
    caller.resume()
    wait(lambda: not callee.props.held and not caller.props.holding, "resumed")
    assert streams[0].props.direction == GstIce.Direction.SENDRECV

    # An answer that nobody can read is reported to who made it.
    errors = []
    coverage.listen(signallers[1], "peer-error", lambda _, text: (errors.append(text), CONTEXT.wakeup()))
    caller.renegotiate()
    signallers[1].send_error("a sentence")
    assert signallers[1].can_trickle()
    wait(lambda: any(h[0] == "error" and "a sentence" in h[1].message for h in heard), "the peer's error")
    signallers[0].send_error("another")
    wait(lambda: errors == ["another"], "our error")
    signallers[1].send_reject("declined", None)
    caller.bye("done")
    wait(lambda: callee.props.reason == "done", "bye")


def signallers():
    """The ones that come along, told apart by URI and by nick."""
    raises(GstIce.Error.INVALID_URI, GstIce.Signaller.new_from_uri, "no uri")
    assert GstIce.Signaller.new_from_nick("stdio")
    with tempfile.TemporaryDirectory() as folder:
        heard = []
        pair = [GstIce.Signaller.new_from_uri(f"ice+file://{folder}/call") for _ in range(2)]
        for signaller in pair:
            for name in ("description", "candidate", "bye", "ready"):
                coverage.listen(signaller, name, lambda _, *a, name=name: (heard.append((name, *a)), CONTEXT.wakeup()))
        assert all(signaller.check() for signaller in pair)
        assert pair[0].start(GstIce.SignallerRole.OFFER)
        assert pair[1].start(GstIce.SignallerRole.ANSWER)
        pair[0].send_description("offer", "v=0\r\n")
        pair[0].send_candidate("0", 0, LINE, "EsAw")
        wait(lambda: any(h[0] == "candidate" for h in heard), "a candidate through a file")
        pair[0].send_bye("over")
        wait(lambda: any(h[0] == "bye" for h in heard), "a bye through a file")
        for signaller in pair:
            signaller.stop()


def time_limit():
    """Nobody there: the connect-timeout is an error with a cause."""
    side = Side(coverage, controlling=True, connect_timeout=300)
    stream = side.agent.request_stream("0")
    stream.get_transport(1)
    stream.set_remote_credentials("abcd", "p" * 22)
    stream.add_remote_candidate(GstIce.Candidate.new_from_sdp(UNREACHABLE))
    side.agent.gather()
    wait(lambda: side.state() == GstIce.State.FAILED and side.heard["error"], "failed")


def discover(server, lifetime=0, cancelled=False):
    """(structure, None) or (None, GError)."""
    outcome = []

    def done(_source, result):
        try:
            outcome.append((GstIce.discover_nat_finish(result), None))
        except GLib.Error as error:
            outcome.append((None, error))

    cancellable = Gio.Cancellable()
    GstIce.discover_nat_async(server, lifetime, cancellable, done)
    if cancelled:
        cancellable.cancel()
    wait(lambda: outcome, "what kind of NAT")
    return outcome[0]


def nat():
    """Errors here; NATs are told apart in tests/core and tests/netns."""
    with RefusingTurnServer() as server:
        result, error = discover(f"stun:127.0.0.1:{server.port}")
    assert not result and error.matches(GstIce.error_quark(), GstIce.Error.NOT_SUPPORTED), error
    result, error = discover("stun:")
    assert not result and error.matches(GstIce.error_quark(), GstIce.Error.INVALID_URI), error
    result, error = discover("127.0.0.1:9", cancelled=True)
    assert not result and error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED), error


class Router(GObject.Object, GstIce.PortMapper):
    """A router that maps each port to the one a hundred above it."""

    def __init__(self):
        super().__init__()
        self.mapped = []

    def do_map(self, protocol, local_address, local_port, lifetime):
        assert lifetime == 600
        self.mapped.append(local_port)
        self.emit_mapped(protocol, local_address, local_port, "203.0.113.9", local_port + 100)

    def do_unmap(self, protocol, local_address, local_port):
        self.mapped.remove(local_port)


def port_mapping():
    agent = GstIce.Agent(port_mapping=GstIce.PortMapping.ON)
    assert agent.get_property("port-mapping") == GstIce.PortMapping.ON
    router, heard = Router(), []
    coverage.listen(router, "mapped", lambda _, *arguments: heard.append(arguments))
    router.map("udp", "10.0.0.2", 5000, 600)
    assert heard == [("udp", "10.0.0.2", 5000, "203.0.113.9", 5100)], heard
    router.unmap("udp", "10.0.0.2", 5000)
    assert not router.mapped


class Slow:
    """What takes its time begins first and is looked at last."""

    def begin(self):
        # RFC 7675 5.1: 30 s after the last answer.
        self.left, right = connect_pair(coverage)
        right.agent.close_async(None, None)
        # Nobody there, and nobody told to hurry: a hint after 10 s.
        self.lonely = Side(coverage, controlling=True)
        stream = self.lonely.agent.request_stream("0")
        stream.get_transport(1)
        stream.set_remote_credentials("abcd", "p" * 22)
        stream.add_remote_candidate(GstIce.Candidate.new_from_sdp(UNREACHABLE))
        self.lonely.agent.gather()

    def warning(self):
        wait(lambda: self.lonely.heard["warning"], "a warning", 15)

    def consent(self):
        wait(lambda: self.left.heard["consent-lost"], "consent lost", 40)
        stream, component = self.left.heard["consent-lost"][0]
        assert component == 1 and stream.get_name() == "data"


def complete():
    missing = coverage.missing()
    assert not missing, "in the GIR, and not used by any case here: " + ", ".join(missing)


def main():
    Gst.init(None)
    slow = Slow()
    tap.run([
        ("begin what takes long", slow.begin),
        ("candidate", candidate),
        ("agents by name", names),
        ("pacing of the process", pacing),
        ("packets both ways", packets),
        ("what a pair tells", what_a_pair_tells),
        ("asynchronous methods and SDP lines", asynchronously),
        ("offer, answer, restart", descriptions),
        ("one offer, two answers", forks),
        ("lite, aggressive, continual", variants),
        ("servers", servers),
        ("one port, addresses, marks", ports_and_marks),


        ("untrusted servers", untrusted_servers),
        ("tokens", tokens),
        ("session, with a signaller in Python", session),
        ("calling, with a signaller in Python", calling),
        ("signallers", signallers),
        ("what kind of NAT", nat),
        ("ports that a router maps", port_mapping),
        ("nobody there", time_limit),
        ("a warning after 10 s", slow.warning),
        ("consent lost", slow.consent),
        ("all of the GIR", complete),
    ])


if __name__ == "__main__":
    main()
