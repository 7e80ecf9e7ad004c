"""What an agent was asked to remember in a session."""

from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.errors import Terminal
from tasks.session import SessionKey
from tasks.store.connection.redis import guard, text

MOST = 200
"""Notes a session may have."""

LONGEST = 2000
"""Characters of a note."""


class NoteStore:
    """A hash of its own for each session: topic -> note."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def remember(self, session: SessionKey, topic: str, note: str) -> None:
        """Keep ``note`` under ``topic``; an empty note forgets the topic.

        Raises:
            Terminal: too long, or too many.
            StoreUnavailable: it was perhaps not kept.
        """
        if len(topic) > LONGEST or len(note) > LONGEST:
            raise Terminal(f"a note may have {LONGEST} characters")
        name = keys.notes(session)
        redis = cast("Any", self._redis)
        with guard():
            if not note:
                await redis.hdel(name, topic)
                return
            if await redis.hlen(name) >= MOST and not await redis.hexists(name, topic):
                raise Terminal(f"a conversation may keep {MOST} notes; forget some first")
            await redis.hset(name, topic, note)

    async def recall(self, session: SessionKey) -> dict[str, str]:
        """All notes of the session: topic -> note."""
        with guard():
            found = await cast("Any", self._redis).hgetall(keys.notes(session))
        return {text(topic): text(note) for topic, note in found.items()}
