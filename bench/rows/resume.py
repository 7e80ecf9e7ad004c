"""What a SIGKILL in the last of ten steps costs: what is done again, and how long the answer takes."""

import asyncio
from collections import Counter

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import CLOCK, Broken, Running, stand
from tests.harness import counters
from tests.harness.history import Execution

ABOUT = (
    "SIGKILL of a worker in a turn of ten tool calls, when the ninth has ended; its supervisor sees it; a model of"
    " 300 ms to the first token. model calls, tool calls: finished before the kill and made again; s: from the kill to"
    " the complete answer; from-start: the same, and the journal is lost, so that the turn begins again"
)
COLUMNS = ("cohort-2", "from-start")
BASE = "from-start"
GOALS = (
    Goal("cohort-2", "model calls again", at_most=0, worst=True),
    Goal("cohort-2", "tool calls again", at_most=0, worst=True),
    Goal("cohort-2", "s", at_most=0.6, to="from-start", says="sooner than the same turn from its beginning"),
)
TIMES = {"from-start": 3}
WHY = "from-start is measured 3 times. It takes what Cohort takes, with a journal that is removed at the kill."

TOOL_CALLS = 10
KILLED_AFTER = 9
KEPT = 3 * KILLED_AFTER
"""Entries then: of each tool call the model call, its mark and its result."""
PACED = {"ttft": 0.3, "tps": 0}
PATIENCE_S = 30.0


async def measure(column: str, size: Size) -> dict[str, float]:
    turns = size.of(3, 1)
    async with stand() as place:
        counters.furnish(place.harness, servers=False)
        await place.model.control(**PACED)
        async with PEERS["cohort-2"].on(place) as running:
            found = [await _killed(running, number, loses=column == "from-start") for number in range(turns)]
    return {name: max(one[name] for one in found) for name in found[0]}


async def _killed(running: Running, number: int, *, loses: bool) -> dict[str, float]:
    place = running.stand
    (chat,) = await place.chats(1)
    first, after = len(await place.model.journal()), await place.position()
    calls = [counters.call("in_python", f"{number}-{step}") for step in range(TOOL_CALLS)]
    await place.people.say(chat, " THEN ".join(calls))
    await _so_far(running, f"cohort:s:*:{chat}:journal")
    owner = await _owner(running, chat)
    # ``Running.kill`` ends the first worker.
    running.workers.sort(key=lambda process: process.name != owner)
    dead = await running.kill()
    if loses:
        await _lose(running, chat)
    answered = await place.answers({chat: f"counted {number}-{TOOL_CALLS - 1}"}, after=after, patience=PATIENCE_S)
    await running.more()
    asked = (await place.model.journal())[first:]
    ran = counters.executions(counters.log_of(place.harness))
    return {
        "model calls again": _again(asked, dead),
        "tool calls again": _executed_again([one for one in ran if one.name.startswith(f"{number}-")], dead),
        "s": answered[chat] - dead,
    }


async def _so_far(running: Running, pattern: str) -> None:
    """Wait until so many steps are kept."""
    redis = running.stand.redis
    deadline = CLOCK.monotonic() + PATIENCE_S
    while CLOCK.monotonic() < deadline:
        async for name in redis.scan_iter(pattern, count=1000):
            if await redis.llen(name) >= KEPT:
                return
        await asyncio.sleep(0.01)
    raise Broken("the turn did not come to its ninth tool call")


async def _owner(running: Running, chat: int) -> str:
    async for name in running.stand.redis.scan_iter(f"cohort:s:*:{chat}:state"):
        return (await running.stand.redis.hget(name, "owner")).decode()
    raise Broken("the session has no owner")


async def _lose(running: Running, chat: int) -> None:
    redis = running.stand.redis
    async for name in redis.scan_iter(f"cohort:s:*:{chat}:state"):
        await redis.hdel(name, "journal")
        await redis.delete(name.decode().removesuffix("state") + "journal")


def _again(calls: list[dict], dead: float) -> int:
    """Model calls that had ended before the kill and were made again."""
    before = Counter(_results(call) for call in calls if call["state"] == "answered" and call["until"] < dead)
    after = Counter(_results(call) for call in calls if call["at"] > dead)
    return sum((before & after).values())


def _results(call: dict) -> int:
    return sum(message["role"] == "tool" for message in call["messages"])


def _executed_again(ran: list[Execution], dead: float) -> int:
    before = {one.name for one in ran if one.until < dead}
    return sum(one.name in before for one in ran if one.at > dead)
