"""The console's connections: one that sends no whole request is closed, the oldest first when there are many.

uvicorn gives a first request's head no deadline, counts such connections in its ``limit_concurrency``, and then refuses
the ones that it could serve: a hundred half-sent heads would shut the page, and what a liveness probe asks.
"""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""Seconds that a request's head may take."""
MOST = 64
"""Connections that have not sent a whole head, at most: one more closes the oldest."""


class UnsentHeads:
    """The connections that have not sent a whole head, oldest first."""

    def __init__(self) -> None:
        self._deadlines: dict[object, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}

    def add(self, connection: object, close: Callable[[], None]) -> None:
        """Close it unless it is removed in time."""
        if connection in self._deadlines:
            return
        self._deadlines[connection] = asyncio.get_running_loop().call_later(HEAD_S, close), close
        if len(self._deadlines) > MOST:
            _, close_oldest = next(iter(self._deadlines.values()))
            close_oldest()

    def remove(self, connection: object) -> None:
        """It has sent one, or is closed."""
        if (found := self._deadlines.pop(connection, None)) is not None:
            found[0].cancel()


def protocol() -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol on h11 (which bounds a head's size), for one server."""
    waiting = UnsentHeads()

    class Deadlined(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            super().connection_made(transport)
            waiting.add(self, self._close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:  # pyright: ignore[reportUnnecessaryComparison]
                waiting.remove(self)
            elif not self.transport.is_closing():
                waiting.add(self, self._close)

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.remove(self)
            super().connection_lost(exc)

        def _close(self) -> None:
            waiting.remove(self)
            self.transport.abort()

    return Deadlined
