"""One group with forty topics whose turns all last, and another chat, over real processes."""

import asyncio
from pathlib import Path

import pytest

from playground.client import PlaygroundClient
from tests.harness.nursery import nursery
from tests.harness.product import Harness, ModelControl, durable_valkey


@pytest.mark.promise("no-queue-behind-a-chat")
async def test_another_chat_is_answered_while_forty_topics_of_one_group_hold_all_that_they_may(tmp_path: Path) -> None:
    with (
        durable_valkey(tmp_path / "valkey") as valkey,
        Harness(tmp_path / "h", valkey.connection_url, nursery()) as harness,
    ):
        playground, model = harness.playground(), harness.model()
        worker = harness.worker(ready=False, COHORT_LANES="2")
        harness.bot()
        await asyncio.to_thread(worker.wait_line, "slots.served")
        async with PlaygroundClient(playground) as people, ModelControl(model) as control:
            forum = await people.chat("supergroup", topics=[f"topic {number}" for number in range(40)])
            group = forum["id"]
            for topic in forum["topics"]:
                await people.say(group, "@cohort_playground_bot HOLD:flood", thread=topic["id"])
            await people.wait_confirmed()
            await control.held("flood", 1)
            other = (await people.chat())["id"]
            await people.say(other, "hello")
            await people.wait_for(other, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
            await control.release("flood")
            await people.wait_for(group, lambda ours: any("[n=1]" in message["text"] for message in ours))
