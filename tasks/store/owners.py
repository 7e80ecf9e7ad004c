"""Taking a session from an owner that is dead or stands still, before its heartbeat runs out."""

from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.session import SessionKey
from tasks.store.connection.redis import Script, guard, text
from tasks.store.membership import LOOK, TAKEN
from tasks.store.state import StateField

_ENDED = -2
"""Redis says so of a key that is not there."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a session, and until when its last heartbeat lets it."""

    incarnation: str
    epoch: bytes
    ends: int
    """Milliseconds since 1970, by the clock of Redis: it changes with each heartbeat."""

    @property
    def is_gone(self) -> bool:
        """Its heartbeat has run out, or its supervisor saw it die."""
        return self.ends == _ENDED


class Owners:
    """The owners of sessions, as other workers see them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._evict = Script(redis, "evict")

    async def of(self, session: SessionKey) -> Owner | None:
        """Who owns a session; None when no worker does."""
        with guard():
            redis = cast("Any", self._redis)
            owner, epoch = await redis.hmget(keys.state(session), StateField.owner, StateField.epoch)
            if owner is None or epoch is None:
                return None
            return Owner(text(owner), epoch, await redis.pexpiretime(keys.worker(text(owner))))

    async def ask(self) -> None:
        """Have every living worker renew its heartbeat now."""
        with guard():
            await self._redis.publish(keys.NEWS, LOOK)

    async def evict(self, session: SessionKey, owner: Owner) -> bool:
        """Let go of ``session`` in place of an owner that has not renewed its heartbeat since ``owner`` was read.

        An owner that only stood still hears of it, and ends its turn; until then its writes are refused.
        """
        names = [keys.state(session), keys.outbox(session), keys.worker(owner.incarnation)]
        if not await self._evict(names, [owner.incarnation, owner.epoch, owner.ends]):
            return False
        with guard():
            await self._redis.publish(keys.NEWS, f"{TAKEN}{session}")
        return True
