"""Processes of shells: each is known by its lane, and ends with it."""

import asyncio
import copy
import os
import secrets
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fast_agent.tools.local_shell_executor import LocalEnvironment

OWNER = "SHELL_OWNER"
"""Stands in the environment of every process of a shell, and names its lane."""

# Processes that are made while others are ended; each round finds the rest.
_ROUNDS = 20

allowed = {"shell": False}
"""Whether cards with ``shell: true`` have one."""


def mark(agents: Mapping[str, Any]) -> str:
    """Give a lane's agents a shell environment of their own; returns the mark of its processes."""
    owner = f"{os.getpid()}-{secrets.token_hex(8)}"
    for agent in agents.values():
        shared = getattr(agent, "_shell_environment", None)
        if isinstance(shared, LocalEnvironment):
            own: Any = copy.copy(shared)
            own._default_env = {**own._default_env, OWNER: owner}  # noqa: SLF001 - fast-agent's
            own._temporary_artifact_directory = None  # noqa: SLF001
            agent._shell_environment = own  # noqa: SLF001
            if has_shell(agent):
                agent._shell_runtime._environment = own  # noqa: SLF001
    return owner


def has_shell(agent: Any) -> bool:
    """Whether an agent of a lane can run programs."""
    return getattr(agent, "shell_runtime", None) is not None


async def end(owner: str) -> None:
    """End every process of a lane's shells, also one that left its process group."""
    if allowed["shell"]:
        await asyncio.to_thread(_end_those, lambda found: found == owner)


async def end_strays() -> None:
    """End what the shells of a worker left that was killed."""
    if allowed["shell"]:
        await asyncio.to_thread(_end_those, lambda found: not Path(f"/proc/{found.partition('-')[0]}").exists())


def _end_those(is_meant: Callable[[str], bool]) -> None:
    for _ in range(_ROUNDS):
        found = [pid for pid, owner in _owned() if is_meant(owner)]
        if not found:
            return
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _owned() -> Iterable[tuple[int, str]]:
    """Living processes with a mark; there are none where the system does not tell (no /proc)."""
    sign = f"{OWNER}=".encode()
    for place in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            for line in place.read_bytes().split(b"\0"):
                if line.startswith(sign):
                    yield int(place.parent.name), line.removeprefix(sign).decode()
