"""A parked turn: what its session's state says while people are asked, and who may answer (pure)."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.envelope import Button, Envelope, Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.phrases import phrase
from tasks.text import within

WORD = "ask"
"""Begins the data of a question's buttons: ``ask:<id of the question>:<verdict or number of the choice>``."""

LOGGED_IN = "0"
"""What the end of a login says to its question. No button says it."""

MOST_CHOICES = 8
"""Choices that a question may offer."""

_LABEL = 100
"""UTF-16 units of a button; more of it is not seen on any screen."""

MOST_QUESTIONS = 8
"""Questions that a turn asks at once; further ones are asked when these are answered."""

type AskKind = Literal["approve", "doubt", "ask"]
"""May this call be made; may this call, which was under way when its worker died, be made again; a tool asks."""

type AnswerRefusal = Literal["ended", "answered", "not yours"]
"""Why an answer does not count."""


class OpenQuestion(BaseModel):
    """One question of a parked turn, as it was shown."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Stands in its buttons. A call that is asked about again has another one."""
    key: str
    """``workers.steps.Question.key``."""
    kind: AskKind
    about: str
    """One line of it, for /status."""
    text: str
    entities: tuple[dict[str, Any], ...] = ()
    choices: tuple[str, ...] = ()
    """Of kind ``ask``; none: any words."""
    scope: str = ""
    """What "always" allows; empty: it is not offered."""
    login: str = ""
    """The login that it waits for; the first choice is its end, and has no button."""
    link: str = ""
    """The login's page; empty in a group."""

    @property
    def buttons(self) -> tuple[tuple[Button, ...], ...]:
        """What to press."""
        if self.kind == "ask":
            page = ((Button(text=phrase("button-log-in"), url=self.link),),) if self.link else ()
            said = ((self._button(choice, str(place)),) for place, choice in enumerate(self.choices))
            return (*page, *(islice(said, 1, None) if self.login else said))
        if self.kind == "doubt":
            return ((self._button(phrase("button-do-again"), "once"), self._button(phrase("button-leave-it"), "no")),)
        always = ((self._button(phrase("button-allow-always"), "always"),),) if self.scope else ()
        return ((self._button(phrase("button-allow-once"), "once"), self._button(phrase("button-deny"), "no")), *always)

    def _button(self, text: str, verdict: str) -> Button:
        return Button(text=within(text, _LABEL), data=f"{WORD}:{self.id}:{verdict}")

    def takes(self, verdict: str) -> bool:
        """Whether this may be said to it: by one of its buttons, or by the end of its login."""
        return (bool(self.login) and verdict == LOGGED_IN) or any(
            button.data == f"{WORD}:{self.id}:{verdict}" for row in self.buttons for button in row
        )


class GivenAnswer(BaseModel):
    """What was said to a question: by a button (its ``verdict``), or in ``words``, which are a choice's, too."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    verdict: str = ""
    words: str = ""
    plain: str = ""
    """What was written, as it was typed; empty where the words are no answer, but came in its place."""
    by: str = ""
    """Who, by the name that is shown."""
    person: int | None = None
    """The same, by id."""
    update_id: int = 0


class ParkedTurn(Envelope):
    """A turn that waits for people. It is valid while the mark of the session's journal names the same turn."""

    turn: str
    """``tasks.journal.turn_of`` the messages that it answers."""
    taken: int
    """Inbox entries at the head that it answers."""
    before: int = 0
    """Inbox entries, those included, that stood there when its questions were put: those answer no question."""
    ends: float
    """When it is given up, seconds since the epoch."""
    who: tuple[int, ...] = ()
    """Who may answer, beside the bot's owner and admins: the authors of its messages."""
    anyone: bool = False
    """Each person who may talk to the bot in this chat may answer."""
    questions: tuple[OpenQuestion, ...] = ()
    given: Mapping[str, GivenAnswer] = Field(default_factory=dict)
    """Answers, by the id of their question."""
    earlier: Mapping[str, GivenAnswer] = Field(default_factory=dict)
    """Answers to what the turn asked before, by the key of their question."""
    shown: int = 0
    """Characters of the turn's text that stand above the questions."""
    shown_end: str = ""
    """The last of them."""

    @property
    def open(self) -> tuple[OpenQuestion, ...]:
        """Questions without an answer, in the order in which they were asked."""
        return tuple(question for question in self.questions if question.id not in self.given)

    @property
    def all_given(self) -> dict[str, GivenAnswer]:
        """Every answer that the turn has, by the key of its question."""
        return {**self.earlier, **{one.key: self.given[one.id] for one in self.questions if one.id in self.given}}

    @property
    def answered(self) -> frozenset[int]:
        """The updates of the messages that answered its questions in words."""
        answers = (*self.given.values(), *self.earlier.values())
        return frozenset(given.update_id for given in answers if given.plain)

    def question(self, ident: str) -> OpenQuestion | None:
        """A question by its id."""
        return next((question for question in self.questions if question.id == ident), None)

    def choices_of(self, ident: str) -> tuple[str, ...]:
        """What a question offers; empty when it is answered by yes or no, or in any words."""
        question = self.question(ident)
        return question.choices if question is not None else ()

    def may_answer(self, said: Inbound, admins: Collection[int]) -> bool:
        """Whether its person's word counts; ``admins``: those of the process's own settings."""
        person = said.person
        return self.anyone or said.in_charge or (person is not None and (person in self.who or person in admins))

    def refusal(self, press: Inbound, admins: Collection[int]) -> AnswerRefusal | None:
        """Why a pressed button does not count; None when it does."""
        ident, verdict = press.choice.get("ask", ""), press.choice.get("say", "")
        question = self.question(ident)
        if question is None or not question.takes(verdict):
            return "ended"
        if ident in self.given:
            return "answered"
        return None if self.may_answer(press, admins) else "not yours"


class HeldQuestion(ParkedTurn):
    """A question of a running turn whose call stays open: the worker that has the turn waits for the answer."""

    place: int = 0
    """The message that shows it; 0 while it is not known."""
    language: str | None = None
    """What it was asked in."""


def parked_in(raw: bytes | None) -> ParkedTurn | None:
    """What a state says of a parked turn; None when there is none that this release can read."""
    with suppress(EnvelopeInvalid, EnvelopeTooNew):
        return ParkedTurn.from_json(raw) if raw else None
    return None
