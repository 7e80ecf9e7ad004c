"""``cohort backup``, ``restore`` and ``move``, as an operator types them."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from ops.commands.backup import file as backup_file
from ops.home import Home, Running
from tasks.clock import SystemClock
from tasks.store import Store
from tasks.store.backup import dump
from tests.harness.command import cohort
from tests.tasks.test_backup import content, filled


@pytest.mark.promise("backup")
async def test_a_backup_goes_into_an_empty_home_and_from_there_into_an_own_redis(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await filled(store)
    await store.members.report_death("w-one")
    await store.pauses.pause("intake")
    home, file, second = tmp_path / "home", tmp_path / "first", tmp_path / "second"
    async with Redis.from_url(redis_url) as redis:
        before = await content(redis)
        done = cohort("backup", str(file), home=home, REDIS_URL=redis_url)
        assert (done.returncode, done.stderr) == (0, "")
        assert str(file) in done.stdout

        done = cohort("restore", str(file), home=home)
        assert (done.returncode, done.stderr) == (0, "")
        # What was paused is paused again.
        assert "intake is paused since" in done.stdout
        again = cohort("restore", str(file), home=home)
        assert again.returncode == 2
        assert again.stderr == "cohort: this Redis holds sessions already: a backup is restored into an empty one\n"

        done = cohort("backup", str(second), home=home)
        assert (done.returncode, done.stderr) == (0, "")

        await redis.flushall()
        done = cohort("move", redis_url, home=home)
        assert (done.returncode, done.stderr) == (0, "")
        assert await content(redis) == before


@pytest.mark.promise("backup")
async def test_what_an_operator_gets_wrong_is_one_line(store: Store, redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    async with Redis.from_url(redis_url) as redis:
        await backup_file.write(file, dump(redis, SystemClock()), made=1.0, release="1")
    (tmp_path / "text").write_text("hello")
    wrong = {
        ("backup", str(file)): f"{file} is there already: name another file, or give --force",
        ("restore", str(tmp_path / "text")): "is not a backup of Cohort",
        ("restore", str(tmp_path / "none")): "cannot be read (No such file or directory)",
        ("move", redis_url): "REDIS_URL is set: `cohort move` copies this directory's own store; unset it",
        ("move", "postgres://x"): "REDIS_URL",
    }
    for command, line in wrong.items():
        done = cohort(*command, home=tmp_path / "home", REDIS_URL=redis_url)
        assert done.returncode == 2, command
        assert done.stdout == ""
        assert line in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.promise("backup")
async def test_only_the_redis_of_the_running_system_cannot_be_restored_into(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    other = f"{redis_url}/7"
    await filled(store)
    home, file = Home(tmp_path / "home"), tmp_path / "file"
    async with Redis.from_url(redis_url) as redis:
        await backup_file.write(file, dump(redis, SystemClock()), made=1.0, release="1")
    with home.hold():
        home.announce(Running(pid=1, started=0.0, control=1, secret="s", env={"REDIS_URL": redis_url}))
        same = (redis_url, redis_url.replace("127.0.0.1", "localhost"))
        for url in same:
            done = cohort("restore", str(file), home=home.root, REDIS_URL=url)
            assert (done.returncode, "`cohort up` runs in" in done.stderr) == (2, True), done.stderr
        done = cohort("restore", str(file), home=home.root, REDIS_URL=other)
        assert (done.returncode, done.stderr) == (0, "")
        home.announce(Running(pid=1, started=0.0, control=1, secret="s", env={}))
        done = cohort("restore", str(file), home=home.root, REDIS_URL=other)
        assert "`cohort up` runs in" in done.stderr, "a release before does not tell its address"
    async with Redis.from_url(other) as redis:
        await redis.flushdb()
