"""What a session's own process may use of its machine: rlimits, which the programs that it starts inherit."""

import resource
from pathlib import Path

from tasks.config.settings import Settings
from tasks.errors import Misconfigured

_MIB = 1024 * 1024
_ROOM_MIB = 64
"""Below so much more than it begins with, a process could not answer once."""


def limit(settings: Settings, *, used: int | None = None) -> None:
    """Set them for this process, for good.

    ``RLIMIT_DATA`` (private memory: more is refused), ``RLIMIT_NOFILE`` (open files), ``RLIMIT_CORE`` (no core file: it
    would hold the conversation). What the system allows less of stays so.

    Args:
        settings: ``COHORT_OWN_MEMORY_MIB``, ``COHORT_OWN_FILES``.
        used: Bytes of private memory now.

    Raises:
        Misconfigured: the process could not begin.
    """
    if settings.own_memory_mib:
        now = (_private() if used is None else used) // _MIB
        if settings.own_memory_mib < now + _ROOM_MIB:
            raise Misconfigured(
                f"COHORT_OWN_MEMORY_MIB: {settings.own_memory_mib} is too little: a process begins with {now} MiB; "
                f"set {2 * (now + _ROOM_MIB)} or more, or 0"
            )
        _lower(resource.RLIMIT_DATA, settings.own_memory_mib * _MIB)
    if settings.own_files:
        _lower(resource.RLIMIT_NOFILE, settings.own_files)
    _lower(resource.RLIMIT_CORE, 0)


def renew_cpu(settings: Settings) -> None:
    """Allow ``COHORT_OWN_CPU`` seconds of processor time from now on (``RLIMIT_CPU``); then the system ends it."""
    if not (seconds := settings.own_cpu.total_seconds()):
        return
    spent = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(spent.ru_utime + spent.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (_least(wanted, hard), hard))


def _lower(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    least = _least(wanted, hard)
    resource.setrlimit(kind, (least, least))


def _least(wanted: int, hard: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _private() -> int:
    """Bytes of private memory of this process, as ``RLIMIT_DATA`` counts them; 0 on systems without /proc."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)
