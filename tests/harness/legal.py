"""Why a reply may stand in a chat twice, or its beginning be left there; docs/architecture.md lists the same (pure)."""

from collections.abc import Iterable

from tests.harness.history import Fault

LOST = "telegram-cut-after"
"""Telegram did it, and the connection ended before the worker had its answer. Known call by call, not by time."""

KILLED = frozenset(
    {
        "kill-worker",
        "kill-in-step",
        "kill-and-stop",
        "kill-while-parked",
        "kill-at-answer",
        "report-worker",
        "kill-supervisor",
        "kill-supervised",
        "kill-own",
        "kill-all",
        "step-claimed",
        "step-begun",
        "step-called",
        "step-ran",
        "step-committed",
        "step-delivered",
    }
)
"""A worker died between Telegram's answer and its own next write."""
PAUSED = frozenset({"stop-worker", "late-worker"})
"""It lived, but its heartbeat did not come in time, and another worker delivered what it was just delivering."""
AWAY = frozenset({"kill-redis", "stop-redis"})
"""Redis did not take that write, and the heartbeats ran out meanwhile."""

CALLING = 5.0
"""Seconds for which a call of a killed worker may still be on its way: Telegram is delayed by up to four."""
WRITING = 3.0
"""Seconds within which a step that ended is in the journal: one round trip, on a machine that does much else."""
LINGER = 15.0
"""Seconds for which the others go on to matter: a worker that wakes up finishes what it was sending."""


def reason(faults: Iterable[Fault], begin: float, end: float) -> str:
    """The kind of the last fault that parted a worker from Redis in some time; nothing when there was none."""
    cuts = [fault for fault in faults if fault.at <= end and fault.until + _lingers(fault.kind) >= begin]
    return max(cuts, key=lambda fault: fault.at).kind if cuts else ""


def _lingers(kind: str) -> float:
    """For how many seconds it goes on to matter; less than any time for what is no reason."""
    if kind in KILLED:
        return CALLING
    return LINGER if kind in PAUSED | AWAY else float("-inf")


LEAVING = frozenset({"drain-worker", "join-worker", "restart", "renamed"})
"""A worker that leaves hands over turns that take too long."""


def excuse(faults: Iterable[Fault], begin: float, end: float, *, pid: int = 0, lingers: float = 0.0) -> str:
    """The kind of a fault that kept the end of a step out of the journal, where it ran from ``begin`` to ``end``.

    Args:
        faults: Of the run.
        begin: When the step began, seconds since the epoch.
        end: When it ended; infinite where it saw no end.
        pid: Of its worker, 0 where that is not known. A fault of other processes is no excuse.
        lingers: For how many seconds a worker that wakes up may go on.
    """
    for fault in faults:
        cuts = fault.kind in KILLED | PAUSED | AWAY | LEAVING
        there = fault.kind in AWAY or not pid or not fault.pids or pid in fault.pids
        until = fault.until + (lingers if fault.kind in PAUSED else 0)
        if cuts and there and fault.at <= end + WRITING and until >= begin:
            return fault.kind
    return ""
