"""This worker among the others: its heartbeat, the slots it serves, and the sweep of what is pending in them."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from tasks.clock import Clock
from tasks.errors import StoreUnavailable
from tasks.settings import Settings
from tasks.slots import assign, queue_of
from tasks.store.membership import Membership, View
from tasks.store.reminders import ReminderStore
from tasks.store.sessions import SessionStore
from workers.mailbox import Mailbox

log = logging.getLogger("cohort.members")

BEATS_PER_TTL = 5
"""A heartbeat may be lost, or late behind a busy loop, without the worker being taken for dead."""


class Member:
    """Keeps one incarnation alive in the pool."""

    def __init__(
        self,
        settings: Settings,
        incarnation: str,
        *,
        members: Membership,
        sessions: SessionStore,
        reminders: ReminderStore,
        mailbox: Mailbox,
        clock: Clock,
        consume: Callable[[frozenset[str]], None],
        about: Callable[[], Mapping[str, Any]],
    ) -> None:
        """``consume``: blocking; serve exactly these queues. ``about``: what the heartbeat says of this worker."""
        self._settings = settings
        self._incarnation = incarnation
        self._members = members
        self._sessions = sessions
        self._reminders = reminders
        self._mailbox = mailbox
        self._clock = clock
        self._consume = consume
        self._about = about
        self._slots: frozenset[int] = frozenset()
        self._leaving = False
        self._look = asyncio.Event()

    @property
    def slots(self) -> frozenset[int]:
        """The slots it serves now."""
        return self._slots

    async def run(self) -> None:
        """Beat, look and sweep until cancelled; without Redis, keep trying."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="news")
            group.create_task(self._beating(), name="heartbeat")
            group.create_task(self._sweeping(), name="sweep")

    async def leave(self) -> None:
        """Give the slots to the others at once; the heartbeat goes on, as it holds the claims of running turns."""
        self._leaving = True
        try:
            await self._beat()
            await self._settle()
            await self._members.announce()
        except StoreUnavailable as problem:
            # The others find out by themselves when the heartbeat ends.
            log.warning("leave.unannounced", extra={"problem": str(problem)})

    async def _beating(self) -> None:
        every = self._settings.heartbeat_ttl.total_seconds() / BEATS_PER_TTL
        while True:
            try:
                await self._beat()
                await self._settle()
            except StoreUnavailable as problem:
                log.warning("heartbeat.missed", extra={"problem": str(problem)})
            self._look.clear()
            try:
                async with asyncio.timeout(every):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def _beat(self) -> None:
        ttl = self._settings.heartbeat_ttl
        await self._members.beat(self._incarnation, self._about(), ttl, member=not self._leaving)

    async def _settle(self) -> None:
        """See who is there; if the assignment does not fit them, store one that does; serve what is ours in it."""
        view = await self._members.look()
        for gone in view.gone:
            if await self._members.forget(gone):
                log.warning("worker.gone", extra={"incarnation": gone})
        if view.members and not _fits(view, self._settings.slots):
            slots = assign(self._settings.slots, tuple(view.members), view.slots)
            if await self._members.propose(view.version, slots):
                log.info("slots.assigned", extra={"version": view.version + 1, "workers": len(view.members)})
            view = await self._members.look()
        await self._serve(frozenset() if self._leaving else view.of(self._incarnation))

    async def _serve(self, slots: frozenset[int]) -> None:
        gained = slots - self._slots
        changed = slots != self._slots
        self._slots = slots
        # Also when nothing changed: Celery forgets consumers over some reconnects.
        await asyncio.to_thread(self._consume, frozenset(queue_of(slot) for slot in slots))
        if changed:
            log.info("slots.served", extra={"slots": len(slots), "gained": len(gained)})
        if gained:
            await self._sweep(gained)

    async def _sweeping(self) -> None:
        while True:
            await asyncio.sleep(self._settings.sweep_interval.total_seconds())
            try:
                await self._reminders.fire()
                await self._sweep(self._slots)
            except StoreUnavailable as problem:
                log.warning("sweep.missed", extra={"problem": str(problem)})

    async def _sweep(self, slots: frozenset[int]) -> None:
        """Wake what is pending, for whatever reason its doorbell was not heard."""
        woken = 0
        for slot in sorted(slots):
            woken += self._mailbox.sweep(await self._sessions.pending(slot, self._settings.lanes * 4))
        if woken:
            log.info("sweep.woken", extra={"sessions": woken})

    async def _listen(self) -> None:
        while True:
            try:
                async for news in self._members.news():
                    self._look.set()
                    if news.startswith("dead "):
                        # Its claims are free now, in whatever slots they are.
                        await self._sweep(self._slots)
            except StoreUnavailable:
                await asyncio.sleep(1.0)


def _fits(view: View, slots: int) -> bool:
    """Whether every slot has a living owner and every member its share."""
    if len(view.slots) != slots or any(owner not in view.members for owner in view.slots.values()):
        return False
    shares = [len(view.of(member)) for member in view.members]
    return max(shares) - min(shares) <= 1
