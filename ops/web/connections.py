"""The console's connections: one that sends no whole request is closed, the oldest first when there are many.

A hundred half-sent heads would shut the page otherwise, and what a liveness probe asks.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from tasks.http import connections as http_connections
from tasks.http.connections import HttpConnection, OldestFirst

MOST = 64
"""Connections that have not sent a whole head, at most: one more closes the oldest."""


def protocol() -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol on h11 (which bounds a head's size), for one server."""
    unsent = OldestFirst[HttpConnection](MOST)

    class Deadlined(H11Protocol):
        _connection: HttpConnection | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            super().connection_made(transport)
            self._connection = HttpConnection(transport, unsent.remove)
            self._wait_for_head(self._connection)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._connection is None:
                return
            if self.cycle is not None and not self.cycle.response_complete:  # pyright: ignore[reportUnnecessaryComparison]
                self._connection.set_deadline(None)
                unsent.remove(self._connection)
            elif not self.transport.is_closing():
                self._wait_for_head(self._connection)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._connection is not None:
                self._connection.closed()
            super().connection_lost(exc)

        def _wait_for_head(self, connection: HttpConnection) -> None:
            """Until it is whole, counted from its first byte on; the first request's, from the connection on."""
            if connection not in unsent:
                connection.set_deadline(http_connections.HEAD_S)
                unsent.add(connection)

    return Deadlined
