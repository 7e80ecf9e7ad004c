"""Taking updates in, and the answers the bot gives itself."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.connection.redis import DEAD_KEPT, Script, guard
from tasks.store.records.recorded import RecordedBots

# Telegram keeps an update for 24 h, so within 48 h none comes again.
SEEN_FOR = timedelta(hours=48)

STRANGERS_KEPT = 100
STRANGERS_WAIT = timedelta(minutes=1)
"""Lines to strangers that may wait, and for how long: they must not stand before anything else."""
TOLD_AGAIN = timedelta(hours=1)
_TOLD_KEPT = 10_000
"""People and groups that are remembered as told; a flood of strangers must not fill the memory."""

_MOST_DOORBELLS = 1000
"""Doorbells that may wait in a slot's queue; sessions of more are left to the sweep."""

ROOM_FOR_CONTROL = 100
"""Control words that an inbox takes beyond its cap: a full one can still be stopped, and a flood of them ends."""

type IntakeResult = Literal["accepted", "seen", "full"]


@dataclass(frozen=True, slots=True)
class Doorbell:
    """A doorbell: a Celery message as its transport writes it, and the queue (a Redis list) that it goes to."""

    queue: str
    message: str


@dataclass(frozen=True, slots=True)
class Accept:
    """What one update brings: a message or control word, or a dead letter, or nothing, and a reply to give at once.

    With nothing it is only remembered as seen. What does not fit into a full inbox has no reply.
    """

    update_id: int
    inbound: Inbound | None = None
    reply: Reply | None = None
    dead: DeadLetter | None = None
    doorbell: Doorbell | None = None
    """Sent for a message or control word that is accepted."""

    def entry(self) -> tuple[str, str, str]:
        """(kind, session, payload), as accept.lua takes them."""
        if self.inbound is not None:
            kind = "message" if self.inbound.kind == "message" else "control"
            return kind, self.inbound.session, self.inbound.to_json()
        if self.dead is not None:
            return "dead", "", self.dead.to_json()
        return "none", "", ""


class IntakeStore:
    """The durable entrance: what it accepted will be answered."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int, inbox_cap: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._cap = inbox_cap
        self._recorded = RecordedBots(redis)
        self._accept = Script(redis, "accept")
        self._drop_head = Script(redis, "drop_head")

    async def accept(self, bot: int, batch: Sequence[Accept]) -> list[IntakeResult]:
        """Take a batch in, whole or not at all; a repeated update id changes nothing.

        Returns:
            For each item ``accepted``, ``seen`` (an update id taken before) or ``full`` (the session has too many
            waiting messages; the update counts as seen).

        Raises:
            StoreUnavailable: nothing may be confirmed; give the same batch again.
        """
        if not batch:
            return []
        seen = keys.seen(bot)
        names = [seen, keys.dead(bot), keys.replies(bot)]
        letters = any(item.dead is not None for item in batch)
        kept = await self._recorded.enter([bot], DEAD_KEPT) if letters else DEAD_KEPT
        now, memory = self._clock.now(), int(SEEN_FOR.total_seconds())
        args: list[str | int | float] = [now, memory, self._cap, kept, _MOST_DOORBELLS, ROOM_FOR_CONTROL]
        for item in batch:
            kind, session, payload = item.entry()
            # Items without a session get placeholders that the script does not touch.
            names += [keys.inbox(session), keys.pending(slot_of(session, self._slots))] if session else [seen, seen]
            names.append(item.doorbell.queue if item.doorbell else seen)
            args += [item.update_id, kind, session, payload, item.doorbell.message if item.doorbell else ""]
            args.append(item.reply.to_json() if item.reply is not None else "")
        verdicts = await self._accept(names, args)
        return cast("list[IntakeResult]", [verdict.decode() for verdict in verdicts])

    async def lines(self, bot: int, limit: int) -> tuple[list[tuple[bytes, Reply]], bool]:
        """The bot's own replies, and whether lines to strangers wait; one round trip.

        Replies come oldest first and stay in place, each with the bytes that ``replied`` wants. Unreadable ones are
        dropped: only this release's bot writes them.
        """
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.lrange(keys.replies(bot), 0, limit - 1)
                pipe.exists(keys.strangers(bot))
                raws, strangers = await pipe.execute(raise_on_error=False)
            for one in (raws, strangers):
                if isinstance(one, Exception):
                    raise one
        found: list[tuple[bytes, Reply]] = []
        for raw in raws:
            try:
                found.append((raw, Reply.from_json(raw)))
            except EnvelopeTooNew:
                break
            except EnvelopeInvalid:
                await self.replied(bot, raw)
        return found, bool(strangers)

    async def replied(self, bot: int, raw: bytes) -> None:
        """Telegram has taken (or will never take) the oldest reply."""
        await self._drop_head([keys.replies(bot)], [raw])

    async def push_replies(self, bot: int, replies: Sequence[Reply]) -> None:
        """Add replies that belong to no update."""
        if replies:
            with guard():
                await self._redis.rpush(keys.replies(bot), *[reply.to_json() for reply in replies])

    async def knows(self, session: SessionKey) -> bool:
        """Whether anything is kept of a session: its state, or a message that waits."""
        with guard():
            return bool(await self._redis.exists(keys.state(session), keys.inbox(session)))

    async def told(self, bot: int, ids: Sequence[int], now: float) -> Mapping[int, float]:
        """Those of the people and groups that heard within the hour, from any process, that they are not let in.

        Returns:
            For how many seconds each is not told again.
        """
        if not ids:
            return {}
        with guard():
            found = await cast("Any", self._redis).zmscore(keys.told(bot), [str(one) for one in ids])
        again = TOLD_AGAIN.total_seconds() - now
        left = {one: again + at for one, at in zip(ids, found, strict=True) if at is not None}
        return {one: seconds for one, seconds in left.items() if seconds > 0}

    async def push_strangers(self, bot: int, replies: Sequence[Reply], told: Mapping[int, float]) -> None:
        """Add lines to strangers; of more than ``STRANGERS_KEPT`` the oldest go. ``told``: who was, when."""
        if replies:
            name = keys.told(bot)
            with guard():
                async with self._redis.pipeline(transaction=True) as pipe:
                    if told:
                        pipe.zadd(name, {str(one): at for one, at in told.items()})
                        pipe.zremrangebyscore(name, 0, max(told.values()) - TOLD_AGAIN.total_seconds())
                        pipe.zremrangebyrank(name, 0, -_TOLD_KEPT - 1)
                        pipe.expire(name, TOLD_AGAIN)
                    pipe.rpush(keys.strangers(bot), *[reply.to_json() for reply in replies])
                    pipe.ltrim(keys.strangers(bot), -STRANGERS_KEPT, -1)
                    pipe.expire(keys.strangers(bot), STRANGERS_WAIT)
                    await pipe.execute()

    async def pop_stranger(self, bot: int) -> Reply | None:
        """The next line to a stranger, taken out; None when none waits that is not too old."""
        oldest = self._clock.now() - STRANGERS_WAIT.total_seconds()
        while True:
            with guard():
                raw: bytes | None = await cast("Any", self._redis).lpop(keys.strangers(bot))
            if raw is None:
                return None
            with suppress(EnvelopeInvalid, EnvelopeTooNew):
                reply = Reply.from_json(raw)
                if (reply.at or 0) >= oldest:
                    return reply
