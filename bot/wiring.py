"""The composition root: builds all parts of the bot and connects them."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from starlette.routing import Route

from bot.admission import AccessControl
from bot.answers import Answers
from bot.api import Telegram, Wants, client
from bot.attention import Attention
from bot.closed_chats import noting
from bot.conversation_commands import ConversationCommands
from bot.elsewhere import Elsewhere
from bot.feedback import Feedback
from bot.group_control import GroupControl
from bot.heartbeat import BotHeartbeat
from bot.intake import UpdateIntake
from bot.interrupts import Interrupts
from bot.languages import Languages
from bot.leader import LeaderLoop
from bot.live_agents import LiveAgents
from bot.login_commands import LoginCommands
from bot.login_pages import LoginPages
from bot.logins import LoginService
from bot.menus import Menus
from bot.notices import Notices
from bot.overheard import OverheardMessages
from bot.pause import IntakePause, held, own_entry, tell
from bot.people import PeopleView
from bot.poller import Poller
from bot.rate import PersonalRate
from bot.replies import Replies
from bot.revocations import Revocations
from bot.signs import Signs
from bot.stop import Stop
from bot.updates.meaning import BotIdentity
from bot.watchdog import Watchdog
from bot.webhook import PagesEndpoint, WebhookEndpoint, read_body, serve
from botapi.errors import Refused, TelegramAway
from botapi.pacing import Pacing
from tasks import loop_lag, metrics, metrics_server
from tasks.access import operators_word
from tasks.app import make_app
from tasks.backoff import Backoff
from tasks.bot_status import BotStatus
from tasks.chat_choices import unavailable
from tasks.chat_rules import ChatRulesFile
from tasks.clock import Clock, SystemClock
from tasks.doorbell import Doorbells
from tasks.errors import Misconfigured, StoreUnavailable
from tasks.http_server import listen
from tasks.publishing import Publisher
from tasks.settings import Settings
from tasks.store import Store, connect
from tasks.store.pauses import PauseView
from tasks.store_watch import watch_store
from tasks.telemetry import hash_sessions

log = logging.getLogger("cohort.bot")

_LAST_SIGNS_S = 5.0
"""How long the end waits for interrupts and signs that have not gone out; no message depends on them."""


@dataclass(frozen=True, slots=True)
class Connections:
    """What is opened before the bot takes updates."""

    settings: Settings
    telegram: Telegram
    me: BotIdentity
    store: Store
    doorbells: Doorbells
    clock: Clock


async def run(settings: Settings, stop: Stop, clock: Clock | None = None) -> None:
    """Be the bot until ``stop``.

    Raises:
        Misconfigured: the operator has to change something.
    """
    async with opened(settings, stop, clock or SystemClock()) as connections:
        if connections is not None:
            await _work(connections, stop)


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
        me = await _patiently(telegram.me, "telegram.waiting", stop)
        if me is None:
            yield None
            return
        store = await _patiently(lambda: stack.enter_async_context(connect(settings, clock)), "store.waiting", stop)
        if store is None:
            yield None
            return
        log_key = await _patiently(store.trail.log_key, "store.waiting", stop)
        if log_key is None:
            yield None
            return
        hash_sessions(log_key)
        app = make_app(settings)
        stack.callback(app.close)
        doorbells = Doorbells(app, slots=settings.slots)
        metrics_server.serve(settings.metrics_port, settings.metrics_host)
        yield Connections(settings, telegram, me, store, doorbells, clock)


async def _patiently[T](attempt: Callable[[], Awaitable[T]], event: str, stop: Stop) -> T | None:
    """Try until it works. None: ``stop`` came first."""
    backoff = Backoff()
    while not stop.is_set:
        try:
            return await attempt()
        except (TelegramAway, StoreUnavailable) as problem:
            wait = problem.wait if isinstance(problem, TelegramAway) else 0.0
            log.warning(event, extra={"problem": str(problem)})
            await stop.pause(backoff.next(wait))
    return None


async def _work(connections: Connections, stop: Stop) -> None:
    settings, telegram, store, clock = connections.settings, connections.telegram, connections.store, connections.clock
    bot = connections.me.id
    chats, pauses = ChatRulesFile(settings.chats), IntakePause(bot, PauseView(store.pauses), own_entry(settings))
    people, rate, overheard = (
        PeopleView(connections.me.id, store.people, operators_word(settings), chats.roles),
        PersonalRate(settings.rate),
        OverheardMessages(settings.group_context),
    )
    with suppress(StoreUnavailable):
        await people.refresh()
        if people.access.admits_no_one:
            log.warning("access.empty", extra={"remedy": "`cohort pair` makes a code that lets its first user in"})
    admission, menus = AccessControl(people, clock), Menus(telegram, people, settings.commands, unavailable(settings))
    interrupts, signs = Interrupts(connections.doorbells), Signs(telegram, clock)
    # The workers' budget: Telegram counts what a bot sends, not which process sent it.
    pacing = Pacing(store.pace, connections.me.id, clock, stop.pause)
    replies, revocations = (
        Replies(connections.me.id, store=store.intake, calls=telegram.paced(pacing), clock=clock),
        Revocations(connections.me.id, store.intake),
    )
    logins, pages = _logins(connections, revocations)
    answers = Answers(
        settings,
        store.sessions,
        LiveAgents(store.members, lambda: pauses.offered, lambda: connections.me.id if pauses.has_cards else None),
        clock,
        reminders=store.reminders,
        notes=store.notes,
        admission=admission,
        logins=LoginCommands(logins),
        chats=chats,
        conversations=ConversationCommands(store.sessions, store.earlier),
    )
    intake = UpdateIntake(
        connections.me,
        people=people,
        admission=admission,
        rate=rate,
        answers=answers,
        intake=store.intake,
        doorbells=connections.doorbells,
        interrupts=interrupts,
        signs=signs,
        notices=Notices(connections.me.id, store.intake, clock, admission=admission, rate=rate),
        attention=Attention(connections.me, chats, clock),
        overheard=overheard,
        control=GroupControl(settings.group_control, telegram.administrators, clock, chats.roles),
        feedback=Feedback(connections.me.id, store.feedback, people, clock),
        languages=Languages(store.sessions),
        elsewhere=Elsewhere(telegram, people, signs, store.typed, clock),
        clock=clock,
    )
    mode = "webhook" if settings.webhook_url else "polling"
    holder = f"{socket.gethostname()}-{uuid4().hex[:8]}"
    about = BotStatus(bot=connections.me.id, name=settings.bot or "", username=connections.me.username, mode=mode)
    heartbeat = BotHeartbeat(store.bots, holder, about, clock, sends=pacing.lately)

    with suppress(StoreUnavailable):
        await pauses.refresh()
    accept = held(noting(intake.take, connections.me.id, store.closed), pauses)
    metrics.watch(metrics.LAST_POLL, heartbeat.poll_age)
    metrics.watch(metrics.POLL_DUE, lambda: heartbeat.poll_is_due(paused=pauses.intake))

    async def take(updates: Sequence[object]) -> None:
        if await accept(updates):
            replies.wake()
        if mode == "webhook":
            heartbeat.polled()

    leader = LeaderLoop(store.lease, connections.me.id, holder, leads=heartbeat.leads)
    async with asyncio.TaskGroup() as background:
        helpers = [
            background.create_task(interrupts.run(), name="interrupts"),
            background.create_task(signs.run(), name="signs"),
            background.create_task(heartbeat.run(), name="heartbeat"),
            background.create_task(loop_lag.measure(clock.monotonic), name="loop lag"),
            background.create_task(pauses.watch(partial(tell, bot)), name="pauses"),
            background.create_task(chats.watch(), name="chats"),
            background.create_task(watch_store(store.layout, overheard.forget), name="store"),
            background.create_task(Publisher(store.figures, holder, clock).run(), name="publisher"),
            background.create_task(people.watch(menus.changed), name="people"),
            background.create_task(menus.run(), name="menus"),
            background.create_task(revocations.run(), name="revocations"),
        ]
        await menus.show()
        log.info("bot.ready", extra={"bot": about.bot, "username": about.username, "mode": mode})
        if settings.webhook_url:
            webhook = WebhookEndpoint(take, settings.webhook_token, pages)
            await _be_called(connections, webhook, replies, leader, stop)
        else:
            polled, paused = heartbeat.polled, lambda: pauses.intake
            poller = lambda: Poller(telegram, take, Watchdog(clock), polled=polled, paused=paused)  # noqa: E731
            if pages:
                helpers.append(background.create_task(_serve_pages(connections, pages, stop), name="login pages"))
            await leader.run(partial(_poll, poller, replies), stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SIGNS_S):
                await interrupts.flush()
                await signs.flush()
        for helper in helpers:
            helper.cancel()
    log.info("bot.ended")


def _logins(connections: Connections, revocations: Revocations) -> tuple[LoginService | None, Sequence[Route]]:
    """What knows of logins, and the page behind them; nothing where there is no key to keep them under."""
    store = connections.store
    if not store.logins.kept:
        return None, ()
    logins = LoginService(
        connections.me.id,
        store=store.logins,
        sessions=store.sessions,
        intake=store.intake,
        doorbells=connections.doorbells,
        revocations=revocations,
        clock=connections.clock,
    )
    return logins, LoginPages(logins, read_body).routes


async def _poll(poller: Callable[[], Poller], replies: Replies, term: Stop) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(replies.run(term), name="replies")
        await poller().run(term)


async def _serve_pages(connections: Connections, pages: Sequence[Route], stop: Stop) -> None:
    """A bot that polls serves the page that login pages send people back to, where its port is free."""
    settings = connections.settings
    try:
        sock = listen(settings.webhook_host, settings.webhook_port, "COHORT_WEBHOOK")
    except Misconfigured as problem:
        # Of several bots on one machine one has it, and the address that a browser ended at can be pasted.
        log.warning("login.pages_not_served", extra={"problem": str(problem)})
        return
    with closing(sock):
        await serve(PagesEndpoint(pages), sock, stop, connections.clock)


async def _be_called(
    connections: Connections, webhook: WebhookEndpoint, replies: Replies, leader: LeaderLoop, stop: Stop
) -> None:
    """Webhook mode: every process takes updates; the one that holds the lease sends the bot's own replies."""
    settings = connections.settings
    url, secret = settings.webhook_url or "", settings.webhook_token
    async with asyncio.TaskGroup() as group:
        with closing(listen(settings.webhook_host, settings.webhook_port, "COHORT_WEBHOOK")) as sock:
            # Telegram sends updates as soon as it has the address.
            group.create_task(leader.run(replies.run, stop), name="replies")
            serving = group.create_task(serve(webhook, sock, stop, connections.clock), name="webhook")
            try:
                await _patiently(lambda: connections.telegram.use_webhook(url, secret), "webhook.waiting", stop)
            except Refused as problem:
                raise Misconfigured(f"COHORT_WEBHOOK_URL: Telegram does not take it ({problem})") from None
            await serving
