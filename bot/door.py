"""The way of a batch, polled or pushed: understood, admitted, accepted in one atomic call, rung for, acknowledged."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol
from zlib import crc32

from bot import words
from bot.access import Access
from bot.ack import Acks
from bot.answers import Answers, say
from bot.intake import understand
from bot.interrupts import Interrupts
from bot.meaning import Heard, Me, Meaning, Moved, Nothing, Poison
from bot.recent import Recent
from tasks import metrics
from tasks.clock import Clock
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.store.intake import Accept, Bell, Verdict

log = logging.getLogger("cohort.bot")

_TELL_STRANGERS = timedelta(hours=1)
_TELL_FULL = timedelta(minutes=1)
_ALBUM_PARTS = timedelta(minutes=1)
_REMEMBERED = 10_000
"""Names in each of these memories; a flood of strangers must not fill ours."""

_CATCHING_UP = 100
"""A full batch: nobody watches for "typing" any more, and one doorbell a session stands for all its messages."""


class Intake(Protocol):
    """The store's durable door (``tasks.store.intake``)."""

    async def accept(self, bot: int, batch: Sequence[Accept]) -> list[Verdict]:
        """Take a batch in, whole or not at all."""
        ...

    async def push_replies(self, bot: int, replies: Sequence[Reply]) -> None:
        """Add replies that belong to no update."""
        ...


class Bells(Protocol):
    """Makes doorbells (``tasks.doorbell.Doorbells``)."""

    def bell(self, session: SessionKey, update_id: int) -> Bell:
        """The doorbell of a message."""
        ...


@dataclass(slots=True)
class _Item:
    """An update on its way: what it means, what the store shall keep of it, what follows when it was accepted."""

    meaning: Meaning
    accept: Accept
    stranger: tuple[int, int] | None = None
    press: str | None = None
    press_says: str | None = None

    @property
    def inbound(self) -> Inbound | None:
        return self.accept.inbound


@dataclass(slots=True)
class _After:
    """What an accepted batch leads to."""

    interrupt: list[SessionKey] = field(default_factory=list[SessionKey])
    typing: list[SessionKey] = field(default_factory=list[SessionKey])
    full: list[Inbound] = field(default_factory=list[Inbound])


