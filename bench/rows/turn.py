"""How long a turn takes: from a message written to its complete answer, chats talking one turn after the other."""

import asyncio
import random

from bench.columns import COLUMNS as PEERS
from bench.direct import DIRECT
from bench.rows import Goal, Size
from bench.stand import CLOCK, INSTANT, LOOK_S, PACED, Running, Stand, share, stand

ABOUT = (
    "turn time (s) when so many chats talk, each one turn after the other: from the message to its complete answer; the"
    " model takes 300 ms to the first of about 105 tokens and gives 50 a second. cpu: of the column, for a turn"
)
COLUMNS = (
    "direct", "cohort-1", "cohort-2", "cohort-4", "monolith", "monolith-kept", "celery-usual", "many", "per-chat",
)  # fmt: skip
BASE = "direct"
GOALS = (
    Goal("cohort-1", "p50 s at 50", at_most=1.10, to="direct"),
    Goal("cohort-1", "p95 s at 50", at_most=1.10, to="direct"),
    Goal("cohort-1", "p50 s at 100", at_most=1.0, to="monolith", says="better than monolith"),
    Goal("cohort-1", "p95 s at 100", at_most=1.0, to="monolith", says="better than monolith"),
)
TIMES = {"cohort-2": 2, "cohort-4": 2, "monolith-kept": 2, "celery-usual": 2, "many": 1, "per-chat": 1}
WHY = (
    "Every chat has had one answer before, so no start counts. Cohort with COHORT_LANES=100, Celery with as many"
    " threads: the others have no bound. Columns that no goal is about have 2 runs; many and per-chat, which take"
    " minutes to start, one, and per-chat ends at 50 (7 GB)."
)

TEXT = "tell me WORDS:100"
LAST = "word99"
SPREAD = 2.4
"""Seconds over which the chats begin: a turn's own length, so that they do not go in step."""


async def measure(column: str, size: Size) -> dict[str, float]:
    steps = (5,) if size.quick else (10, 50) if column == "per-chat" else (10, 50, 100)
    turns = 2
    found: dict[str, float] = {}
    async with stand() as place:
        if column in DIRECT:
            await place.model.control(**PACED)
            for count in steps:
                ran = await DIRECT[column].run(
                    place, chats=count, turns=turns, text=TEXT, spread=SPREAD, seed=size.seed
                )
                _note(found, count, ran["seconds"], ran["cpu"])
            return found
        async with PEERS[column].on(place, COHORT_LANES="100", PEER_LANES="100") as running:
            talkers = Talkers(running, size.seed)
            for count in steps:
                await place.model.control(**INSTANT)
                await talkers.grow(count)
                await place.model.control(**PACED)
                before = running.cost.cpu_s
                seconds = await talkers.talk(turns)
                _note(found, count, seconds, running.cost.cpu_s - before)
    return found


class Talkers:
    """Chats that talk, each waiting for its answer; they stay, and become more."""

    def __init__(self, running: Running, seed: int) -> None:
        self._place = running.stand
        self._chance = random.Random(seed)
        self._said: dict[int, int] = {}

    async def grow(self, count: int) -> None:
        """Be so many, each of whom has had an answer."""
        after = await self._place.position()
        more = count - len(self._said)
        made = await self._place.people.bulk(more, more)
        await self._place.answers(dict.fromkeys(made.chats, "[n=1]"), after=after, patience=60 + 4 * more)
        self._said |= dict.fromkeys(made.chats, 1)

    async def talk(self, turns: int) -> list[float]:
        """How long each turn took."""
        taken: list[float] = []
        watch = Watch(self._place, await self._place.position())

        async def chat(number: int, offset: float) -> None:
            await asyncio.sleep(offset)
            for _ in range(turns):
                self._said[number] += 1
                began = CLOCK.now()
                await self._place.people.say(number, TEXT)
                taken.append(await watch.answered(number, f"[n={self._said[number]}]", LAST) - began)

        async with asyncio.TaskGroup() as group:
            looking = group.create_task(watch.run(), name="watch")
            async with asyncio.TaskGroup() as talking:
                for number in self._said:
                    talking.create_task(chat(number, self._chance.uniform(0, SPREAD)), name=f"chat {number}")
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
            await asyncio.sleep(LOOK_S)


def _note(found: dict[str, float], count: int, seconds: list[float], cpu_s: float) -> None:
    found[f"p50 s at {count}"] = share(seconds, 0.5)
    found[f"p95 s at {count}"] = share(seconds, 0.95)
    found[f"cpu ms at {count}"] = cpu_s / len(seconds) * 1000
