"""What a message costs: Redis commands, round trips and bytes, calls to Telegram, processor time, one at a time."""

import asyncio

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import CLOCK, INSTANT, Running, stand

ABOUT = "cost of an answered message: each comes alone, instant model; what the column does when idle is taken off"
COLUMNS = ("cohort-1", "monolith", "celery-usual")
BASE = "celery-usual"
GOALS: tuple[Goal, ...] = ()
TIMES = dict.fromkeys(COLUMNS, 2)
WHY = "Counts, which hardly differ from run to run: 2 runs. tests/bench holds Cohort's below a bound."

PAUSE_S = 0.08
"""Between two messages, so that nothing is batched: the dearest way."""
IDLE_S = 5.0
QUICK_IDLE_S = 2.0


async def measure(column: str, size: Size) -> dict[str, float]:
    async with stand() as place:
        await place.model.control(**INSTANT)
        async with PEERS[column].on(place) as running:
            return await spent(running, messages=size.of(120, 20), idle_s=QUICK_IDLE_S if size.quick else IDLE_S)


async def spent(running: Running, messages: int, idle_s: float = IDLE_S) -> dict[str, float]:
    """The cost of a message, each in a chat that has spoken before."""
    place = running.stand
    chats = await place.chats(messages)
    await _talk(running, chats, "[n=1]")
    began, before = CLOCK.monotonic(), await _counts(running)
    await asyncio.sleep(idle_s)
    idle = {name: value / (CLOCK.monotonic() - began) for name, value in _less(await _counts(running), before).items()}
    began, before = CLOCK.monotonic(), await _counts(running)
    await _talk(running, chats, "[n=2]")
    took = CLOCK.monotonic() - began
    spent = _less(await _counts(running), before)
    return {
        name: round(max((value - idle.get(name, 0) * took) / messages, 0), 2)
        for name, value in spent.items()
        if "/s" not in name
    } | {f"idle {name}/s": round(value, 2) for name, value in idle.items() if name in ("round trips", "cpu ms")}


async def _talk(running: Running, chats: list[int], word: str) -> None:
    after = await running.stand.position()
    for chat in chats:
        await running.stand.people.say(chat, "message")
        await asyncio.sleep(PAUSE_S)
    await running.stand.answers(dict.fromkeys(chats, word), after=after)


async def _counts(running: Running) -> dict[str, float]:
    redis, place = running.stand.redis, running.stand
    commands = await redis.info("commandstats")
    stats = await redis.info("stats")
    ours = {"cmdstat_info", "cmdstat_client|setinfo", "cmdstat_hello"}
    calls = await place.people.journal(0, **{"except": "getUpdates"})
    return {
        "round trips": stats["total_reads_processed"],
        # Those that scripts make are counted too.
        "commands": sum(found["calls"] for name, found in commands.items() if name not in ours),
        "scripts": sum(commands.get(name, {}).get("calls", 0) for name in ("cmdstat_evalsha", "cmdstat_eval")),
        "bytes to Redis": stats["total_net_input_bytes"],
        "bytes from Redis": stats["total_net_output_bytes"],
        "Telegram calls": len(calls),
        "cpu ms": running.cost.cpu_s * 1000,
    }


def _less(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: value - before[name] for name, value in after.items()}
