"""A turn asks: the commits that put its questions, note answers, withdraw them and give them up."""

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tasks.chats.asking import MOST_QUESTIONS, AskKind, GivenAnswer, OpenQuestion, ParkedTurn
from tasks.config.settings import Settings
from tasks.envelope import Inbound, Reply
from tasks.journal import Mark
from tasks.phrases import phrase
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from tasks.text import utf16, within
from workers import texts
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.planning.parked import Expired, Noted, Withdrawn
from workers.sessions.planning.plans import Handled
from workers.sessions.planning.questions import shown_arguments, tool_name
from workers.sessions.turns.tracked_answer import TurnText
from workers.steps import PersonsAnswer, Question

log = logging.getLogger("cohort.turns")

_TEXT = 3_500
"""UTF-16 units that are shown of what is asked."""
_MESSAGE = 4_096
"""UTF-16 units of a message of Telegram; below what is asked there is a line about what became of it."""
_ABOUT = 80

_SETTLED = (StateField.unanswered,)
"""The turn that is given up is the last exchange: an older message is no longer what /retry and /undo mean."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a turn asks, of whom and when."""

    questions: Sequence[Question]
    messages: Sequence[Inbound]
    """What the turn answers."""
    now: float
    """Seconds since the epoch."""
    text: TurnText
    """What it has said before."""
    reply_to: int | None
    """The message that the questions reply to."""
    consumed: Collection[int] = ()
    """The updates that answered what the turn asked while it ran."""


def asks_people(owned: OwnedSession, messages: Sequence[Inbound], settings: Settings) -> bool:
    """Whether there is a person who may answer; below an inline message there are no buttons to ask with."""
    return owned.session.inline is None and bool(people(messages) or settings.admins or owned.session.chat > 0)


def people(messages: Sequence[Inbound]) -> tuple[int, ...]:
    """The authors of a turn's messages; of one in a chat's name no person is known."""
    return tuple(dict.fromkeys(message.person for message in messages if message.person is not None))


async def put_questions(owned: OwnedSession, mark: Mark, ask: Ask, settings: Settings) -> Commit:
    """The commit of a turn that parks: its messages and its journal stay, its questions go out."""
    asked = tuple(open_question(question) for question in ask.questions[:MOST_QUESTIONS])
    private = owned.session.chat > 0
    before = owned.parking
    parked = ParkedTurn(
        turn=mark.turn,
        taken=mark.taken,
        # What came while the turn ran was written before its author had read the question.
        before=len(await owned.whole_inbox()),
        ends=ask.now + settings.ask_ttl.total_seconds(),
        who=(*people(ask.messages), *((owned.session.chat,) if private else ())),
        anyone=not private and settings.ask_in_groups == "anyone",
        questions=asked,
        earlier={
            **(before.turn.all_given if before is not None and before.turn.turn == mark.turn else {}),
            **{f"held {update}": GivenAnswer(update_id=update) for update in ask.consumed},
        },
        shown=ask.text.length,
        shown_end=ask.text.end,
    )
    replies = tuple(put(question, ask.reply_to) for question in asked)
    state: dict[str, str] = {StateField.parked: parked.to_json(), StateField.journal: str(mark.parked())}
    return Commit(0, replies, set=state, unset=(StateField.asked,))


def open_question(question: Question) -> OpenQuestion:
    kind: AskKind = "ask" if question.text else "doubt" if question.again else "approve"
    tool = tool_name(question.tool)
    if kind == "ask":
        text = within(question.text, _TEXT)
        return OpenQuestion(
            id=_new_id(),
            key=question.key,
            kind=kind,
            about=" ".join(text.split())[:_ABOUT],
            text=text,
            choices=question.choices,
            login=question.login,
            link=question.link,
        )
    head = f"{phrase('may-have-happened') if kind == 'doubt' else phrase('may-i')}\n\n"
    block = within(f"{tool}\n{shown_arguments(question.arguments)}".rstrip(), _TEXT - utf16(head))
    entity: dict[str, Any] = {"type": "pre", "offset": utf16(head), "length": utf16(block)}
    scope = "" if kind == "doubt" else question.scope
    return OpenQuestion(
        id=_new_id(), key=question.key, kind=kind, about=tool, text=head + block, entities=(entity,), scope=scope
    )


def _new_id() -> str:
    return uuid4().hex[:12]


def put(question: OpenQuestion, reply_to: int | None) -> Reply:
    return Reply(
        text=question.text,
        entities=question.entities,
        buttons=question.buttons,
        reply_to=reply_to,
        question=question.id,
    )


def closed(question: OpenQuestion, line: str, place: int) -> Reply:
    """The question's message without its buttons, with what became of it."""
    text = f"{question.text}\n\n"
    return Reply(text=text + within(line, _MESSAGE - utf16(text)), entities=question.entities, edit=place)


def _note_answers(owned: OwnedSession, noted: Noted) -> Commit:
    """The commit that writes answers down, and shows them in place of the buttons."""
    turn, group = noted.turn, owned.session.chat < 0
    replies: list[Reply] = []
    allowed = list(owned.allowed)
    for ident, place in noted.places.items():
        question, given = turn.question(ident), turn.given[ident]
        if question is None:
            continue
        if given.verdict == "always" and question.scope not in allowed:
            allowed.append(question.scope)
        if place is not None:
            replies.append(closed(question, texts.answered(question, given, named=group), place))
    state: dict[str, str] = {StateField.parked: turn.to_json()}
    if len(allowed) > len(owned.allowed):
        state[StateField.allowed] = json.dumps(allowed)
    return Commit(0, tuple(replies), set=state)


def withdrawn(owned: OwnedSession, line: str = "") -> tuple[Reply, ...]:
    """The open questions' messages without their buttons."""
    parking = owned.parking
    if parking is None:
        return ()
    shown = ((question, parking.asked.get(question.id)) for question in parking.turn.open)
    return tuple(closed(question, line or phrase("withdrawn"), place) for question, place in shown if place is not None)


def parked_commit(
    owned: OwnedSession, step: Noted | Withdrawn | Expired, handled: Handled, history: bytes | None
) -> Commit:
    """The commit of a parked turn's step.

    Args:
        owned: The session.
        step: Answers are noted; or the questions are withdrawn for a newer message; or the turn is given up.
        handled: What the end of the turn drops.
        history: The session's history with the turn as far as it came.
    """
    match step:
        case Noted():
            return _note_answers(owned, step)
        case Withdrawn(resumed):
            said = Reply(text=phrase("interrupted"), answers=handled.answers)
            return Commit(handled.drop, (*withdrawn(owned), said), history, unset=_SETTLED, then=resumed.keeps)
        case Expired(resumed):
            log.info("question.expired", extra={"session": str(owned.session)})
            said = Reply(text=phrase("no-answer-came"), answers=handled.answers)
            replies = (*withdrawn(owned, phrase("not-answered")), said)
            return Commit(handled.drop, replies, history, unset=_SETTLED, then=resumed.keeps)


def answers_of(turn: ParkedTurn) -> dict[str, PersonsAnswer]:
    """What was said, as the runtime takes it."""
    return {key: said_by(given) for key, given in turn.all_given.items()}


def said_by(given: GivenAnswer) -> PersonsAnswer:
    match given.verdict:
        case "once" | "always":
            return PersonsAnswer("run", person=given.person)
        case "no":
            return PersonsAnswer("no", person=given.person)
        case _:
            pressed = int(given.verdict) if given.verdict.isdecimal() else None
            return PersonsAnswer("words", given.words, given.plain, pressed, given.person)
