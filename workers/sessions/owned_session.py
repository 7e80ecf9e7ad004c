"""A session while it is ours: what its state says, and its owner's writes, each repeated until Redis takes it."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import random

from tasks.errors import ClaimLost, StoreUnavailable
from tasks.session import SessionKey
from tasks.store.journal import Steps
from tasks.store.redis import text
from tasks.store.sessions import Claim, Commit, Work
from workers.sessions import edits
from workers.sessions.dependencies import Dependencies, Sleep
from workers.sessions.state_view import StateView

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


class OwnedSession(StateView):
    """The claim of a turn loop. All its writes raise ``ClaimLost`` when somebody else owns the session.

    ``live``: the message that shows the running turn.
    ``inherited``: the message that an earlier owner's turn was shown in, if that came to no end.
    """

    def __init__(self, deps: Dependencies, claim: Claim, *, since: float) -> None:
        """``since``: ``heartbeat.now()`` before it was claimed."""
        super().__init__(claim.session, claim.state)
        self._sessions = deps.sessions
        self._journal = deps.journal
        self._moves = deps.moves
        self._heartbeat = deps.heartbeat
        self._sleep = deps.sleep
        self._claim = claim
        self._verified_at = since
        self._tries = claim.work.tries
        self.live: int | None = self._number("live") or None
        self.inherited = self.live
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

    @property
    def epoch(self) -> int:
        return self._claim.epoch

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
        for name in (*unset, *(("journal",) if commit.drop else ())):
            self._fields.pop(name, None)
        self._fields.update({name: value.encode() for name, value in state.items()}, commit=commit.id.encode())
        if commit.history is not None:
            self._fields["history"] = commit.history
        self._tries, self.live = 0, None
        self.show("")
        return written

    async def steps(self) -> tuple[bytes, ...]:
        """The journal, oldest step first."""
        return await persist(lambda: self._journal.read(self._claim), self.session, self._sleep)

    async def keep(self, steps: Steps) -> bool:
        """Add to the journal; a first step takes the place of another turn's journal. False: it is not as expected."""
        before = text(self._fields.get("journal", b""))
        steps = replace(steps, replaces=before)
        self._fields["journal"] = steps.mark.encode()
        kept = await self._write(lambda: self._journal.append(self._claim, steps))
        if not kept and not steps.at:
            # A write of the turn before, which was cancelled, came in after all.
            steps = replace(steps, replaces=await self._journal_mark())
            kept = await self._write(lambda: self._journal.append(self._claim, steps))
        return kept

    async def _journal_mark(self) -> str:
        return await persist(lambda: self._journal.mark(self._claim), self.session, self._sleep)

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
