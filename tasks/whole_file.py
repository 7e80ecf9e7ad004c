"""Writes a file as a whole: who reads it finds the old content or the new one, never a part."""

import os
import re
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

_ANYONE = 0o666
_DRAFT = re.compile(r"[0-9a-f]{32}\.part")
_LEFT_S = 3600.0
"""A draft is written within moments; one that is older was left by a process that was killed."""


def write_whole(path: Path, content: bytes, mode: int = _ANYONE) -> None:
    """Write a draft beside the file and put it in its place.

    Args:
        path: The file. What stands there, with whatever mode, is replaced.
        content: All of it.
        mode: Of the new file, less what the process's umask takes.

    Raises:
        OSError: The disk does not take it. The file is as it was, and no draft is left.
    """
    draft = path.with_name(f"{uuid4().hex}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        _sweep(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _sweep(draft: Path) -> None:
    """Remove drafts beside this one that were left; the time is the disk's own."""
    with suppress(OSError), os.scandir(draft.parent) as found:
        now = draft.stat().st_mtime
        for entry in found:
            if _DRAFT.fullmatch(entry.name) and now - entry.stat(follow_symlinks=False).st_mtime > _LEFT_S:
                Path(entry).unlink(missing_ok=True)
