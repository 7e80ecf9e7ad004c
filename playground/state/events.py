"""Events for the open pages, live; a page that cannot keep up is told to reload."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from playground import Json

_BACKLOG = 1000
"""Events that a slow page may lag behind before it must reload."""


class Events:
    """Fans events out to subscribers in one event loop; without subscribers it costs nothing."""

    def __init__(self) -> None:
        self._subscribers: set[asyncio.Queue[Json]] = set()

    def tell(self, kind: str, **fields: Any) -> None:
        """Send an event to all subscribers."""
        if not self._subscribers:
            return
        event: Json = {"kind": kind, **fields}
        for queue in self._subscribers:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait({"kind": "resync"})
            else:
                queue.put_nowait(event)

    @contextmanager
    def listen(self) -> Generator[asyncio.Queue[Json]]:
        """Subscribe: the queue gets every event from now on."""
        queue: asyncio.Queue[Json] = asyncio.Queue(_BACKLOG)
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)
