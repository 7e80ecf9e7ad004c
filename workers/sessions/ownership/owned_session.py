"""A session that this worker owns: what its state says, and its owner's writes, each repeated until Redis takes it."""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from tasks.backoff import Backoff
from tasks.chats.asking import HeldQuestion
from tasks.chats.conversations import Conversation
from tasks.envelope import Reply
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.phrases import spoken
from tasks.session import SessionKey
from tasks.store.connection.redis import text
from tasks.store.journal import Steps
from tasks.store.sessions import Claim, Commit, Rest, Work
from tasks.store.state import OF_THE_HEAD, StateField
from tasks.telemetry import metrics
from workers.sessions.dependencies import Dependencies, Sleep
from workers.sessions.ownership.seen_text import SeenText
from workers.sessions.ownership.tries import Tries
from workers.sessions.planning import edits
from workers.sessions.planning.speech import marked

log = logging.getLogger("cohort.turns")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


async def persist[T](write: Callable[[], Awaitable[T]], session: SessionKey, sleep: Sleep) -> T:
    """Repeat ``write`` until Redis takes it, so that a turn's outcome is not lost while Redis is away.

    A call may be repeated after Redis has carried it out, when only its answer was lost. So each write is idempotent.

    Raises:
        ClaimLost: another worker owns the session by now.
    """
    backoff: Backoff | None = None
    while True:
        try:
            return await write()
        except StoreUnavailable as problem:
            if backoff is None:  # told once: a thousand sessions may wait for hours
                log.warning("store.unavailable", extra={"session": str(session), "problem": str(problem)})
                backoff = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
            await sleep(backoff.next())


