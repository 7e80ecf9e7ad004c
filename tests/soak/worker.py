"""``python -m tests.soak.worker``: a worker that says what it holds when it gets SIGUSR1; nothing else is different."""

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
import threading
from collections import Counter
from typing import Any

MARK = "soak.holds "


class Arenas(ctypes.Structure):
    """What glibc's ``mallinfo2`` gives, in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "k")
    ]


def arenas() -> dict[str, float]:
    """glibc's own account, in MiB; empty with another C library."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError):
        return {}
    ask.restype = Arenas
    told = ask()
    sizes = {"heap": told.arena + told.hblkhd, "heap used": told.uordblks + told.hblkhd, "heap free": told.fordblks}
    return {name: round(size / 2**20, 1) for name, size in sizes.items()}


def holds() -> dict[str, Any]:
    """Counts of what lives now, after a collection; ``cyclic``: objects that the collector had to find, so far."""
    gc.collect()
    cyclic = sum(of_generation["collected"] for of_generation in gc.get_stats())
    things = gc.get_objects()
    # asyncio forgets timers that were cancelled by the hundred.
    over = [thing for thing in things if isinstance(thing, asyncio.TimerHandle) and thing.cancelled()]
    gone = {id(part) for timer in over for part in (timer, timer._context)}
    kinds = Counter(type(thing).__name__ for thing in things if id(thing) not in gone)
    return {
        "objects": kinds.total(),
        "cyclic": cyclic,
        "tasks": kinds["Task"] + kinds["_asyncio.Task"],
        "threads": threading.active_count(),
        "blocks": sys.getallocatedblocks(),
        **arenas(),
        "kinds": dict(kinds.most_common(400)),
    }


def tell(_number: int, _frame: object) -> None:
    os.write(1, f"{MARK}{json.dumps(holds())}\n".encode())


def main() -> int:
    from tasks.config.settings import load
    from tasks.telemetry.logs import configure_logging
    from workers.process.app import run

    signal.signal(signal.SIGUSR1, tell)
    settings = load()
    configure_logging(settings)
    run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
