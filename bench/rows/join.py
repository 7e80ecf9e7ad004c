"""A third worker joins under load: do answers wait for slots that move?"""

import asyncio
import random

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.rows.turn import Watch
from bench.stand import CLOCK, PACED, share, stand

ABOUT = "answers (s) of chats that talk while a third worker joins two; `extra` is the slowest less the p99 before"
COLUMNS = ("cohort-2",)
BASE = "cohort-2"
GOALS = (Goal("cohort-2", "extra s", at_most=1.0),)


async def measure(column: str, size: Size) -> dict[str, float]:
    chats, before_s, after_s = size.of(20, 6), size.of(15, 6), size.of(10, 5)
    chance = random.Random(size.seed)
    async with stand() as place:
        await place.model.control(**PACED)
        async with PEERS[column].on(place) as running:
            watch = Watch(place, await place.position())
            taken: list[tuple[float, float]] = []
            over = asyncio.Event()

            async def talk(chat: int) -> None:
                await asyncio.sleep(chance.uniform(0, 2))
                turn = 0
                while not over.is_set():
                    turn += 1
                    began = CLOCK.now()
                    await place.people.say(chat, "hello WORDS:20")
                    taken.append((began, await watch.answered(chat, f"[n={turn}]", "word19") - began))

            async with asyncio.TaskGroup() as group:
                looking = group.create_task(watch.run(), name="watch")
                async with asyncio.TaskGroup() as talking:
                    for chat in await place.chats(chats):
                        talking.create_task(talk(chat), name=f"chat {chat}")
                    await asyncio.sleep(before_s)
                    joined_at = CLOCK.now()
                    await running.more()
                    await asyncio.sleep(after_s)
                    over.set()
                looking.cancel()
    unloaded = [took for began, took in taken if began + took < joined_at]
    joining = [took for began, took in taken if began + took >= joined_at]
    p99 = share(unloaded, 0.99)
    return {"p99 before s": p99, "slowest after s": max(joining), "extra s": max(max(joining) - p99, 0.0)}
