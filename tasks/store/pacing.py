"""How fast the bot may send: one budget for all workers, and the floods that Telegram punished."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.store.connection.redis import Script, guard

_US = 1_000_000
LONGEST_LINE = 600.0
"""Seconds beyond which a bucket or a line is taken for damaged (``pace.lua``)."""
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

    bot: Rate = field(default=Rate(24, 1, burst=5))
    private: Rate = field(default=Rate(3, 1, burst=3))
    group: Rate = field(default=Rate(19, 60, burst=5))
    commands: Rate | None = field(default=Rate(3, 1, burst=2))
    """The bot's own lines may have so many beside ``bot``, so that they pass what workers have reserved."""

    @classmethod
    def of(cls, a_second: int) -> Self:
        """Those of a bot that may send so many messages a second in all (``COHORT_SEND_RATE``).

        A call reaches Telegram a little after its permit, so a tenth is left free, as one of 20 is in a group.
        """
        commands = a_second // 10
        most = a_second - 2 * commands
        express = Rate(commands, 1, burst=min(commands, 2)) if commands else None
        return cls(bot=Rate(most, 1, burst=max(a_second // 6, 1)), commands=express)

    def chat(self, chat: int) -> Rate:
        """Groups, supergroups and channels have negative ids."""
        return self.private if chat > 0 else self.group


@dataclass(frozen=True, slots=True)
class Taken:
    """What ``PaceStore.reserve`` gave."""

    what: Literal["nothing", "chat", "all"]
    """What was taken, and so what to do after ``seconds``.

    - ``nothing``: a penalty holds; begin again.
    - ``chat``: the chat's permit; ``reserve`` with ``chat_taken``.
    - ``all``: send.
    """
    seconds: float
    """How long to wait now."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a chat in the line of those whose frame found no room."""

    due: float
    """When it comes, seconds since the epoch."""
    refused: int = 0
    """How many places of this chat in turn found no room when they came."""


@dataclass(frozen=True, slots=True)
class Room:
    """What ``PaceStore.frame`` gave."""

    granted: bool
    seconds: float
    """Granted: how long to wait, then send. Else: when to ask again."""
    place: Place | None = None
    """Ask again with this place, and not before it is due."""


_TAKEN: tuple[Literal["nothing", "chat", "all"], ...] = ("nothing", "chat", "all")
_PLACED = 3
_ANY = 2**50
"""A tolerance that no bucket is ahead of."""
_PLACE_KEPT = 5.0
"""Seconds after which a place that was due is lost: a chat that had one long ago passes no other."""
_MOST_REFUSED = 8


class PaceStore:
    """Verbs on the buckets of all bots and chats. Each is one round trip.

    Machines whose clocks differ see one another's permits that much too early or late (`cohort doctor` compares them).
    """

    def __init__(self, redis: Redis, clock: Clock, limits: Limits | None = None) -> None:
        self._redis = redis
        self._clock = clock
        self._limits = limits or Limits()
        self._pace = Script(redis, "pace")

    def at(self, a_second: int) -> "PaceStore":
        """The same for a bot with another send rate (``COHORT_SEND_RATE``)."""
        return PaceStore(self._redis, self._clock, Limits.of(a_second))

    async def reserve(self, bot: int, chat: int, *, chat_taken: bool = False, count: int = 1) -> Taken:
        """Reserve a send permit in the order of asking, however far off it is.

        The bot's own permit is taken only when the chat's has come, so that a slow chat holds up no other.

        Args:
            bot: The bot.
            chat: Where.
            chat_taken: The chat's permit was taken before, and has come.
            count: An album's messages, which come at once: where a window holds, all of them have to fit into it.

        Raises:
            StoreUnavailable: Redis is away.
        """
        rate = self._limits.chat(chat)
        whole, more = self._limits.bot, count - 1
        interval = 0 if chat_taken else rate.interval_us * count
        # In a private chat short bursts pass; what follows waits the longer.
        tolerance = rate.tolerance_us - (more * rate.interval_us if chat < 0 else 0)
        given = (whole.tolerance_us - more * whole.interval_us, interval, tolerance)
        what, wait = await self._ask(bot, chat, 1, *given, count=count)
        return Taken(_TAKEN[what], wait / _US)

    async def command(self, bot: int, chat: int) -> float:
        """Take a send permit of those that are kept for the bot's own lines.

        Returns:
            0 if it was taken, else the seconds after which there is one.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if (express := self._limits.commands) is None:
            return math.inf
        rate = self._limits.chat(chat)
        buckets = self._buckets(bot, chat, "commands")
        numbers = (express.interval_us, express.tolerance_us, rate.interval_us, rate.tolerance_us)
        what, wait = await self._pace(buckets, (self._now, 0, *numbers, 0, 0, 0))
        return 0.0 if _TAKEN[int(what)] == "all" else int(wait) / _US

    async def attempt(self, bot: int, chat: int) -> float:
        """Take a send permit of the bot only if it can be had at once; the chat's is not touched (a typing action).

        Three quarters of the bot's burst are kept for what people read.

        Returns:
            0 if the permit was taken, else seconds after which to ask again.

        Raises:
            StoreUnavailable: Redis is away.
        """
        what, wait = await self._ask(bot, chat, 0, self._limits.bot.tolerance_us // 4, 0, _ANY)
        return 0.0 if _TAKEN[what] == "all" else wait / _US

    async def frame(self, bot: int, chat: int, *, first: bool = False, place: Place | None = None) -> Room:
        """Take a send permit if it can be had at once, else a place in the line.

        Some of the bot's burst and the last of the chat's are kept for those who reserve: what may be dropped does not
        delay what may not. Chats whose frames found no room come in the order of asking, over all workers, so that each
        screen moves. The first pieces of answers have a line of their own, which is ahead of the frames that follow.

        Args:
            bot: The bot.
            chat: Where.
            first: Whether it is the first that is seen of an answer.
            place: What the chat got when it asked last.

        Raises:
            StoreUnavailable: Redis is away.
        """
        rate, whole = self._limits.chat(chat), self._limits.bot
        tolerance = whole.tolerance_us * 3 // 4 if first else whole.tolerance_us // 2
        now = self._clock.now()
        due = place is not None and place.due <= now <= place.due + _PLACE_KEPT
        refused = min(place.refused, _MOST_REFUSED) if place is not None and due else 0
        # What has waited for its place may wait a little for its permit, the longer the more often it found none.
        slack = (2 + first * 4 + refused * 2) * whole.interval_us if due else 0
        # Growing frames have about two thirds of the bot's permits, as final texts need the rest.
        interval = whole.interval_us * (2 if first else 3) // 2
        chat_rate = (rate.interval_us, max(rate.tolerance_us - rate.interval_us, 0))
        buckets = self._buckets(bot, chat, line="first" if first else "line")
        numbers = (whole.interval_us, tolerance, *chat_rate, interval, slack, int(due))
        what, wait = await self._pace(buckets, (round(now * _US), 0, *numbers))
        seconds = int(wait) / _US
        if int(what) == _PLACED:
            return Room(granted=False, seconds=seconds, place=Place(now + seconds, refused + due))
        return Room(granted=_TAKEN[int(what)] == "all", seconds=seconds)

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

    async def _ask(
        self, bot: int, chat: int, patient: int, bot_tolerance: int, *chat_rate: int, count: int = 1
    ) -> tuple[int, int]:
        numbers = (self._limits.bot.interval_us * count, bot_tolerance, *chat_rate)
        what, wait = await self._pace(self._buckets(bot, chat), (self._now, patient, *numbers, 0, 0, 0))
        return int(what), int(wait)

    @property
    def _now(self) -> int:
        return round(self._clock.now() * _US)

    @staticmethod
    def _buckets(bot: int, chat: int, shared: str = "", line: str = "line") -> tuple[str, ...]:
        """The bot's bucket, or one that some of its calls share, the chat's, their penalties, and a line."""
        whole = keys.pace(f"{bot}:{shared}" if shared else f"{bot}")
        return whole, keys.pace(f"{bot}:{chat}"), _penalty(bot, None), _penalty(bot, chat), keys.pace(f"{bot}:{line}")


def _penalty(bot: int, chat: int | None) -> str:
    return keys.pace(f"{bot}:penalty" if chat is None else f"{bot}:{chat}:penalty")
