"""How soon the model is asked: from a message at Telegram to the request at the model, 50 messages a second."""

import asyncio
import random

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import INSTANT, share, stand

ABOUT = "update available -> model request (ms), 50 messages/s from as many chats, instant model"
COLUMNS = ("cohort-1", "cohort-2", "monolith", "monolith-kept", "celery-usual")
TIMES = {"cohort-2": 3, "monolith": 3, "celery-usual": 3}
WHY = "Columns that no goal is about have 3 runs. monolith and celery-usual cannot keep up with 50 messages a second."
BASE = "monolith-kept"
GOALS = (Goal("cohort-1", "p50 ms", at_most=15), Goal("cohort-1", "p99 ms", at_most=50))

RATE = 50


async def measure(column: str, size: Size) -> dict[str, float]:
    count = size.of(500, 50)
    chance = random.Random(size.seed)
    async with stand() as place:
        await place.model.control(**INSTANT)
        async with PEERS[column].on(place):
            chats = await place.chats(count + RATE)
            first = len(await place.model.journal())
            said: dict[str, float] = {}

            async def say(place_in_line: int, chat: int, at: float) -> None:
                await asyncio.sleep(at)
                text = f"<{place_in_line}>"
                said[text] = (await place.people.say(chat, text)).at

            async with asyncio.TaskGroup() as group:
                at = 0.0
                for number, chat in enumerate(chats):
                    at += chance.expovariate(RATE)
                    group.create_task(say(number, chat, at), name=f"say {number}")
            calls = await place.model.begun(first + len(chats), wait=30)
    asked = {call["last"]: call["at"] for call in calls[first:]}
    # The first second is the column's to warm up.
    waits = [(asked[text] - at) * 1000 for text, at in list(said.items())[RATE:] if text in asked]
    return {"p50 ms": share(waits, 0.5), "p99 ms": share(waits, 0.99)}
