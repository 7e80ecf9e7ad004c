"""Erasing what is kept of a session, of a person: all keys, at once, also while turns run.

A turn that runs writes nothing back: its claim is void from the moment of the erasure (``erase.lua``, ``strike.lua``).
"""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from redis import exceptions
from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.envelope import Media
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.store.connection.erasure_scope import ErasureScope, doorbell_of, inbounds, listed, parted, without
from tasks.store.connection.redis import Script, guard, text
from tasks.store.earlier import INDEX, EarlierStore, StillWritten, Strike, untitled
from tasks.store.records.dead import DeadStore
from tasks.store.records.trail import TrailStore
from tasks.store.reminders import counted_in
from tasks.store.state import StateField

_TRIES = 20
"""Readings of a group's history that turns may overtake before it is given up for now."""
_OF_PEOPLE = (StateField.history, StateField.conversation, StateField.retry_batch, StateField.unanswered)
"""Fields of a state that hold what people said: the last two are messages as they came."""
_ASKED = (StateField.parked, StateField.held)
"""Those that hold who was asked, and what they answered."""

type NamesFiles = Callable[[bytes | None], Iterable[Media]]
"""Gives the files that a stored history names."""


@dataclass(slots=True)
class Erased:
    """What went."""

    counts: Counter[str] = field(default_factory=Counter[str])
    """What it was -> how many."""
    sessions: set[SessionKey] = field(default_factory=set[SessionKey])
    """Sessions that went whole."""
    groups: set[SessionKey] = field(default_factory=set[SessionKey])
    """Sessions of several people that lost one person's messages."""
    owners: set[str] = field(default_factory=set[str])
    """Workers in which a turn of one of these may run now; what it writes is refused."""
    media: list[Media] = field(default_factory=list[Media])


