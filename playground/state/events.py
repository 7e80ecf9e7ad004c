"""What happens, told live to the open pages; a page that cannot keep up is told to load anew."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

type Json = dict[str, Any]

_BACKLOG = 1000
"""Events a slow page may be behind before it must load anew."""


class Events:
    """Fans events out to subscribers in one event loop; costs nothing while nobody listens."""

    def __init__(self) -> None:
        self._subscribers: set[asyncio.Queue[Json]] = set()

    def tell(self, kind: str, **fields: Any) -> None:
        """Tell an event to all who listen."""
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
        """A queue that gets every event from now on."""
        queue: asyncio.Queue[Json] = asyncio.Queue(_BACKLOG)
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)
