"""Memory by chats that have spoken, and what a pool of sessions costs when nobody speaks."""

import asyncio

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import CLOCK, INSTANT, stand

ABOUT = "resident memory (MiB, all processes of the column; pss divides shared pages) by chats that spoke; idle CPU"
COLUMNS = ("cohort-1", "monolith", "per-chat", "many", "celery-usual")
BASE = "cohort-1"
GOALS = (Goal("cohort-1", "rss at 100", at_most=1 / 15, to="per-chat"), Goal("cohort-1", "growth", at_most=1.10))

MOST = {"per-chat": 100, "many": 1000}
"""A process for each chat: 10,000 do not fit on a machine; nor does a FastAgent for each start in an hour."""
IDLE_S = 10.0


async def measure(column: str, size: Size) -> dict[str, float]:
    steps = (10, 100) if size.quick else (100, 1000, 10_000)
    if size.quick and column == "per-chat":
        steps = (10,)
    found: dict[str, float] = {}
    async with stand() as place:
        await place.model.control(**INSTANT)
        async with PEERS[column].on(place) as running:
            spoken = 0
            for step in (step for step in steps if step <= MOST.get(column, step)):
                after = await place.position()
                made = await place.people.bulk(step - spoken, step - spoken)
                await place.answers(dict.fromkeys(made.chats, "[n=1]"), after=after, patience=30 + step * 0.6)
                spoken = step
                now = running.cost
                found |= {f"rss at {step}": now.rss_mib, f"pss at {step}": now.pss_mib}
                if step == min(1000, steps[-1]):
                    began, before = CLOCK.monotonic(), now.cpu_s
                    await asyncio.sleep(IDLE_S)
                    found["idle cpu %"] = (running.cost.cpu_s - before) / (CLOCK.monotonic() - began) * 100
    if f"rss at {steps[-1]}" in found:
        found["growth"] = found[f"rss at {steps[-1]}"] / found[f"rss at {steps[0]}"]
    return found
