"""What the console shows beside the status: ages of work, open questions, sessions page by page, people."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import batched, pairwise
from math import isfinite
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.asking import ParkedTurn, parked_in
from tasks.session import SessionKey
from tasks.store.connection.redis import guard, text
from tasks.store.state import StateField
from tasks.text import is_digits

_AT_ONCE = 1000
"""Keys that one SCAN looks at."""
_STEPS = 200
"""SCANs for one answer at most: 200,000 keys take a Redis nearby less than a second."""
_AT_ONCE_OF_A_PAGE = 200
"""Keys that one SCAN looks at for a page of sessions: each of them may be one."""
_USAGE_READ = 3000
"""Days of people whose tokens are read, the latest."""
_WAITING_OF_A_SLOT = 2000
_OF_A_SLOT = 20
"""Open questions of a slot that are shown: those that end first."""


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Some sessions, in no order, and where the next page begins (0: there is none)."""

    sessions: tuple[SessionKey, ...]
    cursor: int


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """A parked turn."""

    session: str
    ends: float
    """When it is given up, seconds since the epoch."""
    turn: ParkedTurn | None
    """None: it cannot be read."""


@dataclass(slots=True)
class PersonUsage:
    """Who used the bot lately, by the day's tokens."""

    bot: str
    user: int
    days: dict[str, int] = field(default_factory=dict[str, int])


