"""Runs the bot that ``bot.wiring`` built: it polls or is called, until it is to stop, and everything beside it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.routing import Route

from bot.acknowledgements import Acknowledgements
from bot.commands.menus import CommandMenus
from bot.connections import Connections, patiently
from bot.interrupts import Interrupts
from bot.process.heartbeat import BotHeartbeat
from bot.process.leader import LeaderLoop
from bot.process.pause import IntakePause
from bot.process.stop import Stop
from bot.process.watchdog import Watchdog
from bot.receiving.poller import Poller
from bot.receiving.webhook import PagesEndpoint, WebhookEndpoint, serve
from bot.replies import Replies
from botapi.errors import Refused
from tasks.errors import Misconfigured
from tasks.http.server import listen
from tasks.status.bot import BotStatus

log = logging.getLogger("cohort.bot")

_LAST_ACKS_S = 5.0
"""How long the end waits for interrupts and acknowledgements that have not gone out; no message depends on them."""


@dataclass(frozen=True, slots=True)
class BotParts:
    """The bot, built and not yet running."""

    connections: Connections
    about: BotStatus
    accept: Callable[[Sequence[object]], Awaitable[object]]
    """Takes updates in, true where the bot has something to say of them. It refuses while the intake is paused."""
    replies: Replies
    menus: CommandMenus
    interrupts: Interrupts
    acks: Acknowledgements
    heartbeat: BotHeartbeat
    pauses: IntakePause
    pages: Sequence[Route]
    background: Mapping[str, Coroutine[Any, Any, None]]
    """What runs beside all of it, by name; each until it is cancelled."""

    async def take(self, updates: Sequence[object]) -> None:
        """Take updates in, from a poll or from Telegram's request."""
        if await self.accept(updates):
            self.replies.wake()
        if self.about.mode == "webhook":
            self.heartbeat.polled()


async def serve_until(parts: BotParts, stop: Stop) -> None:
    """Take updates until ``stop``, by polling or by webhook."""
    async with asyncio.TaskGroup() as group:
        helpers = [group.create_task(work, name=name) for name, work in parts.background.items()]
        await parts.menus.show()
        about = parts.about
        log.info("bot.ready", extra={"bot": about.bot, "username": about.username, "mode": about.mode})
        store = parts.connections.store
        leader = LeaderLoop(store.lease, about.bot, parts.heartbeat.holder, leads=parts.heartbeat.leads)
        if about.mode == "webhook":
            await _be_called(parts, leader, stop)
        else:
            if parts.pages:
                helpers.append(group.create_task(_serve_pages(parts, stop), name="login pages"))
            await leader.run(partial(_poll, parts), stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ACKS_S):
                await parts.interrupts.flush()
                await parts.acks.flush()
        for helper in helpers:
            helper.cancel()
    log.info("bot.ended")


async def _poll(parts: BotParts, term: Stop) -> None:
    telegram, clock = parts.connections.telegram, parts.connections.clock
    polled, paused = parts.heartbeat.polled, lambda: parts.pauses.intake
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.replies.run(term), name="replies")
        await Poller(telegram, parts.take, Watchdog(clock), polled=polled, paused=paused).run(term)


async def _serve_pages(parts: BotParts, stop: Stop) -> None:
    """A bot that polls serves the page that login pages send people back to, where its port is free."""
    settings = parts.connections.settings
    try:
        sock = listen(settings.webhook_host, settings.webhook_port, "COHORT_WEBHOOK")
    except Misconfigured as problem:
        # Of several bots on one machine one has it, and the address that a browser ended at can be pasted.
        log.warning("login.pages_not_served", extra={"problem": str(problem)})
        return
    with closing(sock):
        await serve(PagesEndpoint(parts.pages), sock, stop, parts.connections.clock)


async def _be_called(parts: BotParts, leader: LeaderLoop, stop: Stop) -> None:
    """Webhook mode: every process takes updates; the one that holds the lease sends the bot's own replies."""
    settings, telegram = parts.connections.settings, parts.connections.telegram
    url, secret = settings.webhook_url or "", settings.webhook_token
    webhook = WebhookEndpoint(parts.take, secret, parts.pages)
    async with asyncio.TaskGroup() as group:
        with closing(listen(settings.webhook_host, settings.webhook_port, "COHORT_WEBHOOK")) as sock:
            # Telegram sends updates as soon as it has the address.
            group.create_task(leader.run(parts.replies.run, stop), name="replies")
            serving = group.create_task(serve(webhook, sock, stop, parts.connections.clock), name="webhook")
            try:
                await patiently(lambda: telegram.use_webhook(url, secret), "webhook.waiting", stop)
            except Refused as problem:
                raise Misconfigured(f"COHORT_WEBHOOK_URL: Telegram does not take it ({problem})") from None
            await serving
