"""Who may spend in a turn. One that goes on where it was answers the messages with which it was begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.envelope import Inbound
from workers import texts
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, persist
from workers.sessions.spending import HELD, USED_UP, Spending, payer
from workers.sessions.turns.refusals import CHAT, Refusals


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


def to_tell(
    verdicts: Verdicts, messages: Sequence[Inbound], owned: OwnedSession, now: float, *, always: bool
) -> tuple[list[tuple[str, Sequence[Inbound]]], dict[str, str]]:
    """Who has to be told of a refusal: not who was lately (``workers.sessions.turns.refusals``), unless ``always``.

    Returns:
        What each of them is told of which messages, and fields of the state that note it.
    """
    whose = "chat" if verdicts.chat else "person"
    by_payer: dict[int, list[Inbound]] = {}
    for message in messages:
        if verdicts.chat or message.update_id in verdicts.refused:
            by_payer.setdefault(CHAT if verdicts.chat else payer(message, owned.session), []).append(message)
    lately, told = Refusals.read(owned.over_budget, now), list[tuple[str, Sequence[Inbound]]]()
    for who, theirs in by_payer.items():
        verdict = verdicts.chat or verdicts.refused[theirs[-1].update_id]
        if not lately.repeats(who, verdict, theirs) or always:
            told.append((texts.over_budget(whose, held=verdict == HELD), theirs))
    return told, lately.fields
