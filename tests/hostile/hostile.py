#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile TURN servers and hostile peers against gst-ice-1.0, over real sockets.

  hostile.py GST_ICE_TOOL [NAME...]

All modes run at once, as many as there is room for; the TAP lines come in
order. With names, only the modes whose name begins so.
"""

import asyncio
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import peer_modes
import tap
import turn_calls
import turn_modes

AT_ONCE = 6


def cases():
    for mode in turn_modes.MODES:
        yield f"turn: {mode.name}", lambda mode=mode: turn_modes.gather(mode)
    for name, mode in turn_calls.MODES.items():
        yield f"call: {name}", mode
    for name, mode in peer_modes.MODES.items():
        yield f"peer: {name}", mode


async def run(name, function, room):
    """(error text or None, seconds)"""
    async with room:
        start = time.monotonic()
        try:
            await asyncio.wait_for(function(), 60)
            error = None
        except Exception:
            error = traceback.format_exc()
        return error, time.monotonic() - start


async def main():
    wanted = tuple(sys.argv[2:])
    chosen = [(name, function) for name, function in cases() if not wanted or name.split(": ")[1].startswith(wanted) or name.startswith(wanted)]
    room = asyncio.Semaphore(AT_ONCE)
    start = time.monotonic()
    tasks = [asyncio.create_task(run(name, function, room)) for name, function in chosen]
    print(f"1..{len(chosen)}", flush=True)
    for number, ((name, _), task) in enumerate(zip(chosen, tasks), 1):
        error, seconds = await task
        if error:
            tap.comment(error)
        print(f"{'not ' if error else ''}ok {number} - {name}", flush=True)
        tap.comment(f"{name}: {seconds:.2f} s")
    tap.comment(f"all: {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    asyncio.run(main())
