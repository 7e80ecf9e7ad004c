"""Recent names with a time or a count: forgotten after a while, and bounded in number."""

from collections.abc import Callable
from datetime import timedelta

from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock


class Recent:
    """Names added within ``span``, the newest ``most`` of them."""

    def __init__(self, span: timedelta, most: int, clock: Clock) -> None:
        self._span = span.total_seconds()
        self._clock = clock
        self._added = BoundedDict[object, float](most)

    def __contains__(self, name: object) -> bool:
        added = self._added.get(name)
        return added is not None and self._clock.monotonic() - added < self._span

    def add(self, name: object, *, left: float | None = None) -> None:
        """Note the name; ``left``: for so many seconds, where it was added before, elsewhere."""
        self._added[name] = self._clock.monotonic() - (0.0 if left is None else max(0.0, self._span - left))

    def drop(self, name: object) -> None:
        """Forget the name."""
        self._added.pop(name, None)


_UPDATES = 10_000


class Once:
    """What was decided of the last updates: one that comes again, because Redis was away, is not counted again."""

    def __init__(self) -> None:
        self._decided = BoundedDict[int, bool](_UPDATES)

    def of(self, update: int, decide: Callable[[], bool]) -> bool:
        """What was decided of the update, else what ``decide`` says."""
        if update not in self._decided:
            self._decided[update] = decide()
        return self._decided[update]

    def known(self, update: int) -> bool:
        """Whether anything was decided of the update."""
        return update in self._decided


class Allowance:
    """Up to ``each`` of something a name within ``span``; the newest ``most`` names are remembered."""

    def __init__(self, each: int, span: timedelta, most: int, clock: Clock) -> None:
        self._each = each
        self._span = span.total_seconds()
        self._clock = clock
        self._used = BoundedDict[object, tuple[float, int]](most)
        self._once = Once()

    def take(self, name: object, update: int | None = None) -> bool:
        """Use one up, once for an ``update``. Returns False when the name has used all of its."""
        return self._take(name) if update is None else self._once.of(update, lambda: self._take(name))

    def _take(self, name: object) -> bool:
        now = self._clock.monotonic()
        begun, used = self._used.get(name, (now, 0))
        if now - begun >= self._span:
            begun, used = now, 0
        self._used[name] = (begun, min(used + 1, self._each))
        return used < self._each
