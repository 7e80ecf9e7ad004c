"""A process for each bot of ``COHORT_BOTS``: started, ended and started again as the file changes."""

import asyncio

from ops.up.managed import ManagedProcess
from ops.up.plan import BOT, Plan
from ops.up.process import Spec
from ops.up.supervisor import Supervisor
from tasks.bots import BotsReader
from tasks.operator_files.watched import Watched


class BotProcesses:
    """The bots' processes of one ``cohort up``."""

    def __init__(self, supervisor: Supervisor, plan: Plan) -> None:
        """Start them."""
        self._supervisor = supervisor
        self._plan = plan
        settings, environ = plan.settings, plan.env
        files = [path for path in (settings.bots, settings.bots_env) if path is not None]
        # With the variables of the start, as workers have them: a variable that changes later counts from the next one.
        read = BotsReader(settings, environ)
        self._watched = Watched(read, files)
        self._told: str | None = None
        if read.stands_in:
            supervisor.console.say(f"{read.stands_in}; until that is mended the bots are those of before")
        for spec in self._wanted().values():
            supervisor.keep(spec)

    def _wanted(self) -> dict[str, Spec]:
        specs = [self._plan.one_of(bot) for bot in self._watched.now]
        return {spec.name: spec for spec in specs}

    async def follow(self) -> None:
        """Follow the file until cancelled."""
        while True:
            if await self._watched.next_look():
                await self._apply()
            if self._watched.problem != self._told:
                self._told = self._watched.problem
                for line in (self._told or "").splitlines():
                    self._supervisor.console.say(f"{line}; the bots stay as they were")

    async def _apply(self) -> None:
        wanted = self._wanted()
        running = {name: run for name, run in self._supervisor.processes.items() if name.startswith(f"{BOT}-")}
        async with asyncio.TaskGroup() as group:
            for name, process in running.items():
                if process.spec != wanted.get(name):
                    group.create_task(self._replace(process, wanted.get(name)), name=f"change of {name}")
        for name, spec in wanted.items():
            if name not in running:
                self._supervisor.keep(spec)
                self._supervisor.console.say(f"{name}: added")

    async def _replace(self, process: ManagedProcess, spec: Spec | None) -> None:
        await self._supervisor.stop([process])
        if spec is None:
            self._supervisor.console.say(f"{process.spec.name}: taken out; what it was told is kept")
        else:
            self._supervisor.keep(spec)
            self._supervisor.console.say(f"{process.spec.name}: changed")
