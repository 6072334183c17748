// SPDX-License-Identifier: LGPL-2.1-or-later
// A room as a browser sees it: plays what its other peer sends, and sends the
// camera back when asked to. The room is the path of this page, the signalling
// our JSON lines on a WebSocket to the same place (wsdialect-lines.c).
"use strict";

const picture = document.getElementById ("picture");
const camera = document.getElementById ("camera");
const say = text => { document.getElementById ("said").textContent = text; };

let socket, pc, stream, wait = 500;
const asked = performance.now ();

// Descriptions and candidates are for the peer that was met last.
function tell (line) {
  if (socket.readyState == WebSocket.OPEN)
    socket.send (JSON.stringify (line));
}

function part () {
  pc?.close ();
  pc = null;
}

function meet () {
  part ();
  pc = new RTCPeerConnection ({ bundlePolicy: "max-bundle" });
  for (const track of stream?.getTracks () ?? [])
    pc.addTrack (track, stream);
  pc.ontrack = event => {
    const playing = picture.srcObject instanceof MediaStream ? picture.srcObject : new MediaStream ();
    for (const old of playing.getTracks ())
      if (old.kind == event.track.kind) playing.removeTrack (old);
    playing.addTrack (event.track);
    picture.srcObject = playing;
    picture.requestVideoFrameCallback?. (() => {
      window.firstFrame ??= performance.now () - asked;
      say (`First picture after ${Math.round (window.firstFrame)} ms`);
    });
  };
  pc.onicecandidate = ({ candidate }) => candidate &&
    tell ({ type: "candidate", candidate: candidate.candidate, sdpMid: candidate.sdpMid,
      sdpMLineIndex: candidate.sdpMLineIndex });
  pc.onconnectionstatechange = () => {
    if (pc && pc.connectionState != "connected")
      say (pc.connectionState);
  };
  // What is said on a data channel comes back.
  pc.ondatachannel = ({ channel }) => {
    channel.onmessage = event => channel.send (event.data);
  };
  return pc;
}

async function offer () {
  for (const kind of ["video", "audio"])
    if (!pc.getTransceivers ().some (t => t.sender.track?.kind == kind))
      pc.addTransceiver (kind, { direction: "recvonly" });
  await pc.setLocalDescription (await pc.createOffer ());
  tell ({ type: "offer", sdp: pc.localDescription.sdp });
}

async function hear (line) {
  if (line.type == "ready") {
    meet ();
    if (line.role == "offer") await offer ();
  } else if (line.type == "offer") {
    await (pc ?? meet ()).setRemoteDescription (line);
    await pc.setLocalDescription (await pc.createAnswer ());
    tell ({ type: "answer", sdp: pc.localDescription.sdp });
  } else if (line.type == "answer") {
    await pc?.setRemoteDescription (line);
  } else if (line.candidate) {
    await pc?.addIceCandidate ({ candidate: line.candidate, sdpMid: line.sdpMid, sdpMLineIndex: line.sdpMLineIndex });
  } else if (line.type == "bye" || line.type == "left") {
    part ();
    say ("The other side has left; waiting for it");
  } else if (line.type == "refused") {
    say (line.text);
  }
}

function enter () {
  const place = new URL (location.href);
  let turn = Promise.resolve (); // one line after the other
  place.protocol = place.protocol == "https:" ? "wss:" : "ws:";
  place.hash = "";
  socket = new WebSocket (place);
  socket.onopen = () => {
    wait = 500;
    say ("Waiting for the other side");
    // Each load is another peer: nobody takes up the call of the one before.
    tell ({ type: "hello", key: crypto.randomUUID?.() ?? String (Math.random ()).repeat (2),
      role: place.searchParams.get ("role") ?? "answer" });
  };
  socket.onmessage = ({ data }) => {
    turn = turn.then (() => hear (JSON.parse (data))).catch (error => say (error.message));
  };
  socket.onclose = () => {
    part ();
    setTimeout (enter, wait = Math.min (wait * 2, 10000));
  };
}

document.getElementById ("sound").onclick = () => { picture.muted = !picture.muted; };
document.getElementById ("send").onclick = async () => {
  try {
    stream = await navigator.mediaDevices.getUserMedia ({ video: true, audio: true });
    camera.srcObject = stream;
    socket.close (); // and in again, with more to give
  } catch (error) {
    say (error.message);
  }
};
addEventListener ("pagehide", () => tell ({ type: "bye", reason: "left" }));
enter ();
