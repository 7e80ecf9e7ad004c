"""The common stand of all columns: Valkey, the playground and the mock model, and a column started beside them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bench.proc import Cost, cost
from playground.client import PlaygroundClient
from tasks.clock import SystemClock
from tests.system.harness import CONFIG, Harness, ModelControl, durable_valkey
from tests.system.processes import Process

CLOCK = SystemClock()

PACED = {"ttft": 0.3, "tps": 50}
"""A usual hosted model: 300 ms to the first token, then 50 a second."""
INSTANT = {"ttft": 0, "tps": 0}

ANSWERS = "sendMessage,editMessageText"
LOOK_S = 0.1
"""How often the playground's journal is read; times come from the journal, so it costs no precision."""


class Broken(Exception):  # noqa: N818 - an outcome
    """A column did not do what was measured; the message says what is missing."""


@dataclass
class Running:
    """A started column. ``bots`` and ``workers`` are its processes; a peer in one process has no workers."""

    stand: "Stand"
    bots: list[Process]
    workers: list[Process]
    restart: Callable[[], Process] | None = None

    @property
    def cost(self) -> Cost:
        """Of the column alone: neither Valkey nor playground nor model."""
        return cost(*(process.pid for process in [*self.bots, *self.workers] if process.alive))


@dataclass
class Stand:
    """One stand; everything measured happens between its playground and its model."""

    harness: Harness
    people: PlaygroundClient
    model: ModelControl
    redis: Redis
    valkey_pid: int

    async def chats(self, count: int) -> list[int]:
        """New private chats, each of a user of its own."""
        return [(await self.people.chat())["id"] for _ in range(count)]

    async def position(self) -> int:
        """The playground's journal's newest number."""
        return (await self.people.control("GET", "/journal", limit=1, method="none"))["last"]

    async def calls(self, after: int) -> tuple[list[tuple[dict[str, Any], str]], int]:
        """The bot's messages and edits that Telegram took, numbered above ``after``, with their texts; the newest."""
        page = await self.people.control("GET", "/journal", after=after, method=ANSWERS, limit=5000)
        taken = [(entry, str(entry["params"].get("text", ""))) for entry in page["entries"] if entry["code"] == 200]
        return taken, max(after, page["next"])

    async def answers(
        self, wanted: dict[int, str], *, after: int, patience: float = 60, strict: bool = True
    ) -> dict[int, float]:
        """When each chat (id -> a word of its complete answer) had its answer, seconds since the epoch.

        Raises:
            Broken: some had none in time.
        """
        found: dict[int, float] = {}
        deadline = CLOCK.monotonic() + patience
        while len(found) < len(wanted):
            entries, after = await self.calls(after)
            for entry, text in entries:
                chat = entry["chat"]
                if chat in wanted and chat not in found and wanted[chat] in text:
                    found[chat] = entry["ended"]
            if CLOCK.monotonic() > deadline:
                if strict:
                    raise Broken(f"{len(wanted) - len(found)} of {len(wanted)} chats had no answer in {patience:g} s")
                break
            await asyncio.sleep(LOOK_S)
        return found

    async def warm(self) -> None:
        """One answer, so that nothing measured pays for a first time."""
        (chat,) = await self.chats(1)
        after = await self.position()
        await self.people.say(chat, "warm")
        await self.answers({chat: "[n=1]"}, after=after)

    @contextmanager
    def processes(self, running: Running) -> Any:
        """End a column's processes with the block."""
        try:
            yield running
        finally:
            for process in [*running.bots, *running.workers]:
                if process.alive:
                    process.kill()


def share(values: list[float], part: float) -> float:
    """A quantile, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@asynccontextmanager
async def stand() -> AsyncIterator[Stand]:
    """A fresh stand, with the product's default durations."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cohort-bench-")))
        valkey = stack.enter_context(durable_valkey(home / "valkey"))
        harness = stack.enter_context(Harness(home / "h", valkey.connection_url))
        for test_only in ("COHORT_HEARTBEAT_TTL", "COHORT_SWEEP_INTERVAL", "COHORT_LANES"):
            harness.environ.pop(test_only)
        # Telegram's 30 a second would be all that is seen of anything; its limits for a chat stay.
        harness.environ["COHORT_SEND_RATE"] = "1000"
        # Peers have fast-agent keep no session files, as Cohort has.
        peer = home / "peer.config.yaml"
        peer.write_text(CONFIG + "session_history: false\n")
        harness.environ["PEER_CONFIG"] = str(peer)
        people = await stack.enter_async_context(PlaygroundClient(harness.playground()))
        model = await stack.enter_async_context(ModelControl(harness.model()))
        redis = await stack.enter_async_context(Redis.from_url(valkey.connection_url))
        pid = int((await redis.info("server"))["process_id"])
        yield Stand(harness, people, model, redis, pid)
