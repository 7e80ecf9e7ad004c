"""What people typed behind the bot's name in other chats (inline queries), for a press of the button below it."""

from hashlib import blake2s
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.store.connection.redis import guard, text

KEPT_S = 24 * 3600
"""Half as long as an update id is remembered, so that a message which was answered is known for as long."""
_MOST = 100
"""Questions of one person: of what is typed each pause brings one, and a message is sent soon after the last."""


class TypedQuestions:
    """Verbs on one list for each person, the newest first; each may be said twice."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, bot: int, person: int, question: str) -> str:
        """Keep a question; its name, which is the same for the same words."""
        key, name = keys.typed(bot, person), blake2s(question.encode(), digest_size=8).hexdigest()
        with guard():
            async with self._redis.pipeline(transaction=True) as steps:
                steps.lrem(key, 0, f"{name}{question}")
                steps.lpush(key, f"{name}{question}")
                steps.ltrim(key, 0, _MOST - 1)
                steps.expire(key, KEPT_S)
                await steps.execute()
        return name

    async def find(self, bot: int, person: int, name: str) -> str | None:
        """The question of this name; None where it is kept no longer."""
        with guard():
            found: list[bytes] = await cast("Any", self._redis).lrange(keys.typed(bot, person), 0, -1)
        return next((said.removeprefix(name) for said in map(text, found) if said.startswith(name)), None)

    async def forget(self, person: int) -> int:
        """Erase a person's questions to all bots; gives how many."""
        gone = 0
        with guard():
            async for name in self._redis.scan_iter(match=keys.typed("*", person), count=1000):
                gone += await cast("Any", self._redis).llen(name)
                await self._redis.delete(name)
        return gone
