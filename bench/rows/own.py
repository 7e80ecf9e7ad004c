"""Chats with a process of their own (``isolation: process``): what one costs, and how soon it answers."""

import asyncio
from pathlib import Path

from bench.proc import cost
from bench.rows import Goal, Size
from bench.stand import CLOCK, INSTANT, Stand, stand
from tasks.store import connect
from tests.harness.product import CARD

ABOUT = (
    "chats with a process of their own, which a host forks on demand, beside a bot and a worker: seconds from a message"
    " to the whole answer of the first such process (first s), and of all others, which are written to at once (all s);"
    " memory (MiB, pss) of one, all alive and silent; processes started for each chat"
)
COLUMNS = ("cohort-own",)
BASE = "cohort-own"
GOALS = (
    Goal("cohort-own", "pss of one", at_most=60.0),
    Goal("cohort-own", "starts for each", at_most=1.0, worst=True),
)
TIMES = {"cohort-own": 2}
WHY = "Memory differs little from run to run, and a hundred starts take long."


async def measure(column: str, size: Size) -> dict[str, float]:
    del column  # there is one
    count = size.of(100, 4)
    async with stand() as place:
        await place.model.control(**INSTANT)
        harness = place.harness
        harness.environ["COHORT_OWN_MAX"] = str(count)
        card = Path(harness.environ["COHORT_CARDS"]) / "assistant.md"
        card.write_text(CARD.replace("type: agent", "type: agent\nisolation: process"))
        host = harness.start("own host", ["-m", "ops.entry", "worker", "--own"])
        harness.worker()
        harness.bot()
        host.wait_line("ready for")
        first = await _answered(place, 1)
        rest = await _answered(place, count - 1)
        async with connect(harness.settings()) as store:
            hosts = (await store.own.hosts()).values()
            alive = await store.own.statuses(name for one in hosts for name in one.processes)
        memory = cost(*(status.pid for status in alive.values()))
        return {
            "first s": first,
            "all s": rest,
            "pss of one": memory.pss_mib / max(1, len(alive)),
            "alive": len(alive),
            "starts for each": sum(one.starts for one in hosts) / count,
        }


async def _answered(place: Stand, count: int) -> float:
    """Seconds until so many new chats, written to at once, have their answers."""
    after, chats = await place.position(), await place.chats(count)
    began = CLOCK.now()
    async with asyncio.TaskGroup() as people:
        for chat in chats:
            people.create_task(place.people.say(chat, "hello"), name=f"chat {chat}")
    answers = await place.answers(dict.fromkeys(chats, "[n=1]"), after=after, patience=60 + count * 3)
    return max(answers.values()) - began
