"""What every ``cohort`` command starts from: the settings as they hold in this home, and what runs there."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ops.environment import environment
from ops.home import Home, Running, joined
from tasks.errors import Misconfigured
from tasks.settings import Settings, load
from tasks.store import Store, connect


@dataclass(frozen=True, slots=True)
class Context:
    """``running``: the ``cohort up`` of this home, or None."""

    settings: Settings
    environ: dict[str, str]
    home: Home
    running: Running | None

    def system(self) -> Settings:
        """The settings of a system that exists.

        Raises:
            Misconfigured: none is known.
        """
        if not self.settings.redis_url:
            raise Misconfigured("nothing runs here: start `cohort up` in this directory, or set REDIS_URL")
        return self.settings

    @asynccontextmanager
    async def store(self) -> AsyncGenerator[Store]:
        """The store of the system.

        Raises:
            Misconfigured: there is none that we know of, or it is of another layout.
            StoreUnavailable: it is away.
        """
        async with connect(self.system()) as store:
            yield store

    def supervisor(self) -> Running:
        """The ``cohort up`` of this home.

        Raises:
            Misconfigured: there is none.
        """
        if self.running is None:
            raise Misconfigured(f"no `cohort up` runs in {self.home.root}; in containers, scale with their own tool")
        return self.running


def context() -> Context:
    """Read it.

    Raises:
        Misconfigured: a setting is wrong.
    """
    own = environment()
    home = Home(load(own).home)
    running = home.running()
    environ = joined(own, running)
    return Context(load(environ), environ, home, running)


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Do it, in a loop of its own."""
    return asyncio.run(work)
