"""Commands that read: they write nothing, and work on a Redis that takes no writes or hangs."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from ops.context import PATIENCE_S
from tests.harness.command import clean, cohort
from tests.harness.processes import ROOT
from tests.harness.valkey import Valkey
from tests.support.valkey import valkey_server

READS = [
    ("status",),
    ("health",),
    ("dead", "list"),
    ("dead", "show", "1-0"),
    ("find", "1a2b3c"),
    ("sessions", "list"),
    ("drain", "worker-1"),
]
"""Each command that reads from Redis; `drain` looks for its worker before it does anything."""


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[str]:
    """A Redis that takes connections and never answers."""
    server = Valkey(tmp_path / "frozen")
    server.start()
    server.freeze()
    try:
        yield server.url
    finally:
        server.thaw()
        server.end()


@pytest.mark.promise("reads-only-read")
@pytest.mark.parametrize("command", READS, ids=" ".join)
async def test_a_command_that_reads_leaves_an_empty_redis_empty(
    command: tuple[str, ...], redis_url: str, tmp_path: Path
) -> None:
    cohort(*command, home=tmp_path / "home", REDIS_URL=redis_url)
    async with Redis.from_url(redis_url) as redis:
        assert await redis.dbsize() == 0
    assert not (tmp_path / "home").exists()


@pytest.mark.promise("reads-only-read")
@pytest.mark.parametrize("command", READS, ids=" ".join)
async def test_a_command_that_reads_works_where_a_ping_is_refused(
    command: tuple[str, ...], redis_url: str, tmp_path: Path
) -> None:
    # As with MISCONF: a Redis that cannot write its files refuses writes, and PING.
    async with Redis.from_url(redis_url) as redis:
        await redis.execute_command("ACL", "SETUSER", "default", "-ping")
        try:
            done = await asyncio.to_thread(cohort, *command, home=tmp_path / "home", REDIS_URL=redis_url)
        finally:
            await redis.execute_command("ACL", "SETUSER", "default", "+@all")
    assert "REDIS_URL" not in done.stdout + done.stderr
    assert "Redis" not in done.stderr


@pytest.mark.promise("reads-only-read")
@pytest.mark.parametrize("command", [("status",), ("health", "worker"), ("dead", "retry", "1-0")], ids=" ".join)
def test_a_command_says_that_redis_hangs_also_one_that_would_write(
    command: tuple[str, ...], frozen: str, tmp_path: Path
) -> None:
    # The start of the command takes less than a second; the rest is what it waits for.
    assert PATIENCE_S <= 2
    done = cohort(*command, home=tmp_path, REDIS_URL=frozen)
    assert done.returncode == 1
    assert f"Redis does not answer within {PATIENCE_S:g} s" in done.stderr + done.stdout
    assert len((done.stderr + done.stdout).splitlines()) == 1


@pytest.fixture(scope="module", params=["full", "read-only"])
def refusing(request: pytest.FixtureRequest) -> Iterator[str]:
    """A Redis that takes no writes."""
    more = {"maxmemory": 1} if request.param == "full" else {"replicaof": "127.0.0.1 1"}
    with valkey_server(config=more) as server:
        yield server.connection_url


@pytest.mark.promise("reads-only-read")
@pytest.mark.parametrize("command", [("status",), ("dead", "list")], ids=" ".join)
def test_a_command_that_reads_works_on_a_redis_that_takes_no_writes(
    command: tuple[str, ...], refusing: str, tmp_path: Path
) -> None:
    done = cohort(*command, home=tmp_path, REDIS_URL=refusing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_refused_write_is_told_without_what_would_have_been_written(tmp_path: Path) -> None:
    with valkey_server(config={"maxmemory": 1}) as server:
        done = cohort("dead", "drop", "1-0", home=tmp_path, REDIS_URL=server.connection_url)
    assert done.returncode == 1
    assert "Redis refuses writes (command not allowed when used memory" in done.stderr
    assert "HSETNX" not in done.stderr


@pytest.mark.promise("reads-only-read")
async def test_status_watch_goes_on_when_redis_has_been_away(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey")
    server.start()
    watching = subprocess.Popen(  # noqa: ASYNC220 - it starts at once, and its lines are what is waited for
        (sys.executable, "-m", "ops.cli", "status", "--watch", "--json"),
        cwd=ROOT,
        env=clean(tmp_path / "home") | {"REDIS_URL": server.url},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    try:
        assert "workers" in json.loads(watching.stdout.readline())
        port = server.kill()
        assert any("error" in json.loads(line) for line in watching.stdout)
        await server.again(port)
        assert any("workers" in json.loads(line) for line in watching.stdout)
    finally:
        os.kill(watching.pid, signal.SIGINT)
        watching.wait(60)
        watching.stdout.close()
        server.end()
    assert watching.returncode == 130
