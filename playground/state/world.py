"""The playground's whole state, in memory and bounded: the bot, its updates, people, chats, files, faults."""

from collections import OrderedDict
from copy import copy
from dataclasses import dataclass, field
from random import Random, SystemRandom
from secrets import token_urlsafe
from typing import Any

from playground import PLAYGROUND_TOKEN, Json
from playground.state.business import ConnectedAccounts
from playground.state.chats import Book
from playground.state.events import Events
from playground.state.faults import Faults
from playground.state.files import FileStore
from playground.state.flood import Flood
from playground.state.journal import Journal
from playground.state.queries import InlineQueries
from playground.state.timing import SystemTime, Time
from playground.state.updates import UpdateQueue
from playground.state.wakeup import Wakeup

_CALLBACKS = 1000
"""Pressed buttons whose answers are remembered."""
_KEY_BYTES = 12
_MIB = 1024 * 1024


@dataclass(slots=True)
class WebhookTarget:
    """Where updates go while a webhook is set (Bot API, setWebhook); an empty ``url`` means that no webhook is set."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    last_error_at: int | None = None
    last_error: str | None = None


@dataclass(slots=True)
class Press:
    """A pressed button: when, and how the bot answered it."""

    at: float
    answer: Json | None = None
    wakeup: Wakeup = field(default_factory=Wakeup)


class Bot:
    """The playground's one bot, with what Telegram stores for a bot."""

    def __init__(self, token: str, clock: Time, random: Random) -> None:
        self.token = token
        self.id = int(token.partition(":")[0])
        self.user: Json = {
            "id": self.id,
            "is_bot": True,
            "first_name": "Cohort",
            "username": "cohort_playground_bot",
        }
        """The bot as it stands in messages."""
        self.privacy = False
        """BotFather's /setprivacy: in groups the bot is shown what is meant for it, and no more."""
        self.queue = UpdateQueue(clock, random)
        self.webhook = WebhookTarget()
        self.webhook_changed = Wakeup()
        self.commands: dict[tuple[str, str], list[Json]] = {}
        """Command lists by (scope as sorted JSON, language)."""
        self.descriptions: dict[tuple[str, str], str] = {}
        """What an empty chat and the profile show, by (which of the two, language)."""
        self.presses: OrderedDict[str, Press] = OrderedDict()
        self.poll = 0
        """Number of the newest getUpdates call; an older call that still waits is ended."""
        self.waiting = 0
        """Long polls that are waiting now."""
        self.looked = Wakeup()
        """Wakes when a poll begins to wait, and when updates are confirmed."""
        self.next_conflict = 0.0

    def me(self) -> Json:
        """What getMe answers."""
        return {
            **self.user,
            "can_join_groups": True,
            "can_read_all_group_messages": not self.privacy,
            "supports_inline_queries": True,
            "supports_guest_queries": True,
            "can_connect_to_business": True,
            "has_main_web_app": False,
        }

    def remember_press(self, number: str, press: Press) -> None:
        """Keep a press until the bot answers it."""
        self.presses[number] = press
        if len(self.presses) > _CALLBACKS:
            self.presses.popitem(last=False)


class State:
    """For one event loop. The caps bound its size; ``info`` is shown on the page (links, model)."""

    def __init__(  # noqa: PLR0913 - settings of one kind each, all with a default
        self,
        clock: Time | None = None,
        *,
        token: str = PLAYGROUND_TOKEN,
        key: str | None = None,
        info: Json | None = None,
        random: Random | None = None,
        message_cap: int = 2000,
        chat_cap: int = 50_000,
        journal_cap: int = 100_000,
        file_cap_mib: int = 256,
        past: int = 0,
    ) -> None:
        self.clock: Time = clock or SystemTime()
        self.random = random or SystemRandom()
        self.info: Json = info or {}
        self.key = key or token_urlsafe(_KEY_BYTES)
        """Opens the page and the control API. Default: a new one at each start."""
        self.bot = Bot(token, self.clock, self.random)
        self.book = Book(message_cap=message_cap, chat_cap=chat_cap, past=past)
        self.files = FileStore(file_cap_mib * _MIB)
        self.journal = Journal(self.clock, journal_cap)
        self.faults = Faults()
        self.flood = Flood(self.clock)
        self.elsewhere = InlineQueries()
        self.business = ConnectedAccounts()
        self.events = Events()
        self.connections: dict[tuple[str, int], Any] = {}
        """Open connections by the peer's address, for faults that cut them."""

    def now(self) -> int:
        """Unix time in whole seconds, as dates are on the wire."""
        return int(self.clock.now())

    def reset(self) -> None:
        """Drop people, chats, updates, files, faults and the journal. Ids continue; webhook and commands stay."""
        self.book.clear()
        self.business.clear()
        self.bot.queue.clear()
        self.bot.presses.clear()
        self.files.clear()
        self.faults.clear()
        self.flood.on = False
        self.bot.privacy = False
        self.elsewhere = InlineQueries()
        self.journal.clear()
        self.bot.webhook = copy(self.bot.webhook)  # a new object: the courier drops what it carries and starts again
        self.bot.webhook_changed.wake_all()
        self.events.tell("resync")
