"""What a SIGKILL under load costs: messages lost, answered twice, and how long the interrupted chats stood still."""

import asyncio
import random

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import CLOCK, PACED, Running, stand

ABOUT = (
    "SIGKILL of a worker (of the whole process, where there is one) under load; its supervisor sees it and starts it"
    " again at once. gap: until the last interrupted chat is at the model again; 20 is never"
)
COLUMNS = ("cohort-2", "monolith", "celery-usual")
BASE = "monolith"
TIMES = {"monolith": 3, "celery-usual": 3}
WHY = "Columns that no goal is about have 3 runs."
GOALS = (
    Goal("cohort-2", "lost", at_most=0, worst=True),
    Goal("cohort-2", "doubled", at_most=0, worst=True),
    Goal("cohort-2", "gap s", at_most=3),
)

EACH_S = 3.0
"""Between two messages of a chat, about."""
PATIENCE_S = 20.0
"""After the last message. Celery gives back what was unacked after an hour: in this time that is lost."""
DOUBLE_S = 3.0
"""When all have their answer: time for a second one."""


async def measure(column: str, size: Size) -> dict[str, float]:
    async with stand() as place:
        await place.model.control(**PACED)
        async with PEERS[column].on(place) as running:
            return await _killed(running, chats=size.of(20, 8), seconds=size.of(12, 8), seed=size.seed)


async def _killed(running: Running, *, chats: int, seconds: float, seed: int) -> dict[str, float]:
    place, chance = running.stand, random.Random(seed)
    after = await place.position()
    first_call = len(await place.model.journal())
    numbers = await place.chats(chats)
    said: dict[str, int] = {}
    killed_at = 0.0

    async def talk(chat: int) -> None:
        end = CLOCK.monotonic() + seconds
        await asyncio.sleep(chance.uniform(0, EACH_S))
        while CLOCK.monotonic() < end:
            word = f"<{chat}.{len(said)}>"
            said[word] = chat
            await place.people.say(chat, f"{word} WORDS:60")
            await asyncio.sleep(chance.uniform(0.7, 1.3) * EACH_S)

    async def kill() -> None:
        nonlocal killed_at
        await asyncio.sleep(seconds / 2)
        killed_at = await running.kill()
        await running.more()

    async with asyncio.TaskGroup() as group:
        group.create_task(kill(), name="kill")
        for chat in numbers:
            group.create_task(talk(chat), name=f"chat {chat}")
    shown = await _settled(running, after, said)
    calls = (await place.model.journal())[first_call:]
    return {
        "lost": sum(not ids for ids in shown.values()),
        "doubled": sum(len(ids) > 1 for ids in shown.values()),
        "gap s": _gap(calls, killed_at),
        "messages": len(said),
    }


async def _settled(running: Running, after: int, said: dict[str, int]) -> dict[str, set[int]]:
    """For each word the complete answers (ids of messages) that repeat it, when all have one or patience is over."""
    shown: dict[str, set[int]] = {word: set() for word in said}
    texts: dict[tuple[int, int], str] = {}
    deadline, complete = CLOCK.monotonic() + PATIENCE_S, False
    while CLOCK.monotonic() < deadline:
        entries, after = await running.stand.calls(after)
        for entry, text in entries:
            texts[entry["chat"], entry["result"]["message_id"]] = text
        for (_, message), text in texts.items():
            # A beginning that was cut off is no answer: the last word of a whole one is the model's.
            for word in (word for word in said if word in text and "word59" in text):
                shown[word].add(message)
        if all(shown.values()) and not complete:
            complete, deadline = True, CLOCK.monotonic() + DOUBLE_S
        await asyncio.sleep(0.2)
    return shown


def _gap(calls: list[dict], killed_at: float) -> float:
    """From the kill until the last chat whose model call it cut off was at the model again; the longest of them."""
    cut = [call for call in calls if call["at"] <= killed_at < (call["until"] or killed_at) + 0.5]
    cut = [call for call in cut if call["state"] != "answered"]
    gaps = []
    for call in cut:
        word = call["last"].split(" ", 1)[0]
        again = [other["at"] for other in calls if other["at"] > killed_at and word in other["last"]]
        gaps.append(min(again) - killed_at if again else PATIENCE_S)
    return max(gaps, default=0.0)
