# SPDX-License-Identifier: LGPL-2.1-or-later
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstIce", "1.0")
from gi.repository import GLib, Gst, GstIce

Gst.init(None)
loop = GLib.MainLoop()
alice, bob = GstIce.Agent(controlling=True), GstIce.Agent(controlling=False)
for agent, other in ((alice, bob), (bob, alice)):
    ours, theirs = agent.request_stream("data"), other.request_stream("data")
    theirs.set_remote_credentials(*ours.get_local_credentials())
    agent.connect("new-candidate", lambda _, stream, candidate, to: to.add_remote_candidate(candidate), theirs)

inbox = bob.request_stream("data").get_transport(1)
inbox.connect("packet", lambda _, packet: (print("bob got", packet.get_data()), loop.quit()))
outbox = alice.request_stream("data").get_transport(1)
outbox.connect_async(None, lambda *_: outbox.send(GLib.Bytes(b"hello")))

alice.gather()
bob.gather()
loop.run()
