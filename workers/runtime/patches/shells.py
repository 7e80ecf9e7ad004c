"""A card's shell: given only where the card and the operator both say so, with processes that end with their lane.

fast-agent gives a shell, and with it the reading and writing of files, to every card that has a skill. Here a shell
needs ``shell: true`` in the card and ``COHORT_SHELL=on``. A skill is text: ``read_skill`` reads files of its folder,
and nothing else.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.runtime.shell_processes import allowed

# A skill's file is read into one tool result.
_LARGEST_SKILL_FILE = 256 * 1024


def asked_for(original: Callable[..., None]) -> Callable[..., None]:
    def activate_shell_runtime(self: Any, *args: Any, **kwargs: Any) -> None:
        """Every way to a shell and to files passes here: the card, its skills, a switch at run time."""
        if not (allowed["shell"] and self.config.shell):
            return
        original(self, *args, **kwargs)
        # A durable process outlives its worker, and every chat's shell would find it.
        self._shell_runtime._durable_process_store = None  # noqa: SLF001 - fast-agent's

    return activate_shell_runtime


def plain_file(original: Callable[[Any, Path], str | None]) -> Callable[[Any, Path], str | None]:
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
