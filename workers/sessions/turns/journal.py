"""A turn's steps on their way to Redis: written in bundles by one writer, each with what it cost."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tasks.errors import ClaimLost
from tasks.journal import Mark
from tasks.store.journal import Steps
from tasks.store.state import StateField
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.ownership.tries import RESETS
from workers.sessions.spending import Spending

log = logging.getLogger("cohort.turns")

SLOW_S = 0.5
"""A write that takes longer goes on beside the turn: Redis is away, or nearly."""


class TurnJournal:
    """The ``StepLog`` of one turn, over all its tries here. Nothing is written before a step is added."""

    def __init__(self, owned: OwnedSession, spending: Spending, updates: Sequence[int], *, joins: bool = False) -> None:
        """Begin the journal of a turn.

        Args:
            owned: The session.
            spending: Counts what the turn has used.
            updates: What the turn answers; they name it.
            joins: Messages may join it while it runs.
        """
        self._owned = owned
        self._spending = spending
        self._mark = Mark.new(updates, joins=joins)
        self._kept: list[bytes] = []
        self._written = 0
        self._finished = 0
        """How many entries stand there up to the last one that finished something."""
        self._lost = False
        self._more, self._news = asyncio.Event(), asyncio.Event()
        self._one_writer = asyncio.Lock()

    async def open(self) -> None:
        """Read what an earlier owner's try of this turn left.

        Raises:
            JournalTooNew: a newer release has to go on with it.
        """
        mark = self._owned.mark
        if mark is not None and (mark.taken, mark.turn) == (self._mark.taken, self._mark.turn):
            self._kept = list(await self._owned.steps())
            self._written = len(self._kept)
            if self._kept:
                # Without steps the old mark would say of the first ones that they are there already.
                self._mark = mark
            log.info("journal.taken_over", extra={"session": str(self._owned.session), "steps": self._written})

    @property
    def mark(self) -> Mark:
        """Names the turn and its journal."""
        return self._mark

    @property
    def lost(self) -> bool:
        """Whether its steps could not be kept: the turn cannot go on elsewhere, or later."""
        return self._lost or not self._written

    # -- StepLog

    @property
    def turn(self) -> str:
        """Of this session alone, so that no two sessions' calls have one key."""
        return f"{self._owned.session} {self._mark.turn}"

    @property
    def kept(self) -> Sequence[bytes]:
        """Everything that was kept for the turn, oldest first."""
        return tuple(self._kept)

    def add(self, entry: bytes, *, finished: bool = False) -> None:
        """Keep it with the next write. ``finished``: it takes back the tries that ended before it."""
        self._kept.append(entry)
        if finished:
            self._finished = len(self._kept)

    def soon(self) -> None:
        """Write what was added, beside whatever the turn does next."""
        self._more.set()

    async def safe(self) -> None:
        """Write what was added, and go on when it is kept, or when Redis is away for ``SLOW_S``."""
        here = len(self._kept)
        self._more.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(SLOW_S):
                while self._written < here and not self._lost:
                    await self._news.wait()

    def drop(self) -> None:
        """What was kept cannot be read: the journal begins again."""
        self._mark = self._mark.again()
        self._kept.clear()
        self._written = self._finished = 0

    async def written(self) -> None:
        """Write what was added by now, in one round trip with what others add at the same time.

        Raises:
            ClaimLost: another worker runs the turn.
        """
        async with self._one_writer:
            # Calls of one round begin in the same moment, each in a task of its own.
            await asyncio.sleep(0)
            if self._lost:
                return
            entries = self._kept[self._written :]
            if entries:
                await self._write(entries)

    async def writing(self) -> None:
        """Write what may be written beside the turn; until cancelled.

        Raises:
            ClaimLost: another worker runs the turn.
        """
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                await self.written()
            except ClaimLost:
                raise
            except Exception:
                # The turn is worth more than its journal.
                self._lost = True
                log.exception("journal.defect", extra={"session": str(self._owned.session)})
            # Those that wait now are woken; the next ones wait again.
            self._news.set()
            self._news.clear()

    async def _write(self, entries: Sequence[bytes]) -> None:
        at, add, usage = self._written, *self._spending.with_steps()
        reset = self._reset() if self._finished > at else {}
        steps = Steps(str(self._mark), at, entries, self._owned.last_commit, "", add, usage, reset)
        try:
            kept = await self._owned.keep(steps)
        except ClaimLost:
            self._spending.not_kept(add, usage)
            raise
        if kept:
            self._written = at + len(entries)
            self._was_reset(reset)
            return
        # Something else than Cohort changed it. The turn is worth more than its journal.
        self._lost = True
        self._spending.not_kept(add, usage)
        log.error("journal.lost", extra={"session": str(self._owned.session)})

    def _reset(self) -> dict[str, str]:
        """The fields that set the tries back to the one that runs; none where no earlier one is counted."""
        tries, times = self._owned.tries.to_reset, self._owned.resets(self._mark.turn)
        if tries is None or times >= RESETS:
            return {}
        return {StateField.tries: str(tries), StateField.resets: f"{self._mark.turn} {times + 1}"}

    def _was_reset(self, written: Mapping[str, str]) -> None:
        if written:
            self._owned.tries.reset()
            self._owned.note_resets(written[StateField.resets])
            times = self._owned.resets(self._mark.turn)
            log.info("tries.reset", extra={"session": str(self._owned.session), "resets": times})
