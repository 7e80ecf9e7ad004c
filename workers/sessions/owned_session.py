"""A session while it is ours: what its state says, and its owner's writes, each repeated until Redis takes it."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import random
from typing import Any

from tasks.envelope import Inbound
from tasks.errors import ClaimLost, EnvelopeInvalid, StoreUnavailable
from tasks.session import SessionKey
from tasks.store.redis import text
from tasks.store.sessions import Claim, Commit, Work
from workers.interfaces import Usage
from workers.sessions import edits
from workers.sessions.dependencies import Dependencies, Sleep

log = logging.getLogger("cohort.turns")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


async def persist[T](write: Callable[[], Awaitable[T]], session: SessionKey, sleep: Sleep) -> T:
    """Do it as soon as Redis lets us: what a turn gave must not be lost to a pause of Redis.

    ``write`` may have been done already when it is done again.

    Raises:
        ClaimLost: somebody else owns the session by then.
    """
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await write()
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"session": str(session), "problem": str(problem)})
            await sleep(pause * (0.5 + random()))  # noqa: S311 - spreads load, guards nothing
            pause = min(pause * 2, _LONGEST_PAUSE_S)


class OwnedSession:
    """The claim of a turn loop. All its writes raise ``ClaimLost`` when somebody else owns the session.

    ``live``: the message that shows the running turn.
    ``inherited``: the message that an earlier owner's turn was shown in, if that came to no end.
    """

    def __init__(self, deps: Dependencies, claim: Claim, *, since: float) -> None:
        """``since``: ``heartbeat.now()`` before it was claimed."""
        self._sessions = deps.sessions
        self._moves = deps.moves
        self._heartbeat = deps.heartbeat
        self._sleep = deps.sleep
        self._claim = claim
        self._verified_at = since
        self._fields = dict(claim.state)
        self._tries = claim.work.tries
        self.live: int | None = self._number("live") or None
        self.inherited = self.live
        self._said: tuple[bytes, dict[int, str]] = b"", {}
        self._shown: list[str] = []

    # -- what is shown

    @property
    def shown(self) -> str:
        """The running turn's text, as far as known here."""
        return "".join(self._shown)

    def show(self, text: str) -> None:
        """The running turn shows this."""
        self._shown = [text] if text else []

    def show_more(self, text: str) -> None:
        """The running turn's text goes on with this."""
        self._shown.append(text)

    # -- what the state says, so that it need not be read again after each commit

    @property
    def session(self) -> SessionKey:
        return self._claim.session

    @property
    def epoch(self) -> int:
        return self._claim.epoch

    @property
    def history(self) -> bytes | None:
        """As the runtime gave it."""
        return self._fields.get("history") or None

    @property
    def together(self) -> int:
        """How many inbox entries the last turn was begun with; of use when it never ended."""
        return self._number("together")

    @property
    def suspects(self) -> int:
        """How many inbox entries are run one at a time (``workers.sessions.planner.Handled``)."""
        return self._number("suspects")

    @property
    def said(self) -> dict[int, str]:
        """What the last messages said that left the inbox (``workers.sessions.edits``)."""
        field = self._fields.get("said", b"")
        if field is not self._said[0]:
            # Asked for several times a turn.
            self._said = field, edits.read(field.decode(errors="replace"))
        return self._said[1]

    @property
    def moved(self) -> SessionKey | None:
        """What this session's group became: it goes on there."""
        moved = text(self._fields.get("moved", b""))
        if not moved or moved == str(self.session):
            return None
        with suppress(ValueError):
            return SessionKey.parse(moved)
        log.error("session.damaged", extra={"session": str(self.session), "field": "moved"})
        return None

    @property
    def is_blank(self) -> bool:
        """Whether the state says nothing but whose it is, and where it moved."""
        return self._fields.keys() <= {"owner", "epoch", "tries", "moved", "fetched"}

    def choice(self, name: str) -> str | None:
        """The session's ``agent`` or ``model``, None for the default."""
        value = self._fields.get(name)
        return text(value) if value else None

    def failed(self) -> list[str]:
        """The messages of turns that were given up for an outage, as JSON."""
        with suppress(ValueError, RecursionError):
            kept: Any = json.loads(self._fields.get("failed", b"[]"))
            return [entry for entry in kept if isinstance(entry, str)] if isinstance(kept, list) else []
        return []

    def failed_messages(self) -> tuple[Inbound, ...]:
        """The same, read.

        Raises:
            EnvelopeTooNew: a newer release gave them up.
        """
        kept: list[Inbound] = []
        for entry in self.failed():
            with suppress(EnvelopeInvalid):
                kept.append(Inbound.from_json(entry))
        return tuple(kept)

    @property
    def used(self) -> tuple[Usage, int]:
        """What the session had used, in how many turns, when it was claimed."""
        return Usage(self._number("input_tokens"), self._number("output_tokens")), self._number("turns")

    def _number(self, name: str) -> int:
        with suppress(ValueError):
            return int(self._fields.get(name, b"0"))
        return 0

    # -- what its owner may do

    async def advance(self, *, again: bool = False) -> Work | None:
        """What is next; None: nothing was left and the session is released.

        ``again``: the head of the inbox was only waited for, or set aside by its user; that was no try.
        """
        begun = max(self._tries, 1) if again else self._tries + 1
        work = await self._write(lambda: self._sessions.advance(self._claim, again=again, begun=begun))
        if work is not None and work.tries:
            self._tries = work.tries
        return work

    async def whole_inbox(self) -> tuple[bytes, ...]:
        """Every entry, read whoever owns it."""
        return await persist(lambda: self._sessions.whole_inbox(self._claim), self.session, self._sleep)

    async def commit(self, commit: Commit, *, suspects: int = 0, said: edits.Said | None = None) -> tuple[bytes, ...]:
        """Write a turn. ``suspects``, ``said``: see ``workers.sessions.planner.Handled``.

        Returns:
            The replies as they stand in the outbox now.
        """
        state = {**commit.set, "suspects": str(suspects)} if suspects else dict(commit.set)
        if said:
            state["said"] = edits.written(edits.joined(self.said, said))
        unset = (*commit.unset, "together") if suspects else (*commit.unset, "together", "suspects")
        last = text(self._fields.get("commit", b""))
        # A damaged one is like no text, and would refuse every commit.
        after = last if last.isascii() else None
        commit = replace(commit, set=state, unset=unset, after=after)
        written = await self._write(lambda: self._sessions.commit(self._claim, commit))
        for name in unset:
            self._fields.pop(name, None)
        self._fields.update({name: value.encode() for name, value in state.items()}, commit=commit.id.encode())
        if commit.history is not None:
            self._fields["history"] = commit.history
        self._tries, self.live = 0, None
        self.show("")
        return written

    async def delivered(self, reply: bytes) -> None:
        """Telegram has taken the oldest reply."""
        await self._write(lambda: self._sessions.delivered(self._claim, reply))

    async def delivered_once(self, reply: bytes) -> None:
        """The same in one attempt, of somebody who is being cancelled."""
        with suppress(StoreUnavailable, ClaimLost):
            await self._sessions.delivered(self._claim, reply)

    async def note_together(self, entries: int) -> None:
        """So many inbox entries are begun together now."""
        self._fields["together"] = str(entries).encode()
        await self._write(lambda: self._sessions.note(self._claim, "together", str(entries)))

    async def note_live(self, message_id: int) -> None:
        """The running turn is shown in this message.

        Raises:
            StoreUnavailable: it is not stored; this turn knows it nevertheless.
        """
        self.live = message_id
        await self._sessions.note(self._claim, "live", str(message_id))

    async def leave(self, new: SessionKey, entries: Sequence[bytes] = ()) -> None:
        """It goes on as ``new`` and is ours no longer; ``entries`` of the inbox, which said so, are dropped."""
        await self._write(lambda: self._moves.leave(self._claim, new, entries))

    async def fetch(self, old: SessionKey) -> bool | None:
        """Take over what is left in ``old``, which goes on here.

        Returns:
            Whether the head of the inbox is another one now; None: not yet, somebody works there.
        """
        fetched = await self._write(lambda: self._moves.fetch(self._claim, old))
        if fetched is None:
            return None
        self._fields = dict(fetched.state)
        if fetched.replaced:
            self._tries = self._number("tries")
        return fetched.replaced

    async def hand_off(self, *, counts: bool = False) -> None:
        """Let go with the work left in place. ``counts``: the message at work is to blame."""
        await persist(lambda: self._sessions.hand_off(self._claim, counts=counts), self.session, self._sleep)

    async def hand_off_once(self) -> None:
        """The same in one attempt, of somebody who is being cancelled."""
        with suppress(StoreUnavailable):
            await self._sessions.hand_off(self._claim)

    async def ensure_owned(self) -> None:
        """See whether it is still ours, if that is not certain: this process may have been paused."""
        await persist(self.ensure_owned_once, self.session, self._sleep)

    async def ensure_owned_once(self) -> None:
        """The same in one attempt; mostly it is certain, and Redis is not asked.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        if not self._heartbeat.unbroken_since(self._verified_at):
            await self._verifying(lambda: self._sessions.verify_claim(self._claim))

    async def verify_claim(self) -> None:
        """See whether it is still ours."""
        await self._write(lambda: self._sessions.verify_claim(self._claim))

    async def _write[T](self, write: Callable[[], Awaitable[T]]) -> T:
        return await persist(lambda: self._verifying(write), self.session, self._sleep)

    async def _verifying[T](self, write: Callable[[], Awaitable[T]]) -> T:
        before = self._heartbeat.now()
        written = await write()
        self._verified_at = before
        return written
