"""What processes cost, read from /proc (Linux): resident memory and processor time of process trees."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What process trees take."""

    rss_mib: float
    """Resident memory."""
    pss_mib: float
    """The same with shared pages divided."""
    cpu_s: float
    """User and system time, so far."""
    processes: int


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            found.setdefault(parent, []).append(int(entry.name))
    return found


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children, found, waiting = _children(), [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


def named(parent: int, part: str) -> int:
    """The child of a process whose command line has ``part`` in it.

    Raises:
        LookupError: there is none.
    """
    for pid in _children().get(parent, []):
        try:
            words = (Path("/proc") / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if {part, f"cohort {part}"} & set(words):
            return pid
    raise LookupError(part)


def _field(text: str, name: str) -> int:
    """A kB field of a /proc file, in bytes."""
    line = next((line for line in text.splitlines() if line.startswith(name)), "")
    return int(line.split()[1]) * 1024 if line else 0


def cost(*roots: int) -> Cost:
    """The cost of these process trees now; what has ended counts no more."""
    rss = pss = cpu = 0.0
    count = 0
    for pid in {pid for root in roots for pid in tree(root)}:
        place = Path("/proc") / str(pid)
        try:
            memory = (place / "smaps_rollup").read_text()
            times = (place / "stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:
            continue
        rss += _field(memory, "Rss:") / _MIB
        pss += _field(memory, "Pss:") / _MIB
        cpu += sum(map(int, times)) / _TICK
        count += 1
    return Cost(round(rss, 1), round(pss, 1), round(cpu, 2), count)
