"""Writes down what recordings say, for models that do not hear (``COHORT_TRANSCRIBE``)."""

import asyncio
import json
import logging
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2s
from math import ceil
from pathlib import Path
from typing import Any

from tasks.envelope import Media
from tasks.errors import Retryable, Terminal
from tasks.phrases import phrase
from tasks.text import clean
from tasks.whole_file import write_whole
from workers import texts
from workers.audio_server import AudioFailed, AudioServer
from workers.interfaces import MediaSource
from workers.usage import Usage, not_counted, tokens

log = logging.getLogger("cohort.runtime")

LONGEST_S = 20 * 60
"""Seconds of a recording; OpenAI's newer models take 25 minutes."""
LONGEST_TEXT = 50_000
"""Characters of a transcript: people speak some 20,000 in that time."""
_LONGEST_ANSWER = 2**20
_TOO_BIG = 413
_NOT_TAKEN = frozenset({400, 415, 422})
"""Statuses of a server that does not take this recording, and will not later."""
_PAGE = re.compile(r"\s*(?:<(?:!|\?xml|html\b|head\b)|<[a-z][^<>]*>.*</[a-z]|[{\[]\s*[\"{])", re.IGNORECASE | re.DOTALL)
"""Markup, and JSON that ends too early: no person speaks so."""
_MARK = re.compile(r"<\|[^<>|]{1,32}\|>")
"""What Whisper and SenseVoice write between words: the language, a mood, a second."""
_MOST_UNREAD = 0.1
"""Of a text's characters: servers cut some between their bytes, and what is no text has more of them."""
_SILENCE = re.compile(r"(?:\s*[\[(]\s*(?:blank[_ ]audio|silence|no speech|inaudible)\s*[\])])+", re.IGNORECASE)
"""What Whisper writes of a recording without speech."""
_WHY = ".why"
"""Ends the name of the file that says why a recording was not heard."""


class NotHeard(Terminal):
    """This recording could not be written down."""


