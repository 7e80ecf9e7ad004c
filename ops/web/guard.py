"""The guard in front of all of the console's routes: pages of other sites, passwords, and what may be changed."""

import hmac
from base64 import b64decode
from binascii import Error
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from tasks.addresses import is_loopback, without_link
from tasks.loopback import foreign
from tasks.settings import Settings

type App = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
_OPEN = "/healthz"
"""Asked by probes, which know no password; it says nothing but that the console answers."""
_READS = ("GET", "HEAD")
READ_ONLY = "the console only shows: set COHORT_CONSOLE_AUTH=user:password to change anything"


class ConsoleGuard:
    """An ASGI application around another one."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._names = settings.console_hosts
        self._beyond = not is_loopback(settings.console_host)
        self._login = settings.console_auth.get_secret_value().encode() if settings.console_auth else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def guarded(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*_HEADERS, *_list(message.get("headers"))]}
            await send(message)

        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, guarded)  # pyright: ignore[reportArgumentType] - a message is a mapping
        else:
            status, problem = refused
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            if status == 401:  # noqa: PLR2004 - HTTP's own number
                headers.append((b"www-authenticate", b'Basic realm="Cohort console", charset="UTF-8"'))
            await guarded({"type": "http.response.start", "status": status, "headers": headers})
            await guarded({"type": "http.response.body", "body": f"{problem}\n".encode()})

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        seen = without_link(headers, scope["method"], scope["path"])
        problem = foreign(seen, int(scope["server"][1]), self._own_names(headers))
        if problem is not None:
            return 403, f"{problem}, or set COHORT_CONSOLE_HOSTS"
        if scope["path"] == _OPEN and scope["method"] in _READS:
            return None
        if self._login is None:
            return None if scope["method"] in _READS else (403, READ_ONLY)
        given = [value for name, value in headers if name == "authorization"]
        # Each one is compared, in the same time whatever it is.
        if not any([hmac.compare_digest(_said(value), self._login) for value in given]):  # noqa: C419
            return 401, "the console's user and password are needed (COHORT_CONSOLE_AUTH)"
        return None

    def _own_names(self, headers: list[tuple[str, str]]) -> tuple[str, ...]:
        """Beyond this machine it is called by names that it does not know; there the password keeps pages out."""
        called = tuple(value for name, value in headers if name == "host") if self._beyond else ()
        return (*self._names, *called)


def _said(authorization: str) -> bytes:
    scheme, _, given = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(given.strip(), validate=True)
    except (Error, ValueError):
        return b""


def _list(headers: object) -> list[tuple[bytes, bytes]]:
    return list(headers) if isinstance(headers, list | tuple) else []
