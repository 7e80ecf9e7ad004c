"""The scheduler of a worker: one turn loop for each session that is awake, woken by doorbells and sweeps."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from tasks.ports import ELSEWHERE, TurnReport, report
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.telemetry.logs import bind_fields
from tasks.waiting import came_within
from workers.sessions.dependencies import Dependencies
from workers.sessions.loop import TurnLoop
from workers.sessions.one_message import forget
from workers.sessions.ownership.takeover import free

log = logging.getLogger("cohort.scheduler")

_CHAT_SHARE = 4
"""A chat with many topics has at most one in so many of the sessions awake that a sweep may keep awake."""

type _Party = tuple[int, int, str | None] | int
"""A chat, or one of several bots."""


def _chat_of(session: SessionKey) -> _Party:
    return session.bot, session.chat, session.business


def _in_line(loop: TurnLoop) -> bool:
    """Whether its turn waits for a lane, and has done nothing here."""
    return loop.at_work and loop.owned is not None and loop.owned.tries.in_line


_JOINED = report("joined")


class SessionScheduler:
    """Owns all turn loops of this process. It is used in the loop thread only."""

    def __init__(
        self,
        deps: Dependencies,
        group: asyncio.TaskGroup,
        *,
        capacity: int,
        paused: Callable[[SessionKey], bool] = lambda _: False,
    ) -> None:
        """Prepare a scheduler without loops.

        Args:
            deps: What every turn loop is given.
            group: The loops run as its children.
            capacity: How many sessions a sweep may keep awake.
            paused: Whether a session begins no turn now.
        """
        self._paused = paused
        self._deps = deps
        self._group = group
        self.capacity = capacity
        """How many sessions a sweep may keep awake."""
        self._loops: dict[SessionKey, tuple[TurnLoop, asyncio.Task[TurnReport]]] = {}
        self._swept: set[SessionKey] = set()
        """Sessions that a sweep woke and that are still awake."""
        self._handed_back: set[SessionKey] = set()
        """Sessions awake that end for the new owner of their slot."""
        self._slots: frozenset[int] | None = None
        """The slots that this worker serves; None until it is given some, and in a session's own process."""
        self._awake_of: Counter[_Party] = Counter()
        self._per_chat = max(1, capacity // _CHAT_SHARE)
        self._queued: dict[_Party, dict[SessionKey, None]] = {}
        """Sessions that had a doorbell and wait until others of their chat or bot sleep, in the order of these."""
        self.turns = 0
        """Turns answered since this worker started."""
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    async def visit(self, session: SessionKey) -> TurnReport:
        """Answer a doorbell: wake the session and wait until its loop ends.

        Returns at once if the session is awake already, or if its chat (or its bot, of several) has too many sessions
        awake and this one has to wait. A doorbell that waited for those would hold a place that another one needs.
        """
        if session in self._loops:
            loop = self._loops[session][0]
            loop.arrivals.came()
            await loop.look()
            if loop.interrupts:
                await loop.interrupt_if_newer()
            elif loop.young is not None and loop.young.is_young:
                await loop.interrupt_if_newer(young=loop.young)
            return _JOINED
        if self._is_elsewhere(session):
            # This worker took the doorbell along when the slot moved; the new owner sweeps.
            return ELSEWHERE
        return await self._begin(session)

    async def _begin(self, session: SessionKey) -> TurnReport:
        if self._draining or self._paused(session):
            return ELSEWHERE
        if self._waits(session):
            return _JOINED
        return await asyncio.shield(self._wake(session))

    @property
    def room(self) -> int:
        """How many sessions a sweep may wake now.

        Sessions that doorbells woke do not count. If they did, a steady flow of doorbells would keep sweeps from the
        sessions whose doorbell was lost.
        """
        return 0 if self._draining else max(0, self.capacity - len(self._swept))

    def sweep(self, sessions: Sequence[SessionKey]) -> int:
        """Wake those of ``sessions`` that sleep, as far as there is room; returns how many."""
        woken = 0
        for session in sessions:
            if not self.room:
                break
            if not (session in self._loops or self._paused(session) or self._full(session)):
                self._swept.add(session)
                self._wake(session)
                woken += 1
        return woken

    def interrupt(self, session: SessionKey) -> None:
        """A control word is in the inbox: end the running turn, unless that turn has taken the word already.

        Each worker hears of it. Where the turn's worker died, another one carries the word out.
        """
        if session in self._loops:
            loop = self._loops[session][0]
            loop.arrivals.came()
            self._group.create_task(loop.interrupt_if_newer(), name=f"control {session}")
        elif not self._draining and not self._paused(session):
            self._group.create_task(self._take_over(session), name=f"takeover {session}")

    async def _take_over(self, session: SessionKey) -> None:
        if await free(self._deps, session):
            await (self.visit(session) if session in self._loops else self._begin(session))

    async def taken(self, session: SessionKey) -> None:
        """Another worker took the session, because this one's heartbeat stood still: end its turn."""
        if session in self._loops:
            await self._loops[session][0].revalidate_claims()

    def serves(self, slots: frozenset[int]) -> None:
        """Slots moved: this worker has these now."""
        self._slots = slots

    def hand_back(self) -> int:
        """Let go of sessions of slots that moved whose turns have not begun: they wait for a lane here.

        Their new owners find them with their next sweep, and may have a lane that is free.

        Returns:
            How many.
        """
        waiting = [
            (session, loop)
            for session, (loop, _) in self._loops.items()
            if _in_line(loop) and self._is_elsewhere(session)
        ]
        for session, loop in waiting:
            self._handed_back.add(session)
            loop.interrupt()
        return len(waiting)

    def _is_elsewhere(self, session: SessionKey) -> bool:
        return self._slots is not None and slot_of(session, self._deps.settings.slots) not in self._slots

    def _ends(self, session: SessionKey) -> bool:
        return self._draining or session in self._handed_back or self._paused(session)

    def has(self, session: SessionKey) -> bool:
        """Whether the session is awake."""
        return session in self._loops

    async def end(self, session: SessionKey) -> None:
        """The session was erased: end its turn, whose writes would be refused anyway, and wait until it has ended."""
        if session in self._loops:
            task = self._loops[session][1]
            task.cancel()
            await asyncio.wait([task])

    async def revalidate_claims(self) -> None:
        """End the turns of sessions that other workers own now; called when the heartbeat may have expired."""
        for loop, _ in tuple(self._loops.values()):
            await loop.revalidate_claims()

    @property
    def awake(self) -> int:
        """Sessions with a turn loop."""
        return len(self._loops)

    @property
    def at_work(self) -> int:
        """Sessions with a running turn."""
        return sum(1 for loop, _ in self._loops.values() if loop.at_work)

    async def drain(self, grace_s: float) -> Sequence[SessionKey]:
        """Start no further turn, wait ``grace_s`` seconds for the running ones, then cancel them.

        Returns:
            The sessions that may have been handed off with work left; their new owners get a doorbell for each.
        """
        self._draining = True
        awake = (*self._loops, *(session for waiting in self._queued.values() for session in waiting))
        self._queued.clear()
        if not await came_within(self._empty, grace_s):
            log.warning("drain.handed_back", extra={"sessions": len(self._loops)})
            tasks = [task for _, task in self._loops.values()]
            for task in tasks:
                task.cancel()
            # Wait for the tasks themselves: one cancelled before its first step never runs its `finally`.
            if tasks:
                await asyncio.wait(tasks)
        return awake

    def _wake(self, session: SessionKey) -> "asyncio.Task[TurnReport]":
        self._awake_of.update(self._parties(session))
        loop = TurnLoop(self._deps.of(session), session, draining=lambda: self._ends(session))
        task = self._group.create_task(self._run_loop(session, loop), name=f"session {session}")
        self._loops[session] = loop, task
        self._empty.clear()
        return task

    async def _run_loop(self, session: SessionKey, loop: TurnLoop) -> TurnReport:
        bind_fields(session=str(session))
        total, began = report("idle"), self._deps.clock.monotonic()
        try:
            while True:
                done = await loop.run()
                total["turns"] += done["turns"]
                self.turns += done["turns"]
                total["messages"] += done["messages"]
                total["tokens"] = done["tokens"]
                total["seconds"] = round(self._deps.clock.monotonic() - began, 1)
                total["outcome"] = "answered" if total["turns"] else done["outcome"]
                # It may be about to end without having seen an entry that came meanwhile.
                if not loop.arrivals.unseen or self._ends(session):
                    await forget(self._deps, session)
                    return total
        except Exception:
            # A defect in one session must not end the worker. A sweep wakes the session again; its tries are counted.
            log.exception("session.defect")
            return ELSEWHERE
        finally:
            del self._loops[session]
            self._swept.discard(session)
            self._handed_back.discard(session)
            self._awake_of.subtract(parties := self._parties(session))
            for party in parties:
                self._has_room(party)
            if not self._loops:
                self._empty.set()

    def _parties(self, session: SessionKey) -> tuple[_Party, ...]:
        chat = _chat_of(session)
        return (chat,) if self._deps.of_bot is None else (chat, session.bot)

    def _full(self, session: SessionKey) -> _Party | None:
        """The party of the session that may have no further one awake. One bot may fill the lanes, not the pool."""
        return next((party for party in self._parties(session) if self._is_full(party)), None)

    def _is_full(self, party: _Party) -> bool:
        return self._awake_of[party] >= (self.capacity if isinstance(party, int) else self._per_chat)

    def _waits(self, session: SessionKey) -> bool:
        """Put the session into the line of a party that is full, if one is."""
        if (full := self._full(session)) is not None:
            self._queued.setdefault(full, {})[session] = None
        return full is not None

    def _has_room(self, party: _Party) -> None:
        """A loop of this party ended: wake the next of its waiting sessions."""
        if not self._awake_of[party]:
            del self._awake_of[party]
        queued = self._queued.get(party, {})
        task = asyncio.current_task()
        ending = self._draining or (task is not None and task.cancelling() > 0)
        while queued and not ending and not self._is_full(party):
            session = next(iter(queued))
            del queued[session]
            if session not in self._loops and not self._waits(session):
                self._wake(session)
        if not queued:
            self._queued.pop(party, None)
