"""A worker's growing answers against the playground, with a tempo without pauses."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.clock import SystemClock
from tasks.session import SessionKey
from tests.telegram.conftest import World
from workers.interfaces import LiveAnswer
from workers.showing import Showing
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.tempo import Tempo

AT_ONCE = Tempo(typing=60, first_typing=0, settle=0, private=0, group=0, frames_a_second=1e9, stop=1e9)


@dataclass
class Stage:
    """A worker that shows answers, and what was stored of them."""

    world: World
    delivery: TelegramDelivery
    stored: list[int] = field(default_factory=list)
    doubts: list[Exception] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> None:
        """Whether the session is still ours."""
        if self.doubts:
            self.asked.set()
            raise self.doubts.pop(0)

    async def store(self, message_id: int) -> None:
        self.stored.append(message_id)

    def live(
        self,
        session: SessionKey,
        *,
        message_ids: tuple[int, ...] = (),
        reply_to: int | None = None,
        thinking: str = "hide",
        older: bool = False,
        turn: str = "",
        created: Callable[[int], Awaitable[None]] | None = None,
    ) -> AbstractAsyncContextManager[LiveAnswer]:
        return self.delivery.live(
            session,
            Showing(reply_to, message_ids, thinking, turn, older),
            created=created or self.store,
            still_ours=self.ask,
        )

    async def shows(self, session: SessionKey, text: str) -> dict[str, Any]:
        """Wait until the bot's newest message in the chat has this text."""
        found = await self.world.pg.wait_for(
            session.chat, lambda messages: bool(messages) and messages[-1]["text"] == text, timeout=60
        )
        return found[-1]

    async def asked_for_room(self) -> int:
        """How often the limits were asked so far."""
        return (await self.world.redis.info("commandstats"))["cmdstat_evalsha"]["calls"]

    async def called(self, session: SessionKey, method: str, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
        return await self.world.pg.wait_journal(count, method=method, chat=session.chat, timeout=60, **fields)


def stage_with(world: World, tempo: Tempo = AT_ONCE, **changed: Any) -> Stage:
    settings = world.settings.model_copy(update=changed)
    return Stage(world, TelegramDelivery(world.bot, settings, SystemClock(), tempo=replace(tempo)))