class Door:
    """Takes batches one at a time or several at once; the order within a chat is the order of the calls."""

    def __init__(
        self,
        me: Me,
        *,
        access: Access,
        answers: Answers,
        intake: Intake,
        bells: Bells,
        interrupts: Interrupts,
        acks: Acks,
        clock: Clock,
    ) -> None:
        self._me = me
        self._access = access
        self._answers = answers
        self._intake = intake
        self._bells = bells
        self._interrupts = interrupts
        self._acks = acks
        self._clock = clock
        self._told_strangers = Recent(_TELL_STRANGERS, _REMEMBERED, clock)
        self._told_full = Recent(_TELL_FULL, _REMEMBERED, clock)
        self._albums = Recent(_ALBUM_PARTS, _REMEMBERED, clock)

    async def take(self, updates: Sequence[object]) -> bool:
        """Take updates in. When it returns, they may be confirmed to Telegram.

        Returns:
            Whether the bot has something to say itself now.

        Raises:
            StoreUnavailable: nothing was taken; nothing may be confirmed.
        """
        now = self._clock.now()
        meanings = [understand(update, self._me, now) for update in updates]
        for meaning in meanings:
            # The caption that names the bot stands on one part of an album, and not always on the first.
            if isinstance(meaning, Heard) and meaning.addressed and meaning.inbound.album is not None:
                self._albums.add((meaning.inbound.session, meaning.inbound.album))
        told: set[tuple[int, int]] = set()
        items = [await self._decide(meaning, told) for meaning in meanings]
        catching_up = len(updates) >= _CATCHING_UP
        self._attach_bells(items, all_of_them=not catching_up)
        verdicts = await self._accept([item.accept for item in items])
        after = _After()
        for item, verdict in zip(items, verdicts, strict=True):
            self._follow(item, verdict, after)
        self._interrupts.order(after.interrupt)
        if not catching_up:
            self._acks.typing(after.typing)
        await self._tell_full(after.full)
        return bool(after.full) or any(item.accept.reply is not None for item in items)

    async def _decide(self, meaning: Meaning, told: set[tuple[int, int]]) -> _Item:
        """What the store shall keep; ``told``: strangers that hear so within this batch."""
        match meaning:
            case Poison(update_id, reason, raw):
                # One without a number gets one from its content, so that it is kept once.
                number = -1 - crc32(raw.encode()) if update_id is None else update_id
                letter = DeadLetter(reason=reason, at=self._clock.now(), update_id=update_id, raw=raw)
                return _Item(meaning, Accept(number, dead=letter))
            case Moved():
                return _Item(meaning, Accept(meaning.update_id, inbound=_moved(meaning, self._clock.now())))
            case Nothing(update_id, _, callback):
                return _Item(meaning, Accept(update_id), press=callback, press_says=callback and words.BUTTON_TOO_OLD)
            case Heard():
                return await self._admit(meaning, told)

    async def _admit(self, heard: Heard, told: set[tuple[int, int]]) -> _Item:
        inbound, nothing = heard.inbound, Accept(heard.update_id)
        if not heard.addressed and (inbound.session, inbound.album) not in self._albums:
            return _Item(heard, nothing)
        key = inbound.key
        user = inbound.sender.id if inbound.sender else None
        match self._access.decide(user, key.chat, business=key.business is not None):
            case "ignore":
                return _Item(heard, nothing, press=heard.callback)
            case "tell":
                if heard.callback is not None:
                    return _Item(heard, nothing, press=heard.callback, press_says=words.NOT_FOR_YOU)
                who = (user or key.chat, key.chat)
                if who in told or who in self._told_strangers:
                    return _Item(heard, nothing)
                told.add(who)
                reply = say(inbound, words.stranger(*who))
                return _Item(heard, Accept(heard.update_id, reply=reply), stranger=who)
            case "admit":
                pass
        if heard.ask is None:
            return _Item(heard, Accept(heard.update_id, inbound=inbound), press=heard.callback)
        accept = Accept(heard.update_id, inbound=inbound)
        try:
            reply = await self._answers.answer(heard.ask, inbound)
        except StoreUnavailable:
            raise
        except Exception as problem:
            # A session's damaged state must not keep all others from being heard.
            log.exception("answer.failed", extra={"session": inbound.session, "ask": heard.ask.name})
            return _Item(heard, _buried(accept, problem, self._clock.now()))
        return _Item(heard, Accept(heard.update_id, reply=reply) if reply else accept, press=heard.callback)

    def _attach_bells(self, items: Sequence[_Item], *, all_of_them: bool) -> None:
        """Have the items rung for; else only the last of each session."""
        last = {item.inbound.session: item for item in items if item.inbound is not None}
        for item in items:
            inbound = item.inbound
            if inbound is not None and (all_of_them or item is last[inbound.session]):
                item.accept = replace(item.accept, bell=self._bells.bell(inbound.key, inbound.update_id))

    async def _accept(self, batch: list[Accept]) -> list[Verdict]:
        """In one call; should that fail for a reason of ours, one by one, so that one item cannot stop the others.

        Raises:
            StoreUnavailable: nothing was taken (or, one by one, some: they will count as seen).
        """
        try:
            return await self._intake.accept(self._me.id, batch)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("batch.failed", extra={"updates": len(batch)})
        verdicts: list[Verdict] = []
        for item in batch:
            try:
                verdicts += await self._intake.accept(self._me.id, [item])
            except StoreUnavailable:
                raise
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is kept with the item it belongs to
                await self._intake.accept(self._me.id, [_buried(item, problem, self._clock.now())])
                verdicts.append("seen")
        return verdicts

    def _follow(self, item: _Item, verdict: Verdict, after: _After) -> None:
        if item.press is not None:
            self._acks.press(item.press, item.press_says)
        metrics.UPDATES.labels(verdict).inc()
        if verdict == "seen":
            return
        _log(item.meaning)
        if item.stranger is not None:
            self._told_strangers.add(item.stranger)
        inbound = item.inbound
        if inbound is None:
            return
        if verdict == "full":
            after.full.append(inbound)
            return
        key = inbound.key
        if inbound.kind in ("stop", "new"):
            after.interrupt.append(key)
        if inbound.kind in ("message", "retry") or (inbound.kind == "new" and inbound.text):
            after.typing.append(key)

    async def _tell_full(self, refused: list[Inbound]) -> None:
        """Say so, at most once a minute a session; best effort, as nothing was taken."""
        replies: list[Reply] = []
        for inbound in refused:
            if inbound.session not in self._told_full:
                self._told_full.add(inbound.session)
                log.warning("inbox.full", extra={"session": inbound.session})
                if inbound.key.business is None:
                    replies.append(say(inbound, words.TOO_MANY))
        try:
            await self._intake.push_replies(self._me.id, replies)
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"problem": str(problem)})


def _log(meaning: Meaning) -> None:
    match meaning:
        case Poison(update_id, reason, _):
            log.error("update.dead", extra={"update_id": update_id, "reason": reason})
        case Moved(_, old, new):
            log.info("chat.moved", extra={"session": str(old), "renamed": str(new)})
        case Nothing(update_id, why, _):
            log.debug("update.ignored", extra={"update_id": update_id, "why": why})
        case Heard():
            pass


def _moved(moved: Moved, now: float) -> Inbound:
    """Behind what waits in the group that is no more."""
    return Inbound(
        v=Inbound.VERSION,
        session=str(moved.old),
        update_id=moved.update_id,
        at=now,
        kind="moved",
        chat_type="group",
        moved_to=moved.new.chat,
    )


def _buried(item: Accept, problem: Exception, now: float) -> Accept:
    """The item as a dead letter, in plain ASCII: it may be its own content that the store cannot take."""
    reason = f"could not be stored: {type(problem).__name__}"
    raw = ascii(item.inbound or item.reply or item.dead)
    return Accept(item.update_id, dead=DeadLetter(reason=reason, at=now, update_id=item.update_id, raw=raw))
