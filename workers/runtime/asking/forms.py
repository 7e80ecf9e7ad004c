"""A form is put to a person field by field; what they answer is checked, and asked for again when it does not fit."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tasks.phrases import phrase
from tasks.text import within
from workers.runtime.asking.fields import FormField, NotAForm, NotAnAnswer, Value, fields_of
from workers.steps import PersonsAnswer

_BUTTONS = 8
"""Values that get a button each; of more the person writes one."""
MESSAGE = 1_000
"""UTF-16 units that are shown of a server's words above a field: the field has to be seen, too."""
_TITLE, _ABOUT = 200, 300
_MOST_TRIES = 5
"""Answers to one field that do not fit."""

type AskPerson = Callable[[str, tuple[str, ...]], Awaitable[PersonsAnswer | None]]
"""Puts one question with its choices; None when there is no person to ask."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked. ``who`` asks: a server, whose words are not ours. It may be told no, which is no cancelling."""

    message: str
    schema: Mapping[str, Any]
    who: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a form."""

    action: Literal["accept", "decline", "cancel"]
    values: Mapping[str, Value]


_CANCELLED, _DECLINED = Filled("cancel", {}), Filled("decline", {})


async def fill(form: Form, ask: AskPerson) -> Filled:
    """Ask a person for each field. A form without fields asks for a yes.

    Raises:
        NotAForm: a person cannot fill it in.
    """
    fields = fields_of(form.schema)
    message = within(form.message, MESSAGE)
    head = phrase("form-asks", who=form.who, message=message) if form.who else message
    if not fields:
        said = await ask(head, (phrase("button-send"), phrase("button-no"), phrase("button-cancel")))
        place = said.pressed if said is not None else None
        return Filled("accept", {}) if place == 0 else Filled("decline", {}) if place == 1 else _CANCELLED
    values: dict[str, Value] = {}
    for number, field in enumerate(fields):
        begins, last = "", (phrase("button-cancel"),)
        if number == 0:
            begins, last = f"{head}\n\n", ((phrase("button-decline"),) if form.who else ()) + last
        answer = await _asked(field, begins, last, ask)
        if isinstance(answer, Filled):
            return answer
        values |= answer
    return Filled("accept", values)


async def _asked(field: FormField, begins: str, last: tuple[str, ...], ask: AskPerson) -> dict[str, Value] | Filled:
    """Ask for one field. ``last`` are the buttons that end the form: cancel, and before it that its person says no."""
    labels = field.labels if len(field.labels) <= _BUTTONS and field.kind != "several" else ()
    skip = () if field.required else (phrase("button-skip"),)
    extra = (*skip, *last)
    text = begins + _text(field, listed=not labels)
    problem = ""
    for _ in range(_MOST_TRIES):
        said = await ask(f"{problem}\n\n{text}" if problem else text, (*labels, *extra))
        if said is None or (said.pressed is None and not said.plain):
            return _CANCELLED
        if said.pressed is None:
            try:
                return {field.name: field.read(said.plain)}
            except NotAnAnswer as wrong:
                problem = str(wrong)
                continue
        if said.pressed < len(labels):
            return {field.name: field.of_option(said.pressed)}
        if skip and said.pressed == len(labels):
            return {}
        return _DECLINED if last[1:] and said.pressed == len(labels) + len(skip) else _CANCELLED
    return _CANCELLED


def _text(field: FormField, *, listed: bool) -> str:
    title = within(field.title, _TITLE)
    lines = [title if field.required else phrase("form-optional", title=title), within(field.about, _ABOUT)]
    if listed:
        lines += [f"{place}. {label}" for place, label in enumerate(field.labels, 1)]
    if field.kind == "several":
        lines.append(phrase("form-numbers"))
    return "\n".join(line for line in lines if line)


__all__ = ["AskPerson", "Filled", "Form", "NotAForm", "fill"]
