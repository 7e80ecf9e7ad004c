"""Business accounts that the bot is connected to: which take no answers, and what their customers take back."""

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.errors import StateDamaged
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.connection.erasure_scope import inbounds, listed
from tasks.store.connection.redis import Script, guard, text
from tasks.store.state import StateField, shown_in

MOST = 1000
"""Connections of one bot that are known to take no answers."""
_TRIES = 20
"""Readings of a session that its turns may overtake."""
_LISTS = (StateField.retry_batch, StateField.unanswered)


class WithdrawnMessages(NamedTuple):
    """What went out of a session."""

    entries: int = 0
    shown: tuple[int, ...] = ()
    """The messages in which a turn has shown words whose questions are all gone; no turn knows them any more."""


class BusinessStore:
    """Verbs; each may be said twice."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._strike = Script(redis, "strike")

    async def close(self, bot: int, connection: str) -> None:
        """A connection takes no answers."""
        name = keys.business(bot)
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(name, {connection: self._clock.now()})
                pipe.zremrangebyrank(name, 0, -MOST - 1)
                await pipe.execute()

    async def open(self, bot: int, connection: str) -> None:
        """It takes answers."""
        with guard():
            await self._redis.zrem(keys.business(bot), connection)

    async def is_closed(self, bot: int, connection: str) -> bool:
        """Whether it takes none."""
        with suppress(StateDamaged), guard():
            return await self._redis.zscore(keys.business(bot), connection) is not None
        return False

    async def at_work(self, bot: int, connection: str) -> list[SessionKey]:
        """The connection's sessions that have something to do."""
        with guard():
            async with cast("Any", self._redis).pipeline(transaction=False) as pipe:
                for slot in range(self._slots):
                    pipe.zrange(keys.pending(slot), 0, -1)
                    pipe.zrange(keys.parked(slot), 0, -1)
                rows: list[list[bytes]] = await pipe.execute()
        found: set[SessionKey] = set()
        for name in (one for row in rows for one in row):
            with suppress(ValueError):
                session = SessionKey.parse(text(name))
                found |= {session} if (session.bot, session.business) == (bot, connection) else set()
        return sorted(found, key=str)

    async def withdraw(self, session: SessionKey, numbers: Collection[int] | None = None) -> WithdrawnMessages:
        """Forget what a session has not answered; a turn that runs writes nothing, and is begun again without it.

        Args:
            session: The session.
            numbers: The messages; None: all.

        Returns:
            What went.
        """
        slot, names = slot_of(session, self._slots), [keys.state(session), keys.inbox(session), keys.journal(session)]
        for _ in range(_TRIES):
            with guard():
                lists = await cast("Any", self._redis).hmget(keys.state(session), *_LISTS)
                waiting: list[bytes] = await cast("Any", self._redis).lrange(keys.inbox(session), 0, -1)
            gone, args = _meant(waiting, numbers), list[str | bytes | float](["", ""])
            for one in lists:
                went = _meant(listed(one), numbers)
                args += (
                    [one, json.dumps([raw.decode() for raw in listed(one) if raw not in went])] if went else ["", ""]
                )
            entries = [part for raw in gone for part in (raw, b"")]
            args += ["", "", str(session), self._clock.now(), 0, *entries]
            went, _, live, more = await self._strike([*names, keys.pending(slot), keys.parked(slot)], args)
            if went >= 0:
                return WithdrawnMessages(went, shown_in(live, more))
        return WithdrawnMessages()


def _meant(raws: Sequence[bytes], numbers: Collection[int] | None) -> list[bytes]:
    """Those that hold these messages, or edits of them."""
    if numbers is None:
        return list(raws)
    return [
        raw
        for raw in raws
        for inbound in inbounds([raw])
        if inbound.message_id in numbers and not inbound.pressed and inbound.kind != "moved"
    ]
