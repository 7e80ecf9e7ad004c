"""``cohort up``: start everything on this machine, in the foreground, until Ctrl-C."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import httpx

from ops import control, model
from ops.agent_config import readable
from ops.durability import failover_risk, weaknesses
from ops.home import FULL, Home, Running, Scale, full_disk
from ops.model import ChosenModel
from ops.pairing import pairing_lines
from ops.powers import powers
from ops.up import banner, demo_model, valkey
from ops.up.actions import actions
from ops.up.bots import BotProcesses
from ops.up.card_watch import CardWatch, stand_ins
from ops.up.console import Console
from ops.up.forking import Template
from ops.up.own import OwnProcesses
from ops.up.plan import Plan, make_plan
from ops.up.scaling import Scaling
from ops.up.supervisor import Supervisor
from tasks.clock import Clock
from tasks.config.settings import Settings, load
from tasks.errors import CohortError, Misconfigured, Retryable, StoreUnavailable
from tasks.process.ending import ending_signals
from tasks.process.open_files import raise_limit, too_few
from tasks.store import Store, connect

_START_PATIENCE = 60.0
_READ_S = 180.0
"""Seconds that reading changed cards may take; a tool's file may run for ever when it is imported."""


class Up:
    """One run of the whole system."""

    def __init__(  # noqa: PLR0913 - what one run is made of
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        console: Console,
        home: Home,
        clock: Clock,
        template: Template | None = None,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._console = console
        self._home = home
        self._clock = clock
        self._template = template
        self._began = clock.monotonic()
        self._stopping = asyncio.Event()
        self._problem: CohortError | None = None
        self._store: Store | None = None
        self._hosting: asyncio.Task[None] | None = None
        self._opened = AsyncExitStack()
        self._running: Running | None = None
        self._scale: Scale | None = None

    async def run(self) -> int:
        """Start, wait for the first signal, stop; gives the exit status."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            supervisor = Supervisor(
                group, console=self._console, clock=self._clock, report_death=self._report_death, fatal=self._fail
            )
            supervisor.fork_from(self._template, allowed=self._settings.fork == "auto")
            for number in ending_signals():
                loop.add_signal_handler(number, self._signalled, supervisor, number)
            starting = group.create_task(self._start(supervisor), name="start")
            await self._stopping.wait()
            starting.cancel()
            if self._hosting is not None:
                self._hosting.cancel()
            await supervisor.stop()
            await self._opened.aclose()
            if supervisor.template is not None:
                supervisor.template.close()
        if self._problem is not None:
            raise self._problem
        self._console.say("ended")
        return 0

    def _signalled(self, supervisor: Supervisor, number: signal.Signals) -> None:
        if self._stopping.is_set() and number is signal.SIGHUP:
            return  # a terminal that closes may send it twice, and means no haste
        if self._stopping.is_set():
            self._console.say("ending at once")
            supervisor.kill_now.set()
        else:
            self._console.say("ending: running turns may finish (again Ctrl-C: at once)")
            self._stopping.set()

    def _fail(self, problem: str | CohortError) -> None:
        """End everything. A line is what a process said that is set up wrong."""
        self._problem = self._problem or (Misconfigured(problem) if isinstance(problem, str) else problem)
        self._stopping.set()

    async def _report_death(self, incarnation: str) -> None:
        if self._store is not None:
            await self._store.members.report_death(incarnation)

    async def _start(self, supervisor: Supervisor) -> None:
        try:
            await self._started(supervisor)
        except (Misconfigured, Retryable) as problem:
            self._fail(problem)
        except OSError as problem:
            if problem.errno not in FULL:
                raise
            self._fail(Retryable(full_disk(problem)))

    async def _started(self, supervisor: Supervisor) -> None:
        choice = demo_model.choice_of(self._settings)
        # A taken port must be found before anything is started.
        make_plan(self._settings, self._environ, {})
        url, where = await self._storage(supervisor)
        choice, served = await self._model(supervisor, choice)
        plan = make_plan(self._settings, self._environ, {"REDIS_URL": url, **choice.env, **served})
        effective = load(plan.env)
        self._store = store = await self._opened.enter_async_context(connect(effective))
        warnings = await self._warnings(store, effective)
        scaling, followed = self._keep_what_answers(supervisor, plan, effective, store)
        await self._announce(plan, choice, actions(supervisor, scaling))
        await self._all_there(supervisor, store)
        # What shows the system comes after what answers: it takes as long to load as a bot.
        for spec in plan.pages():
            supervisor.keep(spec)
        await _tell_page(plan, choice.title)
        warnings, took = (*warnings, *await stand_ins(store)), self._clock.monotonic() - self._began
        # At the end: its hour begins when it is shown, and the bot's name is asked from a server that is there.
        lines = await pairing_lines(effective, plan.bots, store)
        facts = banner.Facts(replace(plan, settings=effective), choice, where, self._home.root, took, warnings, lines)
        self._console.show(banner.render(facts, colour=self._console.colour))
        async with asyncio.TaskGroup() as following:
            following.create_task(self._home.stay_found(lambda: self._running), name="found")
            for name, follow in followed.items():
                following.create_task(follow(), name=name)

    async def _warnings(self, store: Store, effective: Settings) -> tuple[str, ...]:
        """What the banner warns of."""
        said: tuple[str, ...] = ()
        if self._settings.redis_url:
            said = weaknesses(await store.server.persistence())
            said += failover_risk(await store.server.info(), effective)
        said += tuple(filter(None, (too_few(raise_limit()),)))
        return said + tuple(f"{power.about}: {power.seen}; {power.do}" for power in powers(readable(effective)))

    def _keep_what_answers(
        self, supervisor: Supervisor, plan: Plan, effective: Settings, store: Store
    ) -> tuple[Scaling, dict[str, Callable[[], Coroutine[Any, Any, None]]]]:
        """Keep alive what answers need. Gives the number of workers, and what is followed once the system is up."""
        scaling = Scaling(supervisor, plan.worker, effective, self._told_scale)
        followed: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"scaling": partial(scaling.follow, store)}
        if playground := plan.playground():
            supervisor.keep(playground)
        if plan.bots:
            followed["bots"] = BotProcesses(supervisor, plan).follow
        else:
            supervisor.keep(plan.bot())
        if plan.reloads:
            followed["cards"] = CardWatch(effective.cards, partial(_read_cards, supervisor, plan)).follow
        scaling.begin()
        if most := effective.own_max:
            own = OwnProcesses(supervisor, store, self._clock, most=most, make=plan.own)
            self._hosting = supervisor.beside(own.run(), "own processes")
        return scaling, followed

    async def _announce(self, plan: Plan, choice: ChosenModel, do: Mapping[str, control.ControlAction]) -> None:
        """Open the control server, and tell other commands of this run."""
        port, secret = await self._opened.enter_async_context(control.serve_control(do))
        own = os.environ | {"PATH": plan.env["PATH"]}
        # The store's address always: `cohort restore` has to know which Redis is in use.
        changed = {name: value for name, value in plan.env.items() if own.get(name) != value or name == "REDIS_URL"}
        self._running = Running(
            pid=os.getpid(),
            started=self._clock.now(),
            control=port,
            secret=secret,
            env=changed,
            playground_url=plan.page_url,
            flower_url=plan.flower_url,
            console_url=plan.console_url,
            model=choice.title,
            scale=self._scale,
        )
        self._home.announce(self._running)

    async def _storage(self, supervisor: Supervisor) -> tuple[str, str]:
        """The store's URL, and the store in words."""
        if self._settings.redis_url:
            return self._settings.redis_url, "Redis at REDIS_URL"
        embedded = await valkey.prepare(self._home.valkey, self._home.logs / "valkey.log")
        self._console.say("starting the embedded Valkey")
        started = await valkey.start(supervisor, embedded, patience=_START_PATIENCE)
        if started is None:
            raise Misconfigured(f"the embedded Valkey does not start; see {self._home.logs / 'valkey.log'}")
        return started.url, f"embedded Valkey, data in {banner.shown(self._home.valkey)}"

    async def _model(self, supervisor: Supervisor, choice: ChosenModel) -> tuple[ChosenModel, dict[str, str]]:
        """Start the demo model or the script if it is the choice; where it cannot run, the choice becomes an echo."""
        if not choice.demo and not choice.script:
            return choice, {}
        if choice.demo and not demo_model.installed():
            return model.echo(choice, "is not installed: `make up` tries to, or pip install 'cohort[demo]'"), {}
        spec, root, env = demo_model.spec(script=choice.script)
        self._console.say("starting the script" if choice.script else "starting the demo model")
        process = supervisor.keep(spec)
        if await demo_model.ready(root, process.faltered):
            return choice, env
        await supervisor.stop([process])
        return model.echo(choice, f"does not run here (see {banner.shown(self._home.logs / 'model.log')})"), {}

    async def _all_there(self, supervisor: Supervisor, store: Store) -> None:
        """Wait until every worker has reported; after ``_START_PATIENCE`` say so and go on."""
        wanted = self._settings.workers.least
        self._console.say(f"starting the bot and {wanted} worker{'s' if wanted > 1 else ''}")
        try:
            async with asyncio.timeout(_START_PATIENCE):
                while True:
                    ours = {process.current.incarnation for process in supervisor.workers() if process.current}
                    with suppress(StoreUnavailable):  # Redis may be restarting
                        if len(ours & set((await store.members.look()).members)) >= wanted:
                            return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self._console.say(f"not all workers have reported after {_START_PATIENCE:.0f} s")

    def _told_scale(self, scale: Scale) -> None:
        self._scale = scale
        if self._running is not None:
            self._running = self._running.model_copy(update={"scale": scale})
            try:
                self._home.announce(self._running)
            except (Misconfigured, Retryable) as problem:  # a full disk: the workers change all the same
                self._console.say(str(problem))


async def _read_cards(supervisor: Supervisor, plan: Plan) -> None:
    """Have the workers read changed cards; what is wrong with them is said before."""
    reading = supervisor.keep(plan.reload())
    await reading.gone(_READ_S)
    if reading.status:
        supervisor.console.say("the agents stay as they were; save a card, or run `cohort cards reload`, to try again")


async def _tell_page(plan: Plan, model: str) -> None:
    """Tell the playground's page which model answers and where console and Flower are. Best effort."""
    if plan.playground_url is None:
        return
    pages = (("Console", plan.console_url), ("Flower", plan.flower_url))
    links = [{"label": label, "url": url} for label, url in pages if url]
    key = {"authorization": f"Bearer {plan.playground_key}"}
    async with httpx.AsyncClient(timeout=5, trust_env=False, headers=key) as http:
        with suppress(httpx.HTTPError):
            await http.post(f"{plan.playground_url}/playground/info", json={"model": model, "links": links})
