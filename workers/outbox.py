"""Bringing a session's committed replies to Telegram, in order, each until it is confirmed."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from tasks.envelope import Reply
from tasks.errors import ClaimLost, EnvelopeInvalid, EnvelopeTooNew
from tasks.session import SessionKey
from tasks.store.sessions import Claim, SessionStore
from workers.ports import ChatMigrated, Delivery, Undeliverable

log = logging.getLogger("cohort.delivery")


class Persist(Protocol):
    """Repeats a write until Redis takes it."""

    async def __call__[T](self, write: Callable[[], Awaitable[T]]) -> T: ...


class Outbox:
    """The far end of a turn."""

    def __init__(
        self, sessions: SessionStore, delivery: Delivery, *, persist: Persist, steps: Callable[[str], None]
    ) -> None:
        self._sessions = sessions
        self._delivery = delivery
        self._persist = persist
        self._steps = steps

    async def deliver(self, claim: Claim, replies: Sequence[bytes]) -> None:
        """Deliver ``replies``, the head of the session's outbox as it was read, and drop each when Telegram has it.

        Raises:
            ClaimLost: the session is somebody else's, or lives under a new chat id.
        """
        for raw in replies:
            try:
                reply = Reply.from_json(raw)
            except EnvelopeTooNew:
                raise ClaimLost from None
            except EnvelopeInvalid:
                log.exception("reply.unreadable", extra={"session": str(claim.session)})
                await self._persist(lambda raw=raw: self._sessions.delivered(claim, raw))
                continue
            try:
                await self._delivery.deliver(claim.session, reply)
            except Undeliverable as problem:
                log.warning("reply.undeliverable", extra={"session": str(claim.session), "reason": str(problem)})
            except ChatMigrated as moved:
                await self._migrate(claim, moved)
            self._steps("delivered")
            await self._persist(lambda raw=raw: self._sessions.delivered(claim, raw))

    async def _migrate(self, claim: Claim, moved: ChatMigrated) -> None:
        old = claim.session
        new = SessionKey(old.bot, moved.chat, old.topic, old.business)
        log.info("session.renamed", extra={"session": str(old), "renamed": str(new)})
        await self._persist(lambda: self._sessions.rename(claim, new))
        # The new session's slot owner finds it pending, reply and all.
        raise ClaimLost
