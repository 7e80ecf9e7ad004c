"""The embedded Valkey: what it accepted survives its end, however it ends."""

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from ops.up import valkey
from ops.up.supervisor import Supervisor
from tasks.errors import Misconfigured
from tests.harness.supervising import PATIENCE, ConsoleSpy, supervising
from tests.support.ports import free_port


async def prepared(home: Path) -> valkey.Embedded:
    """What is to be started, on a port that no other process takes while the server is away."""
    directory = home / "valkey"
    directory.mkdir(mode=0o700, exist_ok=True)
    if not (directory / "port").exists():
        (directory / "port").write_text(str(free_port()))
    return await valkey.prepare(directory, home / "valkey.log")


async def begun(supervisor: Supervisor, home: Path) -> valkey.Embedded:
    embedded = await prepared(home)
    started = await valkey.start(supervisor, embedded, patience=PATIENCE)
    assert started is not None, (home / "valkey.log").read_text()
    return started


@asynccontextmanager
async def client(embedded: valkey.Embedded) -> AsyncIterator[Redis]:
    async with Redis.from_url(embedded.url) as redis:
        yield redis


@pytest.mark.promise("redis-killed")
async def test_data_survives_a_restart_of_the_whole_system(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        async with client(await begun(supervisor, tmp_path)) as redis:
            await redis.rpush("inbox", "kept")
        await supervisor.stop()
    async with supervising(console) as supervisor, client(await begun(supervisor, tmp_path)) as redis:
        assert await redis.lrange("inbox", 0, -1) == [b"kept"]


@pytest.mark.promise("redis-killed")
async def test_a_killed_server_comes_back_by_itself_with_every_acknowledged_write(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        embedded = await begun(supervisor, tmp_path)
        async with client(embedded) as redis:
            for number in range(200):
                await redis.rpush("inbox", number)
        current = supervisor.processes["valkey"].current
        assert current is not None
        os.kill(current.pid, signal.SIGKILL)
        await console.hear("valkey was killed by SIGKILL")
        assert await valkey.ready(embedded, supervisor.processes["valkey"].leaving, patience=PATIENCE)
        async with client(embedded) as redis:
            assert await redis.llen("inbox") == 200


async def test_it_is_set_to_lose_and_to_evict_nothing(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor, client(await begun(supervisor, tmp_path)) as redis:
        told = await redis.config_get("appendonly", "appendfsync", "maxmemory-policy", "bind")
    assert told == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
    }


async def test_a_client_without_the_password_is_refused_and_its_files_are_private(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        embedded = await begun(supervisor, tmp_path)
        assert await valkey.answers(embedded)
        stranger = replace(embedded, password="guess")
        assert not await valkey.answers(stranger)
    for name in ("password", "valkey.conf"):
        assert (tmp_path / "valkey" / name).stat().st_mode & 0o077 == 0
    assert (tmp_path / "valkey").stat().st_mode & 0o077 == 0


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize(
    "damage", [b"", b"\n", b"  ", b"short", b'a"b c\nrequirepass nothing-at-all', b"\xff\xfe" * 20]
)
async def test_a_damaged_password_is_replaced_and_no_client_is_served_without_the_new_one(
    console: ConsoleSpy, tmp_path: Path, damage: bytes
) -> None:
    kept = tmp_path / "valkey" / "password"
    kept.parent.mkdir()
    kept.write_bytes(damage)
    async with supervising(console) as supervisor:
        embedded = await begun(supervisor, tmp_path)
        assert len(embedded.password) >= 16
        assert kept.read_text() == embedded.password
        assert kept.stat().st_mode & 0o077 == 0
        for guess in ("", damage.decode("latin-1").strip()):
            assert not await valkey.answers(replace(embedded, password=guess))


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("damage", [b"", b"99999", b"12345678901234567890", b"-1", b"0x10", b"\xff", b"\xc2\xb2"])
async def test_a_damaged_port_is_no_reason_not_to_start(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "port").write_bytes(damage)
    embedded = await valkey.prepare(tmp_path / "valkey", tmp_path / "log")
    assert 0 < embedded.port < 65536


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("name", ["password", "port", "valkey.conf", "lock"])
async def test_a_directory_where_a_file_should_be_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "valkey" / name).mkdir(parents=True)
    with pytest.raises(Misconfigured, match=r"^[^\n]+$"):
        await valkey.prepare(tmp_path / "valkey", tmp_path / "log")


@pytest.mark.promise("settings-clear")
async def test_a_file_where_its_directory_should_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "valkey").touch()
    with pytest.raises(Misconfigured, match=r"^COHORT_HOME: [^\n]+$"):
        await valkey.prepare(tmp_path / "valkey", tmp_path / "log")


async def test_a_server_left_by_a_killed_supervisor_is_ended_before_its_data_is_used_again(
    console: ConsoleSpy, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        left = await begun(supervisor, tmp_path)
        async with client(left) as redis:
            await redis.rpush("inbox", "kept")
        # As after a kill of its supervisor outside Linux: the server runs without a supervisor.
        supervisor.processes["valkey"].leaving.set()
        async with supervising(console) as another, client(await begun(another, tmp_path)) as redis:
            assert await redis.lrange("inbox", 0, -1) == [b"kept"]
            assert len(another.processes) == 1


async def test_the_port_stays_the_same_while_it_is_free(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        first = await begun(supervisor, tmp_path)
        await supervisor.stop()
    async with supervising(console) as supervisor:
        assert (await begun(supervisor, tmp_path)).port == first.port


async def test_a_port_that_is_taken_before_the_server_starts_is_replaced(console: ConsoleSpy, tmp_path: Path) -> None:
    embedded = await prepared(tmp_path)
    with socket.create_server((valkey.HOST, embedded.port)):
        async with supervising(console) as supervisor:
            started = await valkey.start(supervisor, embedded, patience=PATIENCE)
            assert started is not None
            assert started.port != embedded.port
            assert await valkey.answers(started)


async def test_a_directory_with_blanks_and_quotes_serves_as_well(console: ConsoleSpy, tmp_path: Path) -> None:
    home = tmp_path / 'my "home" dir'
    home.mkdir()
    async with supervising(console) as supervisor, client(await begun(supervisor, home)) as redis:
        assert await redis.ping()
    assert (home / "valkey.log").is_file()


async def test_damaged_data_is_told_and_not_waited_for(console: ConsoleSpy, tmp_path: Path) -> None:
    async with supervising(console) as supervisor:
        await begun(supervisor, tmp_path)
        await supervisor.stop()
    for manifest in (tmp_path / "valkey" / "appendonlydir").glob("*.manifest"):
        manifest.write_text("this is no manifest\n")
    async with supervising(console) as supervisor:
        embedded = await valkey.prepare(tmp_path / "valkey", tmp_path / "valkey.log")
        assert await valkey.start(supervisor, embedded, patience=PATIENCE) is None
