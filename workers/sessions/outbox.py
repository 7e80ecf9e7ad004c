"""Bringing a session's committed replies to Telegram, in order, each until it is confirmed."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from tasks.clock import Clock
from tasks.envelope import DeadLetter, Reply
from tasks.errors import ClaimLost, EnvelopeInvalid, Retryable
from tasks.session import SessionKey
from tasks.store.sessions import Commit
from workers.interfaces import ChatMigrated, Delivery, Undeliverable
from workers.sessions import texts
from workers.sessions.owned_session import OwnedSession, Sleep

log = logging.getLogger("cohort.delivery")

MAX_TRIES = 3
"""A reply that breaks our own code this often is given up, so that the session goes on."""

_PAUSE_S = 1.0

LATE_S = 5.0
"""How much later than it was sent an edit may take effect, when nobody lives who waits for it; mostly it is 0.1."""


class Outbox:
    """The far end of a turn."""

    def __init__(self, delivery: Delivery, *, clock: Clock, sleep: Sleep, steps: Callable[[str], None]) -> None:
        self._delivery = delivery
        self._clock = clock
        self._sleep = sleep
        self._steps = steps

    async def deliver(self, claimed: OwnedSession, replies: Sequence[bytes]) -> None:
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
                await self._give_up(claimed, raw, None, problem)
            else:
                shown = await self._bring(claimed, raw, reply)
                if shown is not None and shown == reply.edit == claimed.inherited:
                    # A last frame of the worker that began this message may still be on its way to Telegram, and would
                    # overwrite the answer. Until it is certain that none did, the reply counts as undelivered.
                    claimed.inherited = None
                    await self._sleep(LATE_S)
                    await self._bring(claimed, raw, reply)
            self._steps("delivered")
            await self._confirm(claimed, raw)

    async def _bring(self, claimed: OwnedSession, raw: bytes, reply: Reply) -> int | None:
        """Until Telegram has it (the id of its message) or never will (None)."""
        defects = 0
        while True:
            try:
                # A worker that was paused meanwhile would say what the next owner has said already.
                return await self._delivery.deliver(claimed.session, reply, still_ours=claimed.ensure_owned)
            except Undeliverable as problem:
                log.warning("reply.undeliverable", extra={"reason": str(problem)})
            except ChatMigrated as moved:
                await self._migrate(claimed, moved)
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
                await self._give_up(claimed, raw, reply, defect)
            return None

    async def _confirm(self, claimed: OwnedSession, raw: bytes) -> None:
        try:
            await claimed.delivered(raw)
        except asyncio.CancelledError:
            # Telegram has it; whoever goes on here must not say it again.
            await claimed.delivered_at_last(raw)
            raise

    async def _give_up(self, claimed: OwnedSession, raw: bytes, reply: Reply | None, problem: Exception) -> None:
        """Keep it for an operator and say so in words that cannot fail."""
        reason = f"not deliverable: {type(problem).__name__}"
        letter = DeadLetter(
            reason=reason, at=self._clock.now(), session=str(claimed.session), raw=raw.decode(errors="replace")
        )
        answers = reply.answers if reply else ()
        said = () if reply and reply.text == texts.UNSENT else (Reply(text=texts.UNSENT, answers=answers),)
        await claimed.commit(Commit(0, said, dead=(letter,)), suspects=claimed.suspects)

    async def _migrate(self, claimed: OwnedSession, moved: ChatMigrated) -> None:
        old = claimed.session
        new = SessionKey(old.bot, moved.chat, old.topic, old.business)
        log.info("session.moved", extra={"moved": str(new)})
        await claimed.leave(new)
        # The new session's slot owner finds it pending, and fetches what is here, reply and all.
        raise ClaimLost
