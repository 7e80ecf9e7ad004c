"""The webhook's connections: how many there may be, how long each may take, and which of them make room.

uvicorn limits neither. Its keep-alive timeout begins with the first answer, so a connection that never sends a whole
request is kept for ever, and its ``limit_concurrency`` counts such connections and then refuses Telegram's requests.
asyncio's own accept loop logs one traceback per call when no file descriptor is left: some two thousand a second.
"""

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Callable

from tasks.clock import Clock

log = logging.getLogger("cohort.bot")

HEAD_S = 10.0
"""Seconds for a request's head, from its connection's first byte (or from the connection itself) on."""
BODY_S = 20.0
"""Seconds for a body; Telegram's are a few KiB."""
LINGER_S = 5.0
"""Seconds for which a connection without the secret stays open after an answer, so that the answer arrives."""
PLACES = 256
"""Connections without the secret, and as many with it. Telegram opens 40 (100 at most) to a webhook."""
_SHARE = 4
"""Of the file descriptors a process may have, one part in so many for each kind of connection."""
_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_GONE = frozenset(
    {errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH}
)
"""What accept(2) says of a connection that ended before it was taken."""
_TOLD_EVERY_S = 60.0


def places() -> int:
    """Connections of each kind: fewer where a process may have few file descriptors."""
    return max(8, min(PLACES, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // _SHARE))


class Visitor:
    """One connection. Its application says how far a request is; a deadline ends what stands still."""

    def __init__(self, crowd: "Crowd", transport: asyncio.Transport) -> None:
        self._crowd = crowd
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None
        self.known = False
        self.resting = False
        self.within(HEAD_S)

    def within(self, seconds: float | None) -> None:
        """The next step comes within so many seconds, or the connection ends. None: it may take its time."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.end)

    def shown(self) -> bool:
        """A request has shown the secret. False: there is no place for another such connection."""
        return self.known or self._crowd.admit(self)

    def answered(self, *, whole: bool) -> None:
        """The request at hand has its answer; ``whole`` if it was read to its end."""
        self.resting = whole and self.known
        # uvicorn's own keep-alive timeout ends a known connection that rests.
        self.within(None if self.resting else LINGER_S)

    def heard(self) -> None:
        """Bytes came. Those after an answer begin the next request."""
        if self.resting:
            self.resting = False
            self.within(HEAD_S)

    def end(self) -> None:
        """Cut the connection; whatever its protocol holds, it is gone with the next step of the loop."""
        self.left()
        self._transport.abort()

    def left(self) -> None:
        """The connection is gone."""
        self.within(None)
        self._crowd.forget(self)


class Crowd:
    """All connections, in order of their coming.

    Those that have not shown the secret have ``most`` places of their own. One more ends the oldest of them: a sender
    of half-open connections only ever replaces its own, and a request that comes at once is served before its turn to
    leave comes.
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._strangers: dict[Visitor, None] = {}
        self._known: dict[Visitor, None] = {}
        self._cut = 0
        self._told = -_TOLD_EVERY_S

    def __len__(self) -> int:
        return len(self._strangers) + len(self._known)

    def enter(self, transport: asyncio.Transport) -> Visitor:
        """A new connection."""
        visitor = Visitor(self, transport)
        self._strangers[visitor] = None
        if len(self._strangers) > self._most:
            self.make_room()
        return visitor

    def make_room(self) -> None:
        """End the oldest connection that has not shown the secret."""
        oldest = next(iter(self._strangers), None)
        if oldest is not None:
            oldest.end()
            self._cut += 1
        now = self._clock.monotonic()
        if now - self._told >= _TOLD_EVERY_S:
            self._told = now
            log.warning("webhook.crowded", extra={"cut": self._cut, "open": len(self)})
            self._cut = 0

    def admit(self, visitor: Visitor) -> bool:
        """Give it a place among those who have shown the secret."""
        if len(self._known) >= self._most:
            return False
        self._strangers.pop(visitor, None)
        self._known[visitor] = None
        visitor.known = True
        return True

    def forget(self, visitor: Visitor) -> None:
        """It is gone."""
        self._strangers.pop(visitor, None)
        self._known.pop(visitor, None)


async def receive(sock: socket.socket, crowd: Crowd, protocol: Callable[[], asyncio.Protocol]) -> None:
    """Accept connections until cancelled, one at a time, so that each is counted before the next is taken."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    while True:
        try:
            connection, _ = await loop.sock_accept(sock)
        except OSError as problem:
            if problem.errno in _FULL:
                crowd.make_room()
                await asyncio.sleep(0.1)
            elif problem.errno not in _GONE:
                raise
            continue
        try:
            await loop.connect_accepted_socket(protocol, connection)
        except OSError:
            connection.close()
