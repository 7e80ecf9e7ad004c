"""Which sessions are awake in this worker: one turn loop each, woken by doorbells and sweeps."""

import asyncio
import logging
from collections.abc import Sequence

from tasks.ports import ELSEWHERE, TurnReport
from tasks.session import SessionKey
from workers.parts import Parts
from workers.turnloop import TurnLoop

log = logging.getLogger("cohort.mailbox")

_JOINED: TurnReport = {"outcome": "joined", "turns": 0, "messages": 0}


class Mailbox:
    """All turn loops of this process. Lives in the loop thread."""

    def __init__(self, parts: Parts, group: asyncio.TaskGroup, *, awake: int) -> None:
        """``group``: the loops are its children. ``awake``: how many sessions a sweep may keep awake."""
        self._parts = parts
        self._group = group
        self._awake = awake
        self._loops: dict[SessionKey, tuple[TurnLoop, asyncio.Task[TurnReport]]] = {}
        self._rung: set[SessionKey] = set()
        self._swept: set[SessionKey] = set()
        self.turns = 0
        """Turns answered since this worker started."""
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    async def visit(self, session: SessionKey) -> TurnReport:
        """Answer a doorbell: wake the session and wait until its loop ends; at once if it is awake already."""
        if session in self._loops:
            # It may be ending this very moment; then it starts over instead.
            self._rung.add(session)
            if self._parts.settings.queue_mode == "interrupt":
                await self._loops[session][0].newcomer()
            return _JOINED
        if self._draining:
            return ELSEWHERE
        return await asyncio.shield(self._wake(session))

    @property
    def room(self) -> int:
        """How many sessions a sweep may wake now.

        Those that doorbells woke do not count: while these keep coming, nobody would find what was not rung for.
        """
        return 0 if self._draining else max(0, self._awake - len(self._swept))

    def sweep(self, sessions: Sequence[SessionKey]) -> int:
        """Wake those that sleep, as far as there is room; returns how many."""
        asleep = [session for session in sessions if session not in self._loops][: self.room]
        for session in asleep:
            self._swept.add(session)
            self._wake(session)
        return len(asleep)

    def arrived(self, session: SessionKey) -> None:
        """A control word is in the inbox: end the running turn, unless that began after it."""
        if session in self._loops:
            self._rung.add(session)
            self._group.create_task(self._loops[session][0].newcomer(), name=f"control {session}")

    async def doubt(self) -> None:
        """This process was paused for longer than its claims hold: end the turns of sessions that others own now."""
        for loop, _ in tuple(self._loops.values()):
            await loop.doubt()

    @property
    def awake(self) -> int:
        """Sessions with a turn loop."""
        return len(self._loops)

    @property
    def at_work(self) -> int:
        """Sessions with a running turn."""
        return sum(1 for loop, _ in self._loops.values() if loop.at_work)

    async def drain(self, grace_s: float) -> Sequence[SessionKey]:
        """Begin no turn any more; give running ones ``grace_s`` seconds, then hand them back.

        Returns:
            The sessions that were handed off with work left, for their new owners to be rung for.
        """
        self._draining = True
        awake = tuple(self._loops)
        try:
            async with asyncio.timeout(grace_s):
                await self._empty.wait()
        except TimeoutError:
            log.warning("drain.handed_back", extra={"sessions": len(self._loops)})
            tasks = [task for _, task in self._loops.values()]
            for task in tasks:
                task.cancel()
            # Not for their own word that they ended: one that had not even begun gives none.
            if tasks:
                await asyncio.wait(tasks)
        return awake

    def _wake(self, session: SessionKey) -> "asyncio.Task[TurnReport]":
        loop = TurnLoop(self._parts, session, draining=lambda: self._draining)
        task = self._group.create_task(self._keep(session, loop), name=f"session {session}")
        self._loops[session] = loop, task
        self._empty.clear()
        return task

    async def _keep(self, session: SessionKey, loop: TurnLoop) -> TurnReport:
        total: TurnReport = {"outcome": "idle", "turns": 0, "messages": 0}
        try:
            while True:
                self._rung.discard(session)
                report = await loop.run()
                total["turns"] += report["turns"]
                self.turns += report["turns"]
                total["messages"] += report["messages"]
                total["outcome"] = "answered" if total["turns"] else report["outcome"]
                if session not in self._rung or self._draining:
                    return total
        except Exception:
            # One session's defect is not the worker's end; a sweep wakes it again, and its tries are counted.
            log.exception("session.defect", extra={"session": str(session)})
            return ELSEWHERE
        finally:
            del self._loops[session]
            self._swept.discard(session)
            if not self._loops:
                self._empty.set()
