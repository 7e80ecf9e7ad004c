"""What a parked turn does with what has come since: answers, messages, time (pure)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tasks.chats.asking import GivenAnswer, ParkedTurn
from tasks.envelope import Inbound
from tasks.journal import Mark, turn_of
from tasks.store.sessions import Rest
from workers.runtime.conversation.message_tags import body, closing, opening
from workers.sessions.planning.edits import MessagePrints, changes_nothing, joined, said_in


@dataclass(frozen=True, slots=True)
class Noted:
    """Answers came: they are written down, and their questions show them."""

    turn: ParkedTurn
    places: dict[str, int | None]
    """The questions that were answered, each with the message whose button was pressed."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The turn goes on."""

    taken: int
    """Entries at the head that it answers."""
    drop: int
    """Entries that its commit drops."""
    consumed: tuple[Inbound, ...]
    """Those behind ``taken`` that were answers."""
    keeps: tuple[Inbound, ...]
    """The others: they come to the head of the inbox when the turn has ended."""


@dataclass(frozen=True, slots=True)
class Expired:
    """No answer came in time: the turn is given up."""

    resumed: Resumed


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """In interrupt mode a newer message withdraws the questions, and ends the turn as far as it came."""

    resumed: Resumed


type ParkedPlan = Rest | Noted | Resumed | Expired | Withdrawn


@dataclass(frozen=True, slots=True)
class Parking:
    """A parked turn, as its session's state has it."""

    turn: ParkedTurn
    asked: dict[str, int]
    """The messages that show its questions, by the questions' ids."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides beside the inbox."""

    mode: str
    """What happens to messages that come while a turn runs (``tasks.chats.choices``)."""
    now: float
    """Seconds since the epoch."""
    admins: Collection[int] = ()
    """The operators, who may answer everywhere."""
    language: str | None = None
    """The chat's choice of what it is told in."""
    usual: str | None = None
    """The language where a person's is not told."""
    quiet_s: float = 0
    """Seconds without a further message after which a burst counts as whole (``COHORT_BURST``)."""


def fits(parking: Parking | None, mark: Mark | None, entries: Sequence[Inbound]) -> bool:
    """Whether the parked turn is the one whose messages stand at the head."""
    if parking is None or mark is None or len(entries) < parking.turn.taken:
        return False
    turn = parking.turn
    name = turn_of([entry.update_id for entry in entries[: turn.taken]])
    return (mark.taken, mark.turn) == (turn.taken, turn.turn) == (turn.taken, name)


def plan_parked(parking: Parking, entries: Sequence[Inbound], said: MessagePrints, rules: Rules) -> ParkedPlan:
    """Decide what a parked turn does next.

    Args:
        parking: It.
        entries: The inbox, as far as it can be read.
        said: Fingerprints of the last messages that left the inbox.
        rules: What decides.
    """
    turn, behind = parking.turn, entries[parking.turn.taken :]
    said = joined(said, said_in(entries[: turn.taken], said))
    news = [
        (entry, place <= turn.before)
        for place, entry in enumerate(behind, turn.taken + 1)
        if not _consumed(turn, entry) and not changes_nothing(entry, said)
    ]
    noted, places = turn, dict[str, int | None]()
    for entry, stood in news:
        # What stood in the inbox before the question has not seen it.
        given = {} if stood else answer_in(parking, noted, entry, rules.admins)
        if not given and entry.kind != "answer":
            if rules.mode == "interrupt":
                return Withdrawn(resumed(turn, entries))
            # A message waits in followup mode; a choice or a Retry would wait for longer than its user expects.
            joins = rules.mode != "followup" or entry.kind not in ("message", "reminder")
            waits = stood or _is_anothers(turn, entry, rules.admins)
            given = _joins(noted, entry) if joins and not waits else {}
        for ident in given:
            # The end of a login comes from no message.
            pressed = entry.message_id if entry.kind == "answer" else None
            places[ident] = pressed or parking.asked.get(ident)
        noted = noted.model_copy(update={"given": {**noted.given, **given}})
    if places:
        return Noted(noted, places)
    if not turn.open:
        return resumed(turn, entries)
    return Expired(resumed(turn, entries)) if turn.ends <= rules.now else Rest(len(entries), turn.ends)


