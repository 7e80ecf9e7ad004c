"""Servers that say without end that their tools changed, or ask without end: enough is read, and nothing missed."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.runtime.support import until
from workers.runtime.patches import server_text, tool_lists


class Lists:
    """Reads a server's list as an aggregator does, a reading at a time."""

    def __init__(self) -> None:
        self.version = 0
        self.read: list[int] = []
        self.gate = asyncio.Event()

    async def refresh(self, server: str) -> None:
        assert server == "sky"
        seen = self.version
        await self.gate.wait()
        self.read.append(seen)


@pytest.mark.promise("servers-over-http")
async def test_a_list_is_read_at_once_and_once_for_all_notices_that_come_until_it_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tool_lists, "APART_S", 0.05)
    lists = Lists()

    async def original(_: Any, server: str) -> None:
        await lists.refresh(server)

    changed, aggregator = tool_lists.once(original), SimpleNamespace()
    async with asyncio.TaskGroup() as group:
        for _ in range(1_000):
            lists.version += 1
            group.create_task(changed(aggregator, "sky"), name="notice")
            await asyncio.sleep(0)
        lists.gate.set()
        await until(lambda: len(lists.read) == 2)
    assert lists.read == [1, 1_000]
    # One that comes later is read, too.
    lists.version += 1
    await changed(aggregator, "sky")
    assert lists.read == [1, 1_000, 1_001]


async def test_a_reading_that_fails_or_is_cancelled_hinders_no_later_one() -> None:
    calls: list[int] = []

    async def original(*_: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError
        await asyncio.sleep(60)

    changed, aggregator = tool_lists.once(original), SimpleNamespace()
    with pytest.raises(ValueError):
        await changed(aggregator, "sky")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(changed(aggregator, "sky"), name=f"notice {number}") for number in range(2)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
    assert not aggregator.cohort_lists["sky"].waits
    assert not aggregator.cohort_lists["sky"].lock.locked()


async def test_of_a_flood_of_requests_some_are_answered_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    answered: list[int] = []

    async def original(_: Any, req: Any, *__: Any) -> None:
        answered.append(req.id)

    dispatch, dispatcher = server_text.asked(original), SimpleNamespace()
    for number in range(5_000):
        await dispatch(dispatcher, SimpleNamespace(id=number, method="ping"), None, None, None)
    assert answered[:64] == list(range(64))
    assert len(answered) < 200
    assert [record.getMessage() for record in caplog.records].count("server.too_many_requests") == 1
