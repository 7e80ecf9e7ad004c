"""The host of sessions' own processes: starts on demand, makes room, and has a failing one wait."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ops.up.own import OwnProcesses
from ops.up.supervisor import Supervisor
from tasks.clock import Clock, SystemClock
from tasks.config.settings import Settings
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tests.conftest import BOT
from tests.harness.supervising import ConsoleSpy, supervising
from tests.ops.conftest import PATIENT, script
from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.workers.fakes import FakeClock

ONE, TWO, THREE = (SessionKey(BOT, chat) for chat in (1, 2, 3))
LONG_MS = 60_000


@asynccontextmanager
async def hosting(
    settings: Settings,
    console: ConsoleSpy,
    directory: Path,
    *,
    most: int,
    text: str = PATIENT,
    at_once: int | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[tuple[Supervisor, Store]]:
    async with connect(settings) as store, supervising(console) as supervisor:
        host = OwnProcesses(
            supervisor,
            store,
            clock or SystemClock(),
            most=most,
            make=lambda number: script(directory, f"own-{number}", text),
            at_once=at_once,
        )
        running = supervisor.beside(host.run(), "host")
        try:
            yield supervisor, store
        finally:
            running.cancel()
            await supervisor.stop()
            await until(lambda: no_places(store))


async def no_places(store: Store) -> bool:
    return not [key async for key in redis_of(store).scan_iter("cohort:own:*")]


async def ready(console: ConsoleSpy, number: int, times: int = 1) -> tuple[int, str]:
    """Its pid and its incarnation."""
    words = (await console.hear(f"own-{number}: ready", times=times)).split()
    return int(words[-2]), words[-1]


@pytest.mark.promise("own-process")
async def test_a_process_is_started_once_for_a_session_that_asks_often(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    async with hosting(settings, console, tmp_path, most=4) as (supervisor, store):
        await store.own.ask(ONE)
        _, incarnation = await ready(console, 1)
        assert incarnation.startswith("own-")
        assert (await store.own.look(ONE)).has_process
        for session in (ONE, TWO):
            await store.own.ask(session)
        await ready(console, 2)
        await until(lambda: none_wanted(store))
        assert {"own-1", "own-2"} == supervisor.processes.keys()


@pytest.mark.promise("own-process")
async def test_a_restart_has_chats_own_processes_end_and_their_next_messages_start_others(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    async with hosting(settings, console, tmp_path, most=4) as (supervisor, store):
        for number, session in ((1, ONE), (2, TWO)):
            await store.own.ask(session)
            _, incarnation = await ready(console, number)
        assert supervisor.end_own("own-3") == []
        assert supervisor.end_own(incarnation) == ["own-2"]
        assert supervisor.end_own() == ["own-1"]
        await until(lambda: no_places(store))
        assert not [line for line in console.lines if "ended" in line]
        await store.own.ask(TWO)
        await ready(console, 1, times=2)


async def none_wanted(store: Store) -> bool:
    return not await store.own.wanted()


@pytest.mark.promise("own-process")
async def test_with_all_places_taken_the_one_that_rests_for_longest_leaves(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    async with hosting(settings, console, tmp_path, most=2) as (supervisor, store):
        heard: list[str] = []
        for number, session in ((1, ONE), (2, TWO)):
            await store.own.ask(session)
            pid, incarnation = await ready(console, number)
            # As its heartbeat says: the second one rests for longer.
            status = WorkerStatus(pid=pid, idle_since=100.0 - number)
            await redis_of(store).set(f"cohort:worker:{incarnation}", status.model_dump_json(), px=LONG_MS)

        async def listen() -> None:
            async for word in store.own.listen(TWO):
                heard.append(word)
                if word == "leave":
                    os.kill((await ready(console, 2))[0], signal.SIGTERM)

        listening = supervisor.beside(listen(), "listen")
        await until(lambda: was_said(heard, "subscribed"))
        await store.own.ask(THREE)
        await ready(console, 2, times=2)
        listening.cancel()
        assert (await store.own.look(ONE)).has_process
        assert not (await store.own.look(TWO)).has_process


async def was_said(heard: list[str], word: str) -> bool:
    return word in heard


@pytest.mark.promise("own-process")
async def test_one_that_works_is_not_asked_to_leave_and_the_next_session_waits(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    async with hosting(settings, console, tmp_path, most=1) as (supervisor, store):
        await store.own.ask(ONE)
        pid, incarnation = await ready(console, 1)
        await redis_of(store).set(f"cohort:worker:{incarnation}", WorkerStatus(pid=pid).model_dump_json(), px=LONG_MS)
        heard: list[str] = []

        async def listen() -> None:
            async for word in store.own.listen(ONE):
                heard.append(word)  # noqa: PERF401 - read while it grows

        listening = supervisor.beside(listen(), "listen")
        await until(lambda: was_said(heard, "subscribed"))
        await store.own.ask(TWO)
        await until(lambda: full(store))
        assert (await store.own.look(TWO)).full
        assert await store.own.wanted() == [TWO]
        await until(lambda: was_said(heard, "yield"))
        assert "leave" not in heard, "it goes when it rests"
        listening.cancel()
        os.kill(pid, signal.SIGTERM)
        await ready(console, 1, times=2)
        assert "own-1" in supervisor.processes
        await until(lambda: one_was_evicted(store))


async def one_was_evicted(store: Store) -> bool:
    return [host.evictions for host in (await store.own.hosts()).values()] == [1]


@pytest.mark.promise("own-process")
async def test_a_session_that_is_asked_for_again_while_its_process_starts_takes_no_place_of_another_one(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    async with hosting(settings, console, tmp_path, most=1) as (supervisor, store):
        await store.own.ask(ONE)
        pid, incarnation = await ready(console, 1)
        # Asleep, with all places taken: it would be ended to make room for itself.
        status = WorkerStatus(pid=pid, idle_since=1.0)
        await redis_of(store).set(f"cohort:worker:{incarnation}", status.model_dump_json(), px=LONG_MS)
        await store.own.ask(ONE)
        await until(lambda: none_wanted(store))
        assert supervisor.processes["own-1"].current is not None
        assert [host.evictions for host in (await store.own.hosts()).values()] == [0]


async def full(store: Store) -> bool:
    hosts = (await store.own.hosts()).values()
    return bool(hosts) and all(host.busy == host.most for host in hosts)


@pytest.mark.promise("own-process")
async def test_one_that_fails_gives_its_place_back_and_is_not_started_again_at_once(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    async with hosting(settings, console, tmp_path, most=1, text="sys.exit(3)") as (_, store):
        await store.own.ask(ONE)
        await console.hear("own-1 ended with status 3")
        await until(lambda: no_places(store))
        await store.own.ask(ONE)
        assert "; again in" in await console.hear("own-1 ended with status 3", times=2)


@pytest.mark.promise("own-process")
async def test_no_more_start_at_a_time_than_the_machine_can_and_the_place_of_one_that_starts_is_kept_for_it(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    async with hosting(settings, console, tmp_path, most=9, at_once=1) as (supervisor, store):
        for session in (ONE, TWO, THREE):
            await store.own.ask(session)
        pid, incarnation = await ready(console, 1)
        # The machine is so busy that its place has lapsed before its first heartbeat.
        for _ in range(2):
            await redis_of(store).delete(f"cohort:own:{ONE}")
            await until(lambda: has_place(store, ONE))
        assert supervisor.processes.keys() == {"own-1"}
        await report(store, pid, incarnation)
        pid, incarnation = await ready(console, 2)
        await redis_of(store).delete(f"cohort:own:{ONE}")
        assert "own-3" not in supervisor.processes
        await report(store, pid, incarnation)
        await ready(console, 3)
        assert not await has_place(store, ONE), "from its first heartbeat on a process keeps its place itself"


async def test_one_that_never_reports_is_killed_and_holds_up_no_other(
    settings: Settings, console: ConsoleSpy, tmp_path: Path
) -> None:
    clock = FakeClock()
    async with hosting(settings, console, tmp_path, most=9, at_once=1, clock=clock) as (_, store):
        for session in (ONE, TWO):
            await store.own.ask(session)
        await ready(console, 1)
        clock.advance(100)
        await console.hear("own-1 was killed by SIGKILL")
        await ready(console, 1, times=2)
        await until(lambda: lacks_place(store, ONE))
        assert await has_place(store, TWO)


async def has_place(store: Store, session: SessionKey) -> bool:
    return (await store.own.look(session)).has_process


async def lacks_place(store: Store, session: SessionKey) -> bool:
    return not await has_place(store, session)


async def report(store: Store, pid: int, incarnation: str) -> None:
    """The first heartbeat of that process."""
    await redis_of(store).set(f"cohort:worker:{incarnation}", WorkerStatus(pid=pid).model_dump_json(), px=LONG_MS)
    await store.own.reported()


async def test_a_host_that_ends_is_no_host_any_more(settings: Settings, console: ConsoleSpy, tmp_path: Path) -> None:
    async with connect(settings) as store:
        async with hosting(settings, console, tmp_path, most=3):
            (host,) = (await until(store.own.hosts)).values()
            assert (host.most, host.alive) == (3, 0)
        assert await store.own.hosts() == {}


async def test_what_is_damaged_in_redis_stops_no_host(settings: Settings, console: ConsoleSpy, tmp_path: Path) -> None:
    async with hosting(settings, console, tmp_path, most=1) as (_, store):
        await redis_of(store).zadd("cohort:own-wanted", {"rubbish": 1.0, str(ONE): 2.0})
        await redis_of(store).hset("cohort:own-hosts", "other", b"\xff{")
        await ready(console, 1)
        await until(lambda: none_wanted(store))
        async with asyncio.timeout(60):
            assert (await store.own.look(TWO)).hosts
