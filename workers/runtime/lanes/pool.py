"""The lanes of one runtime: warm agent instances, lent in fair shares, replaced when something is off."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from workers.runtime import faults
from workers.runtime.lanes.fair_queue import FairQueue, Ticket, TurnParties

if TYPE_CHECKING:
    from fast_agent.core.fastagent import AgentInstance

log = logging.getLogger("cohort.runtime")

# A server that does not start is tried again soon at first, then with patience.
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 30.0

# Whatever a provider object may still hoard, it does so for this many turns; a new lane costs a millisecond.
LIFETIME_TURNS = 500


NO_PARTIES = TurnParties()


class InstanceFactory(Protocol):
    """Makes and ends what a lane holds; always called in the lane's own task (anyio scopes end where they began)."""

    async def create(self) -> "AgentInstance": ...

    async def dispose(self, lane: "Lane", instance: "AgentInstance") -> None: ...

    @property
    def generation(self) -> object:
        """Changes when lanes made before are out of date (cards reloaded, another day)."""
        ...


type Order = Callable[[], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Lane:
    """One agent instance. Its own task makes it, obeys orders for it, and ends it.

    ``warm``: the session whose own MCP servers run in it. ``lent``: to whom.
    ``sealed``: no session but the one that it is warm for may have this instance. ``ending``: it is being replaced.
    """

    number: int
    orders: "asyncio.Queue[Order | None]" = field(default_factory=asyncio.Queue)
    instance: "AgentInstance | None" = None
    generation: object = None
    spoiled: bool = False
    turns: int = 0
    warm: str | None = None
    lent: TurnParties = NO_PARTIES
    sealed: bool = False
    ending: bool = False

    @property
    def agents(self) -> "AgentInstance":
        assert self.instance is not None, "a lane is lent only with an instance"  # noqa: S101 - an invariant
        return self.instance

    def fits(self, session: str) -> bool:
        """Whether a session may have it."""
        return not self.sealed or self.warm == session

    def spoil(self) -> None:
        """Replace this lane when it comes back."""
        self.spoiled = True

    async def order(self, action: Order) -> None:
        """Have something done in the lane's own task, and wait for it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def act() -> None:
            try:
                await action()
            except Exception as problem:  # noqa: BLE001 - handed to whoever gave the order
                if not done.done():
                    done.set_exception(problem)
            else:
                if not done.done():
                    done.set_result(None)

        self.orders.put_nowait(act)
        await done


class Lanes:
    """At most ``size`` lanes, made when needed, each living in one child of ``tasks``, the engine's group.

    ``made``: how many were made so far, replacements included.
    """

    def __init__(self, factory: InstanceFactory, tasks: asyncio.TaskGroup, size: int) -> None:
        self._factory = factory
        self._tasks = tasks
        self._size = size
        self._all: list[Lane] = []
        self._free: deque[Lane] = deque()
        self._queue = FairQueue(size)
        self._places: dict[Ticket, asyncio.Future[Lane]] = {}
        self._closed = asyncio.Event()
        self.made = 0

    @property
    def busy(self) -> int:
        """Lanes that are lent now."""
        return sum(lane.instance is not None for lane in self._all) - len(self._free)

    @property
    def waiting(self) -> int:
        """Turns that wait for a lane."""
        return sum(not place.done() for place in self._places.values())

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
        self._retire_old()
        if self._queue.may_hold(who) and (lane := self._pick(who.session)) is not None:
            self._queue.grant(who)
            return self._lend(lane, who)
        ticket = self._queue.join(who)
        place = self._places[ticket] = asyncio.get_running_loop().create_future()
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

    def _lend(self, lane: Lane, who: TurnParties) -> Lane:
        self._free.remove(lane)
        lane.lent = who
        lane.turns += 1
        return lane

    def _pick(self, session: str) -> Lane | None:
        """A free lane: its own warm one, else one that is warm for nobody, else a new one, else the longest idle."""
        own = next((lane for lane in self._free if lane.warm == session), None)
        if own is not None or not self._free or self._queue.ready:
            return own
        cold = next((lane for lane in self._free if lane.warm is None), None)
        if cold is not None or len(self._all) < self._size:
            return cold
        return next((lane for lane in self._free if not lane.sealed), None)

    def _grow(self) -> None:
        """Make a lane for a turn that may have one, or replace a sealed one, unless one is coming for it."""
        missing = self._queue.ready - sum(lane.instance is None or lane.ending for lane in self._all)
        if missing > 0 and len(self._all) < self._size:
            lane = Lane(len(self._all))
            self._all.append(lane)
            self._tasks.create_task(self._keep(lane), name=f"lane-{lane.number}")
            return
        for sealed in [lane for lane in self._free if lane.sealed][: max(0, missing)]:
            self._free.remove(sealed)
            self._retire(sealed)

    def give_back(self, lane: Lane) -> None:
        """Return a borrowed lane, wiped; a spoiled or outdated one is replaced in the background."""
        self._queue.give_back(lane.lent)
        lane.lent = NO_PARTIES
        worn = lane.spoiled or lane.turns >= LIFETIME_TURNS
        if worn or self._closed.is_set() or lane.generation != self._factory.generation:
            self._retire(lane)
        else:
            self._offer(lane)
        self._grow()

    def renew(self) -> None:
        """Replace what is out of date: idle lanes now, lent ones when they come back."""
        self._retire_old()

    def close(self) -> None:
        """End every lane as it comes back; whoever still waits for one is cancelled."""
        self._closed.set()
        for place in self._places.values():
            place.cancel()
        while self._free:
            self._retire(self._free.popleft())

    def _retire(self, lane: Lane) -> None:
        lane.ending = True
        lane.orders.put_nowait(None)

    def _retire_old(self) -> None:
        for lane in [lane for lane in self._free if lane.generation != self._factory.generation]:
            self._free.remove(lane)
            self._retire(lane)

    def _offer(self, lane: Lane) -> None:
        self._free.append(lane)
        self._serve_waiting()

    def _serve_waiting(self) -> None:
        """Lend free lanes to those who wait, as far as their shares go."""
        while not all(lane.sealed for lane in self._free) and (ticket := self._queue.call()) is not None:
            place, session = self._places[ticket], ticket.who.session
            if place.done():
                self._queue.give_back(ticket.who)
                continue
            usable = [lane for lane in self._free if lane.fits(session)]
            cold = next((lane for lane in usable if lane.warm is None), usable[0])
            own = next((lane for lane in usable if lane.warm == session), cold)
            place.set_result(self._lend(own, ticket.who))

    async def _keep(self, lane: Lane) -> None:
        """Make, serve, end, make anew, until the runtime closes."""
        pause = FIRST_RETRY_S
        while not self._closed.is_set():
            generation = self._factory.generation
            try:
                lane.instance = await self._factory.create()
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is tried again
                self._failed(lane, problem)
                await self._sleep(pause)
                pause = min(pause * 2, LONGEST_RETRY_S)
                continue
            pause = FIRST_RETRY_S
            self.made += 1
            lane.generation, lane.spoiled, lane.sealed, lane.ending, lane.turns = generation, False, False, False, 0
            self._offer_or_retire(lane)
            await self._serve(lane)

    async def _serve(self, lane: Lane) -> None:
        """Obey orders for a lane with an instance, then end that. Nothing here outlives it: agents are large."""
        while (order := await lane.orders.get()) is not None:
            await order()
        instance, lane.instance = lane.agents, None
        lane.warm = None
        try:
            await self._factory.dispose(lane, instance)
        except Exception:
            log.warning("lane.dispose_failed", extra={"lane": lane.number}, exc_info=True)

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

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return
