"""How long a turn takes: from a message written to its complete answer, chats talking one turn after the other."""

import asyncio
import random

from bench.columns import COLUMNS as PEERS
from bench.direct import DIRECT
from bench.rows import Goal, Size
from bench.stand import CLOCK, PACED, Stand, share, stand

ABOUT = "turn time (s), model with 300 ms to the first token and 50 tokens/s, about 105 tokens"
COLUMNS = ("direct", "cohort-1", "monolith", "monolith-kept", "celery-usual", "many")
BASE = "direct"
GOALS = (
    Goal("cohort-1", "p50 at 50", at_most=1.10, to="direct"),
    Goal("cohort-1", "p95 at 100", at_most=1.0, to="monolith", says="better than monolith at 100"),
)

TEXT = "tell me WORDS:100"
LAST = "word99"


async def measure(column: str, size: Size) -> dict[str, float]:
    chats = (5,) if size.quick else (10, 50, 100)
    turns = size.of(4, 2)
    found: dict[str, float] = {}
    async with stand() as place:
        await place.model.control(**PACED)
        if column in DIRECT:
            for count in chats:
                ran = await DIRECT[column].run(
                    place, chats=count, turns=turns, text=TEXT, spread=SPREAD, seed=size.seed
                )
                _note(found, count, ran["seconds"])
            return found
        async with PEERS[column].on(place):
            for count in chats:
                _note(found, count, await talk(place, count, turns, size.seed))
    return found


SPREAD = 2.4
"""Seconds over which the chats begin: a turn's own length, so that they do not go in step."""


async def talk(place: Stand, count: int, turns: int, seed: int) -> list[float]:
    """Chats that talk; how long each turn took."""
    chance, taken = random.Random(seed), []
    after = await place.position()
    watch = Watch(place, after)

    async def chat(number: int, offset: float) -> None:
        await asyncio.sleep(offset)
        for turn in range(1, turns + 1):
            began = CLOCK.now()
            await place.people.say(number, TEXT)
            taken.append(await watch.answered(number, f"[n={turn}]", LAST) - began)

    numbers = await place.chats(count)
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(watch.run(), name="watch")
        async with asyncio.TaskGroup() as talking:
            for number in numbers:
                talking.create_task(chat(number, chance.uniform(0, SPREAD)), name=f"chat {number}")
        looking.cancel()
    return taken


class Watch:
    """One reader of the playground's journal for all chats."""

    def __init__(self, place: Stand, after: int) -> None:
        self._place, self._after = place, after
        self._wanted: dict[int, tuple[tuple[str, ...], asyncio.Future[float]]] = {}

    async def answered(self, chat: int, *words: str, patience: float = 120) -> float:
        """When the chat's message with all these words was complete, seconds since the epoch."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._wanted[chat] = words, future
        async with asyncio.timeout(patience):
            return await future

    async def run(self) -> None:
        while True:
            entries, self._after = await self._place.calls(self._after)
            for entry, text in entries:
                words, future = self._wanted.get(entry["chat"], ((), None))
                if future is not None and not future.done() and all(word in text for word in words):
                    future.set_result(entry["ended"])
            await asyncio.sleep(0.02)


def _note(found: dict[str, float], count: int, seconds: list[float]) -> None:
    found[f"p50 at {count}"] = share(seconds, 0.5)
    found[f"p95 at {count}"] = share(seconds, 0.95)
