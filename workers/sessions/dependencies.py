"""What every turn loop of a worker is given."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.session import SessionKey
from tasks.store.chats.closed_chats import ClosedChatStore
from tasks.store.earlier import EarlierStore
from tasks.store.intake import IntakeStore
from tasks.store.journal import JournalStore
from tasks.store.moves import Moves
from tasks.store.sessions import SessionStore
from workers.interfaces import AgentRuntime, Delivery
from workers.placing import OnePlace, Places
from workers.sessions.alerts import Alerts
from workers.sessions.heartbeat import Heartbeat
from workers.sessions.reminders import SessionReminders
from workers.sessions.trail import Trail

type Sleep = Callable[[float], Awaitable[None]]
"""``asyncio.sleep``; tests inject their own."""

CHATS_REMEMBERED = 1000

type StepHook = Callable[[str], None]
"""Called with the name of each step that is passed. Test builds end the process there."""


class Titles(Protocol):
    """Names topics (``workers.sessions.commands.titles``)."""

    def after(self, owned: Any, asked: Any, outcome: Any, done: Callable[[], None]) -> Callable[[], None]:
        """What to call when a turn is committed; ``done`` among it."""
        ...


class NoTitles:
    """Names no topic."""

    def after(self, owned: Any, asked: Any, outcome: Any, done: Callable[[], None]) -> Callable[[], None]:
        """Only what was to be called."""
        del owned, asked, outcome
        return done


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The stores, the runtime and the clock that all turn loops of one worker share."""

    incarnation: str
    """The id of this worker process; it stands in the claims of its sessions."""
    settings: Settings
    sessions: SessionStore
    journal: JournalStore
    moves: Moves
    earlier: EarlierStore
    reminders: SessionReminders
    runtime: AgentRuntime
    delivery: Delivery
    alerts: Alerts
    closed: ClosedChatStore
    intake: IntakeStore
    clock: Clock
    heartbeat: Heartbeat
    steps: StepHook
    """Failpoints; they do nothing outside of test builds."""
    sleep: Sleep = asyncio.sleep
    last_tries: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the turn that runs its message for the last time before it is given up."""
    refusing: BoundedDict[int, None] = field(default_factory=lambda: BoundedDict[int, None](CHATS_REMEMBERED))
    """Chats that refused an answer of this worker: the next one that they take opens them."""
    titles: Titles = field(default_factory=NoTitles)
    places: Places = field(default_factory=OnePlace)
    """Where turns of a session may run."""
    expire: "Callable[[SessionKey, float, float], Awaitable[bool]] | None" = None
    """Erases a session in which nothing waits (``tasks.store.erasure``)."""
    trail: Trail = field(default_factory=Trail)
    """Turns that ended, for `cohort find`."""
    offered: tuple[str, ...] = ()
    """The agents that chats of this bot may have; empty: all."""
    bot: int = 0
    """The bot, where the worker serves several."""
    agents_of: Callable[[int], tuple[str, ...]] | None = None
    """The agents of a bot, which may have cards of its own."""
    descriptions_of: Callable[[int], Mapping[str, str]] = lambda _: {}
    """What the cards of a bot's agents say of them."""
    model_facts: Callable[[str], tuple[str, ...]] = lambda _: ()
    """What is known of a model (``tasks.chats.model_lines``)."""
    of_bot: "Callable[[Dependencies, SessionKey], Dependencies] | None" = None
    """Where the worker serves several bots: what belongs to a session's bot in place of what is common."""

    def of(self, session: SessionKey) -> "Dependencies":
        """Those of a session's turn loop."""
        return self if self.of_bot is None else self.of_bot(self, session)

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that a chat may choose, the default first."""
        names = self.runtime.agents if self.agents_of is None else self.agents_of(self.bot)
        return tuple(name for name in self.offered if name in names) if self.offered else names
