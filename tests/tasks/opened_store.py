"""A store that a state machine opens on an empty Redis, and closes behind its last step."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine, initialize
from redis.asyncio import Redis

from tasks.config.settings import load
from tasks.store import Store, connect


class OpenedStore(RuleBasedStateMachine):
    """Its rules are synchronous: ``run`` runs what they await in the machine's own loop."""

    url = ""
    environ: ClassVar[Mapping[str, str]] = {}
    """Settings beside the address of Redis."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened: Any = None

    def run(self, awaitable: Any) -> Any:
        async def go() -> Any:
            return await awaitable

        return self.runner.run(go())

    @initialize()
    def start(self) -> None:
        async def open_store() -> Store:
            async with Redis.from_url(self.url) as redis:
                await redis.flushall()
            self.opened = connect(load({"REDIS_URL": self.url, **self.environ}))
            return await self.opened.__aenter__()

        self.store = self.run(open_store())

    def teardown(self) -> None:
        if self.opened is not None:
            self.run(self.opened.__aexit__(None, None, None))
        self.runner.close()
