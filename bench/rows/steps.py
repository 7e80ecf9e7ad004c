"""What durable steps cost: a turn of ten tool calls, each kept, beside fast-agent called directly."""

import asyncio
from itertools import pairwise

from bench.columns import COLUMNS as PEERS
from bench.direct import DIRECT
from bench.peers.half_kept import kept
from bench.rows import Goal, Size
from bench.stand import CLOCK, Stand, share, stand

ABOUT = (
    "a turn of ten tool calls, one after the other, and eleven model calls: a tool that does nothing, a model of 300"
    " ms; s: p50 of a turn, chats in turn; gap: p50 from the end of a model call to the beginning of the next; a step"
    " is a model call or a tool call, and keeping one takes so many ms (p50) and round trips, by turns whose steps are"
    " kept beside turns whose steps are not, in one worker"
)
COLUMNS = ("direct", "cohort-1")
BASE = "direct"
GOALS = (
    Goal("cohort-1", "s", at_most=1.10, to="direct"),
    Goal("cohort-1", "ms a step", at_most=3),
    Goal("cohort-1", "round trips a step", at_most=1),
)

TOOL_CALLS = 10
STEPS = 2 * TOOL_CALLS
"""That are kept: the last model call is not, as the commit follows."""
TEXT = f"ROUNDS:{TOOL_CALLS} CALL:nothing"
LAST = f"[n=1]{' tool=done' * TOOL_CALLS}"
PACED = {"ttft": 0.3, "tps": 0}
IDLE_S = 5.0
QUICK_IDLE_S = 2.0

CARD = """---
type: agent
name: assistant
default: true
function_tools: [nothing.py:nothing]
---
You call tools.
"""
TOOL = '''
"""A tool that costs nothing."""


def nothing() -> str:
    """Do nothing."""
    return "done"
'''


async def measure(column: str, size: Size) -> dict[str, float]:
    turns = size.of(7, 2)
    async with stand() as place:
        furnish(place)
        await place.model.control(**PACED)
        if column in DIRECT:
            ran = await DIRECT[column].run(place, chats=1, turns=turns, text=TEXT)
            return {"s": share(ran["seconds"], 0.5), "gap ms": share(await _gaps(place, 0), 0.5)}
        async with PEERS[column].on(place):
            # A worker's first turn loads what later ones have.
            await _turn(place)
            first = len(await place.model.journal())
            seconds = [await _turn(place) for _ in range(turns)]
            gaps = await _gaps(place, first)
        async with PEERS["cohort-half"].on(place):
            keeping = await _keeping(place, turns, QUICK_IDLE_S if size.quick else IDLE_S)
    return {"s": share(seconds, 0.5), "gap ms": share(gaps, 0.5), **keeping}


def furnish(place: Stand) -> None:
    """Give the agent the tool; before a column is started."""
    cards = place.harness.home / "cards"
    (cards / "nothing.py").write_text(TOOL)
    (cards / "assistant.md").write_text(CARD)


async def _keeping(place: Stand, turns: int, idle_s: float) -> dict[str, float]:
    """What it adds to a step; turns with and without it alternate, so that what the machine does besides meets both."""
    gaps: dict[bool, list[float]] = {True: [], False: []}
    trips: dict[bool, float] = {True: 0, False: 0}
    before, began = await _trips(place), CLOCK.monotonic()
    await asyncio.sleep(idle_s)
    idle = (await _trips(place) - before) / (CLOCK.monotonic() - began)
    chats = await place.chats(2 * (turns + 1))
    for number, chat in enumerate(chats):
        first, before, began = len(await place.model.journal()), await _trips(place), CLOCK.monotonic()
        await _turn(place, chat)
        if number > 1:
            trips[kept(chat)] += await _trips(place) - before - idle * (CLOCK.monotonic() - began)
            gaps[kept(chat)] += await _gaps(place, first)
    return {
        "ms a step": max(share(gaps[True], 0.5) - share(gaps[False], 0.5), 0) * TOOL_CALLS / STEPS,
        "round trips a step": max(trips[True] - trips[False], 0) / turns / STEPS,
    }


async def _turn(place: Stand, chat: int = 0) -> float:
    """How long a chat's (a new one's) turn took: from the message to its complete answer."""
    chat = chat or (await place.chats(1))[0]
    after, began = await place.position(), CLOCK.now()
    await place.people.say(chat, TEXT)
    return (await place.answers({chat: LAST}, after=after))[chat] - began


async def _trips(place: Stand) -> float:
    return (await place.redis.info("stats"))["total_reads_processed"]


async def _gaps(place: Stand, first: int) -> list[float]:
    """Of calls that follow each other in a turn, after the first so many: ms between them."""
    calls = [call for call in (await place.model.journal())[first:] if TEXT in call["last"]]
    return [(after["at"] - call["until"]) * 1000 for call, after in pairwise(calls) if call["asks"]]
