"""Answers that are spoken, too (``COHORT_VOICE``): which, what of them is said, and by whom."""

import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tasks.config.settings import Settings
from tasks.envelope import Inbound, OutFile, Reply
from tasks.phrases import phrase, sentences
from workers.audio_server import AudioFailed, AudioServer, speech

log = logging.getLogger("cohort.delivery")

LONGEST = 3_500
"""Characters that are spoken, some four minutes; OpenAI's endpoint takes 4,096."""
_LOOKED_AT = 4 * LONGEST
_LARGEST = 20 * 2**20
"""Bytes of a spoken answer."""
_SPOKEN = (b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
"""How Ogg and MP3 begin: what Telegram shows as a voice message."""
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_SENTENCE = re.compile(r"[.!?…。！？](?=\s|$)|[。！？]|\n")


def with_voice(
    said: tuple[Reply, ...],
    text: str,
    messages: Sequence[Inbound],
    effective: Callable[[str, Settings], str],
    settings: Settings,
) -> tuple[Reply, ...]:
    """An answer, and behind it what is spoken of it.

    Args:
        said: The answer as it is written.
        text: Its Markdown.
        messages: What it answers.
        effective: Gives what the chat has chosen: ``off``, ``on``, or ``auto`` (where one of the messages was spoken).
        settings: Without ``COHORT_VOICE`` nothing is spoken.
    """
    if settings.voice is None or (mode := effective("voice", settings)) == "off" or not said:
        return said
    if mode == "auto" and not any(file.kind in ("voice", "video_note") for one in messages for file in one.media):
        return said
    words = speakable(text)
    if not words:
        return said
    file = OutFile(kind="voice", name="answer.ogg", speak=words)
    return (*said, Reply(v=3, files=(file,), answers=said[0].answers))


def speakable(markdown: str) -> str:
    """What is said of an answer: its words without code, tables and addresses, cut at a sentence's end."""
    words = "\n".join(_lines(MarkdownIt("commonmark").enable("table").parse(markdown[:_LOOKED_AT])))
    words = re.sub(r"[ \t]+", " ", _ADDRESS.sub("", words)).strip()
    if not any(map(str.isalnum, words)):
        return ""
    if len(words) <= LONGEST and len(markdown) <= _LOOKED_AT:
        return words
    ends = [found.end() for found in _SENTENCE.finditer(words[:LONGEST])]
    return sentences(words[: ends[-1] if ends else LONGEST].strip(), phrase("voice-goes-on"))


def _lines(tokens: Iterable[Token]) -> list[str]:
    lines: list[str] = []
    tables = 0
    for token in tokens:
        tables += {"table_open": 1, "table_close": -1}.get(token.type, 0)
        if token.type == "inline" and not tables:
            lines.append("".join(map(_said, token.children or ())))
    return lines


def _said(token: Token) -> str:
    if token.type in ("text", "code_inline", "text_special"):
        return token.content
    return " " if token.type in ("softbreak", "hardbreak") else ""


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
async def speaker(settings: Settings) -> AsyncGenerator[Speaker | None]:
    """What speaks answers, where the operator has set it up."""
    if settings.voice is None:
        yield None
        return
    async with speech(settings) as server:
        yield Speaker(settings, server)
