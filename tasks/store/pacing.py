"""How fast the bot may send: one budget for all workers, and the floods that Telegram punished."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.store.redis import Script, guard

_US = 1_000_000
_MARGIN_MS = 60_000
"""A penalty's key outlives it: the server's clock and ours may differ (``pace.lua`` does the same)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` in any window of ``seconds``, of which ``burst`` may come at once after a silence."""

    count: int
    seconds: float
    burst: int

    @property
    def interval_us(self) -> int:
        """Microseconds between two in the long run: what keeps a burst and all that follows it within the window."""
        return math.ceil(self.seconds * _US / (self.count - self.burst + 1))

    @property
    def tolerance_us(self) -> int:
        """Microseconds that a burst may be ahead of that rhythm."""
        return self.interval_us * (self.burst - 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """Telegram's limits (https://core.telegram.org/bots/faq, "My bot is hitting limits").

    About 30 a second overall; one a second in a chat, where short bursts pass; 20 a minute in a group.
    """

    bot: Rate = field(default=Rate(30, 1, burst=5))
    private: Rate = field(default=Rate(3, 1, burst=3))
    group: Rate = field(default=Rate(20, 60, burst=5))

    @classmethod
    def of(cls, a_second: int) -> Self:
        """Those of a bot that may send so many messages a second in all (``COHORT_SEND_RATE``)."""
        return cls(bot=Rate(a_second, 1, burst=max(a_second // 6, 1)))

    def chat(self, chat: int) -> Rate:
        """Groups, supergroups and channels have negative ids."""
        return self.private if chat > 0 else self.group


@dataclass(frozen=True, slots=True)
class Taken:
    """What ``PaceStore.reserve`` gave."""

    what: Literal["nothing", "chat", "all"]
    """``nothing``: a penalty holds; wait, then begin again. ``chat``: the chat's permit; wait, then ``reserve`` with
    ``chat_taken``. ``all``: wait, then send."""
    seconds: float
    """How long to wait now."""


_TAKEN: tuple[Literal["nothing", "chat", "all"], ...] = ("nothing", "chat", "all")


class PaceStore:
    """Verbs on the buckets of all bots and chats. Each is one round trip.

    Machines whose clocks differ see one another's permits that much too early or late (`cohort doctor` compares them).
    """

    def __init__(self, redis: Redis, clock: Clock, limits: Limits | None = None) -> None:
        self._redis = redis
        self._clock = clock
        self._limits = limits or Limits()
        self._pace = Script(redis, "pace")

    async def reserve(self, bot: int, chat: int, *, chat_taken: bool = False) -> Taken:
        """Reserve a send permit in the order of asking, however far off it is.

        The bot's own permit is taken only when the chat's has come, so that a slow chat holds up no other.

        Raises:
            StoreUnavailable: Redis is away.
        """
        rate = self._limits.chat(chat)
        interval = 0 if chat_taken else rate.interval_us
        what, wait = await self._ask(bot, chat, 1, self._limits.bot.tolerance_us, interval, rate.tolerance_us)
        return Taken(_TAKEN[what], wait / _US)

    async def attempt(self, bot: int, chat: int, *, charge_chat: bool = True) -> float:
        """Take a send permit only if it can be had at once.

        Half of the bot's burst and the last of the chat's are kept for those who reserve: what may be dropped does not
        delay what may not.

        Args:
            bot: The bot.
            chat: Where.
            charge_chat: Whether it counts in the chat (a typing action does not).

        Returns:
            0 if the permit was taken, else seconds after which to ask again.

        Raises:
            StoreUnavailable: Redis is away.
        """
        rate = self._limits.chat(chat)
        interval = rate.interval_us if charge_chat else 0
        tolerance = max(rate.tolerance_us - rate.interval_us, 0)
        what, wait = await self._ask(bot, chat, 0, self._limits.bot.tolerance_us // 2, interval, tolerance)
        return 0.0 if _TAKEN[what] == "all" else wait / _US

    async def punish(self, bot: int, chat: int | None, seconds: float) -> None:
        """Hold all sending for so long: in this chat, or (None) with this bot at all.

        Raises:
            StoreUnavailable: Redis is away, so only the caller knows.
        """
        until = round((self._clock.now() + seconds) * _US)
        with guard():
            await self._redis.set(_penalty(bot, chat), until, px=math.ceil(seconds * 1000) + _MARGIN_MS)

    async def held_until(self, bot: int) -> float:
        """Until when Telegram holds the whole bot, seconds since the epoch; 0 when it does not.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            until: Any = await self._redis.get(_penalty(bot, None))
        return int(until) / _US if until and until.isdigit() else 0.0

    async def _ask(self, bot: int, chat: int, patient: int, bot_tolerance: int, *chat_rate: int) -> tuple[int, int]:
        buckets = (keys.pace(f"{bot}"), keys.pace(f"{bot}:{chat}"), _penalty(bot, None), _penalty(bot, chat))
        now = round(self._clock.now() * _US)
        what, wait = await self._pace(buckets, (now, patient, self._limits.bot.interval_us, bot_tolerance, *chat_rate))
        return int(what), int(wait)


def _penalty(bot: int, chat: int | None) -> str:
    return keys.pace(f"{bot}:penalty" if chat is None else f"{bot}:{chat}:penalty")
