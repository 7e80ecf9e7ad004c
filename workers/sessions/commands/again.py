"""The last exchange, again or not at all: what /retry runs, and what /undo commits.

A stopped turn has a button for each, one that failed has Retry. They name its exchange, by the history that ends with
it or the messages that got no answer: a press that comes when another one is the last is told so, and changes nothing.
Answers have no such buttons: they would stand under each message of a chat, and the commands do the same.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2s

from tasks import stopping
from tasks.envelope import Button, Inbound
from tasks.phrases import phrase
from tasks.session import INLINE_MESSAGE
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from workers import texts
from workers.interfaces import TurnFailed
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.planning.plans import Compact, Retry, Run, Undo
from workers.sessions.turns.outcome import Asked, Outcome

log = logging.getLogger("cohort.turns")

BATCH = "batch"
"""The value of ``StateField.unanswered`` where ``retry_batch`` has the messages."""
_FAILURES = ("failed", "buried")


def exchange_buttons(history: bytes) -> tuple[Button, ...]:
    """Buttons for the last exchange of a history."""
    return stopping.exchange_buttons(_exchange(history))


def stood_in(name: str, history: bytes) -> dict[str, str]:
    """The field that says what the last exchange of a history was called by the bot."""
    return {StateField.stood_in: f"{name} {_exchange(history)}"}


def _retry(exchange: bytes) -> Button:
    return Button(text=phrase("button-retry"), data=f"{texts.RETRY_DATA}:{_exchange(exchange)}")


def _exchange(last: bytes) -> str:
    return blake2s(last, digest_size=8).hexdigest()


def _name(by: Inbound) -> str:
    return f"{by.kind}:{by.exchange}:{by.message_id}" if by.pressed else ""


def _is_done(owned: OwnedSession, by: Inbound) -> bool:
    """Whether a button was carried out already: its person pressed it twice, or two people did."""
    return bool(owned.pressed) and _name(by) == owned.pressed


def with_press(outcome: Outcome, by: Inbound | None) -> Outcome:
    """With the button that had the turn run again."""
    pressed = _name(by) if by is not None else ""
    return replace(outcome, set={**outcome.set, StateField.pressed: pressed}) if pressed else outcome


def _is_over(owned: OwnedSession, by: Inbound) -> bool:
    """Whether a button means an exchange that is not the last one any more."""
    last = owned.unanswered.encode() or owned.history or b""
    called, _, name = owned.stood_in.partition(" ")
    return bool(by.exchange) and _exchange(last) != (name if by.exchange == called else by.exchange)


def kept_unanswered(outcome: Outcome, messages: Sequence[Inbound]) -> Outcome:
    """A turn without an answer, with its messages kept for Retry, which stands below its apology."""
    batch = StateField.retry_batch in outcome.set
    kept = BATCH if batch else json.dumps([message.to_json() for message in messages])
    kept_outcome = replace(outcome, set={**outcome.set, StateField.unanswered: kept})
    if batch or outcome.how not in _FAILURES or not outcome.replies or outcome.replies[-1].edit == INLINE_MESSAGE:
        return kept_outcome
    *above, last = outcome.replies
    button = last.model_copy(update={"buttons": ((_retry(kept.encode()),),)})
    return replace(kept_outcome, replies=(*above, button))


def nothing_again(owned: OwnedSession, plan: Run | Retry | Compact) -> str:
    """What is told when a plan has nothing to run."""
    if isinstance(plan, Retry) and _is_done(owned, plan.by):
        return ""
    return phrase("not-the-last") if isinstance(plan, Retry) and plan.by.exchange else phrase("nothing-to-retry")


@dataclass(frozen=True, slots=True)
class Again:
    """What a retry runs; nothing when there is nothing."""

    messages: Sequence[Inbound]
    batch: bool = False
    """They are those of an outage."""


async def what_again(deps: Dependencies, owned: OwnedSession, by: Inbound) -> Again:
    """What a retry runs. The button stands under the words about an outage; the command means the last message.

    Raises:
        EnvelopeTooNew: a newer release kept those messages.
    """
    if _is_done(owned, by) or _is_over(owned, by):
        return Again(())
    if not by.last or owned.unanswered == BATCH:
        return Again(owned.retry_messages(), batch=True)
    if owned.unanswered:
        return Again(owned.unanswered_messages())
    # The runtime takes the message from the history.
    return Again((by,) if await _has_last(deps, owned) else ())


async def asked_by(deps: Dependencies, owned: OwnedSession, plan: Run | Retry | Compact) -> Asked:
    """What the agent is asked by a plan; a retry may find nothing to run.

    Raises:
        EnvelopeTooNew: a newer release kept those messages.
    """
    match plan:
        case Run(handled, messages, resumed):
            return Asked(messages, handled.answers, resumed=resumed)
        case Retry(handled, by, resumed):
            again = await what_again(deps, owned, by)
            messages = tuple(_wanted_by(by.person, message) for message in again.messages)
            return Asked(messages, handled.answers, retry=again.batch, resumed=resumed, by=by)
        case Compact(handled, to):
            return Asked((to,), handled.answers)


def _wanted_by(person: int | None, message: Inbound) -> Inbound:
    """A message that is answered again: what it may lead to depends on who wants that, too."""
    if person is None or person in (message.person, *message.again_by):
        return message
    return message.model_copy(update={"again_by": (*message.again_by, person)})


async def undo_commit(deps: Dependencies, owned: OwnedSession, plan: Undo) -> Commit:
    """Take back the last exchange: a message that got no answer, else the last one of the history."""
    if _is_done(owned, plan.by):
        return Commit(plan.handled.drop)
    history: bytes | None = None
    unset: tuple[str, ...] = (StateField.unanswered,)
    said = phrase("undone")
    if _is_over(owned, plan.by):
        unset, said = (), phrase("not-the-last")
    elif owned.unanswered == BATCH:
        unset = (StateField.unanswered, StateField.retry_batch)
    elif not owned.unanswered:
        try:
            history = await _without_last(deps, owned)
            said = said if history is not None else phrase("nothing-to-undo")
        except TurnFailed as problem:
            said = problem.words
    replies = deps.delivery.render(said)
    answering = tuple(reply.model_copy(update={"answers": plan.handled.answers}) for reply in replies)
    pressed = {StateField.pressed.value: _name(plan.by)} if plan.by.pressed else {}
    return Commit(plan.handled.drop, answering, history, set=pressed, unset=unset)


async def _has_last(deps: Dependencies, owned: OwnedSession) -> bool:
    """Whether the history has an exchange: it may begin with a summary, and with nothing behind it."""
    try:
        return await deps.runtime.histories.without_last(owned.history) is not None
    except Exception:  # noqa: BLE001 - the turn says what is wrong with the history
        return True


async def _without_last(deps: Dependencies, owned: OwnedSession) -> bytes | None:
    """The history without its last exchange; None when there is none, or the history cannot be read.

    Raises:
        TurnFailed: it cannot be read here.
    """
    try:
        return await deps.runtime.histories.without_last(owned.history)
    except TurnFailed:
        raise
    except Exception:
        log.exception("undo.defect", extra={"session": str(owned.session)})
        return None
