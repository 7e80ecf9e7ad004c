"""A session's turn loop: claim the session, then plan, run, commit and deliver until nothing is left."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from tasks import metrics
from tasks.envelope import Inbound
from tasks.errors import ClaimLost, EnvelopeTooNew, StoreUnavailable
from tasks.ports import ELSEWHERE, TurnReport
from tasks.session import SessionKey
from tasks.store.sessions import READ_AHEAD, Commit, Held, Work
from tasks.telemetry import bind_fields
from workers import texts
from workers.sessions import edits, planner
from workers.sessions.again import undo_commit, what_again
from workers.sessions.attempt import Attempt, attempted
from workers.sessions.control_replies import control_commit, give_up_commit
from workers.sessions.cut_turn import CutTurn, interrupted, of_dead_worker
from workers.sessions.dependencies import Dependencies
from workers.sessions.moving import fetch, move
from workers.sessions.outbox import Outbox
from workers.sessions.owned_session import OwnedSession, persist
from workers.sessions.spending import Spending
from workers.sessions.turn_runner import Asked, TurnRunner

log = logging.getLogger("cohort.turns")


class TurnLoop:
    """Works on one session. It is the session's only writer while its claim stands."""

    def __init__(self, deps: Dependencies, session: SessionKey, *, draining: Callable[[], bool]) -> None:
        self._deps = deps
        self._session = session
        self._draining = draining
        self._outbox = Outbox(deps)
        self._owned: OwnedSession | None = None
        self._attempt: Attempt | None = None
        """The running turn."""
        self._taken = 0
        """How many inbox entries the running turn took."""
        self._said: edits.Said = {}
        """Fingerprints of what those entries and the ones before them say."""
        self._among = False
        self._interrupted = False
        """The inbox has to be read again before the next turn."""
        self._cut: CutTurn | None = None
        """The turn that was cancelled, until its messages are handled."""
        self._report: TurnReport = {"outcome": "idle", "turns": 0, "messages": 0}
        self._spending = Spending(session, deps.sessions, deps.settings, deps.clock)

    def interrupt(self) -> None:
        """Cancel the running turn and read the inbox again; the turn's messages stay there."""
        # Only once: a second cancellation would break off the cleanup that the first one started.
        if self._attempt is not None and not self._interrupted:
            self._attempt.cancel()
        self._interrupted = True

    async def interrupt_if_newer(self) -> None:
        """Interrupt the running turn if the inbox now holds more entries than that turn took.

        A call that comes late, when a later turn runs, finds the inbox as that turn took it and does nothing.
        """
        attempt = self._attempt
        with suppress(StoreUnavailable):
            if attempt is not None:
                behind = await self._deps.sessions.behind(self._session, self._taken)
                if not planner.is_news(behind, self._said):
                    return
            # That turn may have ended during the read. Then the next turn reads the inbox once more than it needs to.
            self.interrupt()

    @property
    def interrupts(self) -> bool:
        """Whether a message ends the running turn; before the claim that is not known, and the inbox is read again."""
        return self._owned is None or self._owned.effective("queue", self._deps.settings) == "interrupt"

    async def revalidate_claims(self) -> None:
        """End the running turn if another worker owns the session now; called when the heartbeat may have expired."""
        attempt = self._attempt
        if attempt is None or self._owned is None:
            return
        try:
            await self._owned.verify_claim()
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
        deps = self._deps
        self._report = {"outcome": "idle", "turns": 0, "messages": 0}
        self._interrupted, self._cut = False, None
        # The claim may have been won although its answer was lost. Giving up here would leave the session to a worker
        # that does not work on it, so the claim is repeated until Redis answers.
        since = deps.heartbeat.now()
        claim = await persist(lambda: deps.sessions.claim(self._session, deps.incarnation), self._session, deps.sleep)
        if isinstance(claim, Held):
            return ELSEWHERE
        bind_fields(epoch=claim.epoch)
        deps.steps("claimed")
        owned = self._owned = OwnedSession(deps, claim, since=since)
        try:
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
            # Model calls that no commit has counted.
            await self._spending.count()
        return self._report

    async def _work(self, owned: OwnedSession, work: Work | None) -> None:
        new = owned.migrated_to
        while work is not None:
            if new is not None and (work.inbox or work.outbox or not owned.is_blank):
                # The group is a supergroup now. Its work is not fetched yet, or an entry came late for the old id,
                # perhaps since the claim: a turn under the old id would begin a second history.
                await move(owned, new, ())
            again = False
            if work.outbox:
                await self._outbox.deliver(owned, work.outbox)
            elif self._draining() and (work.inbox or work.migrating_from):
                await owned.hand_off()
                return
            elif work.migrating_from:
                again = await fetch(self._deps, owned, SessionKey.parse(work.migrating_from))
            elif work.inbox:
                again = await self._step(owned, work)
            self._interrupted = False
            work = await owned.advance(again=again)

    async def _step(self, owned: OwnedSession, work: Work) -> bool:
        """Plan and do the next step.

        Returns:
            Whether the head of the inbox was only set aside; then its try does not count.

        Raises:
            EnvelopeTooNew: a worker of a newer release has to do it.
        """
        inbox = work.inbox if len(work.inbox) < READ_AHEAD else await owned.whole_inbox()
        earlier = planner.Earlier(work.tries, owned.batch_size, owned.isolate_next, owned.said, owned.mark)
        if self._cut is not None:
            earlier = replace(earlier, cut=self._cut.taken, spoke=self._cut.spoke(owned))
        plan = planner.decide(
            inbox,
            earlier,
            mode=owned.effective("queue", self._deps.settings),
            now=self._deps.clock.now(),
        )
        if isinstance(plan, planner.Run | planner.Retry | planner.Compact):
            owned.ensure_readable()
            # Others wait behind it, or it waited itself: its answer does not come right below it.
            self._among = len(inbox) > plan.handled.drop or self._report["turns"] > 0
            return await self._begin(owned, plan)
        match plan:
            case planner.Control():
                await self._control(owned, plan)
            case planner.Undo(handled):
                await self._commit(owned, await undo_commit(self._deps, owned, handled), handled)
            case planner.GiveUp():
                log.error("message.buried", extra={"reason": plan.letter.reason})
                await self._commit(owned, give_up_commit(self._deps, owned, plan), plan.handled)
            case planner.Interrupted(handled):
                commit = await interrupted(self._deps, owned, self._cut, handled)
                await self._commit(owned, commit, handled)
            case planner.Skip(handled):
                await self._commit(owned, Commit(handled.drop), handled)
            case _:
                return await self._wait(owned, plan)
        return False

    async def _begin(self, owned: OwnedSession, plan: planner.Run | planner.Retry | planner.Compact) -> bool:
        """Run the agent. Returns as ``_step`` does."""
        match plan:
            case planner.Run(handled, messages):
                if len(messages) > 1:
                    await owned.note_batch_size(handled.drop)
                return await self._turn(owned, handled, messages)
            case planner.Retry(handled, by):
                again = what_again(owned, by)
                if again.messages:
                    return await self._turn(owned, handled, again.messages, retry=again.batch)
                await self._control(owned, planner.Control(handled, texts.NOTHING_TO_RETRY, {}))
                return False
            case planner.Compact(handled, to):
                return await self._turn(owned, handled, (to,))

    async def _wait(self, owned: OwnedSession, plan: planner.Wait | planner.Move | planner.HandOff) -> bool:
        """Begin no turn now. Returns and raises as ``_step`` does."""
        match plan:
            case planner.Wait(seconds):
                await self._deps.sleep(seconds)
            case planner.Move(chat, entries):
                old = owned.session
                await move(owned, SessionKey(old.bot, chat, old.topic, old.business), entries)
            case planner.HandOff(reason):
                raise EnvelopeTooNew(reason)
        return True

    async def _turn(
        self, owned: OwnedSession, handled: planner.Handled, messages: Sequence[Inbound], *, retry: bool = False
    ) -> bool:
        if self._interrupted:
            # A newer entry came after the inbox was read, so the plan may be out of date.
            return True
        asked = Asked(tuple(messages), handled.answers, retry=retry, among=self._among)
        runner = TurnRunner(self._deps, owned, self._spending, asked)
        clock, begun = self._deps.clock, self._deps.clock.monotonic()
        for message in messages:
            metrics.WAIT_SECONDS.observe(max(clock.now() - message.at, 0.0))
        self._taken, self._said, self._cut = handled.drop, edits.joined(owned.said, handled.said), None
        try:
            attempt = await attempted(runner, self._spending, self._session, self._begun)
        finally:
            self._attempt = None
        if attempt.cancelled():
            if not self._interrupted:
                # ``revalidate_claims`` cancelled it.
                raise ClaimLost
            # The user said stop or new, or (in interrupt mode) anything else.
            metrics.TURNS.labels("set_aside").inc()
            self._cut = CutTurn(messages, runner.journal, handled.drop)
            return True
        outcome = attempt.result()
        if isinstance(outcome, Exception):
            raise outcome
        self._deps.steps("ran")
        await self._commit(owned, outcome.commit(handled.drop), handled)
        metrics.TURNS.labels("answered" if outcome.add else "refused").inc()
        metrics.TURN_SECONDS.observe(clock.monotonic() - begun)
        self._report["outcome"] = "answered"
        self._report["turns"] += 1
        self._report["messages"] += len(messages)
        return False

    def _begun(self, attempt: Attempt) -> None:
        self._attempt = attempt

    async def _control(self, owned: OwnedSession, plan: planner.Control) -> None:
        """Carry out a control word."""
        history: bytes | None = None
        if plan.begun is not None:
            cut = self._cut or await of_dead_worker(owned, self._spending, plan.begun)
            history = await cut.history(self._deps, owned)
        await self._commit(owned, await control_commit(self._deps, owned, plan, history), plan.handled)

    async def _commit(self, owned: OwnedSession, commit: Commit, handled: planner.Handled) -> None:
        commit = self._spending.with_commit(commit)
        try:
            written = await owned.commit(commit, isolate_next=handled.isolate_next, said=handled.said)
        except ClaimLost:
            self._spending.not_committed(commit)
            raise
        self._cut = None
        self._deps.steps("committed")
        metrics.DEAD.inc(len(commit.dead))
        await self._outbox.deliver(owned, written)
