"""A worker's Telegram side against the playground over real HTTP, its budget in a real Valkey, time moved by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from telegram.ext import ExtBot

from botapi.calls import Calls
from botapi.client import connected
from botapi.pacing import Pacing, Priority
from playground import PLAYGROUND_TOKEN
from playground.client import PlaygroundClient
from playground.server import serving
from playground.state.world import State
from tasks.config.settings import Settings, load
from tasks.session import SessionKey
from tasks.store.pacing import Limits, PaceStore, Rate
from tests.playground.conformance import check_journal
from tests.telegram.fakes import FakeClock
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.media import TelegramMedia

LAVISH = Limits(*[Rate(1_000_000, 1, 500_000)] * 3)


@dataclass(frozen=True)
class World:
    pg: PlaygroundClient
    clock: FakeClock
    settings: Settings
    redis: Redis
    store: PaceStore
    bot: ExtBot[Priority]
    calls: Calls
    delivery: TelegramDelivery
    media: TelegramMedia

    async def session(self, kind: str = "private", **fields: Any) -> SessionKey:
        chat = await self.pg.chat(kind, **fields)
        return SessionKey(self.settings.bot_id, chat["id"])

    async def texts(self, session: SessionKey) -> list[str]:
        return [message.get("text") for message in await self.pg.bot_messages(session.chat)]

    async def methods(self, session: SessionKey) -> list[str]:
        return [entry["method"] for entry in await self.pg.journal(chat=session.chat)]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def pg() -> AsyncIterator[PlaygroundClient]:
    """A playground; whatever was asked of it must be known to the Bot API."""
    state = State()
    async with serving(state) as url, PlaygroundClient(url, key=state.key) as playground:
        yield playground
        check_journal(await playground.journal())


@pytest.fixture
def settings(pg: PlaygroundClient, redis_url: str, tmp_path: Path) -> Settings:
    return load(
        {
            "TELEGRAM_BOT_TOKEN": PLAYGROUND_TOKEN,
            "TELEGRAM_BASE_URL": pg.base_url,
            "REDIS_URL": redis_url,
            "COHORT_HOME": str(tmp_path),
            "COHORT_MEDIA_CACHE_MIB": "1",
            "COHORT_MEDIA_MAX_MIB": "2",
        }
    )


@pytest.fixture
def limits() -> Limits:
    return LAVISH


@pytest.fixture
async def world(
    pg: PlaygroundClient, redis: Redis, settings: Settings, clock: FakeClock, limits: Limits
) -> AsyncIterator[World]:
    store = PaceStore(redis, clock, limits)
    pacing = Pacing(store, settings.bot_id, clock, clock.sleep)
    async with connected(settings.token, settings.telegram_base_url, connections=64) as connection:
        bot = connection.bot(pacing)
        yield World(
            pg=pg,
            clock=clock,
            settings=settings,
            redis=redis,
            store=store,
            bot=bot,
            calls=Calls(bot),
            delivery=TelegramDelivery(bot, settings, clock, sleep=clock.sleep),
            media=TelegramMedia(bot, settings, clock),
        )
