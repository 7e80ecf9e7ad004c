"""What MCP servers answer over HTTP: how much of it is read, what a refusal says, when a stream is asked for again.

The client reads whole bodies of any length (a compressed one of 0.5 MB becomes 500), keeps the status of a refusal to
itself, and asks again at once for a stream as often as a server ends it and names no pause.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from time import monotonic
from typing import Any, cast
from weakref import WeakKeyDictionary

from mcp_types import INTERNAL_ERROR, PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCResponse

from tasks.clock import SystemClock
from tasks.http.retry_after import wait_in
from workers.runtime.servers.answers import UNREAD

LONGEST = 32 * 2**20
"""Bytes of a message: files of 20 MiB fit, as base64. All of a longer one would hold up the other chats for seconds."""
_REFUSAL = 2**16
"""Bytes of a refusal."""
_STREAM = "text/event-stream"
_JSON = "application/json"
_HTTP = "HTTP "
_REFUSED = 400
_LOGIN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_FIRST_MS, _LONGEST_MS = 1_000, 60_000
"""Before a stream that a server ended is asked for again: each time twice as long."""
_STEADY_S = 60.0
"""A stream that was there for so long was no failure."""
_clock = SystemClock()


async def read_whole(response: Any) -> bool:
    """Read a body that is no stream, as far as one may go. One that is longer is emptied: no answer is in it.

    False: it is none that is read whole.

    Args:
        response: httpx's; it has no other way to give back what was read.
    """
    kind = response.headers.get("content-type", "").lower()
    refused = response.status_code >= _REFUSED
    has_none = response.is_closed or response.status_code == HTTPStatus.ACCEPTED
    if has_none or kind.startswith(_STREAM) or not (refused or kind.startswith(_JSON)):
        return False
    kept, most = bytearray(), _REFUSAL if refused else LONGEST
    async for piece in response.aiter_bytes():
        kept += piece
        if len(kept) > most:
            kept = kept[:most] if refused else bytearray()
            break
    await response.aclose()
    response._content = bytes(kept)  # noqa: SLF001 - httpx's
    return True


def tell_status(response: Any) -> None:
    """Have the client pass on what a refusal without a word in JSON-RPC is: its status, and when to come again."""
    status = response.status_code
    if status < _REFUSED or status == HTTPStatus.NOT_FOUND or _is_error(response.content):
        return
    try:
        said = f"{_HTTP}{status} {HTTPStatus(status).phrase}"
    except ValueError:
        said = f"{_HTTP}{status}"
    if (wait := wait_in(response.headers, _clock.now())) > 0:
        said += f", come again in {round(wait) or 1} s"
    response.headers["content-type"] = _JSON
    error = {"code": INTERNAL_ERROR, "message": said}
    response._content = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()  # noqa: SLF001


def _is_error(body: bytes) -> bool:
    try:
        said: Any = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and isinstance(cast("dict[str, Any]", said).get("error"), dict)


def status_of(problem: Any) -> int | None:
    """The status that an error of the client's stands for; None: the server itself has said what is wrong."""
    code, said = getattr(problem, "code", None), str(getattr(problem, "message", ""))
    number = said.removeprefix(_HTTP)[:3]
    return int(number) if code == INTERNAL_ERROR and said.startswith(_HTTP) and number.isdecimal() else None


def is_login(status: int | None) -> bool:
    return status in _LOGIN


def refusal(server: str, status: int, said: str) -> str:
    """What the model reads of a call that was refused by its status."""
    if is_login(status):
        return (
            f"The MCP server {server} refuses the login that it is given ({said}), and the call was not carried out. "
            "The operator was told. Tell the user so."
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return f"The MCP server {server} is busy ({said}), and the call was not carried out. Try again later."
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"The MCP server {server} refused the call ({said}). It was not carried out."
    return f"The MCP server {server} failed ({said}). Whether the call was carried out is not known."


def answers_of(body: bytes, request: Any, read: Any) -> list[JSONRPCMessage]:
    """The messages of a body that answers one request: its answer has that request's id, whatever it says.

    Args:
        body: One message, or several in a list.
        request: The request's id.
        read: Makes a message of JSON.
    """
    try:
        parts = [json.dumps(part) for part in json.loads(body)] if body.lstrip()[:1] == b"[" else [body]
        messages = [read(part) for part in parts]
    except (ValueError, RecursionError):
        messages = []
    answers = [message for message in messages if isinstance(message, JSONRPCResponse | JSONRPCError)]
    own = next((answer for answer in answers if str(answer.id) == str(request)), answers[0] if answers else None)
    if own is None:
        own = JSONRPCError(jsonrpc="2.0", id=request, error=ErrorData(code=PARSE_ERROR, message=UNREAD))
    own.id = request
    return [*(message for message in messages if message not in answers), own]


# -- streams


class Reopening:
    """When the streams of one client are asked for again."""

    def __init__(self) -> None:
        self.pause_ms = _FIRST_MS
        self._since: float | None = None

    def asked(self) -> None:
        """A stream is asked for."""
        if self._since is not None:
            steady = monotonic() - self._since > _STEADY_S
            self.pause_ms = _FIRST_MS if steady else min(2 * self.pause_ms, _LONGEST_MS)
        self._since = monotonic()


_asked: WeakKeyDictionary[Any, Reopening] = WeakKeyDictionary()


class PausedEvents:
    """A stream of events that names a pause first, and none that is shorter."""

    def __init__(self, source: Any, client: Any) -> None:
        self._source = source
        self._again = _asked.setdefault(client, Reopening())
        self._again.asked()

    @property
    def response(self) -> Any:
        return self._source.response

    async def __aiter__(self) -> AsyncIterator[Any]:
        from httpx2 import ServerSentEvent  # noqa: PLC0415 - loaded with the client of such servers

        pause = self._again.pause_ms
        yield ServerSentEvent(retry=pause)
        async for event in self._source:
            if event.retry is not None and event.retry < pause:
                event = replace(event, retry=pause)  # noqa: PLW2901 - the same, slower
            yield event