class Erasure:
    """Verbs; each may be said twice, and a second time finds what came in between."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._earlier = EarlierStore(redis)
        self._erase = Script(redis, "erase")
        self._strike = Script(redis, "strike")
        self._letters = DeadStore(redis, clock, slots=slots)
        self._trail = TrailStore(redis)
        self._cancel = Script(redis, "cancel")

    async def erase(self, whose: ErasureScope, *, media: NamesFiles, strike: Strike) -> Erased:
        """Erase everything in Redis.

        Args:
            whose: Whose.
            media: The files that a stored history names.
            strike: Takes the person's messages out of a group's history.

        Raises:
            StoreUnavailable: Redis is away; what went is gone, call it again.
            StillWritten: a group's turns were too quick.
        """
        erased = Erased()
        # Reminders and dead letters first: they may go into an inbox meanwhile, and not the other way round.
        await self._reminders(whose, erased)
        await self._dead(whose, erased)
        for session, parts in (await self._sessions(whose)).items():
            if whose.is_session(session):
                await self._session(session, parts, erased, media)
            else:
                await self._group(session, whose, erased, strike)
        await self._lines(whose, erased)
        await self._doorbells(whose, erased)
        await self._usage(whose, erased)
        await self._shared(whose, erased)
        erased.counts["turns of `cohort find`"] += await self._trail.forget(whose)
        await self._by_name(whose, erased)
        return erased

    async def sweep(self, cursor: int, count: int, *, before: float, now: float) -> tuple[int, list[SessionKey]]:
        """Look at about ``count`` keys, and erase the sessions that were touched before that time and are idle.

        A session whose state does not say when it was touched (an older release wrote it) counts from now on. One with
        reminders stays until they have come.

        Returns:
            The cursor to go on with (0: all keys were looked at), and the sessions that went.
        """
        with guard():
            cursor, names = await self._redis.scan(cursor, match="cohort:s:*:state", count=count)
        gone: list[SessionKey] = []
        for name in map(text, names):
            with suppress(ValueError):
                session = SessionKey.parse(name.removeprefix(f"{keys.PREFIX}s:").removesuffix(":state"))
                if await self.expire(session, before, now):
                    gone.append(session)
        return int(cursor), gone

    async def expire(self, session: SessionKey, before: float, now: float) -> bool:
        """Erase a session if it is idle, and was touched at or before that time; whether it went."""
        with guard():
            async with cast("Any", self._redis).pipeline(transaction=False) as pipe:
                pipe.hget(keys.state(session), StateField.touched)
                pipe.hget(keys.earlier(session), INDEX)
                touched, index = await pipe.execute()
            await self._earlier.expire(session, index, before)
            if (touched or b"").isdigit() and float(touched) > before:
                return False
            if await self._redis.exists(keys.reminders(f"s:{session}")):
                return False
        parts = [keys.journal(session), keys.notes(session)]
        done, _ = await self._erase(self._names(session, parts), [str(session), before, now])
        return bool(done)

    def _names(self, session: SessionKey, parts: Iterable[str]) -> list[str]:
        slot = slot_of(session, self._slots)
        first = [keys.state(session), keys.pending(slot), keys.parked(slot)]
        first += [keys.inbox(session), keys.outbox(session), keys.earlier(session)]
        return [*first, *(part for part in dict.fromkeys(parts) if part not in first)]

    def _struck(self, session: SessionKey) -> list[str]:
        slot = slot_of(session, self._slots)
        return [keys.state(session), keys.inbox(session), keys.journal(session), keys.pending(slot), keys.parked(slot)]

    # -- sessions

    async def _sessions(self, whose: ErasureScope) -> dict[SessionKey, list[str]]:
        """Sessions to look at, with all their keys."""
        found: dict[SessionKey, list[str]] = {}
        async for name in self._scan(whose.pattern):
            with suppress(ValueError):
                session = SessionKey.parse(name.removeprefix(f"{keys.PREFIX}s:").rpartition(":")[0])
                # Groups, supergroups and channels have negative numbers. A business chat has two authors.
                several = session.chat < 0 or session.business is not None
                if whose.is_session(session) or (whose.user is not None and several):
                    found.setdefault(session, []).append(name)
        return found

    async def _session(self, session: SessionKey, parts: Sequence[str], erased: Erased, media: NamesFiles) -> None:
        redis = cast("Any", self._redis)
        with guard():
            history, _, *lists = await redis.hmget(keys.state(session), *_OF_PEOPLE)
            waiting: list[bytes] = await redis.lrange(keys.inbox(session), 0, -1)
        erased.media += [*media(history), *await self._earlier.media(session, media)]
        for inbound in inbounds([*waiting, *(raw for one in lists for raw in listed(one))]):
            erased.media += inbound.media
        gone, owner = await self._erase(self._names(session, parts), [str(session), "", 0])
        erased.counts["keys of sessions"] += int(gone)
        erased.sessions.add(session)
        erased.owners |= {text(owner)} if owner else set()

    async def _group(self, session: SessionKey, whose: ErasureScope, erased: Erased, strike: Strike) -> None:
        redis = cast("Any", self._redis)
        earlier = 0
        for _ in range(_TRIES):
            if (found := await self._earlier.strike(session, whose.user, strike, erased.media)) is None:
                continue
            earlier += found
            with guard():
                history, title, *lists, parked, held = await redis.hmget(keys.state(session), *_OF_PEOPLE, *_ASKED)
                waiting: list[bytes] = await redis.lrange(keys.inbox(session), 0, -1)
            theirs = parted(waiting, whose)
            struck, tried = strike(history), list[bytes]()
            args: list[str | bytes | float] = [*([history, struck.history] if struck else ["", ""])]
            for one in lists:
                wrote = parted(listed(one), whose)
                left = [raw.decode() for raw in without(listed(one), wrote)]
                args += [one, json.dumps(left)] if wrote else ["", ""]
                tried += [raw for raw, _ in wrote]
            args += (renamed := untitled(title, whose.user)) or ("", "")
            asked = whose.answered(parked) or whose.answered(held)
            if not (theirs or tried or struck or renamed or earlier or asked):
                return
            entries = [part for pair in theirs for part in pair]
            # A worker that has read an earlier conversation, or an answer, must not go on with it as it was.
            args += [str(session), self._clock.now(), int(earlier > 0 or asked)]
            gone, owner, *_ = await self._strike(self._struck(session), [*args, *entries])
            found = await self._earlier.strike(session, whose.user, strike, erased.media) if gone >= 0 else None
            if found is not None:
                break
        else:
            raise StillWritten(f"{session} is written again and again while it is read; try again")
        erased.groups.add(session)
        erased.owners |= {text(owner)} if owner else set()
        went = int(gone) + len(tried) + earlier + found
        erased.counts["messages in groups"] += went + (struck.messages if struck else 0)
        erased.media += struck.media if struck else ()
        for inbound in inbounds([*(raw for raw, _ in theirs), *tried]):
            erased.media += inbound.media if whose.wrote(inbound) else ()

    # -- what stands outside of sessions

    async def _reminders(self, whose: ErasureScope, erased: Erased) -> None:
        with guard():
            waiting: list[bytes] = await cast("Any", self._redis).zrange(keys.REMINDERS, 0, -1)
        for raw in waiting:
            for inbound in inbounds([raw]):
                if whose.wrote(inbound):
                    erased.counts["reminders"] += int(await self._cancel([keys.REMINDERS, *counted_in(inbound)], [raw]))

    async def _dead(self, whose: ErasureScope, erased: Erased) -> None:
        gone, letters = await self._letters.forget(whose)
        erased.counts["dead letters"] += gone
        for letter in letters:
            erased.media += letter.inbound.media if letter.inbound is not None else ()

    async def _lines(self, whose: ErasureScope, erased: Erased) -> None:
        """The bot's own lines, and those to people who are not admitted."""
        for pattern in ("cohort:bot:*:replies", "cohort:bot:*:strangers"):
            async for name in self._scan(pattern):
                for raw in await self._list(name):
                    if whose.is_line(raw):
                        with guard():
                            gone = await cast("Any", self._redis).lrem(name, 0, raw)
                        erased.counts["lines of the bot"] += int(gone)
        if whose.user is not None:
            async for name in self._scan("cohort:bot:*:told"):
                with guard():
                    await self._redis.zrem(name, str(whose.user))

    async def _doorbells(self, whose: ErasureScope, erased: Erased) -> None:
        for slot in range(self._slots):
            for raw in await self._list(queue_of(slot)):
                if whose.is_session_named(doorbell_of(raw)):
                    with guard():
                        gone = await cast("Any", self._redis).lrem(queue_of(slot), 0, raw)
                    erased.counts["doorbells"] += int(gone)

    async def _usage(self, whose: ErasureScope, erased: Erased) -> None:
        redis = cast("Any", self._redis)
        async for name in self._scan("cohort:usage:*"):
            if whose.is_usage(name):
                with guard():
                    erased.counts["days of usage"] += int(await redis.unlink(name))
                continue
            async for one in self._fields(name):
                if whose.is_session_named(text(one).partition(":")[2]):
                    with guard():
                        await redis.hdel(name, one)

    async def _fields(self, name: str) -> AsyncGenerator[bytes]:
        with guard():
            for pattern in ("held:*", "charged:*"):
                async for one, _ in self._redis.hscan_iter(name, match=pattern, count=1000):
                    yield one

    async def _shared(self, whose: ErasureScope, erased: Erased) -> None:
        """Keys of many sessions: a slot's sets lose theirs, and those that have records a bot that goes."""
        if whose.bot is not None:
            with guard():
                await cast("Any", self._redis).zrem(keys.RECORDED, whose.bot)
        names = [str(session) for session in erased.sessions]
        for kind in keys.KINDS:
            if kind.type == "zset" and kind.pattern.startswith("cohort:slot:") and names:
                async for name in self._scan(kind.pattern):
                    with guard():
                        await self._redis.zrem(name, *names)

    async def _by_name(self, whose: ErasureScope, erased: Erased) -> None:
        """What is left and is named after the session or the person: send budgets, counts of reminders."""
        async for name in self._scan("cohort:*"):
            if whose.is_named_in(name):
                with guard():
                    erased.counts["further keys"] += int(await self._redis.unlink(name))

    async def _list(self, name: str) -> list[bytes]:
        with suppress(exceptions.ResponseError), guard():
            return await cast("Any", self._redis).lrange(name, 0, -1)
        return []

    async def _scan(self, pattern: str) -> AsyncGenerator[str]:
        """Names, each once: what happens to one must not happen to it again."""
        seen: set[str] = set()
        with guard():
            async for raw in self._redis.scan_iter(match=pattern, count=1000):
                name = text(raw)
                if name not in seen:
                    seen.add(name)
                    yield name
