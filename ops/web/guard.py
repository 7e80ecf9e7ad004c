"""The guard in front of all of the console's routes: pages of other sites, passwords, and what may be changed."""

import hmac
import logging
import math
from base64 import b64decode
from binascii import Error
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.http.addresses import is_loopback, without_link
from tasks.http.guesses import PasswordGuesses
from tasks.http.loopback import foreign

log = logging.getLogger("cohort.console")

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

    def __init__(self, app: App, settings: Settings, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._guesses = PasswordGuesses()
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
            status, problem, wait_s = refused
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            if status == 401:  # noqa: PLR2004 - HTTP's own number
                headers.append((b"www-authenticate", b'Basic realm="Cohort console", charset="UTF-8"'))
            if wait_s:
                headers.append((b"retry-after", str(math.ceil(wait_s)).encode()))
            await guarded({"type": "http.response.start", "status": status, "headers": headers})
            await guarded({"type": "http.response.body", "body": f"{problem}\n".encode()})

    def _refusal(self, scope: Scope) -> tuple[int, str, float] | None:
        """Status, reason, and after how many seconds to come again; None: it may pass."""
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        seen = without_link(headers, scope["method"], scope["path"])
        problem = foreign(seen, int(scope["server"][1]), self._own_names(headers))
        if problem is not None:
            return 403, f"{problem}, or set COHORT_CONSOLE_HOSTS", 0
        if scope["path"] == _OPEN and scope["method"] in _READS:
            return None
        if self._login is None:
            return None if scope["method"] in _READS else (403, READ_ONLY, 0)
        return self._wrong_login([value for name, value in headers if name == "authorization"], scope, self._login)

    def _wrong_login(self, given: list[str], scope: Scope, login: bytes) -> tuple[int, str, float] | None:
        """A request without a password is no guess: a browser asks its person only when it was refused."""
        address, now = str((scope.get("client") or ("",))[0]), self._clock.monotonic()
        if given and (wait_s := self._guesses.wait_s(address, now)):
            return 429, f"too many wrong passwords from here: wait {math.ceil(wait_s)} s", wait_s
        # Each one is compared, in the same time whatever it is.
        if any([hmac.compare_digest(_said(value), login) for value in given]):  # noqa: C419
            return None
        for _ in given:
            log.warning("console.guessed", extra={"address": address, "wrong": self._guesses.wrong(address, now)})
        return 401, "the console's user and password are needed (COHORT_CONSOLE_AUTH)", 0

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
