#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adds up what Meson's test logs say: cases, not only programs.

  summary.py BUILD_DIR...

TAP programs and gst-check count their own cases; any other program is one.
"""

import itertools
import json
import pathlib
import re
import sys

TAP_LINE = re.compile(r"^(not )?ok\b[^#\n]*(?:#\s*(SKIP|TODO)\b\s*(.*))?", re.I | re.M)
SKIP_ALL = re.compile(r"^1\.\.0\s*#\s*SKIP\b\s*(.*)", re.I | re.M)
GST_CHECK = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_test(test, reasons):
    count = Count()
    output = test.get("stdout") or ""
    name = test["name"]
    if test["result"] == "SKIP":
        count.skipped = 1
        reason = SKIP_ALL.search(output)
        reasons.append((name, reason.group(1) if reason else (output.strip().splitlines() or ["no reason given"])[-1]))
        return count
    checks = GST_CHECK.search(output)
    lines = list(TAP_LINE.finditer(output))
    if checks:
        total, failures, errors = map(int, checks.groups())
        count.failed = failures + errors
        count.passed = total - count.failed
    elif lines:
        for line in lines:
            if (line.group(2) or "").upper() == "SKIP":
                count.skipped += 1
                reasons.append((line.group(0).split("#")[0].split(" - ")[-1].strip(), line.group(3)))
            elif line.group(1):
                count.failed += 1
            else:
                count.passed += 1
    else:
        count.passed = 1
    # A crash after the last case, a time-out: the program failed as well.
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if not good and not count.failed:
        count.passed = max(0, count.passed - (not (checks or lines)))
        count.failed = 1
    return count


def main():
    suites, reasons, total = {}, [], Count()
    for folder in sys.argv[1:]:
        # Named after the test setup; run.sh leaves only those of this run.
        logs = list(pathlib.Path(folder, "meson-logs").glob("testlog*.json"))
        if not logs:
            count = suites.setdefault((folder, "did not build"), Count())
            count.failed += 1
            total.add(count)
        for line in itertools.chain.from_iterable(log.read_text(encoding="utf-8").splitlines() for log in logs):
            test = json.loads(line)
            count = count_test(test, reasons)
            # "gst-ice:core / bytes" or "bytes"
            suite = test["name"].partition(" / ")[0].rpartition(":")[2]
            suites.setdefault((folder, suite), Count()).add(count)
            total.add(count)
    print("=== results")
    for (folder, suite), count in suites.items():
        print(f"{folder} {suite}: {count}")
    for name, reason in reasons:
        print(f"skipped: {name}: {reason}")
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
