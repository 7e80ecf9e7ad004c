"""Each kind of key in backups and in ``cohort forget``: a new kind fails here until it is placed in both."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from tasks import keys
from tasks.clock import SystemClock
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.backup import dump, restore
from tests.harness.command import cohort
from tests.harness.contents import everything
from tests.support.kept import NO_PERSON, Someone, plant
from tests.support.redis_of import redis_of

ANN = Someone(4242, 7770001, "annword", SessionKey(4242, -1005550003))
BOB = Someone(4242, 8880002, "bobword", SessionKey(4242, -1005550003))

REMADE = {
    "cohort:slot:*:pending": "restore has each session with work pending",
    "cohort:slot:*:parked": "a session whose turn waits comes back here when its worker looks at it",
    "cohort:own-wanted": "the sweep asks again",
    "cohort:members": "workers",
    "cohort:assignment": "workers",
}
"""Kinds that do not expire and are no part of a backup, and why."""


async def kinds_in(redis: Redis) -> set[str]:
    found = [keys.kind_of(name.decode()) async for name in redis.scan_iter(match="cohort:*")]
    return {kind.pattern for kind in found if kind is not None}


@pytest.mark.promise("forgotten")
async def test_each_kind_of_key_is_planted_with_something_of_a_person_or_is_said_to_hold_nothing(store: Store) -> None:
    await plant(redis_of(store), ANN, BOB)
    assert {kind.pattern for kind in keys.KINDS} == await kinds_in(redis_of(store)) | set(NO_PERSON)


@pytest.mark.promise("forgotten")
async def test_a_person_is_forgotten_in_each_kind_of_key_and_their_neighbour_stays(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await plant(redis_of(store), BOB, ANN)
    beside = await kinds_in(redis_of(store))
    await plant(redis_of(store), ANN, BOB)
    done = cohort("forget", str(ANN.person), "--yes", home=tmp_path, REDIS_URL=redis_url)
    assert (done.returncode, done.stderr) == (0, "")
    left = await everything(redis_of(store))
    for line in left.replace(str(ANN.group), "").splitlines():
        assert str(ANN.person) not in line
        assert ANN.word not in line
    assert await kinds_in(redis_of(store)) == beside


@pytest.mark.promise("backup")
async def test_each_kind_of_key_that_lasts_is_in_a_backup_or_is_said_to_be_made_again(
    store: Store, redis_url: str
) -> None:
    assert {kind.pattern for kind in keys.KINDS if kind.lifetime != "expires" and kind.backup == "no"} == set(REMADE)
    await plant(redis_of(store), ANN, BOB)
    wanted = {kind.pattern for kind in keys.KINDS if kind.backup != "no"}
    async with Redis.from_url(f"{redis_url}/1") as other:
        await restore(other, dump(redis_of(store), SystemClock()), SystemClock())
        assert await kinds_in(other) >= wanted & await kinds_in(redis_of(store))
