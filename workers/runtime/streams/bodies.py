"""Bodies of HTTP: a large one goes out a little at a time, and one that comes whole is no longer than an answer is."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx2
from pydantic_core import from_json

from tasks.clock import SystemClock
from tasks.http.retry_after import wait_in
from workers.runtime.faults.error_codes import status_in, wait_said
from workers.runtime.streams.escapes import mended
from workers.runtime.streams.meter import longest, metering

log = logging.getLogger("cohort.runtime")

_SMALL = 2**16
"""Bytes of an error, at most."""
_ANSWERS = frozenset({"choices", "output", "content", "candidates"})
"""What holds an answer, which may have an ``error`` beside it."""
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_EMPTY_ACCOUNT = ("insufficient_quota", "credit balance", "billing")
_clock = SystemClock()
_SHORT_S = 2.0
"""As long as this an SDK may wait itself."""
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
    if response.status_code in _PASSING:
        _note(response)
    if response.status_code == HTTPStatus.OK and (status := _status_of(body)) is not None:
        log.warning("model.false_success", extra={"status": status})
        response.status_code = status
    return response


def _note(response: Any) -> None:
    """Keep when the server wants to be asked again. The SDKs wait for it within the call, with a lane of the worker in
    their hands, and ask three times even where an account is empty; the turn's own next try waits outside.
    """
    words = response.content[:_SMALL].decode(errors="replace").casefold()
    wait = wait_in(response.headers, _clock.now()) or wait_said(words)
    if wait > _SHORT_S or any(word in words for word in _EMPTY_ACCOUNT):
        response.headers["x-should-retry"] = "false"
    if (meter := metering.get()) is not None:
        meter.wait = wait


def comes_whole(response: Any) -> bool:
    """Whether a server answers with one document what was asked for as a stream: an error, a page, or all at once."""
    return response.headers.get("content-type", "").startswith(("application/json", "text/html"))


def _status_of(body: bytes) -> int | None:
    """The status of an error that comes with status 200, as some gateways send it; None: it is none.

    A page of HTML counts as 404: what was asked is no model's API.
    """
    text = body[:_SMALL].lstrip()
    if text.startswith(b"<"):
        return HTTPStatus.NOT_FOUND
    if len(body) > _SMALL or not text.startswith(b"{") or b'"error"' not in text:
        return None
    try:
        said: Any = from_json(body)
    except ValueError:
        return None
    error = said.get("error")
    if not error or not said.keys().isdisjoint(_ANSWERS):
        return None
    return status_in(said) or HTTPStatus.INTERNAL_SERVER_ERROR


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