def resumed(turn: ParkedTurn, entries: Sequence[Inbound]) -> Resumed:
    """What the end of the turn drops of the inbox."""
    places = [place for place, entry in enumerate(entries, 1) if place > turn.taken and _consumed(turn, entry)]
    drop = places[-1] if places else turn.taken
    behind = entries[turn.taken : drop]
    consumed = tuple(entry for entry in behind if _consumed(turn, entry))
    return Resumed(turn.taken, drop, consumed, tuple(entry for entry in behind if not _consumed(turn, entry)))


def _consumed(turn: ParkedTurn, entry: Inbound) -> bool:
    """Whether it was an answer: a message that was is answered with the turn, and a button counts once."""
    if entry.kind == "answer":
        return _asked_in(entry) in turn.given or turn.question(_asked_in(entry)) is None
    answers = (*turn.given.values(), *turn.earlier.values())
    return any(given.update_id == entry.update_id for given in answers)


def _asked_in(entry: Inbound) -> str:
    return entry.choice.get("ask", "")


def answer_in(parking: Parking, turn: ParkedTurn, entry: Inbound, admins: Collection[int]) -> dict[str, GivenAnswer]:
    """What an entry says to one of the open questions, by its id."""
    if entry.kind == "answer":
        ident, verdict = _asked_in(entry), entry.choice.get("say", "")
        if turn.refusal(entry, admins) is not None:
            return {}
        choices = turn.choices_of(ident)
        words = choices[int(verdict)] if choices else ""
        given = GivenAnswer(verdict=verdict, words=words, by=_name(entry), person=entry.person)
        return {ident: given.model_copy(update={"update_id": entry.update_id})}
    if entry.kind != "message" or entry.media or entry.edited or not turn.may_answer(entry, admins):
        return {}
    named = next((ident for ident, place in parking.asked.items() if place == entry.reply_to), None)
    question = turn.question(named) if named else next(iter(turn.open), None)
    # A text that names no question is the answer to the one that a tool asked first, and is no approval.
    if question is None or question.id in turn.given or (not named and question.kind != "ask"):
        return {}
    return {question.id: _words(entry)}


def _is_anothers(turn: ParkedTurn, entry: Inbound, admins: Collection[int]) -> bool:
    """Whether it is of a person who may not answer: then it ends no question of those who may.

    A reminder has no person behind it who could wait, and would come late. Where no person is known who may answer,
    any message counts.
    """
    person = entry.person if entry.kind != "reminder" else None
    return person is not None and bool(turn.who) and not turn.may_answer(entry, admins)


def _joins(turn: ParkedTurn, entry: Inbound) -> dict[str, GivenAnswer]:
    """A message that answers no question ends all of them, and its words join the turn: they answer nothing.

    It may be an edit, or a reminder. What has no words (a file, a choice of the model) takes its turn when this one
    has ended.
    """
    joins = entry.kind in ("message", "reminder") and not entry.media
    joining = _words(entry).model_copy(update={"plain": ""})
    return dict.fromkeys((question.id for question in turn.open), joining if joins else GivenAnswer())


def _words(entry: Inbound) -> GivenAnswer:
    plain = entry.text
    # What it answers is known: the question.
    entry = entry.model_copy(update={"quote": None, "quoted": None})
    words = "".join((opening(entry), body(entry), closing(entry)))
    return GivenAnswer(words=words, plain=plain, by=_name(entry), person=entry.person, update_id=entry.update_id)


def _name(entry: Inbound) -> str:
    return entry.sender.name if entry.sender else ""
