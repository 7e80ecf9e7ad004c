"""Telegram as a worker sees it: growing answers, and committed replies (``workers.interfaces.Delivery``)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from copy import copy
from functools import partial
from typing import Self

from telegram.error import TelegramError
from telegram.ext import ExtBot

from botapi.calls import Calls
from botapi.errors import Flooded, NoSuchMethod
from botapi.pacing import Priority, Sleep, StillOurs, speaking_if
from botapi.refusals import errors_as_ours
from botapi.reply_delivery import Read, deliver
from tasks import session_files
from tasks.backoff import Backoff
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.envelope import OutFile, Reply
from tasks.errors import CohortError, Misconfigured, StoreUnavailable
from tasks.session import SessionKey
from tasks.telemetry import metrics
from workers.interfaces import LiveAnswer
from workers.outgoing import read, remove
from workers.showing import NO_TRACE, Showing, Trace
from workers.speech import Speaker
from workers.telegram.live import Live
from workers.telegram.render import alone_in_one, render, without_lines, words_of
from workers.telegram.screen import Screen, stop_button
from workers.telegram.tempo import Tempo
from workers.telegram.waiting import typing_meanwhile

log = logging.getLogger("cohort.delivery")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_TOKEN_PAUSE = 60.0
"""Seconds between two tries while the token is refused: an operator has to act."""


class TelegramDelivery:
    """One for each worker, used from its loop."""

    def __init__(  # noqa: PLR0913 - the last three are of tests and of one setting
        self,
        bot: ExtBot[Priority],
        settings: Settings,
        clock: Clock,
        *,
        speaker: Speaker | None = None,
        sleep: Sleep = asyncio.sleep,
        tempo: Tempo | None = None,
    ) -> None:
        self._calls = Calls(bot, clock=clock)
        self._settings = settings
        self._clock = clock
        self._speaker = speaker
        self._sleep = sleep
        self._tempo = tempo or _tempo(settings)

    def renewed(self, bot: ExtBot[Priority], settings: Settings) -> Self:
        """The same bot under other settings. Answers that wait here go out by its new client, too.

        They may wait because the old client's token was revoked.
        """
        other = copy(self)
        other._settings, other._tempo = settings, _tempo(settings)  # noqa: SLF001 - a copy of our own
        self._calls.use(bot)
        return other

    def live(
        self,
        session: SessionKey,
        showing: Showing,
        *,
        created: Callable[[int], Awaitable[None]],
        still_ours: StillOurs,
    ) -> AbstractAsyncContextManager[LiveAnswer]:
        """Show a turn while it runs (``workers.interfaces.Delivery``)."""
        mode = self._settings.stream
        screen = Screen(
            self._calls,
            session,
            self._clock,
            showing.reply_to,
            list(showing.message_ids),
            created,
            # A message of an earlier try is gone on with.
            draft=mode == "draft" and session.takes_drafts and not showing.message_ids,
            older=showing.older,
            turn=showing.turn,
            thinking=showing.thinking,
            draft_again=self._tempo.draft,
        )
        return Live(
            self._calls,
            None if mode == "off" else screen,
            session,
            still_ours=still_ours,
            clock=self._clock,
            tempo=self._tempo,
            most=self._settings.file_after if session.inline is None else 1,
            thinking=showing.thinking,
            unheard=showing.unheard,
        )

    def render(  # noqa: PLR0913 - what `Delivery.render` is given
        self,
        markdown: str,
        *,
        edits: Sequence[int] = (),
        reply_to: int | None = None,
        notes: Sequence[str] = (),
        trace: Trace = NO_TRACE,
        alone: bool = False,
    ) -> tuple[Reply, ...]:
        """Markdown as Telegram messages (``workers.interfaces.Delivery``)."""
        if alone:
            return alone_in_one(markdown, notes=notes, trace=trace)
        most, rich = self._settings.file_after, self._settings.rich == "on"
        return render(markdown, edits=edits, reply_to=reply_to, notes=notes, trace=trace, most=most, rich=rich)

    async def deliver(
        self, session: SessionKey, reply: Reply, *, still_ours: StillOurs | None = None
    ) -> tuple[int, ...]:
        """Bring one committed reply to Telegram, however long floods and outages last (``workers.interfaces``).

        Returns:
            The ids of the messages that show it.

        Raises:
            Undeliverable: this chat never takes it.
            ChatMigrated: the session has to move.
        """
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)

        async def wait(problem: CohortError) -> None:
            match problem:
                case Flooded():
                    await self._sleep(problem.wait)
                case Misconfigured() | NoSuchMethod():
                    log.error("telegram.token_refused", extra={"bot": session.bot})
                    metrics.of_bot(metrics.TOKENS_REFUSED, session.bot)
                    await self._sleep(_TOKEN_PAUSE)
                case _:
                    await self._sleep(backoff.next())

        outgoing: Read = partial(read, session_files.outgoing(self._settings.home, session))
        if reply.files and reply.files[0].speak:
            spoken = await self._speaker.speak(reply.files[0].speak) if self._speaker is not None else None
            if spoken is None:
                return ()
            outgoing = partial(_same, spoken)
        with speaking_if(still_ours), typing_meanwhile(self._calls, session, self._tempo.typing):
            return await deliver(self._calls, session, reply, wait=wait, read=outgoing)

    async def standing(self, session: SessionKey, ids: Sequence[int], thinking: str, *, still_ours: StillOurs) -> str:
        """See ``workers.interfaces.Delivery``."""
        found: list[str] = []
        with speaking_if(still_ours):
            for message_id in ids:
                with suppress(TelegramError, StoreUnavailable):
                    part = await self._calls.look(session, message_id, other=stop_button())
                    if part is not None:
                        # Thoughts stand above the first message's words alone.
                        found.append(words_of(part, thinking) if message_id == ids[0] else without_lines(part).text)
        return "\n\n".join(text for text in found if text.strip())

    async def name_topic(self, session: SessionKey, name: str) -> None:
        """Give the session's topic a name (``workers.sessions.commands.titles.TopicNames``)."""
        with errors_as_ours():
            await self._calls.name_topic(session, name)

    def delivered(self, session: SessionKey, reply: Reply) -> None:
        """Remove what this machine keeps of a reply's files (``workers.interfaces.Delivery``)."""
        remove(session_files.outgoing(self._settings.home, session), reply.files)


def _tempo(settings: Settings) -> Tempo:
    return Tempo(frames_a_second=settings.send_rate / 3)


def _same(body: bytes, _file: OutFile) -> bytes:
    return body
