"""Recordings as WAV, for models that hear and take no other format (the extra ``voice``)."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from tasks.envelope import Media
from tasks.errors import Terminal
from tasks.phrases import phrase
from tasks.session_files import SOUND
from workers import texts
from workers.runtime.conversation import apart, kept_words
from workers.runtime.conversation.file_types import is_recording

log = logging.getLogger("cohort.runtime")

WAV = "audio/wav"
LIBRARY = "av"
LONGEST_S = 10 * 60
"""Seconds of a recording: 18 MiB as WAV."""
_PROGRAM = "workers.runtime.extraction.sound"
_BYTES_A_SECOND = 32_000
"""Of the program's WAV."""
_HEADER = 44
_READ, _LONG, _SILENT = 0, 4, 6
"""Its exit statuses. It is not imported here: the library is optional, and loads FFmpeg."""
_AT_ONCE = 2
"""Recordings that a worker converts at the same time: each takes 50 MiB, and two seconds of a core at most."""


class NotConverted(Terminal):
    """This recording did not become WAV."""


class SoundConverter:
    """One for each worker."""

    def __init__(self, most: int, *, installed: bool | None = None) -> None:
        """Convert what takes ``most`` bytes as WAV at most; ``installed`` None looks whether the library is there."""
        self._seconds = min(LONGEST_S, max(1, (most - _HEADER) // _BYTES_A_SECOND))
        self._installed = bool(apart.where(LIBRARY)) if installed is None else installed
        self._told = False
        self._room = asyncio.Semaphore(_AT_ONCE)

    def converts(self, media: Media, mime: str, reads: Callable[[str], bool]) -> bool:
        """Whether a recording reaches a model as WAV: it hears, and does not take the format that it came in."""
        if reads(mime) or not is_recording(media, mime) or not reads(WAV):
            return False
        if not self._installed and not self._told:
            self._told = True
            log.warning("sound.not_converted", extra={"mime": mime, "missing": "cohort[voice]"})
        return self._installed

    def weight(self, media: Media, unknown: int) -> int:
        """Bytes that it will have; ``unknown`` where Telegram does not say how long it is."""
        return unknown if media.duration_s is None else _HEADER + min(media.duration_s, self._seconds) * _BYTES_A_SECOND

    async def wav(self, path: Path, media: Media) -> Path:
        """The sound of a file, kept beside it.

        Raises:
            NotConverted: it has none, or too much of it; the message is for the user.
        """
        if (media.duration_s or 0) > self._seconds:
            raise NotConverted(self._why(_LONG))
        wanted = await asyncio.to_thread(kept_words.fingerprint, path, self._seconds)
        sound = path.with_name(path.name + SOUND)
        found = await asyncio.to_thread(_kept, path, wanted, sound)
        if found is None:
            async with self._room:
                found = await self._convert(path, sound)
            if found != apart.TOO_LONG:
                await asyncio.to_thread(kept_words.keep, path, wanted, found, b"")
        if found != _READ:
            log.info("sound.refused", extra={"status": found})
            raise NotConverted(self._why(found))
        return sound

    async def _convert(self, path: Path, sound: Path) -> int:
        unfinished = path.with_name(f"{uuid4().hex}.part")
        try:
            status, _ = await apart.run(_PROGRAM, (LIBRARY,), str(path), str(unfinished), str(self._seconds))
            if status == _READ:
                await asyncio.to_thread(unfinished.replace, sound)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return status

    def _why(self, status: int) -> str:
        if status == _LONG:
            return texts.recording_too_long(max(1, self._seconds // 60))
        if status == _SILENT:
            return phrase("no-words-heard")
        return phrase("not-heard") if status == apart.TOO_LONG else phrase("recording-damaged")


def _kept(path: Path, wanted: str, sound: Path) -> int | None:
    """The status that is kept of a file, and its sound counted as used now. Blocking."""
    found = kept_words.look(path, wanted)
    if found is None or found[0] != _READ:
        return found and found[0]
    with suppress(OSError):
        os.utime(sound)
        return _READ
    return None
