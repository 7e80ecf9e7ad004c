"""Redis dies, hangs, is full, refuses writes: nothing is confirmed that was not stored, and all goes on by itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.harness.checker import check
from tests.harness.scene import Scene, scene
from tests.support.until import until


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    """A bot and a worker, of which every session lives through the fault and is looked at in the end."""
    # By itself a bot notices within half a minute that Redis hangs.
    async with scene(tmp_path, CHAOS_ANSWER_S="2") as running:
        await running.start()
        yield running
        await everything_went_on(running)


async def everything_went_on(stage: Scene) -> None:
    """Old and new sessions are answered, no process has ended, and the history holds."""
    chat = await stage.chat()
    await stage.answered(chat, await stage.say(chat), wait=90)
    assert [name for name, worker in stage.harness.workers.items() if not worker.alive] == []
    assert [bot.pid for bot in stage.harness.bots if not bot.alive] == []
    await stage.people.wait_confirmed()
    found = check(await stage.told())
    # What is being released this moment is not left behind.
    assert [str(one) for one in found.violations if one.rule != "left"] == []
    assert sum(found.doubled.values()) <= 1


async def says(stage: Scene, bot_sees: str) -> None:
    """Wait until the bot has noticed."""
    import asyncio

    await asyncio.to_thread(stage.harness.bots[0].wait_line, bot_sees)


async def unconfirmed(stage: Scene) -> int:
    return (await stage.people.queue())["pending"]


@pytest.mark.promise("redis-away")
async def test_redis_killed_and_started_again_loses_nothing(stage: Scene) -> None:
    chat = await stage.chat()
    before = await stage.say(chat)
    await stage.answered(chat, before)
    running = await stage.chat()
    held = await stage.say(running, "HOLD:down")
    await stage.model.held("down")
    stage.fault("kill-redis")
    port = stage.valkey.kill()
    during = await stage.say(chat)
    await says(stage, "store.unavailable")
    assert await unconfirmed(stage) == 1
    # The turn ends while there is nowhere to commit it.
    await stage.model.release("down")
    await stage.valkey.again(port)
    stage.fault("kill-redis")
    await stage.answered(chat, during, wait=90)
    await stage.answered(running, held, wait=90)


@pytest.mark.promise("redis-away")
async def test_a_redis_that_hangs_is_waited_for_and_nothing_is_confirmed_meanwhile(stage: Scene) -> None:
    running, other = await stage.chat(), await stage.chat()
    held = await stage.say(running, "HOLD:hung")
    await stage.model.held("hung")
    stage.fault("stop-redis")
    stage.valkey.freeze()
    during = await stage.say(other)
    await says(stage, "store.unavailable")
    assert await unconfirmed(stage) == 1
    await stage.model.release("hung")
    stage.valkey.thaw()
    stage.fault("stop-redis")
    await stage.answered(running, held, wait=90)
    await stage.answered(other, during, wait=90)


@pytest.mark.promise("redis-away")
@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        pytest.param(
            [("maxmemory-policy", "noeviction"), ("maxmemory", "1")],
            [("maxmemory", "0")],
            id="full",
        ),
        pytest.param([("min-replicas-to-write", "3")], [("min-replicas-to-write", "0")], id="without-its-replicas"),
    ],
)
async def test_a_redis_that_refuses_writes_gets_everything_later(
    stage: Scene, break_it: list[tuple[str, str]], mend_it: list[tuple[str, str]]
) -> None:
    running, other = await stage.chat(), await stage.chat()
    held = await stage.say(running, "HOLD:refused")
    await stage.model.held("refused")
    stage.fault("stop-redis")
    async with Redis.from_url(stage.valkey.url) as admin:
        for name, value in break_it:
            await admin.config_set(name, value)
        during = await stage.say(other)
        await says(stage, "store.unavailable")
        assert await unconfirmed(stage) == 1
        await stage.model.release("refused")
        for name, value in mend_it:
            await admin.config_set(name, value)
    stage.fault("stop-redis")
    await stage.answered(running, held, wait=90)
    await stage.answered(other, during, wait=90)


@pytest.mark.promise("redis-away")
async def test_a_redis_that_became_a_read_only_replica_gets_everything_later(stage: Scene) -> None:
    running, other = await stage.chat(), await stage.chat()
    held = await stage.say(running, "HOLD:replica")
    await stage.model.held("replica")
    stage.fault("stop-redis")
    async with Redis.from_url(stage.valkey.url) as admin:
        await admin.replicaof("127.0.0.1", "1")
        during = await stage.say(other)
        await says(stage, "store.unavailable")
        assert await unconfirmed(stage) == 1
        await stage.model.release("replica")
        # Celery's connection is taken, and its first command refused: again and again.
        until_tried = (await admin.info("stats"))["total_connections_received"] + 6
        await until(lambda: connections_above(admin, until_tried))
        await admin.replicaof("NO", "ONE")
    stage.fault("stop-redis")
    await stage.answered(running, held, wait=90)
    await stage.answered(other, during, wait=90)
    (worker,) = stage.harness.workers.values()
    of_celery = [line for line in worker.output.splitlines() if "celery" in line or "consumer" in line]
    assert len(of_celery) < 10, "an outage is told once, and not for each try"


async def connections_above(admin: Redis, count: int) -> bool:
    return (await admin.info("stats"))["total_connections_received"] > count


@pytest.mark.promise("redis-away")
@pytest.mark.parametrize(
    "forbidden",
    [
        ("-eval", "-evalsha"),
        pytest.param(("-brpop",), marks=pytest.mark.soak),
        pytest.param(("-subscribe", "-psubscribe", "-publish"), marks=pytest.mark.soak),
    ],
)
async def test_a_redis_that_forbids_what_it_allowed_gets_everything_later(
    stage: Scene, forbidden: tuple[str, ...]
) -> None:
    running, other = await stage.chat(), await stage.chat()
    held = await stage.say(running, "HOLD:forbidden")
    await stage.model.held("forbidden")
    stage.fault("stop-redis")
    async with Redis.from_url(stage.valkey.url) as admin:
        await admin.execute_command("ACL", "SETUSER", "default", *forbidden)
        await admin.execute_command("CLIENT", "KILL", "TYPE", "PUBSUB")
        await admin.execute_command("CLIENT", "KILL", "TYPE", "NORMAL")
        during = await stage.say(other)
        if "-eval" in forbidden:
            await says(stage, "store.unavailable")
            assert await unconfirmed(stage) == 1
        await stage.model.release("forbidden")
        await until(lambda: refused(admin, forbidden[-1][1:]))
        await admin.execute_command("ACL", "SETUSER", "default", "+@all")
    stage.fault("stop-redis")
    await stage.answered(running, held, wait=90)
    await stage.answered(other, during, wait=90)


async def refused(admin: Redis, command: str) -> bool:
    """Whether a process was refused this command."""
    return any(command in str(entry) for entry in await admin.execute_command("ACL", "LOG"))


async def test_processes_started_while_redis_is_away_wait_for_it_or_say_so(tmp_path: Path) -> None:
    import asyncio

    async with scene(tmp_path) as stage:
        port = stage.valkey.kill()
        bot = stage.harness.bot(ready=False)
        worker = stage.worker()
        await asyncio.to_thread(bot.wait_line, "store.waiting")
        # A worker leaves the waiting to its supervisor: it says in one line what is wrong, and ends.
        await asyncio.to_thread(worker.wait_line, "Redis cannot be reached")
        assert await asyncio.to_thread(worker.wait) == 1
        assert "Traceback" not in worker.output
        await stage.valkey.again(port)
        await asyncio.to_thread(bot.wait_line, "bot.ready")
        await asyncio.to_thread(stage.worker().wait_line, "slots.served")
        chat = await stage.chat()
        await stage.answered(chat, await stage.say(chat))
