"""Every call waits its turn, is dropped, or goes free: python-telegram-bot's rate limiter over our shared budget."""

import asyncio
import logging
import os
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from enum import Enum, auto
from typing import Any, override

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from tasks.clock import Clock
from tasks.errors import CohortError, StoreUnavailable
from tasks.store.pacing import PaceStore

# PTB's switch to the form it will have in future; without it every flood is a deprecation warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

log = logging.getLogger("cohort.telegram")

type Sleep = Callable[[float], Awaitable[None]]

_STORE_AWAY = 1.0
"""Seconds after which Redis is asked again."""


type StillOurs = Callable[[], Awaitable[None]]
"""Raises ``ClaimLost`` when somebody else speaks for the session, and ``StoreUnavailable`` when nobody can tell."""

_speaking: ContextVar[StillOurs | None] = ContextVar("speaking", default=None)


@contextmanager
def speaking_if(still_ours: StillOurs | None) -> Generator[None]:
    """Whatever this task sends inside is asked for right before it goes out: its turn may have been long in coming."""
    token = _speaking.set(still_ours)
    try:
        yield
    finally:
        _speaking.reset(token)


class Pace(Enum):
    """How a call stands to the limits."""

    FINAL = auto()
    """Waits its turn, however long."""
    FRAME = auto()
    """Now or not at all."""
    TYPING = auto()
    """As FRAME, but it does not count in its chat: Telegram counts messages there."""
    CONTROL = auto()
    """Free."""


class Dropped(CohortError):  # noqa: N818 - an outcome, not a failure
    """This frame would have had to wait; a later one will show more."""

    def __init__(self, seconds: float) -> None:
        """``seconds``: after which there may be room."""
        super().__init__(f"no room for {seconds:.3f} s")
        self.seconds = seconds


class Pacing(BaseRateLimiter[Pace]):
    """One for each worker; all share the budget in Redis.

    A call without a pace is FINAL if it sends or edits, else CONTROL.
    """

    def __init__(self, store: PaceStore, bot: int, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._store = store
        self._bot = bot
        self._clock = clock
        self._sleep = sleep
        self._floods = Floods()

    @override
    async def initialize(self) -> None:
        """Nothing to open."""

    @override
    async def shutdown(self) -> None:
        """Nothing to close."""

    @override
    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Pace | None,
    ) -> Any:
        """Make the call when its turn has come (``BaseRateLimiter``).

        Raises:
            Dropped: a frame would have had to wait.
            ClaimLost: see ``speaking_if``.
            StoreUnavailable: likewise.
            RetryAfter: Telegram refused; all workers know, and the next FINAL call in that chat waits for it.
        """
        pace = rate_limit_args or (Pace.FINAL if endpoint.startswith(("send", "edit")) else Pace.CONTROL)
        chat = _chat(data)
        if chat is not None and pace is not Pace.CONTROL:
            if pace is Pace.FINAL:
                await self._turn(chat)
            else:
                await self._now_or_never(chat, pace)
            if (still_ours := _speaking.get()) is not None:
                await still_ours()
        if chat is None:
            # Such methods have limits of their own, which are their callers' business.
            return await callback(*args, **kwargs)
        silent = self._floods.was_silent(chat, self._clock.monotonic())
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as flood:
            await self._punished(endpoint, chat, seconds(flood), silent=silent)
            raise

    async def _turn(self, chat: int) -> None:
        chat_taken = False
        while True:
            try:
                taken = await self._store.reserve(self._bot, chat, chat_taken=chat_taken)
            except StoreUnavailable:
                # What is sent now could not be recorded as delivered and would be sent again.
                await self._sleep(_STORE_AWAY)
                continue
            if taken.seconds > 0:
                await self._sleep(taken.seconds)
            if taken.what == "all":
                return
            chat_taken = taken.what == "chat"

    async def _now_or_never(self, chat: int, pace: Pace) -> None:
        try:
            wait = await self._store.attempt(self._bot, chat, charge_chat=pace is Pace.FRAME)
        except StoreUnavailable:
            raise Dropped(_STORE_AWAY) from None
        if wait > 0:
            raise Dropped(wait)

    async def _punished(self, endpoint: str, chat: int, wait: float, *, silent: bool) -> None:
        everywhere = silent and self._floods.is_everywhere(chat, self._clock.monotonic())
        log.warning("telegram.flood", extra={"method": endpoint, "chat": chat, "seconds": wait, "bot_wide": everywhere})
        with suppress(StoreUnavailable):
            await self._store.punish(self._bot, None if everywhere else chat, wait)


class Floods:
    """Tells a chat's flood from the bot's, which Telegram's answer does not (pure).

    A chat in which we were silent cannot have had too much. Two such chats within seconds: it is the whole bot.
    """

    SILENT = 120.0
    """Seconds without a call, after which a chat's own limits are surely unused."""
    TOGETHER = 5.0
    """Seconds within which refusals belong together."""
    MOST = 10_000
    """Chats remembered."""

    def __init__(self) -> None:
        self._calls: OrderedDict[int, float] = OrderedDict()
        self._refused: deque[tuple[float, int]] = deque(maxlen=16)

    def was_silent(self, chat: int, now: float) -> bool:
        """Note a call; True if it is the chat's first for long."""
        last = self._calls.pop(chat, None)
        self._calls[chat] = now
        if len(self._calls) > self.MOST:
            self._calls.popitem(last=False)
        return last is None or now - last > self.SILENT

    def is_everywhere(self, chat: int, now: float) -> bool:
        """Note the refusal of a silent chat; True if another one was refused just now."""
        self._refused.append((now, chat))
        return any(other != chat and now - at <= self.TOGETHER for at, other in self._refused)


def seconds(flood: RetryAfter) -> float:
    """PTB gives a number or a timedelta, as its environment says."""
    after = flood.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)


def _chat(data: dict[str, Any]) -> int | None:
    try:
        return int(data["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None
