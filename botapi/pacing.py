"""Each call waits for a send permit, is turned away, or goes free: a rate limiter over the budget that all share."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import Enum, auto
from typing import Any, cast, override
from zlib import crc32

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from botapi.last_minute import LastMinute
from botapi.refusals import seconds
from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.errors import CohortError, StoreUnavailable
from tasks.session import SessionKey
from tasks.status.worker import Sends
from tasks.store.pacing import LONGEST_LINE, PaceStore, Place
from tasks.telemetry import metrics, tracing
from tasks.telemetry.logs import session_hash

log = logging.getLogger("cohort.telegram")

type Sleep = Callable[[float], Awaitable[None]]

_STORE_AWAY = 1.0
"""Seconds after which Redis is asked again."""
_PLACES = 10_000
"""Chats whose place in the line is kept; a chat that lost its own asks for another."""


type StillOurs = Callable[[], Awaitable[None]]
"""Raises ``ClaimLost`` if another worker owns the session now, ``StoreUnavailable`` if Redis cannot be asked."""

_speaking: ContextVar[StillOurs | None] = ContextVar("speaking", default=None)


@contextmanager
def speaking_if(still_ours: StillOurs | None) -> Generator[None]:
    """Calls made inside re-check ``still_ours()`` just before sending.

    The claim may have been lost while the call waited for the rate limiter.
    """
    token = _speaking.set(still_ours)
    try:
        yield
    finally:
        _speaking.reset(token)


class Priority(Enum):
    """How a call is treated by the rate limiter."""

    FINAL = auto()
    """Waits for its send permit, however long that takes."""
    QUEUED = auto()
    """One of the bot's own lines, which pass what workers have reserved. Raises ``RateLimited`` while its chat has to
    wait: the caller sends to other chats meanwhile and comes back."""
    FIRST = auto()
    """The first that is seen of an answer: a FRAME that passes those of answers which are seen already."""
    FRAME = auto()
    """Is sent now or not at all. Where many wait, it has a place in the line (``PaceStore.frame``)."""
    TYPING = auto()
    """As FRAME, but after all frames, and not counted in its chat: there Telegram counts messages only."""
    CONTROL = auto()
    """Needs no permit."""


_WAITING = (Priority.FINAL, Priority.QUEUED)
"""Calls of a delivery, which is traced."""


class RateLimited(CohortError):  # noqa: N818 - an outcome, not a failure
    """The call would have had to wait, and was not made."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no room for {seconds:.3f} s")
        self.seconds = seconds
        """After so many seconds there may be room."""


