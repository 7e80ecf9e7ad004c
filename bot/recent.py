"""What happened lately: names with a time, forgotten after a while and bounded in number."""

from collections import OrderedDict
from datetime import timedelta

from tasks.clock import Clock


class Recent:
    """Names added within ``span``, the newest ``most`` of them."""

    def __init__(self, span: timedelta, most: int, clock: Clock) -> None:
        self._span = span.total_seconds()
        self._most = most
        self._clock = clock
        self._added: OrderedDict[object, float] = OrderedDict()

    def __contains__(self, name: object) -> bool:
        added = self._added.get(name)
        return added is not None and self._clock.monotonic() - added < self._span

    def add(self, name: object) -> None:
        """It happened now."""
        self._added[name] = self._clock.monotonic()
        self._added.move_to_end(name)
        while len(self._added) > self._most:
            self._added.popitem(last=False)
