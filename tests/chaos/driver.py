"""One run: everything is started, people talk, things break, and in the end the checker looks at what happened."""

import asyncio
import pickle
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from redis.asyncio import Redis

from playground import PLAYGROUND_TOKEN
from playground.client import PlaygroundClient
from tasks.clock import SystemClock
from tests.chaos.answers import Answers
from tests.chaos.askers import Askers
from tests.chaos.customers import Customers
from tests.chaos.faults import TTL, Faults
from tests.chaos.figures import Figures, percentiles
from tests.chaos.impatient import Impatient
from tests.chaos.isolated import Isolated
from tests.chaos.people import Crowd
from tests.chaos.pool import Pool
from tests.chaos.speakers import DEAF, Speakers
from tests.chaos.stoppers import Stoppers
from tests.harness import collect
from tests.harness.checker import Verdict, check
from tests.harness.counters import furnish
from tests.harness.history import Fault, History, Violation
from tests.harness.processes import Process
from tests.harness.product import Harness, ModelControl
from tests.harness.valkey import Valkey

BOT = int(PLAYGROUND_TOKEN.split(":")[0])
SETTLE = 180.0
"""Seconds in which all must be answered when nothing is broken any more."""
STARTED = 60.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. ``kinds``: fault kinds (all if empty). ``gap``: seconds between faults, on average.

    ``tools``: the share of messages that have the agent call tools; ``files``: of those that hold a file.
    ``asks``: turns that ask a person, a second. ``steers``: people, a second, who write meanwhile, and edit.

    ``voices``: people, a second, who speak; ``customers``: who write to business accounts.

    ``own``: the share of private chats with a process of their own, which the `cohort up` has (none without it).

    ``workers`` and ``bots`` have failpoints and the ``sabotage``; ``supervised`` workers and a bot more are kept by a
    real `cohort up` (0: there is none).
    """

    seed: int
    seconds: float
    messages: int
    kinds: tuple[str, ...] = ()
    gap: float = 3.0
    workers: int = 2
    bots: int = 1
    supervised: int = 2
    tools: float = 0.25
    files: float = 0.08
    asks: float = 0.5
    steers: float = 0.4
    voices: float = 0.2
    customers: float = 0.2
    own: float = 0.1
    steps: bool = True
    sabotage: str = ""
    settle: float = SETTLE
    keep: bool = False


@dataclass(slots=True)
class Result:
    """``where``: a directory with all traces, kept when something was violated."""

    verdict: Verdict
    figures: Figures
    latency: dict[str, float]
    where: Path
    history: History = field(default_factory=History)


class Run:
    """Use ``run`` once."""

    def __init__(self, order: Order, home: Path) -> None:
        self.order = order
        self.home = home
        self.random = Random(order.seed)
        self.clock = SystemClock()
        self.history = History()
        self.figures = Figures()
        self.crashes: list[Violation] = []

    async def run(self) -> Result:
        """Everything."""
        valkey = Valkey(self.home / "valkey")
        valkey.start()
        try:
            with Harness(self.home / "h", valkey.url) as harness:
                await self._with(harness, valkey)
        finally:
            valkey.end()
        return self._result()

    async def _with(self, harness: Harness, valkey: Valkey) -> None:
        harness.environ |= {
            "COHORT_HEARTBEAT_TTL": str(TTL),
            "COHORT_HISTORY_MESSAGES": "1000",
            # Each lane has an MCP server of its own.
            "COHORT_LANES": "6",
            "COHORT_TURN_TIMEOUT": "60",
            "COHORT_BUSINESS": "on",
            "COHORT_CHATS": str(self.home / "chats.yaml"),
            "COHORT_OWN_IDLE": "10",
            "COHORT_OWN_MAX": "4",
        }
        playground = harness.playground()
        journal = str(self.home / "model.jsonl")
        model_url = harness.model("--journal", journal, "--ttft", "0.15", "--tps", "60", "--same-ids", "--marks")
        harness.seeing()
        harness.environ |= {"COHORT_TRANSCRIBE": "whisper", "COHORT_TRANSCRIBE_URL": f"{model_url}/v1"}
        furnish(harness)
        pool = Pool(harness, self.random, steps=self.order.steps, sabotage=self.order.sabotage, ended=self._ended)
        for _ in range(self.order.bots):
            pool.add_bot()
        up = pool.add_service(self.order.supervised) if self.order.supervised else None
        for worker in [pool.add_worker() for _ in range(self.order.workers)]:
            await asyncio.to_thread(worker.wait_line, "slots.served")
        if up is not None:
            await asyncio.to_thread(up.wait_line, "Cohort is up")
        async with PlaygroundClient(playground) as people, ModelControl(model_url) as model:
            await people.wait_polling(STARTED)
            await model.control(deaf=DEAF)
            rate = self.order.messages / self.order.seconds
            # A message in ten comes with others.
            isolated = Isolated(self.home / "chats.yaml", self.random, self.order.own if up is not None else 0)
            crowd = Crowd(
                people,
                BOT,
                self.random,
                self.clock,
                rate=rate / 1.7,
                tools=self.order.tools,
                files=self.order.files,
                made=isolated.consider,
            )
            askers = Askers(people, crowd, self.random, self.clock, self.order.asks)
            impatient = Impatient(people, crowd, self.random, self.order.steers)
            speakers = Speakers(crowd, self.random, self.order.voices)
            customers = Customers(people, crowd, self.random, self.order.customers)
            stoppers = Stoppers(people, crowd, self.random, self.clock)
            faults = Faults(
                pool=pool,
                valkey=valkey,
                people=people,
                model=model,
                crowd=crowd,
                askers=askers,
                stoppers=stoppers,
                settings=harness.settings(),
                random=self.random,
            )
            self._answers = Answers(people, crowd.waiting, self.figures, askers.seen)
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(self._answers.follow(), name="follow"),
                    group.create_task(self._look(pool), name="look"),
                    group.create_task(askers.answer(), name="answer"),
                ]
                until = asyncio.get_running_loop().time() + self.order.seconds
                async with asyncio.TaskGroup() as load:
                    load.create_task(crowd.talk(until, self.order.messages), name="people")
                    load.create_task(askers.ask(until), name="askers")
                    load.create_task(impatient.come(until), name="impatient")
                    load.create_task(customers.come(until), name="customers")
                    load.create_task(speakers.come(until), name="speakers")
                    load.create_task(self._break(faults, until), name="faults")
                faults.settle()
                await people.clear_faults()
                await model.control(clear=True)
                await model.release("")
                await self._rest(people, harness.redis_url)
                for helper in helpers:
                    helper.cancel()
            self.history.presses, self.history.questions = askers.presses, askers.questions
            self.history.stops = stoppers.stops
            await self._collect(people, crowd, harness.redis_url)
        if pool.service is not None:
            self.crashes += pool.service.violations()
        for process in (*pool.all, *(pool.service.lives if pool.service else ())):
            self._count_lines(process)
            (self.home / f"{process.name}-{process.pid}.log").write_text(process.output)

    # -- while it runs

    async def _break(self, faults: Faults, until: float) -> None:
        """Seeded faults, one after the other or at the same time."""
        clock = asyncio.get_running_loop().time
        kinds = {name: kind for name, kind in faults.kinds.items() if not self.order.kinds or name in self.order.kinds}
        if not self.order.supervised:
            kinds = {name: kind for name, kind in kinds.items() if "supervis" not in name}
        if not kinds:
            return
        async with asyncio.TaskGroup() as group:
            while True:
                pause = self.random.expovariate(1 / self.order.gap)
                if clock() + pause > until - 1:
                    return
                await asyncio.sleep(pause)
                weights = [weight or len(self.order.kinds) for weight, _ in kinds.values()]
                name = self.random.choices(list(kinds), weights)[0]
                group.create_task(self._one(name, kinds[name][1]), name=name)

    async def _one(self, name: str, fault) -> None:
        at = self.clock.now()
        # One that found nothing to break, as a supervisor that is only starting, is none.
        told = await fault()
        if told is not False:
            self._fault(name, at, tuple(told or ()))

    def _fault(self, kind: str, at: float, pids: tuple[int, ...] = ()) -> None:
        now = self.clock.now()
        self.history.faults.append(Fault(kind, at, now, pids=pids))
        self.figures.times[kind] += 1
        self._answers.watch(kind, now)

    def _ended(self, how: str, process: Process | None, ago: float) -> None:
        if how == "crash" and process is not None:
            said = tuple(process.lines[-25:])
            self.crashes.append(Violation("left", process.name, "a process ended by itself", said))
        else:
            self._fault(how, self.clock.now() - ago, (process.pid,) if process else ())

    async def _look(self, pool: Pool) -> None:
        while True:
            await asyncio.sleep(0.1)
            pool.look()
            pool.listen()

    # -- at the end

    async def _rest(self, people: PlaygroundClient, url: str) -> None:
        """Wait until nothing waits any more."""
        quiet = 0
        try:
            async with asyncio.timeout(self.order.settle), Redis.from_url(url) as redis:
                while quiet < 3:
                    await asyncio.sleep(0.3)
                    empty = (await people.queue())["pending"] == 0
                    quiet = quiet + 1 if empty and await collect.at_rest(redis, BOT) else 0
        except TimeoutError:
            self.history.left.append(f"not at rest {self.order.settle:.0f} s after the last fault")

    async def _collect(self, people: PlaygroundClient, crowd: Crowd, url: str) -> None:
        self.history.said, self.history.unchanged = crowd.said, crowd.unchanged
        self.history.deliveries = collect.deliveries(self._answers.entries)
        self.history.refused = collect.refused(self._answers.entries)
        self.history.unheard = collect.unheard(self._answers.entries)
        await collect.complete(self.history, self.home, people, url=url, bot=BOT, chats=sorted(crowd.chats))

    def _count_lines(self, process: Process) -> None:
        for line in process.lines:
            for event in ("claim.lost", "delivery.perhaps_doubled", "lease.held", "poll.conflict", "session.defect"):
                if event in line:
                    self.figures.lines[event] += 1
            if "Traceback (most recent call last)" in line:
                self.figures.lines["tracebacks"] += 1

    def _result(self) -> Result:
        with (self.home / "history.pickle").open("wb") as kept:
            pickle.dump(self.history, kept)
        verdict = check(self.history)
        verdict.violations[:0] = self.crashes
        return Result(verdict, self.figures, dict(percentiles(self._answers.latencies)), self.home, self.history)


async def run(order: Order) -> Result:
    """Run it in a directory of its own, which stays when something was violated."""
    home = Path(tempfile.mkdtemp(prefix="cohort-chaos-"))
    result = await Run(order, home).run()
    if not result.verdict.violations and not order.keep:
        shutil.rmtree(home, ignore_errors=True)
    return result
