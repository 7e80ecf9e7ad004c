"""The lanes of one runtime: warm agent instances, lent in fair shares, replaced when something is off."""

import asyncio
import logging
from collections import deque
from functools import partial

from tasks.backoff import Backoff
from tasks.waiting import came_within
from workers.runtime.faults import classify as faults
from workers.runtime.lanes.fair_queue import FairQueue, Ticket, TurnParties
from workers.runtime.lanes.lane import NO_PARTIES, InstanceFactory, Lane

log = logging.getLogger("cohort.runtime")

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 30.0
"""Pause before an instance that could not be made is tried again; it doubles each time."""

LIFETIME_TURNS = 500
"""A lane is replaced after so many turns: provider objects may collect data. A new lane costs a millisecond."""


class Lanes:
    """At most ``size`` lanes. A lane is made when it is needed, and lives in a child task of ``tasks``."""

    def __init__(self, factory: InstanceFactory, tasks: asyncio.TaskGroup, size: int) -> None:
        self._factory = factory
        self._tasks = tasks
        self._size = size
        self._all: list[Lane] = []
        self._free: deque[Lane] = deque()
        self._queue = FairQueue(size)
        self._places: dict[Ticket, asyncio.Future[Lane]] = {}
        self._asked: dict[Ticket, float] = {}
        """When each of these turns asked for a lane, in order; the loop's time."""
        self._closed = asyncio.Event()
        self.made = 0
        """How many instances were made so far, replacements included."""

    @property
    def busy(self) -> int:
        """Lanes that are lent now."""
        return sum(lane.instance is not None for lane in self._all) - len(self._free)

    @property
    def waiting(self) -> int:
        """Turns that wait for a lane."""
        return sum(not place.done() for place in self._places.values())

    @property
    def longest_wait_s(self) -> float:
        """Seconds that the first of them has waited."""
        first = next((at for ticket, at in self._asked.items() if not self._places[ticket].done()), None)
        return 0.0 if first is None else asyncio.get_running_loop().time() - first

    async def start(self) -> None:
        """Make the first lane.

        Raises:
            TurnFailed: it cannot be made; the cause is chained.
        """
        self.give_back(await self.take())

    async def take(self, who: TurnParties = NO_PARTIES) -> Lane:
        """Borrow a lane, preferably one that is warm for the session; waits in the fair queue.

        Raises:
            TurnFailed: no lane can be made at present.
        """
        if (lane := self.take_free(who)) is not None:
            return lane
        ticket, loop = self._queue.join(who), asyncio.get_running_loop()
        place, self._asked[ticket] = loop.create_future(), loop.time()
        self._places[ticket] = place
        self._grow()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.give_back(place.result())
            raise
        finally:
            self._queue.leave(ticket)
            self._places.pop(ticket, None)
            self._asked.pop(ticket, None)

    def take_free(self, who: TurnParties) -> Lane | None:
        """Borrow a lane that is free for these parties now."""
        self.renew()
        if not self._queue.may_hold(who) or (lane := self._pick(who)) is None:
            return None
        self._queue.grant(who)
        return self._lend(lane, who)

    def _lend(self, lane: Lane, who: TurnParties) -> Lane:
        self._free.remove(lane)
        lane.lent = who
        lane.turns += 1
        return lane

    def _pick(self, who: TurnParties) -> Lane | None:
        """Choose a free lane: the session's warm one, else a cold one, else a new one, else the longest idle one."""
        own = next((lane for lane in self._free if lane.warm == who.session), None)
        if own is not None or not self._free or self._queue.ready(1):
            return own
        cold = [lane for lane in self._free if lane.warm is None]
        fitting = next((lane for lane in cold if self._factory.suits(lane, who.bot)), None)
        if fitting is not None or len(self._all) < self._size:
            return fitting
        return next((lane for lane in (*cold, *self._free) if not lane.sealed), None)

    def _grow(self) -> None:
        """Make a lane for a turn that may have one, or replace a sealed one, unless one is coming for it."""
        more = len(self._all) < self._size
        sealed = () if more else tuple(lane for lane in self._free if lane.sealed)
        # In a flood there is neither, and the queue is long. No more turns count than could have a lane that is coming.
        wanting = self._queue.ready(len(self._all) + 1) if more or sealed else 0
        if not wanting:
            return
        missing = wanting - sum(lane.instance is None or lane.ending for lane in self._all)
        if more and missing > 0:
            lane = Lane(len(self._all))
            self._all.append(lane)
            self._tasks.create_task(self._keep(lane), name=f"lane-{lane.number}")
            return
        for lane in sealed[: max(0, missing)]:
            self._free.remove(lane)
            self._retire(lane)

    def give_back(self, lane: Lane) -> None:
        """Return a lane that was reset. A spoiled or outdated one is replaced in the background."""
        self._queue.give_back(lane.lent)
        lane.lent = NO_PARTIES
        worn = lane.spoiled or lane.turns >= LIFETIME_TURNS
        if worn or self._closed.is_set() or lane.generation != self._factory.generation:
            self._retire(lane)
        else:
            self._offer(lane)
        self._grow()

    async def end_warm(self, session: str) -> None:
        """End the idle instances that are warm for a session, and wait until they have ended."""
        for lane in [lane for lane in self._free if lane.warm == session]:
            self._free.remove(lane)
            ended = lane.ended
            self._retire(lane)
            await ended.wait()

    def close(self) -> None:
        """End every lane as it comes back, and cancel the turns that still wait for one."""
        self._closed.set()
        for place in self._places.values():
            place.cancel()
        while self._free:
            self._retire(self._free.popleft())

    def _retire(self, lane: Lane) -> None:
        lane.ending = True
        lane.orders.put_nowait(None)

    def renew(self) -> None:
        """Replace outdated lanes: idle ones now, lent ones when they come back."""
        generation = self._factory.generation
        for lane in [lane for lane in self._free if lane.generation != generation]:
            self._free.remove(lane)
            self._retire(lane)

    def _offer(self, lane: Lane) -> None:
        self._free.append(lane)
        self._serve_waiting()

    def _serve_waiting(self) -> None:
        """Lend free lanes to waiting turns, within the shares of their parties."""
        while not all(lane.sealed for lane in self._free) and (ticket := self._queue.call()) is not None:
            place, session, bot = self._places[ticket], ticket.who.session, ticket.who.bot
            if place.done():
                self._queue.give_back(ticket.who)
                continue
            usable = [lane for lane in self._free if lane.fits(session)]
            best = min(usable, key=partial(self._order, session, bot))
            place.set_result(self._lend(best, ticket.who))

    def _order(self, session: str, bot: int, lane: Lane) -> tuple[bool, bool, int]:
        """The session's warm one comes first, then a cold one with its bot's agents, then the least used cold one."""
        return lane.warm != session, lane.warm is not None, 0 if self._factory.suits(lane, bot) else 1 + lane.turns

    async def _keep(self, lane: Lane) -> None:
        """Make the lane's instance, serve it, end it, and make the next one, until the runtime closes."""
        backoff = Backoff(FIRST_RETRY_S, LONGEST_RETRY_S)
        while not self._closed.is_set():
            generation = self._factory.generation
            try:
                lane.instance = await self._factory.create()
            except Exception as problem:  # noqa: BLE001 - every failure is tried again
                self._failed(lane, problem)
                await came_within(self._closed, backoff.next())
                continue
            backoff.reset()
            self.made += 1
            lane.generation, lane.spoiled, lane.sealed, lane.ending, lane.turns = generation, False, False, False, 0
            self._offer_or_retire(lane)
            await self._serve(lane)

    async def _serve(self, lane: Lane) -> None:
        """Run a lane's orders, then dispose of its instance. No local keeps the instance alive: agents are large."""
        while (order := await lane.orders.get()) is not None:
            await order()
        instance, lane.instance = lane.agents, None
        lane.warm = None
        try:
            await self._factory.dispose(lane, instance)
        except Exception:
            log.warning("lane.dispose_failed", extra={"lane": lane.number}, exc_info=True)
        lane.ended.set()
        lane.ended = asyncio.Event()

    def _offer_or_retire(self, lane: Lane) -> None:
        if self._closed.is_set() or lane.generation != self._factory.generation:
            self._retire(lane)
        else:
            self._offer(lane)

    def _failed(self, lane: Lane, problem: Exception) -> None:
        log.error("lane.create_failed", extra={"lane": lane.number, "error": type(problem).__name__})
        self._serve_waiting()
        if any(other.instance is not None for other in self._all):
            return
        for place in self._places.values():
            if not place.done():
                failure = faults.no_lane(problem)
                failure.__cause__ = problem
                place.set_exception(failure)
