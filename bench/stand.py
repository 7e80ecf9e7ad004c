"""The common stand of all columns: Valkey, the playground and the mock model, and a column started beside them."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bench.proc import Cost, cost, named, tree
from playground.client import PlaygroundClient
from tasks.clock import SystemClock
from tasks.store import connect
from tests.harness.processes import Process
from tests.harness.product import CONFIG, Harness, ModelControl, durable_valkey

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
    """A started column. ``bots`` and ``workers`` are its processes; a peer in one process has no workers.

    ``start`` starts one more of what dies or joins; ``tells``: its supervisor reports a death to the others.
    """

    stand: "Stand"
    bots: list[Process]
    workers: list[Process]
    start: Callable[[], Process]
    tells: bool = False

    @property
    def cost(self) -> Cost:
        """Of the column alone: neither Valkey nor playground nor model."""
        return cost(*(process.pid for process in [*self.bots, *self.workers] if process.alive))

    async def more(self) -> None:
        """One more worker (bot, where there are none), ready."""
        (self.workers or self.bots).append(await asyncio.to_thread(self.start))

    async def kill(self) -> float:
        """SIGKILL the first worker (the bot, where there are none), as its supervisor sees it; when it was dead."""
        victim = (self.workers or self.bots)[0]
        async with connect(self.stand.harness.settings()) as store:
            await asyncio.to_thread(victim.kill)
            dead = CLOCK.now()
            if self.tells:
                await store.members.report_death(victim.name)
        return dead


@dataclass
class Stand:
    """One stand; everything measured happens between its playground and its model."""

    harness: Harness
    people: PlaygroundClient
    model: ModelControl
    redis: Redis
    helpers: dict[str, int] = field(default_factory=dict)
    """pids of what every column needs: valkey, playground, model."""

    def busy(self) -> dict[str, float]:
        """Processor seconds so far of each helper: one that has all of a core is what was measured."""
        return {name: cost(pid).cpu_s for name, pid in self.helpers.items()}

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
    def processes(self, running: Running) -> Iterator[Running]:
        """End a column's processes, and theirs, with the block."""
        try:
            yield running
        finally:
            ours = [process for process in [*running.bots, *running.workers] if process.alive]
            theirs = {pid for process in ours for pid in tree(process.pid)} - {process.pid for process in ours}
            for process in ours:
                process.kill()
            for pid in theirs:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


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
        helpers = {
            "valkey": int((await redis.info("server"))["process_id"]),
            "playground": named(os.getpid(), "playground"),
            "model": named(os.getpid(), "tests.support.model"),
        }
        yield Stand(harness, people, model, redis, helpers)
