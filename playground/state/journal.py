"""The journal: every Bot API call in the order of its end, numbered without gaps, bounded, with waiting readers."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from playground.state.timing import Time
from playground.state.wakeup import Wakeup

type Entry = dict[str, Any]
type Filter = Callable[[Entry], bool]


class Journal:
    """Entries never change after they are added. The JSON of an entry:

    =============== ==============================================================================
    ``seq``         1, 2, 3 ... in the order in which calls end
    ``order``       1, 2, 3 ... in the order in which calls arrive
    ``at``, ``ended`` seconds since the epoch
    ``bot``         the bot's id; null when the token is wrong
    ``method``      spelled as in the documentation
    ``params``      as received; an upload is ``{"file": name, "size": bytes}``
    ``chat``        the chat's id or null
    ``code``        HTTP status; 0 when the call got no answer
    ``description`` of an error, else null
    ``fault``       the kind of the fault that the call met, else null
    ``processed``   whether the call took effect
    ``result``      ``message_id`` of a sent or edited message, or ids of the ``updates`` handed out
    =============== ==============================================================================
    """

    def __init__(self, clock: Time, cap: int) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=cap)
        self._arrived = 0
        self.last = 0
        """``seq`` of the newest entry."""
        self.wakeup = Wakeup()

    def arrive(self) -> tuple[int, float]:
        """Count an arriving call.

        Returns:
            Its number of arrival and the time.
        """
        self._arrived += 1
        return self._arrived, self._clock.now()

    def end(self, entry: Entry) -> None:
        """Add the entry of a call that has ended, and wake the readers."""
        self.last += 1
        self._entries.append({"seq": self.last, **entry, "ended": self._clock.now()})
        self.wakeup.wake_all()

    @property
    def first(self) -> int:
        """``seq`` of the oldest entry that is kept."""
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
            await self.wakeup.wait(left)

    def clear(self) -> None:
        """Drop all entries; the numbers continue."""
        self._entries.clear()
