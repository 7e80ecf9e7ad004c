"""Runs one turn until there is something to commit: an answer, or what the user is told when there is none."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from random import random

from tasks.envelope import Inbound, OutFile, Reply
from tasks.errors import ClaimLost, EnvelopeTooNew, Retryable, Terminal, without_frames
from tasks.phrases import phrase
from tasks.store.sessions import READ_AHEAD
from tasks.store.state import StateField
from tasks.turn_record import with_reference
from workers import texts
from workers.interfaces import LiveAnswer, TurnFailed, TurnRequest, TurnResult
from workers.outgoing import linked_pictures, with_files
from workers.sessions.admission import admitted, to_tell
from workers.sessions.commands.again import kept_unanswered, with_press
from workers.sessions.commands.conversations import titled
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, below, in_place, seen_words
from workers.sessions.planning.planner import MAX_TRIES, dead_letter
from workers.sessions.spending import Spending
from workers.sessions.turns.asking import Ask, answers_of, asks_people, put_questions
from workers.sessions.turns.failures import Failures
from workers.sessions.turns.held_questions import HeldQuestions
from workers.sessions.turns.journal import TurnJournal
from workers.sessions.turns.kept_draft import KeptDraft
from workers.sessions.turns.outcome import Asked, Outcome
from workers.sessions.turns.standing_refusals import told_once
from workers.sessions.turns.timeline import Timeline
from workers.sessions.turns.tracked_answer import TrackedAnswer, TurnText, rest_of, without_settled
from workers.showing import NO_TRACE, Showing, Trace
from workers.speech import with_voice
from workers.steps import Question, TurnParked

log = logging.getLogger("cohort.turns")
type _Replies = tuple[Reply, ...]
_LONG = 2_000  # Longer answers are rendered in a thread, so that they do not hold up other chats.


class TurnRunner:
    """Runs a turn, and tries it again after passing faults. Between tries it holds no lane."""

    def __init__(
        self, deps: Dependencies, owned: OwnedSession, spending: Spending, asked: Asked, held: HeldQuestions
    ) -> None:
        """Prepare a turn on ``asked`` in ``owned``; ``spending`` counts its cost, ``held`` asks meanwhile."""
        self._deps = deps
        self._owned, self._alone = owned, owned.session.inline is not None
        self._spending = spending
        self._messages: tuple[Inbound, ...] = asked.messages
        self._answers, self.held, self._asked = asked.answers, held, asked
        self._reply_to = self._target(asked.messages[-1])
        self.draft = KeptDraft(deps, owned) if KeptDraft.needed(deps, owned.session) else None
        self.journal = TurnJournal(owned, self._spending, asked.names, joins=asked.steering is not None)
        self._parked = owned.parking.turn if asked.resumed is not None and owned.parking is not None else None
        self._text, self._trace = TurnText(), NO_TRACE
        self._live: LiveAnswer | None = None
        self._told, self._linked = False, tuple[OutFile, ...]()
        self.timeline = Timeline(owned.session, deps.incarnation, asked.messages, asked.answers, deps.clock)
        self.timeline.used = spending.measured()

    async def keeping(self) -> None:
        """Keep the turn's steps beside it, until cancelled.

        Raises:
            ClaimLost: another worker runs it.
        """
        await self.journal.writing()

    def _target(self, message: Inbound) -> int | None:
        """The message to reply to; None where it is obvious which is meant: in a private chat, right above."""
        here = message.session == str(self._owned.session)
        # A message that was fetched from the old group has a number that means another message in this supergroup.
        among = len(self._asked.messages) == 1 and not self._asked.joined and self._asked.among()
        return message.message_id if (message.chat_type != "private" or among) and here else None

    async def outcome(self) -> Outcome:
        """Run the turn.

        Raises:
            ClaimLost: another worker runs it.
            EnvelopeTooNew: a worker of a newer release has to run it.
        """
        asked = self._messages
        await self.journal.open()
        refused = await self._refuse_over_budget()
        if not self._messages:
            return await self._remembered(refused, asked)
        if self._asked.steering is not None:
            self._asked.steering.begin(self._messages)
        try:
            outcome = await self._run()
        except TurnParked as parked:
            return await self._park(parked.questions)
        asked = (*asked, *self._asked.joined)
        outcome = with_press(await self._remembered(outcome, asked), self._asked.by)
        return replace(outcome, replies=(*outcome.replies, *refused.replies), set={**outcome.set, **refused.set})

    async def _remembered(self, outcome: Outcome, asked: Sequence[Inbound]) -> Outcome:
        """With what /retry and /undo have to know: whether the last turn gave an answer."""
        if outcome.add and asked[0].kind != "compact":
            outcome = replace(outcome, unset=(*outcome.unset, StateField.unanswered))
            return await titled(self._deps, self._owned, outcome, asked)
        if asked[0].kind == "compact":
            return outcome
        return kept_unanswered(outcome, asked[-READ_AHEAD:])

    async def _park(self, questions: Sequence[Question]) -> Outcome:
        """Ask people. What the turn has said so far stands above the questions."""
        owned, deps = self._owned, self._deps
        await self.journal.written()
        if self.journal.lost:
            return Outcome(self._apology(phrase("defect")), unset=self._settled(), how="failed")
        render = deps.delivery.render
        said = render(owned.shown, edits=owned.live, reply_to=self._reply_to) if owned.shown.strip() else ()
        log.info("turn.parked", extra={"questions": len(questions)})
        ask = Ask(questions, self._messages, deps.clock.now(), self._text, self._reply_to, self.held.consumed)
        commit = await put_questions(owned, self.journal.mark, ask, deps.settings)
        first, *further = commit.replies
        if owned.live and not said:
            stands = await seen_words(deps, owned)
            first = below(owned, (first,))[0] if stands else in_place(owned, first)
        return Outcome((), parks=replace(commit, replies=(*said, first, *further)))

    async def _run(self) -> Outcome:
        owned = self._owned
        asks = asks_people(owned, self._messages, self._deps.settings)
        asked = TurnRequest(
            owned.session,
            self._messages,
            owned.history,
            owned.choice("agent"),
            owned.choice("model"),
            start=self._asked.start.get(StateField.start) or owned.choice(StateField.start) or "",
            spent=self._spending.spent,
            called=self.timeline.called,
            steering=self._asked.steering,
            steps=self.journal,
            answers=answers_of(self._parked) if self._parked else {},
            allowed=frozenset(owned.allowed),
            holds=self.held.ask if asks else None,
            asks=asks,
            tried=owned.tries,
        )
        thinking = owned.effective("thinking", self._deps.settings)
        mark, unheard = self.journal.mark, self._asked.unheard
        showing = Showing(self._reply_to, owned.live, thinking, mark.turn, owned.shows_unknown, unheard)
        live = self._deps.delivery.live(
            owned.session, showing, created=owned.note_live, still_ours=owned.ensure_owned_once
        )
        async with live as answer:
            owned.watch(lambda: answer.stands)
            before = self._parked.shown if self._parked else 0
            shown = TrackedAnswer(answer, owned, self._spending, self._deps.clock, before)
            shown.asked(self._messages)
            self.timeline.watch(lambda: shown.first_at, shown.tool_steps)
            try:
                result = await self._tries(asked, shown)
            finally:
                steps = owned.effective("steps", self._deps.settings)
                self._text, owned.trace = shown.so_far, shown.trace(steps, thinking)
        owned.live, self._live, self._trace = answer.message_ids, answer, owned.trace
        if isinstance(result, TurnResult):
            long = len(result.text) > _LONG
            return await asyncio.to_thread(self._answered, result) if long else self._answered(result)
        if isinstance(result, TurnFailed):
            return self._failed(result)
        reason = f"failed {MAX_TRIES} times: {type(result).__name__}"
        letters = tuple(dead_letter(message, reason, self._deps.clock.now()) for message in self._messages)
        return Outcome(self._apology(phrase("defect")), dead=letters, unset=self._settled(), how="buried")

    async def _tries(self, asked: TurnRequest, live: TrackedAnswer) -> TurnResult | TurnFailed | Exception:
        failures = Failures()
        while True:
            failures = failures.next()
            try:
                return await self._once(asked, live)
            except (ClaimLost, EnvelopeTooNew, TurnParked):
                raise
            except TurnFailed as problem:
                log.warning("turn.failed", extra={"action": problem.action, "detail": problem.detail})
                if problem.action == "operator":
                    self._told = await self._deps.alerts.raise_(problem.cause, problem.detail, self._owned.session.bot)
                if problem.action != "retry" or failures.gives_up(problem.backoff):
                    return without_frames(problem)
                again, pause = problem.words, failures.pause_s(problem.backoff, random())  # noqa: S311 - spreads load, guards nothing
            except Exception as defect:
                log.exception("turn.defect")
                if failures.count >= MAX_TRIES:
                    return without_frames(defect)
                again, pause = phrase("another-try"), failures.pause_s(0, random())  # noqa: S311 - spreads load, guards nothing
            self._spending.count_soon()
            live.begin_again()
            live.phase(again)
            await self._owned.tries.pause(self._deps.sleep, pause)
            live.phase("")

    async def _once(self, asked: TurnRequest, live: TrackedAnswer) -> TurnResult:
        """One try.

        Raises:
            TurnFailed: no answer. Errors of tools and stores that say what to do become one, too.
        """
        runtime, before = self._deps.runtime, self._spending.total
        try:
            result = await (runtime.compact(asked) if asked.messages[0].kind == "compact" else runtime.run(asked, live))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # This task was not cancelled, so a library's cancel scope leaked. The turn is tried again.
            raise RuntimeError("a cancellation that was not asked for") from None
        except Terminal as problem:
            raise TurnFailed("tell", str(problem), type(problem).__name__) from problem
        except Retryable as problem:
            raise TurnFailed("retry", phrase("another-try"), f"{type(problem).__name__}: {problem}") from problem
        self._spending.spent_in_all(result.usage, before)
        return result

    # -- what is committed
    def _answered(self, result: TurnResult) -> Outcome:
        model = texts.stand_in(self._deps.settings.model) if self._owned.history is None else ""
        left_out = phrase("inline-files") if result.files and self._alone else ""
        news = told_once(result, self._owned, self._asked, self._deps.clock.now())
        notes = [*news.notices, phrase("cut") if result.cut else "", model, left_out]
        said = self._render(rest_of(self._parked, result.text), notes, self._trace)
        said = with_files(said, (*self._linked, *result.files))
        said = with_voice(said, result.text, spoken=result.spoken, effective=self._owned.effective, parts=self._deps)
        self._owned.apologies.forget()
        unset, turns = (*self._settled(), *result.dropped, *news.unset), {StateField.turns.value: 1}
        return Outcome(said, result.history, {**self._asked.start, **news.set}, unset, turns)

    def _failed(self, problem: TurnFailed) -> Outcome:
        if problem.action == "tell":
            return Outcome(self._apology(problem.words), unset=self._settled(), how="failed")
        outage, single = problem.action == "retry", self._messages[0].kind == "compact" or self._alone
        words = texts.given_up(problem.words, outage=outage, told=self._told, retry=not single)
        replies, before, asked = self._apology(words), (), (*self._messages, *self._asked.joined)
        if not (single or self._owned.said_most.strip() or self._asked.by):
            replies, before = self._owned.apologies.once(words, asked, replies)
            self.timeline.stands_for = tuple(message.update_id for message in before)
        if single or not (outage or before):
            return Outcome(replies, how="failed")
        replies = (*replies[:-1], replies[-1].model_copy(update={"buttons": texts.retry_button()}))
        # Retry is offered for every message that failed so, so the earlier ones are kept as well.
        earlier = [] if self._asked.retry else self._owned.retry_batch()
        kept = list(dict.fromkeys((*earlier, *(message.to_json() for message in (*before, *asked)))))
        return Outcome(replies, set={StateField.retry_batch: json.dumps(kept[-READ_AHEAD:])}, how="failed")

    def _settled(self) -> tuple[str, ...]:
        """State fields to remove when these messages are settled for good."""
        return (StateField.retry_batch,) if self._asked.retry else ()

    def _apology(self, words: str) -> _Replies:
        """What is told below what was shown, or in its place, with the reference that `cohort find` finds."""
        owned, said = self._owned, with_reference(words, self._owned.session.bot, self._answers)
        if owned.shows_unknown and owned.seen.strip() and not self._alone:
            return below(owned, self._render(said, apart=True))
        shown = owned.said_most.strip()
        return self._render(shown or said, [said] if shown else (), replace(self._trace, steps=()))

    def _render(
        self, text: str, notes: Sequence[str] = (), trace: Trace = NO_TRACE, *, apart: bool = False
    ) -> _Replies:
        live, render = () if apart else self._owned.live, self._deps.delivery.render
        to = self._reply_to if live else self._target((self._messages or self._asked.messages)[-1])
        rendered = render(text, edits=live, reply_to=to, notes=notes, trace=trace, alone=self._alone)
        self._linked = linked_pictures(rendered) if self._deps.settings.picture_links == "on" else ()
        if self._live is not None and not self._owned.inherited:
            rendered = without_settled(rendered, self._live)
        answers = (*self._answers, *(message.update_id for message in self._asked.joined))
        return tuple(reply.model_copy(update={"answers": answers}) for reply in rendered)

    # -- what it may cost

    async def _refuse_over_budget(self) -> Outcome:
        """Take out the messages of payers whose allowance is used up; what they are told, once."""
        owned, spending, messages = self._owned, self._spending, self._messages
        goes_on = bool(self._asked.resumed or self.journal.kept)
        verdicts = await admitted(self._deps, owned, spending, (messages, self.journal.mark.turn), goes_on=goes_on)
        going = () if verdicts.chat else tuple(one for one in messages if one.update_id not in verdicts.refused)
        self._messages = going
        spending.shared_by(going)
        # A press, and what stands on the screen already, are answered; and an inline message waits for its words.
        always = bool(self._asked.by or owned.live or self._alone)
        news, kept = to_tell(verdicts, messages, owned, self._deps.clock.now(), always=always)
        if not going:
            return Outcome(self._render(news[-1][0]) if news else (), set=kept)
        self._reply_to = self._target(going[-1])
        told = tuple(
            reply.model_copy(update={"answers": tuple(message.update_id for message in theirs)})
            for said, theirs in news
            for reply in self._deps.delivery.render(said, reply_to=self._target(theirs[-1]))
        )
        self._answers = tuple(ident for ident in self._answers if ident not in verdicts.refused)
        return Outcome(told, set=kept)
