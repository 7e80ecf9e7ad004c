"""A backup holds everything that is kept, also while the system works, and goes into any empty Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from ops.commands.backup import file as backup_file
from tasks import keys
from tasks.chats.access import Person
from tasks.chats.conversations import Conversation
from tasks.clock import SystemClock
from tasks.config.settings import load
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.errors import EnvelopeInvalid, Misconfigured
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tasks.store.backup import StoredKey, dump, restore
from tasks.store.intake import Accept
from tasks.store.journal import Steps
from tasks.store.layout import open_layout
from tasks.store.sessions import Claim, Commit
from tests.tasks.test_reminders_and_notes import anyone

BOT = 4242
ONE, TWO, QUIET = SessionKey(BOT, 1), SessionKey(BOT, -100_2, 7), SessionKey(BOT, 3)
CLOCK = SystemClock()
LONG = timedelta(minutes=5)
TRANSIENT = ("cohort:slot:", "cohort:worker:", "cohort:members", "cohort:assignment", "cohort:alert:", "cohort:pace:")


@pytest.fixture
def other(redis_url: str) -> str:
    """The address of an empty database beside the store's."""
    return f"{redis_url}/1"


def message(update_id: int, session: SessionKey) -> Accept:
    inbound = Inbound(session=str(session), update_id=update_id, at=1.0, text=f"m{update_id} \ud83d\ude00é")
    return Accept(update_id, inbound=inbound.model_copy(update={"text": f"m{update_id} é\0"}))


async def filled(store: Store) -> Claim:
    """A deployment with something of each kind that is kept."""
    await store.intake.accept(BOT, [message(1, ONE), message(2, TWO), message(3, ONE), message(4, QUIET)])
    await store.members.beat("w-one", WorkerStatus(), LONG)
    for session, left in ((ONE, 1), (QUIET, 0)):
        claim = await store.sessions.claim(session, "w-one")
        assert isinstance(claim, Claim)
        said = [Reply(text="answer", answers=(1,))] if left else []
        letter = [DeadLetter(reason="why", at=2.0, raw="x")] if left else []
        await store.sessions.commit(claim, Commit(1, said, history=b"\x01\x00\xff\xfe", dead=letter))
    await store.earlier.set_aside(claim, 1, [Conversation(number=1, title="tea", at=1.0)])
    await store.notes.remember(ONE, "name", "Ann")
    await store.reminders.add(TWO, "tea", 3600)
    await store.intake.push_replies(BOT, [Reply(text="hello")])
    await store.people.put(BOT, ONE.chat, Person(role="member", name="Ann"))
    claim = await store.sessions.claim(TWO, "w-one")
    assert isinstance(claim, Claim)
    return claim


async def content(redis: Redis) -> dict[str, Any]:
    """What is kept: key -> value, without who works, without owners, and without when it was looked at."""
    found: dict[str, Any] = {}
    async for raw in redis.scan_iter(match="cohort:*"):
        name = raw.decode()
        if name.startswith(TRANSIENT):
            continue
        match (await redis.type(name)).decode():
            case "list":
                found[name] = await redis.lrange(name, 0, -1)
            case "hash":
                found[name] = {k: v for k, v in (await redis.hgetall(name)).items() if k not in (b"owner", b"mark")}
            case "zset":
                found[name] = dict(await redis.zrange(name, 0, -1, withscores=True))
            case "stream":
                found[name] = await redis.xrange(name)
            case _:
                found[name] = await redis.get(name)
    return found


async def copied(source: Redis, target: Redis) -> int:
    return await restore(target, dump(source, CLOCK), CLOCK)


@pytest.mark.promise("backup")
async def test_everything_that_is_kept_is_restored(store: Store, redis_url: str, other: str, tmp_path: Path) -> None:
    await filled(store)
    file = tmp_path / "backup"
    async with Redis.from_url(redis_url) as source, Redis.from_url(other) as target:
        count = await backup_file.write(file, dump(source, CLOCK), made=5.0, release="1")
        assert backup_file.check(file) == (5.0, count)
        assert await restore(target, backup_file.read(file), CLOCK) == count
        before, after = await content(source), await content(target)
        assert after == before
        for name in before:
            assert abs(await source.pttl(name) - await target.pttl(name)) < 5000, name
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.promise("backup")
async def test_a_restored_session_goes_on_where_it_was(store: Store, redis_url: str, other: str) -> None:
    claim = await filled(store)
    assert await store.journal.append(claim, Steps("m", 0, [b'{"v":1}'], ""))
    async with Redis.from_url(redis_url) as source, Redis.from_url(other) as target:
        await copied(source, target)
        assert await target.exists(keys.journal(TWO))
    async with connect(load({"REDIS_URL": other, "TELEGRAM_BOT_TOKEN": f"{BOT}:t"})) as restored:
        # The worker that owned it lives on, beside the old Redis.
        await restored.members.beat("w-two", WorkerStatus(), LONG)
        again = await restored.sessions.claim(ONE, "w-two")
        assert isinstance(again, Claim)
        assert await restored.intake.accept(BOT, [message(1, ONE)]) == ["seen"]
        assert await restored.notes.recall(ONE) == {"name": "Ann"}
        work = await restored.sessions.advance(again)
        assert work is not None
        assert [Reply.from_json(raw).text for raw in work.outbox] == ["answer"]
        pending = await restored.sessions.sweep(range(64), 10, 0)
        assert {session for found in pending for session in found.sessions} == {ONE, TWO}


