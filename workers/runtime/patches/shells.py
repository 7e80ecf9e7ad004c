"""A card's shell: given only where the card and the operator both say so, with processes that end with their lane.

fast-agent gives a shell, and with it the reading and writing of files, to every card that has a skill. Here a shell
needs ``shell: true`` in the card and ``COHORT_SHELL=1``. A skill is text: ``read_skill`` reads files of its folder, and
nothing else.
"""

import asyncio
import copy
import os
import secrets
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fast_agent.agents.mcp_agent import McpAgent
from fast_agent.tools.local_shell_executor import LocalEnvironment
from fast_agent.tools.skill_reader import SkillReader

from workers.runtime.patches.patch import replace_once

OWNER = "SHELL_OWNER"
"""Stands in the environment of every process of a shell, and names its lane."""

# A skill's file is read into one tool result.
_LARGEST_SKILL_FILE = 256 * 1024
# Processes that are made while others are ended; each round finds the rest.
_ROUNDS = 20

_allowed = {"shell": False}


def install(*, allowed: bool) -> None:
    """``allowed``: whether cards with ``shell: true`` have one. Again is harmless."""
    _allowed["shell"] = allowed
    replace_once(McpAgent, "_activate_shell_runtime", _asked_for)
    replace_once(SkillReader, "_skill_path_error_message", _plain_file)


def _asked_for(original: Callable[..., None]) -> Callable[..., None]:
    def activate_shell_runtime(self: Any, *args: Any, **kwargs: Any) -> None:
        """Every way to a shell and to files passes here: the card, its skills, a switch at run time."""
        if not (_allowed["shell"] and self.config.shell):
            return
        original(self, *args, **kwargs)
        # A durable process outlives its worker, and every chat's shell would find it.
        self._shell_runtime._durable_process_store = None  # noqa: SLF001 - fast-agent's

    return activate_shell_runtime


def _plain_file(original: Callable[[Any, Path], str | None]) -> Callable[[Any, Path], str | None]:
    def skill_path_error_message(self: Any, path: Path) -> str | None:
        problem = original(self, path)
        if problem is not None:
            return problem
        file = path.resolve()
        inside = [file.relative_to(root) for root in self._allowed_directories if file.is_relative_to(root)]
        if any(part.startswith(".") for way in inside for part in way.parts):
            return "Access denied: hidden files are no part of a skill."
        if file.stat().st_size > _LARGEST_SKILL_FILE:
            return f"The file is larger than {_LARGEST_SKILL_FILE // 1024} KiB."
        return None

    return skill_path_error_message


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
    if _allowed["shell"]:
        await asyncio.to_thread(_end_those, lambda found: found == owner)


async def end_strays() -> None:
    """End what the shells of a worker left that was killed."""
    if _allowed["shell"]:
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
