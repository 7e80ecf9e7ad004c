"""What stands around the bot in its tests: a clock, remote control, signs, agents, a store that is away."""

import asyncio
import threading

from bot.article import Article
from botapi.errors import Refused
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.store import Store

SOON = 60
"""Seconds within which everything that a test waits for must have happened."""


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Tally:
    """Counts, and lets others wait for a count."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Condition()

    async def add(self, number: int = 1) -> None:
        async with self._more:
            self.count += number
            self._more.notify_all()

    async def reaches(self, count: int) -> None:
        async with asyncio.timeout(SOON), self._more:
            await self._more.wait_for(lambda: self.count >= count)


class InterruptSpy:
    """Remote control that remembers; it is slow while ``held`` is clear, and fails when ``broken``."""

    def __init__(self) -> None:
        self.interrupted: list[SessionKey] = []
        self.begun_again: list[SessionKey] = []
        self.broken: Exception | None = None
        self.held = threading.Event()
        self.held.set()

    def begin_again(self, session: SessionKey) -> None:
        self.begun_again.append(session)

    def interrupt(self, session: SessionKey) -> None:
        self.held.wait(SOON)
        if self.broken is not None:
            raise self.broken
        self.interrupted.append(session)


class ShownSigns:
    """Typing and button answers, as they went out."""

    def __init__(self) -> None:
        self.typed: list[SessionKey] = []
        self.pressed: list[tuple[str, str | None]] = []
        self.used: list[tuple[SessionKey, int]] = []
        self.deleted: list[tuple[SessionKey, int]] = []
        self.offered: list[tuple[str, Article | None]] = []
        self.guest_of: list[str] = []
        self.refuses: Exception | None = None

    async def typing(self, session: SessionKey) -> None:
        self.typed.append(session)

    async def answer_press(self, callback: str, said: str | None) -> None:
        self.pressed.append((callback, said))

    async def offer(self, query: str, article: Article | None) -> None:
        self.offered.append((query, article))

    async def answer_guest(self, query: str, article: Article) -> str:
        del article
        if self.refuses is not None:
            raise self.refuses
        if query in self.guest_of:
            raise Refused("query is answered already")
        self.guest_of.append(query)
        return f"AAQ-{query}"

    async def take_buttons(self, session: SessionKey, message_id: int) -> None:
        self.used.append((session, message_id))

    async def delete(self, session: SessionKey, message_id: int) -> None:
        self.deleted.append((session, message_id))


class NamedAgents:
    """What the workers tell of their agents."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ("assistant", "poet")
        self.about: dict[str, str] = {}
        self.facts: dict[str, tuple[str, ...]] = {}
        self.taken: dict[str, str] | None = {}

    async def agents(self) -> dict[str, str]:
        return {name: self.about.get(name, "") for name in self.names}

    async def model_facts(self) -> dict[str, tuple[str, ...]]:
        return self.facts

    async def commands(self) -> dict[str, str] | None:
        return self.taken


class AwaySometimes:
    """The store's intake; while ``away``, it is as if Redis were not there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False
        self.asked = asyncio.Event()

    async def accept(self, bot: int, batch):
        self.asked.set()
        if self.away:
            raise StoreUnavailable("Redis cannot be reached")
        return await self._store.intake.accept(bot, batch)

    async def knows(self, session: SessionKey) -> bool:
        return await self._store.intake.knows(session)
