"""The composition root: builds all parts of the bot and connects them."""

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from starlette.routing import Route

from bot.access.business_accounts import BusinessAccounts
from bot.access.closed_chats import noting
from bot.access.people import PeopleView
from bot.access.rate import PersonalRate
from bot.acknowledgements import Acknowledgements
from bot.admission import AccessControl
from bot.answers import Answers
from bot.commands.card_commands import CardCommands
from bot.commands.conversations import ConversationCommands
from bot.commands.languages import Languages
from bot.commands.menus import CommandMenus
from bot.commands.offered import CommandOffer
from bot.connections import Connections, opened
from bot.feedback import Feedback
from bot.groups.admin_lists import AdminLists
from bot.groups.attention import Attention
from bot.groups.bursts import GroupBursts
from bot.groups.channel_posts import ChannelPosts
from bot.groups.control import GroupControl, RightsHere
from bot.groups.former import FormerGroups
from bot.groups.hearing import GroupHearing
from bot.groups.overheard import OverheardMessages
from bot.groups.paused import following
from bot.inline_messages import InlineMessages
from bot.intake import UpdateIntake
from bot.interrupts import Interrupts
from bot.live_agents import LiveAgents
from bot.logins.commands import LoginCommands
from bot.logins.logins import LoginService
from bot.logins.pages import LoginPages
from bot.logins.revocations import Revocations
from bot.notices import Notices
from bot.own_name import OwnName
from bot.process.heartbeat import BotHeartbeat
from bot.process.pause import IntakePause, held, own_entry, tell
from bot.process.stop import Stop
from bot.receiving.webhook import read_body
from bot.replies import Replies
from bot.serving import BotParts, serve_until
from bot.stand_in import StandIn
from bot.updates.meaning import BotIdentity
from botapi.pacing import Pacing
from tasks.chats.access import operators_word
from tasks.chats.choices import unavailable
from tasks.clock import Clock, SystemClock
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.kept_mark import KeptMark
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.publishing import Publisher
from tasks.status.bot import BotStatus
from tasks.store.pauses import PauseView
from tasks.store_watch import watch_store
from tasks.telemetry import loop_lag, metrics

log = logging.getLogger("cohort.bot")


async def run(settings: Settings, stop: Stop, clock: Clock | None = None) -> None:
    """Be the bot until ``stop``.

    Raises:
        Misconfigured: the operator has to change something.
    """
    async with opened(settings, stop, clock or SystemClock()) as connections:
        if connections is not None:
            await serve_until(await built(connections, stop), stop)


async def built(connections: Connections, stop: Stop) -> BotParts:
    """All parts of the bot; what an operator has to be told at a start is logged."""
    settings, telegram, store, clock = connections.settings, connections.telegram, connections.store, connections.clock
    me, bot = connections.me, connections.me.id
    chats = ChatRulesFile(settings.chats, settings.home)
    pauses = IntakePause(bot, PauseView(store.pauses), own_entry(settings))
    people = PeopleView(bot, store.people, operators_word(settings), chats.roles)
    taken = CardCommands(settings.commands, _live_agents(connections, pauses).commands)
    await _look_first(people, pauses, chats, taken)
    offer = CommandOffer(chats.roles, settings.group_control, lambda: taken.now, unavailable(settings))
    menus = CommandMenus(telegram, people, offer)
    acks, admins = Acknowledgements(telegram, clock), AdminLists(telegram.administrators, clock)
    # The workers' budget: Telegram counts what a bot sends, not which process sent it.
    pacing = Pacing(store.pace, bot, clock, stop.pause)
    owners = store.sessions.owners
    replies = Replies(bot, store=store.intake, calls=telegram.paced(pacing), clock=clock, told_in=owners.told_in)
    stand_in = StandIn(owners, Languages(store.sessions), replies.wake)
    interrupts = Interrupts(connections.doorbells, stand_in.watch)
    revocations, overheard = Revocations(bot, store.intake), OverheardMessages(store.overheard, settings.group_context)
    logins, pages = _logins(connections, revocations)
    attention = _attention(connections, people, chats, BusinessAccounts(store.business, interrupts, acks), taken)
    hears = GroupHearing(me, admins)
    shared = _Shared(people, chats, pauses, attention, overheard, interrupts, acks, logins, offer, admins, hears, taken)
    intake = _intake(connections, shared)
    holder = f"{socket.gethostname()}-{uuid4().hex[:8]}"
    about = _about(settings, me)
    heartbeat = BotHeartbeat(store.bots, holder, about, clock, sends=pacing.lately)
    _measure(heartbeat, pauses)
    return BotParts(
        connections,
        about,
        held(noting(following(intake.take, me, store.pauses), bot, store.closed), pauses),
        replies,
        menus,
        interrupts,
        acks,
        heartbeat,
        pauses,
        pages,
        background={
            "interrupts": interrupts.run(),
            "acks": acks.run(),
            "heartbeat": heartbeat.run(),
            "name": _own_name(connections, attention, hears, heartbeat).watch(),
            "loop lag": loop_lag.measure(clock.monotonic),
            "pauses": pauses.watch(partial(tell, bot)),
            "commands of cards": taken.watch(menus.changed),
            "chats": attention.watch(menus.changed),
            "store": watch_store(store.layout, kept=KeptMark(settings.home, settings.redis)),
            "publisher": Publisher(store.figures, holder, clock).run(),
            "people": people.watch(menus.changed),
            "menus": menus.run(),
            "revocations": revocations.run(),
        },
    )


