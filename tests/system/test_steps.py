"""A worker that is killed in a turn's tools: an heir goes on, and nothing that was finished is done again."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground import PLAYGROUND_TOKEN
from playground.client import PlaygroundClient
from tasks import keys
from tasks.session import SessionKey
from tasks.store import connect
from tests.harness.nursery import nursery
from tests.harness.product import Harness, ModelControl, durable_valkey
from tests.support.redis_of import redis_of
from tests.support.until import until

BOT = int(PLAYGROUND_TOKEN.split(":")[0])
CARD = "---\nname: assistant\ndefault: true\nfunction_tools: [counter.py:count]\n---\nYou count.\n"
COUNTER = '''
"""A tool that writes down each of its executions with the key of the call, and may be held."""

import asyncio
from pathlib import Path

from cohort import current_call

HERE = Path(__file__)


async def count(name: str = "it") -> str:
    """Count."""
    with HERE.with_suffix(".log").open("a") as log:
        log.write(f"{current_call().key} {name}\\n")
    while name == "held" and not HERE.with_suffix(".go").exists():
        await asyncio.sleep(0.05)
    return f"counted {name}"
'''


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[tuple[Harness, PlaygroundClient, ModelControl]]:
    """A system of its own, whose agent has the tool."""
    with (
        durable_valkey(tmp_path / "valkey") as valkey,
        Harness(tmp_path / "h", valkey.connection_url, nursery()) as own,
    ):
        cards = own.home / "cards"
        (cards / "counter.py").write_text(COUNTER)
        (cards / "assistant.md").write_text(CARD)
        # A worker that is only slow is not taken for dead.
        own.environ["COHORT_HEARTBEAT_TTL"] = "60"
        playground, url = own.playground(), own.model()
        own.worker(ready=False)
        own.bot()
        async with PlaygroundClient(playground) as people, ModelControl(url) as model:
            yield own, people, model


@pytest.mark.promise("steps-once")
async def test_a_worker_killed_in_a_tool_call_costs_that_call_one_more_try_and_nothing_else(
    counting: tuple[Harness, PlaygroundClient, ModelControl],
) -> None:
    harness, people, model = counting
    cards = harness.home / "cards"
    chat = (await people.chat())["id"]
    await people.say(chat, 'CALL:count{"name": "first"} CALL:count{"name": "held"}')

    async def begun() -> bool:
        return (cards / "counter.log").read_text().count("\n") > 1

    async with connect(harness.settings()) as store:
        # The model call, two calls that have begun, and the end of the first one.
        await until(lambda: redis_of(store).lindex(keys.journal(SessionKey(BOT, chat)), 3))
        await until(begun)
        ((name, worker),) = harness.workers.items()
        worker.kill()
        await store.members.report_death(name)
    (cards / "counter.go").touch()
    harness.worker(ready=False)
    ours = await people.wait_for(chat, lambda ours: bool(ours) and "tool=counted held" in ours[-1]["text"], timeout=60)
    assert "tool=counted first" in ours[-1]["text"]
    executions = (cards / "counter.log").read_text().splitlines()
    assert Counter(line.split()[1] for line in executions) == {"first": 1, "held": 2}
    assert len(set(executions)) == 2, "each call has one key"
    assert len(await model.begun(0, 0)) == 2, "one that asked for the tools, and one that answered"
