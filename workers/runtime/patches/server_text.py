"""What MCP servers write: what their text holds, or a server prints among its messages, fails no message.

The client refuses a whole message for half a surrogate pair (which JavaScript makes by cutting one), or for one field
that is wrong, and the call waits for its answer until its time is over. A byte that is no UTF-8 ends its reading for
good. What is no message at all (a server that prints to where its messages go) the client logs with a traceback a
line, words and all; here it is counted, and logged without its words every now and then.
"""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Self

from anyio import EndOfStream

from workers.runtime.servers.answers import answered, recovered
from workers.runtime.servers.notices import NoticeBudget
from workers.runtime.streams.escapes import mended

log = logging.getLogger("cohort.runtime")

LONGEST = 64 * 2**20
"""Bytes of a line. Files of 20 MiB fit, as base64 and escaped."""
_HEAD = 1024
_HEADS = (b'{"jsonrpc"', b'{"result"')
"""What messages begin with."""
_SAY_EVERY_S = 60.0


class _Unread:
    """Lines that are no message."""

    def __init__(self) -> None:
        self._said_at = float("-inf")
        self._unsaid = 0

    def note(self, lines: int = 1) -> None:
        self._unsaid += lines
        if self._unsaid and monotonic() - self._said_at >= _SAY_EVERY_S:
            log.warning("server.wrote_no_message", extra={"lines": self._unsaid})
            self._said_at, self._unsaid = monotonic(), 0


_unread = _Unread()


class Mended:
    """The client's reader of messages, given whole text."""

    def __init__(self, adapter: Any) -> None:
        # It logs each line that is no message, words and all.
        logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def validate_json(self, data: str | bytes | bytearray, **kwargs: Any) -> Any:
        """A message of JSON."""
        text = mended(data if isinstance(data, str) else data.decode(errors="replace"))
        try:
            return self._adapter.validate_json(text, **kwargs)
        except ValueError:
            answer = recovered(text)
            if answer is None:
                _unread.note()
                raise
            return self._adapter.validate_python(answer, **kwargs)


class Lines:
    """A server's output as whole lines, whatever bytes are in them, each of a bounded length.

    The client joins what has come of a line with each piece that comes, so a line of 50 MB would take it 10 s.
    """

    def __init__(self, stream: Any, *, longest: int = LONGEST) -> None:
        self._stream = stream
        self._longest = longest
        self._begun = list[bytes]()
        self._size = 0
        self._notices = NoticeBudget()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """What has come, as far as a line's end."""
        while True:
            try:
                chunk = bytes(await self._stream.receive())
            except EndOfStream:
                raise StopAsyncIteration from None
            whole, newline, rest = chunk.rpartition(b"\n")
            if not newline:
                self._add(rest)
                continue
            first, _, more = whole.partition(b"\n")
            self._add(first)
            said = b"".join((*self._begun, b"\n", more, b"\n" if more else b""))
            self._begun, self._size = [], 0
            self._add(rest)
            messages = list(filter(None, map(_message, said.split(b"\n"))))
            _unread.note(said.count(b"\n") - len(messages))
            return b"".join(self._notices.read(messages)).decode(errors="replace")

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= self._longest:
            self._begun.append(piece)
        else:
            # Its beginning tells which call it answers.
            self._begun = [b"".join(self._begun)[:_HEAD] or piece[:_HEAD]]


def _message(line: bytes) -> bytes:
    """A line's message; nothing where it has none. What was printed without a line's end stands before it."""
    begun = line.lstrip(b" \t\r\xef\xbb\xbf")
    if begun[:1] not in {b"{", b"["}:
        at = next((at for at in (begun.find(head) for head in _HEADS) if at > 0), len(begun))
        begun = begun[at:]
    return begun + b"\n" if begun else b""


def lines(original: Callable[..., Any]) -> Callable[..., Any]:
    """``TextReceiveStream``, as the client of stdio servers uses it."""

    def text_receive_stream(stream: Any, encoding: str = "utf-8", errors: str = "strict") -> Any:
        # Of other encodings a byte of a line's end may be half of a character.
        return Lines(stream) if encoding == "utf-8" else original(stream, encoding=encoding, errors=errors)

    return text_receive_stream


def noticed(original: Callable[..., None]) -> Callable[..., None]:
    """``JSONRPCDispatcher._dispatch_notification``: each notice of a server passes here, over whatever it comes."""

    def dispatch_notification(self: Any, msg: Any, *args: Any) -> None:
        notices: NoticeBudget = self.__dict__.setdefault("cohort_notices", NoticeBudget())
        if notices.passes(msg.method):
            original(self, msg, *args)

    return dispatch_notification


def asked(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """``JSONRPCDispatcher._dispatch_request``: each request of a server passes here. It has the measure of notices."""

    async def dispatch_request(self: Any, req: Any, *args: Any) -> None:
        requests: NoticeBudget = self.__dict__.setdefault("cohort_requests", NoticeBudget())
        if requests.passes(req.method):
            await original(self, req, *args)
        elif not self.__dict__.setdefault("cohort_said", False):
            self.__dict__["cohort_said"] = True
            log.warning("server.too_many_requests")

    return dispatch_request


def received(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """``JSONRPCDispatcher.send_raw_request``: each answer of a server passes here."""

    async def send_raw_request(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return answered(method, await original(self, method, *args, **kwargs))

    return send_raw_request
