"""The supervisor over real processes."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ops.up.managed import describe
from ops.up.process import DIE_WITH_PARENT
from tasks.clock import SystemClock
from tasks.errors import StateDamaged
from tests.harness.supervising import ConsoleSpy, Deaths, supervising
from tests.ops.conftest import PATIENT, STUBBORN, script
from tests.support.until import until


def pid_of(line: str) -> int:
    return int(line.split("ready ")[1].split(maxsplit=1)[0])


def incarnation_of(line: str) -> str:
    return line.rsplit(maxsplit=1)[-1]


@pytest.mark.promise("supervised")
async def test_a_killed_child_is_started_again_at_once_and_its_end_is_told(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "bot", PATIENT))
        first = pid_of(await console.hear("bot: ready"))
        os.kill(first, signal.SIGKILL)
        assert "starting it again now" in await console.hear("bot was killed by SIGKILL")
        assert pid_of(await console.hear("bot: ready", times=2)) != first


@pytest.mark.promise("supervised")
async def test_each_run_of_a_worker_is_another_incarnation_and_its_death_is_reported(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    deaths = Deaths()
    async with supervising(console, deaths) as supervisor:
        supervisor.keep(script(tmp_path, "worker-1", PATIENT, member=True))
        first = await console.hear("worker-1: ready")
        os.kill(pid_of(first), signal.SIGKILL)
        assert await deaths.wait(1) == [incarnation_of(first)]
        second = await console.hear("worker-1: ready", times=2)
        assert incarnation_of(second) != incarnation_of(first)
        assert incarnation_of(second).startswith("worker-1-")


async def test_of_a_store_that_ends_on_a_full_disk_the_disk_is_told_and_not_the_log_of_before(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        # /proc has no room, as a full disk.
        supervisor.keep(replace(script(tmp_path, "valkey", "sys.exit(1)"), echo=False, log=Path("/proc/valkey.log")))
        assert await console.hear("the disk of") == "valkey: the disk of /proc is full: free space there"
        await console.hear("valkey ended with status 1")


async def test_a_page_that_ends_for_one_reason_again_and_again_is_told_twice(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        dies = "import os; print('port 5556 is taken (by nginx, pid', os.getpid(), ')', file=sys.stderr); sys.exit(2)"
        page = supervisor.keep(replace(script(tmp_path, "console", dies, vital=False), echo=False))
        await console.hear("console ended with status 2", "later every 120 s, which is not said again")

        async def again() -> bool:
            return page.starts > 3

        assert await until(again)
    said = [line for line in console.lines if line.startswith("console ended with status 2")]
    assert [line.partition("; ")[2] for line in said] == [
        "starting it again now",
        f"{said[1].partition('; ')[2].partition(',')[0]}, later every 120 s, which is not said again",
    ]


async def test_stopping_lets_children_finish(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "worker-1", PATIENT, member=True))
        await console.hear("worker-1: ready")
        await supervisor.stop()
        assert "worker-1: drained" in console.lines
        assert supervisor.processes == {} or all(process.ended.is_set() for process in supervisor.processes.values())


async def test_a_second_signal_ends_at_once_what_does_not_finish(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor, asyncio.TaskGroup() as group:
        supervisor.keep(script(tmp_path, "worker-1", STUBBORN, member=True, grace=3600.0))
        await console.hear("worker-1: ready")
        stopping = group.create_task(supervisor.stop(), name="stop")
        await console.hear("worker-1: still at work")
        assert not stopping.done()
        supervisor.kill_now.set()
        await stopping


async def test_what_does_not_end_within_its_grace_is_killed(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "bot", STUBBORN, grace=0.2))
        await console.hear("bot: ready")
        await supervisor.stop()
        assert "bot does not stop: killing it" in console.lines


async def test_later_stages_end_only_when_the_earlier_have(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        for name, stage in (("valkey", 2), ("playground", 1), ("worker-1", 0)):
            supervisor.keep(script(tmp_path, name, PATIENT, stage=stage))
            await console.hear(f"{name}: ready")
        await supervisor.stop()
        ends = [line for line in console.lines if "drain" in line]
        names = ("worker-1", "playground", "valkey")
        assert ends == [f"{name}: {word}" for name in names for word in ("draining", "drained")]


async def test_what_a_dead_child_started_is_ended_with_it(console: ConsoleSpy, tmp_path: Path) -> None:
    helper = "import os, signal\nprint('helper', os.getpid(), flush=True)\nsignal.pause()\n"
    text = f"import subprocess\nsubprocess.Popen([sys.executable, '-c', {helper!r}])\n{PATIENT}"
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "worker-1", text))
        parent = pid_of(await console.hear("worker-1: ready"))
        helper_pid = int((await console.hear("helper ")).split()[-1])
        gone = os.pidfd_open(helper_pid)
        os.kill(parent, signal.SIGKILL)
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(gone, ended.set)
        async with asyncio.timeout(60):
            await ended.wait()
        loop.remove_reader(gone)
        os.close(gone)


async def test_a_child_that_is_set_up_wrong_at_its_first_start_ends_everything(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    text = "print('worker: COHORT_MODEL: no such model', file=sys.stderr)\nsys.exit(2)"
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "bot", text))
        assert "bot cannot run as it is set up" in await console.hear("fatal:")
    assert "bot: worker: COHORT_MODEL: no such model" in console.lines


class Refused(Deaths):
    """A Redis that takes no report."""

    async def report(self, incarnation: str) -> None:
        await super().report(incarnation)
        raise StateDamaged("cohort:news is of another type")


async def test_a_death_that_cannot_be_reported_ends_no_other_process(console: ConsoleSpy, tmp_path: Path) -> None:
    deaths = Refused()
    async with supervising(console, deaths) as supervisor:
        supervisor.keep(script(tmp_path, "bot", PATIENT))
        supervisor.keep(script(tmp_path, "worker-1", "sys.exit(1)", member=True))
        await deaths.wait(2)
        await console.hear("bot: ready")
        await console.hear("worker-1 ended with status 1", times=2)


@pytest.mark.promise("bots-live")
async def test_one_of_several_bots_that_is_set_up_wrong_is_told_and_tried_again_and_others_go_on(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    refused = "print('cohort bot: Telegram answered 401', file=sys.stderr)\nsys.exit(2)"
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "bot-one", PATIENT, vital=False))
        supervisor.keep(script(tmp_path, "bot-two", refused, vital=False))
        await console.hear("bot-one: ready")
        await console.hear("bot-two ended with status 2", "starting it again in")
        assert supervisor.processes["bot-one"].current is not None
        await supervisor.stop()
    assert "bot-two: cohort bot: Telegram answered 401" in console.lines
    assert not any("fatal" in line or line.startswith("bot-one ended") for line in console.lines)


@pytest.mark.promise("bots-live")
async def test_a_bot_whose_token_is_revoked_while_it_runs_ends_nothing_else(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    class LaterClock(SystemClock):
        def monotonic(self) -> float:
            return super().monotonic() + 60

    refused = "signal.signal(signal.SIGUSR1, lambda *_: os._exit(2))\n"
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "worker-1", PATIENT, member=True))
        supervisor.keep(script(tmp_path, "bot", refused + PATIENT))
        bot = pid_of(await console.hear("bot: ready"))
        await console.hear("worker-1: ready")
        supervisor.clock = LaterClock()
        os.kill(bot, signal.SIGUSR1)
        await console.hear("bot ended with status 2", "starting it again now")
        await console.hear("bot: ready", times=2)
        await supervisor.stop()
    assert not any("fatal" in line for line in console.lines)


async def test_a_child_that_keeps_failing_is_started_at_growing_intervals(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        supervisor.keep(script(tmp_path, "bot", "sys.exit(1)"))
        await console.hear("bot ended with status 1", "starting it again now")
        heard = [await console.hear("bot ended with status 1", "starting it again in", times=n) for n in (1, 2, 3)]
    first, second, third = (float(line.split("again in ")[1].split(" s")[0]) for line in heard)
    assert first < second < third


async def test_scaling_starts_workers_and_lets_those_with_the_highest_numbers_finish(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        make = lambda number: script(tmp_path, f"worker-{number}", PATIENT, member=True)  # noqa: E731
        assert supervisor.scale(3, make) == ["worker-1", "worker-2", "worker-3"]
        for number in (1, 2, 3):
            await console.hear(f"worker-{number}: ready")
        assert supervisor.scale(1, make) == ["worker-2", "worker-3"]
        # At once: `cohort scale` says how many there are now.
        assert [process.spec.name for process in supervisor.workers()] == ["worker-1"]
        await console.hear("worker-2: drained")
        await console.hear("worker-3: drained")
        assert [process.spec.name for process in supervisor.workers()] == ["worker-1"]


async def test_what_drains_already_finishes_its_work_when_everything_is_told_to_stop(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        # As a worker: the first signal drains it, the second one ends it at once.
        text = """
