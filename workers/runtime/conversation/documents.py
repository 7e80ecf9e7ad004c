"""Office files, books and web pages as text, read by a process of their own (``workers.runtime.extraction``)."""

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path

from tasks.errors import Terminal
from tasks.phrases import phrase
from tasks.text import clean
from workers.runtime.conversation.file_types import OFFICE_MIMES
from workers.runtime.extraction import main as program

log = logging.getLogger("cohort.runtime")

_MIMES = frozenset(OFFICE_MIMES.values())
_PAGE = "text/html"
_PAGE_AS_IT_IS = 20_000
"""Bytes of a web page that goes to the model with its markup: people who send a short one ask about that."""
_AT_ONCE = 2
"""Files that a worker reads at the same time: each may take 384 MiB and ten seconds of a core."""
_TIMEOUT_S = 30.0
_ROOT = Path(__file__).parents[3]
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from workers.runtime.extraction.main import run; run()"


class NotRead(Terminal):
    """This file cannot be read."""


def is_document(mime: str, size: int) -> bool:
    """Whether a file of this type and so many bytes is read here."""
    return mime in _MIMES or (mime == _PAGE and size > _PAGE_AS_IT_IS)


class DocumentReader:
    """One for each worker."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def text(self, path: Path, limit: int) -> str:
        """The words of a file, at most ``limit`` characters.

        Raises:
            NotRead: it has none that can be read; the message is for the user.
        """
        async with self._room:
            status, said = await _run(path, limit)
        if status != program.EXITS["read"]:
            log.info("document.refused", extra={"status": status})
            raise NotRead(_why(status))
        text = clean(said.decode(errors="replace"))
        if not text.strip():
            raise NotRead(phrase("file-without-words"))
        return text


def _why(status: int | None) -> str:
    """What the user reads; ``status``: the program's, or none."""
    if status == program.EXITS["locked"]:
        return phrase("file-locked")
    return phrase("cannot-file") if status == program.EXITS["other"] else phrase("file-damaged")


async def _run(path: Path, limit: int) -> tuple[int, bytes]:
    """The program's exit status and what it printed. It is killed when it takes too long, or is not wanted any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", _START, str(_ROOT), str(path), str(limit)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            said, _ = await process.communicate()
    except TimeoutError:
        said = b""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, said
