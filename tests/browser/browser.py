#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""icewebrtcbin and real browsers: browser.py chromium|firefox NODE_FOLDER.

playwright-core is fetched from npm into NODE_FOLDER, which is in the build
folder; without npm or the browser the test is skipped and says so.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "interop")]

import certificates  # noqa: E402
import coturn  # noqa: E402
from gstpeer import GstPeer, wait  # noqa: E402

EXECUTABLES = {"chromium": "chromium", "firefox": "firefox-esr"}
# Names in place of addresses (draft-ietf-mmusic-mdns-ice-candidates), or not.
NO_MDNS = ["--disable-features=WebRtcHideLocalIpsWithMdns"]
NO_MDNS_PREF = 'user_pref ("media.peerconnection.ice.obfuscate_host_addresses", false);'
# Who may see through the camera may know the addresses, too.
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


class Skip(Exception):
    """What this case needs is not here."""


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def fetch_playwright(folder):
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules" / "playwright-core").exists():
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "playwright-core"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            skip("npm gives no playwright-core: " + done.stderr.strip().splitlines()[-1])
    return folder / "node_modules"


class Browser:
    """page.call("offer"), page.events(); ended with the block."""

    def __init__(self, kind, modules, hide=True, camera=False, prefix=(), url=""):
        arguments = [*([] if hide else NO_MDNS), *(CAMERA if camera else [])] if kind == "chromium" else []
        environment = {**os.environ, "NODE_PATH": str(modules), "PAGE_PREFS": "" if hide else NO_MDNS_PREF, "PAGE_URL": url}
        self.last = 0
        self.process = subprocess.Popen(
            [*prefix, "node", HERE / "page.mjs", kind, shutil.which(EXECUTABLES[kind]), HERE / "page.html", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.read(0)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        with contextlib.suppress(Exception):
            self.request(do="quit")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def read(self, number):
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer["id"] == number:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["result"]
        raise RuntimeError("the browser is gone")

    def request(self, **what):
        self.last += 1
        self.process.stdin.write(json.dumps({"id": self.last, **what}) + "\n")
        self.process.stdin.flush()
        return self.read(self.last)

    def open(self):
        self.request(do="open")
        self.heard = []
        return self

    def close(self):
        self.request(do="close")

    def call(self, name, *arguments):
        return self.request(call=name, args=arguments)

    def events(self):
        """All so far; candidates come once from fetch()."""
        self.heard += self.call("fetchEvents")
        return self.heard

    def values(self, kind):
        return [event["value"] for event in self.events() if event["kind"] == kind]


def exchange(page, peer, passed=None):
    """Candidates of both to the other; passed: a list that keeps the page's."""
    for event in [event for event in page.events() if event["kind"] == "candidate"]:
        page.heard.remove(event)
        if passed is not None:
            passed.append(event["value"]["candidate"])
        peer.add(event["value"]["mline"], event["value"]["candidate"])
    while not peer.events.empty():
        kind, value = peer.events.get()
        if kind == "candidate":
            page.call("add", value["mline"], value["candidate"])


def until(page, peer, condition, what, timeout=20, passed=None):
    deadline = time.monotonic() + timeout
    while not condition():
        exchange(page, peer, passed)
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}: page {page.call('figures')}, peer {peer.state}")
        time.sleep(0.02)


def negotiate(page, peer, page_offers, restart=False):
    if page_offers:
        page.call("finish", peer.answer(page.call("offer", {"iceRestart": restart})))
    else:
        peer.finish(page.call("answer", peer.offer(restart)))


def expect_media(page, peer, n=15, passed=None):
    """Pictures move on, both ways."""
    seen = peer.n_frames
    decoded = page.call("figures")["decoded"]
    until(page, peer, lambda: page.call("figures")["decoded"] >= decoded + n, "pictures in the page", passed=passed)
    until(page, peer, lambda: peer.n_frames >= seen + n, "pictures of the page", passed=passed)


def expect_talk(page, peer):
    until(page, peer, lambda: "open" in page.values("channel"), "the data channel")
    wait(lambda: peer.channel is not None, "the data channel over here")
    page.call("channel.send.bind(channel)", "from the page")
    peer.send("to the page")
    wait(lambda: "from the page" in peer.texts, "a text of the page")
    until(page, peer, lambda: "to the page" in page.values("text"), "a text in the page")


def expect_bars(page):
    """White on the left, green in the middle, blue on the right."""
    left, middle, right = page.call("look")
    assert min(left) > 120, f"left {left}"
    assert middle[1] > 100 and middle[0] < 90 and middle[2] < 90, f"middle {middle}"
    assert right[2] > 100 and right[0] < 90 and right[1] < 90, f"right {right}"


def call(page, peer, page_offers, config=None, camera=False, passed=None):
    if not page_offers:
        peer.create_channel()
    page.call("start", config or {}, camera)
    negotiate(page, peer, page_offers)
    expect_media(page, peer, passed=passed)
    expect_talk(page, peer)


# Cases: each is given a browser's kind and its modules


def case_offers(kind, modules, page_offers):
    with Browser(kind, modules, hide=False) as page, GstPeer() as peer:
        call(page.open(), peer, page_offers)
        expect_bars(page)
        with tempfile.NamedTemporaryFile(suffix=".png") as shot:
            page.request(do="screenshot", path=shot.name)
            assert os.path.getsize(shot.name) > 1000, "the screenshot is empty"
        path = page.call("figures")
        print(f"# {path['local']} to {path['remote']} over {path['protocol']}")


def case_hidden(kind, modules):
    passed = []
    with Browser(kind, modules) as page, GstPeer() as peer:
        call(page.open(), peer, True, passed=passed)
        hidden = [line for line in passed if ".local " in line]
        assert hidden, f"the page hides no address: {passed}"
        assert not [line for line in passed if " typ host" in line and ".local " not in line], passed


def case_camera(kind, modules):
    with Browser(kind, modules, camera=True) as page, GstPeer() as peer:
        call(page.open(), peer, True, camera=True)


def relayed(kind, modules, transport):
    address = own_address()
    with certificates.Authority() as authority, coturn.Coturn(
            address, secure=authority.issue(f"IP:{address}")) as server:
        port = server.secure_port if transport == "tls" else server.port
        scheme = "turns" if transport == "tls" else "turn"
        query = "" if transport == "tls" else f"?transport={transport}"
        uri = f"{scheme}://{coturn.USER}:{coturn.PASSWORD}@{address}:{port}{query}"
        settings = f"ice-transport-policy=relay agent::ca-file={authority.certificate}"
        # A name is never asked for then (the draft, 3.3.2), and a page on this
        # host has no other candidates.
        with Browser(kind, modules, hide=False) as page, GstPeer(settings, turn=[uri]) as peer:
            call(page.open(), peer, False)
            assert peer.candidates and all(" typ relay" in line for line in peer.candidates), peer.candidates
            path = page.call("figures")
            assert path["address"] == address or path["remote"] in ("relay", "prflx"), path


def case_page_relayed(kind, modules):
    """The page too is told to use nothing but the server."""
    address = own_address()
    with coturn.Coturn(address) as server:
        config = {"iceTransportPolicy": "relay", "iceServers": [
            {"urls": f"turn:{address}:{server.port}", "username": coturn.USER, "credential": coturn.PASSWORD}]}
        with Browser(kind, modules) as page, GstPeer() as peer:
            call(page.open(), peer, True, config)
            assert page.call("figures")["local"] == "relay"


def ufrag(sdp):
    return [line for line in sdp.splitlines() if line.startswith("a=ice-ufrag:")][0]


def case_page_restarts(kind, modules):
    with Browser(kind, modules) as page, GstPeer() as peer:
        page.open().call("start", {}, False)
        first = peer.answer(page.call("offer", {}))
        page.call("finish", first)
        expect_media(page, peer)
        pair = page.call("figures").get("pair")
        offer = page.call("offer", {"iceRestart": True})
        second = peer.answer(offer)
        assert ufrag(first) != ufrag(second), "RFC 8839 4.4.1.1.1: the answer has new credentials, too"
        page.call("finish", second)
        until(page, peer, lambda: page.call("figures").get("pair") != pair, "another pair")
        expect_media(page, peer)


def case_peer_restarts(kind, modules):
    with Browser(kind, modules) as page, GstPeer() as peer:
        call(page.open(), peer, False)
        pair = page.call("figures").get("pair")
        negotiate(page, peer, False, restart=True)
        until(page, peer, lambda: page.call("figures").get("pair") != pair, "another pair")
        expect_media(page, peer)


def case_reopened(kind, modules):
    with Browser(kind, modules) as page:
        with GstPeer() as peer:
            call(page.open(), peer, True)
            page.close()
            wait(lambda: peer.state == "disconnected", "the loss of the page", 15)
        with GstPeer() as peer:
            call(page.open(), peer, True)


class Room:
    """A network namespace on a veth, for a page whose network fails."""

    def __init__(self):
        self.name = f"gicepage{os.getpid()}"
        self.here, self.there = f"gp{os.getpid()}", f"gq{os.getpid()}"

    def __enter__(self):
        if os.geteuid() != 0 or not shutil.which("nft"):
            raise Skip("making a network takes root and nftables")
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self):
        for command in (f"netns add {self.name}", f"link add {self.here} type veth peer name {self.there}",
                        f"link set {self.there} netns {self.name}", f"address add 10.79.1.1/24 dev {self.here}",
                        f"link set {self.here} up", f"-n {self.name} link set lo up",
                        f"-n {self.name} address add 10.79.1.2/24 dev {self.there}",
                        f"-n {self.name} link set {self.there} up",
                        f"-n {self.name} route add default via 10.79.1.1"):
            subprocess.run(["ip", *command.split()], check=True)

    def __exit__(self, *unused):
        for command in (["nft", "delete", "table", "inet", self.name], ["ip", "link", "delete", self.here],
                        ["ip", "netns", "delete", self.name]):
            subprocess.run(command, stderr=subprocess.DEVNULL)

    def drop(self, verb, interface, *prefix):
        """What arrives is lost; who sends is not told."""
        table = f"inet {self.name}"
        rule = f"{{ chain c {{ type filter hook input priority 0; iifname {interface} drop;\n }}\n }}"
        subprocess.run([*prefix, "nft", "-f", "-"], text=True, check=True,
                       input=f"{verb} table {table}" if verb == "delete" else f"table {table} {rule}")

    def cut(self):
        self.drop("add", self.there, "ip", "netns", "exec", self.name)
        self.drop("add", self.here)

    def mend(self):
        self.drop("delete", self.there, "ip", "netns", "exec", self.name)
        self.drop("delete", self.here)


