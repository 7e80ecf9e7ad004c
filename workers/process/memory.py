"""Recycling: a worker above its memory limit drains and exits, and its supervisor starts a new one."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from workers.process.loop_thread import end_process

log = logging.getLogger("cohort.worker")

_EVERY_S = 5.0
_MIB = 1024 * 1024


def resident_mib() -> float:
    """Resident memory of this process in MiB; 0 on systems without /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


async def recycle(
    limit_mib: int, *, resident: Callable[[], float] = resident_mib, end: Callable[[], None] = end_process
) -> None:
    """Watch the memory until it passes the limit, then call ``end`` once.

    Args:
        limit_mib: The limit; 0 for none.
        resident: Measures the memory.
        end: Ends the worker.
    """
    if not limit_mib:
        return
    while (now := resident()) <= limit_mib:  # noqa: ASYNC110 - memory sends no event
        await asyncio.sleep(_EVERY_S)
    log.warning("worker.too_large", extra={"resident_mib": round(now), "limit_mib": limit_mib})
    end()
