"""Taking a session from an owner that is dead or stands still, before its heartbeat runs out."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.asking import parked_in
from tasks.envelope import Inbound, Reply
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.session import SessionKey
from tasks.store.connection.redis import Script, guard, text
from tasks.store.processes.membership import LOOK, TAKEN
from tasks.store.state import StateField, shown_in

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
        self._stand_in = Script(redis, "stand_in")
        self._told_in = Script(redis, "told_in")

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

    async def ahead_of(self, session: SessionKey, word: Inbound) -> list[Inbound] | None:
        """What waits before a word in the inbox, without answers to a turn's questions; None: it is carried out."""
        with guard():
            redis = cast("Any", self._redis)
            place: int | None = await redis.lpos(keys.inbox(session), word.to_json())
            if place is None:
                return None
            raws: list[bytes] = await redis.lrange(keys.inbox(session), 0, place - 1) if place else []
            told = await redis.hmget(keys.state(session), StateField.parked, StateField.held) if raws else ()
        answered = {update for turn in map(parked_in, told) if turn is not None for update in turn.answered}
        entries: list[Inbound] = []
        for raw in raws:
            with suppress(EnvelopeInvalid, EnvelopeTooNew):
                entries.append(Inbound.from_json(raw))
        return [entry for entry in entries if entry.update_id not in answered]

    async def asks(self, session: SessionKey) -> bool:
        """Whether the session's turn waits for a person's answer, with no owner."""
        with guard():
            return bool(await cast("Any", self._redis).hexists(keys.state(session), StateField.parked))

    async def shown(self, session: SessionKey) -> tuple[int, ...]:
        """The messages that show the session's turn, or showed it when its worker died."""
        with guard():
            redis = cast("Any", self._redis)
            live, more = await redis.hmget(keys.state(session), StateField.live, StateField.live_more)
        return shown_in(live or b"", more or b"")

    async def stand_in(self, session: SessionKey, owner: Owner | None, word: Inbound, line: Reply) -> bool:
        """Tell a person that their word holds, in place of an owner that has not renewed its heartbeat since ``owner``
        was read, or that is none; its next owner does what is left to do.

        Returns:
            Whether the line is to be sent; otherwise a worker carries the word out.
        """
        who = owner or Owner("", b"", _ENDED)
        names = [keys.state(session), keys.inbox(session), keys.outbox(session), keys.worker(who.incarnation)]
        marked = word.model_copy(update={"told": True})
        given = [who.incarnation, who.epoch, who.ends, word.to_json(), marked.to_json(), line.to_json()]
        told = bool(await self._stand_in([*names, keys.replies(session.bot)], given))
        if told and owner is not None:
            with guard():
                await self._redis.publish(keys.NEWS, f"{TAKEN}{session}")
        return told

    async def told_in(self, session: SessionKey, message_id: int) -> None:
        """The line of ``stand_in`` is this message. The words of a draft that it ended come into it, above the line."""
        await self._told_in([keys.state(session), keys.inbox(session)], [message_id])
