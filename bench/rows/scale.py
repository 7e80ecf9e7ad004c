"""How the pool grows: turns a second when what limits is lanes, as it is with a hosted model."""

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.rows.throughput import wave
from bench.stand import stand

ABOUT = (
    "turns/s when a turn takes 0.9 s at the model and a worker has 8 lanes (COHORT_LANES=8): lanes are the limit, cores"
    " are not"
)
COLUMNS = ("cohort-1", "cohort-2", "cohort-4")
BASE = "cohort-1"
GOALS = (
    Goal("cohort-2", "turns/s", at_least=1.8, to="cohort-1"),
    Goal("cohort-4", "turns/s", at_least=3.2, to="cohort-1", says="Celery's queues, slots by hash"),
)
TIMES = dict.fromkeys(COLUMNS, 3)
WHY = "3 runs: what is counted is waiting, which hardly differs."

MODEL = {"ttft": 0.3, "tps": 50}
TEXT = "message {n} WORDS:27"
"""Answered with 31 tokens."""


async def measure(column: str, size: Size) -> dict[str, float]:
    async with stand() as place:
        await place.model.control(**MODEL)
        async with PEERS[column].on(place, COHORT_LANES="8") as running:
            return {"turns/s": await wave(running, size.of(160, 24), TEXT)}
