"""Memory by chats that have spoken, and what a pool of silent sessions costs."""

import asyncio

from bench.columns import COLUMNS as PEERS
from bench.proc import cost
from bench.rows import Goal, Size
from bench.stand import CLOCK, INSTANT, stand

ABOUT = (
    "memory (MiB) of all processes of the column by chats that spoke once: rss is resident, pss the same with shared"
    " pages divided; valkey, which only Cohort and Celery need, stands beside it. growth: of rss, from the smallest to"
    " the largest number. idle: with 1,000 such sessions (100 for per-chat and many) that are silent"
)
COLUMNS = ("cohort-1", "monolith-kept", "celery-usual", "many", "per-chat")
BASE = "cohort-1"
GOALS = (
    Goal("cohort-1", "with valkey at 100", at_most=1 / 15, to="per-chat"),
    Goal("cohort-1", "growth", at_most=1.10),
)
TIMES = {"cohort-1": 2, "monolith-kept": 1, "celery-usual": 1, "many": 1, "per-chat": 1}
WHY = (
    "Memory differs little from run to run and these runs are long: two for Cohort, one for the others. 10,000 chats"
    " only for Cohort; a process for each of them would take 1.2 TiB."
)

MOST = {"per-chat": 100, "many": 100, "celery-usual": 1000, "monolith-kept": 1000}
IDLE_S = 10.0


async def measure(column: str, size: Size) -> dict[str, float]:
    steps = [step for step in (100, 1000, 10_000) if step <= MOST.get(column, step)]
    if size.quick:
        steps = [5, 10] if column in ("per-chat", "many") else [10, 100]
    found: dict[str, float] = {}
    async with stand() as place:
        await place.model.control(**INSTANT)
        async with PEERS[column].on(place) as running:
            spoken = 0
            for step in steps:
                after = await place.position()
                made = await place.people.bulk(step - spoken, step - spoken)
                await place.answers(dict.fromkeys(made.chats, "[n=1]"), after=after, patience=60 + step * 3)
                spoken = step
                now, valkey = running.cost, cost(place.helpers["valkey"]).rss_mib if running.workers else 0.0
                found |= {f"rss at {step}": now.rss_mib, f"pss at {step}": now.pss_mib}
                found |= {f"with valkey at {step}": now.rss_mib + valkey}
                if step == min(1000, steps[-1]):
                    # What was begun for the answers (garbage, connections) is over.
                    await asyncio.sleep(IDLE_S / 2)
                    began, before = CLOCK.monotonic(), running.cost.cpu_s
                    await asyncio.sleep(IDLE_S)
                    idle = running.cost
                    found["idle cpu %"] = (idle.cpu_s - before) / (CLOCK.monotonic() - began) * 100
                    found["idle rss"] = idle.rss_mib
    if len(steps) > 1:
        found["growth"] = found[f"rss at {steps[-1]}"] / found[f"rss at {steps[0]}"]
    return found
