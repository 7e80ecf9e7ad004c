"""Numbers of people in log files, made unreadable in place: a file that is written to meanwhile loses no line."""

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_AT_ONCE = 1 << 20


def mask(folder: Path, numbers: Collection[int]) -> int:
    """Overwrite each of the numbers, where it stands as a number of its own, with ``x``; gives how many there were."""
    if not numbers or not folder.is_dir():
        return 0
    either = "|".join(str(number) for number in sorted(numbers))
    pattern = re.compile(rf"(?<![\d-])(?:{either})(?!\d)".encode())
    masked = 0
    for path in sorted(folder.iterdir()):
        with suppress(OSError):
            if path.is_file() and not path.is_symlink():
                masked += _mask(path, pattern)
    return masked


def _mask(path: Path, pattern: re.Pattern[bytes]) -> int:
    masked = 0
    with path.open("r+b", buffering=0) as file:
        start, rest = 0, b""
        while part := file.read(_AT_ONCE):
            seen = rest + part
            # A line is looked at as a whole; the last one may go on in the next part.
            whole = seen.rfind(b"\n") + 1 if len(part) == _AT_ONCE else len(seen)
            for found in pattern.finditer(seen, 0, whole):
                file.seek(start + found.start())
                file.write(b"x" * len(found[0]))
                masked += 1
            start, rest = start + whole, seen[whole:]
            file.seek(start + len(rest))
    return masked
