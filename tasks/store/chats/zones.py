"""The time zones of people, by bot: told once, used for every reminder after."""

from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.reminders.timezones import find_zone
from tasks.store.connection.redis import guard, text


class ZoneStore:
    """Verbs on one hash for each bot, person -> IANA name; each may be said twice."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def look(self, bot: int, person: int) -> str | None:
        """A person's zone; None where it was not told."""
        with guard():
            stored = await cast("Any", self._redis).hget(keys.zones(bot), str(person))
        return find_zone(text(stored)) if stored is not None else None

    async def keep(self, bot: int, person: int, zone: str) -> None:
        """Keep a name that ``find_zone`` gave."""
        with guard():
            await cast("Any", self._redis).hset(keys.zones(bot), str(person), zone)

    async def drop(self, bot: int, person: int) -> bool:
        """Forget a person's zone; returns whether there was one."""
        with guard():
            return bool(await cast("Any", self._redis).hdel(keys.zones(bot), str(person)))

    async def forget(self, person: int) -> int:
        """Erase a person's zone from all bots; gives how many."""
        with guard():
            names = [text(name) async for name in self._redis.scan_iter(match=keys.zones("*"), count=1000)]
        bots = [bot for name in names if (bot := keys.bot_in(name)) is not None]
        return sum([await self.drop(bot, person) for bot in bots])
