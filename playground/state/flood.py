"""Telegram's flood limits, as its FAQ, its maintainer and bots in the field tell of them."""

import math
from collections import OrderedDict, deque

from playground import Json
from playground.errors import ControlError, too_many
from playground.state.timing import Time

_CHATS = 10_000
"""Chats that are remembered; the least recently used one is dropped first."""
_NAMES = ("overall", "per_chat", "burst", "per_group", "penalty")


class Flood:
    """What Telegram lets a bot send, edits counted as messages (tdlib/td issues 2592 and 3034).

    Each file of an album is a message (rubenlagus/TelegramBots issue 1520). In a private chat a bucket, because short
    bursts pass, an album among them (https://core.telegram.org/bots/faq); in a group and overall a
    window. The exact values are unspecified. A chat that was refused stays closed until ``retry_after`` is over, and
    its further calls read what is left of it, as people saw it (m1guelpf/chatgpt-telegram issue 22: 30, then 29).
    """

    def __init__(self, clock: Time) -> None:
        self._clock = clock
        self.on = False
        self.overall = 30
        """Sends and edits in any second, in all chats."""
        self.per_chat = 1
        """Sends and edits a second in a private chat in the long run."""
        self.burst = 5
        """Of them, how many may come at once after a silence."""
        self.per_group = 20
        """Sends and edits in any minute in a group."""
        self.penalty = 0
        """Seconds that ``retry_after`` says at least for a chat: tens were seen, and hours (tdlib/td issue 1331)."""
        self.refused = 0
        self._all: deque[float] = deque()
        self._chats: OrderedDict[int, deque[float]] = OrderedDict()
        self._closed: dict[int, float] = {}

    def check(self, chat: int, count: int = 1) -> None:
        """Count a send or an edit in ``chat``, or an album's ``count`` messages, which come or are refused together.

        Raises:
            ApiError: 429; the call does not count.
        """
        if not self.on:
            return
        now = self._clock.monotonic()
        own = self._chats.setdefault(chat, deque())
        self._chats.move_to_end(chat)
        if len(self._chats) > _CHATS:
            self._closed.pop(self._chats.popitem(last=False)[0], None)
        wait = self._closed.get(chat, 0) - now
        if wait <= 0:
            wait = self._group(own, now, count) if chat < 0 else self._private(own, now)
            if wait > 0:
                wait = max(wait, self.penalty)
                self._closed[chat] = now + wait
        wait = max(wait, _window(self._all, max(1, self.overall - count + 1), 1.0, now))
        if wait > 0:
            self.refused += 1
            raise too_many(max(1, math.ceil(wait)))
        self._closed.pop(chat, None)
        self._all.extend([now] * count)
        own.extend([now] * count if chat < 0 else [max(now, own.pop() if own else now) + count / self.per_chat])

    def _group(self, times: deque[float], now: float, count: int) -> float:
        return _window(times, max(1, self.per_group - count + 1), 60.0, now)

    def _private(self, free: deque[float], now: float) -> float:
        """A bucket, as the one time at which it is full again."""
        return (free[0] if free else now) - (self.burst - 1) / self.per_chat - now

    def set(self, order: Json) -> None:
        """Switch it on or off and set its limits.

        Raises:
            ControlError: a limit is no positive number.
        """
        try:
            limits = {name: int(order.get(name, getattr(self, name))) for name in _NAMES}
        except (TypeError, ValueError, OverflowError):
            raise ControlError(f"{', '.join(_NAMES)} are numbers") from None
        if min(value + (name == "penalty") for name, value in limits.items()) < 1:
            raise ControlError("overall, per_chat, burst and per_group are at least 1, penalty at least 0")
        self.on = bool(order.get("on", True))
        self.__dict__.update(limits)
        self._all.clear()
        self._chats.clear()
        self._closed.clear()

    def state(self) -> Json:
        """The limits, and how many calls they refused."""
        return {"on": self.on, **{name: getattr(self, name) for name in _NAMES}, "refused": self.refused}


def _window(times: deque[float], most: int, span: float, now: float) -> float:
    """Seconds until one more is within ``most`` in any ``span``."""
    while times and times[0] <= now - span:
        times.popleft()
    return times[-most] + span - now if len(times) >= most else 0.0
