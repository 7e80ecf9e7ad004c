"""Opens what the bot needs before it takes updates, and waits until Telegram and Redis answer."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.api import Telegram, Wants, client
from bot.process.stop import Stop
from bot.updates.meaning import BotIdentity
from botapi.errors import TelegramAway
from tasks.app import make_app
from tasks.backoff import Backoff
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.errors import StoreForbidden, StoreUnavailable
from tasks.store import Store, connect
from tasks.telemetry import metrics_server
from tasks.telemetry.logs import hash_sessions

log = logging.getLogger("cohort.bot")


@dataclass(frozen=True, slots=True)
class Connections:
    """What is opened before the bot takes updates."""

    settings: Settings
    telegram: Telegram
    me: BotIdentity
    store: Store
    doorbells: Doorbells
    clock: Clock


@asynccontextmanager
async def opened(settings: Settings, stop: Stop, clock: Clock) -> AsyncGenerator[Connections | None]:
    """Open all connections, and wait until Telegram and Redis answer. None: ``stop`` came first."""
    async with AsyncExitStack() as stack:
        wanted = Wants(
            channels=settings.channels,
            business=settings.business,
            inline=settings.inline,
            guests=settings.guests,
        )
        telegram = await stack.enter_async_context(client(settings.token, settings.telegram_base_url, **wanted))
        me = await patiently(telegram.me, "telegram.waiting", stop)
        if me is None:
            yield None
            return
        store = await patiently(lambda: stack.enter_async_context(connect(settings, clock)), "store.waiting", stop)
        if store is None:
            yield None
            return
        log_key = await patiently(store.trail.log_key, "store.waiting", stop)
        if log_key is None:
            yield None
            return
        hash_sessions(log_key)
        app = make_app(settings)
        stack.callback(app.close)
        doorbells = Doorbells(app, slots=settings.slots)
        metrics_server.serve(settings.metrics_port, settings.metrics_host)
        yield Connections(settings, telegram, me, store, doorbells, clock)


async def patiently[T](attempt: Callable[[], Awaitable[T]], event: str, stop: Stop) -> T | None:
    """Try until it works. None: ``stop`` came first."""
    backoff = Backoff()
    while not stop.is_set:
        try:
            return await attempt()
        except StoreForbidden:
            raise
        except (TelegramAway, StoreUnavailable) as problem:
            wait = problem.wait if isinstance(problem, TelegramAway) else 0.0
            log.warning(event, extra={"problem": str(problem)})
            await stop.pause(backoff.next(wait))
    return None
