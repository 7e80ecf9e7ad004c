"""An archive of any files: their names, and the words of those that are text."""

from workers.runtime.extraction.archive import Archive, Ended, Words

_NAMED = 500
"""Names of an archive that are told."""
_OPENED = 50
_TEXT_BYTES = 100_000
"""Of a member, so that one long log does not hide the others."""


def bundle(archive: Archive, words: Words) -> None:
    """Add them; archives within it stay names.

    Raises:
        Ended: all have a password.
        Full: there are more words.
    """
    names = [name for name in archive.names if not name.endswith("/")]
    if names and archive.locked.issuperset(names):
        raise Ended("password")
    words.add("Files in the archive:\n")
    for name in names[:_NAMED]:
        words.add(f"- {_shown(name)}{' (has a password)' if name in archive.locked else ''}\n")
    if len(names) > _NAMED:
        words.add(f"- and {len(names) - _NAMED} more\n")
    opened = 0
    for name in names[:_NAMED]:
        if opened == _OPENED:
            break
        if text := _text(archive, name):
            opened += 1
            words.add(f"\n## {_shown(name)}\n{text}\n")


def _shown(name: str) -> str:
    return " ".join(name.split())[:200]


def _text(archive: Archive, name: str) -> str:
    """What a member says; "" where it is no text, or has a password."""
    read = b""
    try:
        for piece in archive.pieces(name):
            read += piece
            if b"\0" in piece or len(read) >= _TEXT_BYTES:
                break
    except RuntimeError:
        return ""
    try:
        return "" if b"\0" in read else read[:_TEXT_BYTES].decode("utf-8-sig").strip()
    except UnicodeDecodeError as problem:
        return read[: problem.start].decode("utf-8-sig") if problem.start >= _TEXT_BYTES - 3 else ""
