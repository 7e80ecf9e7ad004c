"""python-telegram-bot's requests over aiohttp: a third of the processor time of a call with its default client.

What was surely not sent is told from what Telegram may have done (``sent``): only the latter may show twice.
"""

import io
import json
from typing import Any, override
from urllib.parse import urlencode

import aiohttp
import httpx
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

# Seconds. A send that is given up while Telegram works on it may show twice, so patience is long where it is cheap.
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
UPLOAD_TIMEOUT = 60.0
POOL_TIMEOUT = 30.0
KEEP_ALIVE = 30.0
"""Seconds an unused connection is kept: less than the servers' own patience, so that none is found closed."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    # The proxy made no tunnel.
    aiohttp.ClientHttpProxyError,
)


class _NotSentError(Exception):
    """The request has not reached the server."""


class _PerhapsSentError(Exception):
    """The server may have carried out the request."""


def sent(cause: BaseException) -> bool:
    """Whether a request that failed by ``cause`` may have reached the server."""
    return not isinstance(cause, _NotSentError)


def _cause(problem: Exception) -> Exception:
    """Its kind without its words: logs show a cause, and these may hold the address: the token, a proxy's password."""
    kind = _NotSentError if isinstance(problem, _NOT_SENT) else _PerhapsSentError
    return kind(type(problem).__name__)


class AiohttpRequest(BaseRequest):
    """A pool of connections (``telegram.request.BaseRequest``).

    Args:
        connections: How many at once, at most.
        proxy: URL of the proxy, if there is one (``botapi.proxy``).
        patience: Seconds until an answer begins, or goes on, where a call does not say.
    """

    def __init__(self, *, connections: int, proxy: str | None = None, patience: float = READ_TIMEOUT) -> None:
        self._connections = connections
        self._proxy = proxy
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    @property
    @override
    def read_timeout(self) -> float:
        return self._patience

    @override
    async def initialize(self) -> None:
        """Make the pool; it connects when it is used."""
        if self._session is None:
            # The certificates that come with the project's own packages, as for its other clients.
            connector = aiohttp.TCPConnector(
                limit=self._connections, keepalive_timeout=KEEP_ALIVE, ssl=httpx.create_ssl_context()
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=self._proxy,
                headers={"User-Agent": self.USER_AGENT},
            )

    @override
    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @override
    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one request; ``write_timeout`` is used for files.

        Raises:
            TimedOut: the server did not accept or did not answer in time; the cause says which (``sent``).
            NetworkError: anything else went wrong on the way.
        """
        if self._session is None:
            raise RuntimeError("not initialized")
        patience, pool = _given(read_timeout, self._patience), _given(pool_timeout, POOL_TIMEOUT)
        sock_connect, total = _given(connect_timeout, CONNECT_TIMEOUT), None
        if request_data is not None and request_data.contains_files:
            patience += _given(write_timeout, UPLOAD_TIMEOUT)
            # aiohttp's patience begins when all is written; a file is more than what a server that stalls takes.
            total = pool + sock_connect + patience
        body, headers = _body(request_data)
        timeout = aiohttp.ClientTimeout(total=total, sock_connect=sock_connect, connect=pool, sock_read=patience)
        try:
            # No redirects: the address, and what people wrote, is for this server alone.
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, await answer.read()
        except TimeoutError as problem:
            raise TimedOut from _cause(problem)
        except (aiohttp.ClientError, OSError) as problem:
            raise NetworkError(type(problem).__name__) from _cause(problem)

    @staticmethod
    @override
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer's JSON; PTB's own would write what it cannot read to the log.

        Raises:
            NetworkError: it is none: it came from something between Telegram and us.
        """
        try:
            answer: Any = json.loads(payload.decode("utf-8", "replace"))
        except ValueError as problem:
            raise NetworkError("the answer is no JSON") from problem
        if not isinstance(answer, dict):
            raise NetworkError("the answer is no JSON object")
        return answer


def _given(value: Any, default: float) -> float:
    return default if value is BaseRequest.DEFAULT_NONE or value is None else float(value)


def _body(data: RequestData | None) -> tuple[bytes | aiohttp.FormData | None, dict[str, str] | None]:
    """The body, and the headers that say what it is; aiohttp's own form costs a tenth of a call."""
    if data is None:
        return None, None
    if not data.contains_files:
        return urlencode(data.json_parameters).encode(), _FORM
    # Telegram takes a file's name as it stands there: quoted, people would read `my%20report.csv`.
    form = aiohttp.FormData(data.json_parameters, quote_fields=False)
    for name, (file_name, content, kind) in data.multipart_data.items():
        # Read piece by piece: bytes would be written in one go, with nothing else done meanwhile.
        read = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, read, filename=file_name, content_type=kind)
    return form, None
