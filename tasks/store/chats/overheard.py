"""What a group says that is not for the agent, kept for a message that takes it along: context, and parts of albums."""

from hashlib import blake2s
from typing import Any, cast

from pydantic import ValidationError
from redis.asyncio import Redis

from tasks import keys
from tasks.envelope import Inbound, OverheardMessage
from tasks.session import SessionKey
from tasks.store.connection.erasure_scope import inbounds
from tasks.store.connection.redis import Script, guard
from tasks.text import is_unsigned

KEPT_S = 24 * 3600
"""Words of a group that is silent for so long are context no more."""
BROUGHT_S = 600
"""For so long an update that was not confirmed finds what it takes along."""
ALBUM_S = 60
PARTS = 10
"""Parts of an album (Bot API, sendMediaGroup)."""


class OverheardStore:
    """Verbs for all processes of a bot: with a webhook each of them hears a part of what a group says.

    Each may be said twice.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._hear = Script(redis, "overhear")
        self._bring = Script(redis, "bring")
        self._moved = Script(redis, "overheard_moved")
        self._album = Script(redis, "album")

    async def hear(self, inbound: Inbound, said: str, *, most: int) -> bool:
        """Keep ``said`` of a message, the last ``most`` of its session; its edit takes its place.

        Raises:
            StoreUnavailable: Redis is away.
        """
        key = inbound.key
        named = [keys.overheard(key), keys.seen(key.bot)]
        edited = "1" if inbound.edited else ""
        return bool(await self._hear(named, [inbound.update_id, inbound.message_id or 0, said, edited, most, KEPT_S]))

    async def bring(self, inbound: Inbound) -> list[tuple[int, str]]:
        """What was said before a message to the agent, oldest first, each with its message's id; it is kept no longer.

        Raises:
            StoreUnavailable: Redis is away.
        """
        key = inbound.key
        found: list[bytes] = await self._bring([keys.overheard(key), keys.brought(key, inbound.update_id)], [BROUGHT_S])
        pairs = [one.decode(errors="replace").partition(" ") for one in found]
        # What something else has written there is no context, and holds up no message.
        return [(int(number), said) for number, _, said in pairs if is_unsigned(number)]

    async def move(self, old: SessionKey, new: SessionKey, *, most: int) -> int:
        """A group became a supergroup: what it said comes before what was said there; returns how many messages.

        Raises:
            StoreUnavailable: Redis is away.
        """
        return int(await self._moved([keys.overheard(old), keys.overheard(new)], [most, KEPT_S]))

    async def part(self, inbound: Inbound) -> bool:
        """Keep a part that does not name the bot, for one that will; whether one has.

        Raises:
            StoreUnavailable: Redis is away.
        """
        attended, *_ = await self._of_album(inbound, inbound.to_json())
        return bool(attended)

    async def parts_before(self, inbound: Inbound) -> list[bytes]:
        """A part names the bot: those that came before it, as they were kept.

        Raises:
            StoreUnavailable: Redis is away.
        """
        _, *parts = await self._of_album(inbound, "")
        return parts

    async def forget(self, person: int) -> int:
        """Erase a person's words from what all bots have heard; gives how many messages."""
        redis, gone = cast("Any", self._redis), 0
        with guard():
            for pattern in (keys.OVERHEARD, keys.BROUGHT):
                async for name in self._redis.scan_iter(match=pattern, count=1000):
                    for raw in await redis.lrange(name, 0, -1):
                        gone += int(await redis.lrem(name, 0, raw)) if _wrote(person, raw) else 0
            async for name in self._redis.scan_iter(match=keys.ALBUM, count=1000):
                for update, raw in (await redis.hgetall(name)).items():
                    theirs = any(part.person == person for part in inbounds([raw]))
                    gone += int(await redis.hdel(name, update)) if theirs else 0
        return gone

    async def _of_album(self, inbound: Inbound, part: str) -> list[Any]:
        album = blake2s((inbound.album or "").encode(errors="replace"), digest_size=8).hexdigest()
        return await self._album([keys.album(inbound.key, album)], [inbound.update_id, part, PARTS, ALBUM_S])


def _wrote(person: int, raw: bytes) -> bool:
    """Whether a message that is kept is a person's, or cannot be read."""
    try:
        said = OverheardMessage.model_validate_json(raw.partition(b" ")[2])
    except ValidationError:
        return True
    return said.sender is not None and said.sender.id == person
