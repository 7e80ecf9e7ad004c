"""What a person sees at once after a message was accepted: typing, and the end of a pressed button. Best effort."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from bot.article import Article
from botapi.errors import TelegramAway
from tasks.clock import Clock
from tasks.errors import CohortError
from tasks.session import SessionKey

log = logging.getLogger("cohort.bot")

_SENDERS = 4
"""Calls at the same time: enough for 40 a second, which is more than Telegram takes."""

_WAITING = 64
"""Acknowledgements that may wait. A further one would come more than two seconds late, and is dropped."""


@dataclass(frozen=True, slots=True)
class Used:
    """A message whose buttons were used."""

    session: SessionKey
    message_id: int


@dataclass(frozen=True, slots=True)
class Orphan:
    """A message that shows words of a turn that never ends."""

    session: SessionKey
    message_id: int


@dataclass(frozen=True, slots=True)
class Offer:
    """The answer to an inline query; without an article it offers nothing."""

    query: str
    article: Article | None


type _Order = SessionKey | tuple[str, str | None] | Used | Orphan | Offer


class AcknowledgementCalls(Protocol):
    """Telegram as this module uses it."""

    async def typing(self, session: SessionKey) -> None:
        """Show "typing ..."."""
        ...

    async def answer_press(self, callback: str, said: str | None) -> None:
        """End a button's spinning."""
        ...

    async def offer(self, query: str, article: Article | None) -> None:
        """Answer an inline query."""
        ...

    async def take_buttons(self, session: SessionKey, message_id: int) -> None:
        """Take a message's buttons away."""
        ...

    async def delete(self, session: SessionKey, message_id: int) -> None:
        """Delete a message that the bot has sent in a business account's name."""
        ...


class Acknowledgements:
    """Queues acknowledgements without waiting; ``run`` sends them."""

    def __init__(self, calls: AcknowledgementCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._orders: asyncio.Queue[_Order] = asyncio.Queue(_WAITING)
        self._quiet_until = 0.0

    def typing(self, sessions: Iterable[SessionKey]) -> None:
        """Show "typing ..." in each, once."""
        if self._clock.monotonic() >= self._quiet_until:
            for session in dict.fromkeys(sessions):
                # The chat of an inline message is not known.
                if session.inline is None:
                    self._order(session)

    def press(self, callback: str, said: str | None = None) -> None:
        """End a button's spinning, showing ``said`` for a moment."""
        self._order((callback, said))

    def used(self, session: SessionKey, message_id: int) -> None:
        """Take the buttons of a message away: they were used, and a second press would ask for it again."""
        self._order(Used(session, message_id))

    def withdraw(self, session: SessionKey, messages: Iterable[int]) -> None:
        """Delete messages that show words of a turn that never ends."""
        for message_id in messages:
            self._order(Orphan(session, message_id))

    def offer(self, query: str, article: Article | None) -> None:
        """Answer an inline query."""
        self._order(Offer(query, article))

    def _order(self, order: _Order) -> None:
        if not self._orders.full():
            self._orders.put_nowait(order)

    async def run(self) -> None:
        """Send acknowledgements until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(_SENDERS):
                group.create_task(self._carry_out(), name=f"ack-{number}")

    async def flush(self) -> None:
        """Wait until all queued acknowledgements were sent."""
        await self._orders.join()

    async def _carry_out(self) -> None:
        while True:
            order = await self._orders.get()
            try:
                match order:
                    case SessionKey():
                        await self._calls.typing(order)
                    case Offer():
                        await self._calls.offer(order.query, order.article)
                    case Orphan():
                        await self._calls.delete(order.session, order.message_id)
                    case Used():
                        await self._calls.take_buttons(order.session, order.message_id)
                    case _:
                        await self._calls.answer_press(*order)
            except TelegramAway as problem:
                # Telegram counts these calls too, and the answer itself must not wait for them.
                self._quiet_until = self._clock.monotonic() + problem.wait
            except CohortError as problem:
                log.debug("ack.refused", extra={"problem": str(problem)})
            finally:
                self._orders.task_done()
