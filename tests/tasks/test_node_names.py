"""Names of workers for Flower: the same over restarts, and one living worker for each."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tasks import keys
from tasks.config.settings import load
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tests.harness.valkey import Valkey
from tests.support.redis_of import redis_of
from workers.process.naming import keep_name, take_name

TTL = timedelta(seconds=60)


@pytest.mark.promise("worker-names")
async def test_each_worker_of_a_host_has_the_lowest_number_that_is_free_there(store: Store) -> None:
    names = [await store.nodes.take("one", f"w-{number}", TTL) for number in range(3)]
    assert names == ["cohort-1@one", "cohort-2@one", "cohort-3@one"]
    assert await store.nodes.take("two", "w-other", TTL) == "cohort-1@two"
    await store.members.beat("w-1", WorkerStatus(node=names[1]), TTL)
    await store.members.report_death("w-1")
    assert await store.nodes.take("one", "w-9", TTL) == "cohort-2@one"


@pytest.mark.promise("worker-names")
async def test_a_worker_of_cohort_up_has_the_supervisors_number_where_that_is_free(store: Store) -> None:
    name = await take_name(store.nodes, "worker-2-0a1b2c3d", TTL)
    assert name.startswith("cohort-2@")
    assert (await take_name(store.nodes, "worker-2-ffffffff", TTL)).startswith("cohort-1@"), "of a second system"
    assert (await take_name(store.nodes, "w-0123456789", TTL)).startswith("cohort-3@")


async def test_a_worker_whose_redis_goes_while_it_begins_waits_for_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Valkey(tmp_path)
    server.start()
    try:
        async with connect(load({"REDIS_URL": server.url, "TELEGRAM_BOT_TOKEN": "4242:t"})) as store:
            port = server.kill()
            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                taking = tasks.create_task(take_name(store.nodes, "w-one", TTL))
                while "store.waiting" not in caplog.text:  # noqa: ASYNC110 - a log line wakes nothing
                    await asyncio.sleep(0.01)
                await server.again(port)
            assert taking.result().startswith("cohort-1@")
    finally:
        server.end()


@pytest.mark.promise("worker-names")
async def test_the_number_of_a_killed_worker_is_free_when_its_heartbeat_is_over(store: Store) -> None:
    name = await store.nodes.take("one", "w-dead", timedelta(seconds=5))
    assert 0 < await redis_of(store).pttl(keys.node(name)) <= 5000
    await redis_of(store).delete(keys.node(name))  # its time is over
    assert await store.nodes.take("one", "w-heir", TTL) == name
    ended: list[str] = []
    await keep_name(store.nodes, name, "w-dead", TTL, end=lambda: ended.append(name))
    assert ended == [name], "it was suspended, not dead, and must not live on under the name of another worker"
    assert await redis_of(store).get(keys.node(name)) == b"w-heir"


async def test_a_death_that_is_reported_late_frees_no_name_of_another_worker(store: Store) -> None:
    name = await store.nodes.take("one", "w-heir", TTL)
    await store.members.beat("w-dead", WorkerStatus(node=name), TTL)
    await store.members.report_death("w-dead")
    assert await redis_of(store).get(keys.node(name)) == b"w-heir"


async def test_a_name_is_taken_back_after_redis_has_lost_it(store: Store) -> None:
    name = await store.nodes.take("one", "w-one", TTL)
    await redis_of(store).delete(keys.node(name))
    assert await store.nodes.keep(name, "w-one", TTL)
    assert await redis_of(store).get(keys.node(name)) == b"w-one"
