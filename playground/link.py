"""HTTP between a test and the playground: requests to its control API, and calls as a bot makes them."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from playground import PLAYGROUND_TOKEN, Json

HELD = 60.0
"""Seconds that the server holds one waiting request; longer waits take several requests."""


class PlaygroundError(Exception):
    """The playground refused a request; the message is its reason."""


class Link:
    """Use as an async context manager. All methods raise ``PlaygroundError`` when refused."""

    def __init__(self, base_url: str, *, token: str = PLAYGROUND_TOKEN, key: str | None = None) -> None:
        """``base_url``: as the playground printed it, with the key, unless ``key`` is given."""
        parts = urlsplit(base_url)
        self.base_url = f"{parts.scheme}://{parts.netloc}"
        self.token = token
        key = key or parse_qs(parts.query).get("key", [""])[0]
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(HELD + 30),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
            trust_env=False,
            verify=False,  # noqa: S501 - plain HTTP to this machine, so no TLS context is built
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def control(self, method: str, path: str, given: Json | None = None, /, **query: Any) -> Any:
        """Any request of the control API; ``path`` follows ``/playground``. Query values of None are left out."""
        params = {key: value for key, value in query.items() if value is not None}
        answer = await self._http.request(method, "/playground" + path, json=given, params=params)
        if answer.is_error:
            raise PlaygroundError(_reason(answer))
        return answer.json()

    async def call(self, method: str, /, **params: Any) -> Json:
        """A Bot API call as the bot would make it. Gives the whole answer, also of a refused call."""
        answer = await self._http.post(f"/bot{self.token}/{method}", json=params)
        return answer.json()

    async def upload(self, data: bytes, **query: Any) -> Json:
        """A file for a person to send: ``file_id``, ``file_size``, ``mime_type``."""
        params = {key: value for key, value in query.items() if value is not None}
        answer = await self._http.post("/playground/files", content=data, params=params)
        if answer.is_error:
            raise PlaygroundError(_reason(answer))
        return answer.json()


def _reason(answer: httpx.Response) -> str:
    try:
        return f"{answer.status_code}: {answer.json()['error']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}"
