"""What memory this machine, or this container, has left, and what a process takes of it (Linux)."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_KIB, _MIB = 1024, 1024 * 1024
WORKER_MIB = 160
"""Of a worker with a provider loaded, at least: a forked one begins with less, and takes it when it works."""
_RESERVE_MIB, _RESERVE_SHARE = 256, 0.1
"""What stays free for Redis, the bot and the system: the larger of the two, the share of what is available."""
_VERSIONS = (
    ("0::", ".", ("max", "current")),
    (r"\d+:(?:[^:]*,)?memory[,:]", "memory", ("limit_in_bytes", "usage_in_bytes")),
)
"""Of control groups, 2 and 1: our line of ``/proc/self/cgroup``, their folder, and the files of limit and use."""


def pss_mib(pid: int, proc: Path = Path("/proc")) -> float | None:
    """The process's memory, with what it shares divided by those who share it; None when that cannot be read."""
    return _fields(proc / str(pid) / "smaps_rollup").get("Pss")


def available_mib(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> float | None:
    """What programs can still take before this machine swaps or its container is ended; None when it does not tell."""
    machine = _fields(proc / "meminfo").get("MemAvailable")
    return min([left for left in (machine, *_left(proc, cgroups)) if left is not None], default=None)


def total_mib(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> float | None:
    """What this machine has, or the tightest limit of its container; None when it does not tell."""
    machine = _fields(proc / "meminfo").get("MemTotal")
    limits = [limit / _MIB for limit, _, _ in _groups(proc, cgroups)]
    return min([size for size in (machine, *limits) if size is not None], default=None)


def room(available: float | None, workers: Iterable[float | None]) -> int | None:
    """For how many more workers there is memory, each as large as the largest (pure).

    Args:
        available: MiB that can be taken; None: unknown.
        workers: MiB of each worker that runs, as far as it is known.
    """
    if available is None:
        return None
    each = max([WORKER_MIB, *(size for size in workers if size is not None)])
    return max(0, int((available - max(_RESERVE_MIB, _RESERVE_SHARE * available)) // each))


def _fields(path: Path) -> dict[str, float]:
    """Its lines ``Name:  123 kB``, in MiB."""
    found: dict[str, float] = {}
    for line in _read(path).splitlines():
        name, _, value = line.partition(":")
        number = value.removesuffix("kB").strip()
        if number.isdigit():
            found[name] = int(number) * _KIB / _MIB
    return found


def _left(proc: Path, cgroups: Path) -> Iterator[float]:
    """What the limits of our control groups leave, from ours up to the topmost."""
    for limit, used, group in _groups(proc, cgroups):
        # Version 1 has a second line that counts the groups below, too; it is the last one.
        cached = re.findall(r"^(?:total_)?inactive_file (\d+)$", _read(group / "memory.stat"), re.MULTILINE)
        # Of files that are read again when they are needed: the kernel takes it back first.
        spare = int(cached[-1]) if cached else 0
        yield max(0.0, (limit - used + spare) / _MIB)


def _groups(proc: Path, cgroups: Path) -> Iterator[tuple[int, int, Path]]:
    """Our control groups that have a limit, from ours up to the topmost: limit and use in bytes, and its directory."""
    lines = _read(proc / "self" / "cgroup").splitlines()
    for begins, top, files in _VERSIONS:
        own = next((line.split(":", 2)[2] for line in lines if re.match(begins, line)), "/")
        place = Path(own.lstrip("/"))
        for group in (cgroups / top / part for part in (place, *place.parents)):
            limit, used = (_read(group / f"memory.{name}").strip() for name in files)
            if limit.isdigit() and used.isdigit():
                yield int(limit), int(used), group


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