told, finish = [], queue.SimpleQueue()
signal.signal(signal.SIGTERM, lambda *_: (told.append(1), say("told", len(told))))
signal.signal(signal.SIGUSR1, lambda *_: finish.put(None))
say("ready", os.getpid())
finish.get()
say("finished", len(told))
"""
        supervisor.scale(1, lambda number: script(tmp_path, f"worker-{number}", text, member=True))
        pid = pid_of(await console.hear("worker-1: ready"))
        assert supervisor.drain("worker-1") == "worker-1"
        await console.hear("worker-1: told 1")
        async with asyncio.TaskGroup() as stopping:
            stopping.create_task(supervisor.stop(), name="stop")
            await asyncio.sleep(0)
            os.kill(pid, signal.SIGUSR1)
        await console.hear("worker-1: finished 1")


async def test_a_drained_worker_does_not_come_back(console: ConsoleSpy, tmp_path: Path) -> None:
    deaths = Deaths()
    async with supervising(console, deaths) as supervisor:
        make = lambda number: script(tmp_path, f"worker-{number}", PATIENT, member=True)  # noqa: E731
        supervisor.scale(2, make)
        line = await console.hear("worker-1: ready")
        await console.hear("worker-2: ready")
        assert supervisor.drain("worker-9") is None
        assert supervisor.drain(incarnation_of(line)) == "worker-1"
        await console.hear("worker-1: drained")
        await deaths.wait(1)
        assert [process.spec.name for process in supervisor.workers()] == ["worker-2"]
        assert not [line for line in console.lines if "starting it again" in line]


async def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    if sys.platform != "linux":
        return
    child = script(tmp_path, "child", PATIENT)
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import os, subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-I', '-S', {str(DIE_WITH_PARENT)!r},"
        f" str(os.getpid()), '9', *{child.command!r}])\n"
        "sys.stdin.read()\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(parent), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
        assert line.startswith("ready")
        process.kill()
        # The child holds the other end of the pipe: its end is the end of the output.
        assert b"drained" not in await process.stdout.read()
        await process.wait()


def test_the_end_of_a_process_is_told_in_words() -> None:
    assert describe(-9) == "was killed by SIGKILL"
    assert describe(0) == "ended"
    assert describe(3) == "ended with status 3"
    assert describe("No such file or directory") == "could not be started (No such file or directory)"
