"""What the HTTP servers of bot and console share of connections: a deadline for each, and room for so many at a time.

uvicorn limits neither. Its keep-alive timeout begins with the first answer, so a connection that never sends a whole
request stays open for ever. Its ``limit_concurrency`` counts such connections, and then refuses what it could serve.
"""

import asyncio
from collections.abc import Callable
from typing import Self

HEAD_S = 10.0
"""Seconds that a request's head may take."""


class HttpConnection:
    """One connection. Its protocol says how far its request is; a deadline closes it when it stands still."""

    def __init__(self, transport: asyncio.Transport, ended: Callable[[Self], None]) -> None:
        """Take it without a deadline; ``ended`` is called when it is closed, perhaps twice."""
        self._transport = transport
        self._ended = ended
        self._timer: asyncio.TimerHandle | None = None

    def set_deadline(self, seconds: float | None) -> None:
        """Close the connection unless its next step comes within so many seconds. None: there is no deadline."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.abort)

    def abort(self) -> None:
        """Close the connection at once, without sending what its protocol still holds."""
        self.closed()
        self._transport.abort()

    def closed(self) -> None:
        """The connection is closed."""
        self.set_deadline(None)
        self._ended(self)


class OldestFirst[C: HttpConnection]:
    """Connections of one kind in the order in which they came, at most ``most``: one more closes the oldest.

    A sender of half-open connections therefore replaces its own ones, and a request that comes with its connection is
    served before that connection becomes the oldest.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._connections: dict[C, None] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def __contains__(self, connection: C) -> bool:
        return connection in self._connections

    def add(self, connection: C) -> bool:
        """Take it in. Returns whether the oldest had to be closed for it."""
        self._connections[connection] = None
        return len(self) > self.most and self.close_oldest()

    def close_oldest(self) -> bool:
        """Close the oldest. Returns False where there is none."""
        oldest = next(iter(self._connections), None)
        if oldest is None:
            return False
        self.remove(oldest)
        oldest.abort()
        return True

    def remove(self, connection: C) -> None:
        """Let it go; it stays open."""
        self._connections.pop(connection, None)
