"""Takes a batch of updates in: understood, admitted, accepted with doorbells in one atomic call, acknowledged."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from zlib import crc32

from bot.accepting import Intake, accepting, attach_doorbells
from bot.access.people import PeopleView
from bot.access.rate import PersonalRate
from bot.acknowledgements import Acknowledgements
from bot.admission import AccessControl
from bot.answers import LATER, Answers
from bot.commands.languages import Languages
from bot.commands.saying import say
from bot.entries import (
    After,
    Item,
    buried,
    crowded,
    ended,
    failed,
    moved_entry,
    note,
    toast,
    told,
    tongue_of,
    undecided,
)
from bot.feedback import Feedback
from bot.groups.attention import Attention
from bot.groups.control import GroupControl, with_roles
from bot.groups.former import FormerGroups
from bot.groups.overheard import OverheardMessages
from bot.inline_messages import InlineMessages
from bot.interrupts import Interrupts
from bot.notices import Notices
from bot.recent import Allowance
from bot.stand_in import WORDS
from bot.updates.commands import Command
from bot.updates.meaning import AskedInline, BotIdentity, Ignored, Incoming, Malformed, Meaning, Moved, Reacted
from tasks.clock import Clock
from tasks.doorbell import Doorbells
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.errors import StoreUnavailable
from tasks.phrases import language_of, phrase, speak, speaking
from tasks.session import SessionKey
from tasks.store.intake import Accept, IntakeResult
from tasks.telemetry import metrics
from tasks.turn_record import reference, task_id

log = logging.getLogger("cohort.bot")

_REMEMBERED = 10_000  # names that each of these memories holds, against a flood of strangers
_ASKS, _ASKS_IN = 20, timedelta(minutes=1)  # answers of the bot's own in one session: a group gets no more messages
_CATCHING_UP = 100  # a full batch comes after an outage: "typing" would be late, one doorbell a session is enough

_USED_UP = ("stop", "retry", "undo")  # what a button asks for once; those of a picker may be pressed again


class UpdateIntake:
    """Takes batches, also several at once; messages of a chat keep the order of the calls."""

    def __init__(  # noqa: PLR0913 - its collaborators, which have no other user in common
        self,
        me: BotIdentity,
        *,
        people: PeopleView,
        admission: AccessControl,
        rate: PersonalRate,
        answers: Answers,
        intake: Intake,
        doorbells: Doorbells,
        interrupts: Interrupts,
        acks: Acknowledgements,
        notices: Notices,
        attention: Attention,
        overheard: OverheardMessages,
        former: FormerGroups,
        control: GroupControl,
        feedback: Feedback,
        languages: Languages,
        inline_messages: InlineMessages,
        clock: Clock,
    ) -> None:
        self._me = me
        self._people, self._admission = people, admission
        self._rate, self._answers = rate, answers
        self._intake = intake
        self._doorbells = doorbells
        self._interrupts, self._acks, self._clock = interrupts, acks, clock
        self._notices, self._attention, self._overheard = notices, attention, overheard
        self._control, self._feedback, self._former = control, feedback, former
        self._languages, self._inline_messages = languages, inline_messages
        self._asks = Allowance(_ASKS, _ASKS_IN, _REMEMBERED, clock)

    async def take(self, updates: Sequence[object]) -> bool:
        """Take updates in. When this returns, they may be confirmed to Telegram.

        Returns:
            Whether a reply of the bot itself waits to be sent.

        Raises:
            StoreUnavailable: no update may be confirmed.
        """
        await self._people.ready()
        now = self._clock.now()
        items: list[Item] = []
        for meaning in await self._attention.read(updates, now):
            items.append(await self._item(meaning, items))
        catching_up = len(updates) >= _CATCHING_UP
        attach_doorbells(items, self._doorbells, all_of_them=not catching_up)
        with accepting(items, now) as traced, metrics.ACCEPT_SECONDS.time():
            verdicts = await self._accept([item.accept for item in items])
            traced.say(verdicts)
        after = After()
        for item, verdict in zip(items, verdicts, strict=True):
            self._follow(item, verdict, after)
        self._interrupts.order(after.interrupt)
        if not catching_up:
            self._acks.typing(after.typing)
        told = await self._notices.tell(after, self._languages)
        return told or any(item.accept.reply is not None for item in items)

    async def _item(self, meaning: Meaning, before: Sequence[Item]) -> Item:
        """What becomes of an update, also where a defect keeps it from being decided."""
        try:
            with speaking(language_of(tongue_of(meaning))):
                return await self._decide(meaning, before)
        except StoreUnavailable:
            raise
        except Exception as problem:  # one update must never stop the others
            log.exception("update.failed", extra={"update_id": meaning.update_id})
            return undecided(meaning, problem, self._clock.now())

    async def _decide(self, meaning: Meaning, before: Sequence[Item]) -> Item:
        """What the store keeps of an update; ``before``: the earlier updates of its batch."""
        match meaning:
            case Malformed(update_id, reason, raw):
                # An update without an id gets one from its content, so that it is stored once.
                number = -1 - crc32(raw.encode()) if update_id is None else update_id
                letter = DeadLetter(reason=reason, at=self._clock.now(), update_id=update_id, raw=raw)
                return Item(meaning, Accept(number, dead=letter))
            case Moved(update_id, old, new):
                entry = moved_entry(meaning, self._clock.now()) if await self._moves(old, new, before) else None
                return Item(meaning, Accept(update_id, inbound=entry))
            case Reacted():
                return Item(meaning, await self._feedback.take(meaning))
            case Ignored(update_id, _, callback, _):
                return Item(meaning, Accept(update_id), press=callback, press_says=callback and ended(meaning))
            case Incoming():
                return await self._admit(meaning, before)
            case AskedInline():
                heard = await self._inline_messages.take(meaning)
                return Item(meaning, Accept(meaning.update_id)) if heard is None else await self._admit(heard, before)

    async def _moves(self, old: SessionKey, new: SessionKey, before: Sequence[Item]) -> bool:
        """Whether a session has to move; the store holds nothing of a group of strangers."""
        await self._admission.moved(old.chat, new.chat)
        await self._overheard.moved(old, new)
        self._former.note(old, new)
        if any(item.inbound is not None and item.inbound.key == old for item in before):
            return True
        access = self._people.access
        if "admit" in (access.decide(None, old.chat), access.decide(None, new.chat)):
            return True
        return await self._intake.knows(old)

    async def _admit(self, heard: Incoming, before: Sequence[Item]) -> Item:
        inbound, nothing, access = heard.inbound, Accept(heard.update_id), self._people.access
        user, chat = inbound.sender.id if inbound.sender else None, inbound.key.chat
        decision = access.decide(user, chat, business=heard.silent)
        if (attended := await self._attention.attended(heard)) is None:
            if decision == "admit" and heard.ask is None:
                await self._overheard.add(inbound, access.role(user, chat), place=heard.place)
            return Item(heard, nothing)
        heard = attended
        if decision == "ignore":
            return Item(heard, nothing, press=heard.callback)
        if heard.code is not None and (reply := await self._admission.pair(inbound, heard.code)) is not None:
            return self._told(heard, reply)
        if decision == "tell" and heard.callback is not None:
            return Item(heard, nothing, press=heard.callback, press_says=phrase("private-bot"))
        if decision == "tell":
            return Item(heard, nothing, stranger=heard)
        if not self._rate.takes(inbound, heard.sent):
            if heard.callback is not None:
                return Item(heard, nothing, press=heard.callback, press_says=phrase("rate"))
            return Item(heard, nothing, rated=heard)
        return await self._enter(heard, before)

    async def _enter(self, heard: Incoming, before: Sequence[Item]) -> Item:
        """What an admitted person says."""
        if self._notices.repeats(heard):
            return Item(heard, Accept(heard.update_id))
        role = self._people.access.role(heard.inbound.person, heard.inbound.key.chat)
        inbound = (heard := with_roles(heard, role, self._people.access)).inbound
        ask = heard.ask or self._answers.hidden_ask(inbound)
        if ask is not None or heard.callback is not None or inbound.kind != "message":
            # A plain message is told nothing here, and costs no further round trip.
            speak(await self._languages.of(inbound.key, inbound.tongue, Item.entries(before)))
        refusal = await self._control.refusal(heard, role)
        if refusal is not None:
            if heard.callback is None:
                return self._told(heard, say(inbound, refusal))
            return Item(heard, Accept(heard.update_id), press=heard.callback, press_says=refusal)
        if inbound.kind == "answer":
            return await self._pressed(heard, Item.entries(before))
        if ask is None and inbound.kind not in LATER:
            with_context = await self._overheard.before(await self._former.meant(inbound))
            return Item(heard, Accept(heard.once or heard.update_id, inbound=with_context), press=heard.callback)
        return await self._asked(heard, ask, Item.entries(before))

    async def _pressed(self, heard: Incoming, before: Sequence[Inbound]) -> Item:
        """A button of a question: its person is told at once whether that counts."""
        inbound = heard.inbound
        try:
            entry, says = await self._answers.press(inbound, [one for one in before if one.session == inbound.session])
        except StoreUnavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - the log and the dead letter name the defect
            return failed(heard, problem, self._clock.now())
        return Item(heard, Accept(heard.update_id, entry), press=heard.callback, press_says=says)

    async def _asked(self, heard: Incoming, ask: Command | None, before: Sequence[Inbound]) -> Item:
        """A command that the bot answers itself if it can; ``before``: what came before it in the same batch."""
        inbound, line = heard.inbound, None
        try:
            reply = await self._answers.answer(ask, inbound, heard.viewer) if ask is not None else None
            if reply is None:
                inbound, line = await self._answers.ahead(inbound, before, heard.viewer)
        except StoreUnavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - the log and the dead letter name the defect
            # Damaged state of one session must not hold up the updates of all others.
            return failed(heard, problem, self._clock.now())
        says = toast(ask, inbound, reply)
        if reply is not None:
            return self._told(heard, reply, says)
        if inbound.kind == "message":
            inbound = await self._overheard.before(inbound)
        if line is not None and not self._asks.take(inbound.session, heard.update_id):
            inbound, line = heard.inbound, None
        entry = Accept(heard.once or heard.update_id, inbound, line)
        return Item(heard, entry, press=heard.callback, press_says=says)

    def _told(self, heard: Incoming, reply: Reply, says: str | None = None) -> Item:
        """The bot's own answer; a session that has had too many is told that instead, once."""
        takes = self._asks.take(heard.inbound.session, heard.update_id)
        return told(heard, reply, says) if takes else crowded(heard)

    async def _accept(self, batch: list[Accept]) -> list[IntakeResult]:
        """Store a batch in one call. After a defect, store its items one by one, so that one cannot stop the others.

        Raises:
            StoreUnavailable: no item may be confirmed; items that were stored count as seen when they come again.
        """
        try:
            return await self._intake.accept(self._me.id, batch)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("batch.failed", extra={"updates": len(batch)})
        verdicts: list[IntakeResult] = []
        for item in batch:
            try:
                verdicts += await self._intake.accept(self._me.id, [item])
            except StoreUnavailable:
                raise
            except Exception as problem:  # noqa: BLE001 - the dead letter names the defect
                await self._intake.accept(self._me.id, [buried(item, problem, self._clock.now())])
                verdicts.append("seen")
        return verdicts

    def _follow(self, item: Item, verdict: IntakeResult, after: After) -> None:
        if item.press is not None:
            self._acks.press(item.press, item.press_says)
        metrics.series(metrics.UPDATES, verdict).inc()
        metrics.of_bot(metrics.BOT_UPDATES, self._me.id, verdict)
        if verdict == "seen":
            return
        note(item.meaning)
        after.refuse(item)
        inbound = item.inbound
        if inbound is None:
            return
        if verdict == "full":
            after.full.append(inbound)
            return
        key = inbound.key
        task = task_id(key.bot, inbound.update_id)
        ref = reference(key.bot, inbound.update_id)
        named = {"session": inbound.session, "task": task, "ref": ref, "kind": inbound.kind}
        log.info("message.accepted", extra={**named, "trace": item.span.trace_id} if item.span.trace_id else named)
        if item.press is not None and inbound.kind in _USED_UP and inbound.message_id is not None:
            self._acks.used(key, inbound.message_id)
        if inbound.kind in WORDS:
            after.interrupt.append(inbound)
        if inbound.kind in ("message", "retry", "answer") or (inbound.kind == "new" and inbound.text):
            after.typing.append(key)
