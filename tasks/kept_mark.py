"""The time that processes noted last in a Redis, kept in the state directory: a start knows whether older data came."""

import hashlib
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tasks.text import is_digits
from tasks.whole_file import write_whole

_WRITE_EVERY_S = 30.0
"""Of so much newer a time the file is written again; a start tells of data that is older by more than this."""
_DIGITS = 12


class KeptMark:
    """The mark of one Redis. All processes of this machine read and write the same file."""

    def __init__(self, home: Path, url: str) -> None:
        """``url``: of that Redis; its user and password say nothing of which one it is."""
        place = urlsplit(url)
        named = f"{place.scheme}://{place.netloc.rpartition('@')[2]}{place.path}"
        digest = hashlib.sha256(named.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        self._path = home.absolute() / "redis-marks" / digest
        self._kept: float | None = None

    def known(self) -> float | None:
        """What is kept; None: nothing, or nothing that can be read."""
        said = ""
        with suppress(OSError, ValueError):
            said = self._path.read_text(encoding="ascii").strip()
        self._kept = float(said) if is_digits(said) and len(said) <= _DIGITS else None
        return self._kept

    def keep(self, mark: float) -> None:
        """Keep a newer time, where the disk takes it: a full one stops no process."""
        if self._kept is not None and mark - self._kept < _WRITE_EVERY_S:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self._path, str(int(mark)).encode())
            self._kept = mark
