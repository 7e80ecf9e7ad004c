"""One running system for the tests of this folder; each test talks in chats of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from playground.client import PlaygroundClient
from tests.harness.declared import undeclared
from tests.harness.nursery import nursery
from tests.harness.product import Harness, ModelControl, durable_valkey


@dataclass(frozen=True)
class Running:
    harness: Harness
    playground: str
    model: str


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Valkey, playground, mock model, one bot and two workers. They end with the folder, not with the run."""
    home = tmp_path_factory.mktemp("system")
    with durable_valkey(home / "valkey") as valkey, Harness(home / "h", valkey.connection_url, nursery()) as harness:
        playground, model = harness.playground(), harness.model()
        workers = [harness.worker(ready=False) for _ in range(2)]
        # Tests start it again.
        harness.environ |= {"COHORT_INLINE": "1", "COHORT_GUESTS": "1"}
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
