"""Recent names with a time or a count: forgotten after a while, and bounded in number."""

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
        """Note the name, with the current time."""
        self._added[name] = self._clock.monotonic()
        self._added.move_to_end(name)
        while len(self._added) > self._most:
            self._added.popitem(last=False)


class Allowance:
    """Up to ``each`` of something a name within ``span``; the newest ``most`` names are remembered."""

    def __init__(self, each: int, span: timedelta, most: int, clock: Clock) -> None:
        self._each = each
        self._span = span.total_seconds()
        self._most = most
        self._clock = clock
        self._used: OrderedDict[object, tuple[float, int]] = OrderedDict()

    def take(self, name: object) -> bool:
        """Use one up. Returns False when the name has used all of its."""
        now = self._clock.monotonic()
        begun, used = self._used.pop(name, (now, 0))
        if now - begun >= self._span:
            begun, used = now, 0
        self._used[name] = (begun, min(used + 1, self._each))
        while len(self._used) > self._most:
            self._used.popitem(last=False)
        return used < self._each
