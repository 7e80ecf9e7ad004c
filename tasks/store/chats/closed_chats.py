"""Chats that take no messages of a bot: the newest, for a while."""

from collections.abc import Sequence
from datetime import timedelta
from math import isfinite
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.closed import REASONS, ClosedChat, Why
from tasks.clock import Clock
from tasks.store.connection.redis import guard, text
from tasks.text import is_digits

KEPT = timedelta(days=30)
MOST = 1000
"""Chats of one bot."""


class ClosedChatStore:
    """Verbs on one sorted set for each bot, ``chat why`` by time; each may be said twice."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    async def close(self, bot: int, chat: int, why: Why) -> None:
        """A chat takes no messages."""
        name, now = keys.closed_chats(bot), self._clock.now()
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrem(name, *_members(chat))
                pipe.zadd(name, {f"{chat} {why}": now})
                pipe.zremrangebyscore(name, 0, now - KEPT.total_seconds())
                pipe.zremrangebyrank(name, 0, -MOST - 1)
                pipe.expire(name, KEPT)
                await pipe.execute()

    async def open(self, bot: int, chat: int, *, only: Why | None = None) -> bool:
        """A chat takes messages; returns whether it took none before. ``only``: if it was closed for that."""
        with guard():
            return bool(await self._redis.zrem(keys.closed_chats(bot), *_members(chat, only)))

    async def why(self, bot: int, chat: int) -> Why | None:
        """Why a chat takes no messages; None where it takes them."""
        with guard():
            found = await cast("Any", self._redis).zmscore(keys.closed_chats(bot), _members(chat))
        return next((reason for reason, at in zip(REASONS, found, strict=True) if at is not None), None)

    async def look(self, of: int | None = None) -> Sequence[ClosedChat]:
        """Those of all bots, or of one, the newest first; what is no such chat (a damaged key) is passed over."""
        found: list[ClosedChat] = []
        with guard():
            async for name in self._redis.scan_iter(match=keys.closed_chats("*" if of is None else of), count=1000):
                if (bot := keys.bot_in(text(name))) is None:
                    continue
                rows: list[Any] = await cast("Any", self._redis).zrange(name, 0, -1, withscores=True)
                for member, at in rows:
                    chat, _, reason = text(member).partition(" ")
                    if is_digits(chat.removeprefix("-")) and isfinite(at):
                        found += [ClosedChat(bot, int(chat), one, float(at)) for one in REASONS if one == reason]
        return sorted(found, key=lambda one: -one.at)

    async def forget(self, people: set[int], bot: int | None = None) -> int:
        """Erase people's chats from the sets of all bots, or from that of one; gives how many."""
        theirs = [one for one in await self.look() if one.chat in people and bot in {None, one.bot}]
        return sum([await self.open(one.bot, one.chat) for one in theirs])


def _members(chat: int, only: Why | None = None) -> list[str]:
    return [f"{chat} {why}" for why in REASONS if only in (None, why)]
