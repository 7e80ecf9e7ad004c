"""Reads an operator's file again and again. Where it cannot be used at a start, what it said last holds."""

from collections.abc import Callable
from pathlib import Path

from tasks.errors import Misconfigured
from tasks.operator_files.agent_files import BadFile
from tasks.operator_files.kept_file import KeptFile


class KeptReader[T]:
    """One file, with the copy that the state directory has of it."""

    def __init__(self, home: Path, path: Path, read: Callable[[Path], T]) -> None:
        self._path = path
        self._read = read
        self._copy = KeptFile(home, path)
        self._started = False
        self.stands_in = ""
        """What is wrong with the file, where its copy is used; else empty."""

    def __call__(self) -> T:
        """What it says now.

        Raises:
            BadFile, Misconfigured: as ``read``, where nothing is kept of the file, or something was read before.
        """
        try:
            found, self.stands_in = self._read(self._path), ""
        except BadFile as problem:
            kept = None if self._started else self._copy.found()
            if kept is None:
                raise
            try:
                found = self._read(kept)
            except Misconfigured:
                raise problem from None
            self.stands_in = str(problem)
        else:
            self._copy.keep()
        self._started = True
        return found