class Transcriber:
    """One for each worker. ``model``: the name that the server knows."""

    def __init__(self, model: str, server: AudioServer) -> None:
        self._model = model
        self._server = server

    async def words(self, path: Path, media: Media, spent: Callable[[Usage], None] = not_counted) -> str:
        """What a recording says; ``spent`` is told what the server's answer cost.

        Raises:
            NotHeard: it is too long, it has no words, or the server has no answer; the message is for the user.
        """
        if (media.duration_s or 0) > LONGEST_S:
            raise NotHeard(texts.recording_too_long(LONGEST_S // 60))
        try:
            recording = await asyncio.to_thread(path.read_bytes)
            form = {"model": self._model, "response_format": "json"}
            files = {"file": (path.name, recording)}
            said = await self._server.post("/audio/transcriptions", _LONGEST_ANSWER, data=form, files=files)
            words, used = _read_answer(said)
        except (AudioFailed, OSError) as problem:
            log.warning("transcribe.failed", extra={"problem": str(problem) or type(problem).__name__})
            raise NotHeard(_why(problem)) from problem
        spent(_usage(self._model, used, media))
        if not words:
            raise NotHeard(phrase("no-words-heard"))
        return words


def _why(problem: AudioFailed | OSError) -> str:
    """What the user reads: whether the same recording may be heard later."""
    status = problem.status if isinstance(problem, AudioFailed) else 0
    if status == _TOO_BIG:
        return phrase("recording-too-big")
    return phrase("recording-damaged") if status in _NOT_TAKEN else phrase("not-heard")


def _read_answer(answer: bytes) -> tuple[str, Any]:
    """The text of an answer, and what it says that it cost; a server that knows no JSON gives the text bare.

    Raises:
        AudioFailed: it is something else: an error that is called a success, or a proxy's page.
    """
    said, used = answer.decode(errors="replace"), None
    with suppress(ValueError, RecursionError):
        found: Any = json.loads(said)
        if isinstance(found, dict):
            said, used = found.get("text", found or ""), found.get("usage")
        elif found is None or isinstance(found, list | str):
            said = found
    if said is None:
        said = ""
    if not isinstance(said, str) or _PAGE.match(said) or said.count("\ufffd") > _MOST_UNREAD * len(said):
        raise AudioFailed("the answer is no transcript")
    words = clean(_MARK.sub("", said)).strip()[:LONGEST_TEXT]
    return "" if _SILENCE.fullmatch(words) else words, used


def _usage(model: str, used: Any, media: Media) -> Usage:
    """What a recording cost: tokens where its server counts them, else seconds, else as long as it is."""
    used = used if isinstance(used, dict) else {}
    given, made = tokens(used.get("input_tokens")), tokens(used.get("output_tokens"))
    if given or made:
        return Usage(given, made, model, apart=True)
    # A server's own count may be off, but not by much.
    said, most = used.get("seconds"), LONGEST_S
    seconds = said if type(said) in (int, float) and 0 < said <= most else media.duration_s or 0
    return Usage(model=model, seconds=min(most, ceil(seconds)), apart=True)


@dataclass(slots=True)
class Hearing:
    """What the recordings of one turn say, or why they say nothing.

    A try that begins again, on any worker of this machine, reads it here.
    """

    transcriber: Transcriber
    folder: Path
    """Of the session; the last turn's stand in it."""
    turn: str
    """Names it for each of its tries; "" keeps nothing."""
    phase: Callable[[str], None]
    """Shows what the turn does."""
    spent: Callable[[Usage], None] = not_counted
    """Is told what it costs."""
    heard: list[str] = field(default_factory=list[str])
    """What the user is shown."""
    _ahead: dict[str, str | NotHeard] = field(default_factory=dict[str, "str | NotHeard"])

    async def words(self, path: Path, media: Media) -> str:
        """What a recording says; raises as ``Transcriber.words``."""
        words = self._ahead.get(media.file_id) or await self._shown(self._asked(path, media))
        if isinstance(words, NotHeard):
            raise words
        self.heard.append(words)
        return words

    async def listen_ahead(self, source: MediaSource, recordings: Sequence[Media]) -> None:
        """Have several recordings written down at once: who speaks in pieces waits for the longest, not for all."""
        if len(recordings) > 1:
            await self._shown(self._all(source, recordings))

    async def _all(self, source: MediaSource, recordings: Sequence[Media]) -> None:
        async with asyncio.TaskGroup() as group:
            for number, media in enumerate(recordings):
                group.create_task(self._one(source, media), name=f"hear {number}")

    async def _one(self, source: MediaSource, media: Media) -> None:
        try:
            self._ahead[media.file_id] = await self._asked(await source.fetch(media), media)
        except NotHeard as problem:
            self._ahead[media.file_id] = problem
        except (Retryable, Terminal):
            return  # The turn tells it when it opens the file.

    async def _shown[T](self, work: Awaitable[T]) -> T:
        self.phase(phrase("listening"))
        try:
            return await work
        finally:
            self.phase("")

    async def _asked(self, path: Path, media: Media) -> str:
        name = blake2s((media.unique_id or media.file_id).encode(), digest_size=10).hexdigest()
        if not self.turn:
            return await self.transcriber.words(path, media, self.spent)
        kept = self.folder / blake2s(self.turn.encode(), digest_size=10).hexdigest() / f"{name}.txt"
        if words := await asyncio.to_thread(_read, kept):
            return words
        # A recording that is heard at last would be another question: the steps of the tries before would not fit it.
        if why := await asyncio.to_thread(_read, kept.with_suffix(_WHY)):
            raise NotHeard(why)
        try:
            words = await self.transcriber.words(path, media, self.spent)
        except NotHeard as problem:
            await asyncio.to_thread(_write, kept.with_suffix(_WHY), str(problem))
            raise
        await asyncio.to_thread(_write, kept, words)
        return words


def _read(kept: Path) -> str:
    with suppress(OSError, ValueError):
        return kept.read_text(encoding="utf-8")
    return ""


def _write(kept: Path, words: str) -> None:
    turn = kept.parent
    try:
        for other in turn.parent.iterdir() if turn.parent.is_dir() else ():
            if other != turn:
                shutil.rmtree(other, ignore_errors=True)
        turn.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(kept, words.encode())
    except OSError as problem:
        log.warning("transcribe.not_kept", extra={"problem": type(problem).__name__})
