"""Recycling: a worker above its memory limit drains and exits, and its supervisor starts a new one."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from tasks.errors import Misconfigured
from tasks.process.memory import total_mib
from workers.process.loop_thread import end_process

log = logging.getLogger("cohort.worker")

_EVERY_S, _SOON_S = 5.0, 0.5
_FAR = 2
"""Times the limit."""
_LEAST_MIB = 512
"""Of the default: twice what a worker has that answers."""
_SHARE = 0.8
"""Of the memory of this machine or container, for its workers and one more: the rest is for all else that runs here."""
_MIB = 1024 * 1024


def resident_mib() -> float:
    """Resident memory of this process in MiB; 0 on systems without /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def end_at_once() -> None:
    """As a crash does: other workers go on with the turns."""
    os.kill(os.getpid(), signal.SIGKILL)


def default_limit_mib(total: float | None, workers: int, ready: float) -> int:
    """The limit where no setting names one (pure); 0: none, because the system does not tell what it has.

    A tool that grows without end must not take all: with one more share than there are workers, one of them may grow to
    twice the limit while it drains.

    Args:
        total: MiB of this machine or container.
        workers: Those that run on it.
        ready: MiB that this worker had when it was ready. A limit near it would replace it for ever.
    """
    if total is None or not ready:
        return 0
    return round(max(_LEAST_MIB, 2 * ready, _SHARE * total / (max(1, workers) + 1)))


def limit_of(setting: int | None, workers: Callable[[], int]) -> Callable[[], int]:
    """The limit as it is at each moment: the setting, else the default for so many workers as there are then."""
    if setting is not None:
        return lambda: setting
    total, ready = total_mib(), resident_mib()
    return lambda: default_limit_mib(total, workers(), ready)


def require_room(limit_mib: int | None, *, resident: Callable[[], float] = resident_mib) -> None:
    """Refuse a limit that a worker passes by being ready: it would be replaced for ever.

    Raises:
        Misconfigured: ``limit_mib`` is below the memory that this worker has now.
    """
    now = resident()
    if limit_mib and now >= limit_mib:
        raise Misconfigured(
            f"COHORT_WORKER_MAX_RSS_MIB: {limit_mib} is below the {now:.0f} MiB that a worker has when it is ready; "
            f"set {2 * round(now)} or more, or 0"
        )


async def recycle(
    limit_mib: Callable[[], int],
    *,
    resident: Callable[[], float] = resident_mib,
    end: Callable[[], None] = end_process,
    kill: Callable[[], None] = end_at_once,
) -> None:
    """Watch the memory until it passes the limit, then call ``end`` once. Above twice the limit, ``kill`` it.

    Args:
        limit_mib: The limit at that moment; 0 for none.
        resident: Measures the memory.
        end: Ends the worker in order, which may take as long as its longest turn.
        kill: Ends it at once. A tool that grows without end takes all of the machine while others' turns finish.
    """
    while not (limit := limit_mib()) or (now := resident()) <= limit:  # noqa: ASYNC110 - memory sends no event
        await asyncio.sleep(_EVERY_S)
    log.warning("worker.too_large", extra={"resident_mib": round(now), "limit_mib": limit})
    end()
    while (now := resident()) <= _FAR * limit:  # noqa: ASYNC110 - memory sends no event
        await asyncio.sleep(_SOON_S)
    log.error("worker.far_too_large", extra={"resident_mib": round(now), "limit_mib": limit})
    kill()
