"""What was read of a file, kept beside it in the cache: a file of a conversation is asked for again in each turn.

A file that takes ten seconds to refuse is refused at once from then on. The record goes with its file
(``tasks.session_files.remove``), and counts among what the cache holds.
"""

import logging
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from tasks.session_files import WORDS
from tasks.whole_file import write_whole

log = logging.getLogger("cohort.runtime")

_FORM = "3"
"""Of the records, and of what the reading program makes of a file: a higher number has all files read again."""


def fingerprint(path: Path, limit: int) -> str:
    """Names the file's content, and how much of it is asked for; "" keeps nothing. Blocking.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        digest = blake2b(digest_size=16)
        while piece := file.read(2**20):
            digest.update(piece)
    return f"{_FORM} {limit} {digest.hexdigest()}"


def look(path: Path, wanted: str) -> tuple[int, bytes] | None:
    """The program's exit status and what it printed, where that is kept. Blocking."""
    if not wanted:
        return None
    with suppress(OSError, ValueError):
        head, _, said = _beside(path).read_bytes().partition(b"\n")
        named, _, status = head.decode().rpartition(" ")
        if named == wanted:
            return int(status), said
    return None


def keep(path: Path, wanted: str, status: int, said: bytes) -> None:
    """Keep them, where the disk takes them. Blocking."""
    if not wanted:
        return
    try:
        write_whole(_beside(path), f"{wanted} {status}\n".encode() + said)
    except OSError as problem:
        log.warning("document.not_kept", extra={"problem": type(problem).__name__})


def _beside(path: Path) -> Path:
    return path.with_name(path.name + WORDS)
