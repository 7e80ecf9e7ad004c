"""The one guard before all routes: no page of another site, and control only with this start's key."""

import hmac
import json
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from tasks.loopback import foreign

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type App = Callable[[Scope, Receive, Send], Awaitable[None]]

_KEYLESS = ("/bot", "/file/bot", "/static/")
"""The Bot API has its token; the page's files are the same for everybody."""
_NO_KEY = "this start's key is missing: open the address that the playground printed when it started"
_PAGE = f"<!doctype html><meta charset=utf-8><title>Cohort playground</title><p>Not open: {_NO_KEY}.</p>"
_FORBIDDEN = 403


class Guard:
    """An ASGI application around another one.

    Each request is looked at (``tasks.loopback.foreign``). A client that drives it or reads from it has the key,
    as ``Authorization: Bearer`` or as the cookie that the page's address ``/?key=...`` sets. No other site's page can
    have the browser send that cookie (``SameSite=Strict``).
    """

    def __init__(self, app: App, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        port = int(scope["server"][1])
        problem = foreign(_headers(scope), port)
        if problem is not None:
            await _refuse(send, problem)
        elif path.startswith(_KEYLESS) or self._has_key(scope, port):
            await self._app(scope, receive, send)
        elif path != "/":
            await _refuse(send, _NO_KEY)
        elif self._fits(parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]):
            await _answer(send, 303, b"", [(b"location", b"/"), (b"set-cookie", self._cookie(port))])
        else:
            await _answer(send, _FORBIDDEN, _PAGE.encode(), [(b"content-type", b"text/html; charset=utf-8")])

    def _fits(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._key)

    def _has_key(self, scope: Scope, port: int) -> bool:
        for name, value in _headers(scope):
            if name == "authorization" and self._fits(value.removeprefix("Bearer ")):
                return True
            if name == "cookie" and self._fits(_cookie_of(value, port)):
                return True
        return False

    def _cookie(self, port: int) -> bytes:
        return b"%s=%s; Path=/; HttpOnly; SameSite=Strict" % (_name(port).encode(), self._key)


def _name(port: int) -> str:
    """Cookies do not know ports; two playgrounds on one machine must not overwrite each other's."""
    return f"cohort_playground_{port}"


def _cookie_of(header: str, port: int) -> str:
    """Not by ``SimpleCookie``: it reads no further than the first cookie that it does not like, and browsers send those
    of all other programs on this machine along.
    """
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return next((value for name, _, value in pairs if name == _name(port)), "")


def _headers(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, value in scope["headers"]:
        yield name.decode("latin-1").lower(), value.decode("latin-1")


async def _refuse(send: Send, problem: str) -> None:
    """In the words of both APIs."""
    body = {"ok": False, "error_code": _FORBIDDEN, "description": f"Forbidden: {problem}", "error": problem}
    await _answer(send, _FORBIDDEN, json.dumps(body).encode(), [(b"content-type", b"application/json")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    common = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*common, *headers]})
    await send({"type": "http.response.body", "body": body})
