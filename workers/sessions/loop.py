"""A session's turn loop: claim the session, then plan, run, commit and deliver until nothing is left."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from tasks.errors import ClaimLost, EnvelopeTooNew, StoreUnavailable
from tasks.ports import ELSEWHERE, TurnReport, report
from tasks.session import SessionKey
from tasks.store.sessions import READ_AHEAD, Commit, Rest, Work
from tasks.telemetry.logs import bind_fields
from workers.sessions.attempt import Attempt, attempted
from workers.sessions.commands.again import asked_by, nothing_again, undo_commit
from workers.sessions.commands.control_replies import burial, control_commit, give_up_commit
from workers.sessions.dependencies import Dependencies
from workers.sessions.inbox_wait import Arrivals, InboxWait
from workers.sessions.outbox import Outbox
from workers.sessions.ownership.moving import fetch, move
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.ownership.sending_away import claimed, send_away
from workers.sessions.planning import bursts, edits, news, plans
from workers.sessions.planning.parked import Noted
from workers.sessions.spending import Spending
from workers.sessions.spoken_replies import SpokenReplies
from workers.sessions.turn_runner import TurnRunner
from workers.sessions.turns.cut_turn import CutTurn, commit_of_parked, decided, interrupted, kept_history
from workers.sessions.turns.held_questions import HeldQuestions, end_held
from workers.sessions.turns.outcome import Asked
from workers.sessions.turns.span import in_trace, turn_span
from workers.sessions.turns.steering import InboxSteering, steering_of
from workers.sessions.turns.unheard import unheard
from workers.sessions.waits import begin_none

log = logging.getLogger("cohort.turns")


class TurnLoop:
    """Works on one session. It is the session's only writer while its claim stands."""

    def __init__(self, deps: Dependencies, session: SessionKey, *, draining: Callable[[], bool]) -> None:
        self._deps = deps
        self._session = session
        self._draining = draining
        self.owned: OwnedSession | None = None
        self._attempt: Attempt | None = None
        self._held: HeldQuestions | None = None
        self._taken = 0
        """How many inbox entries the running turn took."""
        self._said: edits.MessagePrints = {}
        """Fingerprints of what those entries and the ones before them say."""
        self._among = self._interrupted = False
        """The inbox has to be read again before the next turn."""
        self._waiting = 0
        """How many entries the inbox held when it was read last."""
        self.steering: InboxSteering | None = None
        """Lets messages join the running turn."""
        self._wait, self.arrivals = InboxWait(deps.sleep), Arrivals()
        self._spoken = SpokenReplies(deps, session, self._wait)
        self._outbox = Outbox(deps, self._spoken)
        self.young: bursts.YoungTurn | None = None
        """The running turn may begin again with the rest of its burst."""
        self._cut: CutTurn | None = None
        """The turn that was cancelled, until its messages are handled."""
        self._report = report("idle")
        self._rest: Rest | None = None
        """The turn waits for people: the session may be released with its messages."""
        self._spending = Spending(session, deps.sessions, deps.settings, deps.clock)

    def interrupt(self) -> None:
        """Cancel the running turn and read the inbox again; the turn's messages stay there."""
        # Only once: a second cancellation would break off the cleanup that the first one started.
        if self._attempt is not None and not self._interrupted:
            self._attempt.cancel()
        self._interrupted = True
        self._wait.heard()

    async def interrupt_if_newer(self, *, young: bursts.YoungTurn | None = None) -> None:
        """Interrupt the running turn if the inbox now holds more entries than that turn took; late calls do nothing.

        Of a ``young`` turn only the rest of its burst is such an entry.
        """
        with suppress(StoreUnavailable):
            if self._attempt is not None:
                behind = await self._behind()
                if not (young.goes_on(behind) if young else news.is_news(behind, self._said)):
                    return
            # That turn may have ended during the read. Then the next turn reads the inbox once more than it needs to.
            self.interrupt()

    async def _behind(self) -> Sequence[bytes]:
        joined = self.steering.further if self.steering is not None else 0
        behind = await self._deps.sessions.behind(self._session, self._taken + joined)
        return self._held.others(behind) if self._held else behind

    async def look(self) -> None:
        """An entry came: it may join the running turn, or answer what that asks, or be what a burst waits for."""
        for listening in (self.steering, self._held, self._wait):
            if listening is not None:
                listening.heard()
        with suppress(StoreUnavailable):
            if (attempt := self._attempt) and not self._among and self._session.chat > 0 and await self._behind():
                self._among = self._among or self._attempt is attempt

    @property
    def interrupts(self) -> bool:
        """Whether a message ends the running turn; before the claim that is not known, and the inbox is read again."""
        return self.owned is None or self.owned.effective("queue", self._deps.settings) == "interrupt"

    async def revalidate_claims(self) -> None:
        """End the running turn if another worker owns the session now; called when the heartbeat may have expired."""
        if (attempt := self._attempt) is None or self.owned is None:
            return
        try:
            await self.owned.verify_claim()
        except ClaimLost:
            attempt.cancel()

    @property
    def at_work(self) -> bool:
        """Whether a turn is running; delivery alone does not count."""
        return self._attempt is not None

    async def run(self) -> TurnReport:
        """Work until nothing is left, or the claim is lost, or the worker drains; waits for Redis while it is away.

        Raises:
            asyncio.CancelledError: the worker's grace time is over; the session was handed off.
            Exception: a defect; the session was handed off, and the head of the inbox has one more try counted.
        """
        deps, self._report = self._deps, report("idle")
        self._interrupted, self._cut, since = False, None, deps.heartbeat.now()
        if (claim := await self.arrivals.seen_by(claimed(deps, self._session))) is None:
            return ELSEWHERE
        bind_fields(epoch=claim.epoch)
        deps.steps("claimed")
        self.owned = owned = OwnedSession(deps, claim, since=since)
        try:
            async with self._spoken:
                await self._work(owned, claim.work)
        except ClaimLost:
            log.warning("claim.lost")
            self._report["outcome"] = "elsewhere"
        except EnvelopeTooNew as problem:
            log.warning("session.left", extra={"reason": str(problem)})
            await owned.hand_off()
        except Exception:
            await owned.hand_off(counts=True)
            raise
        except BaseException:
            await owned.hand_off_once()
            raise
        finally:
            await self._spending.count()  # Model calls that no commit has counted.
        return {**self._report, "tokens": self._spending.tokens}

    async def _work(self, owned: OwnedSession, work: Work | None) -> None:
        await end_held(self._deps, owned)
        while work is not None:
            if (new := owned.migrated_to) is not None and (work.inbox or work.outbox or not owned.is_blank):
                # The group is a supergroup now. Its work is not fetched yet, or an entry came late for the old id,
                # perhaps since the claim: a turn under the old id would begin a second history.
                await move(owned, new, ())
            again = False
            if work.outbox:
                await self._outbox.deliver(owned, work.outbox, more=bool(work.inbox))
            elif self._draining() and (work.inbox or work.migrating_from):
                await owned.hand_off()
                return
            elif work.migrating_from:
                again = await fetch(self._deps, owned, SessionKey.parse(work.migrating_from))
            elif work.inbox and self._deps.places.elsewhere(owned.session, owned.choice("agent")):
                self._report["outcome"] = await send_away(self._deps, owned, work.inbox)
                return
            elif work.inbox:
                again = await self._step(owned, work)
            self._interrupted = False
            await self._spoken.rest()
            rest, self._rest = self._rest, None
            work = await self.arrivals.seen_by(owned.advance(again=again, rest=rest))

    async def _step(self, owned: OwnedSession, work: Work) -> bool:
        """Plan and do the next step.

        Returns:
            Whether the head of the inbox was only set aside; then its try does not count.

        Raises:
            EnvelopeTooNew: a worker of a newer release has to do it.
        """
        inbox = work.inbox if len(work.inbox) < READ_AHEAD else await owned.whole_inbox()
        self._waiting = len(inbox)
        plan = decided(self._deps, owned, inbox, work.tries, self._cut)
        if isinstance(plan, plans.Run | plans.Retry | plans.Compact):
            owned.ensure_readable()
            # Others wait behind it, or it waited itself: its answer does not come right below it.
            self._among = len(inbox) > plan.handled.drop or self._report["turns"] > 0
            return await self._begin(owned, plan)
        if isinstance(plan, plans.Wait | plans.Move | plans.HandOff):
            await begin_none(self._wait, owned, plan)
            return True
        await owned.tries.runs()
        match plan:
            case plans.Park():
                return await self._park(owned, plan)
            case plans.Control():
                await self._control(owned, plan)
            case plans.Undo(handled):
                await self._commit(owned, await undo_commit(self._deps, owned, plan), handled)
            case plans.GiveUp():
                with burial(self._deps, self._session, plan):
                    await self._commit(owned, await give_up_commit(self._deps, owned, plan), plan.handled)
            case plans.Interrupted(handled):
                await self._commit(owned, await interrupted(self._deps, owned, self._cut, handled), handled)
            case plans.Skip(handled):
                await self._commit(owned, Commit(handled.drop), handled)
        return False

    async def _begin(self, owned: OwnedSession, plan: plans.Run | plans.Retry | plans.Compact) -> bool:
        """Run the agent. Returns as ``_step`` does."""
        asked = await asked_by(self._deps, owned, plan)
        if not asked.messages:
            await self._control(owned, plans.Control(plan.handled, nothing_again(owned, plan), {}))
            return False
        if isinstance(plan, plans.Run) and len(asked.messages) > 1:
            await owned.note_batch_size(asked.resumed.taken if asked.resumed else plan.handled.drop)
        return await self._turn(owned, plan.handled, asked)

    async def _turn(self, owned: OwnedSession, handled: plans.Handled, asked: Asked) -> bool:
        if self._interrupted:
            return True  # A newer entry came after the inbox was read, so the plan may be out of date.
        held = self._held = HeldQuestions(self._deps, owned, asked, handled.drop)
        self.steering = steering_of(self._deps, owned, self._spending, asked, room=(handled, self._waiting))
        held.keep_from(self.steering)
        ends = unheard(self._deps, owned.session, self.interrupt_if_newer)
        asked = replace(asked, among=lambda: self._among, steering=self.steering, unheard=ends)
        runner = TurnRunner(self._deps, owned, self._spending, asked, held)
        with turn_span(self._deps, owned, asked, runner.timeline):
            return await self._run(owned, handled, asked, runner)

    async def _run(self, owned: OwnedSession, handled: plans.Handled, asked: Asked, runner: TurnRunner) -> bool:
        self._taken, self._said, self._cut = handled.drop, edits.joined(owned.said, handled.said), None
        turn = CutTurn(asked.messages, runner.journal, handled.drop, owned, runner.held)
        self.young = bursts.YoungTurn(asked.messages, turn, self._deps.clock, self._deps.settings.burst)
        try:
            attempt = await attempted(runner, self._spending, owned, asked.messages, self._begun)
        finally:
            self._attempt = self._held = self.young = None
        await end_held(self._deps, owned)
        if attempt.cancelled():
            if not self._interrupted:
                raise ClaimLost  # ``revalidate_claims`` cancelled it.
            runner.timeline.set_aside(self._deps.trail)  # They said stop, new, more of a burst, or what interrupts.
            self._cut = turn
            return True
        if isinstance(outcome := attempt.result(), Exception):
            raise outcome
        self._deps.steps("ran")
        if self.steering is not None and outcome.parks is None:
            handled = self.steering.with_joined(handled, owned.said)
        with runner.timeline.ending(outcome.kind, self._deps.trail, self._outbox.why_not):
            commit = await runner.held.commit(outcome, handled.drop, asked.left)
            done = self._deps.titles.after(owned, asked, outcome, runner.timeline.committed)
            await self._commit(owned, commit, handled, done)
        self._report.update(outcome="answered", turns=self._report["turns"] + 1)
        self._report["messages"] += len(asked.messages) + len(asked.joined)
        return False

    def _begun(self, attempt: Attempt) -> None:
        self._attempt = attempt

    async def _park(self, owned: OwnedSession, plan: plans.Park) -> bool:
        """Do what a parked turn needs, or let its session rest. Returns as ``_step`` does."""
        if isinstance(plan.step, Rest):
            self._rest = plan.step
            return True
        commit = await commit_of_parked(self._deps, owned, self._spending, plan, plan.step)
        await self._commit(owned, commit, plan.handled)
        return isinstance(plan.step, Noted)

    async def _control(self, owned: OwnedSession, plan: plans.Control) -> None:
        """Carry out a control word."""
        history = await kept_history(self._deps, owned, self._spending, plan.begun, self._cut)
        await self._commit(owned, await control_commit(self._deps, owned, plan, history), plan.handled)

    async def _commit(
        self, owned: OwnedSession, commit: Commit, handled: plans.Handled, done: Callable[[], None] = lambda: None
    ) -> None:
        commit = in_trace(self._spending.with_commit(commit), handled.trace)
        try:
            # A commit that drops nothing leaves the head as it was.
            isolate, said = (handled.isolate_next, handled.said) if commit.drop else (owned.isolate_next, None)
            written = await owned.commit(commit, isolate_next=isolate, said=said)
        except ClaimLost:
            self._spending.not_committed(commit)
            raise
        self._cut = None
        done()
        self._deps.steps("committed")
        await self._outbox.deliver(owned, written, more=self._waiting > handled.drop)
