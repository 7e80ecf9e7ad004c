"""What an operator has paused: the intake of updates, and turns, of all sessions or of single ones."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.errors import StoreUnavailable, Terminal
from tasks.session import SessionKey
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.connection.redis import guard, text
from tasks.text import is_digits

log = logging.getLogger("cohort.pauses")

_LOOK_EVERY_S = 1.5
"""A pause takes effect within two seconds."""

MOST_SESSIONS = 100
"""Sessions that may be paused one by one: a sweep reads some hundred sessions of a slot, and skips these."""

type What = Literal["intake", "turns"]

_TURNS_OF, _INTAKE_OF = "turns:", "intake:"
"""Before a session, or the number of a bot. A release that does not know pauses of bots passes these over."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """What is paused, and since when (seconds since the epoch)."""

    intake: float | None = None
    turns: float | None = None
    sessions: Mapping[SessionKey, float] = field(default_factory=dict[SessionKey, float])
    """Whose turns are paused."""
    intake_of: Mapping[int, float] = field(default_factory=dict[int, float])
    """Bots whose intake is paused, of several."""
    turns_of: Mapping[int, float] = field(default_factory=dict[int, float])
    """Bots whose turns are paused."""

    def holds(self, session: SessionKey) -> bool:
        """Whether the session begins no turn."""
        return self.turns is not None or session.bot in self.turns_of or session in self.sessions

    def takes_none(self, bot: int) -> bool:
        """Whether the bot takes no updates."""
        return self.intake is not None or bot in self.intake_of

    def lines(self) -> list[str]:
        """What an operator is told, a line for each pause; nothing when nothing is paused."""
        said = [f"intake is paused since {_when(self.intake)}: updates stay with Telegram"] if self.intake else []
        if self.turns:
            said.append(f"turns are paused since {_when(self.turns)}: messages are kept")
        said += [f"intake of bot {bot} is paused since {_when(at)}" for bot, at in self.intake_of.items()]
        said += [f"turns of bot {bot} are paused since {_when(at)}" for bot, at in self.turns_of.items()]
        said += [f"turns of {session} are paused since {_when(at)}" for session, at in self.sessions.items()]
        return said


def _when(at: float | None) -> str:
    return datetime.fromtimestamp(at or 0.0, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


class PauseStore:
    """One hash for the whole deployment; each process reads it every one and a half seconds."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    async def look(self) -> Pauses:
        """What is paused now."""
        with guard():
            stored: dict[bytes, bytes] = await cast("Any", self._redis).hgetall(keys.PAUSED)
        found = {text(name): _time(at) for name, at in stored.items()}
        sessions: dict[SessionKey, float] = {}
        for name in sorted(found):
            if name.startswith(_TURNS_OF) and (session := _session(name.removeprefix(_TURNS_OF))) is not None:
                sessions[session] = found[name]
        intake_of, turns_of = (
            {
                int(bot): found[name]
                for name in sorted(found)
                if (bot := name.removeprefix(of)) != name and is_digits(bot)
            }
            for of in (_INTAKE_OF, _TURNS_OF)
        )
        return Pauses(found.get("intake"), found.get("turns"), sessions, intake_of, turns_of)

    async def pause(self, what: What, session: SessionKey | int | None = None) -> None:
        """Pause it: all of it, that of one bot, or of one session; what is paused already keeps its time.

        Raises:
            Terminal: too many sessions are paused one by one.
        """
        if isinstance(session, SessionKey) and len((await self.look()).sessions) >= MOST_SESSIONS:
            raise Terminal(f"{MOST_SESSIONS} sessions are paused: resume some, or pause all turns")
        with guard():
            await cast("Any", self._redis).hsetnx(keys.PAUSED, _name(what, session), int(self._clock.now()))

    async def resume(self, what: What, session: SessionKey | int | None = None) -> bool:
        """Go on; False when it was not paused."""
        with guard():
            return bool(await cast("Any", self._redis).hdel(keys.PAUSED, _name(what, session)))

    async def extend(self, old: SessionKey, new: SessionKey) -> bool:
        """A group became a supergroup, whose turns are paused if the group's are; returns whether they are."""
        with guard():
            since = await cast("Any", self._redis).hget(keys.PAUSED, _name("turns", old))
            if since is not None:
                await cast("Any", self._redis).hsetnx(keys.PAUSED, _name("turns", new), since)
        return since is not None

    async def forget(self, whose: ErasureScope) -> int:
        """Strike the pauses of single sessions and of a bot that are erased; gives how many."""
        theirs: list[SessionKey | int] = [one for one in (await self.look()).sessions if whose.is_session(one)]
        struck = sum([await self.resume("turns", session) for session in theirs])
        if whose.bot is not None and whose == ErasureScope(bot=whose.bot):
            struck += await self.resume("turns", whose.bot) + await self.resume("intake", whose.bot)
        return struck


def _name(what: What, session: SessionKey | int | None) -> str:
    return what if session is None else f"{what}:{session}"


def _session(name: str) -> SessionKey | None:
    try:
        return SessionKey.parse(name)
    except ValueError:
        return None


def _time(at: bytes) -> float:
    return float(at) if at.isdigit() and len(at) < len("10000000000000") else 1.0


class PauseView:
    """What this process saw last; asking it costs nothing."""

    def __init__(self, store: PauseStore) -> None:
        self._store = store
        self.now = Pauses()

    @property
    def intake(self) -> bool:
        """Whether no updates are taken."""
        return self.now.intake is not None

    def takes_none(self, bot: int) -> bool:
        """Whether the bot takes no updates."""
        return self.now.takes_none(bot)

    def holds(self, session: SessionKey) -> bool:
        """Whether the session begins no turn."""
        return self.now.holds(session)

    async def refresh(self) -> None:
        """Look; an error leaves what was seen before.

        Raises:
            StoreUnavailable: Redis is away.
        """
        self.now = await self._store.look()

    async def watch(self, tell: Callable[[Pauses, Pauses], None]) -> None:
        """Keep it current until cancelled; without Redis it stays as it is.

        Args:
            tell: Called after each look with what was paused before and what is now.
        """
        while True:
            before = self.now
            try:
                await self.refresh()
            except StoreUnavailable:
                log.debug("store.unavailable")
            tell(before, self.now)
            await asyncio.sleep(_LOOK_EVERY_S)
