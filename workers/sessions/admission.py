"""Who may spend in a turn. One that goes on where it was answers the messages with which it was begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.envelope import Inbound
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, persist
from workers.sessions.spending import USED_UP, Spending, payer


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is refused; each verdict is one of ``reserve``."""

    chat: int
    """Of the whole turn; 0 when it may run."""
    refused: Mapping[int, int]
    """Update ids of messages whose payers may not spend, each with its verdict."""


async def admitted(
    deps: Dependencies, owned: OwnedSession, spending: Spending, asked: tuple[Sequence[Inbound], str], *, goes_on: bool
) -> Verdicts:
    """Hold tokens for a turn.

    Args:
        deps: The worker's dependencies.
        owned: The session.
        spending: Holds them.
        asked: What the turn was asked, and its name.
        goes_on: It has kept steps, or people have answered it. So nothing is refused now that was not refused when it
            began: with other messages its steps would fit no more, and it would be paid twice.
    """
    (messages, turn), (used, turns) = asked, owned.used
    admission = await persist(lambda: spending.admit(messages, used, turns), owned.session, deps.sleep)
    if goes_on:
        return Verdicts(0, dict.fromkeys(owned.refused(turn), USED_UP))
    verdicts = {message.update_id: admission.payers[payer(message, owned.session)] for message in messages}
    refused = {update: verdict for update, verdict in verdicts.items() if verdict}
    if 0 in verdicts.values() and owned.refused(turn) != refused.keys():
        await owned.note_refused(turn, refused)
    return Verdicts(admission.chat, refused)
