"""Workers of a test: each an incarnation with a line of its own to the real Redis, that can be killed anywhere."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.store import Store, connect
from tasks.store.intake import Accept
from tests.conftest import BOT, TOKEN
from tests.support.redis_of import redis_of
from tests.workers.cable import Cable
from tests.workers.fake_model import Model
from tests.workers.fake_telegram import Telegram
from tests.workers.fakes import PATIENCE_S, Changes, FakeClock, Naps
from tests.workers.pool_worker import Worker
from workers.interfaces import AgentRuntime
from workers.sessions.dependencies import Titles


def session(chat: int) -> SessionKey:
    return SessionKey(BOT, chat)


class Pool:
    """Redis, Telegram, the model, and the workers between them. ``clock`` stands still unless a nap is taken."""

    def __init__(self, settings: Settings, group: asyncio.TaskGroup) -> None:
        self.settings = settings
        self.clock = FakeClock()
        self.naps = Naps(self.clock)
        self.telegram = Telegram()
        self.model = Model()
        self.workers: dict[str, Worker] = {}
        self.store: Store
        self.changes = Changes()
        self.loop = asyncio.get_running_loop()
        self._group = group
        self._last_update = 0

    async def worker(
        self,
        name: str,
        *,
        lanes: int = 32,
        capacity: int = 64,
        sweeps: bool = False,
        real: AgentRuntime | None = None,
        titles: Titles | None = None,
        isolated: frozenset[SessionKey] = frozenset(),
        **environ: str,
    ) -> Worker:
        """A new incarnation, alive and ready. ``sweeps``: it takes slots, and needs no doorbells.

        ``real``: a runtime in place of the scripted one (``lanes`` is that one's). ``isolated``: sessions that need a
        process of their own.
        """
        redis = urlsplit(self.settings.redis)
        cable = await Cable((redis.hostname or "127.0.0.1", redis.port or 6379)).__aenter__()
        base = {"REDIS_URL": cable.url, "TELEGRAM_BOT_TOKEN": TOKEN}
        worker = self.workers[name] = Worker(
            self,
            name,
            load({**base, **environ}),
            cable,
            lanes=lanes,
            capacity=capacity,
            sweeps=sweeps,
            real=real,
            titles=titles,
            isolated=isolated,
        )
        worker.begin(self._group)
        async with asyncio.timeout(PATIENCE_S):
            await worker.ready.wait()
        return worker

    def doorbell(self, worker: Worker, where: SessionKey) -> None:
        """A doorbell whose end no test waits for."""
        self._group.create_task(worker.visited(where), name=f"doorbell {where}")

    async def say(self, chat: int, text: str = "", **fields: Any) -> int:
        """A message (or a control word) is accepted; its update id."""
        (update,) = await self.say_all(chat, {"text": text, **fields})
        return update

    async def say_all(self, chat: int, *messages: dict[str, Any]) -> list[int]:
        """Several in one batch."""
        batch: list[Accept] = []
        for fields in messages:
            self._last_update += 1
            update = self._last_update
            stated = {"session": str(session(chat)), "update_id": update, "at": self.clock.now(), **fields}
            batch.append(Accept(update, inbound=Inbound.model_validate({"message_id": update, **stated})))
        # Each id is new, so one that was seen was taken by the first attempt of a call that redis-py repeated: that
        # happens where the machine stands still for longer than the client waits for an answer.
        assert set(await self.store.intake.accept(BOT, batch)) <= {"accepted", "seen"}
        return [accept.update_id for accept in batch]

    async def state(self, where: SessionKey) -> dict[str, str]:
        """What the session's state says now, history aside."""
        raw = await redis_of(self.store).hgetall(f"cohort:s:{where}:state")
        return {name.decode(): value.decode() for name, value in raw.items()}

    async def raw_inbox(self, where: SessionKey) -> list[bytes]:
        return await redis_of(self.store).lrange(f"cohort:s:{where}:inbox", 0, -1)

    async def pending(self) -> list[SessionKey]:
        """The sessions that a sweep would find."""
        found = await self.store.sessions.sweep(range(64), 9, self.clock.now())
        return [where for work in found for where in work.sessions]

    async def idle(self, where: SessionKey) -> bool:
        """Whether nothing waits, nothing is owed, and the session is released."""
        glance = await self.store.sessions.glance(where)
        owed = await redis_of(self.store).exists(f"cohort:s:{where}:outbox")
        return (glance.waiting, owed, glance.running_on) == (0, 0, None)

    async def all_leave(self) -> None:
        """Every worker that lives drains."""
        for worker in self.workers.values():
            worker.drain()
        for worker in self.workers.values():
            async with asyncio.timeout(PATIENCE_S):
                await worker.ended.wait()

    async def end(self) -> None:
        for worker in self.workers.values():
            if not worker.ended.is_set():
                worker.cable.mend()
                await worker.stop()
        for worker in self.workers.values():
            await worker.cable.__aexit__(None, None, None)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Pool]:
    """A pool without workers yet; ends those that still live."""
    async with connect(settings, SystemClock()) as store, asyncio.TaskGroup() as group:
        pool = Pool(settings, group)
        pool.store = store
        try:
            yield pool
        finally:
            await pool.end()
