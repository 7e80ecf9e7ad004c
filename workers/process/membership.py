"""Membership in the pool: this worker's heartbeat, the slots it serves, and the sweep of what is pending in them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched

from tasks.errors import StoreUnavailable
from tasks.outage import Outage
from tasks.session import SessionKey
from tasks.slots import assign, queue_of
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.processes.membership import FORGOTTEN, TAKEN, View
from tasks.telemetry import metrics
from tasks.waiting import came_within
from workers.process.beats import Beats
from workers.sessions.dependencies import Dependencies
from workers.sessions.reminders import SettingsOf, admission
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.members")

_SOON_S, _SOON_TIMES = 0.25, 20
"""After slots came from another worker, sweeps follow each other this fast, and so many of them."""

_SEEN_IN_SLOT = 256
"""Sessions read from a slot at once, at least. Many may be topics of one chat, which may not have them all awake."""

_READS_OF_A_SWEEP = 8
"""A sweep reads so often behind sessions that it cannot wake (of a bot that was taken out). The next goes on."""

_SWEPT_AT_ONCE = 16
"""Slots read in one round trip."""


@dataclass(frozen=True, slots=True)
class _Woken:
    """What a look at some slots came to."""

    woken: int = 0
    left: tuple[int, ...] = ()
    """Slots in which more sessions stand behind these."""
    full: int | None = None
    """The slot for which there was no room any more."""


class Member:
    """Keeps this incarnation alive in the pool, and serves the slots that are assigned to it."""

    def __init__(  # noqa: PLR0913 - what it does to the process it lives in
        self,
        deps: Dependencies,
        store: Store,
        scheduler: SessionScheduler,
        *,
        consume: Callable[[frozenset[str]], None],
        status: Callable[[], WorkerStatus],
        forget: Callable[[Sequence[SessionKey]], Awaitable[object]],
        settings_here: SettingsOf | None = None,
    ) -> None:
        """Prepare a member.

        Args:
            deps: The dependencies of this worker's turn loops.
            store: Redis.
            scheduler: Wakes the sessions that a sweep finds.
            consume: Consumes exactly the queues it is given. Blocks.
            status: What the heartbeat says of this worker.
            forget: Removes what this machine has of sessions that were erased for their age.
            settings_here: The settings of a session's bot, where there are several bots.
        """
        self._settings = deps.settings
        self._incarnation = deps.incarnation
        self._members = store.members
        self._beats = Beats(deps, store, scheduler, status)
        self._sessions = store.sessions
        self._reminders = store.reminders
        self._scheduler = scheduler
        self._may_be_reminded = admission(settings_here or (lambda _: deps.settings), store.people)
        self._consume = consume
        self._forget = forget
        self._slots: frozenset[int] = frozenset()
        self._leaving = False
        self._sweep_now = asyncio.Event()
        self._sweep_from = 0
        self._passed: dict[int, int] = {}
        """How many sessions of a slot the sweep has passed, where more stand behind these."""
        self._told_woken = 0
        """The number of sessions that the log named last, while sweeps find any."""
        self._backlog = 0
        self._oldest: float | None = None
        self._clock = deps.clock
        self._parked: dict[int, int] = {}
        self.on_this_host = 1
        """Workers of this machine or container, with this one."""

    @property
    def parked(self) -> int:
        """Turns of this worker's slots that wait for a person, as the last sweep saw them."""
        return sum(count for slot, count in self._parked.items() if slot in self._slots)

    @property
    def slots(self) -> frozenset[int]:
        """The slots that this worker serves now."""
        return self._slots

    async def run(self) -> None:
        """Send heartbeats, take part in the assignment and sweep until cancelled; without Redis, keep trying."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._news_loop(), name="news")
            group.create_task(self._beats.run(self._take_part), name="heartbeat")
            group.create_task(self._sweep_loop(), name="sweep")

    async def leave(self) -> None:
        """Give the slots to the other workers at once. The heartbeat goes on: it holds the claims of running turns."""
        self._leaving = True
        try:
            await self._take_part()
            await self._members.announce()
        except StoreUnavailable as problem:
            # The other workers find out when the heartbeat ends.
            log.warning("leave.unannounced", extra={"problem": str(problem)})

    async def _take_part(self) -> None:
        await self._beat()
        await self._rebalance()

    async def _beat(self) -> None:
        await self._beats.beat(member=not self._leaving, drains=self._leaving)

    def _count(self, view: View) -> None:
        own = view.members.get(self._incarnation)
        if own is not None:
            self.on_this_host = sum(member.host == own.host for member in view.members.values())

    async def _rebalance(self) -> None:
        """Read members and assignment; if it does not fit them, propose one that does; serve our slots in it."""
        view = await self._members.look()
        self._count(view)
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
        if changed and not self._leaving:
            self._scheduler.serves(slots)
        # Also when nothing changed: Celery loses consumers over some reconnects.
        await asyncio.to_thread(self._consume, frozenset(queue_of(slot) for slot in slots))
        if changed:
            log.info("slots.served", extra={"slots": len(slots), "gained": len(gained)})
        if changed:
            # What waits for a lane in slots that left goes to their owners, too. The sweep is not run here: it may read
            # thousands of sessions, and the heartbeat must not wait for it.
            self._sweep_now.set()

    async def _sweep_loop(self) -> None:
        every = self._settings.sweep_interval.total_seconds()
        soon = 0
        away = Outage()
        while True:
            await came_within(self._sweep_now, min(_SOON_S, every) if soon else every)
            # The last owner took doorbells that it never began, and its running turns end one by one.
            soon = _SOON_TIMES if self._sweep_now.is_set() else max(soon - 1, 0)
            self._sweep_now.clear()
            try:
                await self._reminders.fire(self._may_be_reminded)
                await self._measure(await self._sweep(again=soon > 0))
                if (lasted := away.ended()) is not None:
                    log.warning("sweep.resumed", extra={"after_s": lasted})
            except StoreUnavailable as problem:
                if away.began():
                    log.warning("sweep.missed", extra={"problem": str(problem)})

    @property
    def backlog(self) -> int:
        """Sessions with work in this worker's slots, at the last look."""
        return self._backlog

    @property
    def oldest_s(self) -> float:
        """Seconds that the oldest session of these which sleeps here has waited; 0 when none waits."""
        return 0.0 if self._oldest is None else max(0.0, self._clock.now() - self._oldest)

    async def _measure(self, occupied: Sequence[int]) -> None:
        now = self._clock.now()
        depths = await self._sessions.depths(occupied) if occupied else []
        metrics.backlog({depth.slot: (depth.sessions, max(0.0, now - depth.since)) for depth in depths})
        self._backlog = sum(depth.sessions for depth in depths)
        waiting = [at for depth in depths for name, at in depth.oldest if not self._is_awake(name)]
        self._oldest = min(waiting, default=None)

    def _is_awake(self, name: str) -> bool:
        with suppress(ValueError):
            return self._scheduler.has(SessionKey.parse(name))
        return False

    async def _sweep(self, *, again: bool = False) -> Sequence[int]:
        """Wake what is pending in our slots. It finds the sessions whose doorbell was lost, whatever the reason.

        A session whose turn still runs on the last owner of its slot is woken by each sweep, so the log says the number
        when it changes. ``again``: the next sweep follows at once, and may find what this one does not.

        Returns:
            The slots that have something. Most of an idle worker have nothing, which one round trip tells of all.
        """
        if not self._leaving and (handed := self._scheduler.hand_back()):
            log.info("slots.handed_back", extra={"sessions": handed})
        occupied = await self._sessions.occupied(tuple(self._slots))
        for seen in (self._parked, self._passed):
            for slot in seen.keys() - set(occupied):
                del seen[slot]
        woken = await self._wake_pending(occupied)
        if woken and woken != self._told_woken:
            log.info("sweep.woken", extra={"sessions": woken})
        if woken or not again:
            self._told_woken = woken
        return occupied

    async def _wake_pending(self, occupied: Sequence[int]) -> int:
        woken = 0
        # Start where the last sweep ran out of room, so that each slot gets its share.
        slots = sorted(
            self._slots.intersection(occupied), key=lambda slot: (slot - self._sweep_from) % self._settings.slots
        )
        for some in batched(slots, _SWEPT_AT_ONCE):
            left = some
            for _ in range(_READS_OF_A_SWEEP):
                if not left:
                    break
                found = await self._wake_some(left)
                woken += found.woken
                if found.full is not None:
                    self._sweep_from = found.full if woken else self._sweep_from
                    return woken
                left = found.left
        return woken

    async def _wake_some(self, slots: Sequence[int]) -> "_Woken":
        """Wake the next sessions of these slots."""
        if not self._scheduler.room:
            return _Woken(full=slots[0])
        limit, woken, left = max(_SEEN_IN_SLOT, self._scheduler.capacity), 0, list[int]()
        found = await self._sessions.sweep(slots, limit, self._clock.now(), self._passed)
        self._parked.update({slot: work.parked for slot, work in zip(slots, found, strict=True)})
        for slot, work in zip(slots, found, strict=True):
            passed = self._passed.pop(slot, 0)
            if not self._scheduler.room:
                return _Woken(woken, full=slot)
            woken += self._scheduler.sweep(work.sessions)
            if work.more and self._scheduler.room:
                self._passed[slot] = passed + limit
                left.append(slot)
        return _Woken(woken, tuple(left))

    async def _news_loop(self) -> None:
        while True:
            try:
                async for news in self._members.news():
                    self._beats.now.set()
                    if news.startswith("dead "):
                        # The claims of that worker are free now, in whatever slots they are.
                        self._sweep_now.set()
                    elif news.startswith(FORGOTTEN):
                        with suppress(ValueError):
                            await self._forget([SessionKey.parse(news.removeprefix(FORGOTTEN))])
                    elif news.startswith(TAKEN):
                        with suppress(ValueError):
                            await self._scheduler.taken(SessionKey.parse(news.removeprefix(TAKEN)))
            except StoreUnavailable:
                await asyncio.sleep(1.0)


def _fits(view: View, slots: int) -> bool:
    """Whether each slot has a living owner and each member its share."""
    held = Counter(view.slots.values())
    if len(view.slots) != slots or any(owner not in view.members for owner in held):
        return False
    shares = [held[member] for member in view.members]
    return max(shares) - min(shares) <= 1
