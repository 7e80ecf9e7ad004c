"""A bot in parts: a real store, a real client, the playground's Bot API, and a clock that only tests move."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import texts
from bot.access.business_accounts import BusinessAccounts
from bot.access.people import PeopleView
from bot.access.rate import PersonalRate
from bot.acknowledgements import Acknowledgements
from bot.admission import AccessControl
from bot.answers import Answers
from bot.api import Telegram, client
from bot.commands.card_commands import CardCommands
from bot.commands.conversations import ConversationCommands
from bot.commands.languages import Languages
from bot.commands.offered import CommandOffer
from bot.feedback import Feedback
from bot.groups.admin_lists import Administrators, AdminLists
from bot.groups.attention import Attention
from bot.groups.bursts import GroupBursts
from bot.groups.channel_posts import ChannelPosts
from bot.groups.control import GroupControl, RightsHere
from bot.groups.former import FormerGroups
from bot.groups.hearing import GroupHearing
from bot.groups.overheard import OverheardMessages
from bot.inline_messages import InlineMessages
from bot.intake import UpdateIntake
from bot.interrupts import Interrupts
from bot.logins.commands import LoginCommands
from bot.logins.logins import LoginService
from bot.logins.revocations import Revocations
from bot.notices import Notices
from bot.process.watchdog import Watchdog
from bot.updates.meaning import BotIdentity
from playground.client import PlaygroundClient
from playground.server import serving
from playground.state.world import State
from tasks.app import make_app
from tasks.backoff import Backoff
from tasks.chats.access import Access, OperatorsWord, mode_of
from tasks.chats.choices import unavailable
from tasks.config.settings import Settings, load
from tasks.doorbell import Doorbells
from tasks.envelope import Inbound, Reply
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.session import SessionKey
from tasks.slots import queue_of
from tasks.store import Store
from tests.bot.stand_ins import SOON, HandClock, InterruptSpy, NamedAgents, ShownSigns
from tests.conftest import BOT, TOKEN
from tests.playground.conformance import check_journal
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest forgets what bot.api says about PTB's warnings."""
    here = str(HERE)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.filterwarnings("ignore::telegram.warnings.PTBUserWarning"))


@dataclass
class BotUnderTest:
    """A bot's intake with everything behind it."""

    settings: Settings
    intake: UpdateIntake
    store: Store
    remote: InterruptSpy
    signs: ShownSigns
    interrupts: Interrupts
    acks: Acknowledgements
    agents: NamedAgents
    clock: HandClock
    people: PeopleView
    logins: LoginService | None
    revocations: Revocations
    chats: ChatRulesFile
    attention: Attention

    async def inbox(self, session: str) -> list[Inbound]:
        """What waits in a session, oldest first."""
        found = await redis_of(self.store).lrange(f"cohort:s:{session}:inbox", 0, -1)
        return [Inbound.from_json(entry) for entry in found]

    async def doorbells(self) -> list[tuple[SessionKey, int]]:
        """The doorbells sent, oldest first: (session, update id) as the workers' Celery reads it."""
        tasks: list[tuple[SessionKey, int]] = []
        for queue in [queue_of(slot) for slot in range(self.settings.slots)]:
            for raw in await redis_of(self.store).lrange(queue, 0, -1):
                (session, update_id), _, _ = json.loads(b64decode(json.loads(raw)["body"]))
                tasks.append((SessionKey.parse(session), update_id))
        return sorted(tasks, key=lambda task: task[1])

    async def said(self) -> list[tuple[str | None, str]]:
        """The bot's own replies: (session, text)."""
        return [(reply.session, reply.text) for _, reply in await own_replies(self.store, BOT, 1000)]

    async def lines_to_strangers(self) -> list[tuple[str | None, str]]:
        """What waits to be said to strangers: (session, text)."""
        found = await redis_of(self.store).lrange(f"cohort:bot:{BOT}:strangers", 0, -1)
        return [(reply.session, reply.text) for reply in map(Reply.from_json, found)]

    async def followed(self) -> None:
        """Interrupts, typing and answers have gone out."""
        async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
            running = [group.create_task(self.interrupts.run()), group.create_task(self.acks.run())]
            await self.interrupts.flush()
            await self.acks.flush()
            for task in running:
                task.cancel()


OURS = tuple(name for name in texts.COMMANDS if name != "voice")
"""The commands that everybody is offered where no server speaks."""
ME = BotIdentity.of(BOT, "cohort_bot")


async def no_admins(_chat: int) -> frozenset[int]:
    """A group that names no administrators."""
    return frozenset()


