"""Documents, web pages, mails and archives as text, read by a process of its own (``workers.runtime.extraction``)."""

import asyncio
import logging
from pathlib import Path

from tasks.errors import Terminal
from tasks.phrases import phrase
from tasks.text import clean
from workers.runtime.conversation import apart, kept_words
from workers.runtime.conversation.file_types import DOCUMENT_MIMES
from workers.runtime.extraction import main as program

log = logging.getLogger("cohort.runtime")

_MIMES = frozenset(DOCUMENT_MIMES.values())
_LIBRARIES = ("pypdf", "html_to_markdown", "striprtf")
_PAGE = "text/html"
_PAPER = "application/pdf"
_PAGE_AS_IT_IS = 20_000
"""Bytes of a web page that goes to the model with its markup: people who send a short one ask about that."""
_AT_ONCE = 2
"""Files that a worker reads at the same time: each may take 384 MiB and ten seconds of a core."""


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
                found = await apart.run(program.__name__, _LIBRARIES, str(path), str(limit))
            if found[0] != apart.TOO_LONG:
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
    if status == program.EXITS["password"]:
        return phrase("file-password")
    if status == program.EXITS["protected"]:
        return phrase("file-protected")
    if status == program.EXITS["pictures"]:
        return phrase("pdf-without-words")
    return phrase("file-damaged")