class OversightStore:
    """Verbs that only look, each bounded in what it reads."""

    def __init__(self, redis: Redis, *, slots: int) -> None:
        self._redis = redis
        self._slots = slots

    async def ages(self, now: float, bounds: Sequence[float]) -> list[int]:
        """How many sessions have work whose oldest message is less than each of ``bounds`` seconds old, and older."""
        edges = ["+inf", *(f"({now - bound}" for bound in bounds), "-inf"]
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in range(self._slots):
                    for upper, lower in pairwise(edges):
                        pipe.zcount(keys.pending(slot), lower, upper.replace("(", ""))
                told: list[Any] = await pipe.execute(raise_on_error=False)
        wide = len(bounds) + 1
        return [sum(count for count in told[n::wide] if isinstance(count, int)) for n in range(wide)]

    async def questions(self) -> list[OpenTurn]:
        """Parked turns, those first that end first; twenty of each slot."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in range(self._slots):
                    pipe.zrange(keys.parked(slot), 0, _OF_A_SLOT - 1, withscores=True)
                told: list[Any] = await pipe.execute(raise_on_error=False)
            found = sorted((ends, text(name)) for rows in told if isinstance(rows, list) for name, ends in rows)
            async with self._redis.pipeline(transaction=False) as pipe:
                for _, name in found:
                    pipe.hget(keys.state(name), StateField.parked)
                states: list[Any] = await pipe.execute(raise_on_error=False) if found else []
        return [
            OpenTurn(name, float(ends), parked_in(state) if isinstance(state, bytes) else None)
            for (ends, name), state in zip(found, states, strict=True)
        ]

    async def page(self, cursor: int, most: int) -> SessionPage:
        """The next sessions from ``cursor`` on; of more than ``most`` a few come along."""
        found: dict[SessionKey, None] = {}
        place = cursor
        async for further, names in self._scan("cohort:s:*", cursor, _AT_ONCE_OF_A_PAGE):
            place = further
            found.update(dict.fromkeys(_sessions(names)))
            if len(found) >= most:
                break
        return SessionPage(tuple(found), place)

    async def of_chat(self, chat: int, most: int) -> SessionPage:
        """Sessions of a chat: its own, and those of its topics and connections."""
        found: dict[SessionKey, None] = {}
        place = 0
        async for further, names in self._scan(f"cohort:s:*:{chat}:*", 0):
            place = further
            found.update(dict.fromkeys(session for session in _sessions(names) if session.chat == chat))
            if len(found) >= most:
                break
        return SessionPage(tuple(found), place)

    async def people(self) -> tuple[list[PersonUsage], bool]:
        """Who used the bot on the days that are kept, the latest first, and whether that is all of them."""
        names: list[str] = []
        place = 0
        async for further, some in self._scan("cohort:usage:*:user:*", 0):
            place = further
            names += some
        names.sort(key=lambda name: name.rpartition(":")[2], reverse=True)
        found: dict[tuple[str, int], PersonUsage] = {}
        for some in batched(names[:_USAGE_READ], _AT_ONCE):
            with guard():
                async with self._redis.pipeline(transaction=False) as pipe:
                    for name in some:
                        pipe.hmget(name, "input_tokens", "output_tokens")
                    told: list[Any] = await pipe.execute(raise_on_error=False)
            for name, counts in zip(some, told, strict=True):
                match name.split(":"):
                    case [_, _, bot, "user", user, day] if is_digits(user):
                        person = found.setdefault((bot, int(user)), PersonUsage(bot, int(user)))
                        person.days[day] = sum(map(_count, counts)) if isinstance(counts, list) else 0
                    case _:
                        pass
        return list(found.values()), place == 0 and len(names) <= _USAGE_READ

    async def oldest(self, most: int, bot: int | None = None) -> list[tuple[SessionKey, float]]:
        """Sessions with work, of all bots or of one, and when the oldest message of each was accepted; oldest first."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in range(self._slots):
                    pipe.zrange(keys.pending(slot), 0, _WAITING_OF_A_SLOT - 1, withscores=True)
                told: list[Any] = await pipe.execute(raise_on_error=False)
        found: list[tuple[float, SessionKey]] = []
        for name, since in (row for rows in told if isinstance(rows, list) for row in cast("list[Any]", rows)):
            with suppress(ValueError):
                session = SessionKey.parse(text(name))
                if bot in (None, session.bot) and isfinite(since):
                    found.append((float(since), session))
        found.sort(key=lambda one: (one[0], str(one[1])))
        return [(session, since) for since, session in found[:most]]

    async def waiting_by_bot(self) -> dict[int, tuple[int, float]]:
        """Bot -> its sessions with work, and when the oldest one's was accepted; of each slot the oldest thousands."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in range(self._slots):
                    pipe.zrange(keys.pending(slot), 0, _WAITING_OF_A_SLOT - 1, withscores=True)
                told: list[Any] = await pipe.execute(raise_on_error=False)
        found: dict[int, tuple[int, float]] = {}
        for rows in told:
            for name, since in rows if isinstance(rows, list) else ():
                with suppress(ValueError):
                    bot = SessionKey.parse(text(name)).bot
                    count, oldest = found.get(bot, (0, float(since)))
                    found[bot] = count + 1, min(oldest, float(since))
        return found

    async def bots(self) -> set[int]:
        """The bots of which something is kept beside sessions."""
        found: set[int] = set()
        async for _, names in self._scan("cohort:bot:*", 0):
            numbers = (name.split(":")[2] for name in names)
            found |= {int(number) for number in numbers if is_digits(number)}
        return found

    async def keeps(self, bot: int) -> bool:
        """Whether anything is kept of a bot."""
        async for _, names in self._scan(f"cohort:*:{bot}:*", 0):
            if any(name.split(":")[2] == str(bot) for name in names):
                return True
        return False

    async def _scan(self, pattern: str, cursor: int, count: int = _AT_ONCE) -> AsyncIterator[tuple[int, list[str]]]:
        for _ in range(_STEPS):
            with guard():
                found: Any = await self._redis.scan(cursor, match=pattern, count=count)
            cursor = int(found[0])
            yield cursor, [text(name) for name in found[1]]
            if cursor == 0:
                return


def _sessions(names: Sequence[str]) -> list[SessionKey]:
    sessions: list[SessionKey] = []
    for raw in names:
        name, _, part = raw.removeprefix(f"{keys.PREFIX}s:").rpartition(":")
        if part in ("state", "inbox"):
            with suppress(ValueError):
                sessions.append(SessionKey.parse(name))
    return sessions


def _count(value: bytes | None) -> int:
    return int(value) if value and value.isdigit() and len(value) < 18 else 0  # noqa: PLR2004 - more are damaged
