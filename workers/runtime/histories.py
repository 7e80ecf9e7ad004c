"""What sessions remember: read for a turn, and changed by what their users take back or stop."""

import asyncio
import logging
from contextlib import suppress

from fast_agent.types import PromptMessageExtended

from tasks import session_files
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.session import SessionKey
from workers.interfaces import TurnFailed, TurnRequest
from workers.runtime.cards.sets import CardSets
from workers.runtime.conversation import content, history
from workers.runtime.durable.so_far import SoFar

log = logging.getLogger("cohort.runtime")

BROKEN = "history.broken"
"""The file of a session's directory that has the bytes of a history which could not be read, for who repairs it."""


class Histories:
    """The ``SessionHistories`` of a worker's runtime."""

    def __init__(self, sets: CardSets, settings: Settings) -> None:
        self._sets = sets
        self._settings = settings

    def record(self, request: TurnRequest, agent: str) -> tuple[history.Record, tuple[str, ...]]:
        """What the session remembers, and what its people have to know of that.

        A new session begins with the messages of its card, and so does one whose history cannot be read.

        Raises:
            TurnFailed: a newer release wrote it, so it stays as it is, and ``/new`` is what its people can do here.
        """
        told: tuple[str, ...] = ()
        if request.history is not None:
            try:
                return history.decode(request.history), ()
            except history.HistoryTooNew as problem:
                raise _too_new(problem) from problem
            except history.HistoryBroken as problem:
                self._put_aside(request.session, request.history, str(problem))
                told = (phrase("history-broken"),)
        return history.Record(self._sets.of(request.session).registry.initial(agent)), told

    async def unreadable(self, stored: bytes) -> str:
        """See ``SessionHistories.unreadable``."""
        try:
            await asyncio.to_thread(history.decode, stored)
        except (history.HistoryTooNew, history.HistoryBroken) as problem:
            log.warning("history.unreadable", extra={"bytes": len(stored), "problem": str(problem)})
            too_new = isinstance(problem, history.HistoryTooNew)
            return phrase("resume-too-new") if too_new else phrase("resume-broken")
        return ""

    def before(
        self, request: TurnRequest, agent: str
    ) -> tuple[history.Record, PromptMessageExtended | None, tuple[str, ...]]:
        """What the session remembers of the time before a turn, a retry's message, and what its people have to know.

        Raises:
            TurnFailed: as ``record``, or a retry finds no exchange.
        """
        record, told = self.record(request, agent)
        if request.messages[0].kind != "retry":
            return record, None, told
        record, message = history.without_last(record)
        if message is None:
            raise TurnFailed("tell", phrase("nothing-to-retry"), "no exchange in the history")
        return record, message, told

    def _put_aside(self, session: SessionKey, stored: bytes, problem: str) -> None:
        log.error("history.broken", extra={"session": session, "bytes": len(stored), "problem": problem})
        with suppress(OSError):
            (session_files.place(self._settings.home, session) / BROKEN).write_bytes(stored)

    def stored(self, record: history.Record) -> bytes:
        """The stored form, within the bound; empty where nothing was said yet."""
        return _kept(history.bounded(record, self._settings.history_messages))

    async def without_last(self, stored: bytes | None) -> bytes | None:
        """See ``SessionHistories.without_last``."""
        if stored is None:
            return None

        def taken() -> bytes | None:
            try:
                record, message = history.without_last(history.decode(stored))
                return None if message is None else _kept(record)
            except history.HistoryTooNew as problem:
                raise _too_new(problem) from problem
            except history.HistoryBroken:
                return None  # the next turn says that it cannot be read

        return await asyncio.to_thread(taken)

    async def stopped(self, request: TurnRequest, shown: str) -> bytes:
        """See ``SessionHistories.stopped``."""
        agent, workflow = self._sets.of(request.session).choices.answering(request)
        before, again, _ = self.before(request, agent)
        directory = session_files.where(self._settings.home, request.session) / "journal"

        def joined() -> bytes:
            done = SoFar.read(request.steps, None if workflow else agent, directory).messages(shown)
            asked = again or content.user_turn_by_names(request.messages, before.messages)
            before.messages += [asked, *done]
            return self.stored(before)

        return await asyncio.to_thread(joined)


def _too_new(problem: history.HistoryTooNew) -> TurnFailed:
    return TurnFailed("operator", phrase("history-too-new"), str(problem), cause="history")


def _kept(record: history.Record) -> bytes:
    """The stored form. A card's own first messages are no conversation: where there is none, one begins with them."""
    said = any(not message.is_template for message in record.messages) or any(record.members.values())
    return history.encode(record) if said else b""
