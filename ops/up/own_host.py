"""``cohort worker --own``: a host of chats' own processes, for machines without a ``cohort up``."""

import asyncio
import signal
from collections.abc import Mapping

from ops.up.console import Console
from ops.up.forking import Template
from ops.up.own import OwnProcesses
from ops.up.plan import Plan
from ops.up.supervisor import Supervisor
from tasks.bots import BotsReader
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.process.ending import ending_signals
from tasks.store import connect


async def host(
    settings: Settings, environ: Mapping[str, str], *, console: Console, clock: Clock, template: Template | None
) -> None:
    """Start what chats ask for until the first signal; then what runs may finish, as a worker's turns may.

    Raises:
        Misconfigured: a setting is wrong, or no process may run here.
        StoreUnavailable: Redis is away at start.
    """
    if not settings.own_max:
        raise Misconfigured("COHORT_OWN_MAX: is 0, so no chat's own process may run here; set how many may")
    if not BotsReader(settings, environ)():
        _ = settings.token  # each process would end for want of it
    stopping = asyncio.Event()
    async with connect(settings) as store, asyncio.TaskGroup() as group:
        supervisor = Supervisor(
            group, console=console, clock=clock, report_death=store.members.report_death, fatal=console.say
        )
        supervisor.fork_from(template, allowed=settings.fork == "auto")
        plan = Plan(settings, environ)
        own = OwnProcesses(supervisor, store, clock, most=settings.own_max, make=plan.own)
        hosting = supervisor.beside(own.run(), "own processes")

        def signalled(number: signal.Signals) -> None:
            if not stopping.is_set():
                console.say("ending: running turns may finish (a second signal: at once)")
                stopping.set()
            elif number is not signal.SIGHUP:
                supervisor.kill_now.set()

        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, signalled, number)
        console.say(f"ready for {settings.own_max} processes of chats' own")
        await stopping.wait()
        hosting.cancel()
        await supervisor.stop()
        if supervisor.template is not None:
            supervisor.template.close()
    console.say("ended")
