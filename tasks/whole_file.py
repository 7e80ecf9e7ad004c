"""Writes a file as a whole: who reads it finds the old content or the new one, never a part."""

import os
from pathlib import Path
from uuid import uuid4

_ANYONE = 0o666


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
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
