"""Broadcasts: one text to many chats, and which of them are still to get it."""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import Any, Literal, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.store.connection.redis import Script, guard

KEPT = timedelta(days=30)
"""So long a broadcast is known after its last step: within that time the same command does not send it again."""
LEASE = timedelta(seconds=30)
"""Of the process that sends: two would send to one chat twice. One that was killed is followed after this time."""
_AT_ONCE = 5_000

type BroadcastOutcome = Literal["sent", "blocked"]


@dataclass(frozen=True, slots=True)
class BroadcastProgress:
    """How far a broadcast is."""

    total: int
    left: int
    sent: int
    blocked: int
    """Chats that never take it: the bot was blocked or removed, or the chat is gone."""
    stopped: bool
    """An operator stopped it; the same command goes on."""


class BroadcastStore:
    """Verbs on the broadcasts of a deployment."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = cast("Any", redis)
        self._lease = Script(redis, "lease")

    async def lead(self, ident: str, holder: str) -> bool:
        """Take or renew the lease; False while another process sends this broadcast.

        Raises:
            StoreUnavailable: Redis is away.
        """
        ms = int(LEASE.total_seconds() * 1000)
        return bool(await self._lease([keys.broadcast_lease(ident)], [holder, ms]))

    async def leave(self, ident: str, holder: str) -> None:
        """Give the lease back."""
        await self._lease([keys.broadcast_lease(ident)], [holder, 0])

    async def begin(self, ident: str, chats: Sequence[int], bot: int) -> None:
        """Store which bot sends it, and whom it goes to.

        One that was cut off in the middle of this is begun again, and nothing was sent.
        """
        left, making = keys.broadcast_left(ident), f"{keys.broadcast_left(ident)}:new"
        with guard():
            await self._redis.delete(making)
            for some in batched(dict.fromkeys(chats), _AT_ONCE):
                await self._redis.rpush(making, *map(str, some))
                await self._redis.expire(making, KEPT)
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.rename(making, left)
                pipe.hset(keys.broadcast(ident), mapping={"total": len(dict.fromkeys(chats)), "bot": bot})
                pipe.expire(keys.broadcast(ident), KEPT)
                await pipe.execute()

    async def progress(self, ident: str) -> BroadcastProgress | None:
        """How far it is; None when it was never begun."""
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hgetall(keys.broadcast(ident))
                pipe.llen(keys.broadcast_left(ident))
                told, left = await pipe.execute()
        if b"total" not in told:
            return None
        total, blocked = int(told[b"total"]), int(told.get(b"blocked", 0))
        return BroadcastProgress(total, left, int(told.get(b"sent", 0)), blocked, stopped=b"stopped" in told)

    async def first(self, ident: str) -> int | None:
        """The next chat; None when none is left or an operator stopped it."""
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.lindex(keys.broadcast_left(ident), 0)
                pipe.hexists(keys.broadcast(ident), "stopped")
                chat, stopped = await pipe.execute()
        return None if chat is None or stopped else int(chat)

    async def told(self, ident: str, chat: int, how: BroadcastOutcome) -> None:
        """A chat has it, or never takes it. A process that dies before this sends it to that one chat again."""
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                # By its value: the same call may be sent twice.
                pipe.lrem(keys.broadcast_left(ident), 1, chat)
                pipe.hincrby(keys.broadcast(ident), how, 1)
                for name in (keys.broadcast(ident), keys.broadcast_left(ident)):
                    pipe.expire(name, KEPT)
                await pipe.execute()

    async def stop(self, bot: int | None = None) -> int:
        """Stop all that are under way, or those of one bot, wherever they are sent from; gives their number."""
        stopped = 0
        with guard():
            async for ident in self._under_way(bot):
                if await self._redis.hexists(keys.broadcast(ident), "total"):
                    stopped += int(await self._redis.hset(keys.broadcast(ident), "stopped", "1"))
        return stopped

    async def resume(self, ident: str) -> None:
        """It may go on."""
        with guard():
            await self._redis.hdel(keys.broadcast(ident), "stopped")

    async def forget(self, chats: Collection[int], bot: int | None = None) -> int:
        """Take chats out of all that are under way, or out of those of one bot; gives how often they stood there."""
        gone = 0
        with guard():
            async for ident in self._under_way(bot):
                for chat in chats:
                    gone += int(await self._redis.lrem(keys.broadcast_left(ident), 0, chat))
        return gone

    async def _under_way(self, bot: int | None) -> AsyncGenerator[str]:
        """All, or those of one bot. One that was begun before this release does not say whose it is."""
        async for name in self._redis.scan_iter(match=keys.broadcast_left("*"), count=1000):
            ident = name.decode().removeprefix(keys.broadcast_left(""))
            said = await self._redis.hget(keys.broadcast(ident), "bot") if bot is not None else None
            if said in {None, str(bot).encode()}:
                yield ident
