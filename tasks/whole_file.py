"""Writes a file as a whole: who reads it finds the old content or the new one, never a part. Says where none can be."""

import errno
import os
import re
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4

_ANYONE = 0o666
_DRAFT = re.compile(r"[0-9a-f]{32}\.part")
_LEFT_S = 3600.0
"""A draft is written within moments; one that is older was left by a process that was killed."""
_TRIED = 1 << 16
"""Bytes that are written to see whether a directory takes them."""


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


def takes_no_files(directory: Path) -> str | None:
    """Why no file can be kept in a directory, as a line; None: one can. It is tried where there is such a directory.

    No room, no inodes, a disk that is read-only, another owner, a file in its place: the errors differ, and so do the
    numbers that tell of them. Where there is none, what stands above it says whether it can be made.
    """
    try:
        if directory.is_dir():
            with TemporaryFile(dir=directory) as tried:
                tried.write(bytes(_TRIED))
                tried.flush()
            return None
        above = next(path for path in (directory, *directory.parents) if path.exists())
        problem = errno.ENOTDIR if not above.is_dir() else 0 if os.access(above, os.W_OK) else errno.EACCES
    except OSError as refused:
        problem = refused.errno or errno.EIO
    return f"{directory} takes no files ({os.strerror(problem)})" if problem else None


def keeps_no_files(home: Path) -> str | None:
    """Why files of chats cannot be kept in the state directory ``home``, as a line; None: they can."""
    folders = (home, *(folder for folder in (home / "media", home / "sessions") if folder.exists()))
    return next((why for folder in folders if (why := takes_no_files(folder)) is not None), None)
