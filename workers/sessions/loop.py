"""One session's turn loop: claim, run, commit, deliver, next, until nothing is left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from tasks import metrics
from tasks.envelope import Inbound, Reply
from tasks.errors import ClaimLost, EnvelopeTooNew, StoreUnavailable
from tasks.ports import ELSEWHERE, TurnReport
from tasks.session import SessionKey
from tasks.store.sessions import READ_AHEAD, Commit, Held, Work
from tasks.telemetry import bind_fields
from workers.sessions import edits, planner, texts
from workers.sessions.control_replies import word_commit
from workers.sessions.dependencies import Parts
from workers.sessions.outbox import Outbox
from workers.sessions.owned_session import OwnedSession, persist
from workers.sessions.spending import Spending
from workers.sessions.turn_runner import Outcome, TurnRunner

log = logging.getLogger("cohort.turns")

_FETCH_AGAIN_S = 0.5
"""While a turn of the group that became this supergroup still runs."""


class TurnLoop:
    """The only writer of its session while its claim stands."""

    def __init__(self, parts: Parts, session: SessionKey, *, draining: Callable[[], bool]) -> None:
        self._parts = parts
        self._session = session
        self._draining = draining
        self._outbox = Outbox(parts.delivery, clock=parts.clock, sleep=parts.sleep, steps=parts.steps)
        self._claimed: OwnedSession | None = None
        self._attempt: asyncio.Task[Outcome | Exception] | None = None
        self._taken = 0
        self._said: edits.Said = {}
        self._interrupted = False
        self._report: TurnReport = {"outcome": "idle", "turns": 0, "messages": 0}
        self._spending = Spending(session, parts.sessions, parts.settings, parts.clock)

    def interrupt(self) -> None:
        """Have the inbox looked at again before anything else; a running turn is cancelled, its messages stay in it."""
        # Once: a second cancellation would tear up what the first one lets end in good order.
        if self._attempt is not None and not self._interrupted:
            self._attempt.cancel()
        self._interrupted = True

    async def interrupt_if_newer(self) -> None:
        """What came is to interrupt the running turn, unless that is the one that answers it, or comes after it."""
        attempt = self._attempt
        with suppress(StoreUnavailable):
            if attempt is not None:
                behind = await self._parts.sessions.behind(self._session, self._taken)
                if not planner.is_news(behind, self._said):
                    return
            # If that turn has ended by now, its successor looks once more than it need.
            self.interrupt()

    async def revalidate_claims(self) -> None:
        """This process was paused for longer than its claims hold: end the running turn if it is somebody else's."""
        attempt = self._attempt
        if attempt is None or self._claimed is None:
            return
        try:
            await self._claimed.verify_claim()
        except ClaimLost:
            attempt.cancel()

    @property
    def at_work(self) -> bool:
        """Whether a turn is running (not merely delivering)."""
        return self._attempt is not None

    async def run(self) -> TurnReport:
        """Work until nothing is left, or the claim is lost, or the worker drains; waits for Redis while it is away.

        Raises:
            asyncio.CancelledError: the worker's grace time is over; the session was handed off.
            Exception: a defect; likewise, and it counts as a try of the message at work.
        """
        parts = self._parts
        self._report = {"outcome": "idle", "turns": 0, "messages": 0}
        self._interrupted = False
        # Not knowing whether it is ours would leave it to nobody, so the answer is waited for.
        since = parts.pulse.now()
        claim = await persist(
            lambda: parts.sessions.claim(self._session, parts.incarnation), self._session, parts.sleep
        )
        if isinstance(claim, Held):
            return ELSEWHERE
        bind_fields(epoch=claim.epoch)
        parts.steps("claimed")
        claimed = self._claimed = OwnedSession(
            parts.sessions, parts.moves, claim, pulse=parts.pulse, sleep=parts.sleep, since=since
        )
        try:
            await self._work(claimed, claim.work)
        except ClaimLost:
            log.warning("claim.lost")
            self._report["outcome"] = "elsewhere"
        except EnvelopeTooNew as problem:
            log.warning("session.left", extra={"reason": str(problem)})
            await claimed.hand_off()
        except Exception:
            await claimed.hand_off(counts=True)
            raise
        except BaseException:
            await claimed.hand_off_at_last()
            raise
        finally:
            # What no commit took along.
            await self._spending.count()
        return self._report

    async def _work(self, claimed: OwnedSession, work: Work | None) -> None:
        new = claimed.moved
        if new is not None and work is not None and (work.inbox or work.outbox or not claimed.is_blank):
            # It was not fetched yet, or something came late, for the group that is no more.
            await self._move(claimed, new, ())
        while work is not None:
            again = False
            if work.outbox:
                await self._outbox.deliver(claimed, work.outbox)
            elif self._draining() and (work.inbox or work.awaits):
                await claimed.hand_off()
                return
            elif work.awaits:
                again = await self._fetch(claimed, SessionKey.parse(work.awaits))
            elif work.inbox:
                again = await self._step(claimed, work)
            self._interrupted = False
            work = await claimed.advance(again=again)

    async def _step(self, claimed: OwnedSession, work: Work) -> bool:
        """Do the next thing. Returns whether the head was only set aside (so its try does not count).

        Raises:
            EnvelopeTooNew: a worker of a newer release has to.
        """
        inbox = work.inbox if len(work.inbox) < READ_AHEAD else await claimed.whole_inbox()
        plan = planner.decide(
            inbox,
            tries=work.tries,
            mode=self._parts.settings.queue_mode,
            now=self._parts.clock.now(),
            together=claimed.together,
            suspects=claimed.suspects,
            said=claimed.said,
        )
        match plan:
            case planner.Run(ends, messages):
                if len(messages) > 1:
                    await claimed.note_together(ends.drop)
                return await self._turn(claimed, ends, messages)
            case planner.Retry(ends):
                if failed := claimed.failed_messages():
                    return await self._turn(claimed, ends, failed, retry=True)
                await self._say(claimed, planner.Answer(ends, texts.NOTHING_TO_RETRY, {}))
            case planner.Compact(ends, to):
                return await self._turn(claimed, ends, (to,))
            case planner.Answer():
                await self._say(claimed, plan)
            case planner.Bury():
                await self._bury(claimed, plan)
            case planner.Ignore(ends):
                await self._commit(claimed, Commit(ends.drop), ends)
            case _:
                return await self._wait(claimed, plan)
        return False

    async def _wait(self, claimed: OwnedSession, plan: planner.Wait | planner.Move | planner.LeaveIt) -> bool:
        """Nothing is begun here now. Returns as ``_step``, and raises what it raises."""
        match plan:
            case planner.Wait(seconds):
                await self._parts.sleep(seconds)
            case planner.Move(chat, entries):
                old = claimed.session
                await self._move(claimed, SessionKey(old.bot, chat, old.topic, old.business), entries)
            case planner.LeaveIt(reason):
                raise EnvelopeTooNew(reason)
        return True

    async def _move(self, claimed: OwnedSession, new: SessionKey, entries: Sequence[bytes]) -> None:
        """The group became a supergroup: its session is let go, and goes on as ``new``.

        Raises:
            ClaimLost: it was let go.
        """
        await claimed.leave(new, entries)
        # An entry that came along with what was fetched names the session in which it stands.
        if new != claimed.session:
            log.info("session.moved", extra={"moved": str(new)})
            raise ClaimLost

    async def _fetch(self, claimed: OwnedSession, old: SessionKey) -> bool:
        """Go on with what is left in ``old``. Returns whether the head of the inbox is still the same."""
        replaced = await claimed.fetch(old)
        if replaced is None:
            await self._parts.sleep(_FETCH_AGAIN_S)
            return True
        log.info("session.fetched", extra={"moved": str(old)})
        return not replaced

    async def _turn(
        self, claimed: OwnedSession, ends: planner.Ends, messages: Sequence[Inbound], *, retry: bool = False
    ) -> bool:
        if self._interrupted:
            # Whatever it is came after the inbox was read.
            return True
        attempts = TurnRunner(self._parts, claimed, messages, self._spending, answers=ends.answers, retry=retry)
        clock, begun = self._parts.clock, self._parts.clock.monotonic()
        for message in messages:
            metrics.WAIT_SECONDS.observe(max(clock.now() - message.at, 0.0))
        self._taken, self._said = ends.drop, edits.joined(claimed.said, ends.said)
        try:
            async with asyncio.TaskGroup() as group:
                attempt = group.create_task(_kept(attempts.outcome()), name=f"turn {self._session}")
                counting = group.create_task(self._spending.counting(), name=f"spending {self._session}")
                attempt.add_done_callback(lambda _: counting.cancel())
                self._attempt = attempt
        finally:
            self._attempt = None
        if attempt.cancelled():
            if not self._interrupted:
                raise ClaimLost
            # Its user said stop, new, or (interrupt mode) something else.
            metrics.TURNS.labels("set_aside").inc()
            return True
        outcome = attempt.result()
        if isinstance(outcome, Exception):
            raise outcome
        self._parts.steps("ran")
        await self._commit(claimed, outcome.commit(ends.drop), ends)
        metrics.TURNS.labels("answered" if outcome.add else "refused").inc()
        metrics.TURN_SECONDS.observe(clock.monotonic() - begun)
        self._report["outcome"] = "answered"
        self._report["turns"] += 1
        self._report["messages"] += len(messages)
        return False

    async def _say(self, claimed: OwnedSession, plan: planner.Answer) -> None:
        """Answer a control word."""
        await self._commit(claimed, await word_commit(self._parts, claimed, plan), plan.ends)

    async def _bury(self, claimed: OwnedSession, plan: planner.Bury) -> None:
        """Give up on the head of the inbox; of a Retry also on what it was to try again."""
        log.error("message.buried", extra={"reason": plan.letter.reason})
        said = texts.POISON if plan.to else texts.UNREADABLE
        reply = Reply(text=said, edit=claimed.live, answers=plan.ends.answers)
        letters = [plan.letter.model_copy(update={"session": str(self._session)})]
        retried = plan.to is not None and plan.to.kind == "retry"
        if retried:
            reason, at = plan.letter.reason, plan.letter.at
            letters += [planner.letter(message, reason, at) for message in claimed.failed_messages()]
        unset = ("failed",) if retried else ()
        await self._commit(claimed, Commit(plan.ends.drop, (reply,), unset=unset, dead=letters), plan.ends)

    async def _commit(self, claimed: OwnedSession, commit: Commit, ends: planner.Ends) -> None:
        commit = self._spending.with_commit(commit)
        try:
            written = await claimed.commit(commit, suspects=ends.suspects, said=ends.said)
        except ClaimLost:
            self._spending.not_committed(commit)
            raise
        self._parts.steps("committed")
        metrics.DEAD.inc(len(commit.dead))
        await self._outbox.deliver(claimed, written)


async def _kept(outcome: Awaitable[Outcome]) -> Outcome | Exception:
    """An exception as a value: out of a TaskGroup it would come wrapped, and hide a cancellation."""
    try:
        return await outcome
    except Exception as problem:  # noqa: BLE001 - it is raised again where it can be told apart
        return problem
