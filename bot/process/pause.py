"""Whether an operator has paused the intake: looked up by the clock, so that an update costs nothing more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from tasks.bots import tell_changed, tell_refused
from tasks.config.settings import Settings
from tasks.errors import Misconfigured, Retryable
from tasks.operator_files.bots_file import BotEntry, read
from tasks.operator_files.kept_reader import KeptReader
from tasks.operator_files.watched import LOOK_EVERY_S, Watched
from tasks.store.pauses import Pauses, PauseView

log = logging.getLogger("cohort.bot")


class IntakePaused(Retryable):
    """The intake is paused; nothing is confirmed, so Telegram keeps the updates (for 24 hours)."""


def tell(bot: int, before: Pauses, now: Pauses) -> None:
    """Log that the intake of this bot was paused or goes on."""
    if now.takes_none(bot) and not before.takes_none(bot):
        log.warning("intake.paused")
    elif before.takes_none(bot) and not now.takes_none(bot):
        log.warning("intake.resumed")


def held[T](
    take: Callable[[Sequence[object]], Awaitable[T]], view: "PauseView | IntakePause"
) -> Callable[[Sequence[object]], Awaitable[T]]:
    """``take``, which refuses while the intake is paused."""

    async def refusing(updates: Sequence[object]) -> T:
        if view.intake:
            raise IntakePaused
        return await take(updates)

    return refusing


class IntakePause:
    """Whether this bot takes updates. Redis holds the pauses by command, ``bots.yaml`` those that stand there."""

    def __init__(self, bot: int, view: PauseView, own: Watched[BotEntry | None] | None) -> None:
        self._bot = bot
        self._view = view
        self._own = own

    @property
    def intake(self) -> bool:
        """Whether no updates are taken. A bot that is not in the file any more takes none."""
        return self._view.takes_none(self._bot) or (
            self._own is not None and (self._own.now is None or self._own.now.paused)
        )

    @property
    def offered(self) -> tuple[str, ...]:
        """The agents that this bot's chats may have; empty: all."""
        return self._own.now.agents if self._own is not None and self._own.now is not None else ()

    @property
    def has_cards(self) -> bool:
        """Whether the bot has cards of its own."""
        return self._own is not None and self._own.now is not None and self._own.now.cards is not None

    async def refresh(self) -> None:
        """Look at Redis.

        Raises:
            StoreUnavailable: Redis is away.
        """
        await self._view.refresh()

    async def watch(self, tell: Callable[[Pauses, Pauses], None]) -> None:
        """Keep it current until cancelled; ``tell`` as for ``PauseView``."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._view.watch(tell), name="pauses in Redis")
            if self._own is not None:
                group.create_task(self._follow(self._own), name="bots file")

    async def _follow(self, own: Watched[BotEntry | None]) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            before = self.intake
            await asyncio.to_thread(own.look)
            if self.intake and not before:
                log.warning("intake.paused")
            elif before and not self.intake:
                log.warning("intake.resumed")


def own_entry(settings: Settings) -> Watched[BotEntry | None] | None:
    """This bot's part of ``COHORT_BOTS``; None where there is no such file.

    Raises:
        Misconfigured: the file is wrong, or does not name this bot.
    """
    path, name = settings.bots, settings.bot
    if path is None or name is None:
        return None
    named = KeptReader(settings.home, path, read)
    own = Watched(
        lambda: next((entry for entry in named() if entry.name == name), None),
        (path,),
        refused=tell_refused,
        changed=tell_changed,
    )
    if named.stands_in:
        tell_refused(named.stands_in)
    if own.now is None:
        raise Misconfigured(f"{path}: names no bot {name}")
    return own
