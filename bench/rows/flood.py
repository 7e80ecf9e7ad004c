"""One chat writes 1,000 messages; what does another one notice that says hi?"""

import asyncio

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import CLOCK, PACED, Running, share, stand

ABOUT = (
    "time to the answer (s) of chats that say hi, 0.3 s after each other: with nothing else, and from the moment"
    " when another chat has written 1,000 messages"
)
COLUMNS = ("cohort-1", "monolith", "celery-usual")
BASE = "cohort-1"
TIMES = {"monolith": 3, "celery-usual": 2}
WHY = "Columns that no goal is about have fewer runs: Celery takes a minute until the flood is over."
GOALS = (Goal("cohort-1", "loaded/alone", at_most=1.2),)

EVERY_S = 0.3
PATIENCE_S = 60.0


async def measure(column: str, size: Size) -> dict[str, float]:
    times = size.of(15, 5)
    async with stand() as place:
        await place.model.control(**PACED)
        async with PEERS[column].on(place) as running:
            alone = await _greetings(running, times)
            (flooder,) = await place.chats(1)
            await place.people.bulk(1000, into=[flooder])
            loaded = await _greetings(running, times)
    found = {"alone s": share(alone, 0.5), "loaded s": share(loaded, 0.5), "worst loaded s": max(loaded)}
    return {**found, "loaded/alone": found["loaded s"] / found["alone s"]}


async def _greetings(running: Running, times: int) -> list[float]:
    """How long each of so many new chats waited; for ever is shown as the patience."""
    place = running.stand
    after = await place.position()
    said: dict[int, float] = {}
    for chat in await place.chats(times):
        said[chat] = CLOCK.now()
        await place.people.say(chat, "hi WORDS:20")
        await asyncio.sleep(EVERY_S)
    answered = await place.answers(dict.fromkeys(said, "word19"), after=after, patience=PATIENCE_S, strict=False)
    return [answered.get(chat, began + PATIENCE_S) - began for chat, began in said.items()]
