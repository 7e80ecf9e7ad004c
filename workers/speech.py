"""Answers that are spoken, too (``COHORT_VOICE``): which, what of them is said, and by whom."""

import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tasks.config.settings import Settings
from tasks.envelope import OutFile, Reply
from tasks.phrases import phrase, sentences
from workers.audio_server import AudioFailed, AudioServer, TellOperators, speech
from workers.pictures import PICTURE_MARK

log = logging.getLogger("cohort.delivery")

LONGEST = 3_500
"""Characters that are spoken, some four minutes; OpenAI's endpoint takes 4,096."""
_LOOKED_AT = 4 * LONGEST
_LARGEST = 20 * 2**20
"""Bytes of a spoken answer."""
_SPOKEN = (b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
"""How Ogg and MP3 begin: what Telegram shows as a voice message."""
_NOT_SAID = ("strikethrough", "spoiler")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_SENTENCE = re.compile(r"[.!?…。！？](?=\s|$)|[。！？]|\n")


type Shown = Callable[[str], Iterable[Reply]]
"""Renders Markdown."""


class Rendering(Protocol):
    """What shows answers (``workers.interfaces.Delivery``)."""

    def render(self, markdown: str) -> tuple[Reply, ...]:
        """Markdown as messages."""
        ...


class SpeechParts(Protocol):
    """What a turn has (``workers.sessions.dependencies``)."""

    @property
    def settings(self) -> Settings:
        """Without ``COHORT_VOICE`` nothing is spoken."""
        ...

    @property
    def delivery(self) -> Rendering:
        """Shows answers."""
        ...


def with_voice(
    said: tuple[Reply, ...],
    text: str,
    *,
    spoken: bool,
    effective: Callable[[str, Settings], str],
    parts: SpeechParts,
) -> tuple[Reply, ...]:
    """An answer, and behind it what is spoken of it.

    Args:
        said: The answer as it is written.
        text: Its Markdown.
        spoken: Whether what it answers was spoken.
        effective: Gives what the chat has chosen: ``off``, ``on``, or ``auto`` (where that was spoken).
        parts: The turn's.
    """
    if parts.settings.voice is None or (mode := effective("voice", parts.settings)) == "off" or not said:
        return said
    if mode == "auto" and not spoken:
        return said
    words = speakable(text, parts.delivery.render)
    if not words:
        return said
    file = OutFile(kind="voice", name="answer.ogg", speak=words)
    return (*said, Reply(v=3, files=(file,), answers=said[0].answers))


def speakable(markdown: str, shown: Shown) -> str:
    """What is said of an answer: its words without code, tables and addresses, cut at a sentence's end.

    Args:
        markdown: The answer.
        shown: Gives a piece of it as people read it: formulas in letters and signs, marks as forms of words.
    """
    words = "\n".join(_lines(MarkdownIt("commonmark").enable("table").parse(markdown[:_LOOKED_AT]), shown))
    words = re.sub(r"[ \t]+", " ", _ADDRESS.sub("", words)).strip()
    if not any(map(str.isalnum, words)):
        return ""
    if len(words) <= LONGEST and len(markdown) <= _LOOKED_AT:
        return words
    ends = [found.end() for found in _SENTENCE.finditer(words[:LONGEST])]
    return sentences(words[: ends[-1] if ends else LONGEST].strip(), phrase("voice-goes-on"))


def _lines(tokens: Iterable[Token], shown: Shown) -> list[str]:
    lines: list[str] = []
    tables, number = 0, ""
    for token in tokens:
        tables += {"table_open": 1, "table_close": -1}.get(token.type, 0)
        if token.type == "list_item_open":
            number = f"{token.info}. " if token.info else ""
        if token.type == "inline" and not tables:
            lines.append(number + " ".join("".join(map(_said, shown(token.content))).split("\n")))
            number = ""
    return lines


def _said(reply: Reply) -> str:
    """A text without what is struck out or hidden, and without the names of its pictures."""
    units = reply.text.encode("utf-16-le")
    kept, done = b"", 0
    for start, end in sorted(_silent(reply, units)):
        if start >= done:
            kept, done = kept + units[done:start], end
    return (kept + units[done:]).decode("utf-16-le", "replace").replace(PICTURE_MARK, "")


def _silent(reply: Reply, units: bytes) -> Iterator[tuple[int, int]]:
    for entity in reply.entities:
        start = 2 * int(entity["offset"])
        picture = entity["type"] == "text_link" and units[:start].endswith(PICTURE_MARK.encode("utf-16-le"))
        if picture or entity["type"] in _NOT_SAID:
            yield start, start + 2 * int(entity["length"])


class Speaker:
    """One for each worker."""

    def __init__(self, settings: Settings, server: AudioServer) -> None:
        self._model = settings.voice
        self._voice = settings.voice_name
        self._server = server

    async def speak(self, words: str) -> bytes | None:
        """The words as sound; None where the server gives none. The answer stands in the chat all the same."""
        body = {"model": self._model, "voice": self._voice, "input": words, "response_format": "opus"}
        try:
            spoken = await self._server.post("/audio/speech", _LARGEST, json=body)
            if not spoken.startswith(_SPOKEN):
                raise AudioFailed("the answer is no sound")  # noqa: TRY301 - it ends here like the others
        except AudioFailed as problem:
            log.warning("voice.failed", extra={"problem": str(problem)})
            return None
        return spoken


@asynccontextmanager
async def speaker(settings: Settings, alert: TellOperators | None = None) -> AsyncGenerator[Speaker | None]:
    """What speaks answers, where the operator has set it up; ``alert`` is told when its server refuses."""
    if settings.voice is None:
        yield None
        return
    async with speech(settings, alert) as server:
        yield Speaker(settings, server)