def case_cut(kind, modules):
    """Within the 30 s of consent (RFC 7675 5.1) the same path goes on."""
    with Room() as room, Browser(kind, modules, hide=False, prefix=["ip", "netns", "exec", room.name]) as page, \
            GstPeer(f"agent::interfaces={room.here}") as peer:
        call(page.open(), peer, False)
        room.cut()
        wait(lambda: peer.state == "disconnected", "the loss of the path", 15)
        seen = peer.n_frames
        time.sleep(1)
        assert peer.n_frames <= seen + 1, "pictures come through a cut line"
        room.mend()
        wait(lambda: peer.state in ("connected", "completed"), "the path", 20)
        expect_media(page, peer)


def case_serve(kind, modules):
    """A newcomer's one command, and its page loaded a few times: GST_ICE_LOADS."""
    tool = os.environ.get("GST_ICE_TOOL")
    if not tool:
        raise Skip("GST_ICE_TOOL is not set")
    loads = int(os.environ.get("GST_ICE_LOADS", 4))
    server = subprocess.Popen([tool, "serve", "--page", "--address", "127.0.0.1", "--port", "0"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        url = next(line.split()[1] for line in server.stdout if line.split()[0] == "page")
        times = []
        with Browser(kind, modules, url=url) as page:
            for _ in range(loads):
                page.open()
                wait(lambda: page.call("(() => window.firstFrame)"), "the first picture")
                times.append(page.call("(() => window.firstFrame)"))
                page.close()
    finally:
        server.terminate()
        server.wait(10)
    times.sort()
    print(f"# first picture after {times[len(times) // 2]:.0f} ms, p95 {times[int(len(times) * 0.95)]:.0f} ms, "
          f"{loads} loads")


def case_example(kind, modules, command):
    """What it says on a data channel comes back from the page."""
    if not command[0] or not os.path.exists(command[0]):
        raise Skip("the examples are not built")
    port = coturn.free_port()
    uri = f"ice+ws://127.0.0.1:{port}/cam?listen=1"
    program = subprocess.Popen([*command, uri], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        url = program.stdout.readline().strip()
        with Browser(kind, modules, url=url) as page:
            page.open()
            wait(lambda: page.call("(() => window.firstFrame)"), "the first picture")
            assert program.stdout.readline().strip() == "The page says: hello page"
    finally:
        program.terminate()
        program.wait(10)


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


CASES = {
    "page-offers": lambda *a: case_offers(*a, True),
    "page-answers": lambda *a: case_offers(*a, False),
    "mdns-hides": case_hidden,
    "camera": case_camera,
    "relay-udp": lambda *a: relayed(*a, "udp"),
    "relay-tcp": lambda *a: relayed(*a, "tcp"),
    "relay-tls": lambda *a: relayed(*a, "tls"),
    "page-relayed": case_page_relayed,
    "page-restarts": case_page_restarts,
    "we-restart": case_peer_restarts,
    "tab-reopened": case_reopened,
    "network-cut": case_cut,
    "serve-page": case_serve,
    "example-c": lambda *a: case_example(*a, [os.environ.get("GST_ICE_EXAMPLE")]),
    "example-py": lambda *a: case_example(*a, [sys.executable, HERE.parent.parent / "examples" / "browser.py"]),
}


def main():
    kind, folder, *wanted = sys.argv[1:]
    for program in ("node", "npm", EXECUTABLES[kind]):
        if not shutil.which(program):
            skip(f"there is no {program}")
    modules = fetch_playwright(pathlib.Path(folder))
    names = wanted or list(CASES)
    print(f"1..{len(names)}")
    failed = 0
    for number, name in enumerate(names, 1):
        started = time.monotonic()
        try:
            CASES[name](kind, modules)
            print(f"ok {number} {kind}/{name} # {time.monotonic() - started:.1f} s", flush=True)
        except Skip as reason:
            print(f"ok {number} {kind}/{name} # SKIP {reason}", flush=True)
        except Exception as error:  # the next case is worth a look, too
            failed += 1
            print(f"not ok {number} {kind}/{name}\n# {type(error).__name__}: {error}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
