"""How fast waiting updates are taken in: a bot that was away finds 20,000."""

import asyncio

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import Stand, stand

ABOUT = "waiting updates taken in durably (updates/s), from the bot's first request to the confirmation of the last"
COLUMNS = ("cohort-0", "celery-usual-0", "monolith")
BASE = "celery-usual-0"
TIMES = {"celery-usual-0": 3, "monolith": 2}
WHY = (
    "Cohort and Celery: the bot alone, which stores them. monolith keeps them in memory (a kill loses them) and answers"
    " at the same time, so it has 2,000, and 2 runs; Celery has 3."
)
GOALS = (Goal("cohort-0", "updates/s", at_least=3000),)


async def measure(column: str, size: Size) -> dict[str, float]:
    updates = 2_000 if column == "monolith" else size.of(20_000, 3_000)
    async with stand() as place:
        await place.people.bulk(updates, updates // 10)
        harness = place.harness
        before = await place.position()
        module = {"cohort-0": "bot", "celery-usual-0": "bench.peers.celery_usual"}.get(column)
        if module is None:
            with place.processes(PEERS[column].start(place)):
                return {"updates/s": await _taken(place, before)}
        process = harness.start(column, ["-m", module])
        try:
            return {"updates/s": await _taken(place, before)}
        finally:
            process.kill()


async def _taken(place: Stand, before: int) -> float:
    while (await place.people.control("GET", "/queue", pending=0, timeout=30))["pending"]:
        await asyncio.sleep(0.1)
    polls = await place.people.journal(before, method="getUpdates")
    # The one that confirms the last batch waits for more by now, and is in no journal: it came when that batch had
    # been taken, so the end of the last but one poll is left out and the rate is that of the others.
    full = [poll for poll in polls if poll["result"].get("updates")]
    taken = sum(len(poll["result"]["updates"]) for poll in full[:-1])
    return taken / (full[-1]["at"] - full[0]["at"])
