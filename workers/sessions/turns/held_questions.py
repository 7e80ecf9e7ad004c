"""A question of a call that stays open: its turn keeps its lane, and reads the answer from the inbox as it comes."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from botapi.errors import ChatMigrated, Undeliverable
from tasks.chats.asking import GivenAnswer, HeldQuestion
from tasks.envelope import Inbound, Reply
from tasks.errors import ClaimLost, EnvelopeInvalid, EnvelopeTooNew, Retryable, StoreUnavailable
from tasks.phrases import language_of, phrase, speaking, spoken
from tasks.store.sessions import Commit
from tasks.waiting import came_within
from workers import texts
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.planning.parked import Parking, answer_in
from workers.sessions.turns.asking import closed, open_question, people, put, said_by
from workers.sessions.turns.outcome import Asked, Outcome
from workers.sessions.turns.steering import InboxSteering
from workers.steps import PersonsAnswer, Question

log = logging.getLogger("cohort.turns")

_LOOK_S = 2.0
"""A doorbell may come to another worker, where the slot has moved to: so the inbox is read again this often."""


async def end_held(deps: Dependencies, owned: OwnedSession) -> None:
    """The call that asked is over, with its turn or with its worker: its question says so.

    Raises:
        ClaimLost: another worker owns the session.
    """
    held = owned.held
    if held is None:
        return
    if held.place:
        with speaking(language_of(held.language)):
            for question in held.open:
                await _show(deps, owned, closed(question, phrase("question-ended"), held.place))
    await owned.note_held(None)


async def _show(deps: Dependencies, owned: OwnedSession, reply: Reply) -> int | None:
    """Show it now; None when it cannot be shown. It goes past the outbox, because it is of use only to this turn."""
    try:
        return next(iter(await deps.delivery.deliver(owned.session, reply, still_ours=owned.ensure_owned)), None)
    except (Undeliverable, ChatMigrated, Retryable) as problem:
        log.warning("question.undeliverable", extra={"reason": type(problem).__name__})
        return None


class HeldQuestions:
    """The questions of one turn, asked one after the other."""

    def __init__(self, deps: Dependencies, owned: OwnedSession, asked: Asked, taken: int) -> None:
        """``taken``: inbox entries that the turn took; answers stand behind them."""
        self._deps = deps
        self._owned = owned
        self._messages = asked.messages
        self._taken = taken
        self._news = asyncio.Event()
        self._one = asyncio.Lock()
        self._open: Parking | None = None
        self.asked = False
        """A question was put, whatever became of it."""
        self.consumed: list[int] = []
        """The updates that were answers."""

    def heard(self) -> None:
        """A doorbell came."""
        self._news.set()

    def keep_from(self, steering: InboxSteering | None) -> None:
        """Answers join nothing."""
        if steering is not None:
            steering.is_answer = self._answers

    def others(self, behind: Sequence[bytes]) -> list[bytes]:
        """Entries behind the turn's own, without its answers."""
        return [raw for raw in behind if not self._is_answer(raw)]

    def _is_answer(self, raw: bytes) -> bool:
        with suppress(EnvelopeInvalid, EnvelopeTooNew):
            return self._answers(Inbound.from_json(raw))
        return False

    def _answers(self, entry: Inbound) -> bool:
        return entry.update_id in self.consumed or self._given_in(entry) is not None

    async def ask(self, question: Question, seconds: float) -> PersonsAnswer | None:
        """Put a question and wait for its answer; None when none came. See ``workers.steps.Holds``."""
        with suppress(ClaimLost):
            # The turn ends with that at its next write.
            async with self._one:
                return await self._ask(question, seconds)
        return None

    async def _ask(self, question: Question, seconds: float) -> PersonsAnswer | None:
        deps, owned = self._deps, self._owned
        private = owned.session.chat > 0
        asked = open_question(question)
        held = HeldQuestion(
            turn="",
            taken=self._taken,
            ends=deps.clock.now() + seconds,
            who=(*people(self._messages), *((owned.session.chat,) if private else ())),
            anyone=not private and deps.settings.ask_in_groups == "anyone",
            questions=(asked,),
            language=spoken(),
        )
        before = {entry.update_id for entry in await self._behind(self._taken)}
        # Before it is shown: a button that is pressed at once counts.
        self.asked = True
        await owned.note_held(held)
        place = await _show(deps, owned, put(asked, None if private else self._messages[-1].message_id))
        if place is None:
            await owned.note_held(None)
            return None
        held = held.model_copy(update={"place": place})
        await owned.note_held(held)
        self._open = Parking(held, {asked.id: place})
        try:
            given = await self._answer(before, seconds)
        finally:
            self._open = None
        line = texts.answered(asked, given, named=not private) if given is not None else phrase("not-answered")
        await _show(deps, owned, closed(asked, line, place))
        await owned.note_held(None)
        return said_by(given) if given is not None else None

    async def _answer(self, before: set[int], seconds: float) -> GivenAnswer | None:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._news.clear()
                    for entry in await self._behind(self._taken):
                        given = None if entry.update_id in before else self._given_in(entry)
                        if given is not None:
                            self.consumed.append(entry.update_id)
                            return given
                    await came_within(self._news, _LOOK_S)
        except TimeoutError:
            return None

    def _given_in(self, entry: Inbound) -> GivenAnswer | None:
        if self._open is None or entry.update_id in self.consumed:
            return None
        return next(iter(answer_in(self._open, self._open.turn, entry, self._deps.settings.admins).values()), None)

    async def _behind(self, taken: int) -> list[Inbound]:
        """The entries behind so many, as far as they can be read."""
        entries: list[Inbound] = []
        with suppress(StoreUnavailable, EnvelopeInvalid, EnvelopeTooNew):
            behind = await self._deps.sessions.behind(self._owned.session, taken)
            entries.extend(map(Inbound.from_json, behind))
        return entries

    async def commit(self, outcome: Outcome, drop: int, left: tuple[Inbound, ...]) -> Commit:
        """The turn's commit, which drops the answers with the messages that it answers.

        Args:
            outcome: What the turn gave.
            drop: Inbox entries that it handles without its answers.
            left: Those among them that the next turn answers.
        """
        if outcome.parks is not None or not self.consumed:
            return outcome.commit(drop, left)
        behind = await self._behind(drop)
        places = [place for place, entry in enumerate(behind, 1) if entry.update_id in self.consumed]
        more = behind[: places[-1]] if places else []
        gone = tuple(entry.update_id for entry in more if entry.update_id in self.consumed)
        keeps = tuple(entry for entry in more if entry.update_id not in self.consumed)
        replies = tuple(reply.model_copy(update={"answers": (*reply.answers, *gone)}) for reply in outcome.replies)
        outcome = replace(outcome, replies=replies)
        return outcome.commit(drop + len(more), (*left, *keeps))
