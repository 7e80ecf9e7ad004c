"""The bot's queue of updates: numbered in order and kept until they are confirmed."""

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from random import Random
from typing import NamedTuple

from playground.state.timing import Time
from playground.state.wakeup import Wakeup

LIFETIME = 24 * 3600
"""Seconds an update is kept (Bot API, "Getting updates")."""
REMEMBERED = 1000
"""How many confirmed updates can be delivered again on demand."""
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that must be asked for by name (Bot API, getUpdates)."""


class Update(NamedTuple):
    """One update, serialised when it was made: later changes of its message do not alter it."""

    id: int
    kind: str
    lane: object
    """A webhook gets the updates of one lane one after the other."""
    raw: bytes
    made: float


def dumps(value: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class UpdateQueue:
    """Updates with sequential ids from a random start, oldest first."""

    def __init__(self, clock: Time, random: Random) -> None:
        self._clock = clock
        self._held: OrderedDict[int, Update] = OrderedDict()
        self._confirmed: deque[Update] = deque(maxlen=REMEMBERED)
        self._again: deque[Update] = deque()
        self.next_id = random.randrange(100_000_000, 900_000_000)
        """Id of the next update."""
        self.allowed: frozenset[str] | None = None
        """The kinds that the bot gets; None is the Bot API's default."""
        self.wakeup = Wakeup()
        self.on_add: Callable[[Update], None] | None = None
        """Set while a webhook takes the updates."""

    def __len__(self) -> int:
        return len(self._held)

    def wants(self, kind: str) -> bool:
        """Whether the bot gets updates of this kind."""
        return kind not in _NOT_BY_DEFAULT if self.allowed is None else kind in self.allowed

    def add(self, kind: str, payload: object, lane: object = None) -> int | None:
        """Append an update.

        Returns:
            Its id, None if the bot does not want this kind.
        """
        if not self.wants(kind):
            return None
        number = self.next_id
        self._append(Update(number, kind, lane, dumps({"update_id": number, kind: payload}), self._clock.now()))
        return number

    def inject(self, value: object, *, bare: bool = False) -> int:
        """Append any JSON value as an update; an object gets its ``update_id`` unless ``bare``."""
        number = self.next_id
        if isinstance(value, dict) and not bare:
            value = {"update_id": number, **value}
        self._append(Update(number, "injected", None, dumps(value), self._clock.now()))
        return number

    def _append(self, update: Update) -> None:
        self.next_id += 1
        self._held[update.id] = update
        if self.on_add is not None:
            self.on_add(update)
        self.wakeup.wake_all()

    def confirm_before(self, offset: int) -> None:
        """Confirm updates with ids below ``offset``; a negative offset keeps that many of the newest."""
        held = self._held
        if offset < 0:
            while len(held) > -offset:
                self._drop(next(iter(held)))
        else:
            while held and (oldest := next(iter(held))) < offset:
                self._drop(oldest)

    def confirm(self, number: int) -> None:
        """Confirm one update: a webhook took it."""
        if number in self._held:
            self._drop(number)

    def _drop(self, number: int) -> None:
        self._confirmed.append(self._held.pop(number))

    def peek(self, limit: int) -> list[Update]:
        """Updates to deliver again first, then the oldest unconfirmed ones."""
        old = self._clock.now() - LIFETIME
        while self._held and next(iter(self._held.values())).made < old:
            self._held.popitem(last=False)
        if not self._again:
            return list(islice(self._held.values(), limit))
        again = [self._again.popleft() for _ in range(min(limit, len(self._again)))]
        return again + list(islice(self._held.values(), limit - len(again)))

    def redeliver(self, count: int) -> int:
        """Deliver the newest ``count`` confirmed updates again.

        Returns:
            How many there were.
        """
        again = list(self._confirmed)[-count:] if count > 0 else []
        if self.on_add is not None:
            for update in again:
                self.on_add(update)
        else:
            self._again.extend(again)
            self.wakeup.wake_all()
        return len(again)

    def clear(self) -> None:
        """Drop all updates; the numbering continues."""
        self._held.clear()
        self._confirmed.clear()
        self._again.clear()