class Pacing(BaseRateLimiter[Priority]):
    """One for each process; all processes share the budget in Redis.

    A call without a priority is FINAL if it sends or edits, else CONTROL.
    """

    def __init__(self, store: PaceStore, bot: int, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._store = store
        self._bot = bot
        self._clock = clock
        self._sleep = sleep
        self._floods = Floods()
        self._sent = LastMinute(clock.monotonic)
        self._refused = LastMinute(clock.monotonic)
        self._chat_permits: set[int] = set()
        """Chats whose own permit was taken for a QUEUED call that has not gone out yet."""
        self._places = BoundedDict[int, Place](_PLACES)
        """Chats whose frame waits in the line."""

    def lately(self) -> Sends:
        """What this process sent within the last minute."""
        return Sends(sent=self._sent.count, refused=self._refused.count)

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
        rate_limit_args: Priority | None,
    ) -> Any:
        """Make the call once it has its send permit (``BaseRateLimiter``).

        Raises:
            RateLimited: the call would have had to wait, and its priority is not FINAL.
            ClaimLost: see ``speaking_if``.
            StoreUnavailable: see ``speaking_if``; a QUEUED call raises it also if its permit cannot be asked for.
            RetryAfter: Telegram refused. All processes know it now, and later calls in that chat wait for it.
        """
        priority = rate_limit_args or (Priority.FINAL if endpoint.startswith(("send", "edit")) else Priority.CONTROL)
        chat = _chat(data)
        if chat is None:
            # Methods without a chat have limits of their own, which their callers know.
            return await callback(*args, **kwargs)
        if priority is not Priority.CONTROL:
            await self._admit(chat, priority, _messages(data))
        silent = self._floods.was_silent(chat, self._clock.monotonic())
        self._count(priority)
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as flood:
            self._refused.note()
            metrics.FLOODS.inc()
            metrics.of_bot(metrics.BOT_FLOODS, self._bot)
            if priority in _WAITING:
                tracing.current().add("cohort.telegram.floods", 1)
            await self._punished(endpoint, chat, seconds(flood), silent=silent)
            raise

    async def _admit(self, chat: int, priority: Priority, count: int) -> None:
        """Take the call's send permit, then make sure that the caller may still speak (``speaking_if``)."""
        asked = self._clock.monotonic()
        await self._permit(chat, priority, count)
        if priority in _WAITING:
            tracing.current().add("cohort.telegram.wait_s", self._clock.monotonic() - asked)
            tracing.current().add("cohort.telegram.calls", 1)
        if (still_ours := _speaking.get()) is not None:
            await still_ours()

    def _count(self, priority: Priority) -> None:
        metrics.series(metrics.SENDS, priority.name.lower()).inc()
        metrics.of_bot(metrics.BOT_SENDS, self._bot)
        if priority not in (Priority.TYPING, Priority.CONTROL):
            self._sent.note()

    async def _permit(self, chat: int, priority: Priority, count: int) -> None:
        match priority:
            case Priority.FINAL:
                await self._wait_for_permit(chat, count)
            case Priority.QUEUED:
                await self._permit_or_later(chat)
            case Priority.FIRST | Priority.FRAME:
                await self._permit_or_place(chat, first=priority is Priority.FIRST)
            case _:
                await self._permit_or_never(chat)

    async def _wait_for_permit(self, chat: int, count: int) -> None:
        chat_taken = False
        while True:
            try:
                taken = await self._store.reserve(self._bot, chat, chat_taken=chat_taken, count=count)
            except StoreUnavailable:
                # What is sent now could not be recorded as delivered and would be sent again.
                await self._sleep(_STORE_AWAY)
                continue
            if taken.seconds > 0:
                await self._sleep(taken.seconds)
            if taken.what == "all":
                return
            chat_taken = taken.what == "chat"

    async def _permit_or_later(self, chat: int) -> None:
        """The chat's permit may be far off, so the call comes back for it; the bot's own is near, so it waits."""
        if chat not in self._chat_permits and await self._store.command(self._bot, chat) == 0:
            return
        taken = await self._store.reserve(self._bot, chat, chat_taken=chat in self._chat_permits)
        if taken.what != "all":
            if taken.what == "chat":
                self._chat_permits.add(chat)
            raise RateLimited(taken.seconds)
        self._chat_permits.discard(chat)
        if taken.seconds > 0:
            await self._sleep(taken.seconds)

    async def _permit_or_place(self, chat: int, *, first: bool) -> None:
        place = self._places.get(chat)
        early = place.due - self._clock.now() if place is not None else 0
        # A place further off than the line is long was given by a clock that has been put back since.
        if 0 < early <= LONGEST_LINE:
            raise RateLimited(early)
        try:
            room = await self._store.frame(self._bot, chat, first=first, place=place)
        except StoreUnavailable:
            raise RateLimited(_STORE_AWAY) from None
        self._places.pop(chat, None)
        if room.place is not None:
            self._places[chat] = room.place
        if not room.granted:
            raise RateLimited(room.seconds)
        if room.seconds > 0:
            await self._sleep(room.seconds)

    async def _permit_or_never(self, chat: int) -> None:
        try:
            wait = await self._store.attempt(self._bot, chat)
        except StoreUnavailable:
            raise RateLimited(_STORE_AWAY) from None
        if wait > 0:
            raise RateLimited(wait)

    async def _punished(self, endpoint: str, chat: int, wait: float, *, silent: bool) -> None:
        everywhere = silent and self._floods.is_everywhere(chat, self._clock.monotonic())
        named = session_hash(str(SessionKey(self._bot, chat)))
        log.warning(
            "telegram.flood", extra={"method": endpoint, "chat": named, "seconds": wait, "bot_wide": everywhere}
        )
        with suppress(StoreUnavailable):
            await self._store.punish(self._bot, None if everywhere else chat, wait)


class Floods:
    """Decides whether a flood is a chat's or the whole bot's, which Telegram's answer does not say (pure).

    A chat in which the bot was silent cannot have had too many messages. If two such chats are refused within seconds,
    the whole bot is.
    """

    SILENT = 120.0
    """Seconds without a call after which a chat's own limits are surely unused."""
    TOGETHER = 5.0
    """Seconds within which two refusals have one cause."""
    MOST = 10_000
    """Chats that are remembered; the one that was silent longest is forgotten first."""

    def __init__(self) -> None:
        self._calls = BoundedDict[int, float](self.MOST)
        self._refused: deque[tuple[float, int]] = deque(maxlen=16)

    def was_silent(self, chat: int, now: float) -> bool:
        """Note a call. Returns whether the chat was silent before it."""
        last = self._calls.get(chat)
        self._calls[chat] = now
        return last is None or now - last > self.SILENT

    def is_everywhere(self, chat: int, now: float) -> bool:
        """Note the refusal of a silent chat. Returns whether another silent chat was refused just before."""
        self._refused.append((now, chat))
        return any(other != chat and now - at <= self.TOGETHER for at, other in self._refused)


def _messages(data: dict[str, Any]) -> int:
    """How many messages a call sends: each file of an album is one (rubenlagus/TelegramBots issue 1520)."""
    media = data.get("media")
    return len(cast("Sequence[object]", media)) if isinstance(media, (list, tuple)) else 1


def _chat(data: dict[str, Any]) -> int | None:
    """Where a call counts. The chat of an inline message is not known: each counts as a chat of its own."""
    if inline := data.get("inline_message_id"):
        return crc32(str(inline).encode())
    try:
        return int(data["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None
