"""Alerts to operators, each raised once an hour however many chats run into it."""

from datetime import timedelta
from hashlib import blake2s

from redis.asyncio import Redis

from tasks import keys
from tasks.store.connection.redis import guard

QUIET_FOR = timedelta(hours=1)
_TOLD = b"told"


class AlertStore:
    """Remembers which alerts were raised."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def first(self, name: str) -> bool:
        """Whether ``name`` was not raised within the last hour; the caller then raises it."""
        with guard():
            return bool(await self._redis.set(keys.alert(name), "1", nx=True, ex=QUIET_FOR))

    async def first_of(self, bot: int, cause: str, detail: str) -> bool:
        """Whether neither this bot has raised the cause within the last hour, nor any bot the same words.

        So what all bots share is told once, and what one bot has hides nothing of another.
        """
        mine, same = _of(bot, cause, detail)
        with guard():
            if await self._redis.exists(keys.alert(mine)):
                return False
        return await self.first(same) and await self.first(mine)

    async def note_told(self, bot: int | None, cause: str, detail: str) -> None:
        """Remember that an operator reads what was raised."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in _of(bot, cause, detail):
                    pipe.set(keys.alert(name), _TOLD, xx=True, keepttl=True)
                await pipe.execute()

    async def was_told(self, bot: int | None, cause: str, detail: str) -> bool:
        """Whether an operator reads what was raised before, in place of this."""
        with guard():
            return _TOLD in await self._redis.mget([keys.alert(name) for name in _of(bot, cause, detail)])


def _of(bot: int | None, cause: str, detail: str) -> tuple[str, ...]:
    """The names of an alert: of what this bot has, and of the same words by any."""
    if bot is None:
        return (cause,)
    return f"bot:{bot}:{cause}", f"{cause}:{blake2s(detail.encode(), digest_size=8).hexdigest()}"
