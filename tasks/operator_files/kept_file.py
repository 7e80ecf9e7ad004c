"""A file of the operator's as it was when it could be used last, copied into the state directory.

A process that starts while the file is broken goes on with it, as those do that run.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from tasks.whole_file import write_whole


class KeptFile:
    """The copy of one file."""

    def __init__(self, home: Path, path: Path) -> None:
        self._path = path
        named = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]
        self._copy = home.absolute() / "kept-files" / f"{named}{path.suffix}"

    def keep(self) -> None:
        """Copy it, where the disk takes it: a full one stops no process."""
        with suppress(OSError):
            content = self._path.read_bytes()
            if self._copy.is_file() and self._copy.read_bytes() == content:
                return
            self._copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self._copy, content)

    def found(self) -> Path | None:
        """The copy, if there is one."""
        return self._copy if self._copy.is_file() else None
