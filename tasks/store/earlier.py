"""A session's earlier conversations: one hash with an index and, under each number, a history."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.conversations import Conversation, Current, read_current, read_index, written
from tasks.envelope import Media
from tasks.errors import ClaimLost, Retryable
from tasks.session import SessionKey
from tasks.store.connection.redis import Script, guard, text
from tasks.store.sessions import Claim
from tasks.store.state import StateField

INDEX = "index"
"""The field of the index; those of histories are numbers."""


class StillWritten(Retryable):
    """A session is written again and again while it is read; try again."""


@dataclass(frozen=True, slots=True)
class Struck:
    """A history without one person's messages."""

    history: bytes
    messages: int
    media: Sequence[Media]


type Strike = Callable[[bytes | None], Struck | None]
"""Takes a person's messages out of a stored history; None when there are none."""


class EarlierStore:
    """Verbs on earlier conversations. A session's owner changes them by its commits alone."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._set_aside = Script(redis, "set_aside")
        self._strike = Script(redis, "strike_earlier")

    async def look(self, session: SessionKey) -> tuple[Current, tuple[Conversation, ...]]:
        """The conversation that goes on, and the earlier ones, the last one first."""
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hget(keys.state(session), StateField.conversation)
                pipe.hget(keys.earlier(session), INDEX)
                current, index = await pipe.execute()
        kept = read_index(index)
        return read_current(current, kept), kept

    async def history(self, session: SessionKey, number: int) -> bytes | None:
        """One earlier conversation's history; None when it is not kept."""
        with guard():
            return await self._redis.hget(keys.earlier(session), str(number)) or None

    async def whole(self, session: SessionKey) -> dict[str, bytes]:
        """The index and all histories, as they are at one moment."""
        with guard():
            found: dict[bytes, bytes] = await self._redis.hgetall(keys.earlier(session))
        return {text(name): value for name, value in found.items()}

    async def media(self, session: SessionKey, named_by: Callable[[bytes | None], Iterable[Media]]) -> list[Media]:
        """The files that the histories name."""
        kept = await self.whole(session)
        return [one for name, history in kept.items() if name != INDEX for one in named_by(history)]

    async def set_aside(
        self,
        claim: Claim,
        number: int,
        index: Sequence[Conversation],
        gone: Sequence[int] = (),
        *,
        after: str | None = None,
    ) -> None:
        """Keep the history that stands in the session's state under ``number``, and remove what is ``gone``.

        ``after``: the id of the last commit ("" when there was none); behind another one it comes late, and is void.

        Raises:
            ClaimLost: nothing was written.
        """
        session = claim.session
        args = [claim.owner, claim.epoch, "*" if after is None else after, INDEX, written(index), number, *gone]
        if not await self._set_aside([keys.state(session), keys.earlier(session)], args):
            raise ClaimLost

    async def expire(self, session: SessionKey, raw: bytes | None, before: float) -> None:
        """Remove what was set aside at or before that time; ``raw`` is the index as read."""
        index = read_index(raw)
        stays = [one for one in index if one.at > before]
        if len(stays) < len(index):
            gone = [one.number for one in index if one.at <= before]
            await self._write(session, raw or b"", stays, {str(number): b"" for number in gone})

    async def strike(self, session: SessionKey, person: int | None, strike: Strike, media: list[Media]) -> int | None:
        """Take a person's messages and titles out of all histories, and add their files to ``media``.

        Returns:
            How many messages went; None when the conversations were changed meanwhile.
        """
        kept = await self.whole(session)
        index = read_index(kept.get(INDEX))
        struck = {name: found for name, value in kept.items() if name != INDEX and (found := strike(value))}
        renamed = [one.model_copy(update={"title": "", "by": None}) if one.by == person else one for one in index]
        fields = {name: found.history for name, found in struck.items()}
        if not await self._write(session, kept.get(INDEX, b""), renamed, fields):
            return None
        media += [one for found in struck.values() for one in found.media]
        return sum(found.messages for found in struck.values())

    async def _write(
        self, session: SessionKey, read: bytes, index: Sequence[Conversation], fields: dict[str, bytes]
    ) -> bool:
        changes = [part for name, value in fields.items() for part in (name, value)]
        return bool(await self._strike([keys.earlier(session)], [INDEX, read, written(index), *changes]))


def untitled(raw: bytes | None, person: int | None) -> tuple[str, str] | None:
    """The field of the current conversation without a title that is a person's words; None where it has none."""
    with suppress(ValueError):
        current = read_current(raw)
        if raw and person is not None and current.by == person:
            return text(raw), current.model_copy(update={"title": "", "by": None}).model_dump_json(
                exclude_defaults=True
            )
    return None
