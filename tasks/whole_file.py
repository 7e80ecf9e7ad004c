"""Writes a file as a whole: who reads it finds the old content or the new one, never a part."""

from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, content: bytes) -> None:
    """Write a draft beside the file and put it in its place.

    Raises:
        OSError: The disk does not take it. The file is as it was, and no draft is left.
    """
    draft = path.with_name(f"{uuid4().hex}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
