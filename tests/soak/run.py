"""One soak: many sessions speak to one worker, which is measured after some of them and at the end."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from celery import Celery

from playground import PLAYGROUND_TOKEN
from tasks.app import make_app
from tasks.clock import Clock, SystemClock
from tasks.doorbell import Doorbells
from tasks.envelope import Inbound, Sender
from tasks.session import SessionKey
from tasks.store import Store, connect
from tasks.store.intake import Accept
from tests.harness.processes import ROOT, Process
from tests.harness.product import Harness, ModelControl, durable_valkey
from tests.soak.telegram import Taker
from tests.soak.worker import MARK

BOT = int(PLAYGROUND_TOKEN.split(":")[0])
AT_ONCE = 64
"""Sessions that speak at the same time: twice the lanes, so that every lane is made and turns wait for one."""
ANSWER = 120.0
"""Seconds within which any answer must come."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. ``turns``: in all, evenly spread. ``first``: sessions between two measurements."""

    sessions: int = 10_000
    turns: int = 20_000
    first: int = 1_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """The worker at rest. ``rss_mib``: resident, as the system says; ``holds``: what it says itself."""

    sessions: int
    turns: int
    seconds: float
    rss_mib: float
    holds: dict[str, Any]


def resident_mib(pid: int) -> float:
    """A process's resident memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def grown(first: Sample, last: Sample) -> list[tuple[str, int]]:
    """The kinds of objects that there are more of, the most first."""
    before, after = first.holds["kinds"], last.holds["kinds"]
    more = sorted(((count - before.get(kind, 0), kind) for kind, count in after.items()), reverse=True)
    return [(kind, count) for count, kind in more[:12] if count > 0]


def plan(order: Order) -> Iterator[list[list[int]]]:
    """Blocks of sessions; each is a list of rounds, in each of which a session speaks at most once."""
    random = Random(order.seed)
    every, more = divmod(order.turns, order.sessions)
    for begin in range(0, order.sessions, order.first):
        block = range(begin, min(begin + order.first, order.sessions))
        rounds = [random.sample(block, len(block)) for _ in range(every)]
        yield [*rounds, [session for session in block if session < more]]


def words(random: Random, session: int) -> str:
    """What a person says: mostly little, sometimes much, sometimes what needs a tool, or what the model refuses."""
    kind = random.random()
    said = f"session {session} says {random.randrange(10**9)}"
    if kind < 0.02:
        return f"{said} REFUSED"
    if kind < 0.12:
        return f'{said} CALL:current_time{{"timezone": "Europe/Berlin"}}'
    if kind < 0.17:
        return f"{said} WORDS:{random.randrange(100, 600)}"
    if kind < 0.22:
        return " ".join([said] * random.randrange(10, 60))
    return said


@dataclass
class Soak:
    """Everything that runs. ``waiting``: chats that wait for an answer."""

    store: Store
    worker: Process
    app: Celery
    doorbells: Doorbells
    clock: Clock
    order: Order
    waiting: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    _updates: int = 0
    _said: int = 0
    _unrecorded: set[int] = field(default_factory=set)
    """Updates whose turn has not been seen in the store's trail: the worker writes it with its heartbeat."""

    async def run(self, show: Callable[[Sample], None]) -> None:
        """Have everybody speak; take a sample after each block."""
        random, begun = Random(self.order.seed), self.clock.monotonic()
        spoken: set[int] = set()
        for block in plan(self.order):
            for sessions in block:
                await self._round(sessions, random)
                spoken.update(sessions)
            await self._rest()
            self.samples.append(self._sample(len(spoken), self.clock.monotonic() - begun))
            show(self.samples[-1])

    async def _round(self, sessions: list[int], random: Random) -> None:
        """Each says one thing; ``AT_ONCE`` of them wait for an answer at any moment."""
        left = [(session, words(random, session)) for session in reversed(sessions)]

        async def speaker() -> None:
            while left:
                await self._say(*left.pop())

        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                group.create_task(speaker(), name=f"speaker {number}")

    async def _say(self, session: int, text: str) -> None:
        self._updates += 1
        key = SessionKey(BOT, session + 1)
        sender = Sender(id=session + 1, name=f"Person {session}")
        inbound = Inbound(
            session=str(key), update_id=self._updates, at=self.clock.now(), message_id=1, sender=sender, text=text
        )
        answered = self.waiting[key.chat] = asyncio.get_running_loop().create_future()
        await self.store.intake.accept(BOT, [Accept(inbound.update_id, inbound)])
        await asyncio.to_thread(self.doorbells.send, [(key, inbound.update_id)])
        async with asyncio.timeout(ANSWER):
            await answered
        self._said += 1
        self._unrecorded.add(inbound.update_id)

    async def _rest(self) -> None:
        """Until replies and turns are out of the worker's hands, and its Celery knows that its doorbells have ended."""
        async with asyncio.timeout(ANSWER):
            while any(work.sessions for work in await self.store.sessions.sweep(range(64), 1, 0)):  # noqa: ASYNC110 - Redis sends no event
                await asyncio.sleep(0.05)
            while any((await asyncio.to_thread(self.app.control.inspect(limit=1).active) or {"": [None]}).values()):
                pass
            while self._unrecorded:
                async for record in self.store.trail.newest():
                    self._unrecorded.difference_update(record.updates)
                    if not self._unrecorded:
                        break

    def _sample(self, sessions: int, seconds: float) -> Sample:
        # Before it is asked: a collection of its own must not help it.
        resident = resident_mib(self.worker.pid)
        place = len(self.worker.lines)
        self.worker.signal(signal.SIGUSR1)
        holds = json.loads(self.worker.wait_line(MARK, after=place).removeprefix(MARK))
        return Sample(sessions, self._said, seconds, resident, holds)


@asynccontextmanager
async def soak(order: Order, home: Path, **environ: str) -> AsyncIterator[Soak]:
    """One worker, ready; a Valkey, a model that answers at once, and a Telegram that takes everything."""
    clock = SystemClock()
    waiting: dict[int, asyncio.Future[None]] = {}

    def said(chat: int, text: str) -> None:
        # A growing message has no count yet; a refusal's words are ours.
        if "[n=" in text or "echo:" not in text:
            future = waiting.pop(chat, None)
            if future is not None and not future.done():
                future.set_result(None)

    with ExitStack() as stack:
        valkey = stack.enter_context(durable_valkey(home / "valkey"))
        harness = stack.enter_context(Harness(home / "h", valkey.connection_url))
        harness.environ |= {
            "COHORT_SEND_RATE": "1000", "COHORT_LANES": "32", "COHORT_CARDS": str(ROOT / "agent-cards"), **environ,
        }  # fmt: skip
        async with Taker(said) as telegram, ModelControl(harness.model()) as model:
            harness.environ["TELEGRAM_BASE_URL"] = telegram.url
            fault = {"match": "REFUSED", "times": None, "status": 400, "message": "no"}
            await model.control(faults=[fault])
            worker = await asyncio.to_thread(harness.worker, module="tests.soak.worker")
            settings = harness.settings()
            with contextlib.closing(make_app(settings)) as app:
                async with connect(settings) as store:
                    yield Soak(store, worker, app, Doorbells(app, slots=settings.slots), clock, order, waiting)
