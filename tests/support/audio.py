"""The audio endpoints of the mock model: what it hears is what a test says that it hears."""

import asyncio
import re
from dataclasses import dataclass, field
from random import Random

from tests.support.wire import Request

SPOKEN = b"OggS" + bytes(60)
"""What a spoken answer is made of."""
PAGE = b"<html><body>Bad gateway"
"""What a proxy says for a server, with status 200."""
_WORD = re.compile(rb"\bm\d{6}q\b")


def spoken(word: str) -> str:
    """What is heard in a recording that holds this word."""
    return f"spoken {word}."


@dataclass(slots=True)
class Audio:
    """``words``: what each recording says. ``status``: refuse with it, so many ``times``. ``body``: answer this."""

    words: str = "hello from a recording"
    status: int = 200
    times: int = 1_000
    asks: dict[str, str] = field(default_factory=dict[str, str])
    """Headers with which it refuses."""
    body: bytes | None = None
    fails: float = 0.0
    """The share of recordings that get a refusal, a page or no answer; the others say the word that they hold."""
    silent: asyncio.Event | None = None
    """Nothing is answered before it is set."""
    transcribed: list[tuple[str, str, bytes, str]] = field(default_factory=list[tuple[str, str, bytes, str]])
    """Model, file name, bytes and key of each request."""
    spoken: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    _chance: Random = field(default_factory=lambda: Random(1))

    async def serve(self, what: str, request: Request) -> None:
        if self.fails:
            await self._serve_or_fail(request)
            return
        key = request.headers.get("authorization", "")
        if what == "transcriptions":
            parts = _parts(request)
            self.transcribed.append((parts["model"][1].decode(), *parts["file"], key))
        else:
            self.spoken.append({**request.json(), "key": key})
        if self.silent is not None:
            await self.silent.wait()
        if self.status != 200 and self.times:
            self.times -= 1
            await request.respond({"error": {"message": "no"}}, self.status, self.asks)
        elif self.body is not None:
            await request.respond(self.body)
        else:
            await request.respond({"text": self.words} if what == "transcriptions" else SPOKEN)

    async def _serve_or_fail(self, request: Request) -> None:
        word = _WORD.search(_parts(request)["file"][1])
        how = self._chance.choice((400, 500, 503, 200, 0)) if self._chance.random() < self.fails else None
        if how == 0:
            request.abort()
        elif how is None and word is not None:
            await request.respond({"text": spoken(word[0].decode())})
        else:
            await request.respond(PAGE, how or 400)


def _parts(request: Request) -> dict[str, tuple[str, bytes]]:
    """The fields of a form: file name and bytes of each."""
    mark = b"--" + request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    found: dict[str, tuple[str, bytes]] = {}
    for part in request.body.split(mark)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        names = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
        found[names["name"]] = names.get("filename", ""), body.removesuffix(b"\r\n")
    return found
