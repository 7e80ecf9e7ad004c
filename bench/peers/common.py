"""What the peers share: a FastAgent on the stand's model, and an answer that grows by edits about once a second."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Bot, Update
from telegram.error import TelegramError
from telegram.ext import Application, MessageHandler, filters

type Show = Callable[[str], None]
type Turn = Callable[[int, str, Show], Awaitable[str]]

READY = "peer.ready"
EDIT_S = 1.0
_LONGEST = 4096


def fast_agent(name: str = "peer") -> Any:
    """A FastAgent with the stand's card; with PEER_KEPT=1 TLS contexts and connections are kept as Cohort's are."""
    from fast_agent import FastAgent  # noqa: PLC0415 - the parents of subprocesses need none

    fast = FastAgent(name, config_path=os.environ["PEER_CONFIG"], parse_cli_args=False, quiet=True)
    fast.load_agents(os.environ["COHORT_CARDS"])
    return fast


def keep() -> None:
    """Share what can be shared, once the provider is loaded; only where the column says so."""
    if os.environ.get("PEER_KEPT"):
        from workers.runtime.patches import patch  # noqa: PLC0415 - it imports fast-agent

        patch.apply(only=("tls", "connections", "chunks", "stream_end", "stream_reading", "replays"))


def listen(agent: Any, show: Show) -> Callable[[], None]:
    """Have ``show`` called with the text so far; returns what ends it."""
    text: list[str] = []

    def chunk(part: Any) -> None:
        if not part.is_reasoning and part.event == "delta":
            text.append(part.text)
            show("".join(text))

    return agent.add_stream_listener(chunk)


class Answer:
    """One message that grows: created with the first text, edited about once a second, then complete."""

    def __init__(self, bot: Bot, chat: int) -> None:
        self._bot, self._chat = bot, chat
        self._text = self._shown = ""
        self._message: int | None = None
        self._over = asyncio.Event()

    def show(self, so_far: str) -> None:
        self._text = so_far

    async def give(self, turn: Awaitable[str]) -> None:
        """Run the turn and show it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._frames(), name="frames")
            final = await turn
            self._over.set()
        await self._put(final)

    async def _frames(self) -> None:
        while not self._over.is_set():
            try:
                async with asyncio.timeout(EDIT_S):
                    await self._over.wait()
            except TimeoutError:
                await self._put(self._text)

    async def _put(self, text: str) -> None:
        text = text[:_LONGEST]
        if not text or text == self._shown:
            return
        try:
            if self._message is None:
                self._message = (await self._bot.send_message(self._chat, text)).message_id
            else:
                await self._bot.edit_message_text(text, self._chat, self._message)
            self._shown = text
        except TelegramError as problem:
            print("telegram", type(problem).__name__, flush=True)


def application(handler: Callable[..., Awaitable[None]], start: Callable[..., Awaitable[None]]) -> Any:
    """A PTB Application on the stand's server, as many updates at once as may come."""
    app = (
        Application.builder()
        .token(os.environ["TELEGRAM_BOT_TOKEN"])
        .base_url(f"{os.environ['TELEGRAM_BASE_URL']}/bot")
        .concurrent_updates(100_000)
        .pool_timeout(60)
        .post_init(start)
        .build()
    )
    app.add_handler(MessageHandler(filters.TEXT, handler))
    return app


def serve(turn: Turn, begin: Callable[[], Awaitable[None]]) -> None:
    """Be a bot that answers each message with ``turn``, a chat's messages one after the other."""
    locks: dict[int, asyncio.Lock] = {}

    async def answer(update: Update, context: Any) -> None:
        chat, text = update.effective_chat.id, update.message.text
        async with locks.setdefault(chat, asyncio.Lock()):
            growing = Answer(context.bot, chat)
            await growing.give(turn(chat, text, growing.show))

    async def start(_app: Any) -> None:
        await begin()
        print(READY, flush=True)

    application(answer, start).run_polling(poll_interval=0.0, bootstrap_retries=3)
