"""Ends a worker whose loop stands still: it answers no chat and never will, and its supervisor starts another one.

A card's function may block it for good: an ``async`` one that never awaits, or one that keeps the interpreter's lock in
C. Then no Python runs here that could notice. ``faulthandler`` waits in a thread of its own that needs no lock. It
writes where each thread is, so the log names the line, and ends the process. Other workers have the chats by then.
"""

import asyncio
import faulthandler
import sys
from datetime import timedelta

LIMIT = timedelta(seconds=60)
"""Twelve times the time after which others take its chats over."""
_EVERY_S = 5.0


async def watch(*, limit: timedelta = LIMIT, every: float = _EVERY_S) -> None:
    """End the process, with status 1, once this loop has not run for so long; until cancelled."""
    # What stands in for it may be no file.
    log = sys.__stderr__ or sys.stderr
    try:
        while True:
            faulthandler.dump_traceback_later(limit.total_seconds(), exit=True, file=log)
            await asyncio.sleep(every)
    finally:
        faulthandler.cancel_dump_traceback_later()
