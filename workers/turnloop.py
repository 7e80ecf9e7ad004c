"""One session's turn loop: claim, run, commit, deliver, next, until nothing is left."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import random

from tasks.clock import Clock
from tasks.envelope import Inbound, Reply
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.ports import TurnReport
from tasks.session import SessionKey
from tasks.settings import Settings
from tasks.store.sessions import READ_AHEAD, Claim, Commit, Held, SessionStore, Work
from workers import turn, words
from workers.alerts import Alerts
from workers.attempts import Attempts, Outcome
from workers.outbox import Outbox
from workers.ports import AgentRuntime, Delivery

log = logging.getLogger("cohort.turns")

type Steps = Callable[[str], None]
"""Told the name of each step as it is passed; test builds end the process there."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every turn loop of this worker works with."""

    incarnation: str
    settings: Settings
    sessions: SessionStore
    runtime: AgentRuntime
    delivery: Delivery
    alerts: Alerts
    clock: Clock
    steps: Steps


class TurnLoop:
    """The only writer of its session while its claim stands."""

    def __init__(self, parts: Parts, session: SessionKey, *, draining: Callable[[], bool]) -> None:
        self._parts = parts
        self._session = session
        self._draining = draining
        self._outbox = Outbox(parts.sessions, parts.delivery, persist=self._persist, steps=parts.steps)
        self._attempt: asyncio.Task[Outcome] | None = None
        self._report: TurnReport = {"outcome": "idle", "turns": 0, "messages": 0}

    def interrupt(self) -> None:
        """Cancel the running turn; its messages stay in the inbox, where a control word now stands behind them."""
        if self._attempt is not None:
            self._attempt.cancel()

    @property
    def at_work(self) -> bool:
        """Whether a turn is running (not merely delivering)."""
        return self._attempt is not None

    async def run(self) -> TurnReport:
        """Work until nothing is left, or the claim is lost, or the worker drains.

        Raises:
            StoreUnavailable: the session could not even be claimed; nothing was begun.
            asyncio.CancelledError: the worker's grace time is over; the session was handed off.
        """
        claim = await self._parts.sessions.claim(self._session, self._parts.incarnation)
        if isinstance(claim, Held):
            return {"outcome": "elsewhere", "turns": 0, "messages": 0}
        self._parts.steps("claimed")
        try:
            await self._work(claim)
        except ClaimLost:
            log.warning("claim.lost", extra={"session": str(self._session), "epoch": claim.epoch})
            self._report["outcome"] = "elsewhere"
        except BaseException:
            # Cancelled, or a defect: either way the next owner finds the work where it was.
            with suppress(StoreUnavailable):
                await self._parts.sessions.hand_off(claim)
            raise
        return self._report

    async def _work(self, claim: Claim) -> None:
        state = _State(claim)
        work: Work | None = claim.work
        await self._outbox.deliver(claim, work.outbox)
        if work.outbox or not work.inbox:
            work = await self._advance(claim)
        while work is not None:
            if work.outbox:
                await self._outbox.deliver(claim, work.outbox)
                work = await self._advance(claim)
            elif self._draining():
                await self._persist(lambda: self._parts.sessions.hand_off(claim))
                return
            else:
                again = await self._step(claim, state, work)
                if again is None:
                    return
                work = await self._advance(claim, again=again)

    async def _step(self, claim: Claim, state: "_State", work: Work) -> bool | None:
        """Do the next thing. Returns whether the head was only set aside (so its try does not count); None: leave."""
        inbox = work.inbox
        if len(inbox) >= READ_AHEAD:
            inbox = await self._persist(lambda: self._parts.sessions.whole_inbox(claim))
        mode = self._parts.settings.queue_mode
        plan = turn.decide(inbox, tries=work.tries, mode=mode, now=self._parts.clock.now())
        match plan:
            case turn.Run(messages, drop):
                return await self._turn(claim, state, messages, drop)
            case turn.Retry(drop, to):
                failed = state.failed()
                if not failed:
                    await self._say(claim, state, turn.Answer(drop, words.NOTHING_TO_RETRY, to, {}))
                    return False
                return await self._turn(claim, state, failed, drop)
            case turn.Compact(drop, to):
                return await self._turn(claim, state, (to,), drop)
            case turn.Answer():
                await self._say(claim, state, plan)
            case turn.Bury(drop, letter, to):
                log.error("message.buried", extra={"session": str(self._session), "reason": letter.reason})
                said = words.POISON if to else words.UNREADABLE
                reply = Reply(text=said, edit=state.live, answers=(to.update_id,) if to else ())
                await self._commit(claim, state, Commit(drop, (reply,), dead=(letter,)))
            case turn.Wait(seconds):
                await asyncio.sleep(seconds)
                return True
            case turn.LeaveIt(reason):
                log.warning("session.left", extra={"session": str(self._session), "reason": reason})
                await self._parts.sessions.hand_off(claim)
                return None
        return False

    async def _turn(self, claim: Claim, state: "_State", messages: Sequence[Inbound], drop: int) -> bool:
        attempts = Attempts(self._parts, claim, self._persist)
        asked = attempts.request(
            messages, history=state.history, agent=state.choice("agent"), model=state.choice("model"), live=state.live
        )
        async with asyncio.TaskGroup() as group:
            self._attempt = group.create_task(asked, name=f"turn {self._session}")
        attempt, self._attempt = self._attempt, None
        state.live, state.shown = attempts.live, attempts.shown
        if attempt.cancelled():
            # Its user said stop, new, or (interrupt mode) something else.
            return True
        outcome = attempt.result()
        self._parts.steps("ran")
        await self._commit(claim, state, outcome.commit(drop))
        self._report["outcome"] = "answered"
        self._report["turns"] += 1
        self._report["messages"] += len(messages)
        return False

    async def _say(self, claim: Claim, state: "_State", plan: turn.Answer) -> None:
        """Answer a control word; a stopped turn's partial text stays, marked as stopped."""
        said, edit = plan.words, None
        if not plan.forget:
            edit = state.live
            said = f"{state.shown}\n\n_{said}_" if state.live and state.shown else said
        replies = self._parts.delivery.render(said, edit=edit, reply_to=None)
        replies = tuple(reply.model_copy(update={"answers": (plan.to.update_id,)}) for reply in replies)
        forget = ("history", "failed") if plan.forget else ()
        kept = {name: value for name, value in plan.set.items() if value}
        unset = tuple(name for name, value in plan.set.items() if not value)
        await self._commit(claim, state, Commit(plan.drop, replies, set=kept, unset=(*unset, *forget)))

    async def _commit(self, claim: Claim, state: "_State", commit: Commit) -> None:
        written = await self._persist(lambda: self._parts.sessions.commit(claim, commit))
        self._parts.steps("committed")
        state.committed(commit)
        await self._outbox.deliver(claim, written)

    async def _advance(self, claim: Claim, *, again: bool = False) -> Work | None:
        return await self._persist(lambda: self._parts.sessions.advance(claim, again=again))

    async def _persist[T](self, write: Callable[[], Awaitable[T]]) -> T:
        """Do it as soon as Redis lets us: what a turn gave must not be lost to a pause of Redis.

        Raises:
            ClaimLost: somebody else owns the session by then.
        """
        pause = 0.1
        while True:
            try:
                return await write()
            except StoreUnavailable as problem:
                log.warning("store.unavailable", extra={"session": str(self._session), "problem": str(problem)})
                await asyncio.sleep(pause * (0.5 + random()))  # noqa: S311 - spreads load, guards nothing
                pause = min(pause * 2, 5.0)


class _State:
    """What the loop remembers of the session's state, so that it need not be read again after each commit."""

    def __init__(self, claim: Claim) -> None:
        self._fields = dict(claim.state)
        self.history = self._fields.get("history") or None
        live = self._fields.get("live")
        self.live: int | None = int(live) if live else None
        self.shown = ""

    def choice(self, name: str) -> str | None:
        value = self._fields.get(name)
        return value.decode() if value else None

    def failed(self) -> tuple[Inbound, ...]:
        """The messages of the last turn that was given up for an outage."""
        raw = self._fields.get("failed")
        return tuple(Inbound.from_json(entry) for entry in json.loads(raw)) if raw else ()

    def committed(self, commit: Commit) -> None:
        for name in commit.unset:
            self._fields.pop(name, None)
            if name == "history":
                self.history = None
        for name, value in commit.set.items():
            self._fields[name] = value.encode()
        if commit.history is not None:
            self.history = commit.history
        self.live, self.shown = None, ""
