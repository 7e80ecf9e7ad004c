"""The journal: every Bot API call in the order of its end, numbered without gaps, bounded, with waiting readers."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from playground.state.wakeup import Wakeup
from tasks.clock import Clock

type Entry = dict[str, Any]
type Filter = Callable[[Entry], bool]


class Journal:
    """Entries never change once they are in.

    An entry: ``seq`` (1, 2, 3 ... in order of end), ``order`` (number of arrival), ``at`` and ``ended`` (seconds since
    the epoch), ``bot`` (id or None), ``method`` (as the documentation spells it), ``params`` (as received; an upload is
    ``{"file": name, "size": bytes}``), ``chat`` (id or None), ``code`` (HTTP status, 0 when nothing was answered),
    ``description`` (of an error), ``fault`` (kind of the fault it met, or None), ``processed`` (whether it took
    effect), ``result`` (``message_id`` of what was sent or edited, ids of the ``updates`` handed out).
    """

    def __init__(self, clock: Clock, cap: int) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=cap)
        self._arrived = 0
        self.last = 0
        """``seq`` of the newest entry."""
        self.bell = Wakeup()

    def arrive(self) -> tuple[int, float]:
        """A call came in.

        Returns:
            Its number of arrival and the time.
        """
        self._arrived += 1
        return self._arrived, self._clock.now()

    def end(self, entry: Entry) -> None:
        """A call is over: number it and wake the readers."""
        self.last += 1
        self._entries.append({"seq": self.last, **entry, "ended": self._clock.now()})
        self.bell.ring()

    @property
    def first(self) -> int:
        """``seq`` of the oldest entry that is still here."""
        return self.last - len(self._entries) + 1

    def read(self, after: int, limit: int, accept: Filter) -> list[Entry]:
        """Up to ``limit`` accepted entries with ``seq`` above ``after``, oldest first."""
        skip = max(after - self.first + 1, 0)
        return list(islice((entry for entry in islice(self._entries, skip, None) if accept(entry)), limit))

    async def wait(self, after: int, limit: int, accept: Filter, seconds: float) -> list[Entry]:
        """As ``read``, but waits up to ``seconds`` for the first accepted entry."""
        deadline = self._clock.monotonic() + seconds
        looked = after
        while True:
            found = self.read(looked, limit, accept)
            left = deadline - self._clock.monotonic()
            if found or left <= 0:
                return found
            looked = max(looked, self.last)
            await self.bell.wait(left)

    def clear(self) -> None:
        """Forget all entries; numbers go on."""
        self._entries.clear()
