"""A server with OpenAI's audio endpoints: one request and a bounded answer.

Not OpenAI's client: that sends the organisation and headers of OpenAI's variables to any server, and reads an answer
however long it is.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from tasks.clock import SystemClock
from tasks.config.settings import Settings
from tasks.errors import CohortError
from tasks.http.retry_after import wait_in

OPENAI = "https://api.openai.com/v1"
_TRIES = 2
_PAUSE_S = 0.3
_PATIENCE_S = 10.0
"""A busy server may ask for so long a pause; a person who spoke does not wait for more."""
_BUSY = 429
_SERVER_ERRORS = 500
_MISCONFIGURED = frozenset({401, 402, 403, 404, 405})
"""Statuses that an operator can mend: the key, the account, the address or the model's name."""
_CONNECT_S = 10.0
_SPEECH_S = 45.0
_clock = SystemClock()
_AT_ONCE = 8
"""Requests that a worker has under way at a server; further ones wait, within their own time."""


class AudioFailed(CohortError):  # noqa: N818 - reads as the event
    """The server gave nothing; the message says why, without anything that it was sent."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status
        """That it refused with, as it will again; 0 where it did not."""


type TellOperators = Callable[[str, str], Awaitable[object]]
"""Tells operators: the kind of problem, and what they need to know."""


class AudioServer:
    """One address with its key. Use as an async context manager; connections are made with the first request."""

    def __init__(
        self,
        url: str | None,
        key: SecretStr | None,
        timeout_s: float,
        setting: str = "",
        alert: TellOperators | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: None is OpenAI.
            key: Where it is None, ``OPENAI_API_KEY`` has OpenAI's.
            timeout_s: Of a request, with its second try.
            setting: The one that names its model.
            alert: Is told what its operator can mend.
        """
        self._setting, self._alert = setting, alert
        self._url = url or OPENAI
        self._key = key_for(url, key, os.environ)
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def post(self, path: str, most: int, **body: Any) -> bytes:
        """Ask once, and once more after a passing fault. One that does not answer in time is not asked again.

        Args:
            path: Below the address, for example ``/audio/speech``.
            most: Bytes of the answer.
            body: ``json``, or ``data`` and ``files``, as httpx takes them.

        Raises:
            AudioFailed: there is no answer, a refusal, or a longer one.
        """
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                return await self._tried(path, most, body)
        except TimeoutError as problem:
            raise AudioFailed("no answer in time") from problem
        except AudioFailed as problem:
            if problem.status in _MISCONFIGURED and self._alert is not None:
                names = f"{self._setting}, {self._setting}_URL and {self._setting}_KEY"
                await self._alert(self._setting, f"its server refuses with status {problem.status}; check {names}")
            raise

    async def _tried(self, path: str, most: int, body: Mapping[str, Any]) -> bytes:
        for left in reversed(range(_TRIES)):
            try:
                return await self._once(path, most, body)
            except (httpx.HTTPError, httpx.InvalidURL) as problem:
                if not left:
                    raise AudioFailed(type(problem).__name__) from problem
                pause = _PAUSE_S
            except _Passing as problem:
                if not left or problem.pause_s > _PATIENCE_S:
                    raise AudioFailed(str(problem)) from problem
                pause = problem.pause_s
            await asyncio.sleep(pause)
        raise AssertionError

    async def _once(self, path: str, most: int, body: Mapping[str, Any]) -> bytes:
        client = self._client = self._client or httpx.AsyncClient(timeout=httpx.Timeout(None, connect=_CONNECT_S))
        headers = {"authorization": f"Bearer {self._key}"} if self._key else {}
        async with client.stream("POST", f"{self._url}{path}", headers=headers, **body) as answer:
            if answer.status_code == _BUSY or answer.status_code >= _SERVER_ERRORS:
                raise _Passing(answer)
            if not answer.is_success:
                raise AudioFailed(f"status {answer.status_code}", answer.status_code)
            read = bytearray()
            async for piece in answer.aiter_bytes():
                read += piece
                if len(read) > most:
                    raise AudioFailed("the answer is too long")
            return bytes(read)


def key_for(url: str | None, key: SecretStr | None, environ: Mapping[str, str]) -> str | None:
    """The key that a server is given: its own, or the environment's for OpenAI, which goes to no other server."""
    if key is not None:
        return key.get_secret_value()
    return None if url else environ.get("OPENAI_API_KEY") or None


def transcriptions(settings: Settings, alert: TellOperators | None = None) -> AudioServer:
    """The server that writes recordings down."""
    limit = settings.tool_timeout.total_seconds()
    return AudioServer(settings.transcribe_url, settings.transcribe_key, limit, "COHORT_TRANSCRIBE", alert)


def speech(settings: Settings, alert: TellOperators | None = None) -> AudioServer:
    """The server that speaks answers. A voice that comes late is of no use, so it has less time."""
    limit = min(_SPEECH_S, settings.tool_timeout.total_seconds())
    return AudioServer(settings.voice_url, settings.voice_key, limit, "COHORT_VOICE", alert)


class _Passing(Exception):  # noqa: N818 - an event
    """A status that may be another one soon; after a pause that the server may name."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"status {answer.status_code}")
        self.pause_s = max(_PAUSE_S, wait_in(answer.headers, _clock.now()))
