"""Messages that come while a turn runs and join it (``COHORT_QUEUE_MODE=steer``, ``/queue steer``)."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from typing import Protocol

from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew, StoreUnavailable
from tasks.session import SessionKey
from tasks.telemetry import tracing
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.planning import edits
from workers.sessions.planning.batching import COLLECT_MESSAGES
from workers.sessions.planning.edits import MessagePrints, said_in
from workers.sessions.planning.parked import Resumed
from workers.sessions.planning.plans import TRIES_TOGETHER, Handled
from workers.sessions.spending import Spending, payer


class InboxSteering:
    """The ``Steering`` of one turn. It reads the inbox only when a doorbell came."""

    def __init__(
        self, deps: Dependencies, session: SessionKey, spending: Spending, *, taken: int, known: Collection[int] = ()
    ) -> None:
        """Prepare it.

        Args:
            deps: The worker's dependencies.
            session: Whose inbox.
            spending: Charges the payers of what joins.
            taken: How many inbox entries the turn answers without those that join.
            known: Update ids among those entries that the turn does not answer, unless they joined.
        """
        self._sessions = deps.sessions
        self._settings = deps.settings
        self._session = session
        self._spending = spending
        self._taken = taken
        self._known = known
        self._own: tuple[Inbound, ...] = ()
        self._heard = self._closed = False
        self.messages: list[Inbound] = []
        """Those that joined, in order."""
        self.is_answer: Callable[[Inbound], bool] = lambda _: False
        """Whether an entry answers what the turn asks, or has answered it: that joins nothing."""

    @property
    def further(self) -> int:
        """How many of them stand behind the entries that the turn was begun with."""
        return sum(message.update_id not in self._known for message in self.messages)

    def with_joined(self, handled: Handled, said: MessagePrints) -> Handled:
        """What the turn handles in the end; ``said``: what the last messages said that left the inbox."""
        return replace(
            handled,
            drop=handled.drop + self.further,
            answers=(*handled.answers, *(message.update_id for message in self.messages)),
            isolate_next=max(0, handled.isolate_next - self.further),
            said=edits.joined(handled.said, said_in(self.messages, said)),
        )

    def begin(self, messages: Sequence[Inbound]) -> None:
        """The turn runs with these messages."""
        self._own = tuple(messages)

    def heard(self) -> None:
        """A doorbell came."""
        self._heard = not self._closed

    def close(self) -> None:
        """No further message joins, only those that joined in an earlier try."""
        self._heard, self._closed = False, True

    # -- Steering

    def restart(self) -> None:
        """The turn begins at its first model call."""
        if self.messages:
            # Those that join in no call of this run are the next turn's.
            self.heard()
            self.messages.clear()

    async def newer(self) -> Sequence[Inbound]:
        """What may join now: plain messages in a row right behind those that the turn has."""
        if not self._heard or len(self.messages) >= COLLECT_MESSAGES:
            return ()
        self._heard = False
        try:
            waiting = await self._sessions.behind(self._session, self._taken + self.further)
        except StoreUnavailable:
            self._heard = True
            return ()
        return tuple(takewhile(self._may_join, _readable(waiting)))[: COLLECT_MESSAGES - len(self.messages)]

    def joined(self, messages: Sequence[Inbound]) -> None:
        """These were given to the model."""
        self.messages.extend(messages)
        for message in messages:
            tracing.current().link(message.trace)
        self._spending.shared_by((*self._own, *self.messages))

    def _may_join(self, entry: Inbound) -> bool:
        """A file has to be opened first, an edit may change a message that the model has, a word is no message."""
        plain = entry.kind == "message" and not entry.media and entry.album is None and not entry.edited
        return plain and not self.is_answer(entry) and self._is_paid(entry)

    def _is_paid(self, entry: Inbound) -> bool:
        """An allowance is held before a turn, so who did not pay for this one waits for the next."""
        if not self._settings.budget_user and not self._settings.budget_chat:
            return True
        return payer(entry, self._session) in {payer(message, self._session) for message in self._own}


def _readable(waiting: Sequence[bytes]) -> Sequence[Inbound]:
    entries: list[Inbound] = []
    with suppress(EnvelopeInvalid, EnvelopeTooNew):
        entries.extend(map(Inbound.from_json, waiting))
    return entries


class TurnAsked(Protocol):
    """What a turn answers (``workers.sessions.turns.outcome.Asked``)."""

    @property
    def messages(self) -> tuple[Inbound, ...]:
        """Its messages."""
        ...

    @property
    def resumed(self) -> Resumed | None:
        """It was parked."""
        ...

    @property
    def keeps(self) -> tuple[Inbound, ...]:
        """Entries of the inbox that it drops and puts back."""
        ...


def _is_isolated(owned: OwnedSession, handled: Handled) -> bool:
    """Whether the turn is run apart from others, because one of them may have ended a worker.

    A turn whose steps are kept goes on once with what had joined it.
    """
    number, kept = owned.tries.number, owned.mark is not None
    return number > TRIES_TOGETHER or (not kept and (number > 1 or handled.isolate_next > 0))


def steering_of(
    deps: Dependencies, owned: OwnedSession, spending: Spending, asked: TurnAsked, *, room: tuple[Handled, int]
) -> InboxSteering | None:
    """What lets messages join the next turn; None where they wait for the one after it.

    Args:
        deps: The worker's dependencies.
        owned: The session; a turn that an earlier worker let messages join goes on so, whatever was chosen since.
        spending: Charges the payers of what joins.
        asked: What the turn answers. One that was parked takes no further message: others wait before those.
        room: The inbox entries that it answers, and how many there are.
    """
    joins = owned.effective("queue", deps.settings) == "steer" or (owned.mark is not None and owned.mark.may_have_more)
    if not joins or asked.messages[0].kind == "compact":
        return None
    handled, waiting = room
    taken = handled.drop
    if asked.resumed is None and _is_isolated(owned, handled):
        return None
    known = frozenset(entry.update_id for entry in asked.keeps)
    steering = InboxSteering(deps, owned.session, spending, taken=taken, known=known)
    if asked.resumed is not None:
        steering.close()
    elif waiting > taken:
        steering.heard()
    return steering
