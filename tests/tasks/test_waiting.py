"""A timed wait says whether the event came, and an event that is set costs no wait."""

import asyncio

import pytest

from tasks.waiting import came_within


@pytest.mark.promise("drain")
async def test_a_timed_wait_says_whether_its_event_came() -> None:
    event = asyncio.Event()
    assert not await came_within(event, 0.001)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(came_within(event, None))
        group.create_task(asyncio.to_thread(lambda: None)).add_done_callback(lambda _: event.set())
    assert waiting.result()
    assert await came_within(event, 60)
