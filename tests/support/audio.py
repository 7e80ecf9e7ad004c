"""The audio endpoints of the mock model: what it hears is what a test says that it hears."""

import asyncio
import re
from dataclasses import dataclass, field

from tests.support.wire import Request

SPOKEN = b"OggS" + bytes(60)
"""What a spoken answer is made of."""


@dataclass(slots=True)
class Audio:
    """``words``: what each recording says. ``status``: refuse with it, so many ``times``. ``body``: answer this."""

    words: str = "hello from a recording"
    status: int = 200
    times: int = 1_000
    asks: dict[str, str] = field(default_factory=dict[str, str])
    """Headers with which it refuses."""
    body: bytes | None = None
    silent: asyncio.Event | None = None
    """Nothing is answered before it is set."""
    transcribed: list[tuple[str, str, bytes, str]] = field(default_factory=list[tuple[str, str, bytes, str]])
    """Model, file name, bytes and key of each request."""
    spoken: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def serve(self, what: str, request: Request) -> None:
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


def _parts(request: Request) -> dict[str, tuple[str, bytes]]:
    """The fields of a form: file name and bytes of each."""
    mark = b"--" + request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    found: dict[str, tuple[str, bytes]] = {}
    for part in request.body.split(mark)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        names = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
        found[names["name"]] = names.get("filename", ""), body.removesuffix(b"\r\n")
    return found
