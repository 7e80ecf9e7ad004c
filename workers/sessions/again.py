"""The last exchange, again or not at all: what /retry runs, and what /undo commits."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.envelope import Inbound
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from workers import texts
from workers.sessions.dependencies import Dependencies
from workers.sessions.outcome import Asked
from workers.sessions.owned_session import OwnedSession
from workers.sessions.plans import Compact, Handled, Retry, Run

log = logging.getLogger("cohort.turns")

BATCH = "batch"
"""The value of ``StateField.unanswered`` where ``retry_batch`` has the messages."""


@dataclass(frozen=True, slots=True)
class Again:
    """What a retry runs; nothing when there is nothing."""

    messages: Sequence[Inbound]
    batch: bool = False
    """They are those of an outage."""


def what_again(owned: OwnedSession, by: Inbound) -> Again:
    """What a retry runs. The button stands under the words about an outage; the command means the last message.

    Raises:
        EnvelopeTooNew: a newer release kept those messages.
    """
    if not by.last or owned.unanswered == BATCH:
        return Again(owned.retry_messages(), batch=True)
    if owned.unanswered:
        return Again(owned.unanswered_messages())
    # The runtime takes the message from the history.
    return Again((by,) if owned.history else ())


def asked_by(owned: OwnedSession, plan: Run | Retry | Compact) -> Asked:
    """What the agent is asked by a plan; a retry may find nothing to run.

    Raises:
        EnvelopeTooNew: a newer release kept those messages.
    """
    match plan:
        case Run(handled, messages, resumed):
            return Asked(messages, handled.answers, resumed=resumed)
        case Retry(handled, by, resumed):
            again = what_again(owned, by)
            return Asked(tuple(again.messages), handled.answers, retry=again.batch, resumed=resumed, by=by)
        case Compact(handled, to):
            return Asked((to,), handled.answers)


async def undo_commit(deps: Dependencies, owned: OwnedSession, handled: Handled) -> Commit:
    """Take back the last exchange: a message that got no answer, else the last one of the history."""
    history: bytes | None = None
    unset: tuple[str, ...] = (StateField.unanswered,)
    said = texts.TAKEN_BACK
    if owned.unanswered == BATCH:
        unset = (StateField.unanswered, StateField.retry_batch)
    elif not owned.unanswered:
        history = await _without_last(deps, owned)
        said = said if history is not None else texts.NOTHING_TO_TAKE_BACK
    replies = deps.delivery.render(said)
    answering = tuple(reply.model_copy(update={"answers": handled.answers}) for reply in replies)
    return Commit(handled.drop, answering, history, unset=unset)


async def _without_last(deps: Dependencies, owned: OwnedSession) -> bytes | None:
    """The history without its last exchange; None when there is none, or the history cannot be read."""
    try:
        return await deps.runtime.histories.without_last(owned.history)
    except Exception:
        log.exception("undo.defect", extra={"session": str(owned.session)})
        return None