def make_bot(
    settings: Settings,
    store: Store,
    *,
    access: Access | None = None,
    intake: object = None,
    admins: Administrators = no_admins,
    me: BotIdentity = ME,
) -> BotUnderTest:
    """The intake on the real store; ``intake`` may stand in for the store's part."""
    clock, remote, signs, agents = HandClock(), InterruptSpy(), ShownSigns(), NamedAgents()
    interrupts, acks = Interrupts(remote), Acknowledgements(signs, clock)
    given = access or Access(everybody=True, allow=frozenset())
    mode = "open" if given.everybody else mode_of(settings)
    word = OperatorsWord(mode=mode, allow=tuple(given.allow), admins=tuple(given.admins))
    chats, rate = ChatRulesFile(settings.chats), PersonalRate(settings.rate)
    people = PeopleView(BOT, store.people, word, chats.roles)
    posts = ChannelPosts(BOT, store.intake, store.feedback, people, clock)
    admission = AccessControl(people, clock)
    business = BusinessAccounts(store.business, interrupts, acks)
    bursts = GroupBursts(settings.burst)
    named = store.named_topics
    taken = CardCommands(settings.commands, agents.commands)
    attention = Attention(
        me, chats, store.overheard, people, named, posts=posts, business=business, bursts=bursts, taken=taken
    )
    doorbells = Doorbells(make_app(settings), slots=settings.slots)
    revocations = Revocations(BOT, store.intake)
    logins = logins_of(settings, store, doorbells, revocations, clock)
    listed = AdminLists(admins, clock)
    control = GroupControl(settings.group_control, listed, chats.roles, store.sessions.askers)
    offer = CommandOffer(chats.roles, settings.group_control, lambda: taken.now, unavailable(settings))
    rights = RightsHere(control, offer, people)
    update_intake = UpdateIntake(
        me,
        people=people,
        admission=admission,
        rate=rate,
        answers=Answers(
            settings,
            store.sessions,
            agents,
            clock,
            reminders=store.reminders,
            notes=store.notes,
            admission=admission,
            logins=LoginCommands(logins),
            chats=chats,
            conversations=ConversationCommands(store.sessions, store.earlier, rights),
            rights=rights,
            hearing=GroupHearing(me, listed),
            taken=taken,
        ),
        intake=intake or store.intake,  # pyright: ignore[reportArgumentType]
        doorbells=doorbells,
        interrupts=interrupts,
        acks=acks,
        notices=Notices(BOT, store.intake, clock, admission=admission, rate=rate),
        attention=attention,
        overheard=OverheardMessages(store.overheard, settings.group_context),
        former=FormerGroups(store.sessions),
        control=control,
        feedback=Feedback(BOT, store.feedback, people, clock),
        languages=Languages(store.sessions),
        inline_messages=InlineMessages(signs, people, acks, store.typed, clock),
        clock=clock,
    )
    behind = (store, remote, signs, interrupts, acks, agents, clock, people, logins, revocations, chats, attention)
    return BotUnderTest(settings, update_intake, *behind)


def logins_of(
    settings: Settings, store: Store, doorbells: Doorbells, revocations: Revocations, clock: HandClock
) -> LoginService | None:
    """As the bot's composition root makes it."""
    if not settings.secret_keys:
        return None
    return LoginService(
        BOT,
        store=store.logins,
        sessions=store.sessions,
        intake=store.intake,
        doorbells=doorbells,
        revocations=revocations,
        clock=clock,
    )


@pytest.fixture
def bot(settings: Settings, store: Store) -> BotUnderTest:
    return make_bot(settings, store)


@pytest.fixture
async def playground() -> State:
    return State(token=TOKEN)


@pytest.fixture
async def api_url(playground: State) -> AsyncIterator[str]:
    """The playground's Bot API; whatever was asked of it must be known to Telegram's."""
    async with serving(playground) as url:
        yield url
    check_journal(playground.journal.read(0, playground.journal.last, lambda _: True))


@pytest.fixture
async def people(api_url: str, playground: State) -> AsyncIterator[PlaygroundClient]:
    async with PlaygroundClient(api_url, token=TOKEN, key=playground.key) as client:
        yield client


@pytest.fixture
async def telegram(api_url: str) -> AsyncIterator[Telegram]:
    async with client(TOKEN, api_url) as opened:
        yield opened


@pytest.fixture
def live_settings(redis_url: str, api_url: str) -> Settings:
    """Settings of a whole bot against the playground."""
    return load(
        {
            "REDIS_URL": redis_url,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": api_url,
            "COHORT_ACCESS": "open",
        }
    )


def quick_backoff() -> Backoff:
    """Waits that a test can afford."""
    return Backoff(0.005, 0.020)


def patient_watchdog() -> Watchdog:
    return Watchdog(HandClock(), on_stall=lambda: None)
