"""`cohort restart`: workers end their work one after the other, and each is back before the next one ends."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ops import control
from ops.commands.restart import one_by_one
from ops.context import Context
from ops.home import Home, Running
from ops.up.actions import actions
from ops.up.process import Spec
from ops.up.scaling import Scaling
from ops.up.supervisor import Supervisor
from tasks.config.settings import load
from tasks.errors import Misconfigured
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tests.harness.supervising import ConsoleSpy, supervising
from tests.ops.conftest import PATIENT, STUBBORN, script
from tests.support.until import until

# As a worker: the first signal drains it, and a second one would end it at once.
WORKING = """
told, finish = [], queue.SimpleQueue()
signal.signal(signal.SIGTERM, lambda *_: (told.append(1), say("told", len(told))))
signal.signal(signal.SIGUSR1, lambda *_: finish.put(None))
say("ready", os.getpid(), os.environ.get("COHORT_INCARNATION", "-"))
finish.get()
say("finished", len(told))
"""


class System:
    """Two workers of a `cohort up`, which report as soon as they run."""

    def __init__(self, supervisor: Supervisor, console: ConsoleSpy, store: Store, running: Running, url: str) -> None:
        self.supervisor, self.console, self.store, self.running = supervisor, console, store, running
        environ = {"REDIS_URL": url}
        self.here = Context(load(environ), environ, Home(Path("nowhere")), running)

    async def follow(self) -> None:
        """Report each run that says that it is ready, once."""
        for times in range(1, 100):
            line = await self.console.hear(": ready ", times=times)
            await self.store.members.beat(line.rsplit(maxsplit=1)[-1], WorkerStatus(), timedelta(minutes=5))


@asynccontextmanager
async def system(console: ConsoleSpy, store: Store, url: str, directory: Path) -> AsyncGenerator[System]:
    async with supervising(console) as supervisor:

        def make(number: int) -> Spec:
            return script(directory, f"worker-{number}", PATIENT, member=True)

        scaling = Scaling(supervisor, make, load({"COHORT_WORKERS": "2"}), lambda _: None)
        scaling.begin()
        async with control.serve_control(actions(supervisor, scaling)) as (port, secret):
            up = System(supervisor, console, store, Running(pid=1, started=0, control=port, secret=secret), url)
            following = asyncio.create_task(up.follow())  # noqa: TID251 - ends with the block
            yield up
            following.cancel()


@pytest.mark.promise("drain")
async def test_all_workers_are_restarted_and_each_is_back_before_the_next_one_ends(
    console: ConsoleSpy, store: Store, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with system(console, store, redis_url, tmp_path) as up:
        for name in ("worker-1", "worker-2"):
            await console.hear(f"{name}: ready")
        with pytest.raises(Misconfigured, match="there is no worker worker-3 under this `cohort up`; living: worker-1"):
            await one_by_one(up.here, up.running, ["worker-1", "worker-3"])
        await one_by_one(up.here, up.running, [])
        told = [line for line in console.lines if ": drain" in line or ": ready" in line][2:]
        assert [" ".join(line.split()[:2]) for line in told] == [
            f"worker-{number}: {word}" for number in (1, 2) for word in ("draining", "drained", "ready")
        ]
        said = capsys.readouterr().out.splitlines()
        now = [process.current.incarnation for process in up.supervisor.workers() if process.current]
        assert [line.partition(", after")[0] for line in said] == [
            "worker-1 finishes its turns",
            f"worker-1 is back as {now[0]}",
            "worker-2 finishes its turns",
            f"worker-2 is back as {now[1]}",
        ]
        # Its end was asked for: no death that holds back a scaling, no pause before the next start.
        assert up.supervisor.worker_died is None
        assert console.lines.count("worker-1 ended; starting it again, as asked") == 1

        await one_by_one(up.here, up.running, [str(now[1])])
        assert capsys.readouterr().out.startswith("worker-2 finishes its turns\nworker-2 is back as worker-2-")


@pytest.mark.promise("drain")
async def test_a_worker_that_restarts_is_told_once_also_when_all_is_stopped_meanwhile(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        supervisor.scale(1, lambda number: script(tmp_path, f"worker-{number}", WORKING, member=True))
        line = await console.hear("worker-1: ready")
        assert (supervisor.renew("worker-1"), supervisor.renew(line.split()[-1])) == ("worker-1", "worker-1")
        assert supervisor.renew("worker-2") is None
        await console.hear("worker-1: told 1")
        async with asyncio.TaskGroup() as stopping:
            stopping.create_task(supervisor.stop(), name="stop")
            await asyncio.sleep(0)
            os.kill(int(line.split()[-2]), signal.SIGUSR1)
        await console.hear("worker-1: finished 1")
        assert not [line for line in console.lines if "starting it" in line]


async def test_a_worker_that_does_not_end_is_killed_after_its_grace_and_started_again(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        process = supervisor.keep(replace(script(tmp_path, "worker-1", STUBBORN, member=True), grace=0.1))
        await console.hear("worker-1: ready")
        assert supervisor.renew("worker-1") == "worker-1"
        await console.hear("worker-1 does not stop: killing it")
        await console.hear("worker-1 was killed by SIGKILL; starting it again, as asked")
        await console.hear("worker-1: ready", times=2)

        async def again() -> bool:
            return process.starts == 2

        assert await until(again)
