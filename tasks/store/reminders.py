"""Messages that a session sends to itself later."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.envelope import Inbound, Repeats
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew, Terminal
from tasks.phrases import spoken
from tasks.reminders.due import firing, named
from tasks.reminders.recurrence import Rule, beginning
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.chats.closed_chats import ClosedChatStore
from tasks.store.chats.zones import ZoneStore
from tasks.store.connection.redis import Script, guard, text
from tasks.store.state import StateField

log = logging.getLogger("cohort.reminders")

MOST = 50_000
"""Reminders waiting in all, of all bots; one more is refused."""
A_SESSION, A_CHAT, A_BOT, A_PERSON = 50, 200, 10_000, 200
"""Of a session, a chat with all its topics, a bot, a person in all chats of a bot: one cannot fill what all share."""

LONGEST_S = 366 * 86_400
"""A year; what is further off is refused."""
SHORTEST_S = 60
"""From now, at least."""
SHORTEST_CHAINED_S = 600
"""The same of a reminder that another one sets."""
LONGEST_CHAIN = 10
"""Reminders that set one another without a word from a person between them."""
LONGEST_TEXT = 2000
"""Characters."""
MOST_TIMES = 400
"""How often a recurring reminder comes: a daily one for a year. A person who still wants it says so then."""
_REPEATING = 5
"""The envelope's version that knows ``repeats``."""

_FULL = ("", "in all", "in this conversation", "in this chat", "of this bot", "of yours")


type Admits = Callable[[Inbound], Awaitable[bool | None]]
"""Whether the person who set a reminder may still talk; None where this process does not know."""


