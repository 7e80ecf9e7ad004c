"""The outbox: delivers a session's committed replies to Telegram, in order, each until it is confirmed."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from botapi.errors import ChatMigrated, Undeliverable
from tasks.chats.closed import Why, why
from tasks.chats.feedback import mark
from tasks.envelope import DeadLetter, Reply
from tasks.errors import ClaimLost, EnvelopeInvalid, Retryable, StoreUnavailable
from tasks.phrases import language_of, phrase, speaking, spoken
from tasks.session import SessionKey
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from tasks.turn_record import letter_reference, with_reference
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.planning.speech import marked
from workers.sessions.spoken_replies import SpokenReplies, is_spoken

log = logging.getLogger("cohort.delivery")

MAX_TRIES = 3
"""A reply that raises a defect in our own code this often is given up, so that the session goes on."""

MOST_WORDS = 200
"""Characters of Telegram's reason that are kept for operators."""

_PAUSE_S = 1.0

LATE_S = 5.0
"""An edit whose sender has died may still take effect at Telegram this much later; usually it takes 0.1 s."""


class Outbox:
    """Delivers what turns have committed."""

    def __init__(self, deps: Dependencies, spoken: SpokenReplies) -> None:
        self._spoken = spoken
        self._delivery = deps.delivery
        self._clock = deps.clock
        self._sleep = deps.sleep
        self._steps = deps.steps
        self._chats = deps.closed
        self._closed = deps.refusing
        self.refused = ""
        """Why Telegram never takes a reply of the last delivery; empty where it has all."""
        self.unheard = ""
        """Why it did not take what was spoken of one, whose words it has."""

    def why_not(self) -> tuple[str, str]:
        """Why Telegram did not take all of the last delivery: what was written, and what was spoken."""
        return self.refused, self.unheard

    async def deliver(self, owned: OwnedSession, replies: Sequence[bytes], *, more: bool = False) -> None:
        """Deliver the replies at the head of the session's outbox, and drop each when Telegram has it.

        A spoken one may go on beside what the session does next (``workers.sessions.spoken_replies``).

        Args:
            owned: The session.
            replies: Raw envelopes, as they were read.
            more: Messages wait for these.

        Raises:
            ClaimLost: another worker owns the session, or it goes on under a new chat id.
            EnvelopeTooNew: a worker of a newer release has to deliver.
        """
        self.refused = self.unheard = ""
        for place, raw in enumerate(replies, 1):
            await self._spoken.over()
            try:
                reply = Reply.from_json(raw)
            except EnvelopeInvalid as problem:
                log.exception("reply.unreadable", extra={"ref": letter_reference(raw.decode(errors="replace"))})
                reply, shown = None, ""
                await self._give_up(owned, raw, None, problem)
            else:
                sent = await self._sent(owned, raw, reply, more=more or place < len(replies))
                owned.apologies.shown(reply, sent)
                shown = mark(owned.session, (*reply.shown, *sent), reply.answers)
                if sent and reply.question is not None:
                    # Before it is confirmed: a question is shown twice rather than never withdrawn.
                    await owned.note_asked(reply.question, sent[0])
            self._steps("delivered")
            await self._confirm(owned, raw, shown)
            if words := self._spoken.refused():
                await self._not_heard(owned, reply, words)
            if reply is not None and reply.files:
                self._delivery.delivered(owned.session, reply)

    async def _sent(self, owned: OwnedSession, raw: bytes, reply: Reply, *, more: bool) -> tuple[int, ...]:
        """Deliver one reply, spoken or written; an edit of a message that a dead worker began is repeated."""
        if is_spoken(reply):
            sent = self._delivery.deliver(owned.session, reply, still_ours=owned.ensure_owned)
            return await self._spoken.first(sent, more=more)
        ids = await self._deliver_one(owned, raw, reply)
        if ids and ids[:1] == (reply.edit,) == owned.inherited:
            # The dead worker's last frame may still be on its way to Telegram and would overwrite the answer, so the
            # edit is repeated when no frame can come any more. Until then the reply counts as undelivered: if this
            # worker dies as well, the next one starts over here.
            owned.inherited = ()
            await self._sleep(LATE_S)
            await self._deliver_one(owned, raw, reply)
        return ids

    async def _deliver_one(self, owned: OwnedSession, raw: bytes, reply: Reply) -> tuple[int, ...]:
        """Deliver one reply, for as long as it takes; nothing when Telegram will never take it.

        Returns:
            The ids of the messages that show it.
        """
        defects = 0
        while True:
            try:
                # This worker may be paused while it waits for the rate limiter. Then the next owner has delivered it.
                shown = await self._delivery.deliver(owned.session, reply, still_ours=owned.ensure_owned)
            except Undeliverable as problem:
                log.warning("reply.undeliverable", extra={"reason": str(problem)})
                self.refused = str(problem)[:MOST_WORDS]
                await self._note(owned.session, why(str(problem)))
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
            else:
                # A group that takes no text may take files.
                if owned.session.chat in self._closed and not reply.files:
                    await self._note(owned.session, "open")
                return shown
            return ()

    async def _note(self, session: SessionKey, now: Why | Literal["open"] | None) -> None:
        """Keep for operators that a chat takes no messages, or takes some again; without Redis it is not kept."""
        if session.inline is not None or session.business is not None:
            # Their chat is not the person's own with the bot.
            return
        with suppress(StoreUnavailable):
            if now == "open":
                await self._chats.open(session.bot, session.chat)
                self._closed.pop(session.chat, None)
            elif now is not None:
                await self._chats.close(session.bot, session.chat, now)
                self._closed[session.chat] = None

    async def _not_heard(self, owned: OwnedSession, reply: Reply | None, words: str) -> None:
        """Telegram refused what was spoken. Where it takes no voice messages, the chat's answers are only written."""
        self.unheard = words[:MOST_WORDS]
        if "voice" not in words.lower():
            return
        with speaking(language_of(reply.language if reply else spoken())):
            said = Reply(text=phrase("voice-refused"), answers=reply.answers if reply else ())
            commit = marked(Commit(0, (said,), set={StateField.voice: "off"}))
            await owned.commit(commit, isolate_next=owned.isolate_next)

    async def _confirm(self, owned: OwnedSession, raw: bytes, shown: str) -> None:
        try:
            await owned.delivered(raw, shown)
        except asyncio.CancelledError:
            # Telegram has it, so the next owner must not deliver it again.
            await owned.delivered_once(raw, shown)
            raise

    async def _give_up(self, owned: OwnedSession, raw: bytes, reply: Reply | None, problem: Exception) -> None:
        """Put the reply into the dead letters, and tell the user in plain text that one is missing."""
        reason = f"not deliverable: {type(problem).__name__}"
        letter = DeadLetter(
            reason=reason, at=self._clock.now(), session=str(owned.session), raw=raw.decode(errors="replace")
        )
        answers = reply.answers if reply else ()
        # What came from a worker that died was made in another task.
        with speaking(language_of(reply.language if reply else spoken())):
            words = with_reference(phrase("unsent"), owned.session.bot, answers, letter.raw)
            said = () if reply and reply.text.startswith(phrase("unsent")) else (Reply(text=words, answers=answers),)
            await owned.commit(Commit(0, said, dead=(letter,)), isolate_next=owned.isolate_next)

    async def _migrate(self, owned: OwnedSession, moved: ChatMigrated) -> None:
        old = owned.session
        new = SessionKey(old.bot, moved.chat, old.topic, old.business)
        log.info("session.moved", extra={"moved": str(new)})
        await self._note(old, "migrated")
        await owned.leave(new)
        # The owner of the new session's slot finds it pending, and fetches what is here, the reply included.
        raise ClaimLost
