"""Many answers grow at once under Telegram's limits: what is refused, what is late, and how often each screen moves."""

import asyncio
from collections import defaultdict
from typing import Any

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import CLOCK, Broken, Running, share, stand

ABOUT = (
    "200 chats, a tenth of them groups, ask at the same moment for 160 words at 8 a second, while one more chat asks"
    " /help; the playground keeps Telegram's limits with penalties of 30 s: refused calls (%), seconds from the model's"
    " last token to the final text, frames that each chat saw, seconds to the answer to /help, CPU of the column"
)
COLUMNS = ("cohort-4",)
BASE = "cohort-4"
GOALS = (
    Goal("cohort-4", "429 %", at_most=0.1, worst=True, says="Telegram's penalties grow"),
    Goal("cohort-4", "lost or cut", at_most=0, worst=True),
    Goal("cohort-4", "fewest frames", at_least=1, worst=True, says="each screen moves"),
    Goal("cohort-4", "/help p95 s", at_most=1),
)
TIMES = dict.fromkeys(COLUMNS, 3)
WHY = "3 runs: what is counted is waiting, which hardly differs."

WORDS = 160
MODEL = {"ttft": 0.3, "tps": 8}
TEXT = f"@cohort_playground_bot chat {{chat}} WORDS:{WORDS}"
LAST = f"word{WORDS - 1}"
PATIENCE_S = 180.0
HELP_EVERY_S = 2.0


async def measure(column: str, size: Size) -> dict[str, float]:
    chats = size.of(200, 24)
    lanes = str(chats // PEERS[column].workers * 2)
    async with stand() as place:
        await place.model.control(**MODEL)
        async with PEERS[column].on(place, COHORT_LANES=lanes, COHORT_SEND_RATE="30") as running:
            return await _crowd(running, chats)


async def _crowd(running: Running, chats: int) -> dict[str, float]:
    place = running.stand
    groups = [(await place.people.chat("group"))["id"] for _ in range(chats // 10)]
    private = await place.chats(chats - len(groups))
    (asking,) = await place.chats(1)
    crowd = groups + private
    await place.people.flood(penalty=30)
    after, before = await place.position(), running.cost.cpu_s
    await place.people.bulk(chats, text=TEXT, into=crowd)
    async with asyncio.TaskGroup() as tasks:
        helped = tasks.create_task(_help(running, asking, crowd, after), name="help")
    refused = (await place.people.flood(on=False))["refused"]
    spent = running.cost.cpu_s - before
    ended = {_chat(entry): entry["until"] for entry in await place.model.journal() if LAST in entry["reply"]}
    calls, _ = await place.calls(after)
    shown = defaultdict[int, list[tuple[dict[str, Any], str]]](list)
    for entry, text in calls:
        shown[entry["chat"]].append((entry, text))
    final = {chat: shown[chat][-1] for chat in crowd if shown[chat]}
    lost = sum(chat not in final or not _whole(final[chat][1]) for chat in crowd)
    late = [entry["ended"] - ended[chat] for chat, (entry, _) in final.items() if chat in ended]
    frames = [len(shown[chat]) - 1 for chat in crowd]
    return {
        "429 %": 100 * refused / (refused + len(calls)),
        "lost or cut": lost,
        "final p50 s": share(late, 0.5),
        "final p95 s": share(late, 0.95),
        "fewest frames": min(frames),
        "frames p50": share([float(count) for count in frames], 0.5),
        "/help p95 s": share(helped.result(), 0.95),
        "cpu s": spent,
    }


def _chat(entry: dict[str, Any]) -> int:
    return int(entry["last"].partition("chat ")[2].split()[0])


def _whole(text: str) -> bool:
    return all(f"word{number}" in text for number in range(WORDS))


async def _help(running: Running, asking: int, crowd: list[int], after: int) -> list[float]:
    """Ask for help until all have their whole answers; how long each one took."""
    place, took, missing = running.stand, list[float](), set(crowd)
    deadline = CLOCK.monotonic() + PATIENCE_S
    while missing:
        began = CLOCK.now()
        here = await place.position()
        await place.people.say(asking, "/help")
        answered = await place.answers({asking: "/new"}, after=here, patience=PATIENCE_S)
        took.append(answered[asking] - began)
        calls, after = await place.calls(after)
        missing -= {entry["chat"] for entry, text in calls if _whole(text) and "reply_markup" not in entry["params"]}
        if CLOCK.monotonic() > deadline:
            raise Broken(f"{len(missing)} of {len(crowd)} chats had no whole answer in {PATIENCE_S:g} s")
        await asyncio.sleep(HELP_EVERY_S)
    return took
