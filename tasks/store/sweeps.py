"""What a sweep finds in slots: sessions with work, whether their doorbells were lost or not."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.errors import StateDamaged
from tasks.session import SessionKey
from tasks.store.connection.redis import guard, mend, text

_FROM_THE_FIRST: Mapping[int, int] = {}

_GROUP = 8
"""Slots that are asked for by one command."""

log = logging.getLogger("cohort.store")


@dataclass(frozen=True, slots=True)
class SlotWork:
    """What a sweep finds in a slot."""

    sessions: tuple[SessionKey, ...]
    """Those with work, the longest waiting first, then those whose parked turn is to be given up."""
    parked: int
    """How many turns of the slot wait for a person."""
    more: bool = False
    """There may be further sessions behind these."""


class SlotSweeps:
    """The verbs of sweeps."""

    def __init__(self, redis: Redis, slots: int) -> None:
        self._redis = redis
        self._slots = slots

    async def occupied(self, slots: Sequence[int]) -> tuple[int, ...]:
        """Those of the slots that have something to read: work, or turns that wait for a person.

        A slot is asked alone only where its group has something: eight commands for 64 slots of which none has.
        """
        groups = list(batched(slots, _GROUP))
        there = await self._exist(groups)
        alone = [(slot,) for group, holds in zip(groups, there, strict=True) if holds for slot in group]
        return tuple(slot for (slot,), holds in zip(alone, await self._exist(alone), strict=True) if holds)

    async def _exist(self, groups: Sequence[Sequence[int]]) -> list[int]:
        """For each group how many of its keys there are; one round trip."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for group in groups:
                    pipe.exists(*(name for slot in group for name in (keys.pending(slot), keys.parked(slot))))
                return await pipe.execute() if groups else []

    async def sweep(
        self, slots: Sequence[int], limit: int, now: float, passed: Mapping[int, int] = _FROM_THE_FIRST
    ) -> list[SlotWork]:
        """For each slot its sessions with work; one round trip.

        Args:
            slots: The slots.
            limit: Sessions of each kind.
            now: In seconds.
            passed: How many of a slot's first sessions are left out.
        """
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in slots:
                    first = passed.get(slot, 0)
                    pipe.zrange(keys.pending(slot), first, first + limit - 1)
                    pipe.zrange(keys.parked(slot), 0, int(now), byscore=True, offset=first, num=limit)
                    pipe.zcard(keys.parked(slot))
                found: list[Any] = await pipe.execute(raise_on_error=False) if slots else []
        work: list[SlotWork] = []
        for place, slot in enumerate(slots):
            waiting, due, parked = found[3 * place : 3 * place + 3]
            sessions = await self._sessions(keys.pending(slot), waiting)
            sessions += await self._sessions(keys.parked(slot), due)
            full = any(isinstance(names, list) and len(cast("Any", names)) == limit for names in (waiting, due))
            work.append(SlotWork(tuple(dict.fromkeys(sessions)), parked if isinstance(parked, int) else 0, full))
        return work

    async def _sessions(self, key: str, names: Any) -> list[SessionKey]:
        """The sessions that a set names. What names none is taken away: each sweep would find it, for ever."""
        if isinstance(names, Exception):
            await self._mended(key, names)
            return []
        sessions: list[SessionKey] = []
        for name in names:
            try:
                sessions.append(SessionKey.parse(text(name)))
            except ValueError:
                log.error("session.unreadable", extra={"key": key})  # noqa: TRY400 - what it was is not ours to log
                with guard():
                    await self._redis.zrem(key, name)
        return sessions

    async def _mended(self, key: str, problem: Exception) -> None:
        with suppress(StateDamaged), guard():
            raise problem
        await mend(self._redis, [key])