class OwnedSession(SeenText):
    """The claim of a turn loop. Every write raises ``ClaimLost`` when another worker owns the session by now."""

    def __init__(self, deps: Dependencies, claim: Claim, *, since: float) -> None:
        """Start from a claim; ``since`` is ``heartbeat.now()`` before the claim was made."""
        super().__init__(claim.session, claim.state)
        self._sessions = deps.sessions
        self._journal = deps.journal
        self._moves, self._earlier = deps.moves, deps.earlier
        self._heartbeat = deps.heartbeat
        self._sleep = deps.sleep
        self._clock = deps.clock
        self._claimed_at: float | None = deps.clock.now()
        self._claim = claim
        self._verified_at = since
        self.tries = Tries(claim.work.tries, self._count_tries, deps.last_tries)

    def take_claimed_at(self) -> float | None:
        """When the session was claimed; None from the second call on."""
        at, self._claimed_at = self._claimed_at, None
        return at

    @property
    def epoch(self) -> int:
        return self._claim.epoch

    # -- what its owner may do

    async def advance(self, *, again: bool = False, rest: Rest | None = None) -> Work | None:
        """Read what is next; the try that begins with it is counted as ``workers.sessions.ownership.tries`` says.

        Args:
            again: The head of the inbox was only waited for, or its user set it aside. That is not a try.
            rest: The turn waits for a person, so the session is released with its messages.

        Returns:
            What there is to do; None when nothing was left and the session is released.
        """
        # The number to record, not an increment: a call that is repeated because its answer was lost counts once.
        number = max(self.tries.number, 1) if again else self.tries.number + 1
        begun = Tries.counted_before(number)
        work = await self._write(lambda: self._sessions.advance(self._claim, again=again, begun=begun, rest=rest))
        if work is None or not work.tries:
            return work
        self.tries.begin(number)
        return replace(work, tries=number)

    async def whole_inbox(self) -> tuple[bytes, ...]:
        """Read every entry of the inbox. The read does not check the claim; what follows from it does."""
        return await persist(lambda: self._sessions.whole_inbox(self._claim), self.session, self._sleep)

    async def commit(
        self, commit: Commit, *, isolate_next: int = 0, said: edits.MessagePrints | None = None
    ) -> tuple[bytes, ...]:
        """Commit a turn.

        Args:
            commit: What the turn changes.
            isolate_next: See ``workers.sessions.planning.planner.Handled``.
            said: See ``workers.sessions.planning.planner.Handled``.

        Returns:
            The replies as they are in the outbox now.
        """
        state = {**commit.set, StateField.isolate_next: str(isolate_next)} if isolate_next else dict(commit.set)
        state |= {StateField.touched: str(int(self._clock.now())), **self._told_in(spoken())}
        if said:
            state[StateField.said] = edits.written(edits.joined(self.said, said))
        unset = (*commit.unset, StateField.batch_size, *self._further())
        unset = unset if isolate_next else (*unset, StateField.isolate_next)
        commit = replace(marked(self.at_once(commit)), set=state, unset=unset, after=self._after)
        written = await self._write(lambda: self._sessions.commit(self._claim, commit))
        metrics.DEAD.inc(len(commit.dead))
        for name in (*unset, *(OF_THE_HEAD if commit.drop else ())):
            self._fields.pop(name, None)
        self._fields.update({name: value.encode() for name, value in state.items()})
        self._fields[StateField.commit] = commit.id.encode()
        if commit.history is not None:
            self._fields[StateField.history] = commit.history
        self.shows_nothing()
        self.tries.begin(0)
        return written

    async def steps(self) -> tuple[bytes, ...]:
        """The journal, oldest step first."""
        return await persist(lambda: self._journal.read(self._claim), self.session, self._sleep)

    async def keep(self, steps: Steps) -> bool:
        """Add to the journal; a first step takes the place of another turn's journal. False: it is not as expected."""
        before = text(self._fields.get(StateField.journal, b""))
        steps = replace(steps, replaces=before)
        self._fields[StateField.journal] = steps.mark.encode()
        kept = await self._write(lambda: self._journal.append(self._claim, steps))
        if not kept and not steps.at:
            # A write of the turn before, which was cancelled, came in after all.
            mark = await persist(lambda: self._journal.mark(self._claim), self.session, self._sleep)
            steps = replace(steps, replaces=mark)
            kept = await self._write(lambda: self._journal.append(self._claim, steps))
        return kept

    async def delivered(self, reply: bytes, mark: str = "") -> None:
        """Drop the oldest reply: Telegram has it; ``mark``: where it shows (``tasks.chats.feedback``)."""
        await self._write(lambda: self._sessions.delivered(self._claim, reply, mark))

    async def delivered_once(self, reply: bytes, mark: str = "") -> None:
        """The same in one attempt, for a task that is being cancelled."""
        with suppress(StoreUnavailable, ClaimLost):
            await self._sessions.delivered(self._claim, reply, mark)

    async def note_batch_size(self, entries: int) -> None:
        """Record how many inbox entries the turn takes that begins now."""
        await self.note(StateField.batch_size, str(entries))

    async def note_refused(self, turn: str, updates: Collection[int]) -> None:
        """Record which messages the turn does not answer that begins now."""
        await self.note(StateField.refused, " ".join((turn, *map(str, updates))) if updates else "")

    async def _count_tries(self, tries: int) -> None:
        await self.note(StateField.tries, str(tries))

    async def note(self, field: StateField, value: str) -> None:
        """Write one field; an empty value removes it."""
        self._put(field, value)
        await self._write(lambda: self._sessions.note(self._claim, field, value))

    async def note_live(self, message_id: int) -> None:
        """Record a message that shows the running turn.

        Raises:
            StoreUnavailable: it is not stored. This turn knows it all the same.
        """
        self.live = (*self.live, message_id)
        first, *further = map(str, self.live)
        if further:
            said = f"{first}:{','.join(further)}"
            self._fields[StateField.live_more] = said.encode()
            await self._sessions.note(self._claim, StateField.live_more, said)
        else:
            await self._sessions.note(self._claim, StateField.live, first)

    async def keep_draft(self, words: str) -> None:
        """Record the words that a draft shows, in one attempt."""
        value = f"{self.last_commit}\n{words}" if words.strip() else ""
        if value.encode() != self._fields.get(StateField.drafted, b""):
            self._put(StateField.drafted, value)
            await self._verifying(lambda: self._sessions.note(self._claim, StateField.drafted, value))

    async def note_asked(self, question: str, message_id: int) -> None:
        """Record the message that shows a question."""
        asked = f"{text(self._fields.get(StateField.asked, b''))} {question}:{message_id}".strip()
        await self.note(StateField.asked, asked)

    async def note_held(self, held: HeldQuestion | None) -> None:
        """Record the question of the running turn whose call stays open; None: there is none any more."""
        await self.note(StateField.held, held.to_json() if held is not None else "")

    async def set_aside(self, number: int, index: Sequence[Conversation], gone: Sequence[int]) -> None:
        """Keep a copy of the history under ``number``; a commit follows that begins or resumes another conversation."""
        await self._write(lambda: self._earlier.set_aside(self._claim, number, index, gone, after=self._after))

    async def leave(self, new: SessionKey, entries: Sequence[bytes] = ()) -> None:
        """Release the session, which goes on as ``new``, and drop the ``entries`` that report the move."""
        # The move takes back the running try, so that has to be counted first.
        await self.tries.runs()
        await self._write(lambda: self._moves.leave(self._claim, new, entries))

    async def fetch(self, old: SessionKey) -> bool | None:
        """Take over what is left in ``old``, which goes on here.

        Returns:
            Whether the head of the inbox has changed; None when another worker still owns ``old``.
        """
        fetched = await self._write(lambda: self._moves.fetch(self._claim, old))
        if fetched is None:
            return None
        self._fields = dict(fetched.state)
        if fetched.replaced:
            self.tries.begin(self._number(StateField.tries))
        return fetched.replaced

    async def hand_off(self, *, counts: bool = False) -> None:
        """Release the session with its work left in place. ``counts``: it is a try of the head of the inbox."""
        if counts:
            with suppress(ClaimLost):
                await self.tries.runs()
        counts = counts or not self.tries.counted
        await persist(lambda: self._sessions.hand_off(self._claim, counts=counts), self.session, self._sleep)

    async def hand_off_once(self) -> None:
        """The same in one attempt, for a task that is being cancelled."""
        with suppress(StoreUnavailable):
            await self._sessions.hand_off(self._claim, counts=not self.tries.counted)

    async def ensure_owned(self) -> None:
        """Verify the claim unless it is certain, and wait for Redis while it is away.

        Called before each call to Telegram, because this process may have been paused for longer than its claims hold.
        While the heartbeat is unbroken since the last write that verified the claim, no other worker can have taken the
        session. So the usual case costs no round trip.

        Raises:
            ClaimLost: another worker owns the session.
        """
        await persist(self.ensure_owned_once, self.session, self._sleep)

    async def ensure_owned_once(self) -> None:
        """The same in one attempt. A frame of a growing answer is dropped rather than delayed while Redis is away.

        Raises:
            ClaimLost: another worker owns the session.
            StoreUnavailable: Redis is away, so it is not known.
        """
        if not self._heartbeat.unbroken_since(self._verified_at):
            await self._verifying(lambda: self._sessions.verify_claim(self._claim))

    async def verify_claim(self) -> None:
        """Ask Redis whether the claim still stands."""
        await self._write(lambda: self._sessions.verify_claim(self._claim))

    async def _write[T](self, write: Callable[[], Awaitable[T]]) -> T:
        return await persist(lambda: self._verifying(write), self.session, self._sleep)

    async def _verifying[T](self, write: Callable[[], Awaitable[T]]) -> T:
        # Every write checks the claim, so each one that succeeds verifies it, as of the moment before it was sent.
        before = self._heartbeat.now()
        try:
            written = await write()
        except ClaimLost:
            metrics.CLAIMS_LOST.inc()
            raise
        self._verified_at = before
        return written


async def seen_words(deps: Dependencies, owned: OwnedSession) -> str:
    """The words of a begun turn that people see; those of a worker that died are asked of Telegram."""
    if owned.shows_unknown:
        thinking = owned.effective("thinking", deps.settings)
        said = await deps.delivery.standing(owned.session, owned.live, thinking, still_ours=owned.ensure_owned_once)
        owned.watch(lambda: said)
    return owned.seen.strip()


def below(owned: OwnedSession, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """Replies that stand below what a dead worker has shown, whose Stop button goes."""
    return (*replies[:-1], replies[-1].model_copy(update={"disarms": owned.live[-1:]}))


def in_place(owned: OwnedSession, reply: Reply) -> Reply:
    """A reply in the place of steps that stand there alone: nothing goes on with them."""
    return reply.model_copy(update={"edit": owned.live[-1], "drops": owned.live[:-1]})
