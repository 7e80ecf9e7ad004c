"""Putting a worker's Telegram side together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tasks.clock import Clock
from tasks.settings import Settings
from tasks.store import Store
from tasks.store.pacing import PaceStore
from workers.telegram.client import client
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.media import TelegramMedia
from workers.telegram.pacing import Pacing


@dataclass(frozen=True, slots=True)
class Telegram:
    """What the rest of the worker uses (``workers.ports.Delivery`` and ``MediaSource``)."""

    delivery: TelegramDelivery
    media: TelegramMedia


@asynccontextmanager
async def telegram(settings: Settings, store: Store, clock: Clock) -> AsyncGenerator[Telegram]:
    """Telegram for this worker; Telegram itself may be away.

    Raises:
        Misconfigured: there is no token.
    """
    pacing = Pacing(PaceStore(store.redis, clock), settings.bot_id, clock)
    async with client(settings, pacing) as bot:
        yield Telegram(TelegramDelivery(bot, settings, clock), TelegramMedia(bot, settings, clock))
