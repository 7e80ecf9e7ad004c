"""A small stage for one directed scenario: real processes, a few messages, and the history in the end."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis.asyncio import Redis

from playground.client import PlaygroundClient
from tasks.clock import SystemClock
from tasks.session import SessionKey
from tasks.store import connect
from tests.harness import collect
from tests.harness.bodies import body_of
from tests.harness.counters import executions, furnish, log_of
from tests.harness.history import Execution, Fault, History, Press, Said
from tests.harness.nursery import nursery
from tests.harness.processes import Process
from tests.harness.product import BOT, Harness, ModelControl
from tests.harness.valkey import Valkey
from tests.support.script import mark

SLOTS = "16"
"""A quarter of the default: each slot is a queue that a worker declares at its start and looks into, so with 64 a start
takes 14 % more processor time, and a turn 25 %.
"""


@dataclass(slots=True)
class Scene:
    """``harness`` starts processes; ``valkey`` may be broken."""

    harness: Harness
    valkey: Valkey
    people: PlaygroundClient
    model: ModelControl
    home: Path
    history: History = field(default_factory=History)
    clock: SystemClock = field(default_factory=SystemClock)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def chat(self) -> int:
        return (await self.people.chat())["id"]

    async def say(self, chat: int, more: str = "") -> Said:
        """One marked message; ``more`` steers the mock model."""
        word = f"m{next(self.numbers):06d}q"
        at = self.clock.now()
        told = await self.people.say(chat, f"{word} {more}".strip())
        assert told.update_id is not None
        said = Said(collect.session_of(BOT, chat), told.update_id, word, at)
        self.history.said.append(said)
        return said

    async def send(self, chat: int, name: str, size: int) -> Said:
        """One marked message with a file, a picture or a text by its name."""
        word = f"m{next(self.numbers):06d}q"
        body = body_of(f"{word}.{name}", size)
        file = await self.people.file(body, f"{word}.{name}")
        told = await self.people.say(chat, caption=word, document=file)
        assert told.update_id is not None
        at, files = self.clock.now(), (mark(body),)
        said = Said(collect.session_of(BOT, chat), told.update_id, word, at, files=files)
        self.history.said.append(said)
        return said

    async def send_album(self, chat: int, *names: str) -> list[Said]:
        """Files as one album, each with a marked caption; the messages."""
        items: list[dict[str, str]] = []
        said: list[Said] = []
        for name in names:
            word = f"m{next(self.numbers):06d}q"
            body = body_of(f"{word}.{name}", 300)
            items.append({"document": await self.people.file(body, f"{word}.{name}"), "caption": word})
            said.append(Said(collect.session_of(BOT, chat), 0, word, self.clock.now(), files=(mark(body),)))
        told = await self.people.control("POST", f"/chats/{chat}/album", {"items": items})
        album = told["messages"][0]["media_group_id"]
        parts = zip(said, told["update_ids"], strict=True)
        said = [replace(one, update_id=update, album=album) for one, update in parts]
        self.history.said += said
        return said

    async def answered(self, chat: int, said: Said, *, times: int = 1, wait: float = 60) -> None:
        """Wait until the whole answer to a message stands in the chat (so often).

        Raises:
            TimeoutError: it did not come.
        """

        def there(ours: list) -> bool:
            return sum(said.word in (text := one.get("text", "")) and "[n=" in text for one in ours) >= times

        await self.people.wait_for(chat, there, timeout=wait)

    def fault(self, kind: str, *, since: float | None = None, pids: tuple[int, ...] = ()) -> None:
        """Note what was broken, and in which processes."""
        now = self.clock.now()
        self.history.faults.append(Fault(kind, now if since is None else since, now, pids=pids))

    async def question(self, chat: int) -> tuple[int, int, str, str]:
        """Wait for a question about a call: its chat and message, its id, and the call's name."""

        def asks(ours: list) -> bool:
            return any("reply_markup" in one and "ask:" in str(one["reply_markup"]) for one in ours)

        ours = await self.people.wait_for(chat, asks, timeout=60)
        message = next(one for one in ours if "ask:" in str(one.get("reply_markup")))
        ident = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"].split(":")[1]
        return chat, message["message_id"], ident, collect.CALL.findall(message["text"])[0]

    async def press(self, question: tuple[int, int, str, str], verdict: str, *, user: int | None = None) -> None:
        """A person (the author, where none is named) answers, and the bot has heard it."""
        chat, message, ident, name = question
        self.history.presses.append(Press(ident, name, verdict, user is None, self.clock.now()))
        told = await self.people.press(chat, message, f"ask:{ident}:{verdict}", user=user)
        await self.people.press_answer(told["callback_query_id"])

    async def executed(self, name: str, times: int = 1) -> list[Execution]:
        """Wait until a call of a tool was executed so often.

        Raises:
            TimeoutError: it was not.
        """
        async with asyncio.timeout(60):
            while True:
                ran = [one for one in executions(log_of(self.harness)) if one.name == name]
                if len(ran) >= times:
                    return ran
                await asyncio.sleep(0.05)

    def open_gate(self, name: str) -> None:
        """Let tools go that wait for it."""
        log_of(self.harness).with_name(name).touch()

    async def owner(self, chat: int) -> Process:
        """The worker whose turn it is."""
        async with connect(self.harness.settings()) as store:
            glance = await store.sessions.glance(SessionKey(BOT, chat))
        assert glance.running_on is not None
        return self.harness.workers[glance.running_on]

    async def start(self, *, bots: int = 1, workers: int = 1, bot: str = "", worker: str = "") -> None:
        """Start processes at the same time, each broken in a way (``sabotage.WAYS``) if one is named."""
        began = [self.harness.bot(ready=False, module="tests.harness.bot", CHAOS_SABOTAGE=bot) for _ in range(bots)]
        working = [self.worker(worker) for _ in range(workers)]
        for process in began:
            await asyncio.to_thread(process.wait_line, "bot.ready")
        for process in working:
            await asyncio.to_thread(process.wait_line, "slots.served")

    def worker(self, sabotage: str = "", step: str = "", **environ: str) -> Process:
        """Start a worker; not waited for."""
        return self.harness.worker(
            ready=False, module="tests.harness.worker", CHAOS_SABOTAGE=sabotage, CHAOS_STEP=step, **environ
        )

    async def at_rest(self) -> None:
        """Wait until nothing waits and no one works.

        Raises:
            TimeoutError: it did not come to that.
        """
        async with asyncio.timeout(60), Redis.from_url(self.valkey.url) as redis:
            await collect.rest(redis, BOT)

    async def told(self) -> History:
        """The history as it is now."""
        showing = ",".join(sorted(collect.SHOWING | collect.FILES))
        entries = await self.people.journal(method=showing)
        self.history.deliveries, self.history.refused = collect.deliveries(entries), collect.refused(entries)
        self.history.unheard = collect.unheard(entries)
        self.history.questions = {found[:2] for entry in entries if (found := collect.question(entry)) is not None}
        chats = [chat["id"] for chat in await self.people.chats()]
        await collect.complete(self.history, self.home, self.people, url=self.valkey.url, bot=BOT, chats=chats)
        return self.history


@asynccontextmanager
async def scene(home: Path, *model_options: str, tools: bool = False, **environ: str) -> AsyncIterator[Scene]:
    """Valkey, playground and mock model; bots and workers are started by the scenario. ``tools``: of ``counters``."""
    valkey = Valkey(home / "valkey")
    valkey.start()
    try:
        with Harness(home / "h", valkey.url, await asyncio.to_thread(nursery)) as harness:
            harness.environ |= {"COHORT_SLOTS": SLOTS} | environ
            playground = harness.playground()
            model_url = harness.model("--journal", str(home / "model.jsonl"), *model_options)
            if tools:
                furnish(harness)
            async with PlaygroundClient(playground) as people, ModelControl(model_url) as model:
                yield Scene(harness, valkey, people, model, home)
                valkey.thaw()
    finally:
        valkey.end()
