"""Bringing committed replies to Telegram, each until it is there or can never be (``workers.interfaces.Delivery``)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from random import random
from typing import cast

from telegram.error import ChatMigrated as Migrated
from telegram.error import RetryAfter, TelegramError
from telegram.ext import ExtBot

from botapi.pacing import Pace, Sleep, StillOurs, seconds, speaking_if
from botapi.refusals import Refusal, classify, perhaps_done, said
from tasks.clock import Clock
from tasks.envelope import Reply
from tasks.session import SessionKey
from tasks.settings import Settings
from workers.interfaces import ChatMigrated, LiveAnswer, Undeliverable
from workers.telegram.calls import Calls
from workers.telegram.live import Live, Tempo
from workers.telegram.render import render
from workers.telegram.shape import Shape, shapes, without

log = logging.getLogger("cohort.delivery")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_TOKEN_PAUSE = 60.0
"""Seconds between tries while the token is refused: an operator has to act."""


class TelegramDelivery:
    """Telegram as a worker sees it. One for each worker, used from its loop."""

    def __init__(
        self,
        bot: ExtBot[Pace],
        settings: Settings,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
        tempo: Tempo | None = None,
    ) -> None:
        self._calls = Calls(bot)
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._tempo = tempo or Tempo(frames_a_second=settings.send_rate / 3)

    def live(
        self,
        session: SessionKey,
        *,
        reply_to: int | None,
        message_id: int | None,
        created: Callable[[int], Awaitable[None]],
        still_ours: StillOurs,
    ) -> AbstractAsyncContextManager[LiveAnswer]:
        """Show a turn while it runs (``workers.interfaces.Delivery``)."""
        return Live(
            self._calls,
            session,
            mode=self._settings.stream,
            reply_to=reply_to,
            message_id=message_id,
            created=created,
            still_ours=still_ours,
            clock=self._clock,
            tempo=self._tempo,
        )

    def render(
        self, markdown: str, *, edit: int | None, reply_to: int | None, notes: Sequence[str] = ()
    ) -> tuple[Reply, ...]:
        """Markdown as Telegram messages (``workers.interfaces.Delivery``)."""
        return render(markdown, edit=edit, reply_to=reply_to, notes=notes)

    async def deliver(self, session: SessionKey, reply: Reply, *, still_ours: StillOurs | None = None) -> int | None:
        """Bring one committed reply to Telegram, however long floods and outages last; ``still_ours``: see the port.

        Returns:
            The id of its (first) message.

        Raises:
            Undeliverable: never, in this chat.
            ChatMigrated: the session has to move.
        """
        with speaking_if(still_ours):
            return await self._deliver(session, reply)

    async def _deliver(self, session: SessionKey, reply: Reply) -> int | None:
        waiting = shapes(session, reply)
        delivered: list[int] = []
        pause = _FIRST_PAUSE
        while waiting:
            shape = waiting[0]
            try:
                delivered.append(await self._send(session, shape))
                waiting.pop(0)
                pause = _FIRST_PAUSE
            except TelegramError as error:
                verdict = classify(error)
                log.warning(
                    "delivery.refused",
                    extra={"reply": reply.id, "verdict": verdict.name, "said": said(error)},
                )
                match verdict:
                    case Refusal.DONE:
                        delivered.append(shape.edit or 0)
                        waiting.pop(0)
                    case Refusal.AGAIN:
                        if shape.edit is None and perhaps_done(error):
                            # At least once: better twice than never. Counted in the chaos figures.
                            log.warning("delivery.perhaps_doubled", extra={"reply": reply.id})
                        await self._sleep(pause * (0.5 + random()))  # noqa: S311 - spreads load, guards nothing
                        pause = min(pause * 2, _LONGEST_PAUSE)
                    case _:
                        waiting[:1] = await self._instead(shape, error, verdict)
        return delivered[0] if delivered else None

    async def _send(self, session: SessionKey, shape: Shape) -> int:
        if shape.file_text is not None:
            return await self._calls.file(session, shape)
        if shape.edit is not None:
            return await self._calls.edit(session, shape.edit, shape)
        return await self._calls.create(session, shape)

    async def _instead(self, shape: Shape, error: TelegramError, verdict: Refusal) -> list[Shape]:
        """What to send next, after having waited where that helps.

        Raises:
            Undeliverable: nothing.
            ChatMigrated: this, elsewhere.
        """
        match verdict:
            case Refusal.FLOOD:
                await self._sleep(seconds(cast("RetryAfter", error)))
                return [shape]
            case Refusal.OPERATOR:
                log.error("telegram.token_refused")
                await self._sleep(_TOKEN_PAUSE)
                return [shape]
            case Refusal.MOVED:
                raise ChatMigrated(cast("Migrated", error).new_chat_id) from error
            case Refusal.GONE:
                raise Undeliverable(said(error)) from error
            case _:
                left = without(shape, verdict)
                if not left:
                    raise Undeliverable(said(error)) from error
                return left
