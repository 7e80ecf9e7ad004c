"""A worker above its memory limit leaves in good order and is started anew by its supervisor."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger("cohort.worker")

_EVERY_S = 5.0
_MIB = 1024 * 1024


def resident_mib() -> float:
    """This process's resident memory; 0 where the system does not tell (no /proc)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def leave() -> None:
    """What an operator's SIGTERM does: slots are handed over, running turns end."""
    os.kill(os.getpid(), signal.SIGTERM)


async def recycle(
    limit_mib: int, *, resident: Callable[[], float] = resident_mib, end: Callable[[], None] = leave
) -> None:
    """Watch until the limit is passed, then ``end`` once. ``limit_mib`` 0: never."""
    if not limit_mib:
        return
    while (now := resident()) <= limit_mib:  # noqa: ASYNC110 - memory sends no event
        await asyncio.sleep(_EVERY_S)
    log.warning("worker.too_large", extra={"resident_mib": round(now), "limit_mib": limit_mib})
    end()
