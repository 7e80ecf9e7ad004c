"""Which sessions are awake in this worker: one turn loop each, woken by doorbells and sweeps."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from tasks.ports import ELSEWHERE, TurnReport
from tasks.session import SessionKey
from tasks.telemetry import bind_fields
from workers.sessions.dependencies import Dependencies
from workers.sessions.loop import TurnLoop

log = logging.getLogger("cohort.mailbox")

_CHATS_AWAKE = 4
"""A chat with many topics keeps at most one in so many of the sessions awake that a sweep may."""

type _Chat = tuple[int, int, str | None]


def _chat_of(session: SessionKey) -> _Chat:
    return session.bot, session.chat, session.business


_JOINED: TurnReport = {"outcome": "joined", "turns": 0, "messages": 0}


class SessionScheduler:
    """All turn loops of this process. Lives in the loop thread."""

    def __init__(self, deps: Dependencies, group: asyncio.TaskGroup, *, capacity: int) -> None:
        """``group``: the loops are its children. ``capacity``: how many sessions a sweep may keep awake."""
        self._deps = deps
        self._group = group
        self.capacity = capacity
        """How many sessions a sweep may keep awake."""
        self._loops: dict[SessionKey, tuple[TurnLoop, asyncio.Task[TurnReport]]] = {}
        self._rung: set[SessionKey] = set()
        self._swept: set[SessionKey] = set()
        self._awake_of: Counter[_Chat] = Counter()
        self._per_chat = max(1, capacity // _CHATS_AWAKE)
        self._behind: dict[_Chat, dict[SessionKey, None]] = {}
        """Sessions that were rung for and sleep until others of their chat do, in the order of their doorbells."""
        self.turns = 0
        """Turns answered since this worker started."""
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    async def visit(self, session: SessionKey) -> TurnReport:
        """Answer a doorbell: wake the session and wait until its loop ends.

        At once if it is awake already, or if its chat has so many awake that it has to wait for one of them: a doorbell
        that waited would hold a place that another chat needs.
        """
        if session in self._loops:
            # It may be ending this very moment; then it starts over instead.
            self._rung.add(session)
            if self._deps.settings.queue_mode == "interrupt":
                await self._loops[session][0].interrupt_if_newer()
            return _JOINED
        if self._draining:
            return ELSEWHERE
        if self._is_full(_chat_of(session)):
            self._behind.setdefault(_chat_of(session), {})[session] = None
            return _JOINED
        return await asyncio.shield(self._wake(session))

    @property
    def room(self) -> int:
        """How many sessions a sweep may wake now.

        Those that doorbells woke do not count: while these keep coming, nobody would find what was not rung for.
        """
        return 0 if self._draining else max(0, self.capacity - len(self._swept))

    def sweep(self, sessions: Sequence[SessionKey]) -> int:
        """Wake those that sleep, as far as there is room; returns how many."""
        woken = 0
        for session in sessions:
            if not self.room:
                break
            if session not in self._loops and not self._is_full(_chat_of(session)):
                self._swept.add(session)
                self._wake(session)
                woken += 1
        return woken

    def interrupt(self, session: SessionKey) -> None:
        """A control word is in the inbox: end the running turn, unless that began after it."""
        if session in self._loops:
            self._rung.add(session)
            self._group.create_task(self._loops[session][0].interrupt_if_newer(), name=f"control {session}")

    async def revalidate_claims(self) -> None:
        """This process was paused for longer than its claims hold: end the turns of sessions that others own now."""
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
        """Begin no turn any more; give running ones ``grace_s`` seconds, then hand them back.

        Returns:
            The sessions that were handed off with work left, for their new owners to be rung for.
        """
        self._draining = True
        awake = (*self._loops, *(session for waiting in self._behind.values() for session in waiting))
        self._behind.clear()
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
        self._awake_of[_chat_of(session)] += 1
        loop = TurnLoop(self._deps, session, draining=lambda: self._draining)
        task = self._group.create_task(self._keep(session, loop), name=f"session {session}")
        self._loops[session] = loop, task
        self._empty.clear()
        return task

    async def _keep(self, session: SessionKey, loop: TurnLoop) -> TurnReport:
        bind_fields(session=str(session))
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
            log.exception("session.defect")
            return ELSEWHERE
        finally:
            del self._loops[session]
            self._swept.discard(session)
            self._has_room(_chat_of(session))
            if not self._loops:
                self._empty.set()

    def _is_full(self, chat: _Chat) -> bool:
        return self._awake_of[chat] >= self._per_chat

    def _has_room(self, chat: _Chat) -> None:
        """A loop of this chat ended: the next of its sessions wakes."""
        self._awake_of[chat] -= 1
        if not self._awake_of[chat]:
            del self._awake_of[chat]
        behind = self._behind.get(chat, {})
        task = asyncio.current_task()
        ending = self._draining or (task is not None and task.cancelling() > 0)
        while behind and not ending and not self._is_full(chat):
            session = next(iter(behind))
            del behind[session]
            if session not in self._loops:
                self._wake(session)
        if not behind:
            self._behind.pop(chat, None)