@pytest.mark.promise("backup")
async def test_a_backup_makes_no_round_trip_for_each_session(store: Store, redis_url: str) -> None:
    """A round trip for each took two minutes for 100,000 of them."""
    async with Redis.from_url(redis_url) as source:
        for session in (SessionKey(BOT, chat) for chat in range(1, 121)):
            await source.hset(keys.state(session), "turns", "1")  # type: ignore[misc]
            await source.rpush(keys.answers(session), "{}")  # type: ignore[misc]
            await source.expire(keys.answers(session), LONG)
        await source.config_resetstat()
        told = [record.key async for record in dump(source, CLOCK)]
        assert {keys.state(SessionKey(BOT, 1)), keys.answers(SessionKey(BOT, 120))} <= {*told}
        assert len(told) >= 240
        assert (await source.info("commandstats"))["cmdstat_exec"]["calls"] < 20


Action = Callable[[Store], Awaitable[object]]


async def _bury(store: Store) -> None:
    claim = await store.sessions.claim(TWO, "w-one")
    assert isinstance(claim, Claim)
    letter = DeadLetter(reason="buried", at=2.0, inbound=message(2, TWO).inbound)
    await store.sessions.commit(claim, Commit(1, dead=[letter]))


async def _retry(store: Store) -> None:
    for dead in await store.dead.list():
        if dead.letter.inbound is not None:
            await store.dead.retry(dead.id)


async def _fire(store: Store) -> None:
    assert await store.reminders.fire(anyone) == 1


ACTIONS: dict[str, Action] = {
    "a message is buried": _bury,
    "a dead letter is retried": _retry,
    "a reminder comes": _fire,
}


async def messages(redis: Redis) -> set[str]:
    """The texts of all messages in inboxes, reminders and dead letters."""
    found: set[str] = set()
    for value in (await content(redis)).values():
        parts = value if isinstance(value, list) else list(value) if isinstance(value, dict) else []
        for part in parts:
            raw = part[1][b"letter"] if isinstance(part, tuple) else part
            with suppress(EnvelopeInvalid):
                found.add(Inbound.from_json(raw).text)
            with suppress(EnvelopeInvalid):
                letter = DeadLetter.from_json(raw)
                found |= {letter.inbound.text} if letter.inbound else set()
    return found


@pytest.mark.promise("backup")
@pytest.mark.parametrize("action", ACTIONS)
async def test_what_moves_while_the_backup_is_read_is_not_lost(
    store: Store, redis_url: str, other: str, action: str
) -> None:
    """The action happens after each of the backup's records in turn."""
    async with Redis.from_url(redis_url) as source, Redis.from_url(other) as target:
        place, more = 0, True
        while more:
            await source.flushdb()
            await target.flushdb()
            await open_layout(source, 64)
            await filled(store)
            claim = await store.sessions.claim(ONE, "w-one")
            assert isinstance(claim, Claim)
            lost = DeadLetter(reason="r", at=2.0, inbound=message(9, ONE).inbound)
            await store.sessions.commit(claim, Commit(0, dead=[lost]))
            # Due at once, as if its time had passed.
            for raw, _ in await source.zrange(keys.REMINDERS, 0, -1, withscores=True):
                await source.zadd(keys.REMINDERS, {raw: 1.0})
            before = await messages(source)
            assert len(before) == 4

            async def acting(at: int) -> AsyncIterator[StoredKey]:
                nonlocal more
                count, more = 0, False
                async for record in dump(source, CLOCK):
                    yield record
                    count += 1
                    if count == at + 1:
                        more = True
                        await ACTIONS[action](store)

            await restore(target, acting(place), CLOCK)
            assert await messages(target) >= before
            place += 1
        assert place > 8


@pytest.mark.promise("backup")
async def test_a_restore_that_was_cut_off_is_begun_again_and_no_process_starts_before(
    store: Store, redis_url: str, other: str
) -> None:
    await filled(store)

    async def cut() -> AsyncIterator[StoredKey]:
        place = 0
        async for record in dump(source, CLOCK):
            if place == 6:
                raise KeyboardInterrupt
            place += 1
            yield record

    settings = load({"REDIS_URL": other, "TELEGRAM_BOT_TOKEN": f"{BOT}:t"})
    async with Redis.from_url(redis_url) as source, Redis.from_url(other) as target:
        with pytest.raises(KeyboardInterrupt):
            await restore(target, cut(), CLOCK)
        with pytest.raises(Misconfigured, match="cut off: run `cohort restore` again"):
            async with connect(settings):
                pass
        await copied(source, target)
        assert await content(target) == await content(source)
    async with connect(settings):
        pass


@pytest.mark.promise("backup")
async def test_a_backup_is_restored_into_an_empty_redis_only(store: Store, redis_url: str, other: str) -> None:
    await filled(store)
    async with Redis.from_url(redis_url) as source, Redis.from_url(other) as target:
        await store.members.report_death("w-one")
        before = await content(source)
        with pytest.raises(Misconfigured, match="holds sessions already"):
            await restore(source, dump(source, CLOCK), CLOCK)
        assert await content(source) == before
        async with connect(load({"REDIS_URL": other, "TELEGRAM_BOT_TOKEN": f"{BOT}:t"})) as running:
            await running.members.beat("w-two", WorkerStatus(), LONG)
            with pytest.raises(Misconfigured, match="workers are running"):
                await copied(source, target)
            await running.members.report_death("w-two")
        # What a first start wrote is no reason to refuse.
        await copied(source, target)
