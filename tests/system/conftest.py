"""One running system for the tests of this folder; each test talks in chats of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from playground.client import PlaygroundClient
from tests.harness.declared import undeclared
from tests.harness.nursery import nursery
from tests.harness.product import Harness, ModelControl, durable_valkey

HERE = Path(__file__).parent
SECOND = (
    *("test_redis_faults", "test_recycle", "test_slots", "test_cards_reload", "test_shipped_cards"),
    *("test_asking", "test_events", "test_forget", "test_pause"),
)
"""About as long as the others together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes of a run have the stages: each has one nursery, stages mostly wait, and a worker is 180 MiB."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group("stages-2" if item.path.stem in SECOND else "stages-1"))


@dataclass(frozen=True)
class Running:
    harness: Harness
    playground: str
    model: str


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Valkey, playground, mock model, one bot and two workers."""
    home = tmp_path_factory.mktemp("system")
    with durable_valkey(home / "valkey") as valkey, Harness(home / "h", valkey.connection_url, nursery()) as harness:
        playground, model = harness.playground(), harness.model()
        workers = [harness.worker(ready=False) for _ in range(2)]
        harness.bot()
        for worker in workers:
            worker.wait_line("slots.served")
        yield Running(harness, playground, model)

        async def leaks() -> list[str]:
            async with Redis.from_url(valkey.connection_url) as redis:
                return await undeclared(redis)

        assert asyncio.run(leaks()) == []


@pytest.fixture
async def people(running: Running) -> AsyncIterator[PlaygroundClient]:
    """Telegram's users."""
    async with PlaygroundClient(running.playground) as client:
        yield client
        await client.clear_faults()


@pytest.fixture
async def model(running: Running) -> AsyncIterator[ModelControl]:
    """The mock model's controls."""
    async with ModelControl(running.model) as control:
        yield control
        await control.control(clear=True, ttft=0, tps=0)
