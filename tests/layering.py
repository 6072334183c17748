#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guards the shape of the code (docs/tour.md draws it).

Dependencies go down only, the core does not know the world, every global
symbol is ours, and no file grows past what can be read in one sitting.

  layering.py SOURCE_ROOT [BUILT_LIBRARY...]
"""

import pathlib
import re
import subprocess
import sys

MAX_LINES = 800

OPENSSL = r"<openssl/.*>"
GIO = r"<gio/.*>"
GST = r"<gst/(?!ice/).*>"
GLIB = r"<glib(-object|-unix)?\.h>|<glib/.*>"
# Declarations of plain C; what talks to the kernel is named where it is used.
PLAIN_C = r"<(string|stdlib|stdio|stddef|stdint|limits|errno|math)\.h>"
KERNEL = r"<(arpa|net|netinet|sys|linux)/.*>|<(unistd|fcntl|ifaddrs|netdb|poll|locale|signal|time)\.h>"

# folder: (folders it may include from, outside headers it may include).
# The longest matching folder holds.
RULES = {
    "gst/ice/base": ({"gst/ice/base"}, [GLIB, PLAIN_C, OPENSSL, r"<arpa/inet\.h>|<netinet/in\.h>"]),
    "gst/ice/core/stun": (
        {"gst/ice/core/stun", "gst/ice/base"},
        [GLIB, PLAIN_C],
    ),
    "gst/ice/core/turn": (
        {"gst/ice/core/turn", "gst/ice/core/stun", "gst/ice/base"},
        [GLIB, PLAIN_C],
    ),
    "gst/ice/core": (
        {"gst/ice/core", "gst/ice/core/ice", "gst/ice/core/turn", "gst/ice/core/stun", "gst/ice/base"},
        [GLIB, PLAIN_C],
    ),
    "gst/ice/core/ice": (
        {"gst/ice/core", "gst/ice/core/ice", "gst/ice/core/turn", "gst/ice/core/stun", "gst/ice/base"},
        [GLIB, PLAIN_C],
    ),
    "gst/ice/io": (
        {"gst/ice/io", "gst/ice/base"},
        [GLIB, PLAIN_C, KERNEL, GIO, GST, OPENSSL],
    ),
    "gst/ice": (
        {"gst/ice", "gst/ice/core", "gst/ice/core/ice", "gst/ice/core/stun", "gst/ice/io", "gst/ice/base"},
        [GLIB, PLAIN_C, KERNEL, GIO, GST],
    ),
    "gst/signallers": ({"gst/signallers"}, None),
    # The plugin "ice" brings the signallers that need no outside library.
    "gst/elements": ({"gst/elements", "gst/signallers"}, None),
    "gst/tracers": ({"gst/tracers"}, None),
    # Signalling in the clear is for this host alone, whoever serves it.
    "gst/tools": ({"gst/tools", "gst/signallers"}, None),
    # JSON lines are for every signaller that carries text.
    "ext": ({"ext", "gst/signallers"}, None),
    "examples": (set(), None),
}

# What the protocol folders see of the folder above them: the list of outputs
# and the context that carries it, never the core that uses them.
SEAMS = {
    "gst/ice/core/ice": {"output.h", "context.h", "verdict.h", "purity.h"},
    "gst/ice/core/turn": {"output.h", "context.h", "verdict.h", "purity.h"},
    "gst/ice/core/stun": {"purity.h"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(<[^>]+>|"[^"]+")', re.M)
OURS = re.compile(r"^(gst_ice_|ice_)")
PLUGIN = re.compile(r"^gst_plugin_")
TOOLCHAIN = re.compile(r"^(__odr_asan|__asan_|__ubsan|__start_|__stop_|_init$|_fini$|_edata$|_end$|__bss_start$|_start$)")

problems = []


def complain(where, what):
    problems.append(f"{where}: {what}")


def rule_for(folder):
    while folder and folder != ".":
        if folder in RULES:
            return folder
        folder = str(pathlib.PurePosixPath(folder).parent)
    return None


def resolve(root, file, name):
    """Path of an include inside the tree relative to root, or None."""
    inner = name[1:-1]
    if name[0] == '"':
        for base in (file.parent, root, root / "gst", root / "gst/signallers"):
            target = (base / inner).resolve()
            if target.is_file() and target.is_relative_to(root):
                return target.relative_to(root).as_posix()
        return None
    if inner.startswith("gst/ice/"):
        return inner
    return None


def check_include(root, file, name):
    rel = file.relative_to(root)
    folder = rule_for(rel.parent.as_posix())
    if folder is None:
        return
    below, outside = RULES[folder]
    target = resolve(root, file, name)
    generated = name[1:-1] in ("config.h", "ws-page.h", "gst/ice/gsticeenumtypes.h", "gsticeenumtypes.h")

    if name == "<gst/ice/ice.h>":
        if folder in ("gst/ice/base", "gst/ice/io") or folder.startswith("gst/ice/core"):
            complain(rel, "the layers under the library do not include ice.h")
        return
    if generated:
        if "enumtypes" in name and folder != "gst/ice":
            complain(rel, f"{name}: include <gst/ice/ice.h>")
        return
    if target is None:
        if name[0] == '"':
            complain(rel, f"{name} is not in the tree")
        elif outside is not None and not any(re.fullmatch(o, name) for o in outside):
            complain(rel, f"{name} is not for {folder}")
        return

    there = pathlib.PurePosixPath(target).parent.as_posix()
    if there == rel.parent.as_posix():
        return
    if there == "gst/ice/core" and folder in SEAMS:
        if pathlib.PurePosixPath(target).name not in SEAMS[folder]:
            complain(rel, f"{target}: goes up")
        return
    if outside is None:
        # Users of the public API. A module in ext may look at its own folder.
        if not any(there == b or there.startswith(b + "/") for b in below):
            complain(rel, f"{target}: only <gst/ice/ice.h> is for users")
    elif there not in below:
        complain(rel, f"{target}: {folder} does not depend on {there}")


def check_purity(root, file, text):
    """Core files include purity.h last: nothing after it is poisoned less."""
    rel = file.relative_to(root)
    if not rel.as_posix().startswith("gst/ice/core/") or file.suffix != ".c":
        return
    includes = INCLUDE.findall(text)
    if not includes or pathlib.PurePosixPath(includes[-1][1:-1]).name != "purity.h":
        complain(rel, "the last include of a core file is purity.h")


# What compares a secret is ice_secret_equal, in constant time (docs/threats.md 3.17).
LEAKY = re.compile(
    r"\b(memcmp|strn?cmp|g_strcmp0|g_str_equal|ice_bytes_equal)\s*\([^;]*\b(\w*(pwd|password|secret)|mac|digest)\b")


def check_secrets(root, file, text):
    rel = file.relative_to(root)
    if rel.as_posix().startswith(("gst/ice/core/", "gst/ice/base/")):
        for match in LEAKY.finditer(text):
            complain(rel, f"a secret is compared by {match.group(1)}, whose time tells where it differs")


def check_sources(root):
    for top in ("gst", "ext", "tests", "examples"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".c", ".h", ".py", ".sh") or not file.is_file():
                continue
            text = file.read_text(encoding="utf-8")
            lines = text.count("\n")
            if lines > MAX_LINES:
                complain(file.relative_to(root), f"{lines} lines, at most {MAX_LINES}: one idea a file")
            if "SPDX-License-Identifier: LGPL-2.1-or-later" not in "".join(text.splitlines()[:2]):
                complain(file.relative_to(root), "no SPDX licence in the first two lines")
            if file.suffix in (".c", ".h"):
                for name in INCLUDE.findall(text):
                    check_include(root, file, name)
                check_purity(root, file, text)
                check_secrets(root, file, text)


def check_symbols(library):
    shared = ".so" in library.name
    # The plugin's two entry points are GStreamer's convention.
    plugin = shared and not re.search(r"-\d+\.\d+\.so", library.name)
    output = subprocess.run(
        ["nm", "--defined-only", "-D" if shared else "-g", str(library)],
        check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        fields = line.split()
        if len(fields) != 3 or TOOLCHAIN.match(fields[2]):
            continue
        symbol = fields[2]
        if not OURS.match(symbol) and not (plugin and PLUGIN.match(symbol)):
            complain(library.name, f"global symbol {symbol} starts with neither gst_ice_ nor ice_")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    check_sources(root)
    for library in sys.argv[2:]:
        check_symbols(pathlib.Path(library))
    for problem in problems:
        print(problem)
    print(f"layering: {len(problems)} problems, {len(sys.argv) - 2} libraries read")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
