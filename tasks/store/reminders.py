"""Messages that a session sends to itself later."""

from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew, Terminal
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.redis import Script, guard

MOST = 10_000
"""Reminders waiting in all; one more is refused."""

LONGEST_S = 366 * 86_400
"""A year; what is further off is refused."""


class ReminderStore:
    """A sorted set by due time. Not Celery's ETA: on Redis such a task is delivered anew every visibility timeout."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._remind = Script(redis, "remind")

    async def add(self, session: SessionKey, text: str, seconds: float) -> float:
        """Have ``text`` come back to ``session`` as a turn of its own.

        Args:
            session: Whose reminder it is.
            text: What to be reminded of.
            seconds: From now.

        Returns:
            When it is due, seconds since the epoch.

        Raises:
            Terminal: too far off, in the past, or too many are waiting.
            StoreUnavailable: it was perhaps not kept.
        """
        if not 0 < seconds <= LONGEST_S:
            raise Terminal("a reminder must be due within the next 366 days")
        now = self._clock.now()
        with guard():
            # Negative, so that none is taken for one of Telegram's update ids.
            number = -int(await self._redis.incr(keys.REMINDER_NUMBER))
            reminder = Inbound(session=str(session), update_id=number, at=now + seconds, kind="reminder", text=text)
            if int(await self._redis.zcard(keys.REMINDERS)) >= MOST:
                raise Terminal("too many reminders are waiting; try again when some have come")
            await self._redis.zadd(keys.REMINDERS, {reminder.to_json(): now + seconds})
        return now + seconds

    async def fire(self, limit: int = 100) -> int:
        """Move what is due into its inboxes, where the slots' owners find it; returns how many."""
        now = self._clock.now()
        with guard():
            due: list[bytes] = await cast("Any", self._redis).zrangebyscore(
                keys.REMINDERS, "-inf", now, start=0, num=limit
            )
        moved = 0
        for raw in due:
            try:
                session = Inbound.from_json(raw).session
            except EnvelopeTooNew:
                continue
            except EnvelopeInvalid:
                with guard():
                    await self._redis.zrem(keys.REMINDERS, raw)
                continue
            names = [keys.REMINDERS, keys.inbox(session), keys.pending(slot_of(session, self._slots))]
            moved += int(await self._remind(names, [raw, session, now]))
        return moved
