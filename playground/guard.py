"""The guard in front of all routes: it refuses pages of other sites, and control without this start's key."""

import hmac
import json
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from playground.loopback import foreign

type App = Callable[[Scope, Receive, Send], Awaitable[None]]

_KEYLESS = ("/bot", "/file/bot", "/static/")
"""The Bot API has its token, and the page's files hold no secrets."""
_NO_KEY = "this start's key is missing: open the address that the playground printed when it started"
_PAGE = f"<!doctype html><meta charset=utf-8><title>Cohort playground</title><p>Not open: {_NO_KEY}.</p>"
_FORBIDDEN = 403


class Guard:
    """An ASGI application around another one.

    It checks each request (``playground.loopback``). A client of the control API sends the key as
    ``Authorization: Bearer``, or as the cookie that the page's address ``/?key=...`` sets. No page of another site
    can make the browser send that cookie (``SameSite=Strict``).
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
    """The cookie's name. Cookies ignore ports, so two playgrounds on one machine need two names."""
    return f"cohort_playground_{port}"


def _cookie_of(header: str, port: int) -> str:
    """The key in a ``Cookie`` header.

    ``SimpleCookie`` stops at the first cookie that it cannot parse, and browsers send the cookies of all programs on
    127.0.0.1 along.
    """
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return next((value for name, _, value in pairs if name == _name(port)), "")


def _headers(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, value in scope["headers"]:
        yield name.decode("latin-1").lower(), value.decode("latin-1")


async def _refuse(send: Send, problem: str) -> None:
    """Refuse in the form of both APIs."""
    body = {"ok": False, "error_code": _FORBIDDEN, "description": f"Forbidden: {problem}", "error": problem}
    await _answer(send, _FORBIDDEN, json.dumps(body).encode(), [(b"content-type", b"application/json")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    common = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*common, *headers]})
    await send({"type": "http.response.body", "body": body})