class ReminderStore:
    """A sorted set by due time. Not Celery's ETA: on Redis such a task is delivered again every visibility timeout."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._schedule = Script(redis, "schedule")
        self._remind = Script(redis, "remind")
        self._cancel = Script(redis, "cancel")
        self._readdress = Script(redis, "readdress")
        self._closed = ClosedChatStore(redis, clock)
        self.zones = ZoneStore(redis)
        """In which time zone people mean their times."""

    def now(self) -> float:
        """The time that reminders count from, seconds since the epoch."""
        return self._clock.now()

    async def add(
        self, session: SessionKey, text: str, seconds: float, *, by: int | None = None, depth: int = 0
    ) -> float:
        """Have ``text`` come back to ``session`` as a turn of its own.

        Args:
            session: Whose reminder it is.
            text: What to be reminded of.
            seconds: From now.
            by: The person whose turn sets it.
            depth: How many reminders led to it since a person wrote last.

        Returns:
            When it is due, seconds since the epoch.

        Raises:
            Terminal: it may not be set; the message says why.
            StoreUnavailable: it was perhaps not kept.
        """
        if not 0 < seconds <= LONGEST_S:
            raise Terminal("a reminder must be due within the next 366 days")
        least = SHORTEST_CHAINED_S if depth else SHORTEST_S
        if seconds < least:
            raise Terminal(f"a reminder must be {least // 60} minutes away, at least")
        if depth > LONGEST_CHAIN:
            raise Terminal("reminders have set one another too often; a person has to ask for the next one")
        _check(text)
        now = self._clock.now()
        number = await self.number()
        reminder = Inbound(
            session=str(session),
            update_id=number,
            at=now + seconds,
            kind="reminder",
            text=text,
            set_by=by,
            depth=depth,
            language=spoken(),
        )
        await self._keep(reminder, now)
        return reminder.at

    async def repeat(  # noqa: PLR0913 - what is said of it, and by whom
        self, session: SessionKey, text: str, rule: str, at: str, zone: str, *, by: int | None = None, depth: int = 0
    ) -> Inbound:
        """Have ``text`` come back again and again.

        Args:
            session: Whose reminder it is.
            text: What to be reminded of.
            rule: When, as an RRULE of RFC 5545 (``tasks.reminders.recurrence``).
            at: The time of day, ``09:00``; "" where the rule names it.
            zone: The time zone that both are meant in.
            by: The person whose turn sets it.
            depth: As for ``add``.

        Returns:
            The first one.

        Raises:
            Terminal: it may not be set; the message says why.
            StoreUnavailable: it was perhaps not kept.
        """
        if depth:
            raise Terminal("a reminder may not set a recurring one; a person has to ask for it")
        _check(text)
        now, read = self._clock.now(), Rule.parse(rule)
        first = read.first(beginning(read, at, rule, zone, now), zone, now)
        if first is None:
            raise Terminal("by that rule it would never come")
        local, due = first
        number = await self.number()
        left = min(read.count or MOST_TIMES, MOST_TIMES)
        repeats = Repeats(rule=read.text(), zone=zone, local=local, left=left, series=number)
        about = {"session": str(session), "update_id": number, "kind": "reminder", "text": text, "set_by": by}
        about["language"] = spoken()
        reminder = Inbound.model_validate({**about, "v": _REPEATING, "at": due, "repeats": repeats})
        await self._keep(reminder, now)
        return reminder

    async def number(self) -> int:
        with guard():
            # Negative, so that it is never taken for one of Telegram's update ids.
            return -int(await self._redis.incr(keys.REMINDER_NUMBER))

    async def _keep(self, reminder: Inbound, now: float) -> None:
        places = counted_in(reminder)
        limits = (MOST, A_SESSION, A_CHAT, A_BOT, A_PERSON)[: len(places) + 1]
        full = await self._schedule([keys.REMINDERS, *places], [reminder.to_json(), reminder.at, now, *limits])
        if full:
            raise Terminal(f"too many reminders are waiting {_FULL[full]}; cancel some, or wait until some have come")

    async def fire(self, admits: Admits, limit: int = 100) -> int:
        """Move what is due into its inboxes, where the slots' owners find it; returns how many.

        ``admits``: whether the person who set it may still talk; otherwise it is dropped. None: it stays where it is.
        """
        now = self._clock.now()
        moved = left = 0
        while True:
            with guard():
                due: list[bytes] = await cast("Any", self._redis).zrangebyscore(
                    keys.REMINDERS, "-inf", now, start=left, num=limit
                )
            for raw in due:
                outcome = await self._fire(raw, admits, now)
                moved += outcome == "moved"
                # What a newer release wrote stays where it is, in the way of nothing.
                left += outcome == "left"
            if len(due) < limit:
                return moved

    async def _fire(self, raw: bytes, admits: Admits, now: float) -> str:
        try:
            reminder = Inbound.from_json(raw)
            session = str(reminder.key)
        except EnvelopeTooNew:
            return "left"
        except (EnvelopeInvalid, ValueError):
            log.error("reminder.unreadable")  # noqa: TRY400 - what it was is not ours to log
            await self._cancel([keys.REMINDERS], [raw])
            return "dropped"
        # First, as it costs no look into Redis for a bot that is not served here: those of one that was taken out stay,
        # and would hold up those of the others at each sweep.
        if (admitted := await admits(reminder)) is None:
            return "left"
        closed = await self._closed.why(reminder.key.bot, reminder.key.chat)
        if closed == "migrated":
            # It comes where its group is by now; a session that has not moved yet takes it along.
            if (new := await self._moved_to(reminder.key)) is not None:
                await self.move(reminder.key, new)
            return "left"
        fired = firing(reminder, now, await self.number()) if reminder.repeats else firing(reminder, now)
        following = fired.following if closed != "gone" else None
        # Of these Telegram tells when they are over. A group that muted the bot, or closed a topic, may have thought
        # better of it since, of which nothing is told.
        over = closed in ("blocked", "removed", "gone")
        if not admitted or (over and following is None):
            log.warning("reminder.refused", extra={"session": session})
            await self._cancel([keys.REMINDERS, *counted_in(reminder)], [raw])
            return "dropped"
        names = [keys.REMINDERS, keys.inbox(session), keys.pending(slot_of(session, self._slots))]
        args: list[str | bytes | float] = [raw, session, now]
        if fired.entry is not reminder:
            args += [fired.entry.to_json(), following.to_json() if following else "", following.at if following else 0]
        if over:
            args.append("over")
        done = await self._remind([*names, *counted_in(reminder)], args)
        if over:
            log.info("reminder.passed_over", extra={"session": session})
            return "passed over"
        return "moved" if done else "gone"

    async def waiting(self, session: SessionKey) -> list[Inbound]:
        """The session's reminders, the next one first; ``at`` is when each is due."""
        return [reminder for _, reminder in await self._waiting(session)]

    async def cancel(self, session: SessionKey, *, chained: bool = False, only: int | None = None) -> int:
        """Take the session's reminders back; returns how many.

        Args:
            session: Whose.
            chained: Those only that reminders have set.
            only: That one only (``named``).
        """
        found = [(raw, reminder) for raw, reminder in await self._waiting(session) if reminder.depth or not chained]
        found = [(raw, reminder) for raw, reminder in found if only is None or named(reminder) == only]
        done = 0
        for raw, reminder in found:
            done += int(await self._cancel([keys.REMINDERS, *counted_in(reminder)], [raw]))
        return done

    async def move(self, old: SessionKey, new: SessionKey) -> int:
        """A group became a supergroup, and its reminders come there; returns how many. It may be said twice."""
        done = 0
        for raw, reminder in await self._waiting(old):
            there = reminder.model_copy(update={"session": str(new)})
            names = [keys.REMINDERS, *counted_in(reminder), *counted_in(there)]
            done += int(await self._readdress(names, [raw, there.to_json()]))
        return done

    async def _moved_to(self, session: SessionKey) -> SessionKey | None:
        with guard():
            found = await cast("Any", self._redis).hget(keys.state(session), StateField.migrated_to)
        with suppress(ValueError):
            return SessionKey.parse(text(found)) if found is not None else None
        return None

    async def _waiting(self, session: SessionKey) -> Sequence[tuple[bytes, Inbound]]:
        with guard():
            raws: list[bytes] = await cast("Any", self._redis).zrange(keys.reminders(f"s:{session}"), 0, -1)
            async with self._redis.pipeline(transaction=False) as pipe:
                for raw in raws:
                    # An older release takes it out of this one only.
                    pipe.zscore(keys.REMINDERS, raw)
                still = await pipe.execute() if raws else []
        found: list[tuple[bytes, Inbound]] = []
        for raw, score in zip(raws, still, strict=True):
            try:
                reminder = Inbound.from_json(raw)
            except (EnvelopeInvalid, EnvelopeTooNew):
                continue
            if score is not None:
                found.append((raw, reminder))
        return found


def _check(text: str) -> None:
    if not text:
        raise Terminal("a reminder has to say what it is about")
    if len(text) > LONGEST_TEXT:
        raise Terminal(f"a reminder may have {LONGEST_TEXT} characters")


def counted_in(reminder: Inbound) -> list[str]:
    """The sets beside ``keys.REMINDERS`` that hold it."""
    key = reminder.key
    places = [f"s:{key}", f"chat:{key.bot}:{key.chat}", f"bot:{key.bot}"]
    if reminder.set_by is not None:
        places.append(f"user:{key.bot}:{reminder.set_by}")
    return [keys.reminders(place) for place in places]
