"""Office files, books, web pages and PDFs as text, read by a process of their own (``workers.runtime.extraction``)."""

import asyncio
import importlib.util
import logging
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from tasks.errors import Terminal
from tasks.phrases import phrase
from tasks.text import clean
from workers.runtime.conversation import kept_words
from workers.runtime.conversation.file_types import OFFICE_MIMES
from workers.runtime.extraction import main as program

log = logging.getLogger("cohort.runtime")

_MIMES = frozenset(OFFICE_MIMES.values())
_PAGE = "text/html"
_PAPER = "application/pdf"
_PAGE_AS_IT_IS = 20_000
"""Bytes of a web page that goes to the model with its markup: people who send a short one ask about that."""
_AT_ONCE = 2
"""Files that a worker reads at the same time: each may take 384 MiB and ten seconds of a core."""
_TIMEOUT_S = 30.0
_TOO_LONG = -1000
"""Instead of a status: the program had its time, perhaps not its share of a core. It may do better another time."""
_ROOT = Path(__file__).parents[3]
_START = (
    "import sys; sys.path[:0] = [sys.argv.pop(1)]; sys.path += [sys.argv.pop(1)]; "
    "from workers.runtime.extraction.main import run; run()"
)


class NotRead(Terminal):
    """This file cannot be read."""


def is_document(mime: str, size: int) -> bool:
    """Whether a file of this type and so many bytes is read here."""
    return mime in _MIMES or mime == _PAPER or (mime == _PAGE and size > _PAGE_AS_IT_IS)


class DocumentReader:
    """One for each worker."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def text(self, path: Path, limit: int) -> str:
        """The words of a file, at most ``limit`` characters.

        Raises:
            NotRead: it has none that can be read; the message is for the user.
        """
        wanted = await asyncio.to_thread(kept_words.fingerprint, path, limit)
        found = await asyncio.to_thread(kept_words.look, path, wanted)
        if found is None:
            async with self._room:
                found = await _run(path, limit)
            if found[0] != _TOO_LONG:
                await asyncio.to_thread(kept_words.keep, path, wanted, *found)
        status, said = found
        if status != program.EXITS["read"]:
            log.info("document.refused", extra={"status": status})
            raise NotRead(_why(status))
        text = clean(said.decode(errors="replace"))
        if not text.strip():
            raise NotRead(phrase("file-without-words"))
        return text


def _why(status: int) -> str:
    """What the user reads; ``status``: the program's."""
    if status == program.EXITS["locked"]:
        return phrase("file-locked")
    if status == program.EXITS["pictures"]:
        return phrase("pdf-without-words")
    return phrase("cannot-file") if status == program.EXITS["other"] else phrase("file-damaged")


async def _run(path: Path, limit: int) -> tuple[int, bytes]:
    """The program's exit status and what it printed. It is killed when it takes too long, or is not wanted any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", _START, str(_ROOT), _libraries(), str(path), str(limit)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    said, late = b"", False
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            said, _ = await process.communicate()
    except TimeoutError:
        late = True
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _TOO_LONG if late else process.returncode or 0, said


@cache
def _libraries() -> str:
    """Where pypdf stands: the program starts without the folders of libraries."""
    found = importlib.util.find_spec("pypdf")
    return str(Path(found.origin).parents[1]) if found is not None and found.origin else ""
