"""Bodies of HTTP: a large one goes out a little at a time, and one that comes whole is no longer than an answer is."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any

import httpx2
from pydantic_core import from_json

from workers.runtime.streams.escapes import mended
from workers.runtime.streams.meter import longest

_SLICE = 2**17
"""Bytes written at once: a write of a whole picture holds up the loop while the socket takes what it can of it."""


async def whole(response: Any) -> Any:
    """A body that is no stream, read; one that is longer than an answer can be is ended, and read as far as it came."""
    most = longest()
    kept = bytearray()
    async for piece in response.aiter_bytes():
        kept += piece
        if len(kept) > most:
            await response.aclose()
            break
    body = bytes(kept)
    if len(kept) > most or b"\\u" in body:
        body = await asyncio.to_thread(_as_far_as_it_goes, body[:most])
    response._content = body  # noqa: SLF001 - httpx's; it has no other way to give back what was read
    return response


def _as_far_as_it_goes(body: bytes) -> bytes:
    """JSON without its end, ended; whatever else it is, as it is."""
    try:
        text = mended(body.decode(errors="replace"))
        return json.dumps(from_json(text, allow_partial="trailing-strings")).encode()
    except ValueError:
        return body


@contextmanager
def sliced(request: Any) -> Generator[None]:
    """Have a large body written a little at a time, and forgotten when it is sent: the response holds its request."""
    body: bytes = getattr(request, "_content", b"")
    if len(body) <= _SLICE:
        yield
        return
    slices = request.stream = _Slices(body)
    # A transport that finds the body whole sends it whole.
    del request._content  # noqa: SLF001 - httpx's
    try:
        yield
    finally:
        slices.body = memoryview(b"")


class _Slices(httpx2.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self.body = memoryview(body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), _SLICE):
            yield bytes(self.body[start : start + _SLICE])
            await asyncio.sleep(0)
