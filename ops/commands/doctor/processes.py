"""The processes of the `cohort up` that runs here, and what the system lets them have."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops import control
from ops.commands.finding import Finding
from ops.context import Context
from tasks.errors import Misconfigured
from tasks.process.open_files import raise_limit, too_few


async def running(here: Context) -> list[Mapping[str, Any]]:
    """Those that its control server names; none where it does not run or does not answer."""
    if here.running is None:
        return []
    try:
        return (await control.ask(here.running, "processes"))["processes"]
    except Misconfigured:
        return []


async def open_files(here: Context) -> list[Finding]:
    """How many files and connections each may have open; where none runs, one that is started from here."""
    limits = {str(one["name"]): limit for one in await running(here) if one["pid"] and (limit := limit_of(one["pid"]))}
    return [verdict(limits or {"": raise_limit()})]


def verdict(limits: Mapping[str, int]) -> Finding:
    """What such limits mean, by the names of processes (pure)."""
    least = min(limits.values())
    if (few := too_few(least)) is None:
        return Finding("open files", "ok", f"{least} at a time")
    names = ", ".join(sorted(name for name, limit in limits.items() if name and limit == least))
    return Finding("open files", "warning", f"{names}: {few}" if names else few)


def limit_of(pid: int, proc: Path = Path("/proc")) -> int | None:
    """The open files that a process may have (Linux); None when the system does not tell."""
    try:
        told = re.search(r"^Max open files +(\d+)", (proc / str(pid) / "limits").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(told[1]) if told else None
