"""`cohort stuck`: which chat's work is the oldest, and what it waits for."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ops.commands.status.read import look
from ops.commands.status.text import render
from ops.commands.stuck import oldest
from tasks import keys
from tasks.clock import SystemClock
from tasks.config.settings import Settings
from tasks.envelope import Inbound, Reply
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.store.sessions import Claim, Commit
from tests.harness.command import cohort
from tests.support.redis_of import redis_of

CHAT, OTHER = SessionKey(20, 7), SessionKey(202, -100_8, 3)


async def wrote(store: Store, key: SessionKey) -> None:
    said = Inbound(session=str(key), update_id=1, at=1.0, text="hello", message_id=1)
    await store.intake.accept(key.bot, [Accept(1, inbound=said)])


async def works(store: Store) -> None:
    await store.members.beat("w-1", WorkerStatus(host="h", node="cohort-1@h"), timedelta(minutes=5))
    slots = {str(slot): "w-1" for slot in range(64)}
    await redis_of(store).hset(keys.ASSIGNMENT, mapping={"version": "1", **slots})  # type: ignore[misc]


async def claimed(store: Store) -> Claim:
    await works(store)
    claim = await store.sessions.claim(CHAT, "w-1")
    assert isinstance(claim, Claim)
    return claim


async def runs(store: Store) -> None:
    await claimed(store)
    await redis_of(store).hset(keys.state(CHAT), "tries", "2")  # type: ignore[misc]


async def delivers(store: Store) -> None:
    await store.sessions.commit(await claimed(store), Commit(1, [Reply(text="answer", answers=(1,))]))


async def died(store: Store) -> None:
    await claimed(store)
    await redis_of(store).delete(keys.worker("w-1"))


async def drains(store: Store) -> None:
    await claimed(store)
    await redis_of(store).hdel(keys.MEMBERS, "w-1")  # type: ignore[misc]


async def paused(store: Store) -> None:
    await works(store)
    await store.pauses.pause("turns", CHAT)


async def no_worker(store: Store) -> None:
    del store


STANDS: dict[str, Callable[[Store], Awaitable[None]]] = {
    "its turn runs on cohort-1@h for the second time: a worker ended in it before; 1 message in its inbox": runs,
    "cohort-1@h delivers its answer: it waits for Telegram's limits (20 messages a minute in a group), "
    "longer after a `telegram.flood` in the log": delivers,
    "its worker w-1 is gone: another one takes it over; 1 message in its inbox": died,
    "its turn runs on cohort-1@h, which drains: another worker goes on with it then; 1 message in its inbox": drains,
    "its turns are paused by command (`cohort resume turns`); 1 message in its inbox": paused,
    "no worker serves it: start one; 1 message in its inbox": no_worker,
    "waits for cohort-1@h to begin it: all lanes are taken, or it has a process of its own; 1 message in its inbox": (
        works
    ),
}


@pytest.mark.promise("find")
@pytest.mark.parametrize("words", STANDS)
async def test_it_is_said_what_a_chat_waits_for(store: Store, words: str) -> None:
    await wrote(store, CHAT)
    await STANDS[words](store)
    (one,) = await oldest(store, SystemClock(), slots=64, most=10)
    assert (one.session, one.why) == (str(CHAT), words)


@pytest.mark.promise("find")
async def test_the_oldest_comes_first_of_all_bots_or_of_one_and_status_says_where_to_look(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    environ = {"REDIS_URL": settings.redis, "TELEGRAM_BOT_TOKEN": "20:t"}
    assert cohort("stuck", home=tmp_path, **environ).stdout == "no chat has work\n"
    now = SystemClock().now()
    for key, age in ((CHAT, 300), (OTHER, 4000)):
        await wrote(store, key)
        await redis_of(store).zadd(keys.pending(slot_of(key, 64)), {str(key): now - age})

    def told(*words: str) -> list[str]:
        done = cohort("stuck", "--json", *words, home=tmp_path, **environ)
        assert (done.returncode, done.stderr) == (0, "")
        return [one["session"] for one in json.loads(done.stdout)["chats"]]

    assert told() == [str(OTHER), str(CHAT)]
    assert (told("--limit", "1"), told("--bot", "20")) == ([str(OTHER)], [str(CHAT)])
    said = cohort("stuck", home=tmp_path, **environ).stdout.splitlines()
    assert said[0].startswith(f"{OTHER}  67 min  no worker serves it")
    assert "cohort sessions stop SESSION" in said[2]
    assert "a chat has had no answer for 67 min: see `cohort stuck`" in render(
        await look(store, SystemClock(), slots=64)
    )
