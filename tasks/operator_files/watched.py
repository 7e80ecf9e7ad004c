"""Files of an operator's that are followed while a process runs: what they say now."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tasks.errors import Misconfigured

LOOK_EVERY_S = 2.0


class Watched[T]:
    """What files say now. A changed file is read; one that cannot be used is told once, and the old state stays."""

    def __init__(
        self,
        read_now: Callable[[], T],
        files: Sequence[Path],
        *,
        refused: Callable[[str], object] | None = None,
        changed: Callable[[T], object] | None = None,
    ) -> None:
        """Read the files.

        Args:
            read_now: Reads them; raises ``Misconfigured`` where they cannot be used.
            files: What it reads.
            refused: Told why changed files cannot be used.
            changed: Told what they say now, where that is something else.

        Raises:
            Misconfigured: they cannot be used.
        """
        self._read = read_now
        self._files = files
        self._refused = refused
        self._changed = changed
        self._seen = self._stamps()
        self.problem: str | None = None
        """Why the files as they are now cannot be used."""
        self.now = read_now()

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(stamp_of, self._files))

    def look(self) -> bool:
        """Read the files again if they have changed. Returns whether they say something else now."""
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        self._seen = stamps
        try:
            now = self._read()
        except Misconfigured as problem:
            self.problem = str(problem)
            if self._refused is not None:
                self._refused(self.problem)
            return False
        changed, self.now, self.problem = now != self.now, now, None
        if changed and self._changed is not None:
            self._changed(now)
        return changed

    async def next_look(self) -> bool:
        """Wait until it is time, and look. Returns as ``look`` does."""
        await asyncio.sleep(LOOK_EVERY_S)
        return await asyncio.to_thread(self.look)


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file; None where it cannot be seen."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # a name with a NUL
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
