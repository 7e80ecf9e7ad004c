"""The file of `cohort backup`: gzip, one JSON object a line, checked as a whole before any of it is used.

The first line is ``{"cohort-backup": 1, "made": seconds since the epoch, "release": "0.1.0"}``. Each further line is a
key, ``{"key", "type", "expires", "value"}``, where ``value`` is a list of base64 texts (``backup.StoredKey``).
The last line is ``{"records": count, "sha256": hex}``, the digest of all lines before it.
"""

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from ops.home import unwritable
from tasks.errors import Misconfigured
from tasks.store.backup import StoredKey

FORM = 1


async def write(file: Path, records: AsyncIterable[StoredKey], *, made: float, release: str) -> int:
    """Write ``file`` whole or not at all, for its owner only; gives the number of records.

    Raises:
        Misconfigured: the file cannot be written (no right, no such directory).
        Retryable: the disk is full.
    """
    draft = file.with_name(f"{file.name}.new")
    digest, count = hashlib.sha256(), 0

    def line(what: dict[str, Any]) -> bytes:
        text = json.dumps(what, separators=(",", ":")).encode() + b"\n"
        digest.update(text)
        return text

    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0) as out:
                out.write(line({"cohort-backup": FORM, "made": made, "release": release}))
                async for record in records:
                    out.write(line(_told(record)))
                    count += 1
                out.write(line({"records": count, "sha256": digest.hexdigest()}))
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
    except OSError as problem:
        raise unwritable(f"{file}: cannot be written ({problem.strerror or problem})", problem) from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return count


def _told(record: StoredKey) -> dict[str, Any]:
    value = [base64.b64encode(part).decode() for part in record.value]
    return {"key": record.key, "type": record.type, "expires": record.expires, "value": value}


def check(file: Path) -> tuple[float, int]:
    """Read it to its end; gives when it was made (seconds since the epoch) and how many records it has.

    Raises:
        Misconfigured: it cannot be read, is no backup, is not whole, or was made by a newer release.
    """
    digest, count, made, whole = hashlib.sha256(), -1, 0.0, False
    try:
        for text in _lines(file):
            known = digest.hexdigest()
            what = json.loads(text)
            if count < 0:
                made = _opened(file, what)
            elif "sha256" in what:
                whole = (what["sha256"], what["records"]) == (known, count)
                continue  # to the file's end: gzip has a digest of its own there
            elif whole:
                whole = False
                break
            else:
                _record(what)
            digest.update(text)
            count += 1
    except (ValueError, TypeError, KeyError, AttributeError):
        # The head is line 1 and counts from -1.
        raise Misconfigured(f"{file}: {_wrong_at(count + 2)}") from None
    if count < 0:
        raise Misconfigured(f"{file}: {_wrong_at(1)} (it is empty)")
    if not whole:
        said = f"{count} records to its line {count + 1}" if count > 0 else "no record"
        raise Misconfigured(f"{file}: is not whole (its end is missing or its digest is another one; {said})")
    return made, count


def _opened(file: Path, head: Any) -> float:
    form = head["cohort-backup"]
    if not isinstance(form, int) or form > FORM:
        raise Misconfigured(f"{file}: was written by a newer release: upgrade Cohort")
    return float(head["made"])


def _lines(file: Path) -> Iterator[bytes]:
    place = 0
    try:
        with gzip.open(file) as lines:
            for line in lines:
                place += 1
                yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise Misconfigured(f"{file}: {_wrong_at(place + 1)} ({problem})") from None
    except OSError as problem:
        raise Misconfigured(f"{file}: cannot be read ({problem.strerror or problem})") from None


def _wrong_at(line: int) -> str:
    return "is not a backup of Cohort" if line == 1 else f"is damaged at its line {line}"


def _record(what: dict[str, Any]) -> StoredKey:
    value = tuple(base64.b64decode(cast("str", part), validate=True) for part in what["value"])
    expires = what["expires"]
    return StoredKey(str(what["key"]), str(what["type"]), None if expires is None else float(expires), value)


async def read(file: Path) -> AsyncIterator[StoredKey]:
    """The records of a file that ``check`` found whole."""
    for place, text in enumerate(_lines(file)):
        what = json.loads(text)
        if place and "sha256" not in what:
            yield _record(what)
