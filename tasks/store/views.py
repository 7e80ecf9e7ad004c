"""How sessions stand, read from outside: nothing is claimed, and one that is damaged hides no other."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from tasks import keys
from tasks.chat_choices import CHAT_CHOICES
from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew, StateDamaged
from tasks.session import SessionKey
from tasks.store.redis import guard, mend, text
from tasks.store.state import StateField

_OLDEST_LOOKED_AT = 4
"""Of a slot's sessions: the oldest may be at work, and then the next one is what waits."""

_DIGITS = 17
"""A counter of more digits is damaged."""

log = logging.getLogger("cohort.store")


@dataclass(frozen=True, slots=True)
class Glance:
    """A look from outside, for /status: nothing is claimed."""

    waiting: int
    """Unanswered messages."""
    oldest: float | None
    """When the first of them was accepted, seconds since the epoch."""
    running_on: str | None
    """The incarnation that owns the session now."""
    agent: str | None
    model: str | None
    usage_in: int
    usage_out: int
    choices: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the session chose of ``tasks.chat_choices``."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """A slot with unanswered messages."""

    slot: int
    sessions: int
    """How many of its sessions have some."""
    since: float
    """When the oldest work in it was accepted, seconds since the epoch."""
    untaken_since: float | None
    """The same of the oldest session that no worker has taken, among the four oldest; None when all are taken."""


class SessionViews:
    """Verbs that only look."""

    def __init__(self, redis: Redis, slots: int) -> None:
        self._redis = redis
        self._slots = slots

    async def pending(self, slots: Sequence[int], limit: int) -> list[list[SessionKey]]:
        """For each slot up to ``limit`` sessions that have work, the longest waiting first; one round trip."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in slots:
                    pipe.zrange(keys.pending(slot), 0, limit - 1)
                found: list[Any] = await pipe.execute(raise_on_error=False) if slots else []
        pairs: list[tuple[int, list[bytes]]] = []
        for slot, names in zip(slots, found, strict=True):
            if isinstance(names, Exception):
                await self._mended(keys.pending(slot), names)
            pairs.append((slot, [] if isinstance(names, Exception) else names))
        return [[session for name in names if (session := await self._session(slot, name))] for slot, names in pairs]

    async def _session(self, slot: int, name: bytes) -> SessionKey | None:
        """A pending session. What names none is taken away: it would be found at each sweep, for ever."""
        try:
            return SessionKey.parse(text(name))
        except ValueError:
            log.error("session.unreadable", extra={"slot": slot})  # noqa: TRY400 - what it was is not ours to log
            with guard():
                await self._redis.zrem(keys.pending(slot), name)
            return None

    async def glance(self, session: SessionKey) -> Glance:
        """How a session stands, read without claiming it."""
        fields = (
            StateField.owner,
            StateField.agent,
            StateField.model,
            StateField.input_tokens,
            StateField.output_tokens,
            *CHAT_CHOICES,
        )
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.llen(keys.inbox(session))
                pipe.lindex(keys.inbox(session), 0)
                pipe.hmget(keys.state(session), *fields)
                waiting, head, (owner, agent, model, used_in, used_out, *chosen) = await pipe.execute()
        oldest = None
        with suppress(EnvelopeInvalid, EnvelopeTooNew):
            # What cannot be read is the worker's to bury.
            oldest = Inbound.from_json(head).at if head else None
        owner, agent, model = (text(value) if value else None for value in (owner, agent, model))
        choices = {name: text(value) for name, value in zip(CHAT_CHOICES, chosen, strict=True) if value}
        return Glance(waiting, oldest, owner, agent, model, _count(used_in), _count(used_out), choices)

    async def backlogs(self, slots: int) -> list[Backlog]:
        """The slots that have work, in two round trips."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in range(slots):
                    pipe.zcard(keys.pending(slot))
                    pipe.zrange(keys.pending(slot), 0, _OLDEST_LOOKED_AT - 1, withscores=True)
                told: list[Any] = await pipe.execute()
        pairs = enumerate(zip(told[::2], told[1::2], strict=True))
        found = [(slot, int(count), oldest) for slot, (count, oldest) in pairs if count and oldest]
        taken = await self._taken([name for _, _, oldest in found for name, _ in oldest])
        return [
            Backlog(
                slot, count, float(oldest[0][1]), min((at for name, at in oldest if name not in taken), default=None)
            )
            for slot, count, oldest in found
        ]

    async def _taken(self, names: Sequence[bytes]) -> set[bytes]:
        """Those of these sessions that a worker owns."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hexists(keys.state(text(name)), StateField.owner)
                owned: list[Any] = await pipe.execute() if names else []
        return {name for name, yes in zip(names, owned, strict=True) if yes}

    async def usage(self, names: Sequence[str]) -> list[int]:
        """Tokens (in + out) counted under each of ``keys.usage`` names."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hmget(name, "input_tokens", "output_tokens")
                rows = await pipe.execute() if names else []
        return [_count(used_in) + _count(used_out) for used_in, used_out in rows]

    async def _mended(self, key: str, problem: Exception) -> None:
        with suppress(StateDamaged), guard():
            raise problem
        await mend(self._redis, [key])


def _count(value: bytes | None) -> int:
    """A counter; 0 for a damaged one."""
    return int(value) if value and value.isdigit() and len(value) < _DIGITS else 0
