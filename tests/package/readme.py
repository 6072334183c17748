#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the README shows is what the tests run; what it links to is there.

  readme.py SOURCE_ROOT
"""

import pathlib
import re
import sys

SHOWN = {"python": "tests/python/two_agents.py", "c": "examples/hello.c"}


def check_map(root, name_of_page, problems):
    """The files and test cases that a page names."""
    page = (root / name_of_page).read_text(encoding="utf-8")
    programs = [f for f in (root / "tests").rglob("*") if f.suffix in (".c", ".py")]
    tests = "\n".join(f.read_text(encoding="utf-8") for f in programs)
    for name in re.findall(r"`([\w/-]+\.c)`", page):
        if not any((root / folder / name).exists() for folder in ("gst/ice", "gst", "examples", ".")):
            problems.append(f"{name_of_page} names {name}, which is not there")
    for case in re.findall(r"`(/[\w./-]+)`", page):
        # A table of cases may hold the part below the program's name.
        below = case[case.index("/", 1):]
        if f'"{case}"' not in tests and f'"{below}"' not in tests and f'"{below[1:]}"' not in tests:
            problems.append(f"{name_of_page} names the case {case}, which is not there")


def check_hundred(root, problems):
    """The numbered table of the map: each of 1 to 100 once, with a case or what it waits for."""
    page = (root / "docs/rfc-map.md").read_text(encoding="utf-8")
    table = page.partition("## The hundred behaviours")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) .*$", table, re.M)
    for number in range(1, 101):
        if rows.count(str(number)) != 1:
            problems.append(f"docs/rfc-map.md has behaviour {number} {rows.count(str(number))} times")
    for row in re.findall(r"^\| \d+ .*$", table, re.M):
        tests = row.split("|")[5]
        if not re.search(r"`(/[\w./-]+|vectors|sim)`", tests) and "not yet" not in tests:
            problems.append(f"docs/rfc-map.md names no test in: {row}")


def check_threats(root, problems):
    """The rows of docs/threats.md: all there, each with a test or what it waits for."""
    page = (root / "docs/threats.md").read_text(encoding="utf-8")
    counts = {"3.": 30, "N": 20, "U": 15, "G": 10, "M": 12}
    for row in [f"{kind}{i}" for kind, n in counts.items() for i in range(1, n + 1)]:
        lines = re.findall(rf"^\| {re.escape(row)} .*$", page, re.M)
        if len(lines) != 1:
            problems.append(f"docs/threats.md has row {row} {len(lines)} times")
        elif not re.search(r"`[^`]+`|waits|cannot", lines[0].split("|")[4]):
            problems.append(f"docs/threats.md says nothing of a test in: {lines[0]}")


def main():
    root = pathlib.Path(sys.argv[1])
    readme = (root / "README.md").read_text(encoding="utf-8")
    problems = []
    for language, path in SHOWN.items():
        source = (root / path).read_text(encoding="utf-8").partition("\n")[2].strip()
        if f"```{language}\n{source}\n```" not in readme:
            problems.append(f"README.md does not show {path} as it is")
    for page in [root / "README.md", *root.glob("docs/*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / link).exists():
                problems.append(f"{page.relative_to(root)} links to {link}, which is not there")
    check_map(root, "docs/rfc-map.md", problems)
    check_map(root, "docs/threats.md", problems)
    check_threats(root, problems)
    check_hundred(root, problems)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
