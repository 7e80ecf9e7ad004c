"""Bringing a session's committed replies to Telegram, in order, each until it is confirmed."""

import asyncio
import logging
from collections.abc import Sequence

from botapi.errors import ChatMigrated, Undeliverable
from tasks.envelope import DeadLetter, Reply
from tasks.errors import ClaimLost, EnvelopeInvalid, Retryable
from tasks.session import SessionKey
from tasks.store.sessions import Commit
from workers.sessions import texts
from workers.sessions.dependencies import Dependencies
from workers.sessions.owned_session import OwnedSession

log = logging.getLogger("cohort.delivery")

MAX_TRIES = 3
"""A reply that breaks our own code this often is given up, so that the session goes on."""

_PAUSE_S = 1.0

LATE_S = 5.0
"""How much later than it was sent an edit may take effect, when nobody lives who waits for it; mostly it is 0.1."""


class Outbox:
    """The far end of a turn."""

    def __init__(self, deps: Dependencies) -> None:
        self._delivery = deps.delivery
        self._clock = deps.clock
        self._sleep = deps.sleep
        self._steps = deps.steps

    async def deliver(self, owned: OwnedSession, replies: Sequence[bytes]) -> None:
        """Deliver ``replies``, the head of the session's outbox as it was read, and drop each when Telegram has it.

        Raises:
            ClaimLost: the session is somebody else's, or lives under a new chat id.
            EnvelopeTooNew: a newer release has to deliver.
        """
        for raw in replies:
            try:
                reply = Reply.from_json(raw)
            except EnvelopeInvalid as problem:
                log.exception("reply.unreadable")
                await self._give_up(owned, raw, None, problem)
            else:
                shown = await self._bring(owned, raw, reply)
                if shown is not None and shown == reply.edit == owned.inherited:
                    # A last frame of the worker that began this message may still be on its way to Telegram, and would
                    # overwrite the answer. Until it is certain that none did, the reply counts as undelivered.
                    owned.inherited = None
                    await self._sleep(LATE_S)
                    await self._bring(owned, raw, reply)
            self._steps("delivered")
            await self._confirm(owned, raw)

    async def _bring(self, owned: OwnedSession, raw: bytes, reply: Reply) -> int | None:
        """Until Telegram has it (the id of its message) or never will (None)."""
        defects = 0
        while True:
            try:
                # A worker that was paused meanwhile would say what the next owner has said already.
                return await self._delivery.deliver(owned.session, reply, still_ours=owned.ensure_owned)
            except Undeliverable as problem:
                log.warning("reply.undeliverable", extra={"reason": str(problem)})
            except ChatMigrated as moved:
                await self._migrate(owned, moved)
            except ClaimLost:
                raise
            except Retryable as problem:
                log.warning("reply.delayed", extra={"problem": str(problem)})
                await self._sleep(_PAUSE_S)
                continue
            except Exception as defect:
                log.exception("reply.defect")
                defects += 1
                if defects < MAX_TRIES:
                    await self._sleep(_PAUSE_S * defects)
                    continue
                await self._give_up(owned, raw, reply, defect)
            return None

    async def _confirm(self, owned: OwnedSession, raw: bytes) -> None:
        try:
            await owned.delivered(raw)
        except asyncio.CancelledError:
            # Telegram has it; whoever goes on here must not say it again.
            await owned.delivered_once(raw)
            raise

    async def _give_up(self, owned: OwnedSession, raw: bytes, reply: Reply | None, problem: Exception) -> None:
        """Keep it for an operator and say so in words that cannot fail."""
        reason = f"not deliverable: {type(problem).__name__}"
        letter = DeadLetter(
            reason=reason, at=self._clock.now(), session=str(owned.session), raw=raw.decode(errors="replace")
        )
        answers = reply.answers if reply else ()
        said = () if reply and reply.text == texts.UNSENT else (Reply(text=texts.UNSENT, answers=answers),)
        await owned.commit(Commit(0, said, dead=(letter,)), suspects=owned.suspects)

    async def _migrate(self, owned: OwnedSession, moved: ChatMigrated) -> None:
        old = owned.session
        new = SessionKey(old.bot, moved.chat, old.topic, old.business)
        log.info("session.moved", extra={"moved": str(new)})
        await owned.leave(new)
        # The new session's slot owner finds it pending, and fetches what is here, reply and all.
        raise ClaimLost
