"""What is promised when Redis is away, full, or does not answer."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.support.redis_of import redis_of
from tests.workers.cable import Fate, all_is_well
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, session

ONE = session(1)


@pytest.mark.promise("committed-once")
@pytest.mark.parametrize("script", ["_claim", "_advance", "_commit", "_delivered", "_note"])
async def test_a_write_whose_answer_was_lost_is_done_once(pool: Pool, script: str) -> None:
    worker = await pool.worker("w-one")
    sha = getattr(worker.store.sessions, script).sha.encode()
    seen = 0

    async def losing(sent: bytes) -> Fate:
        # More often than the client itself tries again.
        nonlocal seen
        seen += sha in sent
        return "answer lost" if sha in sent and seen <= 9 else "passes"

    updates = await pool.say_all(1, {"text": "a"}, {"text": "b"}, *CHOICES, {"text": "c"}, {"text": "d"})
    worker.cable.heard = losing
    await worker.answer(ONE)

    assert seen > 9
    assert pool.telegram.answered(ONE) == updates
    assert pool.model.saw() == [["a", "b"], ["c", "d"]]
    assert pool.model.calls[-1].history == ["a", "b"]
    assert (await pool.store.sessions.glance(ONE)).usage_in == 20
    assert await pool.store.dead.count() == 0
    assert await pool.idle(ONE)


CHOICES = [{"kind": "choose", "choice": {"model": name}} for name in ("m", "n")]


async def test_a_commit_that_the_network_brings_late_drops_no_message(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    sha = worker.store.sessions._commit.sha.encode()
    commits: list[bytes] = []

    async def listening(sent: bytes) -> Fate:
        if sha in sent:
            commits.append(sent)
        return "passes"

    worker.cable.heard = listening
    hold = pool.model.hold("c")
    updates = await pool.say_all(1, {"text": "a"}, {"text": "b"}, {"text": "c"})
    turn = worker.doorbell(ONE)
    await hold.reached()
    assert len(commits) == 2
    # Word for word what the worker said for its first turn, and Redis hears it a second time now.
    redis = urlsplit(pool.settings.redis)
    reader, writer = await asyncio.open_connection(redis.hostname, redis.port)
    writer.write(commits[0])
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.readline() == b":0\r\n"
    writer.close()
    hold.go.set()
    await turn
    assert pool.telegram.answered(ONE) == updates


async def test_a_turn_that_ends_while_redis_is_away_is_committed_when_it_is_back(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    turn = worker.doorbell(ONE)
    await hold.reached()
    worker.cable.cut()
    hold.go.set()
    await pool.naps.changes.until(lambda: len(pool.naps.taken) >= 2)
    assert pool.telegram.delivered == []
    worker.cable.mend()

    assert (await turn)["turns"] == 1
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert len(pool.model.calls) == 1
    # It waits longer and longer, not for ever, and says so once.
    assert max(pool.naps.taken) <= 7.5
    assert [record.message for record in caplog.records].count("store.unavailable") == 1


@pytest.mark.promise("redis-away")
async def test_a_full_redis_holds_a_session_up_and_loses_nothing(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say_all(1, {"text": "a"}, {"kind": "choose", "choice": {"model": "m"}}, {"text": "b"})
    redis = redis_of(pool.store)
    kept = await redis.config_get("maxmemory*")
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("maxmemory", "1")
    try:
        turn = worker.doorbell(ONE)
        await pool.naps.changes.until(lambda: len(pool.naps.taken) >= 3)
    finally:
        await redis.config_set("maxmemory", kept["maxmemory"])
        await redis.config_set("maxmemory-policy", kept["maxmemory-policy"])
    await turn
    assert len(pool.telegram.delivered) == 3
    assert pool.telegram.answered(ONE) == [1, 2, 3]


async def test_a_read_only_redis_holds_a_session_up_and_loses_nothing(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    turn = worker.doorbell(ONE)
    await hold.reached()
    # A replica without a master: reads go on, writes are refused.
    await redis_of(pool.store).execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        hold.go.set()
        await pool.naps.changes.until(lambda: len(pool.naps.taken) >= 3)
        assert pool.telegram.delivered == []
    finally:
        await redis_of(pool.store).execute_command("REPLICAOF", "NO", "ONE")
    await turn
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_growing_message_that_cannot_be_stored_does_not_end_its_turn(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.partial["hello"] = "Once upon"
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")

    async def cutting(sent: bytes) -> Fate:
        if b"live" in sent:
            worker.cable.cut()
        return "passes"

    worker.cable.heard = cutting
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.chat(ONE).shown))
    worker.cable.heard = all_is_well
    worker.cable.mend()
    hold.go.set()
    await turn
    # It is known here, though not stored, so the answer stands in its place.
    assert list(pool.telegram.chat(ONE).shown.values()) == ["answer to hello"]
