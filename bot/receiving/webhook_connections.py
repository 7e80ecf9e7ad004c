"""The webhook's connections: how many there may be, how long each may take, and which is evicted for a new one.

asyncio's own accept loop logs a traceback per call when no file descriptor is left: about two thousand a second.
"""

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Callable

from tasks.clock import Clock
from tasks.http import connections as http_connections
from tasks.http.connections import HttpConnection, OldestFirst

log = logging.getLogger("cohort.bot")

BODY_S = 20.0
"""Seconds that a body may take; Telegram's are a few KiB."""
LINGER_S = 5.0
"""Seconds that a connection without the secret stays open after an answer, so that the answer arrives."""
CONNECTIONS = 256
"""Connections without the secret, and as many with it. Telegram opens 40 (100 at most) to a webhook."""
_SHARE = 4
"""Each kind of connection takes one part in so many of the file descriptors that the process may have."""
_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_GONE = frozenset(
    {errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH}
)
"""What accept(2) says of a connection that ended before it was accepted."""
_WARN_EVERY_S = 60.0


def connection_limit() -> int:
    """Connections of each kind, at most; fewer where a process may have few file descriptors."""
    return max(8, min(CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // _SHARE))


class WebhookConnection(HttpConnection):
    """A connection of the webhook, which knows whether a request of it carried the secret."""

    def __init__(self, limit: "ConnectionLimit", transport: asyncio.Transport) -> None:
        super().__init__(transport, limit.remove)
        self._limit = limit
        self.authenticated = False
        self.idle = False
        self.set_deadline(http_connections.HEAD_S)

    def authenticate(self) -> bool:
        """A request carried the secret. Returns False when there is no room for another such connection."""
        return self.authenticated or self._limit.authenticate(self)

    def response_sent(self, *, whole: bool) -> None:
        """The current request has its answer. ``whole``: the request was read to its end."""
        self.idle = whole and self.authenticated
        # uvicorn's own keep-alive timeout closes an authenticated connection that is idle.
        self.set_deadline(None if self.idle else LINGER_S)

    def bytes_received(self) -> None:
        """Bytes arrived. Bytes after an answer begin the next request."""
        if self.idle:
            self.idle = False
            self.set_deadline(http_connections.HEAD_S)


class ConnectionLimit:
    """At most ``most`` connections that carried the secret, and as many that did not yet, whose oldest makes room."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._unauthenticated = OldestFirst[WebhookConnection](most)
        self._authenticated: set[WebhookConnection] = set()
        self._evicted = 0
        self._warned_at = -_WARN_EVERY_S

    def __len__(self) -> int:
        return len(self._unauthenticated) + len(self._authenticated)

    def add(self, transport: asyncio.Transport) -> WebhookConnection:
        """Count a new connection, and evict the oldest one without the secret if there are too many."""
        connection = WebhookConnection(self, transport)
        if self._unauthenticated.add(connection):
            self._note_evicted(1)
        return connection

    def evict_oldest(self) -> None:
        """Close the oldest connection that has not carried the secret."""
        self._note_evicted(int(self._unauthenticated.close_oldest()))

    def _note_evicted(self, count: int) -> None:
        self._evicted += count
        now = self._clock.monotonic()
        if now - self._warned_at >= _WARN_EVERY_S:
            self._warned_at = now
            log.warning("webhook.crowded", extra={"cut": self._evicted, "open": len(self)})
            self._evicted = 0

    def authenticate(self, connection: WebhookConnection) -> bool:
        """Count the connection among those that carried the secret. Returns False when there is no room."""
        if len(self._authenticated) >= self._most:
            return False
        self._unauthenticated.remove(connection)
        self._authenticated.add(connection)
        connection.authenticated = True
        return True

    def remove(self, connection: WebhookConnection) -> None:
        """Forget a closed connection."""
        self._unauthenticated.remove(connection)
        self._authenticated.discard(connection)


async def accept(sock: socket.socket, limit: ConnectionLimit, protocol: Callable[[], asyncio.Protocol]) -> None:
    """Accept connections until cancelled, one at a time, so that each is counted before the next is taken."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    while True:
        try:
            connection, _ = await loop.sock_accept(sock)
        except OSError as problem:
            if problem.errno in _FULL:
                limit.evict_oldest()
                await asyncio.sleep(0.1)
            elif problem.errno not in _GONE:
                raise
            continue
        try:
            await loop.connect_accepted_socket(protocol, connection)
        except OSError:
            connection.close()
