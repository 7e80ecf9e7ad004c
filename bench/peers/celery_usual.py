"""Celery as it is usually put behind a bot: one task is one turn, acks_late, the history a string in Redis."""

import asyncio
import os
import sys
import threading
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from redis.asyncio import Redis
from telegram import Update
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bench.peers.common import READY, Answer, application, fast_agent, keep, listen

LANES = int(os.environ.get("PEER_LANES", "32"))
app = Celery("usual", broker=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, task_ignore_result=True)
app.conf.update(worker_prefetch_multiplier=1, worker_hijack_root_logger=False)


class Agents:
    """fast-agent on a loop of its own thread; tasks wait for it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        threading.Thread(target=self.loop.run_until_complete, args=(self._live(),), daemon=True).start()
        self._ready.wait()

    async def _live(self) -> None:
        from fast_agent.types import PromptMessageExtended  # noqa: PLC0415 - the bot needs none
        from pydantic import TypeAdapter  # noqa: PLC0415 - only then

        self._histories = TypeAdapter(list[PromptMessageExtended])
        self._free: asyncio.Queue[Any] = asyncio.Queue()
        self._redis = Redis.from_url(os.environ["REDIS_URL"])
        request = HTTPXRequest(connection_pool_size=256, pool_timeout=60)
        self._bot = ExtBot(
            os.environ["TELEGRAM_BOT_TOKEN"], base_url=f"{os.environ['TELEGRAM_BASE_URL']}/bot", request=request
        )
        async with fast_agent().harness() as harness, self._bot:
            for number in range(LANES):
                self._free.put_nowait(await harness.sessions.create(str(number)))
            keep()
            self._ready.set()
            await asyncio.Event().wait()

    async def turn(self, chat: int, text: str) -> None:
        session = await self._free.get()
        agent = session.agent_app["assistant"]
        growing = Answer(self._bot, chat)
        remove = listen(agent, growing.show)
        try:
            stored = await self._redis.get(f"history:{chat}")
            agent.load_message_history(self._histories.validate_json(stored) if stored else [], clear_state=True)
            await growing.give(session.send(text))
            kept = self._histories.dump_json(agent.message_history, exclude_none=True, by_alias=True)
            await self._redis.set(f"history:{chat}", kept)
        finally:
            remove()
            self._free.put_nowait(session)


agents: Agents | None = None


@app.task(name="usual.turn")
def turn(chat: int, text: str) -> None:
    assert agents is not None
    asyncio.run_coroutine_threadsafe(agents.turn(chat, text), agents.loop).result()


def bot() -> None:
    async def enqueue(update: Update, _context: Any) -> None:
        await asyncio.to_thread(turn.delay, update.effective_chat.id, update.message.text)

    async def start(_app: Any) -> None:
        print(READY, flush=True)

    application(enqueue, start).run_polling(poll_interval=0.0, bootstrap_retries=3)


def worker() -> None:
    global agents  # noqa: PLW0603 - made after Celery, before its first task
    agents = Agents()
    worker_ready.connect(lambda **_: print(READY, flush=True), weak=False)
    app.Worker(pool="threads", concurrency=LANES, loglevel="WARNING", quiet=True, without_mingle=True).start()


if __name__ == "__main__":
    worker() if sys.argv[1:] == ["worker"] else bot()
