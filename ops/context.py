"""What every ``cohort`` command starts from: the effective settings, the state directory, the running system."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ops.environment import environment
from ops.home import Home, Running, joined, out_of_room
from tasks.bots import BotsReader, ServedBot, bots_of, tell_refused
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured, StoreUnavailable
from tasks.store import Store, connect, look_into

PATIENCE_S = 1.5
"""How long a command that only reads waits for Redis: with its own start it ends within 3 s."""


@dataclass(frozen=True, slots=True)
class Context:
    """Read once at the start of a command."""

    settings: Settings
    environ: dict[str, str]
    """The variables that the settings were read from; a running ``cohort up`` adds its own."""
    home: Home
    running: Running | None
    """The ``cohort up`` of this home; None when none runs."""

    def system(self) -> Settings:
        """The settings of the system to operate on.

        Raises:
            Misconfigured: no system is known.
        """
        if not self.settings.redis_url:
            raise Misconfigured("nothing runs here: start `cohort up` in this directory, or set REDIS_URL")
        return self.settings

    def one_bot(self, name: str | None) -> Settings:
        """The settings of the system as one bot has them; ``name`` is needed where there are several.

        Raises:
            Misconfigured: no system is known, or there is no such bot.
        """
        settings = self.system()
        return settings if settings.bots is name is None else self.bot_named(name).settings(settings)

    def bot_named(self, name: str | None, *, starts: bool = False) -> ServedBot:
        """One of several bots, by its name or number; the only one needs neither.

        ``starts``: its process does, which goes on with what the file said last where it cannot be used.

        Raises:
            Misconfigured: there is no such bot.
        """
        read = BotsReader(self.settings, self.environ)
        bots = read() if starts else bots_of(self.settings, self.environ)
        if read.stands_in:
            tell_refused(read.stands_in)
        names = ", ".join(f"{bot.name} ({bot.id})" for bot in bots)
        if not bots:
            raise Misconfigured(f"{name}: there is one bot here, without a name (COHORT_BOTS is not set)")
        if name is None and len(bots) > 1:
            raise Misconfigured(f"which bot? name one of {names}")
        found = next((bot for bot in bots if name in (None, bot.name, str(bot.id))), None)
        if found is None:
            raise Misconfigured(f"{name}: there is no such bot; there are {names}")
        return found

    def bots_that_can_be_read(self) -> tuple[ServedBot, ...]:
        """Several bots; empty where their file cannot be used, which other checks report."""
        try:
            return bots_of(self.settings, self.environ)
        except Misconfigured:
            return ()

    def served(self) -> dict[int, str]:
        """The number of each bot that is served, and its name; "" for the one of a deployment with one."""
        if self.settings.bots is None:
            return {self.settings.bot_id: ""} if self.settings.telegram_bot_token is not None else {}
        return {bot.id: bot.name for bot in self.bots_that_can_be_read()}

    def settings_of_bots(self) -> list[Settings]:
        """The settings of each of ``bots_that_can_be_read``."""
        return [bot.settings(self.settings) for bot in self.bots_that_can_be_read()]

    @asynccontextmanager
    async def store(self) -> AsyncGenerator[Store]:
        """The store of the system. A Redis that hangs already is told within ``PATIENCE_S``, and not after its tries.

        Raises:
            Misconfigured: no system is known, or its layout in Redis is another.
            StoreUnavailable: Redis is away, or hangs.
        """
        await self.read(_look)
        async with connect(self.system()) as store:
            yield store

    @asynccontextmanager
    async def reader(self) -> AsyncGenerator[Store]:
        """The store, for what only reads and may have much to read: nothing is written, and no answer takes long.

        Raises:
            Misconfigured: as ``store``.
            StoreUnavailable: Redis is away, or hangs.
        """
        async with look_into(self.system(), patience_s=PATIENCE_S) as store:
            yield store

    async def read[T](self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Do what only reads: it writes nothing to Redis, and ends when Redis does not answer.

        Raises:
            Misconfigured: as ``store``.
            StoreUnavailable: Redis is away, or hangs.
        """
        try:
            async with asyncio.timeout(PATIENCE_S), look_into(self.system(), patience_s=PATIENCE_S) as store:
                return await work(store)
        except TimeoutError:
            raise StoreUnavailable(f"Redis does not answer within {PATIENCE_S:g} s{self._embedded()}") from None
        except StoreUnavailable as problem:
            raise StoreUnavailable(f"{problem}{self._embedded()}") from problem

    def _embedded(self) -> str:
        """What is to be said of the Valkey of this home's own `cohort up`, where that is the Redis which is away."""
        if self.running is None or not (self.home.valkey / "port").is_file() or "REDIS_URL" in environment():
            return ""
        if (full := out_of_room(self.home.root)) is not None:
            return f"; {full}. `cohort up` starts its Valkey again by itself, and nothing that was confirmed is lost"
        return f"; it is the embedded Valkey: see {self.home.logs / 'valkey.log'}"

    def supervisor(self) -> Running:
        """The ``cohort up`` of this home.

        Raises:
            Misconfigured: none runs.
        """
        if self.running is None:
            raise Misconfigured(f"no `cohort up` runs in {self.home.root}; in containers, scale with their own tool")
        return self.running


async def _look(_store: Store) -> None:
    """That it opened says that Redis answers."""


def context(asked: Mapping[str, str] | None = None) -> Context:
    """Read the environment and the state directory; ``asked``: variables that the command line gives.

    Raises:
        Misconfigured: a setting is wrong.
    """
    own = {**environment(), **(asked or {})}
    home = Home(load(own).home)
    running = home.running()
    environ = joined(own, running)
    return Context(load(environ), environ, home, running)


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop of its own."""
    return asyncio.run(work)
