"""Thumbs at answers: which messages are answers, and what people think of them."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from math import isfinite
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.feedback import THUMBS, Opinion, marked
from tasks.clock import Clock
from tasks.errors import StateDamaged
from tasks.session import SessionKey
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.connection.redis import guard, text

KEPT = timedelta(days=180)
MOST = 10_000
"""Thumbs of one bot."""


class FeedbackStore:
    """Verbs; each may be said twice. The list of a chat's answers is written where they are delivered."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    async def answer(self, bot: int, chat: int, message_id: int) -> tuple[SessionKey, int] | None:
        """The session of a message, and the update that it answers; None when it is no answer that is known."""
        with guard():
            marks: list[bytes] = await cast("Any", self._redis).lrange(keys.answers(SessionKey(bot, chat)), 0, -1)
        return marked(bot, chat, message_id, [text(one) for one in marks])

    async def put(self, opinion: Opinion) -> None:
        """Keep what a person thinks of an answer, in place of what they thought before."""
        name = keys.feedback(opinion.session.bot)
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrem(name, *(opinion.written(thumb) for thumb in THUMBS.values()))
                pipe.zadd(name, {opinion.written(): self._clock.now()})
                pipe.zremrangebyscore(name, 0, self._clock.now() - KEPT.total_seconds())
                pipe.zremrangebyrank(name, 0, -MOST - 1)
                pipe.expire(name, KEPT)
                await pipe.execute()

    async def withdraw(self, opinion: Opinion) -> None:
        """A person thinks nothing of an answer any more."""
        with guard():
            await self._redis.zrem(
                keys.feedback(opinion.session.bot), *(opinion.written(thumb) for thumb in THUMBS.values())
            )

    async def since(self, at: float, bot: int | None = None) -> Sequence[Opinion]:
        """All thumbs since then, of all bots or of one, the newest first; a damaged key holds none.

        An answer may have several messages. Of one person's thumbs at them the newest counts; where it is taken back,
        the one before it counts again.
        """
        found: list[Opinion] = []
        with guard():
            async for name in self._redis.scan_iter(match=keys.feedback("*" if bot is None else bot), count=1000):
                with suppress(StateDamaged), guard():
                    rows: list[Any] = await self._redis.zrange(name, at, "+inf", byscore=True, withscores=True)
                    told = [(text(member), float(score)) for member, score in rows if isfinite(score)]
                    found += [one for member, score in told if (one := Opinion.read(member, score))]
        counted: dict[tuple[SessionKey, int, int], Opinion] = {}
        for one in sorted(found, key=lambda opinion: -opinion.at):
            counted.setdefault((one.session, one.update, one.person), one)
        return tuple(counted.values())

    async def forget(self, whose: ErasureScope) -> int:
        """Erase the thumbs of a person, and those at answers of what is erased; gives how many."""
        gone = 0
        with guard():
            async for name in self._redis.scan_iter(match=keys.feedback("*"), count=1000):
                members: list[bytes] = await cast("Any", self._redis).zrange(name, 0, -1)
                for member in members:
                    opinion = Opinion.read(text(member), 0.0)
                    if opinion is None or whose.is_session(opinion.session) or opinion.person == whose.user:
                        gone += int(await self._redis.zrem(name, member))
        return gone