def _about(settings: Settings, me: BotIdentity) -> BotStatus:
    mode = "webhook" if settings.webhook_url else "polling"
    return BotStatus(bot=me.id, name=settings.bot or "", username=me.username, mode=mode)


def _live_agents(connections: Connections, pauses: IntakePause) -> LiveAgents:
    bot = connections.me.id
    return LiveAgents(connections.store.members, lambda: pauses.offered, lambda: bot if pauses.has_cards else None)


def _measure(heartbeat: BotHeartbeat, pauses: IntakePause) -> None:
    metrics.watch(metrics.LAST_POLL, heartbeat.poll_age)
    metrics.watch(metrics.POLL_DUE, lambda: heartbeat.poll_is_due(paused=pauses.intake))


def _attention(
    connections: Connections,
    people: PeopleView,
    chats: ChatRulesFile,
    business: BusinessAccounts,
    taken: CardCommands,
) -> Attention:
    store, me = connections.store, connections.me
    posts = ChannelPosts(me.id, store.intake, store.feedback, people, connections.clock)
    bursts = GroupBursts(connections.settings.burst)
    return Attention(
        me,
        chats,
        store.overheard,
        people,
        store.named_topics,
        posts=posts,
        business=business,
        bursts=bursts,
        taken=taken,
    )


def _own_name(
    connections: Connections, attention: Attention, hearing: GroupHearing, heartbeat: BotHeartbeat
) -> OwnName:
    return OwnName(
        connections.me,
        connections.telegram.me,
        (attention.renamed, hearing.changed, lambda me: heartbeat.renamed(me.username)),
    )


async def _look_first(people: PeopleView, pauses: IntakePause, chats: ChatRulesFile, taken: CardCommands) -> None:
    """Look at what Redis says of these before the first update. While it is away they keep to the settings."""
    with suppress(StoreUnavailable):
        await people.refresh()
        chats.moved = await people.store.followed()
        if people.access.admits_no_one:
            log.warning("access.empty", extra={"remedy": "`cohort pair` makes a code that lets its first user in"})
    with suppress(StoreUnavailable):
        await pauses.refresh()
        await taken.refresh()


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the intake shares with what runs beside it."""

    people: PeopleView
    chats: ChatRulesFile
    pauses: IntakePause
    attention: Attention
    overheard: OverheardMessages
    interrupts: Interrupts
    acks: Acknowledgements
    logins: LoginService | None
    offer: CommandOffer
    admins: AdminLists
    hearing: GroupHearing
    taken: CardCommands


def _intake(connections: Connections, shared: _Shared) -> UpdateIntake:
    settings, telegram, store, clock = connections.settings, connections.telegram, connections.store, connections.clock
    bot, people, chats = connections.me.id, shared.people, shared.chats
    admission, rate = AccessControl(people, clock), PersonalRate(settings.rate)
    control = GroupControl(settings.group_control, shared.admins, chats.roles, store.sessions.askers)
    rights = RightsHere(control, shared.offer, people)
    answers = Answers(
        settings,
        store.sessions,
        _live_agents(connections, shared.pauses),
        clock,
        reminders=store.reminders,
        notes=store.notes,
        admission=admission,
        logins=LoginCommands(shared.logins),
        chats=chats,
        conversations=ConversationCommands(store.sessions, store.earlier, rights),
        rights=rights,
        hearing=shared.hearing,
        taken=shared.taken,
    )
    return UpdateIntake(
        connections.me,
        people=people,
        admission=admission,
        rate=rate,
        answers=answers,
        intake=store.intake,
        doorbells=connections.doorbells,
        interrupts=shared.interrupts,
        acks=shared.acks,
        notices=Notices(bot, store.intake, clock, admission=admission, rate=rate),
        attention=shared.attention,
        overheard=shared.overheard,
        former=FormerGroups(store.sessions),
        control=control,
        feedback=Feedback(bot, store.feedback, people, clock),
        languages=Languages(store.sessions),
        inline_messages=InlineMessages(telegram, people, shared.acks, store.typed, clock),
        clock=clock,
    )


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
